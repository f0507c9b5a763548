"""Allows importing torchvision, timm and transformers with an incompatible PyTorch.

torchvision's Python code refers to two compiled operators, nms and qnms. If its binary does not fit
the installed PyTorch (PyPI's torchvision with a CPU build), they are missing, and the import fails.
Declaring their signatures is enough; the operators themselves, used only by detectors, stay absent.
"""

import importlib
from types import ModuleType

import torch

_SIGNATURES = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}

# A library's declarations end with the object that made them.
_declared: list[torch.library.Library] = []


def import_beside_torchvision(name: str) -> ModuleType:
    """Import a package, with torchvision's operators declared if missing.

    Raises:
        ModuleNotFoundError: it is not installed, or needs torchvision, which is not.
    """
    try:
        importlib.import_module("torchvision")
    except ModuleNotFoundError:
        pass
    except RuntimeError:  # operator torchvision::nms does not exist
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for signature in _SIGNATURES.values():
            library.define(signature)  # type: ignore[no-untyped-call]
        _declared.append(library)
        importlib.import_module("torchvision")
    return importlib.import_module(name)
