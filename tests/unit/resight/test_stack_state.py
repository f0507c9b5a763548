"""Commands find a running stack, and no other."""

import json
import os
from pathlib import Path

import pytest

from resight.connections import open_ledger
from resight.stack_state import StackError, StackState, clear, occupied, running
from shared.errors import Transient

STATE = StackState(
    pid=os.getpid(),
    bootstrap_servers="127.0.0.1:19092",
    ledger_url="redis://127.0.0.1:1/0",
    crops_url="file:///data/crops",
    pages_url="http://127.0.0.1:8080",
    cache_url="redis://127.0.0.1:2/0",
    telemetry={"embedder": "http://127.0.0.1:3"},
)


def test_a_running_stack_is_found(tmp_path: Path) -> None:
    with occupied(tmp_path):
        STATE.write(tmp_path)
        assert running(tmp_path) == STATE
    assert running(tmp_path) is None


def test_what_a_killed_stack_left_behind_does_not_count(tmp_path: Path) -> None:
    with occupied(tmp_path):
        STATE.write(tmp_path)
        left_behind = (tmp_path / "stack.json").read_text()
    (tmp_path / "stack.json").write_text(left_behind)
    assert json.loads(left_behind)["pid"] == os.getpid()
    assert running(tmp_path) is None


def test_one_folder_serves_one_stack(tmp_path: Path) -> None:
    with occupied(tmp_path), pytest.raises(StackError, match="--data-dir"), occupied(tmp_path):
        pass


def test_only_a_stacks_folder_is_cleared_and_only_when_it_rests(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    clear(folder)
    with occupied(folder):
        STATE.write(folder)
        with pytest.raises(StackError, match="is running from"):
            clear(folder)
    clear(folder)
    assert not folder.exists()
    folder.mkdir()
    (folder / "thesis.tex").touch()
    with pytest.raises(StackError, match="not a stack"):
        clear(folder)
    assert (folder / "thesis.tex").exists()


def test_each_record_travels_alone_to_the_embedded_broker() -> None:
    kafka = STATE.kafka()
    assert kafka.bootstrap_servers == "127.0.0.1:19092"
    assert kafka.producer_batch_bytes == 0


def test_a_stack_s_servers_are_plain_whatever_is_set_for_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("")
    for name, value in {
        "KAFKA_SECURITY": "SASL_SSL",
        "KAFKA_USERNAME": "embedder",
        "KAFKA_PASSWORD": "secret",
        "KAFKA_CA_FILE": str(tmp_path / "ca.pem"),
        "LEDGER_URL": "rediss://production:6379/0",
        "LEDGER_PASSWORD": "secret",
        "TLS_CA_FILE": str(tmp_path / "ca.pem"),
    }.items():
        monkeypatch.setenv(f"RESIGHT_{name}", value)
    kafka = STATE.kafka()
    assert (kafka.security, kafka.ca_file) == ("PLAINTEXT", None)
    with (
        open_ledger(STATE.ledger_url) as ledger,
        pytest.raises(Transient, match="does not respond"),
    ):
        ledger.galleries()
