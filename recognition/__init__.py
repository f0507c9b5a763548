"""Offline recognition: data sets, models, calibration, evaluation, with the services' own code.

    from recognition import calibrate, evaluate

Both are imported on first use, because PyTorch takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recognition.calibration.bound import RiskLevels
    from recognition.calibration.data_sets import CalibrationOptions, calibrate
    from recognition.evaluation.data_set import EvaluationOptions, evaluate

_PUBLIC = {
    "CalibrationOptions": "recognition.calibration.data_sets",
    "EvaluationOptions": "recognition.evaluation.data_set",
    "RiskLevels": "recognition.calibration.bound",
    "calibrate": "recognition.calibration.data_sets",
    "evaluate": "recognition.evaluation.data_set",
}

__all__ = ["CalibrationOptions", "EvaluationOptions", "RiskLevels", "calibrate", "evaluate"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
