"""List views of a sighting and of an individual."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from shared.messages import BlobReference, Decision, Viewpoint

# Similar sightings kept of each one, and the least probability.
ALIKE, LEAST_ALIKE = 5, 0.01


@dataclass(frozen=True, slots=True)
class SightingOverview:
    """One decided sighting, for lists. Times are seconds since 1970, UTC."""

    id: str
    number: int
    outcome: OutcomeName
    probability: float
    captured_at: float | None
    decided_at: float
    deployment: str
    sequence: str
    viewpoint: str
    image: str
    crop: tuple[str, str, int]
    enrolled: bool
    identity: str
    weighed: bool  # by a person's decision
    # The most similar sightings of other individuals, with probabilities, when it was decided.
    alike: tuple[tuple[str, float], ...] = ()

    @property
    def order(self) -> float:
        """When it was taken, to sort by; if unknown, when it was decided."""
        return self.decided_at if self.captured_at is None else self.captured_at

    @property
    def reference(self) -> BlobReference | None:
        """Reference of its crop, if any."""
        key, digest, size = self.crop
        return BlobReference(key=key, sha256=digest, size=size) if key else None


@dataclass(frozen=True, eq=False)
class IndividualOverview:
    """An individual and its sightings, in the order in which they were taken."""

    id: str
    sightings: Sequence[SightingOverview]

    @cached_property
    def name(self) -> str:
        """Its name; all of them if several were merged; '' for none."""
        return ", ".join(sorted({each.identity for each in self.sightings} - {""}))

    @property
    def title(self) -> str:
        """Its name, else its ID."""
        return self.name or self.id

    def matches(self, text: str) -> bool:
        """Return whether its ID or name contains a text."""
        return text.casefold() in f"{self.id}\n{self.name}".casefold()

    @cached_property
    def times(self) -> Sequence[float]:
        """When its sightings were taken, in order; without those whose time is unknown."""
        return sorted(each.captured_at for each in self.sightings if each.captured_at is not None)

    @property
    def first(self) -> float | None:
        """When it was first seen; None if unknown."""
        return self.times[0] if self.times else None

    @property
    def last(self) -> float | None:
        """When it was last seen; None if unknown."""
        return self.times[-1] if self.times else None

    @cached_property
    def viewpoints(self) -> Mapping[str, int]:
        """Number of sightings per viewpoint."""
        return Counter(each.viewpoint for each in self.sightings)

    @cached_property
    def deployments(self) -> Mapping[str, int]:
        """Number of sightings per camera."""
        return Counter(each.deployment for each in self.sightings)

    @cached_property
    def cover(self) -> SightingOverview:
        """The sighting that represents it: the one with the largest crop."""
        return max(self.sightings, key=lambda each: (each.crop[2], each.id))


def sighting_overview(decision: Decision) -> SightingOverview:
    """Return the list view of a decision about a sighting."""
    captured = decision.captured_at.ToMicroseconds() / 1e6
    crop = decision.crop
    return SightingOverview(
        id=decision.sighting_id,
        number=decision.number,
        outcome=OUTCOME_NAMES.get(decision.outcome, "review"),
        probability=decision.probability,
        captured_at=captured if decision.HasField("captured_at") else None,
        decided_at=decision.decided_at.ToMicroseconds() / 1e6,
        deployment=decision.deployment,
        sequence=decision.sequence,
        viewpoint=viewpoint_word(decision.viewpoint),
        image=decision.image_sha256,
        crop=(crop.key, crop.sha256, crop.size),
        enrolled=bool(decision.enrolment_number),
        identity=decision.identity,
        weighed=bool(decision.ranked) and not decision.incomparable,
        alike=tuple(
            (each.best.candidate.sighting_id, each.probability)
            for each in decision.ranked[:ALIKE]
            if each.probability >= LEAST_ALIKE
        ),
    )


def viewpoint_word(viewpoint: Viewpoint) -> str:
    """Return a viewpoint as a word."""
    word = Viewpoint.Name(viewpoint).removeprefix("VIEWPOINT_").lower()
    return "unknown" if word == "unspecified" else word
