"""Model files by name: a file, a published backbone, or one adapted to a gallery."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from catalogue.reading.catalogue import Photograph
from recognition.defaults import ADAPTED, ADAPTED_BACKBONE
from recognition.models.architectures import BACKBONES
from recognition.models.export import export, export_model
from recognition.training.adaptation.adaptation import InputView, adapt
from recognition.training.adaptation.discriminant import SETTINGS
from recognition.training.data.samples import digest, whole
from recognition.training.data.training_data import NONE
from shared.errors import SettingsError


def model_file(model: str, folder: Path) -> Path:
    """Return the ONNX file of a model: `model` itself if it is a file, else a backbone's.

    A backbone with its published weights is exported into `folder` once.

    Raises:
        SettingsError: it is neither a file nor a backbone.
        WeightsError: the backbone's weights are unavailable.
    """
    if Path(model).is_file():
        return Path(model)
    if model not in BACKBONES:
        raise SettingsError(
            f"there is no model file {model}, and no backbone of that name; make the file with "
            f"`resight export` or `resight train`, or name {ADAPTED} or one of "
            f"{', '.join(BACKBONES)}"
        )
    target = folder / f"{model}.onnx"
    return target if target.is_file() else export(model, target)


def adapted_file(
    learnt: Sequence[Photograph],
    folder: Path,
    progress: Callable[[str, int, int], None],
    input_view: InputView | None = None,
) -> Path:
    """Return the ONNX file of the default model adapted to photographs; made in `folder` once.

    `input_view`: see `recognition.training.adaptation.adaptation.adapt`.

    Raises:
        TrainingError: the photographs are insufficient.
    """
    told = sha256(digest(learnt, whole(learnt, range(len(learnt)))).encode())
    told.update(repr((SETTINGS, input_view)).encode())
    for each in learnt:
        told.update(each.path.read_bytes())
    target = folder / f"{ADAPTED_BACKBONE}-{told.hexdigest()[:12]}.onnx"
    if target.is_file():
        return target
    adapted = adapt(
        learnt, input_view=input_view, hold_out=NONE, kept=folder / "features", progress=progress
    )
    return export_model(adapted.model, target)
