"""The real networks on drawn pictures: what counts as evidence, and what does not."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.cascade.cascade import Cascade
from services.matcher.cascade.policy import POLICIES
from services.matcher.engine import Engine, build_engine
from services.matcher.networks import pair_matcher
from services.matcher.pair_matchers.onnx_lightglue import OnnxLightGlue
from services.matcher.settings import MatcherSettings
from shared.errors import SettingsError
from shared.keypoints.keypoints import Keypoints, none_in
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, DEPTH_NONE

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]


def _seen_again(picture: Picture) -> Picture:
    """The same coat, turned by 12 degrees, cropped and darker."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 12, 1.1)
    turned = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return (turned[20:-30, 40:-20] * 0.8).astype(np.uint8)


def test_a_coat_seen_again_stands_out_from_another(networks: Engine, textured: Draw) -> None:
    coat = textured(1)
    query, again, other = (
        networks.extractor.extract(picture) for picture in (coat, _seen_again(coat), textured(2))
    )
    same, different = networks.cascade().gather(query, [again, other])
    assert same.depth == different.depth == DEPTH_LIGHTGLUE
    assert same.neighbour_score > 1.5 * different.neighbour_score
    assert same.confidence > 5 * different.confidence
    assert same.matches > 30
    assert same.inliers > 20 > different.inliers


def test_the_same_crop_gives_the_same_keypoints(networks: Engine, textured: Draw) -> None:
    first, second = (networks.extractor.extract(textured(3)) for _ in range(2))
    np.testing.assert_array_equal(first.descriptors, second.descriptors)
    np.testing.assert_array_equal(first.positions, second.positions)
    assert 50 < len(first) <= 256
    assert first.descriptors.shape[1] == networks.extractor.descriptor_length


def test_crops_are_shrunk_but_never_enlarged(networks: Engine, textured: Draw) -> None:
    large = np.tile(textured(4), (3, 3, 1))
    shrunk = networks.extractor.extract(large)
    assert (shrunk.width, shrunk.height) == (384, 288)
    small = networks.extractor.extract(textured(4)[:64, :96])
    assert (small.width, small.height) == (96, 64)


@pytest.mark.parametrize("shape", [(20, 4000), (4000, 20), (1, 1), (17, 17), (33, 64)])
def test_a_crop_of_any_shape_goes_through(networks: Engine, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    strip = networks.extractor.extract(noise)
    [evidence] = networks.cascade().gather(strip, [strip])
    assert evidence.depth == DEPTH_NONE or evidence.neighbours > 0
    assert (evidence.depth == DEPTH_NONE) == bool(evidence.reason)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_uniform_crop_has_no_keypoints(networks: Engine, level: int) -> None:
    assert len(networks.extractor.extract(np.full((288, 384, 3), level, np.uint8))) == 0


@pytest.mark.parametrize("grey_levels", [1, 3])
def test_two_pictures_of_noise_have_nothing_in_common(networks: Engine, grey_levels: int) -> None:
    rng = np.random.default_rng(0)
    nights = (rng.normal(60, grey_levels, (2, 288, 384, 1)).repeat(3, 3)).astype(np.uint8)
    one, other = (networks.extractor.extract(night) for night in nights)
    [evidence] = networks.cascade().gather(one, [other])
    assert evidence.depth == DEPTH_NONE


def _first(keypoints: Keypoints, count: int) -> Keypoints:
    return Keypoints(
        keypoints.positions[:count],
        keypoints.scores[:count],
        keypoints.descriptors[:count],
        keypoints.width,
        keypoints.height,
    )


def test_too_few_keypoints_are_no_evidence_and_say_so(networks: Engine, textured: Draw) -> None:
    coat = networks.extractor.extract(textured(1))
    none = none_in(384, 288, networks.extractor.descriptor_length)
    found = networks.cascade().gather(coat, [none, coat, _first(coat, 1), _first(coat, 2)])
    assert [e.depth for e in found] == [DEPTH_NONE, DEPTH_LIGHTGLUE, DEPTH_NONE, DEPTH_LIGHTGLUE]
    assert "the candidate has 0 usable keypoints" in found[0].reason
    assert "the candidate has 1 usable keypoint" in found[2].reason
    for query in (none, _first(coat, 1)):
        [evidence] = networks.cascade().gather(query, [coat])
        assert evidence.depth == DEPTH_NONE
        assert "the query has" in evidence.reason
    assert networks.cascade().gather(none, []) == networks.cascade().gather(coat, []) == []


def test_behind_a_candidate_beyond_doubt_none_reaches_lightglue(textured: Draw) -> None:
    xfeat = build_engine(MatcherSettings(extractor="xfeat"))
    coat = textured(1)
    query, again, *others = (
        xfeat.extractor.extract(picture)
        for picture in (coat, _seen_again(coat), textured(2), textured(3))
    )
    depths = [e.depth for e in xfeat.cascade().gather(query, [others[0], again, others[1]])]
    assert depths == [DEPTH_NEIGHBOURS, DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS]


def test_without_lightglue_the_matcher_is_named_neighbours() -> None:
    small = build_engine(MatcherSettings(extractor="aliked-t16", policy="neighbours"))
    assert small.cascade().model.name == "neighbours"
    assert small.extractor.model.name == "aliked-t16"


def test_what_evidence_depends_on_is_in_the_models_names() -> None:
    names = {
        str(made.extractor.model) + str(made.cascade().model)
        for made in (
            build_engine(MatcherSettings(extractor="xfeat", **change))
            for change in (
                {},
                {"longest_side": 512},
                {"keypoints": 128},
                {"neighbour_floor": 0.6},
                {"policy": "full"},
                {"policy": "neighbours"},
                {"lightglue_threshold": 0.2},
            )
        )
    }
    assert len(names) == 7


@pytest.mark.parametrize(
    ("settings", "way_out"),
    [
        (MatcherSettings(extractor="aliked-t16"), "POLICY=neighbours"),
        (MatcherSettings(extractor="xfeat", policy="deep"), "lighterglue-xfeat has 6"),
    ],
)
def test_an_impossible_pair_of_networks_is_refused(settings: MatcherSettings, way_out: str) -> None:
    with pytest.raises(SettingsError, match=way_out):
        build_engine(settings)


def test_a_cascade_without_lightglue_stops_at_neighbours(
    random_keypoints: Callable[..., Keypoints],
) -> None:
    pictures = [random_keypoints(seed, 20) for seed in range(3)]
    found = Cascade(0.7, POLICIES["neighbours"], [], 256).gather(pictures[0], pictures)
    assert [e.depth for e in found] == [DEPTH_NEIGHBOURS] * 3
    assert found[0].neighbours == 20


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"device": "cuda"}, "RESIGHT_EXTRACTOR_DEVICE=cuda, but PyTorch finds no GPU"),
        ({"device": "cpu", "precision": "half"}, "RESIGHT_MATCHER_PRECISION=half needs a GPU"),
        ({"models": "/dev/null/models"}, "RESIGHT_MATCHER_MODELS=/dev/null/models"),
    ],
)
def test_a_gpu_that_is_not_there_is_named(
    asked: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(SettingsError, match=told):
        pair_matcher(MatcherSettings.model_validate(asked))


def test_where_there_is_a_gpu_candidates_are_matched_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, object]] = []

    def batched(*_: object, **options: object) -> None:
        made.append(options)

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("services.matcher.networks.BatchedLightGlue", batched)
    pair_matcher(MatcherSettings())
    pair_matcher(MatcherSettings(precision="full"))
    assert [each["half"] for each in made] == [True, False]
    assert {each["device"] for each in made} == {"cuda"}
    with pytest.raises(SettingsError, match="int8 needs a CPU"):
        pair_matcher(MatcherSettings(precision="int8"))
    assert isinstance(pair_matcher(MatcherSettings(device="cpu")), OnnxLightGlue)


def test_a_gallery_may_have_a_policy_of_its_own() -> None:
    made = build_engine(
        MatcherSettings(extractor="xfeat", policies={"luangwa/leopard": "neighbours"})
    )
    assert made.cascade("luangwa/leopard").model.name == "neighbours"
    assert made.cascade("luangwa/zebra") is made.cascade()
    assert len(made.cascades()) == 2
