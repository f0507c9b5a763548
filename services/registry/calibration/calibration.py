"""The calibration file: features to probabilities, and thresholds.

One JSON file holds a curve pooled over several species, and one for each species with enough
individuals. `recognition.calibration` fits and writes it.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator, model_validator

from services.registry.calibration.affinity import Affinity
from services.registry.calibration.drift import Histogram
from services.registry.calibration.linkage import Linkage
from services.registry.calibration.models import (
    CalibrationModel,
    Family,
    OpenUnitInterval,
    Probability,
)
from services.registry.features.evidence import ESSENTIAL, FEATURES, essentials
from shared.errors import SettingsError
from shared.identifiers import split_gallery
from shared.messages import Evidence, Matches, ModelReference

Count = Annotated[int, Field(ge=0)]

# Suffixes of matcher models that do not compute in full precision.
PRECISIONS = ("-int8", "-half")


class Guarantee(CalibrationModel):
    """The error rates required of the thresholds, and their basis.

    With probability `confidence`, at most the share `false_known` of new animals' pictures is
    called known, and at most that share of known animals' pictures gets a wrong name. `bound` and
    `wrong_bound` are the Clopper–Pearson bounds of both at the threshold; 0 if nothing is called
    known. Each was counted on one picture of each of `individuals` (queried as new) and
    `known_individuals`, because pictures of one animal are not independent, drawn from `pictures`.
    `species` are theirs; the guarantee covers several only together.
    """

    false_known: OpenUnitInterval
    false_new: Probability
    confidence: OpenUnitInterval
    bound: Probability
    wrong_bound: Probability
    individuals: Count
    known_individuals: Count
    pictures: Count
    species: tuple[str, ...]


class Curve(CalibrationModel):
    """Turns evidence into the probability of an individual, and an outcome.

    `family` gives each piece of evidence its probability. `dependence` says how much several
    sightings of one individual add to the best of them; `temperature` and `unknown_logit` normalise
    over individuals: see `services.registry.identity.rank`. From `known` on, the first-ranked
    individual is named, if none of its `ESSENTIAL` features is below `floors` (None: any); below
    `new` a new one is created.
    `baseline`: first-ranked probabilities of the calibration data, to detect drift. `fitted_on`,
        `pairs` and `queries` describe that data.
    """

    renamed_fields = {"nobody": "unknown_logit", "promise": "guarantee"}  # noqa: RUF012

    family: Family
    dependence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    temperature: Annotated[float, Field(gt=0)] = 1.0
    unknown_logit: float = 0.0
    known: Probability
    new: Probability
    floors: tuple[float, ...] | None = None
    guarantee: Guarantee | None = None
    baseline: Histogram | None = None
    fitted_on: str
    pairs: Count
    queries: Count

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.new > self.known:
            raise ValueError(f"new ({self.new}) exceeds known ({self.known})")
        if self.floors is not None and len(self.floors) != len(ESSENTIAL):
            raise ValueError(f"floors has {len(self.floors)} numbers instead of {len(ESSENTIAL)}")
        return self

    def typical(self, evidence: Evidence) -> bool:
        """Return whether evidence is as strong in itself as that of right calls.

        Standing out of a list is not enough: where no picture of an animal is there, or a species
        shows little, something always stands out.
        """
        if self.floors is None:
            return True
        pairs = zip(essentials(evidence), self.floors, strict=True)
        return all(value >= floor for value, floor in pairs)

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each row of features [N, F], float64 [N]."""
        return self.family.probabilities(features)


class Model(CalibrationModel):
    """A model that made the evidence, and its role."""

    role: Literal["encoder", "extractor", "matcher"]
    name: str
    version: str
    preprocessing: str


class Clustering(CalibrationModel):
    """How sightings below the thresholds are clustered; see `identity.resolve`.

    It applies to all species, including unseen ones. `never` are species of the calibration data
    whose evidence is too weak for clustering: there a sighting only joins a known individual.
    """

    affinity: Affinity
    linkage: Linkage
    fitted_on: tuple[str, ...]
    never: tuple[str, ...] = ()


class Calibration(CalibrationModel):
    """The curves of one file, and the models whose evidence they were fitted on.

    Without `models` these are unknown, and all are accepted. Without `clustering` undecided
    individuals stay separate until a person decides.
    """

    name: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    features: tuple[str, ...] = FEATURES
    models: tuple[Model, ...] = ()
    pooled: Curve
    species: dict[str, Curve] = Field(default_factory=dict)
    clustering: Clustering | None = None

    @field_validator("features")
    @classmethod
    def _same_features(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        if features != FEATURES:
            raise ValueError(
                f"fitted on the features {', '.join(features)}; this version computes "
                f"{', '.join(FEATURES)}: calibrate again"
            )
        return features

    def curve(self, gallery: str) -> Curve:
        """Return the curve for a gallery: its species', or the pooled one."""
        return self.species.get(split_gallery(gallery)[1], self.pooled)

    def clustering_of(self, gallery: str) -> Clustering | None:
        """Return the clustering for a gallery; None: only join known individuals."""
        if self.clustering is None or split_gallery(gallery)[1] in self.clustering.never:
            return None
        return self.clustering

    def unseen_models(self, matches: Matches) -> tuple[Model, ...]:
        """Return the models behind the matches that the calibration was not fitted on.

        The matcher's precision does not matter: the matcher's tests ensure that evidence differs by
        a few hundredths only.
        """
        if not self.models:
            return ()
        known = {_in_full(model) for model in self.models}
        return tuple(model for model in models_of(matches) if _in_full(model) not in known)

    @property
    def title(self) -> str:
        """Name and version, as a decision quotes them."""
        return f"{self.name} {self.version}"


def _in_full(model: Model) -> Model:
    """Return a model without the suffix for the matcher's precision."""
    if model.role != "matcher":
        return model
    name = model.preprocessing
    for precision in PRECISIONS:
        name = name.removesuffix(precision)
    return model.model_copy(update={"preprocessing": name})


def models_of(matches: Matches) -> tuple[Model, ...]:
    """Return the models that made a query's evidence."""
    return (
        _model("encoder", matches.query.embedding.model),
        _model("extractor", matches.extractor),
        _model("matcher", matches.matcher),
    )


def load(path: Path) -> Calibration:
    """Load a calibration file.

    Raises:
        SettingsError: the file is missing, or not a calibration for these features.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise SettingsError(
            f"no calibration at {path} ({error.strerror}); set RESIGHT_REGISTRY_CALIBRATION to "
            "another file"
        ) from error
    try:
        return Calibration.model_validate_json(text)
    except ValidationError as error:
        # With other features, the rest of the file is invalid too.
        errors = [item for item in error.errors() if item["loc"] == ("features",)]
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
            for item in errors or error.errors()
        ]
        raise SettingsError(f"{path} is not a calibration: {'; '.join(lines)}") from error


def _model(role: Literal["encoder", "extractor", "matcher"], made_by: ModelReference) -> Model:
    return Model(
        role=role,
        name=made_by.name,
        version=made_by.version,
        preprocessing=made_by.preprocessing,
    )
