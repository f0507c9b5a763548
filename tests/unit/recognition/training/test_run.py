"""A run on tiny pictures with a tiny network: what it writes, and how it goes on."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from catalogue.reading.catalogue import Photograph
from catalogue.reading.photographs import read, single
from recognition.models import backbones
from recognition.models.architectures import BACKBONES, HALF, Backbone
from recognition.training import run
from recognition.training.data.crops import decode
from recognition.training.history import Epoch
from recognition.training.recipe import Recipe, TrainingError
from recognition.training.run import CARD, CURVE, MODEL, WEIGHTS, RunOptions, train
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.preparation import Preparation
from shared.foreground.animal import Animal, finder
from shared.foreground.u2netp import u2netp
from shared.foreground.view import View
from shared.images import codec
from shared.messages import VIEWPOINT_UNSPECIFIED, Box

RECIPE = Recipe(
    backbone="tiny", weights="random", epochs=3, batch=8, loss="softmax", viewpoint_head=True
)
ENCOUNTERS = 3
FIELDS = ("path", "identity", "species", "viewpoint", "sequence", "x", "y", "width", "height")


class _Tiny(nn.Module):
    """Dropout and batch norm make a run depend on everything that a resumed one must restore."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 5, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2)
        )

    def forward(self, image: Tensor) -> Tensor:
        maps: Tensor = self.layers(image)
        return maps.mean((2, 3))


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Backbone(8, 32, HALF, HALF, lambda *_: _Tiny())
    monkeypatch.setitem(cast(dict[str, Backbone], BACKBONES), "tiny", tiny)
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Photograph, ...]:
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = []
    for name in ("ada", "bea", "cal"):
        for side in ("left", "right"):
            coat = rng.integers(0, 256, (12, 16, 3))
            for encounter in range(ENCOUNTERS):
                path = f"{name}-{side}-{encounter}.png"
                grain = rng.normal(0, 12, coat.shape)
                pixels = np.clip(coat + grain, 0, 255).astype(np.uint8)
                Image.fromarray(pixels).resize((64, 48)).save(folder / path)
                sequence = f"{name}-{encounter}"
                rows.append((path, name, "tern", side, sequence, 0.1, 0.1, 0.8, 0.8))
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([FIELDS, *rows])
    return single(read([folder]).photographs)


def test_a_run_writes_a_model_that_the_embedder_loads(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    told: list[Epoch] = []
    result = train(photographs, RECIPE, tmp_path, told=told.append)
    assert [epoch.number for epoch in told] == [0, 1, 2, 3]
    assert told[0].loss is None
    assert all(epoch.r1 is not None for epoch in told)
    encoder = OnnxEncoder(tmp_path / MODEL)
    stored = backbones.build("tiny", tmp_path / WEIGHTS)
    assert encoder.model.version == backbones.version(stored)
    crops = decode(photographs, 32).exact[:4]
    encoding = encoder.encode(crops)
    with torch.inference_mode():
        expected = stored.embed(torch.from_numpy(crops)).numpy()
    assert np.abs(encoding.embeddings - expected).max() < 1e-4
    assert encoding.viewpoints is not None
    text = (result.folder / CARD).read_text()
    assert "| species | tern |" in text
    assert "encounter split" in text
    assert (tmp_path / CURVE).read_bytes().startswith(b"\x89PNG")


def test_a_resumed_run_ends_as_one_that_never_stopped(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    whole = train(photographs, RECIPE, tmp_path / "whole")

    class _PowerCutError(Exception):
        pass

    def cut(epoch: Epoch) -> None:
        if epoch.number == 1:
            raise _PowerCutError

    with pytest.raises(_PowerCutError):
        train(photographs, RECIPE, tmp_path / "cut", told=cut)
    resumed = train(photographs, RECIPE, tmp_path / "cut", RunOptions(resume=True))
    assert [each.loss for each in resumed.history] == [each.loss for each in whole.history]
    # Not only the best epoch's model but all that the last one left is the same.
    name = "checkpoints/epoch-0003/weights.safetensors"
    one, other = load_file(tmp_path / "whole" / name), load_file(tmp_path / "cut" / name)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_worker_processes_change_nothing(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    recipe = replace(RECIPE, epochs=1)
    alone = train(photographs, recipe, tmp_path / "alone")
    together = train(photographs, recipe, tmp_path / "together", RunOptions(workers=1))
    assert alone.history[-1].loss == together.history[-1].loss


def test_a_run_is_neither_overwritten_nor_continued_as_another(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    train(photographs, replace(RECIPE, epochs=1), tmp_path)
    with pytest.raises(TrainingError, match="--resume"):
        train(photographs, replace(RECIPE, epochs=1), tmp_path)
    other = replace(RECIPE, epochs=1, learning_rate=0.01)
    with pytest.raises(TrainingError, match=r"another run: learning_rate 0\.001, now 0\.01"):
        train(photographs, other, tmp_path, RunOptions(resume=True))
    with pytest.raises(TrainingError, match="other pictures or labels"):
        train(photographs[1:], replace(RECIPE, epochs=1), tmp_path, RunOptions(resume=True))


def test_half_a_checkpoint_does_not_count(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    recipe = replace(RECIPE, epochs=1)
    (tmp_path / run.CHECKPOINTS / "epoch-0007.draft").mkdir(parents=True)
    result = train(photographs, recipe, tmp_path, RunOptions(resume=True))
    assert [each.number for each in result.history] == [0, 1]


def test_a_frozen_backbone_stays_as_it_is(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    train(photographs, replace(RECIPE, epochs=1, freeze=1), tmp_path, RunOptions(hold_out="none"))
    began = backbones.build("tiny", backbones.RANDOM).backbone.state_dict()
    stored = backbones.build("tiny", tmp_path / WEIGHTS)
    ended = stored.backbone.state_dict()
    assert all(torch.equal(began[key], ended[key]) for key in began)
    first = backbones.build("tiny", backbones.RANDOM)
    assert not torch.equal(stored.head.weight, first.head.weight)


def test_crops_are_what_the_embedder_would_show_the_model(
    photographs: tuple[Photograph, ...],
) -> None:
    crops = decode(photographs, 32)
    pixels = np.asarray(Image.open(photographs[0].path).convert("RGB"))
    preparation = Preparation(32)
    box = Box(x=0.1, y=0.1, width=0.8, height=0.8)
    expected = preparation.model_input(codec.decode(preparation.crop(pixels, box)))
    assert (crops.exact[0] == expected).all()
    assert crops.roomy.shape[1:] == (37, 37, 3)


class _Left:
    """Sees the animal in the left third of every crop."""

    fingerprint = "left"
    surroundings = True

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        return [
            np.broadcast_to(np.arange(image.shape[1]) < image.shape[1] // 3, image.shape[:2]).copy()
            for image in images
        ]


@pytest.mark.parametrize(("size", "share"), [((600, 300), 1 / 3), ((60, 30), 1.0)])
def test_a_mask_is_stretched_as_its_crop_is_and_a_small_animal_has_none(
    tmp_path: Path, size: tuple[int, int], share: float
) -> None:
    path = tmp_path / "animal.png"
    Image.new("RGB", size).save(path)
    animals = decode([Photograph(path, identities=("ada",))], 80, _Left()).animals
    assert animals is not None
    (mask,) = animals
    assert mask.shape == (92, 92)
    assert mask.mean() == pytest.approx(share, abs=0.01)
    assert mask[:, :30].all()


def test_an_animal_alone_is_what_the_embedder_would_show_the_model(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (300, 600, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "animal.png")
    photograph = Photograph(tmp_path / "animal.png", identities=("ada",))
    crops = decode([photograph], 80, _Left(), alone=True)
    preparation = Preparation(80, finder=finder(_Left()))
    box = Box(x=0, y=0, width=1, height=1)
    animal = Animal.find(_Left(), View.around(pixels, box))
    expected = preparation.model_input(codec.decode(preparation.crop(pixels, box)), animal)
    assert (crops.exact[0] == expected).all()
    assert (expected != decode([photograph], 80).exact[0]).any()
    assert crops.animals is None


def test_surroundings_are_either_replaced_or_taken_away() -> None:
    with pytest.raises(TrainingError, match="choose one of them"):
        replace(RECIPE, mask=True, alone=True)


def test_a_model_says_what_it_was_trained_on_whatever_it_began_with(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    alone, crops = tmp_path / "alone", tmp_path / "crops"
    train(photographs, replace(RECIPE, alone=True), alone)
    begun = str(alone / "model.safetensors")
    train(photographs, replace(RECIPE, weights=begun), crops)
    for folder, finds in ((alone, finder(u2netp())), (crops, "")):
        stored = backbones.build("tiny", folder / "model.safetensors")
        served = OnnxEncoder(folder / "model.onnx").model.preprocessing
        assert stored.finder == finds
        assert served == Preparation(stored.input_size, finder=finds).fingerprint


def test_a_picture_that_can_t_be_decoded_is_named(tmp_path: Path) -> None:
    path = tmp_path / "torn.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0 torn")
    with pytest.raises(TrainingError, match=r"torn\.jpg can't be used for training"):
        decode([Photograph(path, identities=("ada",))], 32)


def test_a_viewpoint_head_needs_viewpoints(
    photographs: tuple[Photograph, ...], tmp_path: Path
) -> None:
    blind = [replace(each, viewpoint=VIEWPOINT_UNSPECIFIED, animals=()) for each in photographs]
    with pytest.raises(TrainingError, match="no picture has a viewpoint"):
        train(blind, RECIPE, tmp_path)
