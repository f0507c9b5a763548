"""Adapts a pretrained network to one's own animals in minutes.

The backbone is frozen; its head is solved in closed form, see `discriminant`. The features of every
picture are computed once, so validation with a head trained without the held-out pictures costs
next to nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from catalogue.reading.catalogue import Photograph
from recognition.bootstrap import Interval, bootstrap_difference
from recognition.defaults import ADAPTED_BACKBONE
from recognition.models import backbones
from recognition.models.backbones import EmbeddingModel
from recognition.models.export import export_model
from recognition.training.adaptation.discriminant import discriminant
from recognition.training.data.crops import decode
from recognition.training.data.samples import box_of, digest, individual_of, whole
from recognition.training.data.training_data import AUTO, train_val_split, validation_queries
from recognition.training.data.validation_queries import ValidationQueries
from recognition.training.recipe import TrainingError
from shared.files import replacing
from shared.foreground.animal import finder
from shared.foreground.segmenter import Segmenter
from shared.foreground.u2netp import u2netp

# The whole crop, or the animal alone.
InputView = Literal["crop", "animal"]
INPUT_VIEW_NAMES: tuple[InputView, ...] = get_args(InputView)
_BATCH = 16


@dataclass(frozen=True)
class Adapted:
    """An adapted model, and its validation.

    input_view: the whole crop, or the animal alone
    held_out: the split whose queries validated it; `none` without validation
    r1, r1_before: R-1 of those queries with a head trained without them, and with the untrained
        head; None without validation
    gain: the interval of their difference
    """

    model: EmbeddingModel
    photographs: tuple[Photograph, ...]
    digest: str
    input_view: InputView
    held_out: str
    examined: int
    r1: float | None
    r1_before: float | None
    gain: Interval | None = None

    @property
    def better(self) -> bool:
        """Return whether more held-out pictures are recognised, significantly not fewer."""
        if self.gain is None or self.r1 is None or self.r1_before is None:
            return False
        return self.r1 > self.r1_before and self.gain.low >= 0


def adapt(
    photographs: Sequence[Photograph],
    backbone: str = ADAPTED_BACKBONE,
    *,
    input_view: InputView | None = None,
    weights: str | Path | None = None,
    input_size: int | None = None,
    hold_out: str = AUTO,
    seed: int = 0,
    accept_restricted: bool = False,
    kept: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Adapted:
    """Return a model adapted to all photographs, of one labelled animal each.

    `input_view`: what the model is shown; None: animals alone if that recognises held-out pictures
        better. `hold_out` names the validation split, see `training_data.train_val_split`; after
        validation the held-out pictures are used for training too. `kept` is a folder that caches
        the features of every picture. The rest: see `backbones.build`.

    Raises:
        TrainingError,
        WeightsError: it is impossible.
    """
    parts = train_val_split(photographs, hold_out, seed)
    validation = validation_queries(photographs, parts)
    model = backbones.build(
        backbone, weights, input_size=input_size, accept_restricted=accept_restricted
    )
    names = np.array([individual_of(each) for each in photographs])
    labels = np.unique(names, return_inverse=True)[1].astype(np.int64)
    candidates = [
        _Candidate(input_view, _features(model, photographs, input_view, kept, progress), labels)
        for input_view in ((input_view,) if input_view else INPUT_VIEW_NAMES)
    ]
    best = candidates[0]
    if len(candidates) > 1 and (judge := validation or _any_exam(photographs, seed)) is not None:
        best = max(candidates, key=lambda each: each.r1(model, judge))
    before = after = gain = None
    if validation is not None:
        right_before, right = best.before_and_after(model, validation)
        before, after = float(right_before.mean()), float(right.mean())
        gain = bootstrap_difference(right, right_before, seed) if len(right) > 1 else None
    best.place(model, range(len(photographs)))
    model.finder = _finder(best.input_view)
    learnt_from = digest(photographs, whole(photographs, range(len(photographs))))
    return Adapted(
        model=model,
        photographs=tuple(photographs),
        digest=learnt_from,
        input_view=best.input_view,
        held_out=parts.name,
        examined=len(parts.queries),
        r1=after,
        r1_before=before,
        gain=gain,
    )


def write(adapted: Adapted, folder: Path, card: str) -> Path:
    """Write weights, card, and the ONNX file for the embedder; return the last one's path.

    Raises:
        ParityError: the exported model differs from the solved one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    backbones.save(adapted.model, folder / "model.safetensors")
    (folder / "card.md").write_text(card)
    return export_model(adapted.model, folder / "model.onnx")


@dataclass(frozen=True, eq=False)
class _Candidate:
    """Data of one input view to solve the head from: features [N, F], labels [N]."""

    input_view: InputView
    features: NDArray[np.float32]
    labels: NDArray[np.int64]

    def place(self, model: EmbeddingModel, learnt: Sequence[int]) -> None:
        """Give the model the head solved from the pictures `learnt`."""
        numbers = list(learnt)
        head = discriminant(self.features[numbers], self.labels[numbers])
        model.place_head(torch.from_numpy(head.weight), torch.from_numpy(head.bias))

    def before_and_after(
        self, model: EmbeddingModel, validation: ValidationQueries
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which queries are right with the model's head, and with a new one.

        The new one is trained on the validation gallery.
        """
        before = validation.right(_embeddings(model, self.features))
        self.place(model, validation.gallery.tolist())
        return before, validation.right(_embeddings(model, self.features))

    def r1(self, model: EmbeddingModel, validation: ValidationQueries) -> float:
        """Return the second of them; the model keeps its head."""
        head = model.head
        try:
            return float(self.before_and_after(model, validation)[1].mean())
        finally:
            model.head = head


def _any_exam(photographs: Sequence[Photograph], seed: int) -> ValidationQueries | None:
    """Return a validation to choose the input view if nothing is to be held out."""
    try:
        return validation_queries(photographs, train_val_split(photographs, AUTO, seed))
    except TrainingError:
        return None


def _segmenter(input_view: InputView) -> Segmenter | None:
    return u2netp() if input_view == "animal" else None


def _finder(input_view: InputView) -> str:
    segmenter = _segmenter(input_view)
    return "" if segmenter is None else finder(segmenter)


def _features(
    model: EmbeddingModel,
    photographs: Sequence[Photograph],
    input_view: InputView,
    kept: Path | None,
    progress: Callable[[str, int, int], None],
) -> NDArray[np.float32]:
    """Return the features of all, float32 [N, F]; cached in `kept`."""
    segmenter = _segmenter(input_view)
    files = (
        [None] * len(photographs) if kept is None else _files(model, photographs, input_view, kept)
    )
    found = {number: np.load(file) for number, file in enumerate(files) if file and file.is_file()}
    missing = [number for number in range(len(photographs)) if number not in found]
    with torch.inference_mode():
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            shown = [photographs[number] for number in batch]
            crops = decode(shown, model.input_size, segmenter, alone=True)
            computed = model.features(torch.from_numpy(crops.exact)).numpy()
            for number, features in zip(batch, computed, strict=True):
                found[number] = features
                if (file := files[number]) is not None:
                    _keep(features, file)
            progress(f"{input_view}s", len(found), len(photographs))
    return np.stack([found[number] for number in range(len(photographs))])


def _files(
    model: EmbeddingModel, photographs: Sequence[Photograph], input_view: InputView, kept: Path
) -> list[Path | None]:
    """Return a cache name per picture that changes with pixels, box, mask and network."""
    network = f"{backbones.version(model)} {model.input_size} {_finder(input_view)}".encode()
    names: list[Path | None] = []
    for each in photographs:
        box = box_of(each).SerializeToString(deterministic=True)
        told = sha256(network + box + b" " + each.path.read_bytes()).hexdigest()
        names.append(kept / told[:2] / f"{told[2:]}.npy")
    return names


def _keep(features: NDArray[np.float32], file: Path) -> None:
    with replacing(file) as draft, draft.open("wb") as opened:
        np.save(opened, features)


def _embeddings(model: EmbeddingModel, features: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        embeddings = torch.nn.functional.normalize(model.head(torch.from_numpy(features)), dim=1)
    return np.asarray(embeddings.numpy())
