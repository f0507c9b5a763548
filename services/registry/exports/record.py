"""The record of one sighting for all export formats."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from services.registry.ledger.reader import LedgerReader
from services.registry.locations.masking import Cameras
from shared.identifiers import WHOLE_PICTURE
from shared.messages import Decision, Place, Viewpoint


class Where(NamedTuple):
    """Coordinates in degrees, WGS 84."""

    latitude: float
    longitude: float


class Crop(NamedTuple):
    """Reference of a stored crop."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Record:
    """A sighting and its individual.

    individual: its ID; '' for none
    name: its name, else its ID
    box: x, y, width, height as fractions of the photograph
    image: SHA-256 of the photograph
    place: location, as exact as the exporter may see
    cell: size in km of the grid cell whose centre the place is; 0: exact
    """

    sighting: str
    individual: str
    name: str
    outcome: OutcomeName
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
    crop: Crop | None
    place: Where | None
    cell: float

    @property
    def picture(self) -> str:
        """The path of its crop in a bundle; '' if none."""
        return f"pictures/{self.sighting}.jpg" if self.crop else ""


# All sightings of a gallery; a format may iterate several times.
Records = Iterable[Record]


def records(ledger: LedgerReader, gallery: str, cameras: Cameras) -> Iterator[Record]:
    """Yield all sightings of a gallery in decision order. May raise Transient.

    Only some of them are in memory at a time.
    """
    last, names = ledger.count(gallery, "entries"), _names(ledger, gallery)
    for decisions in ledger.chunks(gallery, 1, last):
        seen = [each for each in decisions if not each.HasField("operation")]
        owners = ledger.belongs(gallery, [each.sighting_id for each in seen])
        places = ledger.places([each.image_sha256 for each in seen])
        for each in seen:
            individual = owners.get(each.sighting_id, "")
            place = places.get(each.image_sha256)
            told, cell = cameras.told(each.deployment, place) if place is not None else (None, 0.0)
            yield _record(each, individual, names.get(individual, individual), told, cell)


def _names(ledger: LedgerReader, gallery: str) -> dict[str, str]:
    """Return the most frequent name of each individual."""
    labels = ledger.labels(gallery)
    owners = ledger.belongs(gallery, [*labels.values()])
    told: dict[str, Counter[str]] = {}
    for identity, sighting in labels.items():
        if individual := owners.get(sighting):
            told.setdefault(individual, Counter())[identity] = 0
    if any(len(names) > 1 for names in told.values()):
        _count(ledger, gallery, told)
    return {
        individual: min(counted, key=lambda name: (-counted[name], name))
        for individual, counted in told.items()
    }


def _count(ledger: LedgerReader, gallery: str, told: Mapping[str, Counter[str]]) -> None:
    """Count the sightings of each name, for individuals with several."""
    for decisions in ledger.chunks(gallery, 1, ledger.count(gallery, "entries")):
        named = {each.sighting_id: each.identity for each in decisions if each.identity}
        for sighting, individual in ledger.belongs(gallery, [*named]).items():
            if individual in told:
                told[individual][named[sighting]] += 1


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
        box=(box.x, box.y, box.width, box.height) if decision.HasField("box") else WHOLE_PICTURE,
        image=decision.image_sha256,
        crop=Crop(decision.crop.key, decision.crop.sha256, decision.crop.size)
        if decision.HasField("crop")
        else None,
        place=Where(place.latitude, place.longitude) if place else None,
        cell=cell,
    )
