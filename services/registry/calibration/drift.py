"""Drift: whether evidence in service still resembles the calibration data.

The population stability index compares two histograms of the first-ranked individual's probability:
Σ (s - b) · ln(s / b) over the bins, with b the calibration's share in a bin and s the share in
service (Siddiqi, Credit Risk Scorecards, 2006). Below 0.1 is stable; above 0.25 the calibration
should be fitted again. It also rises when the share of new animals is far larger than in the
calibration, or the gallery has grown many times; then the guarantee is outdated too.
"""

import logging
from collections import deque
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import model_validator

from services.registry import metrics
from services.registry.calibration.models import CalibrationModel, Probability

# Queries needed before a gallery's index is reported: by chance alone it is about (bins - 1) /
# queries, which should be well below 0.1.
MIN_SIGHTINGS = 200
FIT_AGAIN = 0.25

# Count of an empty bin, in queries: a share of zero would make the index infinite.
SMOOTHING = 0.5

log = logging.getLogger(__name__)


class Histogram(CalibrationModel):
    """Shares of probabilities between edges; one bin more than edges."""

    edges: tuple[Probability, ...]
    shares: tuple[Probability, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges have {len(self.shares)} shares")
        if (np.diff(self.edges) <= 0).any():
            raise ValueError("edges must rise")
        if abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError(f"shares add up to {sum(self.shares):.3f} instead of 1")
        return self

    @classmethod
    def of(cls, probabilities: ArrayLike, edges: ArrayLike) -> Self:
        """Return the histogram of probabilities [N]; bins include their lower edge."""
        cuts = np.asarray(edges, dtype=np.float64)
        bins = np.searchsorted(cuts, np.asarray(probabilities), side="right")
        counts = np.bincount(bins, minlength=len(cuts) + 1) + SMOOTHING
        return cls(edges=tuple(cuts.tolist()), shares=tuple((counts / counts.sum()).tolist()))


def stability(baseline: Histogram, service: Histogram) -> float:
    """Return the population stability index of two histograms with the same edges."""
    before, now = np.array(baseline.shares), np.array(service.shares)
    return float(np.sum((now - before) * np.log(now / before)))


def drift(probabilities: Sequence[float], baseline: Histogram, window: int) -> float | None:
    """Return the index of the latest probabilities; None if too few."""
    seen = probabilities[-window:]
    if len(seen) < min(MIN_SIGHTINGS, window):
        return None
    return stability(baseline, Histogram.of(seen, baseline.edges))


class DriftWatch:
    """Latest probabilities of each gallery.

    The highest index is a metric, the log names its gallery.

    `window` is how many count. Every replica of the registry watches its own decisions.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._seen: dict[str, deque[float]] = {}
        self._indices: dict[str, float] = {}
        self._warned: set[str] = set()

    def saw(self, gallery: str, probability: float, baseline: Histogram) -> None:
        """Add a query's first-ranked probability to its gallery's window."""
        seen = self._seen.setdefault(gallery, deque(maxlen=self._window))
        seen.append(probability)
        index = drift(list(seen), baseline, self._window)
        if index is None:
            return
        self._indices[gallery] = index
        metrics.DRIFT.set(max(self._indices.values()))
        if index > FIT_AGAIN and gallery not in self._warned:
            self._warned.add(gallery)
            log.warning(
                "the evidence in gallery %s has drifted from the calibration data (stability "
                "index %.2f over %d sightings); fit it again with `resight calibrate`",
                gallery,
                index,
                len(seen),
            )
