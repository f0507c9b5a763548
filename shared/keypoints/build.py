"""Builds the keypoint extractor that the settings choose."""

from collections.abc import Callable
from importlib import import_module

import torch

from shared.errors import SettingsError
from shared.foreground.choice import build_segmenter
from shared.foreground.segmenter import Segmenter
from shared.keypoints.extractors import EXTRACTORS
from shared.keypoints.extractors.crop_extractor import CropExtractor
from shared.keypoints.extractors.local_extractor import ExtractorOptions, LocalExtractor
from shared.keypoints.extractors.torch_segmenter import TorchSegmenter
from shared.keypoints.settings import ExtractorSettings


def build_crop_extractor(settings: ExtractorSettings, threads: int = 1) -> CropExtractor:
    """Return the extractor, with the segmenter for crops that have no mask.

    Raises:
        SettingsError: weights or segmenter are missing or unusable, or the requested GPU is
            missing.
    """
    detector, finder = local_extractor(settings), segmenter(settings, threads)
    return CropExtractor(detector, settings.longest_side, finder)


def local_extractor(settings: ExtractorSettings) -> LocalExtractor:
    """Return the network.

    Raises:
        SettingsError: its weights or the requested GPU are missing.
    """
    module = import_module(f"shared.keypoints.extractors.{EXTRACTORS[settings.extractor]}")
    build: Callable[[str, ExtractorOptions], LocalExtractor] = module.build_extractor
    options = ExtractorOptions(settings.keypoints, chosen_device(settings), settings.superglue)
    return build(settings.extractor, options)


def segmenter(settings: ExtractorSettings, threads: int) -> Segmenter | None:
    """Return the segmenter for crops without a mask, if configured.

    On a GPU only U²-Netp runs there; others stay on the CPU.

    Raises:
        SettingsError: its file is missing or unusable, or the requested GPU is missing.
    """
    device = chosen_device(settings)
    if settings.segmenter == "u2netp" and device != "cpu":
        return TorchSegmenter(device)
    return build_segmenter(settings, threads)


def chosen_device(settings: ExtractorSettings) -> str:
    """Return PyTorch's device, cpu or cuda.

    Raises:
        SettingsError: the requested GPU is missing.
    """
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise SettingsError(
            "RESIGHT_EXTRACTOR_DEVICE=cuda, but PyTorch finds no GPU; install its CUDA build and "
            "the driver, or set auto"
        )
    return "cuda" if there and settings.device != "cpu" else "cpu"
