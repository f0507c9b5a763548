"""Model files by name: a file that is there, or a backbone that is exported when needed."""

from pathlib import Path

from recognition.architectures import BACKBONES
from recognition.export import export
from shared.errors import SettingsError


def model_file(model: str, folder: Path) -> Path:
    """Return the ONNX file of a model: `model` itself if it is a file, else a backbone's.

    A backbone with its published weights is exported into `folder` once.

    Raises:
        SettingsError: it is neither a file nor a backbone.
        WeightsError: the backbone's weights can't be had.
    """
    if Path(model).is_file():
        return Path(model)
    if model not in BACKBONES:
        raise SettingsError(
            f"there is no model file {model}, and no backbone of that name; make the file with "
            f"`resight export` or `resight train`, or name one of {', '.join(BACKBONES)}"
        )
    target = folder / f"{model}.onnx"
    return target if target.is_file() else export(model, target)
