"""The matcher's service: evidence for every candidate, whatever is missing."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from embedded.servers import HOST, free_port
from shared.blobs import BlobStore
from shared.errors import Poison, Transient
from shared.messages import (
    DEPTH_LIGHTGLUE,
    DEPTH_NEIGHBOURS,
    DEPTH_NONE,
    BlobReference,
    Candidate,
    Evidence,
    Matches,
    Sighting,
)
from shared.votes import KeypointVotes
from tests.support.matcher_bench import Bench, only, textured


def test_every_candidate_comes_back_once_with_its_evidence(bench: Bench) -> None:
    coat = textured(0)
    others = [bench.candidate(f"other-{seed}", textured(seed)) for seed in range(1, 4)]
    sent = bench.candidates(coat, [*others, bench.candidate("same", coat[8:, 12:])])
    matches = only(bench.service(), sent)
    assert [e.candidate for e in matches.evidence] == list(sent.candidates)
    assert [e.depth for e in matches.evidence] == [DEPTH_NEIGHBOURS] * 3 + [DEPTH_LIGHTGLUE]
    same = matches.evidence[3]
    assert same.neighbour_score > max(e.neighbour_score for e in matches.evidence[:3])
    assert same.confidence > 30
    assert same.inliers > 30
    assert matches.query == sent.query
    assert (matches.watermark, matches.pass_number) == (42, 1)
    assert matches.extractor == bench.engine.extractor.model
    assert matches.matcher == bench.engine.cascade().model


def test_votes_say_who_is_nearest_and_who_answered(bench: Bench) -> None:
    coat = textured(0)
    listed = [bench.candidate(f"c{i}", textured(i)) for i in range(1, 6)]
    listed += [bench.candidate("same", coat)]
    for number, each in enumerate(listed, start=1):
        each.enrolment_number = number
    matches = only(bench.service(), bench.candidates(coat, listed))
    votes = KeypointVotes.of(matches.votes)
    assert (votes.numbers[:, 0] == 6).mean() > 0.9
    worth = {each.candidate.sighting_id: each.distinctiveness for each in matches.evidence}
    assert max(worth, key=lambda name: worth[name]) == "same"
    [same] = [each for each in matches.evidence if each.candidate.sighting_id == "same"]
    assert same.reverse_keypoints == votes.keypoints
    assert len(same.reverse) == len(votes.numbers)


def test_a_later_pass_changes_what_earlier_matches_are_worth(bench: Bench) -> None:
    coat = textured(0)
    listed = [bench.candidate(f"c{i}", textured(i)) for i in range(1, 6)]
    listed += [bench.candidate("same", coat)]
    for number, each in enumerate(listed, start=1):
        each.enrolment_number = number
    whole = only(bench.service(), bench.candidates(coat, listed))
    first = only(bench.service(), bench.candidates(coat, listed[3:]))
    sent = bench.candidates(coat, listed[:3], earlier=list(first.evidence), number=2)
    sent.earlier_votes.CopyFrom(first.votes)
    later = only(bench.service(), sent)
    assert later.votes == whole.votes
    worth = [
        {each.candidate.sighting_id: each.distinctiveness for each in one.evidence}
        for one in (later, whole)
    ]
    assert worth[0] == worth[1]
    assert sent.earlier[-1].distinctiveness == first.evidence[-1].distinctiveness


def test_a_replay_gives_the_same_message(bench: Bench) -> None:
    sent = bench.candidates(textured(0), [bench.candidate("a", textured(1))])
    computed, cached = only(bench.service(), sent), only(bench.service(), sent)
    assert computed.SerializeToString(deterministic=True) == cached.SerializeToString(
        deterministic=True
    )


def test_earlier_evidence_is_kept_and_not_made_again(bench: Bench) -> None:
    first = bench.candidate("first", textured(1))
    earlier = Evidence(candidate=first, depth=DEPTH_NEIGHBOURS, neighbours=3, neighbour_score=0.5)
    second = bench.candidate("second", textured(2))
    second.enrolment_number = first.enrolment_number + 1
    sent = bench.candidates(
        textured(0), [first, second, second], earlier=[earlier, earlier], number=2
    )
    matches = only(bench.service(), sent)
    assert [e.candidate.sighting_id for e in matches.evidence] == ["first", "second"]
    assert matches.evidence[0] == earlier
    assert matches.pass_number == 2


def test_lightglue_sees_the_best_of_all_passes_as_if_they_were_one_list(bench: Bench) -> None:
    coat = textured(0)
    same, other = bench.candidate("same", coat), bench.candidate("other", textured(1))
    first = only(bench.service(), bench.candidates(coat, [same])).evidence
    assert first[0].depth == DEPTH_LIGHTGLUE
    later = only(bench.service(), bench.candidates(coat, [other], earlier=first, number=2))
    assert [each.depth for each in later.evidence] == [DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS]
    first = only(bench.service(), bench.candidates(coat, [other])).evidence
    later = only(bench.service(), bench.candidates(coat, [same], earlier=first, number=2))
    assert [each.depth for each in later.evidence] == [DEPTH_LIGHTGLUE, DEPTH_LIGHTGLUE]


def test_without_candidates_the_querys_keypoints_are_cached_all_the_same(
    bench: Bench, computed: Callable[[], float]
) -> None:
    sent = bench.candidates(textured(0))
    assert not only(bench.service(), sent).evidence
    assert computed() == 1
    assert bench.cache().get([sent.query.crop.sha256])


def test_later_passes_go_first_and_answers_keep_their_places(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = [1, 3, 1, 2]
    sent = [bench.candidates(textured(i), number=n) for i, n in enumerate(passes)]
    service, order = bench.service(), list[str]()
    find = service._crops.find

    def watched(shown: Sequence[Sighting | Candidate]) -> object:
        order.append(shown[0].crop.sha256)
        return find(shown)

    monkeypatch.setattr(service._crops, "find", watched)
    results = service.handle(sent)
    assert order == [sent[i].query.crop.sha256 for i in (1, 3, 0, 2)]
    for message, result in zip(sent, results, strict=True):
        assert not isinstance(result, Poison)
        assert isinstance(result[0], Matches)
        assert result[0].query == message.query


def _unusable(bench: Bench) -> Iterator[tuple[str, Candidate, str]]:
    vanished = bench.candidate("vanished", textured(5))
    (bench.folder / vanished.crop.key).unlink()
    yield "vanished", vanished, "is not in"
    garbage = bench.store.put("crops/garbage.jpg", b"no picture")
    yield "garbage", Candidate(sighting_id="garbage", crop=garbage), "unknown format"
    outside = BlobReference(key="../secret", sha256="0" * 64, size=9)
    yield "outside", Candidate(sighting_id="outside", crop=outside), "relative"
    yield "none", Candidate(sighting_id="none"), "empty"
    wrong = BlobReference(key=garbage.key, sha256="1" * 64, size=garbage.size)
    yield "wrong", Candidate(sighting_id="wrong", crop=wrong), "SHA-256"
    strip = np.random.default_rng(0).integers(0, 256, (20, 4000, 3), dtype=np.uint8)
    yield "strip", bench.candidate("strip", strip), "has 0 usable keypoints"
    blank = np.full((192, 256, 3), 90, np.uint8)
    yield "blank", bench.candidate("blank", blank), "has 0 usable keypoints"


def test_an_unusable_candidate_is_accounted_for_and_spoils_no_other(bench: Bench) -> None:
    unusable = list(_unusable(bench))
    good = bench.candidate("good", textured(0)[4:, 4:])
    sent = bench.candidates(textured(0), [*(candidate for _, candidate, _ in unusable), good])
    *bad, last = only(bench.service(), sent).evidence
    assert [e.candidate.sighting_id for e in bad] == [name for name, _, _ in unusable]
    for evidence, (name, _, reason) in zip(bad, unusable, strict=True):
        assert evidence.depth == DEPTH_NONE, name
        assert reason in evidence.reason, name
    assert last.depth == DEPTH_LIGHTGLUE


def test_a_crop_under_a_broken_name_does_not_hide_the_same_crop_under_a_good_one(
    bench: Bench,
) -> None:
    good = bench.candidate("good", textured(1))
    moved = Candidate(sighting_id="moved", crop=good.crop)
    moved.crop.key = "crops/moved.jpg"
    found = only(bench.service(), bench.candidates(textured(0), [moved, good])).evidence
    assert [e.depth for e in found] == [DEPTH_NONE, DEPTH_LIGHTGLUE]


def test_a_query_without_keypoints_says_so_for_every_candidate(bench: Bench) -> None:
    sent = bench.candidates(
        np.zeros((192, 256, 3), np.uint8), [bench.candidate(n, textured(1)) for n in "ab"]
    )
    for evidence in only(bench.service(), sent).evidence:
        assert evidence.depth == DEPTH_NONE
        assert "the query has 0 usable keypoints" in evidence.reason


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_frame_says_that_it_cant_be_compared_candidates_or_not(
    bench: Bench, shade: int
) -> None:
    blank = np.full((240, 320, 3), shade, np.uint8)
    for candidates in ([], [bench.candidate("a", textured(0))]):
        matches = only(bench.service(), bench.candidates(blank, candidates))
        assert "0 keypoints" in matches.incomparable
    assert only(bench.service(), bench.candidates(textured(0))).incomparable == ""


def test_what_the_embedder_found_incomparable_stays_so(bench: Bench) -> None:
    asked = bench.candidates(textured(0))
    asked.query.incomparable = "the crop's shorter side has 3 pixels"
    assert only(bench.service(), asked).incomparable == asked.query.incomparable


def test_a_query_whose_crop_is_gone_is_poison_and_its_neighbours_are_not(bench: Bench) -> None:
    lost, sound = bench.candidates(textured(1)), bench.candidates(textured(0))
    (bench.folder / lost.query.crop.key).unlink()
    poison, matches = bench.service().handle([lost, sound])
    assert isinstance(poison, Poison)
    assert poison.kind == "missing-crop"
    assert lost.query.crop.key in poison.reason
    assert "sighting query" in poison.reason
    assert not isinstance(matches, Poison)


def test_a_store_that_does_not_answer_is_transient_and_the_batch_can_come_again(
    bench: Bench, computed: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = bench.candidates(textured(0), [bench.candidate("a", textured(1))])
    local = bench.store
    monkeypatch.setenv("AWS_ENDPOINT", f"http://{HOST}:{free_port()}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    bench.store = BlobStore("s3://crops", timeout_seconds=0.5)
    away = bench.service()
    with pytest.raises(Transient, match="can't read"):
        away.handle([sent])
    assert not away.ready()
    bench.store = local
    assert len(only(bench.service(), sent).evidence) == 1
    assert computed() == 2
