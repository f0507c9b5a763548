"""What the ledger answers: what it knows around a sighting, and why a decision can't be written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from services.registry.features.comparisons import Comparisons
from services.registry.features.evidence import ScoreStatistics
from services.registry.identity.entry import Entry
from shared.messages import Decision, Sighting

# Of a sighting that was compared with nothing.
NOTHING = Comparisons.of([], {})


@dataclass(frozen=True)
class View:
    """What the ledger knows around one sighting.

    entry: its decision, if there is one
    taken: individuals of the other sightings of its image
    members: individual of every candidate that the ledger knows, by sighting
    candidate_statistics: score statistics of the candidates' own lists, by sighting
    enrolled: sightings enrolled in the gallery
    splits: how often individuals of the gallery were split
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
    """One enrolled sighting as the ledger keeps it; with `anchors` it stays together.

    `same` and `differ` are sightings that a person called the same animal, and another one: as
    often as that was said.
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
    """A decision that came too late: enrolments after `after`, up to `last`, were not compared.

    `leased`: another sighting alone may mint in this gallery for now.
    """

    after: int
    last: int
    leased: bool


@dataclass(frozen=True)
class Conflict:
    """An individual is gone or has changed, or was just seen elsewhere in the image: look again."""


@dataclass(frozen=True)
class Apart:
    """Two individuals that can't become one: an image shows both."""

    one: str
    other: str


def recorded(told: Sequence[bytes]) -> Iterator[Recorded]:
    """Yield sightings from IDs, records and bonds in turn; those without a record are left out."""
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
    """Return what a sighting shares with those of other animals in its image."""
    return about.image_sha256 or about.sighting_id


def encounter_of(query: Sighting) -> str:
    """Return what the sightings of one animal in one burst share; '' where that is not known.

    A burst is told by its deployment, its name and, if there is one, its day: names come again.
    """
    if not query.sequence or not query.alone:
        return ""
    day = query.captured_at.ToDatetime().date() if query.HasField("captured_at") else ""
    told = f"{query.deployment}\n{query.sequence}\n{day}"
    return sha256(told.encode()).hexdigest()[:32]
