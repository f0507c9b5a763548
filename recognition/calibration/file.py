"""Fits the whole file: a pooled curve, and one per species with enough sightings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recognition.calibration.bound import CalibrationError, RiskLevels
from recognition.calibration.curve import FittedCurve, fit_curve
from recognition.calibration.holdout_check import false_known
from recognition.calibration.linkage import fit_linkage
from recognition.calibration.queries import CalibrationQuery
from recognition.calibration.stream import Stream, streams
from recognition.calibration.thresholds import LEVELS, MISTAKEN, new_threshold, thresholds
from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.calibration import Calibration, Clustering, Curve

# With fewer sightings a species has no curve of its own.
MIN_SIGHTINGS = 100


@dataclass(frozen=True)
class Calibrated:
    """The file's content, the queries behind each guarantee, and why a species shares one.

    `queries` has those of "pooled" and of every species with its own guarantee.
    """

    calibration: Calibration
    queries: dict[str, tuple[CalibrationQuery, ...]]
    shared: dict[str, str]
    risk_levels: RiskLevels


def calibrate(
    seen: Mapping[str, Sequence[LabelledSighting]],
    risk_levels: RiskLevels,
    name: str,
    version: str,
    sets: Mapping[str, str] | None = None,
) -> Calibrated:
    """Fit a calibration to sightings in their order, by species.

    A species with enough sightings has its own curve. If its animals are too few for its own
    guarantee, it shares the threshold for known with all species, each judged by its own curve; if
    its own pictures contradict that, a higher one, or nothing of it is called known. A species
    without a curve uses the pooled one, whose guarantee covers unseen species: each data set is
    judged by a curve of the others. `sets` names that of each species; without it, each species is
    one. The linkage is learned from all sets together.

    Raises:
        CalibrationError: there are too few animals, no pair of pictures of one individual, or
            sightings of different models.
    """
    models = {labelled.models for sightings in seen.values() for labelled in sightings}
    if len(models) > 1:
        raise CalibrationError(
            "the pictures were compared by different models; calibrate them separately"
        )
    sets = sets or {species: species for species in seen}
    pooled = fit_curve(seen, sets)
    own: dict[str, FittedCurve] = {}
    sharing: dict[str, str] = {}
    for species, sightings in seen.items():
        if len(sightings) >= MIN_SIGHTINGS:
            try:
                own[species] = pooled if len(seen) == 1 else fit_curve({species: sightings})
            except CalibrationError as error:
                sharing[species] = str(error)
    together = [query for query in pooled.queries if query.species not in own]
    together += [query for fit in own.values() for query in fit.queries]
    shared = thresholds(together, risk_levels)

    queries = {"pooled": pooled.queries}
    curves: dict[str, Curve] = {}
    for species, fit in own.items():
        try:
            at = thresholds(fit.queries, risk_levels)
            queries[species] = fit.queries
        except CalibrationError as error:
            sharing[species] = str(error)
            known = _raised(shared.known, fit.queries, risk_levels)
            new = new_threshold(fit.queries, known, risk_levels)
            at = replace(shared, known=known, new=new)
        curves[species] = fit.cut(at, sets)
    calibration = Calibration(
        name=name,
        version=version,
        models=models.pop(),
        pooled=pooled.cut(thresholds(pooled.queries, risk_levels), sets),
        species=curves,
        clustering=_clustering(seen, sets),
    )
    return Calibrated(calibration, queries, sharing, risk_levels)


def write(calibration: Calibration, path: Path) -> None:
    """Write a calibration as the file that the registry loads."""
    path.write_text(calibration.model_dump_json(indent=2) + "\n")


def _clustering(
    seen: Mapping[str, Sequence[LabelledSighting]], sets: Mapping[str, str]
) -> Clustering:
    """Learn clustering from the streams of each set."""
    taught: dict[str, list[Stream]] = {}
    for species, sightings in seen.items():
        taught.setdefault(sets[species], []).extend(streams(sightings))
    found = fit_linkage(taught)
    return Clustering(
        affinity=found.affinity,
        linkage=found.linkage,
        fitted_on=tuple(sorted(seen)),
        never=tuple(sorted(species for species in seen if sets[species] in found.silent)),
    )


def _raised(shared: float, queries: Sequence[CalibrationQuery], risk_levels: RiskLevels) -> float:
    """Return the lowest threshold, from the shared one up, that a species' own queries support.

    Fewer animals are called known above a higher threshold, so the guarantee holds. 1 if none is
    supported.
    """
    for level in (shared, *LEVELS[shared < LEVELS][::-1]):
        called = [query for query in queries if query.probability >= level]
        wrong = sum(not query.right for query in called)
        if wrong == len(called):
            break
        if wrong <= MISTAKEN * len(called) and (
            false_known(queries, level) <= risk_levels.false_known
        ):
            return float(level)
    return 1.0
