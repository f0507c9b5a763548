"""Features → probability that two sightings show one individual.

A calibration is one JSON file: a logistic curve with its thresholds that was
fitted over several species, and one for each species that had enough pairs of
its own. `recognition.calibration` fits and writes it.
"""

from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.registry.evidence import FEATURES
from shared.errors import SettingsError

Probability = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Curve(_Part):
    """One logistic regression over standardised features, and where to cut it.

    Probability = 1 / (1 + exp(-(intercept + Σ coefficients · (x - means) / scales))).
    At or above `known` the first-ranked individual is taken, below `new` none is.
    `dependence` says how much several sightings of one individual add to the best
    of them, see `decision.combined`. `fitted_on`, `pairs` and `queries` say on what.
    """

    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[Annotated[float, Field(gt=0)], ...]
    intercept: float
    known: Probability
    new: Probability
    dependence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    fitted_on: str
    pairs: Annotated[int, Field(ge=0)]
    queries: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("coefficients", "means", "scales"):
            count = len(getattr(self, name))
            if count != len(FEATURES):
                raise ValueError(f"{name} has {count} numbers instead of {len(FEATURES)}")
        if self.new > self.known:
            raise ValueError(f"new ({self.new}) lies above known ({self.known})")
        return self

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each row of features [N, F], float64 [N]."""
        standard = (features - np.array(self.means)) / np.array(self.scales)
        logits = self.intercept + standard @ np.array(self.coefficients)
        # The same as 1 / (1 + exp(-x)), without overflow at either end.
        return np.asarray(0.5 * (1 + np.tanh(logits / 2)))


class Calibration(_Part):
    """The curves of one file."""

    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    features: tuple[str, ...] = FEATURES
    pooled: Curve
    species: dict[str, Curve] = {}

    @model_validator(mode="after")
    def _same_features(self) -> Self:
        if self.features != FEATURES:
            raise ValueError(
                f"fitted on the features {', '.join(self.features)}; "
                f"this version computes {', '.join(FEATURES)}: fit it again"
            )
        return self

    def curve(self, gallery: str) -> Curve:
        """Return the curve for a gallery: its species' own, or the pooled one."""
        return self.species.get(gallery.rpartition("/")[2], self.pooled)

    @property
    def title(self) -> str:
        """Name and version, as a decision quotes them."""
        return f"{self.name} {self.version}"


def load(path: Path) -> Calibration:
    """Return the calibration of a file.

    Raises:
        SettingsError: the file is missing, or not a calibration for these features.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise SettingsError(
            f"no calibration at {path} ({error.strerror}); "
            "RESIGHT_REGISTRY_CALIBRATION names another file"
        ) from error
    try:
        return Calibration.model_validate_json(text)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
            for item in error.errors()
        ]
        raise SettingsError(f"{path} is no calibration: {'; '.join(lines)}") from error
