"""The ledger: the identity of every sighting, in decision order.

All writes are functions of `ledger.lua`, each atomic for one gallery. The keys of a gallery share a
hash tag, so a cluster keeps them together.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.registry.features.comparisons import Comparisons, pack_statistics, unpack_statistics
from services.registry.identity.entry import OUTCOME_NAMES, Entry, read_entry
from services.registry.identity.question import Question
from services.registry.identity.view import (
    NOTHING,
    Apart,
    Conflict,
    Group,
    Refusal,
    View,
    image_of,
    recorded,
)
from services.registry.ledger.change import arguments, founds_individuals
from services.registry.ledger.epoch import EPOCH, begin, renew
from services.registry.ledger.keys import GALLERIES, individual_prefix, key, keys
from services.registry.ledger.reader import CHUNK, LedgerReader
from services.registry.ledger.receipts import Acknowledgement, Proof
from services.registry.ledger.store import LedgerError, Store
from services.registry.ledger.upgrade import bring_up, keep_place
from shared.errors import Transient
from shared.messages import Decision, Enrolment, Place

# Entries returned to the outbox per call, which blocks the server.
REOPENED = 20_000


class Ledger(LedgerReader):
    """The ledger in one store. Every method may raise Transient."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._admitted: set[str] = set()
        self._epoch = ""

    def begin(self) -> str:
        """Return the epoch for new galleries; an empty ledger begins one."""
        epoch = begin(self.store)
        if epoch != self._epoch:
            self._admitted.clear()
        self._epoch = epoch
        return epoch

    def renew(self, after: str = "") -> str:
        """Begin a new epoch in all galleries, later than another one, and return it.

        All entries count as unpublished.
        """
        self._epoch = renew(self.store, after)
        for gallery in self.galleries():
            self.enter(gallery)
        return self._epoch

    def enter(self, gallery: str) -> None:
        """Move a gallery into this ledger's epoch, and publish it again."""
        if self.count(gallery, "entries"):
            self.store.run("HSET", key(gallery, "counters"), "epoch", self._epoch)
        self.reopen(gallery)

    def server(self) -> tuple[str, str]:
        """Return the ledger's epoch and the server's run ID, which change if it is another one."""
        epoch, told = self.store.run_all([("GET", EPOCH), ("INFO", "server")])
        return (epoch or b"").decode(), str(told.get("run_id", ""))

    def load(self) -> None:
        """Install the ledger's functions, and migrate an earlier ledger."""
        self.store.load()
        for gallery in self.galleries():
            bring_up(self, gallery)

    def ready(self) -> bool:
        """Return whether the store responds."""
        try:
            self.store.run("PING")
        except Transient:
            return False
        return True

    def admit(self, gallery: str, most: int) -> bool:
        """Return whether a gallery exists, or is created because the limit is not reached."""
        if gallery in self._admitted:
            return True
        there = self.store.run("SISMEMBER", GALLERIES, gallery)
        if not there and self.store.run("SCARD", GALLERIES) >= most:
            return False
        self.add_gallery(gallery)
        return True

    def add_gallery(self, gallery: str) -> None:
        """Create a gallery, regardless of the limit."""
        self.store.run("SADD", GALLERIES, gallery)
        self._admitted.add(gallery)

    def keep_place(self, image_sha256: str, place: Place, deployment: str) -> None:
        """Store an image's location, and thereby its camera's."""
        keep_place(self.store, image_sha256, place, deployment)

    def look(
        self,
        gallery: str,
        sighting: str,
        image: str,
        candidates: Sequence[str],
        encounter: str = "",
    ) -> View:
        """Return what is needed to decide about a sighting."""
        found, taken, individuals, candidate_statistics, enrolled, splits, companions, epoch = (
            self.store.call(
                "look", keys(gallery), sighting, image, encounter, *candidates, write=False
            )
        )
        named = zip(candidates, individuals, strict=True)
        stood = zip(candidates, candidate_statistics, strict=True)
        return View(
            entry=_told(found[1:]) if found else None,
            taken=frozenset(name.decode() for name in taken),
            members={sighting: name.decode() for sighting, name in named if name},
            candidate_statistics={
                sighting: unpack_statistics(packed) for sighting, packed in stood if packed
            },
            enrolled=enrolled,
            splits=splits,
            companions={
                name.decode(): individual.decode()
                for name, individual in zip(companions[::2], companions[1::2], strict=True)
                if individual
            },
            epoch=epoch.decode(),
        )

    def name(self, gallery: str, identity: str, sighting: str) -> None:
        """Set a sighting's name from a catalogue, unless it has one."""
        self.store.run("HSETNX", key(gallery, "labels"), identity, sighting)

    def groups(
        self, gallery: str, individuals: Sequence[str], most: int, most_of_one: int
    ) -> dict[str, Group]:
        """Return the sightings of individuals, of each the latest `most_of_one`.

        At most `most` in total; individuals that do not fit have none.
        """
        if not individuals:
            return {}
        limits = most, most_of_one
        found = self.store.call("sightings", keys(gallery), *limits, *individuals, write=False)
        return {
            name: Group(revision.decode(), count, [*recorded(pairs)])
            for name, (revision, count, pairs) in zip(individuals, found, strict=True)
        }

    def decide(
        self,
        decision: Decision,
        enrolment: Enrolment,
        watermark: int | None,
        lease_ms: int = 0,
        *,
        comparisons: Comparisons = NOTHING,
        anchors: Sequence[str] = (),
        encounter: str = "",
        revisions: Mapping[str, str] | None = None,
        questions: Sequence[Question] = (),
    ) -> Entry | Refusal | Conflict | Apart:
        """Write a decision unless its sighting has one, and return the ledger's entry.

        The ledger assigns numbers, and IDs for the individuals `+0`, `+1` and so on that the
        decision founds. A sighting with an individual is enrolled. It is never split from its
        `anchors`, nor are later ones of its `encounter` from it. `revisions` are those of the
        individuals that its changes depend on; if one has changed, a Conflict results. `questions`
        replace those between them.

        A decision that founds an individual, or is uncertain, is refused if anything was enrolled
        after `watermark`; a known one if an individual was founded after it. With `lease_ms` it
        makes no further pass: joining an individual is accepted as it is, and founding one takes
        the gallery's lease; then only individuals founded after the watermark refuse it. Without
        `watermark` nothing is refused, because the sighting cannot be compared.
        """
        gallery = decision.gallery
        # otherwise a gallery in no list would never be published again
        if gallery not in self._admitted:
            self.add_gallery(gallery)
        body = Decision()
        body.CopyFrom(decision)
        body.ClearField("individual")
        status, *rest = self.store.call(
            "decide",
            keys(gallery),
            decision.sighting_id,
            image_of(decision),
            OUTCOME_NAMES.get(decision.outcome, "operation"),
            decision.individual,
            individual_prefix(gallery),
            founds_individuals(decision),
            "" if watermark is None else watermark,
            lease_ms,
            body.SerializeToString(deterministic=True),
            enrolment.SerializeToString(deterministic=True),
            comparisons.pack(),
            pack_statistics(comparisons.statistics),
            " ".join(anchors),
            encounter,
            decision.identity,
            decision.deployment,
            self._epoch,
            *arguments(decision, revisions or {}, questions),
        )
        if status == b"DECIDED":
            return _told(rest)
        if status == b"FORM":
            raise LedgerError(
                f"gallery {gallery} has an earlier version's format; start this version's "
                "registry, which migrates it, and try again"
            )
        if status == b"CONFLICT":
            return Conflict()
        if status == b"APART":
            return Apart(*(name.decode() for name in rest))
        after, last = rest
        return Refusal(after, last, leased=status == b"LEASED")

    def acknowledge(self, gallery: str, taken: Acknowledgement) -> None:
        """Record whole entries that the broker acknowledged, and their positions."""
        proofs = [
            part
            for proof in taken.proofs
            for part in (f"{proof.topic} {proof.partition}", f"{proof.offset} {proof.number}")
        ]
        self.store.call("acknowledge", keys(gallery), len(taken.entries), *taken.entries, *proofs)

    def restate(self, gallery: str, enrolments: Sequence[Enrolment]) -> None:
        """Replace enrolments, with embeddings of another model."""
        for enrolment in enrolments:
            body = Enrolment()
            body.CopyFrom(enrolment)
            body.ClearField("number")
            body.ClearField("epoch")
            stored = body.SerializeToString(deterministic=True)
            self.store.run("HSET", key(gallery, "enrolments"), enrolment.number, stored)

    def reopen(self, gallery: str) -> None:
        """Mark all entries of a gallery as unpublished."""
        last = self.count(gallery, "entries")
        for start in range(1, max(last, 1) + 1, REOPENED):
            self.store.call("reopen", keys(gallery), start, min(start + REOPENED - 1, last))

    def proofs(self, gallery: str) -> list[Proof]:
        """Return the first and the last acknowledged record of each partition."""
        stored = self.store.run("HGETALL", key(gallery, "proofs"))
        proofs = set()
        for place, record in stored.items():
            topic, partition, _ = place.decode().split()
            offset, number = record.split()
            proofs.add(Proof(topic, int(partition), int(offset), int(number)))
        return sorted(proofs)

    def outbox(self, gallery: str) -> Iterator[Sequence[Entry]]:
        """Yield the entries that are not known to be published, in order, in chunks."""
        after = 0
        while numbers := self.store.run(
            "ZRANGEBYSCORE", key(gallery, "outbox"), f"({after}", "+inf", "LIMIT", 0, CHUNK
        ):
            after = int(numbers[-1])
            yield self._entries(gallery, [int(number) for number in numbers])


def _told(found: Sequence[Any]) -> Entry:
    """Return the entry that a call returned."""
    number, stored, enrolment, epoch = found
    return read_entry(number, stored, enrolment, epoch.decode())
