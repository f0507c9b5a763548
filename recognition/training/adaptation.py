"""A network that learnt from other pictures, adapted to one's own animals in minutes.

The backbone stays as it is; its head is solved for, see `discriminant`. The features of
every picture are computed once, so the numbers on the card, by a head that did not see
the held-out pictures, cost next to nothing.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from recognition import backbones
from recognition.backbones import EmbeddingModel
from recognition.catalogue import Photograph
from recognition.export import export_model
from recognition.training.crops import decode
from recognition.training.discriminant import discriminant
from recognition.training.lesson import AUTO, examination, part
from recognition.training.samples import box_of, digest, individual_of, whole

BACKBONE = "efficientnet_lite0_stages"
_BATCH = 16


@dataclass(frozen=True)
class Adapted:
    """An adapted model, and what is known of it.

    held_out: the split whose queries examined it; `none` if nothing was held out
    r1, r1_before: R-1 of those queries with a head that did not see them, and with the
        untrained head; None if nothing was held out
    """

    model: EmbeddingModel
    photographs: tuple[Photograph, ...]
    digest: str
    held_out: str
    examined: int
    r1: float | None
    r1_before: float | None


def adapt(
    photographs: Sequence[Photograph],
    backbone: str = BACKBONE,
    *,
    weights: str | Path | None = None,
    input_size: int | None = None,
    hold_out: str = AUTO,
    seed: int = 0,
    accept_restricted: bool = False,
    kept: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Adapted:
    """Return a model adapted to all photographs, of one labelled animal each.

    `hold_out` names the split that it is examined by, see `lesson.part`; after
    the exam the held-out pictures are learnt too. `kept` is a folder in which the features
    of every picture stay for the next time. The rest: see `backbones.build`.

    Raises:
        TrainingError, WeightsError: it can't be done so.
    """
    parts = part(photographs, hold_out, seed)
    exam = examination(photographs, parts)
    model = backbones.build(
        backbone, weights, input_size=input_size, accept_restricted=accept_restricted
    )
    features = _features(model, photographs, kept, progress)
    names = np.array([individual_of(each) for each in photographs])
    labels = np.unique(names, return_inverse=True)[1].astype(np.int64)
    r1 = before = None
    if exam is not None:
        before = exam.r1(_embeddings(model, features))
        learnt = list(parts.gallery)
        _place(model, features[learnt], labels[learnt])
        r1 = exam.r1(_embeddings(model, features))
    _place(model, features, labels)
    learnt_from = digest(photographs, whole(photographs, range(len(photographs))))
    return Adapted(
        model, tuple(photographs), learnt_from, parts.name, len(parts.queries), r1, before
    )


def write(adapted: Adapted, folder: Path, card: str) -> Path:
    """Write weights, card, and the ONNX file for the embedder; return the last one's path.

    Raises:
        ParityError: the exported model is not what was solved for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backbones.save(adapted.model, folder / "model.safetensors")
    (folder / "card.md").write_text(card)
    return export_model(adapted.model, folder / "model.onnx")


def _place(model: EmbeddingModel, features: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
    head = discriminant(features, labels)
    model.place_head(torch.from_numpy(head.weight), torch.from_numpy(head.bias))


def _features(
    model: EmbeddingModel,
    photographs: Sequence[Photograph],
    kept: Path | None,
    progress: Callable[[str, int, int], None],
) -> NDArray[np.float32]:
    """Return the features of all, float32 [N, F]; what is in `kept` is not computed."""
    files = [None] * len(photographs) if kept is None else _files(model, photographs, kept)
    found = {number: np.load(file) for number, file in enumerate(files) if file and file.is_file()}
    missing = [number for number in range(len(photographs)) if number not in found]
    with torch.inference_mode():
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            crops = decode([photographs[number] for number in batch], model.input_size)
            computed = model.features(torch.from_numpy(crops.exact)).numpy()
            for number, features in zip(batch, computed, strict=True):
                found[number] = features
                if (file := files[number]) is not None:
                    _keep(features, file)
            progress("features", len(found), len(photographs))
    return np.stack([found[number] for number in range(len(photographs))])


def _files(
    model: EmbeddingModel, photographs: Sequence[Photograph], kept: Path
) -> list[Path | None]:
    """Return a name for each picture's features that changes with pixels, box and network."""
    network = f"{backbones.version(model)} {model.input_size} ".encode()
    names: list[Path | None] = []
    for each in photographs:
        box = box_of(each).SerializeToString(deterministic=True)
        told = sha256(network + box + b" " + each.path.read_bytes()).hexdigest()
        names.append(kept / told[:2] / f"{told[2:]}.npy")
    return names


def _keep(features: NDArray[np.float32], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    with draft.open("wb") as opened:
        np.save(opened, features)
    draft.replace(file)


def _embeddings(model: EmbeddingModel, features: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        embeddings = torch.nn.functional.normalize(model.head(torch.from_numpy(features)), dim=1)
    return np.asarray(embeddings.numpy())
