"""The matcher's service and its cache: used where it can be, never trusted, never needed."""

import shutil
from collections.abc import Callable

import pytest
import redis

from embedded.servers import HOST, free_port
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.metrics import CACHE_FAILURES
from shared.keypoints.keypoints import encode, none_in
from tests.support.matcher_bench import Bench, keypoints, only, textured


def _failures(kind: str) -> float:
    return float(CACHE_FAILURES.labels(kind)._value.get())


def test_what_is_cached_is_not_computed_again(bench: Bench, computed: Callable[[], float]) -> None:
    sent = bench.candidates(textured(0), [bench.candidate("a", textured(1))])
    service = bench.service(local_entries=8)
    only(service, sent)
    assert computed() == 2
    local = keypoints("local")
    only(service, sent)
    assert (computed(), keypoints("local") - local) == (2, 2)
    remote = keypoints("cache")
    only(bench.service(), sent)
    assert (computed(), keypoints("cache") - remote) == (2, 2)


def test_this_process_keeps_no_more_than_it_may(bench: Bench) -> None:
    cache = bench.cache(local_entries=2)
    pictures = [bench.engine.extractor.extract(textured(seed)) for seed in range(3)]
    for digest, found in zip("abc", pictures, strict=True):
        cache.put(digest, found)
    assert list(cache._local) == ["b", "c"]
    cache.get(["b"])
    cache.put("a", pictures[0])
    assert list(cache._local) == ["b", "a"]


def test_candidates_come_out_of_the_cache_when_their_crops_are_gone(bench: Bench) -> None:
    sent = bench.candidates(textured(0), [bench.candidate("a", textured(1))])
    before = only(bench.service(), sent)
    shutil.rmtree(bench.folder / "crops")
    assert only(bench.service(), sent) == before


@pytest.mark.parametrize("content", [b"", b"foreign", b"RKPT" + bytes(40)])
def test_damaged_cache_content_is_recomputed_and_replaced(
    bench: Bench, computed: Callable[[], float], content: bytes
) -> None:
    sent = bench.candidates(textured(0), [bench.candidate("a", textured(1))])
    expected, service = only(bench.service(), sent), bench.service()
    key, digest = bench.cache().key(sent.query.crop.sha256), sent.query.crop.sha256
    unreadable = _failures("unreadable")
    with redis.Redis.from_url(bench.url) as client:
        client.set(key, content)
    assert only(service, sent) == expected
    assert computed() == 3
    assert _failures("unreadable") == unreadable + 1
    assert digest in bench.cache().get([digest])


def test_keypoints_of_another_length_are_not_believed(bench: Bench) -> None:
    sent = bench.candidates(textured(0))
    with redis.Redis.from_url(bench.url) as client:
        client.set(bench.cache().key(sent.query.crop.sha256), encode(none_in(256, 192, 128)))
    assert bench.cache().get([sent.query.crop.sha256]) == {}


def test_a_key_of_another_type_is_no_reason_to_stop(bench: Bench) -> None:
    sent = bench.candidates(textured(0))
    with redis.Redis.from_url(bench.url) as client:
        client.hset(bench.cache().key(sent.query.crop.sha256), "field", "value")
    assert not only(bench.service(), sent).evidence


def test_the_key_names_model_version_and_preprocessing(bench: Bench) -> None:
    model = bench.engine.extractor.model
    for part in (model.name, model.version, model.preprocessing, "0" * 64):
        assert part in bench.cache().key("0" * 64)


def test_without_its_cache_the_matcher_works_and_asks_only_now_and_then(
    bench: Bench, computed: Callable[[], float]
) -> None:
    bench.url = f"redis://{HOST}:{free_port()}/0"
    sent = bench.candidates(textured(0), [bench.candidate("a", textured(1))])
    service, down = bench.service(), _failures("down")
    for _ in range(3):
        assert len(only(service, sent).evidence) == 1
    assert computed() == 6
    assert _failures("down") == down + 1
    assert service.ready()


def test_a_cache_that_comes_back_is_used_again(bench: Bench) -> None:
    now, keypoints = 0.0, bench.engine.extractor.extract(textured(0))
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
