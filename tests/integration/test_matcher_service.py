"""The matcher's service with its networks, a real store of crops and a real cache."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import redis
from numpy.typing import NDArray

from resight.stack.servers import HOST, free_port
from services.matcher.cache import KeypointCache, connect
from services.matcher.crops import CropKeypoints
from services.matcher.engine import Engine, engine
from services.matcher.keypoints import encode, none_in
from services.matcher.metrics import CACHE_FAILURES, KEYPOINTS
from services.matcher.service import MatcherService
from services.matcher.settings import MatcherSettings
from shared.blobs import BlobStore
from shared.errors import Poison, Transient
from shared.images import encode_jpeg
from shared.messages import (
    DEPTH_LIGHTGLUE,
    DEPTH_NEIGHBOURS,
    DEPTH_NONE,
    BlobReference,
    Candidate,
    CandidateList,
    Evidence,
    Matches,
    Sighting,
)

Picture = NDArray[np.uint8]
MAX_BYTES = 1 << 20


def _textured(seed: int) -> Picture:
    blots = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(blots, (256, 192), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@dataclass
class Bench:
    """A service whose parts a test can reach, and how to make messages for it."""

    engine: Engine
    folder: Path
    store: BlobStore
    url: str

    def cache(self, local_entries: int = 0) -> KeypointCache:
        return KeypointCache(
            connect(self.url, 0.5),
            self.engine.extractor.model,
            self.engine.extractor.descriptor_length,
            local_entries=local_entries,
            retry_seconds=60,
        )

    def service(self, local_entries: int = 0) -> MatcherService:
        crops = CropKeypoints(
            self.store, self.engine.extractor, self.cache(local_entries), MAX_BYTES
        )
        return MatcherService(self.engine, crops, self.store)

    def crop(self, picture: Picture) -> BlobReference:
        content = encode_jpeg(picture, 90)
        return self.store.put(f"crops/{abs(hash(content)):x}.jpg", content)

    def candidate(self, name: str, picture: Picture) -> Candidate:
        return Candidate(sighting_id=name, enrolment_number=7, crop=self.crop(picture), cosine=0.5)

    def candidates(
        self,
        picture: Picture,
        candidates: Sequence[Candidate] = (),
        *,
        earlier: Sequence[Evidence] = (),
        number: int = 1,
    ) -> CandidateList:
        query = Sighting(sighting_id="query", deployment="cam-1", crop=self.crop(picture))
        return CandidateList(
            query=query,
            watermark=41 + number,
            candidates=candidates,
            earlier=earlier,
            **{"pass": number},
        )


@pytest.fixture(scope="module")
def networks() -> Engine:
    return engine(MatcherSettings(extractor="xfeat", lightglue_candidates=1))


@pytest.fixture
def bench(networks: Engine, tmp_path: Path, cache_url: str) -> Bench:
    folder = tmp_path / "crops"
    return Bench(networks, folder, BlobStore(f"file://{folder}"), cache_url)


@pytest.fixture
def computed() -> Callable[[], float]:
    """Tell how many crops went through the network since the test began."""
    before = _keypoints("computed")
    return lambda: _keypoints("computed") - before


def _keypoints(source: str) -> float:
    return float(KEYPOINTS.labels(source)._value.get())


def _failures(kind: str) -> float:
    return float(CACHE_FAILURES.labels(kind)._value.get())


def _only(service: MatcherService, candidates: CandidateList) -> Matches:
    [result] = service.handle([candidates])
    assert not isinstance(result, Poison), result.reason
    [matches] = result
    assert isinstance(matches, Matches)
    return matches


def test_every_candidate_comes_back_once_with_its_evidence(bench: Bench) -> None:
    coat = _textured(0)
    others = [bench.candidate(f"other-{seed}", _textured(seed)) for seed in range(1, 4)]
    sent = bench.candidates(coat, [*others, bench.candidate("same", coat[8:, 12:])])
    matches = _only(bench.service(), sent)
    assert [e.candidate for e in matches.evidence] == list(sent.candidates)
    assert [e.depth for e in matches.evidence] == [DEPTH_NEIGHBOURS] * 3 + [DEPTH_LIGHTGLUE]
    same = matches.evidence[3]
    assert same.neighbour_score > max(e.neighbour_score for e in matches.evidence[:3])
    assert same.confidence > 30
    assert same.inliers > 30
    assert matches.query == sent.query
    assert (matches.watermark, getattr(matches, "pass")) == (42, 1)
    assert matches.extractor == bench.engine.extractor.model
    assert matches.matcher == bench.engine.cascade.model


def test_a_replay_gives_the_same_message(bench: Bench) -> None:
    sent = bench.candidates(_textured(0), [bench.candidate("a", _textured(1))])
    computed, cached = _only(bench.service(), sent), _only(bench.service(), sent)
    assert computed.SerializeToString(deterministic=True) == cached.SerializeToString(
        deterministic=True
    )


def test_earlier_evidence_is_kept_and_not_made_again(bench: Bench) -> None:
    first = bench.candidate("first", _textured(1))
    earlier = Evidence(candidate=first, depth=DEPTH_NEIGHBOURS, neighbours=3, neighbour_score=0.5)
    second = bench.candidate("second", _textured(2))
    sent = bench.candidates(
        _textured(0), [first, second, second], earlier=[earlier, earlier], number=2
    )
    matches = _only(bench.service(), sent)
    assert [e.candidate.sighting_id for e in matches.evidence] == ["first", "second"]
    assert matches.evidence[0] == earlier
    assert getattr(matches, "pass") == 2


def test_lightglue_sees_the_best_of_all_passes_as_if_they_were_one_list(bench: Bench) -> None:
    coat = _textured(0)
    same, other = bench.candidate("same", coat), bench.candidate("other", _textured(1))
    first = _only(bench.service(), bench.candidates(coat, [same])).evidence
    assert first[0].depth == DEPTH_LIGHTGLUE
    later = _only(bench.service(), bench.candidates(coat, [other], earlier=first, number=2))
    assert [each.depth for each in later.evidence] == [DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS]
    first = _only(bench.service(), bench.candidates(coat, [other])).evidence
    later = _only(bench.service(), bench.candidates(coat, [same], earlier=first, number=2))
    assert [each.depth for each in later.evidence] == [DEPTH_LIGHTGLUE, DEPTH_LIGHTGLUE]


def test_without_candidates_the_querys_keypoints_are_cached_all_the_same(
    bench: Bench, computed: Callable[[], float]
) -> None:
    sent = bench.candidates(_textured(0))
    assert not _only(bench.service(), sent).evidence
    assert computed() == 1
    assert bench.cache().get([sent.query.crop.sha256])


def test_later_passes_go_first_and_answers_keep_their_places(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = [1, 3, 1, 2]
    sent = [bench.candidates(_textured(i), number=n) for i, n in enumerate(passes)]
    service, order = bench.service(), list[str]()
    find = service._crops.find

    def watched(crops: Sequence[BlobReference]) -> object:
        order.append(crops[0].sha256)
        return find(crops)

    monkeypatch.setattr(service._crops, "find", watched)
    results = service.handle(sent)
    assert order == [sent[i].query.crop.sha256 for i in (1, 3, 0, 2)]
    for message, result in zip(sent, results, strict=True):
        assert not isinstance(result, Poison)
        assert isinstance(result[0], Matches)
        assert result[0].query == message.query


def test_what_is_cached_is_not_computed_again(bench: Bench, computed: Callable[[], float]) -> None:
    sent = bench.candidates(_textured(0), [bench.candidate("a", _textured(1))])
    service = bench.service(local_entries=8)
    _only(service, sent)
    assert computed() == 2
    local = _keypoints("local")
    _only(service, sent)
    assert (computed(), _keypoints("local") - local) == (2, 2)
    remote = _keypoints("cache")
    _only(bench.service(), sent)
    assert (computed(), _keypoints("cache") - remote) == (2, 2)


def test_this_process_keeps_no_more_than_it_may(bench: Bench) -> None:
    cache = bench.cache(local_entries=2)
    pictures = [bench.engine.extractor.extract(_textured(seed)) for seed in range(3)]
    for digest, keypoints in zip("abc", pictures, strict=True):
        cache.put(digest, keypoints)
    assert list(cache._local) == ["b", "c"]
    cache.get(["b"])
    cache.put("a", pictures[0])
    assert list(cache._local) == ["b", "a"]


def test_candidates_come_out_of_the_cache_when_their_crops_are_gone(bench: Bench) -> None:
    sent = bench.candidates(_textured(0), [bench.candidate("a", _textured(1))])
    before = _only(bench.service(), sent)
    shutil.rmtree(bench.folder / "crops")
    assert _only(bench.service(), sent) == before


@pytest.mark.parametrize("content", [b"", b"foreign", b"RKPT" + bytes(40)])
def test_damaged_cache_content_is_recomputed_and_replaced(
    bench: Bench, computed: Callable[[], float], content: bytes
) -> None:
    sent = bench.candidates(_textured(0), [bench.candidate("a", _textured(1))])
    expected, service = _only(bench.service(), sent), bench.service()
    key, digest = bench.cache().key(sent.query.crop.sha256), sent.query.crop.sha256
    unreadable = _failures("unreadable")
    with redis.Redis.from_url(bench.url) as client:
        client.set(key, content)
    assert _only(service, sent) == expected
    assert computed() == 3
    assert _failures("unreadable") == unreadable + 1
    assert digest in bench.cache().get([digest])


def test_keypoints_of_another_length_are_not_believed(bench: Bench) -> None:
    sent = bench.candidates(_textured(0))
    with redis.Redis.from_url(bench.url) as client:
        client.set(bench.cache().key(sent.query.crop.sha256), encode(none_in(256, 192, 128)))
    assert bench.cache().get([sent.query.crop.sha256]) == {}


def test_a_key_of_another_type_is_no_reason_to_stop(bench: Bench) -> None:
    sent = bench.candidates(_textured(0))
    with redis.Redis.from_url(bench.url) as client:
        client.hset(bench.cache().key(sent.query.crop.sha256), "field", "value")
    assert not _only(bench.service(), sent).evidence


def test_the_key_names_model_version_and_preprocessing(bench: Bench) -> None:
    model = bench.engine.extractor.model
    for part in (model.name, model.version, model.preprocessing, "0" * 64):
        assert part in bench.cache().key("0" * 64)


def test_without_its_cache_the_matcher_works_and_asks_only_now_and_then(
    bench: Bench, computed: Callable[[], float]
) -> None:
    bench.url = f"redis://{HOST}:{free_port()}/0"
    sent = bench.candidates(_textured(0), [bench.candidate("a", _textured(1))])
    service, down = bench.service(), _failures("down")
    for _ in range(3):
        assert len(_only(service, sent).evidence) == 1
    assert computed() == 6
    assert _failures("down") == down + 1
    assert service.ready()


def test_a_cache_that_comes_back_is_used_again(bench: Bench) -> None:
    now, keypoints = 0.0, bench.engine.extractor.extract(_textured(0))
    gone = connect(f"redis://{HOST}:{free_port()}/0", 0.5)
    cache = KeypointCache(
        gone,
        bench.engine.extractor.model,
        bench.engine.extractor.descriptor_length,
        local_entries=0,
        retry_seconds=5,
        clock=lambda: now,
    )
    cache.put("digest", keypoints)
    cache._server._client = connect(bench.url, 0.5)
    now = 4.9
    cache.put("digest", keypoints)
    assert bench.cache().get(["digest"]) == {}
    now = 5.1
    cache.put("digest", keypoints)
    assert len(bench.cache().get(["digest"])["digest"]) == len(keypoints)


def _unusable(bench: Bench) -> Iterator[tuple[str, Candidate, str]]:
    vanished = bench.candidate("vanished", _textured(5))
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
    yield "strip", bench.candidate("strip", strip), "has 0 keypoints"
    blank = np.full((192, 256, 3), 90, np.uint8)
    yield "blank", bench.candidate("blank", blank), "has 0 keypoints"


def test_an_unusable_candidate_is_accounted_for_and_spoils_no_other(bench: Bench) -> None:
    unusable = list(_unusable(bench))
    good = bench.candidate("good", _textured(0)[4:, 4:])
    sent = bench.candidates(_textured(0), [*(candidate for _, candidate, _ in unusable), good])
    *bad, last = _only(bench.service(), sent).evidence
    assert [e.candidate.sighting_id for e in bad] == [name for name, _, _ in unusable]
    for evidence, (name, _, reason) in zip(bad, unusable, strict=True):
        assert evidence.depth == DEPTH_NONE, name
        assert reason in evidence.reason, name
    assert last.depth == DEPTH_LIGHTGLUE


def test_a_crop_under_a_broken_name_does_not_hide_the_same_crop_under_a_good_one(
    bench: Bench,
) -> None:
    good = bench.candidate("good", _textured(1))
    moved = Candidate(sighting_id="moved", crop=good.crop)
    moved.crop.key = "crops/moved.jpg"
    found = _only(bench.service(), bench.candidates(_textured(0), [moved, good])).evidence
    assert [e.depth for e in found] == [DEPTH_NONE, DEPTH_LIGHTGLUE]


def test_a_query_without_keypoints_says_so_for_every_candidate(bench: Bench) -> None:
    sent = bench.candidates(
        np.zeros((192, 256, 3), np.uint8), [bench.candidate(n, _textured(1)) for n in "ab"]
    )
    for evidence in _only(bench.service(), sent).evidence:
        assert evidence.depth == DEPTH_NONE
        assert "the query has 0 keypoints" in evidence.reason


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_frame_says_that_it_cant_be_compared_candidates_or_not(
    bench: Bench, shade: int
) -> None:
    blank = np.full((240, 320, 3), shade, np.uint8)
    for candidates in ([], [bench.candidate("a", _textured(0))]):
        matches = _only(bench.service(), bench.candidates(blank, candidates))
        assert "0 keypoints" in matches.incomparable
    assert _only(bench.service(), bench.candidates(_textured(0))).incomparable == ""


def test_what_the_embedder_found_incomparable_stays_so(bench: Bench) -> None:
    asked = bench.candidates(_textured(0))
    asked.query.incomparable = "the crop's shorter side has 3 pixels"
    assert _only(bench.service(), asked).incomparable == asked.query.incomparable


def test_a_query_whose_crop_is_gone_is_poison_and_its_neighbours_are_not(bench: Bench) -> None:
    lost, sound = bench.candidates(_textured(1)), bench.candidates(_textured(0))
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
    sent = bench.candidates(_textured(0), [bench.candidate("a", _textured(1))])
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
    assert len(_only(bench.service(), sent).evidence) == 1
    assert computed() == 2
