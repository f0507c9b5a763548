"""A deployment's background, learnt by the matcher's service with a real cache."""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import redis
from numpy.typing import NDArray

from embedded.servers import HOST, free_port
from services.matcher.background.memory import RECENT, BackgroundMemory, kept_as
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.cache.server import CacheServer
from services.matcher.engine import Engine, build_engine
from services.matcher.metrics import CACHE_FAILURES
from services.matcher.service import MatcherService
from services.matcher.settings import MatcherSettings
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.images.codec import encode_jpeg
from shared.keypoints.keypoints import Keypoints
from shared.messages import Box, Candidate, CandidateList, Matches, Sighting

Picture = NDArray[np.uint8]
HEIGHT, WIDTH, BODY = 192, 256, slice(64, 160)
DAY = 24 * 3600
MAX_BYTES = 1 << 20


@pytest.fixture(scope="module")
def networks() -> Engine:
    return build_engine(MatcherSettings(extractor="xfeat", background="on"))


def _blots(seed: int) -> Picture:
    blots = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return np.asarray(
        cv2.resize(blots, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


def _picture(coat: int) -> Picture:
    """An animal in the middle of what one camera always sees."""
    picture = _blots(1000).copy()
    picture[BODY, BODY] = _blots(coat)[BODY, BODY]
    return picture


def _inside(keypoints: Keypoints) -> NDArray[np.bool_]:
    """Which keypoints lie on the animal, a little away from its outline."""
    return np.asarray(((keypoints.positions > 72) & (keypoints.positions < 152)).all(axis=1))


def _outside(keypoints: Keypoints) -> NDArray[np.bool_]:
    return np.asarray(((keypoints.positions < 56) | (keypoints.positions > 168)).any(axis=1))


class Camera:
    """One replica of the matcher, and how to show it a camera's captures."""

    def __init__(self, networks: Engine, folder: Path, url: str) -> None:
        client = connect(url, 0.5)
        model = kept_as(networks.extractor.model)
        self.store = BlobStore(f"file://{folder}")
        self.keypoints = KeypointCache(
            client, model, networks.extractor.descriptor_length, local_entries=0, retry_seconds=60
        )
        self.memory = BackgroundMemory(CacheServer(client, 60), self.keypoints, model)
        crops = CropKeypoints(self.store, networks.extractor, self.keypoints, MAX_BYTES)
        self.service = MatcherService(networks, crops, self.store, self.memory)

    def sighting(self, day: int, deployment: str = "cam-1") -> Sighting:
        content = encode_jpeg(_picture(day), 90)
        sighting = Sighting(
            sighting_id=f"{deployment}-{day}",
            deployment=deployment,
            sequence=f"s{day}",
            box=Box(x=0, y=0, width=1, height=1),
            crop=self.store.put(f"crops/{day}.jpg", content),
        )
        sighting.captured_at.FromSeconds(day * DAY)
        return sighting

    def show(self, query: Sighting, *candidates: Sighting) -> Matches:
        offered = [Candidate(sighting_id=each.sighting_id, crop=each.crop) for each in candidates]
        sent = CandidateList(
            query=query, watermark=1, candidates=offered, earlier=(), pass_number=1
        )
        [result] = self.service.handle([sent])
        assert not isinstance(result, Poison), result.reason
        [matches] = result
        assert isinstance(matches, Matches)
        return matches

    def kept(self, sighting: Sighting) -> Keypoints:
        return self.keypoints.get([sighting.crop.sha256])[sighting.crop.sha256]


@pytest.fixture
def replica(networks: Engine, tmp_path: Path, cache_url: str) -> Callable[[], Camera]:
    return lambda: Camera(networks, tmp_path / "crops", cache_url)


def test_replicas_learn_together_what_a_camera_always_sees(replica: Callable[[], Camera]) -> None:
    for day in (1, 2):
        replica().show(replica().sighting(day))
    camera = replica()
    camera.show(query := camera.sighting(3))
    found = camera.kept(query)
    assert found.animal is not None
    assert found.animal[_inside(found)].mean() > 0.8
    assert found.animal[_outside(found)].mean() < 0.2


def test_two_animals_before_one_background_have_little_in_common(
    replica: Callable[[], Camera],
) -> None:
    camera = replica()
    days = [camera.sighting(day) for day in range(1, 5)]
    [before] = camera.show(days[1], days[0]).evidence
    camera.show(days[2])
    [after] = camera.show(days[3], days[0]).evidence
    assert before.neighbours > 4 * after.neighbours


def test_a_replay_gives_the_same_evidence_though_the_memory_has_grown(
    replica: Callable[[], Camera],
) -> None:
    camera = replica()
    days = [camera.sighting(day) for day in range(1, 6)]
    first = [camera.show(day, days[0]) for day in days]
    again = [replica().show(day, days[0]) for day in days]
    assert again[1:] == first[1:]


def test_a_replay_is_remembered_once(replica: Callable[[], Camera], cache_url: str) -> None:
    camera = replica()
    query = camera.sighting(1)
    with redis.Redis.from_url(cache_url) as client:
        for _ in range(2):
            camera.show(query)
            client.delete(camera.keypoints.key(query.crop.sha256))
        assert client.llen(camera.memory.key("cam-1")) == 1


def test_each_deployment_has_its_own_memory(replica: Callable[[], Camera]) -> None:
    camera = replica()
    for day in (1, 2, 3):
        camera.show(query := camera.sighting(day, deployment=f"cam-{day}"))
    found = camera.kept(query)
    assert found.animal is not None
    assert found.animal.all()


def test_the_memory_keeps_the_latest(replica: Callable[[], Camera], cache_url: str) -> None:
    camera = replica()
    query = camera.sighting(1)
    found = camera.service._crops.find([query])[0]
    assert isinstance(found, Keypoints)
    for number in range(RECENT + 5):
        query.sighting_id = str(number)
        camera.memory.marked(query, found)
    with redis.Redis.from_url(cache_url) as client:
        kept = [
            Sighting.FromString(entry) for entry in client.lrange(camera.memory.key("cam-1"), 0, -1)
        ]
    assert [each.sighting_id for each in kept] == [str(n) for n in range(RECENT + 4, 4, -1)]


def test_a_damaged_memory_is_learnt_anew(replica: Callable[[], Camera], cache_url: str) -> None:
    camera = replica()
    before = CACHE_FAILURES.labels("unreadable")._value.get()
    with redis.Redis.from_url(cache_url) as client:
        client.rpush(camera.memory.key("cam-1"), b"\xff damaged")
        camera.show(camera.sighting(1))
        assert client.llen(camera.memory.key("cam-1")) == 1
    assert CACHE_FAILURES.labels("unreadable")._value.get() == before + 1


@pytest.mark.parametrize("lacking", ["deployment", "box"])
def test_a_sighting_of_no_known_place_teaches_nothing(
    replica: Callable[[], Camera], cache_url: str, lacking: str
) -> None:
    camera = replica()
    query = camera.sighting(1)
    query.ClearField(lacking)
    camera.show(query)
    assert camera.kept(query).animal is None
    with redis.Redis.from_url(cache_url) as client:
        assert client.exists(camera.memory.key(query.deployment)) == 0


def test_without_its_server_everything_counts(networks: Engine, tmp_path: Path) -> None:
    camera = Camera(networks, tmp_path / "crops", f"redis://{HOST}:{free_port()}/0")
    days = [camera.sighting(day) for day in range(1, 5)]
    evidence = [camera.show(day, days[0]).evidence[0] for day in days[1:]]
    assert min(each.neighbours for each in evidence) > 20


def _barred(coat: int) -> Picture:
    """An animal that fills the frame, and the bar that its camera writes under every picture."""
    picture = _blots(coat).copy()
    picture[-24:] = 0
    white = (255, 255, 255)
    place = (4, HEIGHT - 8)
    cv2.putText(picture, "RECONYX  HC600  21C  GATE 4", place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, white)
    return picture


def test_the_bar_that_a_camera_writes_into_its_pictures_is_learnt(
    replica: Callable[[], Camera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "_picture", _barred)
    camera = replica()
    days = [camera.sighting(day) for day in (1, 2, 3)]
    first = camera.show(days[1], days[0]).evidence[0]
    camera.show(days[0])
    learnt = camera.show(days[2], days[0]).evidence[0]
    found = camera.kept(days[2])
    assert found.animal is not None
    bar = found.positions[:, 1] > HEIGHT - 24
    assert bar.sum() > 4
    assert found.animal[bar].mean() < 0.5
    assert found.animal[~bar].mean() > 0.8
    assert learnt.inliers < first.inliers / 2, "the letters matched before they were learnt"


def test_backgrounds_are_learnt_by_default() -> None:
    assert MatcherSettings().background == "on"
