"""The ledger's writes: once for each sighting, numbered without gaps, whatever happens."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from services.registry.identity.entry import Entry
from services.registry.identity.sighting import enrolment_of
from services.registry.identity.view import Apart, Conflict, Refusal
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import LedgerError, Store
from shared.errors import Transient
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    Decision,
    Outcome,
    Place,
)
from tests.support.queries import GALLERY, ledger_at, sighting

# Without an individual to join, a sighting founds one.
FOUNDING = (OUTCOME_NEW, OUTCOME_REVIEW)

ZEBRA = "plains-zebra-0001"

Answer = Entry | Refusal | Conflict | Apart


def decide(
    ledger: Ledger,
    name: str,
    outcome: Outcome = OUTCOME_NEW,
    individual: str = "",
    *,
    watermark: int = 0,
    image: str = "",
    gallery: str = GALLERY,
    lease_ms: int = 0,
) -> Answer:
    """Put a decision about one sighting to the ledger."""
    query = sighting(name, image=image, gallery=gallery)
    decision = Decision(
        gallery=gallery,
        sighting_id=name,
        image_sha256=query.image_sha256,
        outcome=outcome,
        individual=individual or ("+0" if outcome in FOUNDING else ""),
    )
    return ledger.decide(decision, enrolment_of(query), watermark, lease_ms)


def decided(answer: Answer) -> Entry:
    """The entry that must have come of a decision."""
    assert isinstance(answer, Entry), answer
    return answer


def test_a_new_individual_is_named_and_enrolled(ledger_url: str) -> None:
    entry = decided(decide(ledger_at(ledger_url), "a"))
    assert entry.enrolment is not None
    assert (entry.decision.number, entry.decision.enrolment_number) == (1, 1)
    assert entry.decision.individual == "plains-zebra-0001"
    assert (entry.enrolment.number, entry.enrolment.gallery) == (1, GALLERY)
    assert entry.enrolment.embedding == sighting("a").embedding


def test_the_population_is_part_of_the_name_unless_it_is_the_default(ledger_url: str) -> None:
    entry = decided(decide(ledger_at(ledger_url), "a", gallery="hluhluwe/nyala"))
    assert entry.decision.individual == "hluhluwe.nyala-0001"


def test_what_has_no_individual_is_an_entry_but_not_enrolled(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    entry = decided(decide(ledger, "a", OUTCOME_UNIDENTIFIABLE))
    assert entry.enrolment is None
    assert (entry.decision.number, entry.decision.enrolment_number) == (1, 0)
    assert ledger.count(GALLERY, "enrolments") == 0


def test_deciding_again_returns_the_same_bytes_whatever_is_decided(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    first = decided(decide(ledger, "a"))
    for again in (
        decide(ledger, "a", OUTCOME_REVIEW),
        decide(ledger, "a", watermark=7),
        decide(ledger_at(ledger_url), "a", OUTCOME_KNOWN, "nobody"),
    ):
        repeated = [message.SerializeToString() for message in decided(again).messages()]
        assert repeated == [message.SerializeToString() for message in first.messages()]
    assert ledger.count(GALLERY, "entries") == 1


def test_a_stale_mint_is_refused_with_the_numbers_in_between(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for number, name in enumerate("abc"):
        decided(decide(ledger, name, watermark=number))
    assert decide(ledger, "d", watermark=1) == Refusal(after=1, last=3, leased=False)
    between = [item for chunk in ledger.between(GALLERY, 1, 3) for item in chunk]
    assert [(enrolment.number, enrolment.sighting_id) for enrolment, _ in between] == [
        (2, "b"),
        (3, "c"),
    ]
    assert [individual for _, individual in between] == ["plains-zebra-0002", "plains-zebra-0003"]


@pytest.mark.parametrize("outcome", [OUTCOME_KNOWN, OUTCOME_REVIEW])
def test_what_was_enrolled_meanwhile_counts_for_every_outcome(
    ledger_url: str, outcome: Outcome
) -> None:
    ledger = ledger_at(ledger_url)
    for number, name in enumerate("abc"):
        decided(decide(ledger, name, watermark=number))
    name = "plains-zebra-0001"
    assert decide(ledger, "d", outcome, name, watermark=1) == Refusal(1, 3, leased=False)
    decided(decide(ledger, "d", outcome, name, watermark=1, lease_ms=1000))  # the last pass


def test_more_of_known_individuals_does_not_hold_up_a_known_one(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decided(decide(ledger, "a"))
    for name in "bcd":
        decided(decide(ledger, name, OUTCOME_KNOWN, "plains-zebra-0001", watermark=1))
    assert ledger.count(GALLERY, "enrolments") == 4
    joining = decide(ledger, "e", OUTCOME_REVIEW, "plains-zebra-0001", watermark=1)
    assert isinstance(joining, Refusal)


def test_a_key_of_any_length_costs_nobody_anything(ledger_url: str) -> None:
    """The pattern that once found a key's last part took 5.8 s for a name of 10,000 letters."""
    ledger = ledger_at(ledger_url)
    began = time.monotonic()
    decided(decide(ledger, "a", gallery=f"default/{'x' * 100_000}"))
    assert time.monotonic() - began < 2


def test_only_so_many_galleries_come_into_being_by_themselves(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    assert [ledger.admit(f"default/{name}", 2) for name in ("a", "b", "c", "a")] == [
        *(True, True, False, True)
    ]
    ledger.add_gallery("default/c")
    assert ledger_at(ledger_url).admit("default/c", 2)


def test_places_are_kept_by_image(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    ledger.keep_place("ab", Place(latitude=-0.5, longitude=36.9), "gate")
    assert ledger.place("ab") == Place(latitude=-0.5, longitude=36.9)
    assert ledger.place("cd") is None


def test_an_individual_that_does_not_exist_is_a_conflict(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    assert decide(ledger, "a", OUTCOME_KNOWN, "plains-zebra-0001") == Conflict()
    assert ledger.count(GALLERY, "entries") == 0


def test_one_individual_is_not_given_twice_in_one_image(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decided(decide(ledger, "a", image="one picture"))
    name = "plains-zebra-0001"
    again = decide(ledger, "b", OUTCOME_KNOWN, name, image="one picture", watermark=1)
    assert again == Conflict()
    decided(decide(ledger, "b", OUTCOME_KNOWN, name, image="another picture", watermark=1))
    assert ledger.look(GALLERY, "c", "one picture", []).taken == {name}


def test_galleries_count_for_themselves(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decided(decide(ledger, "a"))
    other = decided(decide(ledger, "a", gallery="default/lion"))
    assert (other.decision.number, other.decision.individual) == (1, "lion-0001")
    assert ledger.galleries() == ["default/lion", GALLERY]


def test_eight_threads_leave_no_gap_and_no_double(ledger_url: str) -> None:
    barrier = threading.Barrier(8)

    def work(thread: int) -> None:
        ledger = ledger_at(ledger_url)
        barrier.wait(timeout=10)
        for number in range(12):
            # Every other sighting is one that all threads try to decide.
            name = f"shared {number}" if number % 2 else f"{thread} {number}"
            outcome = OUTCOME_REVIEW if number % 3 == 0 else OUTCOME_NEW
            watermark = 0
            while isinstance(answer := decide(ledger, name, outcome, watermark=watermark), Refusal):
                watermark = answer.last

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    ledger = ledger_at(ledger_url)
    assert check(ledger, GALLERY) == []
    assert ledger.count(GALLERY, "entries") == 8 * 6 + 6
    numbers = [entry.decision.number for entry in ledger.entries(GALLERY)]
    assert numbers == list(range(1, 55))


def test_reading_is_in_order_and_starts_anywhere(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    written = [decided(decide(ledger, name, watermark=n)) for n, name in enumerate("abc")]
    assert list(ledger.entries(GALLERY)) == written
    assert list(ledger.entries(GALLERY, 3)) == written[2:]
    assert ledger.individuals(GALLERY) == {
        "plains-zebra-0001": ["a"],
        "plains-zebra-0002": ["b"],
        "plains-zebra-0003": ["c"],
    }
    assert [message for chunk in ledger.outbox(GALLERY) for message in chunk] == written


def test_functions_that_the_server_has_lost_are_loaded_again(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    with redis.Redis.from_url(ledger_url) as client:
        client.function_flush()
    decided(decide(ledger, "a"))


def test_a_server_that_is_away_is_transient() -> None:
    ledger = Ledger(Store("redis://127.0.0.1:1/0", 0.5))
    assert not ledger.ready()
    with pytest.raises(Transient, match=r"127\.0\.0\.1:1 does not respond"):
        decide(ledger, "a")


def test_foreign_keys_are_an_error_that_says_what_to_do(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    with redis.Redis.from_url(ledger_url) as client:
        client.set(f"resight:{{{GALLERY}}}:entries", "something else")
    with pytest.raises(LedgerError, match="RESIGHT_LEDGER_URL"):
        decide(ledger, "a")


def test_a_full_server_is_transient_and_nothing_is_half_written(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    with redis.Redis.from_url(ledger_url) as client:
        client.config_set("maxmemory", 1)
        try:
            with pytest.raises(Transient, match="maxmemory"):
                decide(ledger, "a")
        finally:
            client.config_set("maxmemory", 0)
    assert ledger.count(GALLERY, "entries") == 0
    assert decided(decide(ledger, "a")).decision.number == 1


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda client, key: client.hdel(key("entries"), 2), "entry 2 of 3 is missing"),
        (lambda client, key: client.hdel(key("enrolments"), 1), "enrolment 1 of 3 is missing"),
        (
            lambda client, key: client.hdel(key("decided"), "a"),
            "missing in the index",
        ),
        (lambda client, key: client.hset(key("members"), "a", "x"), "the members say x"),
        (lambda client, key: client.hset(key("members"), "z", "x"), "without an entry"),
        (lambda client, key: client.hset(key("groups"), "x", 0), "no entry founded it"),
        (lambda client, key: client.hdel(key("groups"), ZEBRA), "which does not exist"),
        (lambda client, key: client.hset(key("groups"), ZEBRA, 7), "a stored size of 7 sightings"),
        (lambda client, key: client.rpush(key(f"groups:{ZEBRA}"), "a"), "sighting a twice"),
        (lambda client, key: client.rpush(key(f"groups:{ZEBRA}"), "b"), "belongs to"),
    ],
)
def test_the_check_names_what_is_wrong(
    ledger_url: str,
    damage: "Callable[[redis.Redis, Callable[[str], str]], object]",
    fault: str,
) -> None:
    ledger = ledger_at(ledger_url)
    for number, name in enumerate("abc"):
        decided(decide(ledger, name, watermark=number))
    assert check(ledger, GALLERY) == []
    with redis.Redis.from_url(ledger_url) as client:
        damage(client, lambda name: f"resight:{{{GALLERY}}}:{name}")
    assert any(fault in sentence for sentence in check(ledger, GALLERY))
