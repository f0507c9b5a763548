"""What a rule asks for is told once, signed, and again until somebody takes it."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from embedded.servers import free_port
from services.registry.alerts import webhook
from services.registry.alerts.outbox import PAUSES, RULES, AlertOutbox
from services.registry.alerts.rule import Kind, RuleSpec
from services.registry.alerts.sender import AlertSender
from services.registry.alerts.webhook import (
    REFUSED,
    SIGNATURE,
    TIMESTAMP,
    NotTakenError,
    networks,
    permitted,
    post,
    signature,
)
from services.registry.ledger.overview import LedgerOverview
from tests.integration.services.registry.review.test_reviewer import reviewer
from tests.support.catalogue_bench import Bench, bench_at
from tests.support.queries import GALLERY, NOON
from tests.support.servers.own_loop import in_own_loop

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
        return AlertSender(
            ledger, LedgerOverview(ledger), self.outbox, lambda: self.now, networks("127.0.0.0/8")
        )

    def look(self) -> None:
        self.sender.look()
        self.sender.settle()

    def rule(self, kind: Kind, target: str = "") -> str:
        wanted = RuleSpec("a rule", GALLERY, kind, target, self.receiver.url)
        last = self.bench.ledger.count(GALLERY, "entries")
        return self.outbox.add(wanted, "ada", last).secret


@pytest.fixture
def watch(ledger_url: str, tmp_path: Path, receiver: Receiver) -> Watch:
    bench = bench_at(ledger_url, tmp_path)
    bench.decide("a", change=lambda seen: seen.captured_at.FromDatetime(NOON))
    return Watch(bench, receiver)


def test_an_alert_is_signed_and_told_once_whoever_looks(watch: Watch) -> None:
    secret = watch.rule("sighting")
    watch.bench.decide("b", alike="a")
    other = watch.replica()
    for _ in range(2):
        watch.look()
        other.look()
        other.settle()
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
    watch.look()
    assert [each["sighting"] for each in watch.receiver.told] == expected


def test_a_question_is_told_if_it_is_worth_so_much(watch: Watch) -> None:
    watch.rule("question", "1")
    watch.rule("question", "100")
    watch.bench.decide("b", perhaps="a")
    for _ in range(2):
        watch.look()
    [told] = watch.receiver.told
    assert (told["pairs"], {told["one"], told["other"]}) == (
        1,
        {"plains-zebra-0001", "plains-zebra-0002"},
    )


def test_who_was_not_seen_for_long_is_told_once_for_each_absence(watch: Watch) -> None:
    watch.rule("unseen", "30")
    watch.bench.decide("b")  # nobody knows when that was taken
    watch.look()
    assert watch.receiver.told == []
    watch.now += 31 * DAY
    for _ in range(3):
        watch.look()
        watch.now += DAY
    [told] = watch.receiver.told
    assert (told["individual"], told["days"]) == ("plains-zebra-0001", 31)


def test_what_was_decided_before_the_rule_is_not_told(watch: Watch) -> None:
    watch.rule("sighting")
    watch.look()
    assert watch.receiver.told == []


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_is_not_taken_is_told_again_after_a_pause(watch: Watch, status: int) -> None:
    watch.receiver.statuses = [status, status]
    watch.rule("sighting")
    watch.bench.decide("b")
    watch.look()
    [delivery] = watch.outbox.latest()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    assert str(status) in delivery.told
    watch.look()  # the pause is not over
    assert watch.outbox.latest()[0].attempts == 1
    for pause in PAUSES[:2]:
        watch.now += pause
        watch.look()
    assert len(watch.receiver.told) == 1
    assert watch.outbox.latest()[0].state == "sent"


def test_it_is_given_up_after_a_day(watch: Watch) -> None:
    watch.receiver.statuses = [503] * 20
    watch.rule("sighting")
    watch.bench.decide("b")
    for pause in (0, *PAUSES, DAY):
        watch.now += pause
        watch.look()
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
    watch.look()
    [told] = reviewer.get("/api/v1/alerts").json()
    assert (told["state"], told["what"]["individual"]) == ("sent", "plains-zebra-0002")
    assert "plains-zebra-0002" in admin.get("/alerts").text
    assert admin.delete(f"/api/v1/alerts/rules/{made['id']}").status_code == 204
    assert admin.get("/api/v1/alerts/rules").json() == []
    for wrong in ({"url": "ftp://x.example"}, {"kind": "unseen", "target": "soon"}):
        assert admin.post("/api/v1/alerts/rules", json=new | wrong).status_code == 409


@pytest.fixture
def trickle() -> Iterator[str]:
    """A web server whose headers come a letter a second, for ever."""
    ending = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
            while not ending.wait(0.2):
                try:
                    self.wfile.write(b"a")
                except OSError:
                    return

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    ending.set()
    server.shutdown()
    server.server_close()


def test_a_slow_webhook_holds_up_its_own_alerts_alone(
    watch: Watch, trickle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 3.0)
    watch.outbox.add(RuleSpec("slow", GALLERY, "sighting", "", trickle), "ada", 1)
    watch.rule("sighting")
    for name in "bcdef":
        watch.bench.decide(name)
    begun = time.monotonic()
    while len(watch.receiver.told) < 5:
        watch.sender.look()
        assert time.monotonic() - begun < 2.5
    watch.sender.settle()
    assert time.monotonic() - begun < 8  # not for ever
    slow = [each for each in watch.outbox.latest() if each.attempts]
    assert {each.told for each in slow if each.state == "waiting"} == {REFUSED}


def test_a_rule_on_an_individual_follows_it_through_a_merge(watch: Watch) -> None:
    watch.bench.decide("b")
    watch.rule("individual", "plains-zebra-0002")
    reviewer(watch.bench.ledger).move("1", ["b"], "plains-zebra-0001")
    watch.bench.decide("c", alike=["a", "b"])
    watch.look()
    [told] = watch.receiver.told
    assert (told["sighting"], told["individual"]) == ("c", "plains-zebra-0001")


def test_one_rule_that_can_t_be_read_holds_up_no_other(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    watch.rule("sighting")
    [rule] = watch.outbox.rules()
    broken = json.dumps(asdict(rule) | {"id": "broken", "kind": "unseen", "target": "²"})
    watch.bench.ledger.store.run("HSET", RULES, "broken", broken)
    watch.bench.decide("b")
    watch.look()
    assert len(watch.receiver.told) == 1
    assert "broken" in caplog.text


@pytest.mark.parametrize("target", ["²", "0", "-1", "", "1e3", "9" * 30, "٣"])
def test_a_number_of_days_is_one_in_ascii(watch: Watch, target: str) -> None:
    admin = watch.bench.client(watch.bench.key("admin"))
    new = {"name": "r", "gallery": GALLERY, "kind": "unseen", "url": watch.receiver.url}
    answer = admin.post("/api/v1/alerts/rules", json=new | {"target": target})
    assert (answer.status_code, "not a number of days" in answer.text) == (409, True)


def test_what_was_given_up_is_sent_again_by_hand(watch: Watch) -> None:
    watch.receiver.statuses = [503] * (len(PAUSES) + 1)
    watch.rule("sighting")
    watch.bench.decide("b")
    for pause in (0, *PAUSES):
        watch.now += pause
        watch.look()
    [delivery] = watch.outbox.latest()
    assert delivery.state == "given up"
    bench = watch.bench
    bench.context = replace(bench.context, alerts=watch.outbox)
    admin, elsewhere = bench.client(bench.key("admin")), bench.client(bench.key("admin", "a/b"))
    assert "Send again" in admin.get("/alerts").text
    path = f"/api/v1/alerts/{delivery.id}/again"
    assert elsewhere.post(path).status_code == 409
    assert admin.post(path).status_code == 204
    watch.look()
    assert [each.state for each in watch.outbox.latest()] == ["sent"]
    assert len(watch.receiver.told) == 1


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.1", "224.0.0.1"),
        *("100.64.0.1", "::1", "fe80::1", "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"),
        *("2002:a00:1::", "2001:0:a00:1::", "255.255.255.255"),
    ],
)
def test_alerts_go_to_no_address_that_is_not_public(address: str) -> None:
    assert not permitted(ip_address(address))


def test_alerts_go_to_public_addresses_and_to_networks_that_are_named() -> None:
    assert permitted(ip_address("93.184.215.14"))
    assert permitted(ip_address("2606:2800:21f:cb07::1"))
    assert permitted(ip_address("10.1.2.3"), networks("10.1.0.0/16, fc00::/7"))
    assert not permitted(ip_address("10.2.2.3"), networks("10.1.0.0/16"))


def test_open_closed_and_forbidden_addresses_are_refused_in_the_same_words(
    receiver: Receiver,
) -> None:
    closed = f"http://127.0.0.1:{free_port()}/"
    told = set()
    for url, allowed in (
        (receiver.url, ""),  # open, but not to be gone to
        (closed, ""),
        (closed, "127.0.0.0/8"),
        ("http://name.invalid/", ""),
        ("http://[::1", ""),
    ):
        with pytest.raises(NotTakenError) as refused:
            in_own_loop(post, url, "s", {}, 0, networks(allowed))
        told.add(str(refused.value))
    assert told == {REFUSED}
    assert receiver.got == []


def test_a_name_is_posted_to_the_address_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere the second time it is looked up finds nobody looking."""
    looked: list[object] = []

    async def rebinding(*args: object, **_: object) -> list[object]:
        looked.append(args)
        where = "127.0.0.1" if len(looked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, 0))]

    monkeypatch.setattr(asyncio.SelectorEventLoop, "getaddrinfo", rebinding)
    port = receiver.url.rpartition(":")[2]
    in_own_loop(post, f"http://hook.example:{port}", "s", {}, 0, networks("127.0.0.1/32"))
    [(headers, _)] = receiver.got
    assert headers["Host"] == f"hook.example:{port.partition('/')[0]}"
