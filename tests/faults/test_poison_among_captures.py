"""40 messages that can't be handled among 120 captures that can."""

from collections.abc import Sequence

import pytest

from catalogue.reading.catalogue import Photograph
from tests.faults.conftest import CAPTURES_PUBLISHED, POISON_PUBLISHED, Run

pytestmark = pytest.mark.timeout(900)


def test_every_good_capture_is_decided(calm: Run, photographs: Sequence[Photograph]) -> None:
    assert calm.account.captures == len(photographs) == CAPTURES_PUBLISHED
    assert calm.account.missing == []
    assert calm.account.dead == {}
    assert set(calm.account.decisions) == set(calm.account.published)


def test_every_poison_message_is_one_dead_letter(calm: Run) -> None:
    assert len(calm.letters) == POISON_PUBLISHED
    assert len({letter.kind for letter in calm.letters}) >= 15


def test_every_dead_letter_says_why_in_a_sentence(calm: Run) -> None:
    for letter in calm.letters:
        assert len(letter.reason.split()) >= 5, letter.reason
        assert "Traceback" not in letter.reason


def test_every_dead_letter_says_where_it_came_from(calm: Run) -> None:
    places = {(letter.topic, letter.partition, letter.offset) for letter in calm.letters}
    assert len(places) == POISON_PUBLISHED
    assert {letter.attempt for letter in calm.letters} == {1}
