"""The optional SuperGlue, with random weights of a small configuration."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from services.matcher.engine import build_engine
from services.matcher.pair_matchers.superglue import SuperGlueMatcher
from services.matcher.settings import MatcherSettings
from shared.errors import SettingsError
from shared.keypoints.extractors import SUPERPOINT
from shared.keypoints.extractors.local_extractor import Framed
from shared.keypoints.extractors.superpoint import SuperPair, SuperPointExtractor
from shared.keypoints.keypoints import Keypoints
from shared.keypoints.torchvision_shim import import_beside_torchvision
from shared.messages import DEPTH_LIGHTGLUE

Picture = NDArray[np.uint8]
Draw = Callable[[int], Picture]
COUNT = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = import_beside_torchvision("transformers")
    torch.manual_seed(0)
    points = transformers.SuperPointConfig(
        encoder_hidden_sizes=[8, 8, 8, 8], decoder_hidden_size=16, descriptor_decoder_dim=16
    )
    config = transformers.SuperGlueConfig(
        keypoint_detector_config=points.to_dict(),
        hidden_size=16,
        keypoint_encoder_sizes=[8, 16],
        gnn_layers_types=["self", "cross"],
        num_attention_heads=2,
        sinkhorn_iterations=20,
    )
    target = tmp_path_factory.mktemp("superglue")
    transformers.SuperGlueForKeypointMatching(config).save_pretrained(target)
    return target


@pytest.fixture(scope="module")
def pair(folder: Path) -> SuperPair:
    return SuperPair(folder)


def _found(pair: SuperPair, picture: Picture) -> Keypoints:
    [found] = SuperPointExtractor(pair, COUNT).detect([Framed(picture)])
    return found


def test_keypoints_lie_in_their_picture_where_they_may(pair: SuperPair, textured: Draw) -> None:
    on = np.zeros((283, 379), np.bool_)
    on[40:200, 50:300] = True
    [found] = SuperPointExtractor(pair, COUNT).detect([Framed(textured(1)[:283, :379], on)])
    assert 0 < len(found) <= COUNT
    x, y = found.positions.astype(int).T
    assert on[y, x].all()


def test_a_picture_matches_itself_more_surely_than_another(pair: SuperPair, textured: Draw) -> None:
    one, other = (_found(pair, textured(seed)) for seed in (1, 2))
    same, different = SuperGlueMatcher(pair, 0.0).match(one, [one, other])
    assert (same.indices[:, 0] == same.indices[:, 1]).mean() > 0.9
    assert same.confidence.sum() > different.confidence.sum()


def test_padding_matches_nothing(pair: SuperPair, textured: Draw) -> None:
    one, other = (_found(pair, textured(seed)) for seed in (1, 2))
    few = other.where(np.arange(len(other)) < 5)
    for query, candidate in ((one, few), (few, one)):
        [found] = SuperGlueMatcher(pair, 0.0).match(query, [candidate])
        assert (found.indices < [len(query), len(candidate)]).all()


def test_it_goes_through_the_cascade(folder: Path, textured: Draw) -> None:
    networks = build_engine(
        MatcherSettings(
            extractor=SUPERPOINT,
            superglue=str(folder),
            segmenter="none",
            lightglue_threshold=0,
        )
    )
    coat = networks.extractor.extract(textured(1))
    [evidence] = networks.cascade().gather(coat, [coat])
    assert evidence.depth == DEPTH_LIGHTGLUE
    assert evidence.matches > 0
    assert networks.cascade().model.name == "superglue"


def test_a_folder_without_weights_is_refused() -> None:
    chosen = MatcherSettings(extractor=SUPERPOINT, superglue="/nowhere", segmenter="none")
    with pytest.raises(SettingsError, match="RESIGHT_EXTRACTOR_WEIGHTS=/nowhere"):
        build_engine(chosen)


def test_a_deeper_policy_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match="SuperGlue has a fixed depth"):
        build_engine(
            MatcherSettings(
                extractor=SUPERPOINT,
                superglue=str(folder),
                segmenter="none",
                policy="deep",
            )
        )


def test_its_terms_are_confirmed_by_its_name() -> None:
    with pytest.raises(ValueError, match="set superpoint-noncommercial"):
        MatcherSettings(extractor="superpoint")
