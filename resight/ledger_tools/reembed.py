"""Re-embeds enrolled sightings with another model."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from google.protobuf.message import Message

from resight.connections import MOST_CROP_BYTES
from services.embedder.service import EmbedderService
from services.registry.ledger.ledger import Ledger
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.identifiers import split_gallery
from shared.messages import Capture, Enrolment, ModelReference, Sighting

BATCH = 32

# Publishes messages and returns when they are acknowledged.
Publish = Callable[[Sequence[Message]], object]


def outdated(ledger: Ledger, gallery: str, model: ModelReference) -> Iterator[Enrolment]:
    """Yield a gallery's enrolments with another model's embedding. May raise Transient."""
    for chunk in ledger.between(gallery, 0, ledger.count(gallery, "enrolments")):
        yield from (each for each, _ in chunk if each.embedding.model != model)


def reembed(
    ledger: Ledger, gallery: str, embedder: EmbedderService, crops: BlobStore, publish: Publish
) -> Iterator[tuple[int, list[str]]]:
    """Embed a gallery's outdated enrolments and publish them under their old numbers.

    Outdated enrolments are not compared with new sightings, so run this before the first sighting
    of the new model. An interrupted run resumes. Yields after each batch how many were embedded,
    and why others could not be.

    Raises:
        Transient: the ledger, the store of crops or the broker does not respond.
    """
    waiting = outdated(ledger, gallery, embedder.model)
    while batch := list(islice(waiting, BATCH)):
        captures, shown, failed = [], [], []
        for enrolment in batch:
            try:
                crop = crops.get(enrolment.crop, MOST_CROP_BYTES)
            except Poison as poison:
                failed.append(f"{enrolment.sighting_id}: {poison.reason}")
                continue
            captures.append(Capture(inline=crop, species=split_gallery(gallery)[1]))
            shown.append(enrolment)
        done = []
        for enrolment, result in zip(shown, embedder.handle(captures), strict=True):
            if isinstance(result, Poison):
                failed.append(f"{enrolment.sighting_id}: {result.reason}")
                continue
            [sighting] = [each for each in result if isinstance(each, Sighting)]
            enrolment.embedding.CopyFrom(sighting.embedding)
            done.append(enrolment)
        publish(done)
        ledger.restate(gallery, done)
        yield len(done), failed
