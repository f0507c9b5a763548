"""The matcher's own process shows the pages which parts of two pictures match."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.servers import HOST, free_port
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.engine import Engine
from services.matcher.explainer import PairExplainer, server
from services.matcher.networks import pair_matcher
from services.matcher.settings import ExplainerSettings, MatcherSettings
from services.registry.api.explainer import Explainer
from shared.blobs import BlobStore
from shared.errors import Poison, Transient
from shared.keypoints.keypoints import Keypoints
from shared.messages import BlobReference, PairQuestion, Shown
from tests.support.catalogue_bench import API, bench_at
from tests.support.samples.pictures import coat

SETTINGS = MatcherSettings(extractor="xfeat", policy="doubt")


class _Nothing:
    def get(self, _: object) -> dict[str, Keypoints]:
        return {}

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Forget them."""


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "crops").as_uri())


@pytest.fixture
def explainer(networks: Engine, store: BlobStore) -> Iterator[Explainer]:
    crops = CropKeypoints(store, networks.extractor, _Nothing(), SETTINGS.max_crop_bytes)
    pairs = PairExplainer(networks, pair_matcher(SETTINGS), crops)
    listening = server(ExplainerSettings(port=free_port()), pairs.answer)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield Explainer(f"http://{HOST}:{listening.server_port}")
    listening.shutdown()
    listening.server_close()


def shown(store: BlobStore, seed: int) -> Shown:
    return Shown(crop=store.put(f"crops/{seed}.jpg", coat(seed)))


def test_a_picture_matches_itself_place_by_place(explainer: Explainer, store: BlobStore) -> None:
    one = shown(store, 1)
    found = explainer.matches(PairQuestion(one=one, other=one))
    assert len(found.matches) > 20
    for match in found.matches:
        assert (match.x, match.y) == pytest.approx((match.other_x, match.other_y), abs=0.02)
        assert match.counts
    assert f"{found.evidence.matches} matches" in found.summary


def test_a_crop_that_is_gone_is_said_so(explainer: Explainer, store: BlobStore) -> None:
    gone = Shown(crop=BlobReference(key="crops/none.jpg", sha256="0" * 64, size=9))
    with pytest.raises(Poison, match=r"crops/none\.jpg"):
        explainer.matches(PairQuestion(one=shown(store, 1), other=gone))


def test_nobody_there_is_waited_for() -> None:
    with pytest.raises(Transient, match="does not respond"):
        Explainer(f"http://{HOST}:{free_port()}").matches(PairQuestion())


def test_the_api_answers_with_places_and_colours(
    ledger_url: str, tmp_path: Path, explainer: Explainer
) -> None:
    bench = bench_at(ledger_url, tmp_path)
    for name in "ab":
        bench.decide(name)
    without = bench.client().get(f"{API}/pairs/a/b/matches")
    assert without.status_code == 503
    bench.context = replace(bench.context, explainer=explainer)
    answer = bench.client().get(f"{API}/pairs/a/a/matches").json()
    assert answer["summary"]
    assert all(each["colour"].startswith("#") for each in answer["matches"])
    assert bench.client().get(f"{API}/pairs/a/z/matches").status_code == 404
