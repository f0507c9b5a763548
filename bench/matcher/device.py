"""LightGlue, ALIKED and U²-Netp on one device, against its limit and the published loop.

    python -m bench.matcher.device --device cuda --json FILE

Pictures are generated, so any machine has them: random blots, each seen twice. The published loop
is LightGlue pair by pair in PyTorch, adaptive in depth and width as in its README, on the same
keypoints. The limit is the device's own product of large matrices.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.matcher.published import PublishedLightGlue
from services.matcher.pair_matchers.batched_lightglue import BatchedLightGlue
from services.matcher.pair_matchers.lightglue import VARIANTS
from shared.foreground.u2netp import u2netp
from shared.keypoints.extractors.aliked import AlikedExtractor
from shared.keypoints.extractors.local_extractor import Framed
from shared.keypoints.extractors.torch_segmenter import TorchSegmenter
from shared.keypoints.keypoints import Keypoints

VARIANT = VARIANTS["aliked-n16"]
WIDTH = 256  # of a token, in values
SIDE = 1024
THRESHOLD = 0.5
BATCHES = (1, 4, 16, 64, 128)
CANDIDATES = 100
LENGTHS = (512, 1024)
DEPTHS = (9, 3)


@dataclass(frozen=True)
class Clock:
    """Measures wall time, waiting for the GPU."""

    device: str
    seconds: float

    def median(self, work: Callable[[], Any]) -> float:
        """Return the median of as many runs as fit, at least three, after two to warm up."""
        for _ in range(2):
            work()
        runs: list[float] = []
        while len(runs) < 3 or sum(runs) < self.seconds:
            self._wait()
            begun = time.perf_counter()
            work()
            self._wait()
            runs.append(time.perf_counter() - begun)
        return statistics.median(runs)

    def _wait(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize()


def flops(length: int, layers: int) -> float:
    """Return the operations of one pair: 19 products of a token with a matrix of D x D in each
    layer and picture, four products of K x K x D, and the assignment.
    """
    tokens = 2 * length
    dense = 2 * 19 * tokens * WIDTH**2
    attention = 2 * 4 * tokens * length * WIDTH
    return layers * (dense + attention) + 2 * (tokens * WIDTH**2 + length**2 * WIDTH)


def coat(seed: int) -> NDArray[np.uint8]:
    """Return random blots, RGB uint8 [768, 1024, 3]."""
    rng = np.random.default_rng(seed)
    blots = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    large = cv2.resize(blots, (SIDE, SIDE * 3 // 4), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.uint8)


def again(picture: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """Return the same coat rotated and enlarged."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 5 + seed % 9, 1.1)
    return np.asarray(cv2.warpAffine(picture, turn, (width, height)), dtype=np.uint8)


def agreement(one: Sequence[Any], other: Sequence[Any]) -> float:
    """Return the mean IoU of two engines' sets of matches, over pairs that have some."""
    shares = []
    for left, right in zip(one, other, strict=True):
        mine, theirs = ({tuple(row) for row in each.indices.tolist()} for each in (left, right))
        if mine | theirs:
            shares.append(len(mine & theirs) / len(mine | theirs))
    return float(np.mean(shares))


def limit(device: str, kind: torch.dtype, clock: Clock) -> float:
    """Return the operations per second of a product of large matrices."""
    side = 8192 if device != "cpu" else 1024
    one, other = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    return 2 * side**3 / clock.median(lambda: one @ other)


def pictures(length: int, device: str, count: int) -> list[Keypoints]:
    """Return keypoints of coats, `length` each, the second half showing the first half again."""
    coats = [coat(seed) for seed in range(count // 2)]
    shown = coats + [again(each, seed) for seed, each in enumerate(coats)]
    found = AlikedExtractor("aliked-n16", length, device).detect([Framed(each) for each in shown])
    short = [len(each) for each in found if len(each) < length]
    if short:
        raise SystemExit(f"pictures with {short} keypoints instead of {length}")
    return found


def matching(length: int, device: str, clock: Clock) -> list[dict[str, Any]]:
    """Time engines and batches on keypoints of one length."""
    found = pictures(length, device, 16)
    query, several = found[8], (found * 20)[:128]
    loop = PublishedLightGlue(VARIANT, adaptive=True, device=device)
    seconds = clock.median(partial(loop.match, query, found)) / len(found)
    rows = [
        {"keypoints": length, "layers": 9, "engine": "published", "batch": 1, "pairs": 1 / seconds}
    ]
    for layers in DEPTHS:
        exact = PublishedLightGlue(VARIANT, layers, THRESHOLD).match(query, found)
        for half in (False, True) if device != "cpu" else (False,):
            kind = torch.float16 if half else torch.float32
            engine = BatchedLightGlue(VARIANT, layers, THRESHOLD, device=device, half=half)
            share = agreement(engine.match(query, found), exact)
            most = limit(device, kind, clock) / flops(length, layers)
            name = "half" if half else "full"
            for batch in BATCHES if device != "cpu" else BATCHES[:2]:
                pairs = engine.padded(query, several[:batch])

                def on_device(engine: BatchedLightGlue = engine, pairs: Any = pairs) -> None:
                    with torch.inference_mode():
                        engine.assigned(pairs)

                rate = batch / clock.median(on_device)
                rows.append(
                    {
                        "keypoints": length,
                        "layers": layers,
                        "engine": name,
                        "batch": batch,
                        "pairs": rate,
                        "of_limit": rate / most,
                        "iou": share,
                    }
                )
            several_engines = {name: engine}
            if half:
                several_engines["half, compiled"] = BatchedLightGlue(
                    VARIANT, layers, THRESHOLD, device=device, half=True, compiled=length
                )
            for called, whole in several_engines.items():
                # As in service: from memory, and of differing lengths.
                shortlist = [_fewer(each, i) for i, each in enumerate(several[:CANDIDATES])]
                shortlist = shortlist if device != "cpu" else shortlist[:4]
                rate = len(shortlist) / clock.median(partial(whole.match, query, shortlist))
                rows.append(
                    {
                        "keypoints": length,
                        "layers": layers,
                        "engine": f"{called}, in service",
                        "batch": len(shortlist),
                        "pairs": rate,
                        "of_limit": rate / most,
                    }
                )
    return rows


def _fewer(keypoints: Keypoints, seed: int) -> Keypoints:
    """Return 60 to 100 % of the keypoints."""
    count = int(len(keypoints) * (0.6 + 0.4 * (seed % 7) / 6))
    return keypoints.where(np.arange(len(keypoints)) < count)


def extracting(device: str, clock: Clock) -> list[dict[str, Any]]:
    """Time ALIKED on pictures of 384 pixels, 256 keypoints."""
    coats = [coat(seed)[:288, :384] for seed in range(64 if device != "cpu" else 4)]
    shown = [Framed(each) for each in coats]
    rows = []
    for together in (1, 8, 32, 64) if device != "cpu" else (1,):
        detector = AlikedExtractor("aliked-n16", 256, device, together)
        rate = len(shown) / clock.median(partial(detector.detect, shown))
        rows.append({"together": together, "pictures": rate})
    return rows


def segmenting(device: str, clock: Clock) -> list[dict[str, Any]]:
    """Time U²-Netp on pictures of 384 pixels: one at a time by ONNX Runtime, and in batches."""
    coats = [coat(seed)[:288, :384] for seed in range(64 if device != "cpu" else 4)]
    one_by_one, batches = u2netp(), TorchSegmenter(device)
    return [
        {"engine": name, "pictures": len(coats) / clock.median(partial(each.masks, coats))}
        for name, each in (("ONNX Runtime, a core", one_by_one), (f"PyTorch, {device}", batches))
    ]


def main() -> None:
    """Measure, print tables and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    there = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=there, help="cuda or cpu.")
    parser.add_argument("--seconds", type=float, default=1.0, help="For each measurement.")
    parser.add_argument("--json", type=Path, help="Write the numbers here.")
    task = parser.parse_args()
    clock = Clock(task.device, task.seconds)
    name = torch.cuda.get_device_name() if task.device != "cpu" else "CPU"
    found: dict[str, Any] = {
        "device": name,
        "extraction": extracting(task.device, clock),
        "segmentation": segmenting(task.device, clock),
        "matching": [],
    }
    for length in LENGTHS:
        found["matching"] += matching(length, task.device, clock)
        if task.json is not None:
            task.json.write_text(json.dumps(found, indent=2) + "\n")
    console = Console(width=100)
    table = Table(
        "keypoints",
        "layers",
        "engine",
        "batch",
        "pairs/s",
        "of limit",
        "IoU",
        box=SIMPLE,
        title=name,
    )
    for row in found["matching"]:
        told = [f"{row['pairs']:,.0f}"] + [
            f"{row[key]:.3f}" if key in row else "" for key in ("of_limit", "iou")
        ]
        table.add_row(
            str(row["keypoints"]), str(row["layers"]), row["engine"], str(row["batch"]), *told
        )
    console.print(table)
    for row in found["extraction"]:
        console.print(f"extraction, {row['together']} together: {row['pictures']:,.1f} pictures/s")
    for row in found["segmentation"]:
        console.print(f"masks, {row['engine']}: {row['pictures']:,.1f} pictures/s")


if __name__ == "__main__":
    main()
