"""What a calibration guarantees, as JSON for programs and as lines for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from recognition.calibration.file import Calibrated
from services.registry.calibration.calibration import Curve
from services.registry.calibration.linkage import GROWN, YOUNG
from services.registry.features.evidence import ESSENTIAL


def as_json(fitted: Calibrated) -> dict[str, Any]:
    """Return thresholds and guarantees by species, `pooled` among them."""
    calibration = fitted.calibration
    curves = {"pooled": calibration.pooled, **calibration.species}
    found: dict[str, Any] = {
        "name": calibration.title,
        "sightings": calibration.pooled.queries,
        "fitted_on": calibration.pooled.fitted_on,
        "curves": {species: _curve(curve) for species, curve in curves.items()},
        "without_own_guarantee": fitted.shared,
        "clustering": None,
    }
    if clustering := calibration.clustering:
        young, grown = (clustering.linkage.at(count).join for count in (YOUNG, GROWN))
        found["clustering"] = {
            "join_young": young,
            "join": grown,
            "never": list(clustering.never),
        }
    return found


def lines(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that people read."""
    for species, curve in summary["curves"].items():
        yield f"{species}: {_thresholds(curve)}"
    if clustering := summary["clustering"]:
        never = clustering["never"]
        except_for = f"; never for {', '.join(never)}" if never else ""
        yield (
            f"uncertain sightings are joined from log-odds {clustering['join_young']:.2f} in a "
            f"young gallery, {clustering['join']:.2f} later{except_for}"
        )
    for species, reason in summary["without_own_guarantee"].items():
        yield f"{species} has no guarantee of its own: {reason}"


def _curve(curve: Curve) -> dict[str, Any]:
    guarantee = curve.guarantee
    return {
        "known": curve.known,
        "new": curve.new,
        "floors": None if curve.floors is None else dict(zip(ESSENTIAL, curve.floors, strict=True)),
        "guarantee": None
        if guarantee is None
        else {
            "false_known_at_most": guarantee.bound,
            "confidence": guarantee.confidence,
            "individuals": guarantee.individuals,
            "species": list(guarantee.species),
        },
    }


def _thresholds(curve: Mapping[str, Any]) -> str:
    new = f"new below {curve['new']:.3f}"
    if curve["known"] == 1:
        return f"nothing is called known, because the evidence supports no threshold; {new}"
    known = f"known from {curve['known']:.3f}"
    if floors := curve.get("floors"):
        least = " and ".join(f"{name} {value:.2f}" for name, value in floors.items())
        known += f" with at least {least}"
    known += f"; {new}"
    if not (guarantee := curve["guarantee"]):
        return known
    return (
        f"{known}; at most {guarantee['false_known_at_most']:.3f} of new animals are called known "
        f"(confidence {guarantee['confidence']:g}, one picture each of "
        f"{guarantee['individuals']} individuals: {', '.join(guarantee['species'])})"
    )
