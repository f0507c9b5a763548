import pytest

from shared.kafka import topics
from shared.messages import (
    Box,
    CandidateList,
    Capture,
    Decision,
    Enrolment,
    Matches,
    Sighting,
)


def test_every_message_with_a_topic_is_keyed_by_its_deployment_or_gallery() -> None:
    query = Sighting(deployment="cam")
    expected = {
        topics.CAPTURES: Capture(deployment="cam"),
        topics.SIGHTINGS: query,
        topics.CANDIDATES: CandidateList(query=query),
        topics.MATCHES: Matches(query=query),
        topics.DECISIONS: Decision(deployment="cam"),
    }
    for topic, message in expected.items():
        assert topics.address(message) == topics.Address(topic, "cam")
    enrolment = Enrolment(gallery="hwange/zebra")
    assert topics.address(enrolment) == topics.Address(topics.ENROLMENTS, "hwange/zebra")


def test_a_part_of_a_message_has_no_topic() -> None:
    with pytest.raises(TypeError, match="Box"):
        topics.address(Box())


def test_every_input_of_every_group_has_a_dead_letter_topic() -> None:
    assert "resight.enrolments.v1.lookup.dlq" in topics.dead_letter_topics()
    assert len(topics.dead_letter_topics()) == sum(map(len, topics.INPUTS.values()))
