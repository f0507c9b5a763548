"""Lets torchvision, and so timm, be imported beside a PyTorch build it was not made for.

torchvision's Python code refers to two compiled operators, nms and qnms. Where
its binary does not fit the installed PyTorch (PyPI's torchvision with a CPU
build), they are not there, and the import fails. Declaring their signatures is
enough to import everything; the operators themselves, which only detectors
need, stay absent.
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


def import_timm() -> ModuleType:
    """Import timm, with torchvision's operators declared where they are missing.

    Raises:
        ModuleNotFoundError: timm or torchvision is not installed.
    """
    try:
        return importlib.import_module("timm")
    except RuntimeError:
        pass  # operator torchvision::nms does not exist
    if not _declared:
        library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for signature in _SIGNATURES.values():
            library.define(signature)  # type: ignore[no-untyped-call]
        _declared.append(library)
    return importlib.import_module("timm")
