"""The default model, adapted to drawn animals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from catalogue.reading.catalogue import Photograph
from catalogue.reading.photographs import read, single
from recognition.bootstrap import Interval
from recognition.defaults import ADAPTED_BACKBONE
from recognition.evaluation.encoders import adapted_file
from recognition.models import backbones
from recognition.synthetic.dataset import draw
from recognition.training.adaptation import adaptation
from recognition.training.adaptation.adaptation import (
    INPUT_VIEW_NAMES,
    InputView,
    adapt,
    write,
)
from recognition.training.adaptation.card import INPUT_VIEWS, card
from recognition.training.data.crops import decode
from services.embedder.encoders.onnx_encoder import OnnxEncoder

SIDE = 96


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Photograph, ...]:
    folder = tmp_path_factory.mktemp("zebras")
    draw(folder, individuals=6, sightings=5.0, seed=4, species=["drawn zebra"], size=(320, 240))
    return single(read([folder]).photographs)


def test_the_file_that_serves_computes_what_was_solved_for_and_the_card_says_how_good_it_is(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    adapted = adapt(photographs, input_size=SIDE, hold_out="closed")
    assert adapted.r1 is not None
    assert adapted.r1_before is not None
    assert adapted.r1 >= adapted.r1_before
    assert adapted.gain is not None
    assert adapted.gain.low <= adapted.r1 - adapted.r1_before <= adapted.gain.high
    assert adapted.better == (adapted.r1 > adapted.r1_before and adapted.gain.low >= 0)
    worse = replace(adapted, r1=adapted.r1_before, gain=Interval(0.0, 0.0))
    assert not worse.better
    assert not replace(adapted, gain=Interval(-0.1, 0.3)).better
    assert replace(adapted, r1=0.9, r1_before=0.8, gain=Interval(0.0, 0.2)).better
    page = card(adapted)
    assert f"{adapted.r1:.3f} with a head trained without" in page
    assert "Apache-2.0" in page

    served = OnnxEncoder(write(adapted, tmp_path, page))
    pixels = decode(photographs, SIDE).exact
    found = served.encode(pixels).embeddings
    loaded = backbones.build(ADAPTED_BACKBONE, tmp_path / "model.safetensors")
    with torch.inference_mode():
        expected = loaded.embed(torch.from_numpy(pixels)).numpy()
    assert np.abs(found - expected).max() < 1e-4
    assert loaded.input_size == SIDE


def test_without_held_out_pictures_the_card_claims_nothing(
    photographs: tuple[Photograph, ...],
) -> None:
    adapted = adapt(photographs, input_size=SIDE, hold_out="none")
    assert not adapted.better
    page = card(adapted)
    assert "its accuracy is unknown" in page


def test_a_gallery_s_model_is_made_once(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    told: list[int] = []
    made = adapted_file(photographs, tmp_path, lambda _, done, __: told.append(done))
    assert told.count(len(photographs)) == 2  # of crops, and of animals alone
    told.clear()
    assert adapted_file(photographs, tmp_path, lambda _, done, __: told.append(done)) == made
    assert told == []


def test_features_that_were_computed_for_another_gallery_are_not_computed_again(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    told: list[int] = []
    first = adapt(photographs, input_size=SIDE, hold_out="none", kept=tmp_path)
    again = adapt(
        photographs,
        input_size=SIDE,
        hold_out="none",
        kept=tmp_path,
        progress=lambda _, done, __: told.append(done),
    )
    assert told == []
    assert backbones.version(again.model) == backbones.version(first.model)
    fewer = adapt(photographs[:-1], input_size=SIDE, hold_out="none", kept=tmp_path)
    assert backbones.version(fewer.model) != backbones.version(first.model)
    adapt(
        photographs[:2] + photographs[-3:],
        input_size=SIDE + 32,
        hold_out="none",
        kept=tmp_path,
        progress=lambda _, done, __: told.append(done),
    )
    assert told == [5, 5]


def test_animals_are_seen_alone_where_that_recognises_held_out_ones_better(
    photographs: tuple[Photograph, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features that say who it is under one sight, and nothing under the other."""
    names = [each.identities[0] for each in photographs]
    who = np.eye(6, dtype=np.float32)[np.unique(names, return_inverse=True)[1]]
    telling = np.kron(who, np.ones((1, 256), np.float32))
    rng = np.random.default_rng(0)
    for good in INPUT_VIEW_NAMES:

        def features(*given: object, best: InputView = good) -> NDArray[np.float32]:
            noise = rng.normal(size=telling.shape).astype(np.float32)
            return noise * 0.01 + telling if given[2] == best else noise

        monkeypatch.setattr(adaptation, "_features", features)
        for hold_out in ("closed", "none"):
            adapted = adapt(photographs, input_size=SIDE, hold_out=hold_out)
            assert adapted.input_view == good
            assert bool(adapted.model.finder) == (good == "animal")
            if hold_out == "closed":
                assert adapted.r1 == 1
            assert INPUT_VIEWS[good] in card(adapted)
        loaded = backbones.build(
            ADAPTED_BACKBONE, write(adapted, tmp_path, "").with_suffix(".safetensors")
        )
        assert loaded.finder == adapted.model.finder


def test_a_sight_that_is_asked_for_is_not_weighed(
    photographs: tuple[Photograph, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def features(*given: object) -> NDArray[np.float32]:
        asked.append(given[2])
        return np.random.default_rng(0).random((len(photographs), 1536), np.float32)

    monkeypatch.setattr(adaptation, "_features", features)
    assert (
        adapt(photographs, input_view="animal", input_size=SIDE, hold_out="none").input_view
        == "animal"
    )
    assert asked == ["animal"]
