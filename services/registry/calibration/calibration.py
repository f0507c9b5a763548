"""The calibration file: features → probability, and where to cut it.

One JSON file holds a curve that was fitted over several species, and one for each
species that had enough animals of its own. `recognition.calibration` fits and writes it.
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
from services.registry.features.evidence import FEATURES
from shared.errors import SettingsError
from shared.identifiers import split_gallery
from shared.messages import Matches, ModelReference

Count = Annotated[int, Field(ge=0)]

# What ends the name of a matcher's model that does not compute in full precision.
PRECISIONS = ("-int8", "-half")


class Guarantee(CalibrationModel):
    """What was asked of the thresholds, and what they rest on.

    With probability `confidence` at most the accepted share `false_known` of new animals'
    pictures is called known, and as few of known animals' get a wrong name. `bound` and
    `wrong_bound` are the Clopper–Pearson bounds of the two at the threshold; 0 where
    nothing is called known. Both were counted on one picture of each of `individuals`
    (asked as new) and `known_individuals`, as pictures of one animal are not independent;
    `pictures` says from how many. `species` are theirs: where there is more than one, the
    promise is about all of them together.
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
    """How evidence becomes the probability of an individual, and an outcome.

    `family` gives each piece of evidence its probability. `dependence` says how much
    several sightings of one individual add to the best of them; `temperature` and
    `unknown_logit` set the individuals against each other: see `services.registry.identity.rank`.
    At or above `known` the first-ranked individual is taken, below `new` none is.
    `baseline`: the first-ranked probabilities of the calibration, to notice drift.
    `fitted_on`, `pairs` and `queries` say on what it was fitted.
    """

    renamed_fields = {"nobody": "unknown_logit", "promise": "guarantee"}  # noqa: RUF012

    family: Family
    dependence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    temperature: Annotated[float, Field(gt=0)] = 1.0
    unknown_logit: float = 0.0
    known: Probability
    new: Probability
    guarantee: Guarantee | None = None
    baseline: Histogram | None = None
    fitted_on: str
    pairs: Count
    queries: Count

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.new > self.known:
            raise ValueError(f"new ({self.new}) lies above known ({self.known})")
        return self

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each row of features [N, F], float64 [N]."""
        return self.family.probabilities(features)


class Model(CalibrationModel):
    """A model that made the evidence, and what for."""

    role: Literal["encoder", "extractor", "matcher"]
    name: str
    version: str
    preprocessing: str


class Clustering(CalibrationModel):
    """How sightings are clustered that no threshold decides; see `identity.resolve`.

    It is for all species, those that it has not seen too. `never` are the species that it was
    fitted on and whose evidence is too weak to join anything by: there only a known individual is
    joined, and what is in doubt stays apart.
    """

    affinity: Affinity
    linkage: Linkage
    fitted_on: tuple[str, ...]
    never: tuple[str, ...] = ()


class Calibration(CalibrationModel):
    """The curves of one file, and the models whose evidence they were fitted on.

    Without `models` it is not known which they were, and none is refused. Without `clustering`
    an individual in doubt stays one until a person settles it.
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
                f"fitted on the features {', '.join(features)}; "
                f"this version computes {', '.join(FEATURES)}: fit it again"
            )
        return features

    def curve(self, gallery: str) -> Curve:
        """Return the curve for a gallery: its species' own, or the pooled one."""
        return self.species.get(split_gallery(gallery)[1], self.pooled)

    def clustering_of(self, gallery: str) -> Clustering | None:
        """Return how a gallery's sightings are put together; None: only by who is known."""
        if self.clustering is None or split_gallery(gallery)[1] in self.clustering.never:
            return None
        return self.clustering

    def unseen_models(self, matches: Matches) -> tuple[Model, ...]:
        """Return the models behind the matches that the calibration was not fitted on.

        The precision of a matcher makes no other model here: its evidence stays the same but
        for a few hundredths, as the matcher's tests hold its engines to.
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
    """Return a model without the precision that a matcher computes in."""
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
        # Of other features, nothing else in the file fits.
        errors = [item for item in error.errors() if item["loc"] == ("features",)]
        lines = [
            f"{'.'.join(str(part) for part in item['loc']) or 'file'}: {item['msg']}"
            for item in errors or error.errors()
        ]
        raise SettingsError(f"{path} is no calibration: {'; '.join(lines)}") from error


def _model(role: Literal["encoder", "extractor", "matcher"], made_by: ModelReference) -> Model:
    return Model(
        role=role,
        name=made_by.name,
        version=made_by.version,
        preprocessing=made_by.preprocessing,
    )
