"""What a rule asks for is told once, signed, and again until somebody takes it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from services.registry.alerts.outbox import PAUSES, AlertOutbox
from services.registry.alerts.rule import Kind, Wanted
from services.registry.alerts.sender import SIGNATURE, TIMESTAMP, AlertSender, signature
from services.registry.catalogue import Catalogue
from tests.catalogue_bench import Bench, bench_at
from tests.queries import GALLERY, NOON

DAY = 86_400


@dataclass
class Receiver:
    """A web server that takes alerts, with the statuses that it is told to answer first."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 204
            if status < 300:
                receiver.got.append((dict(self.headers), body))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield receiver
    server.shutdown()
    server.server_close()


@dataclass
class Watch:
    """Rules on a catalogue, with a clock that is set by hand."""

    bench: Bench
    receiver: Receiver
    now: float = NOON.timestamp()

    def __post_init__(self) -> None:
        self.outbox = AlertOutbox(self.bench.ledger.store, lambda: self.now)
        self.sender = self.replica()

    def replica(self) -> AlertSender:
        ledger = self.bench.ledger
        return AlertSender(ledger, Catalogue(ledger), self.outbox, lambda: self.now)

    def rule(self, kind: Kind, target: str = "") -> str:
        wanted = Wanted("a rule", GALLERY, kind, target, self.receiver.url)
        last = self.bench.ledger.count(GALLERY, "entries")
        return self.outbox.add(wanted, "ada", last).secret


@pytest.fixture
def watch(ledger_url: str, tmp_path: Path, receiver: Receiver) -> Watch:
    bench = bench_at(ledger_url, tmp_path)
    bench.decide("a")
    return Watch(bench, receiver)


def test_an_alert_is_signed_and_told_once_whoever_looks(watch: Watch) -> None:
    secret = watch.rule("sighting")
    watch.bench.decide("b", alike="a")
    other = watch.replica()
    for _ in range(2):
        watch.sender.look()
        other.look()
    [(headers, body)] = watch.receiver.got
    assert headers[SIGNATURE] == f"sha256={signature(secret, headers[TIMESTAMP], body)}"
    told = json.loads(body)
    assert (told["sighting"], told["individual"], told["outcome"]) == (
        *("b", "plains-zebra-0001", "known"),
    )
    assert "latitude" not in body.decode()
    assert [each.state for each in watch.outbox.latest()] == ["sent"]


@pytest.mark.parametrize(
    ("kind", "target", "expected"),
    [
        ("sighting", "", ["b", "c"]),
        ("individual", "plains-zebra-0001", ["b"]),
        ("individual", "plains-zebra-0009", []),
        ("deployment", "waterhole", ["b", "c"]),
        ("deployment", "gate", []),
        ("new", "", ["c"]),
    ],
)
def test_a_rule_hears_of_what_it_asks_for(
    watch: Watch, kind: Kind, target: str, expected: list[str]
) -> None:
    watch.rule(kind, target)
    watch.bench.decide("b", alike="a")
    watch.bench.decide("c")
    watch.sender.look()
    assert [each["sighting"] for each in watch.receiver.told] == expected


def test_a_question_is_told_if_it_is_worth_so_much(watch: Watch) -> None:
    watch.rule("question", "1")
    watch.rule("question", "100")
    watch.bench.decide("b", perhaps="a")
    for _ in range(2):
        watch.sender.look()
    [told] = watch.receiver.told
    assert (told["pairs"], {told["one"], told["other"]}) == (
        1,
        {"plains-zebra-0001", "plains-zebra-0002"},
    )


def test_who_was_not_seen_for_long_is_told_once_for_each_absence(watch: Watch) -> None:
    watch.rule("unseen", "30")
    watch.sender.look()
    assert watch.receiver.told == []
    watch.now += 31 * DAY
    for _ in range(3):
        watch.sender.look()
        watch.now += DAY
    [told] = watch.receiver.told
    assert (told["individual"], told["days"]) == ("plains-zebra-0001", 31)


def test_what_was_decided_before_the_rule_is_not_told(watch: Watch) -> None:
    watch.rule("sighting")
    watch.sender.look()
    assert watch.receiver.told == []


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_told_again_after_a_pause(watch: Watch, status: int) -> None:
    watch.receiver.statuses = [status, status]
    watch.rule("sighting")
    watch.bench.decide("b")
    watch.sender.look()
    [delivery] = watch.outbox.latest()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert str(status) in delivery.told
    watch.sender.look()  # the pause is not over
    assert watch.outbox.latest()[0].attempts == 1
    for pause in PAUSES[:2]:
        watch.now += pause
        watch.sender.look()
    assert len(watch.receiver.told) == 1
    assert watch.outbox.latest()[0].state == "sent"


def test_it_is_given_up_after_a_day(watch: Watch) -> None:
    watch.receiver.statuses = [503] * 20
    watch.rule("sighting")
    watch.bench.decide("b")
    for pause in (0, *PAUSES, DAY):
        watch.now += pause
        watch.sender.look()
    [delivery] = watch.outbox.latest()
    assert (delivery.state, delivery.attempts) == ("given up", len(PAUSES) + 1)


def test_rules_are_made_and_removed_over_the_api_by_admins_alone(watch: Watch) -> None:
    bench = watch.bench
    admin = bench.client(bench.key("admin"))
    reviewer = bench.client(bench.key("reviewer"))
    new = {"name": "r", "gallery": GALLERY, "kind": "new", "url": watch.receiver.url}
    assert reviewer.post("/api/v1/alerts/rules", json=new).status_code == 403
    made = admin.post("/api/v1/alerts/rules", json=new).json()
    [listed] = reviewer.get("/api/v1/alerts/rules").json()
    assert "secret" not in listed
    assert listed["id"] == made["id"]
    bench.decide("b")
    watch.sender.look()
    [told] = reviewer.get("/api/v1/alerts").json()
    assert (told["state"], told["what"]["individual"]) == ("sent", "plains-zebra-0002")
    assert "plains-zebra-0002" in admin.get("/alerts").text
    assert admin.delete(f"/api/v1/alerts/rules/{made['id']}").status_code == 204
    assert admin.get("/api/v1/alerts/rules").json() == []
    for wrong in ({"url": "ftp://x.example"}, {"kind": "unseen", "target": "soon"}):
        assert admin.post("/api/v1/alerts/rules", json=new | wrong).status_code == 409
