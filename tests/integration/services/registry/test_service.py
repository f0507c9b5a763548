"""The registry's handler on a real ledger: what it decides, and what a replay gives."""

import pytest
import redis
from google.protobuf.message import Message
from prometheus_client import REGISTRY

from services.registry.calibration.calibration import models_of
from services.registry.calibration.drift import Histogram
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from services.registry.service import MOST_IN_ONE_IMAGE, RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison, Transient
from shared.kafka.topics import address
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    CandidateList,
    Decision,
    Enrolment,
    Evidence,
    ImagePlace,
    Matches,
    ModelReference,
    Place,
    Sighting,
)
from shared.records import Receipt
from tests.support.queries import (
    CURVES,
    GALLERY,
    MODEL,
    NOON,
    evidence,
    ledger_at,
    matched,
    matches,
    registry,
    sighting,
    unsure,
)


def _handled(service: RegistryService, query: Matches) -> list[Message]:
    (result,) = service.handle([query])
    assert not isinstance(result, Poison), result
    return list(result)


def _decision(service: RegistryService, query: Matches) -> Decision:
    message = _handled(service, query)[0]
    assert isinstance(message, Decision)
    return message


def _reason(service: RegistryService, query: Matches) -> Poison:
    (result,) = service.handle([query])
    assert isinstance(result, Poison)
    return result


def test_a_decision_carries_all_that_explains_it(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    _decision(service, matches(sighting("b"), watermark=1))
    query = matches(sighting("c"), [evidence("b", same=False), evidence("a", same=True)])
    query.matcher.CopyFrom(ModelReference(name="lightglue", version="3"))
    decision, enrolment = _handled(service, query)

    assert isinstance(decision, Decision)
    assert (decision.outcome, decision.individual) == (OUTCOME_KNOWN, "plains-zebra-0001")
    assert (decision.number, decision.enrolment_number) == (3, 3)
    assert [item.individual for item in decision.ranked] == [
        "plains-zebra-0001",
        "plains-zebra-0002",
    ]
    assert decision.ranked[0].best == evidence("a", same=True)
    assert decision.probability == decision.ranked[0].probability > 0.8
    assert (decision.thresholds.known, decision.thresholds.new) == (0.8, 0.3)
    assert decision.calibration == "fixture 1"
    assert list(decision.models) == [MODEL, query.matcher]
    assert (decision.actor, decision.passes) == ("registry", 1)
    assert decision.decided_at.ToDatetime(NOON.tzinfo) == NOON
    assert decision.crop == query.query.crop
    assert not decision.HasField("captured_at")
    assert isinstance(enrolment, Enrolment)
    assert (enrolment.number, enrolment.sighting_id) == (3, "c")


def test_evidence_of_a_model_that_the_calibration_does_not_know_names_nobody(
    ledger_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    fitted = CURVES.model_copy(update={"models": models_of(matches(sighting("a")))})
    service = RegistryService(ledger_at(ledger_url), fitted, RegistrySettings(), now=lambda: NOON)
    _decision(service, matches(sighting("a")))
    for number, name in enumerate("bc", 1):
        query = matches(sighting(name), [evidence("a", same=True)], watermark=number)
        query.matcher.CopyFrom(ModelReference(name="lightglue", version="3"))
        assert _decision(service, query).outcome == OUTCOME_REVIEW
    (warning,) = caplog.records
    assert "was not fitted on the matcher lightglue 3" in warning.getMessage()
    usual = matches(sighting("d"), [evidence("a", same=True)], watermark=3)
    assert _decision(service, usual).outcome == OUTCOME_KNOWN


def test_a_service_reports_how_far_its_evidence_has_moved_away(ledger_url: str) -> None:
    """The calibration saw only weak evidence, the service sees only strong one."""
    weak = Histogram(edges=(0.5,), shares=(0.95, 0.05))
    pooled = CURVES.pooled.model_copy(update={"baseline": weak})
    fitted = CURVES.model_copy(update={"pooled": pooled})
    settings = RegistrySettings(drift_window=3)
    service = RegistryService(ledger_at(ledger_url), fitted, settings, now=lambda: NOON)
    _decision(service, matches(sighting("a")))
    for number, name in enumerate("bcd", 1):
        query = matches(sighting(name), [evidence("a", same=True)], watermark=number)
        assert _decision(service, query).outcome == OUTCOME_KNOWN
    drift = REGISTRY.get_sample_value("resight_registry_calibration_drift")
    assert drift is not None
    assert drift > 0.25


def test_a_doubtful_sighting_founds_an_individual_that_others_can_join(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    decision, enrolment = _handled(service, matches(sighting("b"), [unsure("a")], watermark=1))
    assert isinstance(decision, Decision)
    assert (decision.outcome, decision.individual) == (OUTCOME_REVIEW, "plains-zebra-0002")
    assert decision.ranked[0].individual == "plains-zebra-0001"
    assert isinstance(enrolment, Enrolment)
    joined = _decision(service, matches(sighting("c"), [evidence("b", same=True)], watermark=2))
    assert (joined.outcome, joined.individual) == (OUTCOME_KNOWN, "plains-zebra-0002")


def test_a_doubt_on_a_stale_list_is_compared_with_what_was_enrolled_meanwhile(
    ledger_url: str,
) -> None:
    """The right animal had been enrolled while the query was on its way."""
    service = registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("other")))
    _decision(service, matches(sighting("right"), [evidence("other", same=False)], watermark=1))
    (following,) = _handled(service, matches(sighting("q"), [unsure("other")], watermark=1))
    assert isinstance(following, CandidateList)
    assert [each.sighting_id for each in following.candidates] == ["right"]
    decision = _decision(service, matched(following, same={"right"}))
    assert (decision.outcome, decision.individual) == (OUTCOME_KNOWN, "plains-zebra-0002")


def test_what_cant_be_compared_founds_nobody_and_names_nobody(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    blank = matches(sighting("the first of its gallery"))
    blank.incomparable = "the picture shows 0 keypoints"
    assert _decision(service, blank).outcome == OUTCOME_UNIDENTIFIABLE
    assert _decision(service, matches(sighting("a"))).individual == "plains-zebra-0001"
    for number, found in enumerate([[], [evidence("a", same=True)]]):
        blank = matches(sighting(f"blank {number}"), found)
        blank.incomparable = "the picture shows 0 keypoints"
        decision = _decision(service, blank)
        assert (decision.outcome, decision.individual) == (OUTCOME_UNIDENTIFIABLE, "")
        assert (decision.probability, decision.enrolment_number) == (0.0, 0)
        assert decision.incomparable == "the picture shows 0 keypoints"


def test_captures_that_share_an_id_are_not_one_picture(ledger_url: str) -> None:
    """Every camera writes IMG_0001.JPG."""
    service = registry(ledger_at(ledger_url))
    first, second = sighting("a", image="one"), sighting("b", image="other")
    first.capture_id = second.capture_id = "IMG_0001"
    _decision(service, matches(first))
    known = _decision(service, matches(second, [evidence("a", same=True)], watermark=1))
    assert (known.outcome, known.individual) == (OUTCOME_KNOWN, "plains-zebra-0001")


def test_galleries_beyond_the_limit_are_poison_until_somebody_adds_them(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = registry(ledger, RegistrySettings(max_galleries=1))
    _decision(service, matches(sighting("a")))
    poison = _reason(service, matches(sighting("b", gallery="default/тигр")))
    assert poison.kind == "too-many-galleries"
    assert "resight galleries add default/тигр" in poison.reason
    ledger.add_gallery("default/тигр")
    assert _decision(service, matches(sighting("b", gallery="default/тигр"))).individual


def test_the_same_image_with_ever_other_boxes_comes_to_an_end(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    for number in range(MOST_IN_ONE_IMAGE):
        _decision(service, matches(sighting(f"s{number}", image="one"), watermark=number))
    poison = _reason(service, matches(sighting("last", image="one"), watermark=256))
    assert poison.kind == "too-many-animals"


def test_a_place_is_kept_and_nothing_follows_from_it(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    told = ImagePlace(
        image_sha256="ab", deployment="gate", place=Place(latitude=-0.5, longitude=36.9)
    )
    assert registry(ledger).handle([told]) == [[]]
    assert ledger.place("ab") == told.place


def test_no_evidence_at_all_is_a_new_individual_with_probability_0(ledger_url: str) -> None:
    decision = _decision(registry(ledger_at(ledger_url)), matches(sighting("a")))
    assert (decision.outcome, decision.probability) == (OUTCOME_NEW, 0.0)


def test_a_replay_after_a_crash_gives_identical_bytes(ledger_url: str) -> None:
    query = matches(sighting("a"))
    before = _handled(registry(ledger_at(ledger_url)), query)
    # The process dies before it publishes; later evidence would decide otherwise.
    late = matches(sighting("a"), [evidence("b", same=True)], watermark=5, number=2)
    for again in (query, late):
        after = _handled(registry(ledger_at(ledger_url)), again)
        assert [m.SerializeToString(deterministic=True) for m in after] == [
            m.SerializeToString(deterministic=True) for m in before
        ]


def test_two_animals_in_one_picture_are_never_the_same_individual(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    one = matches(sighting("b", image="herd"), [evidence("a", same=True)])
    other = matches(sighting("c", image="herd"), [evidence("a", same=True)], watermark=1)
    assert _decision(service, one).individual == "plains-zebra-0001"
    second = _decision(service, other)
    assert (second.outcome, second.individual) == (OUTCOME_NEW, "plains-zebra-0002")
    assert list(second.ranked) == []


def test_a_candidate_that_the_ledger_does_not_know_is_ignored(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    decision = _decision(service, matches(sighting("a"), [evidence("stranger", same=True)]))
    assert decision.outcome == OUTCOME_NEW
    assert list(decision.ranked) == []


def test_a_candidate_whose_individual_is_gone_is_ignored(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    with redis.Redis.from_url(ledger_url) as client:
        client.hdel(f"resight:{{{GALLERY}}}:groups", "plains-zebra-0001")
    decision = _decision(service, matches(sighting("b"), [evidence("a", same=True)], watermark=1))
    assert decision.outcome == OUTCOME_NEW


def test_what_is_acknowledged_leaves_the_outbox_and_the_rest_stays(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    service = registry(ledger)
    first = _handled(service, matches(sighting("a")))
    second = _handled(service, matches(sighting("b"), watermark=1))
    published = [*first, second[0]]  # the second enrolment is still on its way
    service.acknowledged(
        [Receipt(item, address(item).topic, 0, at) for at, item in enumerate(published)]
    )
    left = [entry for chunk in ledger.outbox(GALLERY) for entry in chunk]
    assert [entry.messages() for entry in left] == [second]


def test_candidate_lists_leave_no_trace_in_the_outbox(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    service.acknowledged([Receipt(CandidateList(query=sighting("a")), "t", 0, 0)])
    assert ledger_at(ledger_url).proofs(GALLERY) == []


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        (Sighting(gallery=GALLERY), "invalid"),
        (Sighting(sighting_id="a", gallery="Zebra"), "bad-gallery"),
        (Sighting(sighting_id="a", gallery="x/{y}"), "bad-gallery"),
        (Sighting(sighting_id="a", gallery=GALLERY), "bad-embedding"),
    ],
)
def test_a_query_that_can_not_be_entered_is_poison(
    ledger_url: str, query: Sighting, kind: str
) -> None:
    ledger = ledger_at(ledger_url)
    assert _reason(registry(ledger), matches(query)).kind == kind
    assert ledger.galleries() == []


def test_impossible_evidence_is_poison_and_spares_the_rest_of_its_batch(ledger_url: str) -> None:
    service = registry(ledger_at(ledger_url))
    _decision(service, matches(sighting("a")))
    broken: Evidence = evidence("a", same=True)
    broken.confidence = float("nan")
    bad, good = service.handle(
        [matches(sighting("b"), [broken]), matches(sighting("c"), [evidence("a", same=True)])]
    )
    assert isinstance(bad, Poison)
    assert bad.kind == "bad-evidence"
    assert not isinstance(good, Poison)


def test_without_a_ledger_the_batch_is_transient_and_the_service_not_ready() -> None:
    service = registry(Ledger(Store("redis://127.0.0.1:1/0", 0.5)))
    assert not service.ready()
    with pytest.raises(Transient):
        service.handle([matches(sighting("a"))])


def test_a_query_that_lookup_has_left_far_behind_goes_back_to_it(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("services.registry.service.MOST_BETWEEN", 3)
    ledger = ledger_at(ledger_url)
    service = RegistryService(ledger, CURVES, RegistrySettings(), wait=waited.append)
    for number in range(4):
        _decision(service, matches(sighting(f"s{number}"), watermark=number))
    query = sighting("late")
    monkeypatch.setattr(Ledger, "between", lambda *_: pytest.fail("the ledger is gone through"))
    assert service.handle([matches(query, watermark=0)]) == [[query]]
    assert len(waited) == 1  # it does not go round as fast as it can
    monkeypatch.undo()
    [result] = service.handle([matches(query, watermark=1)])
    assert not isinstance(result, Poison)
    assert isinstance(result[0], CandidateList)
