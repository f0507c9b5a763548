"""A calibration that joins clusters by the mean of plain log-odds, and evidence to match."""

from services.registry.calibration.affinity import PAIR, STEPS, Affinity
from services.registry.calibration.calibration import Clustering
from services.registry.calibration.linkage import LINKS, Linkage
from services.registry.calibration.models import Linear
from shared.messages import Evidence
from tests.support.queries import CURVES, evidence, unsure


def by(names: tuple[str, ...], intercept: float = 0.0, **weights: float) -> Linear:
    """Log-odds that are a weighted sum of the named numbers."""
    return Linear(
        coefficients=tuple(weights.get(name, 0.0) for name in names),
        means=(0.0,) * len(names),
        scales=(1.0,) * len(names),
        intercept=intercept,
    )


# Log-odds of a pair: 50 inliers +5.9, 6 inliers +1.9, none -2. Joined from a mean of 1 on.
CLUSTERING = Clustering(
    affinity=Affinity(
        pair=by(PAIR, -2.0, log_inliers=2.0), against_lists=by(STEPS, 0.0, log_odds=1.0)
    ),
    linkage=Linkage(weights=by(LINKS, 0.0, mean=1.0), join=1.0),
    fitted_on=("made",),
)
CALIBRATION = CURVES.model_copy(update={"clustering": CLUSTERING})


def found(name: str, number: int, kind: str = "other") -> Evidence:
    """Evidence about an enrolled sighting: of the `same` animal, an `other`, or `unsure`.

    Who is unsure is joined; who is `doubtful`, at log-odds of 0.2, is asked about.
    """
    if kind in {"unsure", "doubtful"}:
        made = unsure(name)
        made.inliers = 6 if kind == "unsure" else 2
        made.candidate.enrolment_number = number
        return made
    return evidence(name, same=kind == "same", number=number)
