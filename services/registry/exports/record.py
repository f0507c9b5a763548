"""One sighting as exports have it, whatever their format."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.registry.belonging import Belonging
from services.registry.discretion import Cameras
from services.registry.entry import OUTCOME_NAMES, Word
from services.registry.reading import Reading
from shared.messages import BlobReference, Decision, Place, Viewpoint


@dataclass(frozen=True)
class Record:
    """A sighting and whose it is.

    individual: its ID; '' for nobody's
    name: what a catalogue or people call that animal, else its ID
    box: x, y, width, height as fractions of the photograph
    image: SHA-256 of the photograph
    place: as far as whoever exports may know it
    cell: the size in kilometres of the cell whose middle the place is; 0: it is exact
    """

    sighting: str
    individual: str
    name: str
    outcome: Word
    probability: float
    captured_at: datetime | None
    decided_at: datetime
    actor: str
    species: str
    deployment: str
    sequence: str
    viewpoint: str
    box: tuple[float, float, float, float]
    image: str
    crop: BlobReference | None
    place: Place | None
    cell: float

    @property
    def picture(self) -> str:
        """The path of its crop in a bundle; '' where it has none."""
        return f"pictures/{self.sighting}.jpg" if self.crop else ""


def records(ledger: Reading, gallery: str, cameras: Cameras) -> list[Record]:
    """Return all sightings of a gallery in the order of their decisions. May raise Transient."""
    decisions = list(ledger.decisions(gallery, 1, ledger.count(gallery, "entries")))
    belonging = Belonging(decisions)
    seen = [each for each in decisions if not each.HasField("operation")]
    names = _names(belonging, {each.sighting_id: each.identity for each in seen if each.identity})
    places = ledger.places([each.image_sha256 for each in seen])
    found = []
    for each in seen:
        individual = belonging.members.get(each.sighting_id, "")
        place = places.get(each.image_sha256)
        told, cell = cameras.told(each.deployment, place) if place is not None else (None, 0.0)
        found.append(_record(each, individual, names.get(individual, individual), told, cell))
    return found


def _names(belonging: Belonging, identities: Mapping[str, str]) -> dict[str, str]:
    """Return by which of a catalogue's names most sightings of an individual came."""
    told: dict[str, Counter[str]] = {}
    for sighting, identity in identities.items():
        if individual := belonging.members.get(sighting):
            told.setdefault(individual, Counter())[identity] += 1
    return {
        individual: min(counted, key=lambda name: (-counted[name], name))
        for individual, counted in told.items()
    }


def _record(
    decision: Decision, individual: str, name: str, place: Place | None, cell: float
) -> Record:
    box = decision.box
    viewpoint = Viewpoint.Name(decision.viewpoint).removeprefix("VIEWPOINT_").lower()
    return Record(
        sighting=decision.sighting_id,
        individual=individual,
        name=name,
        outcome=OUTCOME_NAMES.get(decision.outcome, "review"),
        probability=round(decision.probability, 4),
        captured_at=decision.captured_at.ToDatetime(tzinfo=UTC)
        if decision.HasField("captured_at")
        else None,
        decided_at=decision.decided_at.ToDatetime(tzinfo=UTC),
        actor=decision.actor,
        species=decision.species,
        deployment=decision.deployment,
        sequence=decision.sequence,
        viewpoint="" if viewpoint == "unspecified" else viewpoint,
        box=(box.x, box.y, box.width, box.height) if decision.HasField("box") else (0, 0, 1, 1),
        image=decision.image_sha256,
        crop=decision.crop if decision.HasField("crop") else None,
        place=place,
        cell=cell,
    )


def identified(found: Sequence[Record]) -> list[Record]:
    """Return the records that are somebody's."""
    return [each for each in found if each.individual]
