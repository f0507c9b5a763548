"""Fits an evaluation's calibration on its gallery, never on a query."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from recognition.calibration.bound import CalibrationError, RiskLevels, supported
from recognition.calibration.curve import FittedCurve, fit_curve
from recognition.calibration.thresholds import thresholds
from recognition.data.labelled_stream import LabelledSighting
from recognition.evaluation.gallery_session import QueryResult
from services.registry.calibration.calibration import Calibration, Curve
from shared.identifiers import split_gallery

T = TypeVar("T")


# With fewer sightings a species uses the pooled curve.
MIN_SIGHTINGS = 100


def sample(gallery: Sequence[T], most: int, seed: int) -> list[T]:
    """Return a random sample of the gallery's pictures, to be used as queries."""
    drawn = list(gallery)
    random.Random(seed).shuffle(drawn)  # noqa: S311 - an order, no secret
    return drawn[:most]


def fitted(asked: Iterable[QueryResult], false_known: float) -> Calibration:
    """Return the calibration of gallery pictures that were compared with all others.

    `false_known` is the accepted error. If the gallery has too few individuals, the lowest error
    that they support is used instead; the curve's `guarantee` says which.

    Raises:
        CalibrationError: the pictures are insufficient for a curve.
    """
    species: dict[str, list[LabelledSighting]] = defaultdict(list)
    for each in asked:
        species[split_gallery(each.subject.sighting.gallery)[1]].append(each.labelled)
    large = [name for name, sightings in species.items() if len(sightings) >= MIN_SIGHTINGS]
    return Calibration(
        name="gallery",
        version="1",
        models=next((each.models for sightings in species.values() for each in sightings), ()),
        pooled=_curve(species, false_known),
        species={
            name: _curve({name: species[name]}, false_known) for name in large if len(species) > 1
        },
    )


def _curve(species: Mapping[str, Sequence[LabelledSighting]], false_known: float) -> Curve:
    try:
        found = fit_curve(species)
    except CalibrationError as error:
        pictures = sum(map(len, species.values()))
        raise CalibrationError(
            f"no calibration from the gallery's {pictures} pictures of "
            f"{', '.join(sorted(species))}: {error}; use more pictures, with several of each "
            "individual, or an existing calibration with --calibration"
        ) from error
    return _cut(found, false_known)


def _cut(found: FittedCurve, false_known: float) -> Curve:
    new_individuals = {query.individual for query in found.queries if not query.known}
    enrolled = {query.individual for query in found.queries if query.known}
    fewest = min(len(new_individuals), len(enrolled))
    if not fewest:
        return found.curve  # without thresholds everything goes to review
    # Slightly more than the minimum, so that n individuals support it despite rounding.
    least = supported(fewest, RiskLevels.confidence) * (1 + 1e-6)
    accepted = RiskLevels(false_known=max(false_known, least))
    return found.cut(thresholds(found.queries, accepted), {})
