"""Results of ledger queries: what it knows around a sighting, and why a decision was refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from services.registry.features.comparisons import Comparisons
from services.registry.features.evidence import ScoreStatistics
from services.registry.identity.entry import Entry
from shared.messages import Decision, Sighting

# For a sighting that was compared with nothing.
NOTHING = Comparisons.of([], {})


@dataclass(frozen=True)
class View:
    """What the ledger knows around one sighting.

    entry: its decision, if any
    taken: individuals of the other sightings of its image
    members: individual of every known candidate, by sighting
    candidate_statistics: score statistics of the candidates' own lists, by sighting
    enrolled: number of sightings in the gallery
    splits: number of splits in the gallery
    companions: the other sightings of its encounter with their individuals, in decision order
    epoch: the gallery's
    """

    entry: Entry | None
    taken: frozenset[str]
    members: Mapping[str, str]
    candidate_statistics: Mapping[str, ScoreStatistics]
    enrolled: int = 0
    splits: int = 0
    companions: Mapping[str, str] = field(default_factory=dict)
    epoch: str = ""


@dataclass(frozen=True)
class Recorded:
    """One enrolled sighting in the ledger; it is bound to its `anchors`.

    `same` and `differ` are sightings that a person called the same or another animal, repeated as
    often as said.
    """

    sighting: str
    number: int
    image: str
    comparisons: Comparisons
    anchors: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """An individual's latest sightings, of `count`; `revision` changes with any of them."""

    revision: str
    count: int
    sightings: Sequence[Recorded]


@dataclass(frozen=True)
class Refusal:
    """A stale decision: enrolments after `after`, up to `last`, were not compared.

    `leased`: another sighting has the lease on creating individuals in this gallery.
    """

    after: int
    last: int
    leased: bool


@dataclass(frozen=True)
class Conflict:
    """An individual has changed, or was just recorded elsewhere in the image: read again."""


@dataclass(frozen=True)
class Apart:
    """Two individuals that cannot be merged: an image shows both."""

    one: str
    other: str


def recorded(told: Sequence[bytes]) -> Iterator[Recorded]:
    """Yield sightings from IDs, records and constraints in turn.

    Those without a record are skipped.
    """
    for sighting, record, constraints in zip(told[::3], told[1::3], told[2::3], strict=True):
        if not record:
            continue
        number, image, bound, packed = record.split(b"\n", 3)
        said = constraints.decode().split("\n")[:-1]
        yield Recorded(
            sighting=sighting.decode(),
            number=int(number),
            image=image.decode(),
            comparisons=Comparisons.unpack(packed),
            anchors=tuple(bound.decode().split()),
            same=tuple(line[1:] for line in said if line.startswith("=")),
            differ=tuple(line[1:] for line in said if line.startswith("!")),
        )


def image_of(about: Sighting | Decision) -> str:
    """Return what a sighting shares with other animals' in its image."""
    return about.image_sha256 or about.sighting_id


def encounter_of(query: Sighting) -> str:
    """Return what sightings of one animal in one burst share; '' if unknown.

    A burst is identified by deployment, name and day, if known, because names are reused.
    """
    if not query.sequence or not query.alone:
        return ""
    day = query.captured_at.ToDatetime().date() if query.HasField("captured_at") else ""
    told = f"{query.deployment}\n{query.sequence}\n{day}"
    return sha256(told.encode()).hexdigest()[:32]
