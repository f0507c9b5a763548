"""Schemas of the API's responses, as in its OpenAPI document."""

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from services.registry.identity.entry import OutcomeName
from services.registry.identity.question import Question
from services.registry.ledger.individual_overview import IndividualOverview, SightingOverview
from services.registry.ledger.overview import GalleryOverview, Status
from shared.messages import Decision, OperationKind

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int = Field(description="Length of the whole list.")
    next: int | None = Field(description="The next `offset`; null: this is the last page.")


class GalleryAnswer(BaseModel):
    """A gallery: one species in one population."""

    name: str = Field(examples=["default/plains-zebra"])
    individuals: int
    sightings: int
    questions: int
    entries: int = Field(description="Entries of the ledger, numbered from 1.")
    calibration: str = Field(description="Calibration: evidence to probabilities.")
    known_from: float = Field(description="From this probability on, a sighting is known.")
    new_below: float = Field(description="Below this probability, a new individual is created.")
    drift: float | None = Field(
        description="Population stability index of the latest sightings against the calibration "
        "data: "
        "above 0.25, calibrate again. null: too few sightings."
    )


class SightingAnswer(BaseModel):
    """One animal in one picture, and its current individual."""

    id: str
    entry: int = Field(description="Number of its decision in the ledger.")
    individual: str = Field(description="Empty: none.")
    identity: str = Field(description="The animal's name in a catalogue; empty: none.")
    outcome: OutcomeName
    probability: float = Field(description="Of the first-ranked individual, at its decision.")
    captured_at: datetime | None
    decided_at: datetime
    deployment: str
    sequence: str
    viewpoint: str
    image: str = Field(description="SHA-256 of the picture, which several animals may share.")
    picture: str | None = Field(description="Path of its crop; null: none.")

    @classmethod
    def of(cls, seen: SightingOverview, gallery: GalleryOverview) -> "SightingAnswer":
        """Return the schema of a sighting."""
        return cls(
            id=seen.id,
            entry=seen.number,
            individual=gallery.belongs(seen.id),
            identity=seen.identity,
            outcome=seen.outcome,
            probability=round(seen.probability, 4),
            captured_at=None if seen.captured_at is None else moment(seen.captured_at),
            decided_at=moment(seen.decided_at),
            deployment=seen.deployment,
            sequence=seen.sequence,
            viewpoint=seen.viewpoint,
            image=seen.image,
            picture=picture(gallery.name, seen),
        )


class IndividualAnswer(BaseModel):
    """An individual, without its sightings."""

    id: str
    name: str = Field(description="Its name; empty: none.")
    status: Status = Field(description="tentative: it may be another one, see the questions.")
    sightings: int
    first_seen: datetime | None = Field(description="null: no picture of it has a time.")
    last_seen: datetime | None
    viewpoints: dict[str, int] = Field(description="Sightings per viewpoint.")
    deployments: dict[str, int] = Field(description="Sightings per camera.")
    cover: str = Field(description="The sighting that represents it.")

    @classmethod
    def of(cls, individual: IndividualOverview, gallery: GalleryOverview) -> "IndividualAnswer":
        """Return the schema of an individual."""
        return cls(
            id=individual.id,
            name=individual.name,
            status=gallery.status(individual.id),
            sightings=len(individual.sightings),
            first_seen=None if individual.first is None else moment(individual.first),
            last_seen=None if individual.last is None else moment(individual.last),
            viewpoints=dict(individual.viewpoints),
            deployments=dict(individual.deployments),
            cover=individual.cover.id,
        )


class QuestionAnswer(BaseModel):
    """Two individuals that may be one, and their two most similar sightings."""

    one: str
    other: str
    sighting_of_one: str
    sighting_of_other: str
    probability: float = Field(description="That they are one animal.")
    pairs: int = Field(description="Pairs of sightings affected by the answer 'same'.")

    @classmethod
    def of(cls, question: Question, gallery: GalleryOverview) -> "QuestionAnswer":
        """Return the schema of a question."""
        one, other = (gallery.individual(name) for name in (question.one, question.other))
        return cls(
            one=question.one,
            other=question.other,
            sighting_of_one=question.sighting_of_one,
            sighting_of_other=question.sighting_of_other,
            probability=round(question.probability, 4),
            pairs=len(one.sightings) * len(other.sightings),
        )


class ChangeAnswer(BaseModel):
    """Sightings moved by an entry."""

    individual: str = Field(description="Previous individual; empty: none.")
    into: str = Field(description="New individual; empty: none.")
    sightings: list[str] = Field(description="None: all of that individual.")


class RankedAnswer(BaseModel):
    """A candidate individual of a decision."""

    individual: str
    probability: float
    sighting: str = Field(description="Its most similar sighting.")
    matches: int = Field(description="Local matches with that sighting.")


class EntryAnswer(BaseModel):
    """One entry of the ledger: a decision or a person's operation."""

    number: int
    actor: str = Field(description="registry, or the name of the person.")
    decided_at: datetime
    kind: str = Field(description="decision, or same, different, merge, tell_apart, …, undo.")
    sightings: list[str]
    individual: str
    outcome: OutcomeName | None
    probability: float | None
    ranked: list[RankedAnswer]
    changes: list[ChangeAnswer]
    reason: str
    undoes: int | None = Field(description="The entry that it undoes.")
    calibration: str

    @classmethod
    def of(cls, decision: Decision, outcome: OutcomeName | None) -> "EntryAnswer":
        """Return the schema of an entry."""
        operation = decision.operation
        spoken = decision.HasField("operation")
        kind = OperationKind.Name(operation.kind).removeprefix("OPERATION_KIND_").lower()
        return cls(
            number=decision.number,
            actor=decision.actor,
            decided_at=moment(decision.decided_at.ToMicroseconds() / 1e6),
            kind=kind if spoken else "decision",
            sightings=list(operation.sightings) if spoken else [decision.sighting_id],
            individual=decision.individual,
            outcome=None if spoken else outcome,
            probability=None if spoken else decision.probability,
            ranked=[
                RankedAnswer(
                    individual=each.individual,
                    probability=round(each.probability, 4),
                    sighting=each.best.candidate.sighting_id,
                    matches=each.best.matches,
                )
                for each in decision.ranked
            ],
            changes=[
                ChangeAnswer(
                    individual=each.individual, into=each.into, sightings=list(each.sightings)
                )
                for each in decision.changes
            ],
            reason=operation.reason,
            undoes=operation.undoes or None,
            calibration=decision.calibration,
        )


class _Said(BaseModel):
    id: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Unique ID of the operation, such as a UUID: repeating it changes nothing.",
    )
    reason: str = Field("", max_length=2000, description="Reason, as free text.")


Sighting = Annotated[str, Field(min_length=1, max_length=200)]


class OfTwo(_Said):
    """Two sightings show one animal, or two."""

    kind: Literal["same", "different"]
    one: Sighting
    other: Sighting


class OfSeveral(_Said):
    """Merge the individuals of several sightings, or record that all of them differ.

    One sighting stands for its individual.
    """

    kind: Literal["merge", "tell_apart"]
    sightings: list[Sighting] = Field(min_length=2, max_length=200)


class Move(_Said):
    """Move sightings of one individual to another, or to a new one."""

    kind: Literal["move"]
    sightings: list[Sighting] = Field(min_length=1, max_length=1000)
    into: str = Field("", max_length=200, description="Empty: a new individual.")


class Confirm(_Said):
    """All sightings of an individual show one animal, different from those it may be."""

    kind: Literal["confirm"]
    individual: str = Field(min_length=1, max_length=200)


class Unidentifiable(_Said):
    """The animal in these sightings cannot be identified."""

    kind: Literal["unidentifiable"]
    sightings: list[Sighting] = Field(min_length=1, max_length=1000)


class Undo(_Said):
    """Undo an earlier entry."""

    kind: Literal["undo"]
    number: int = Field(ge=1, le=2**53, description="Of the entry.")


Saying = Annotated[
    OfTwo | OfSeveral | Move | Confirm | Unidentifiable | Undo, Field(discriminator="kind")
]


def moment(seconds: float) -> datetime:
    """Return a time in JSON's format."""
    return datetime.fromtimestamp(seconds, UTC)


def picture(gallery: str, seen: SightingOverview) -> str | None:
    """Return the path of a sighting's crop, if any."""
    return f"/api/v1/galleries/{gallery}/sightings/{seen.id}/crop" if seen.crop[0] else None
