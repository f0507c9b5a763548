"""Reads the ledger: entries, enrolments, individuals, and open questions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.registry.identity.entry import Entry, read_enrolment, read_entry
from services.registry.identity.question import Question
from services.registry.ledger.keys import CAMERAS, GALLERIES, PLACES, group, key
from services.registry.ledger.store import Store
from shared.messages import Decision, Enrolment, Place

CHUNK = 500


class LedgerReader:
    """Read access to the ledger in one store. Every method may raise Transient."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def between(
        self, gallery: str, after: int, last: int
    ) -> Iterator[Sequence[tuple[Enrolment, str]]]:
        """Yield the enrolments after `after` up to `last` with their individuals, in chunks."""
        for start in range(after + 1, last + 1, CHUNK):
            numbers = range(start, min(start + CHUNK, last + 1))
            stored, epoch = self._fields(gallery, "enrolments", numbers), self.epoch(gallery)
            enrolments = [
                read_enrolment(number, body, epoch)
                for number, body in zip(numbers, stored, strict=True)
                if body
            ]
            sightings = [enrolment.sighting_id for enrolment in enrolments]
            members = self._fields(gallery, "members", sightings)
            yield [
                (enrolment, individual.decode() if individual else "")
                for enrolment, individual in zip(enrolments, members, strict=True)
            ]

    def galleries(self) -> list[str]:
        """Return the names of all galleries, sorted."""
        return sorted(name.decode() for name in self.store.run("SMEMBERS", GALLERIES))

    def count(self, gallery: str, counter: str) -> int:
        """Return how many of its `entries`, `enrolments`, … a gallery has.

        Of `entries`, `enrolments`, `individuals`, `questions` or `outbox`.
        """
        match counter:
            case "individuals":  # its counter includes merged ones
                return int(self.store.run("HLEN", key(gallery, "groups")))
            case "questions":
                return int(self.store.run("HLEN", key(gallery, "questions")))
            case "outbox":
                return int(self.store.run("ZCARD", key(gallery, "outbox")))
        return int(self.store.run("HGET", key(gallery, "counters"), counter) or 0)

    def epoch(self, gallery: str) -> str:
        """Return a gallery's epoch; '' for one of an earlier version."""
        return (self.store.run("HGET", key(gallery, "counters"), "epoch") or b"").decode()

    def questions(self, gallery: str) -> list[Question]:
        """Return the individuals that may be one, the most valuable questions first."""
        return by_worth(self.pending_questions(gallery), self.sizes(gallery))

    def pending_questions(self, gallery: str) -> list[Question]:
        """Return all stored questions, including those about former individuals."""
        stored = self.store.run("HGETALL", key(gallery, "questions"))
        told = [(*pair.decode().split(), *said.decode().split()) for pair, said in stored.items()]
        return [
            Question(one, other, float(log_odds), of_one, of_other)
            for one, other, log_odds, of_one, of_other in told
        ]

    def has(self, gallery: str, individual: str) -> bool:
        """Return whether an individual exists."""
        return bool(self.store.run("HEXISTS", key(gallery, "groups"), individual))

    def successor(self, gallery: str, individual: str) -> str | None:
        """Return what an individual was merged into; '' for nothing; None if it exists."""
        found = self.store.run("HGET", key(gallery, "successors"), individual)
        return None if found is None else str(found.decode())

    def resolve(self, gallery: str, individual: str) -> str:
        """Return the current individual of an ID: itself, a successor, or '' for none."""
        while (successor := self.successor(gallery, individual)) is not None:
            individual = successor
        return individual

    def undone(self, gallery: str, number: int) -> list[int]:
        """Return the entry that undid an entry, the one that undid that, …"""
        found: list[int] = []
        while (by := self.store.run("HGET", key(gallery, "undone"), number)) is not None:
            number = int(by)
            found.append(number)
        return found

    def belongs(self, gallery: str, sightings: Sequence[str]) -> dict[str, str]:
        """Return the individuals of the sightings that have one."""
        found = self._fields(gallery, "members", sightings)
        return {
            sighting: name.decode() for sighting, name in zip(sightings, found, strict=True) if name
        }

    def labels(self, gallery: str) -> dict[str, str]:
        """Return the first sighting of each name."""
        stored = self.store.run("HGETALL", key(gallery, "labels"))
        return {name.decode(): sighting.decode() for name, sighting in stored.items()}

    def labelled(self, gallery: str, identity: str) -> tuple[str, str]:
        """Return the first sighting of a name, and its individual.

        Both are '' if there is none.
        """
        found = self.store.run("HGET", key(gallery, "labels"), identity)
        sighting = found.decode() if found else ""
        individual = self.belongs(gallery, [sighting]).get(sighting, "") if sighting else ""
        return (sighting, individual) if individual else ("", "")

    def entry(self, gallery: str, number: int) -> Entry | None:
        """Return one entry of a gallery, if it exists."""
        return next(iter(self._entries(gallery, [number])), None)

    def entries(self, gallery: str, first: int = 1) -> Iterator[Entry]:
        """Yield a gallery's entries from number `first` on, in order."""
        last = self.count(gallery, "entries")
        for start in range(first, last + 1, CHUNK):
            yield from self._entries(gallery, range(start, min(start + CHUNK, last + 1)))

    def decisions(self, gallery: str, first: int, last: int) -> Iterator[Decision]:
        """Yield the decisions of a gallery's entries from `first` to `last`, in order."""
        for some in self.chunks(gallery, first, last):
            yield from some

    def chunks(self, gallery: str, first: int, last: int) -> Iterator[Sequence[Decision]]:
        """Yield the same, in chunks of some hundreds."""
        for start in range(first, last + 1, CHUNK):
            entries = self._plain(gallery, range(start, min(start + CHUNK, last + 1)))
            yield [entry.decision for entry in entries]

    def individuals(self, gallery: str) -> dict[str, list[str]]:
        """Return every individual of a gallery with its sightings, both sorted."""
        names, found = sorted(self.sizes(gallery)), dict[str, list[str]]()
        for start in range(0, len(names), CHUNK):
            some = names[start : start + CHUNK]
            lists = self.store.run_all([("LRANGE", group(gallery, name), 0, -1) for name in some])
            for name, sightings in zip(some, lists, strict=True):
                found[name] = sorted(each.decode() for each in sightings)
        return found

    def sizes(self, gallery: str) -> dict[str, int]:
        """Return the number of sightings of every individual of a gallery."""
        stored = self.store.run("HGETALL", key(gallery, "groups"))
        return {name.decode(): int(count) for name, count in stored.items()}

    def decided(self, gallery: str) -> dict[str, int]:
        """Return the entry number of every decided sighting."""
        stored = self.store.run("HGETALL", key(gallery, "decided"))
        return {sighting.decode(): int(number) for sighting, number in stored.items()}

    def members(self, gallery: str) -> dict[str, str]:
        """Return the individual of every enrolled sighting."""
        stored = self.store.run("HGETALL", key(gallery, "members"))
        return {sighting.decode(): name.decode() for sighting, name in stored.items()}

    def place(self, image_sha256: str) -> Place | None:
        """Return an image's location, if known."""
        stored = self.store.run("HGET", PLACES, image_sha256)
        return None if stored is None else Place.FromString(stored)

    def deployments(self, gallery: str) -> list[str]:
        """Return the cameras that have recorded animals of a gallery, in any order."""
        return [name.decode() for name in self.store.run("SMEMBERS", key(gallery, "deployments"))]

    def camera_cells(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield cameras, each with a cell (see `camera_cell`) in which it took pictures."""
        for told in self.store.run("SMEMBERS", CAMERAS):
            deployment, _, cell = told.decode().rpartition("\n")
            row, column = cell.split()
            yield deployment, (int(row), int(column))

    def places(self, images: Sequence[str]) -> dict[str, Place]:
        """Return the known locations of images."""
        found = {}
        names = list(dict.fromkeys(images))
        for start in range(0, len(names), CHUNK):
            some = names[start : start + CHUNK]
            for image, stored in zip(some, self.store.run("HMGET", PLACES, *some), strict=True):
                if stored is not None:
                    found[image] = Place.FromString(stored)
        return found

    def _entries(self, gallery: str, numbers: Sequence[int]) -> list[Entry]:
        plain = self._plain(gallery, numbers)
        enrolled = [entry.decision.enrolment_number for entry in plain]
        bodies = self._fields(gallery, "enrolments", enrolled)
        return [
            Entry(
                entry.decision, read_enrolment(number, body, entry.decision.epoch) if body else None
            )
            for entry, number, body in zip(plain, enrolled, bodies, strict=True)
        ]

    def _plain(self, gallery: str, numbers: Sequence[int]) -> list[Entry]:
        """Return entries without their enrolments."""
        stored, epoch = self._fields(gallery, "entries", numbers), self.epoch(gallery)
        return [
            read_entry(number, body, None, epoch)
            for number, body in zip(numbers, stored, strict=True)
            if body
        ]

    def _fields(self, gallery: str, name: str, fields: Sequence[int | str]) -> Any:
        return self.store.run("HMGET", key(gallery, name), *fields) if fields else []


def by_worth(pending_questions: Iterable[Question], sizes: Mapping[str, int]) -> list[Question]:
    """Return questions between existing individuals, the most valuable first.

    `sizes` are those of all individuals. A question's value is the expected number of pairs of
    sightings joined: probability times pairs. Questions of one neighbourhood, linked by common
    individuals, follow each other.
    """

    def worth(question: Question) -> float:
        return sizes[question.one] * sizes[question.other] * question.probability

    open_ones = [each for each in pending_questions if each.one in sizes and each.other in sizes]
    open_ones.sort(key=lambda question: (-worth(question), question.one, question.other))
    leader: dict[str, str] = {}

    def led_by(individual: str) -> str:
        while (above := leader.get(individual, individual)) != individual:
            individual = above
        return individual

    for each in open_ones:
        leader[led_by(each.other)] = led_by(each.one)
    neighbourhoods: dict[str, list[Question]] = {}
    for each in open_ones:
        neighbourhoods.setdefault(led_by(each.one), []).append(each)
    return [each for some in neighbourhoods.values() for each in some]
