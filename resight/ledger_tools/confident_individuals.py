"""Confident individuals of a ledger as labelled pictures."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from catalogue.reading.catalogue import Photograph
from resight.connections import MOST_CROP_BYTES, crops_at, ledger_at
from resight.console import CommandError, Share, note
from services.registry.ledger.ledger import Ledger
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.identifiers import split_gallery
from shared.messages import Decision


def confident_photographs(
    ledger_url: str | None, data_dir: Path, folder: Path, share: Share = "all"
) -> list[Photograph]:
    """Return the confident individuals' crops, written to `folder`.

    Of all individuals, or of half of them: by a digest of their IDs, so the halves are stable.

    Raises:
        CommandError: there is none.
    """
    ledger = ledger_at(ledger_url, data_dir)
    found = [
        each
        for each in labelled_crops(ledger, crops_at(data_dir), folder)
        if share in {"all", half(each.identities[0])}
    ]
    if not found:
        raise CommandError(
            "the ledger has no confident individuals: all have open questions, or their crops are "
            "missing; answer `resight individuals questions`"
        )
    note(f"{len(found)} sightings of confident individuals")
    return found


def half(individual: str) -> Share:
    """Return the half of an individual."""
    return "odd" if sha256(individual.encode()).digest()[0] % 2 else "even"


def labelled_crops(ledger: Ledger, crops: BlobStore, folder: Path) -> Iterator[Photograph]:
    """Yield the crops of confident individuals, in decision order.

    Crops are written to `folder`; missing ones are skipped.

    Raises:
        Transient: the ledger or the store does not respond.
    """
    for gallery in ledger.galleries():
        sure = {
            name: who
            for who, names in confident_individuals(ledger, gallery).items()
            for name in names
        }
        for entry in ledger.entries(gallery):
            decision = entry.decision
            if decision.sighting_id not in sure:
                continue
            try:
                crop = crops.get(decision.crop, MOST_CROP_BYTES)
            except Poison:
                continue
            path = folder / f"{decision.sighting_id}.jpg"
            path.write_bytes(crop)
            yield _photograph(decision, sure[decision.sighting_id], path)


def confident_individuals(ledger: Ledger, gallery: str) -> dict[str, list[str]]:
    """Return the confident individuals with their sightings. May raise Transient.

    They are those reviewed by people, and those without serious questions: otherwise two IDs may be
    one animal, and would be learned as two.
    """
    spoken_of = _spoken_of(ledger, gallery)
    doubtful = {
        name
        for question in ledger.questions(gallery)
        if question.serious
        for name in (question.one, question.other)
    }
    return {
        name: sightings
        for name, sightings in ledger.individuals(gallery).items()
        if name not in doubtful or not spoken_of.isdisjoint(sightings)
    }


def _spoken_of(ledger: Ledger, gallery: str) -> set[str]:
    """Return the sightings that a person called the same as another one, without undo."""
    said: Counter[tuple[str, str]] = Counter()
    for entry in ledger.entries(gallery):
        for constraint in entry.decision.operation.constraints:
            if constraint.same:
                said[
                    min(constraint.one, constraint.other), max(constraint.one, constraint.other)
                ] += 1 - 2 * constraint.lifted
    return {name for pair in +said for name in pair}


def _photograph(decision: Decision, individual: str, path: Path) -> Photograph:
    population, species = split_gallery(decision.gallery)
    captured = decision.HasField("captured_at")
    return Photograph(
        path=path,
        species=species,
        population=population,
        deployment=decision.deployment,
        sequence=decision.sequence,
        captured_at=decision.captured_at.ToDatetime(tzinfo=UTC) if captured else None,
        viewpoint=decision.viewpoint,
        identities=(individual,),
    )
