"""Starts, supervises and stops an embedded stack.

Servers start first: the broker and the stores. Then the topics, the encoder's model if missing, and
    the four services. Services stop first, so that each can finish and commit its batch.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace

from embedded.servers import Server
from resight.connections import open_ledger
from resight.stack.child import Child, Process
from resight.stack.parent_death_signal import with_parent_death_signal
from resight.stack.profile import ENCODER, Profile
from resight.stack_state import StackError, make_labels_secret, occupied
from shared.kafka.clients import ensure_topics
from shared.kafka.topics import ALL, dead_letter_topics
from shared.process.readiness import readiness

READY_SECONDS = 120.0  # without news; a process that reports what it waits for has more time
WORD_SECONDS = 10.0  # interval of progress reports while waiting
DRAIN_SECONDS = 20.0  # slightly longer than the services' own limit
PARTITIONS = 4  # of each topic
_ATTEMPTS = 3  # for services that were never ready; more would repeat the same error


class Supervisor:
    """One embedded stack. All work is done in its methods, in the calling thread.

    `report` gets a line of text for noteworthy events. The kernel kills the processes if the
    calling thread ends without `stop`.
    """

    def __init__(self, profile: Profile, report: Callable[[str], None]) -> None:
        self.profile = profile
        self._report = report
        self._resources = ExitStack()
        broker, *stores = profile.servers
        self._broker = self._server(broker)
        self._stores = [self._server(store) for store in stores]
        self._services = [self._service(name) for name in profile.processes]
        self.state = profile.state(os.getpid())

    def start(self) -> None:
        """Start everything and return when every service is ready.

        Raises:
            StackError: the folder is in use, or a process can't start; its log is quoted.
        """
        self._resources.enter_context(occupied(self.profile.folder))
        make_labels_secret(self.profile.folder)
        try:
            for server in (self._broker, *self._stores):
                self._start_server(server)
            self._create_topics()
            self._export_model()
            self._embed_anew()
            for service in self._services:
                service.start(time.monotonic())
            self._await_readiness()
        except BaseException:
            self.stop()
            raise
        self.state.write(self.profile.folder)

    def tick(self) -> None:
        """Check the processes once and restart those that ended. Call it often.

        Raises:
            StackError: a server can't be restarted.
        """
        now = time.monotonic()
        if (status := self._broker.ended(now)) is not None:
            self._replace_broker(status)
        for server in self._stores:
            if (status := server.ended(now)) is not None:
                self._report(f"{server.name} exited with status {status}; restarting")
                self._start_server(server)
        for service in self._services:
            if (status := service.ended(now)) is not None:
                self._report(
                    f"{service.name} exited with status {status}; restarting in "
                    f"{service.pause:g} s; its log: {service.log}"
                )
            elif service.due(now):
                service.start(now)
            elif service.process is not None:
                self._look_at(service)

    def readiness(self) -> Mapping[str, bool]:
        """Return which services were ready at the last check."""
        return {service.name: service.ready for service in self._services}

    def processes(self) -> Mapping[str, int]:
        """Return the process ID of every running service."""
        return {each.name: each.process.pid for each in self._services if each.process}

    def all_processes(self) -> Mapping[str, int]:
        """Return the process ID of every running server and service."""
        every = (self._broker, *self._stores, *self._services)
        return {each.name: each.process.pid for each in every if each.process}

    def stop(self) -> None:
        """Stop the services after their current batch, then the servers."""
        self._end(self._services, DRAIN_SECONDS)
        self._end([self._broker, *self._stores], DRAIN_SECONDS)
        self._resources.close()

    def _await_readiness(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        next_word = time.monotonic() + WORD_SECONDS
        while not all(self.readiness().values()):
            self.tick()
            silent = [each for each in self._services if not each.ready and not each.trouble]
            for service in self._services:
                late = time.monotonic() > deadline and service in silent
                if late or service.failures >= _ATTEMPTS:
                    trouble = "does not respond" if late else "can't start"
                    raise StackError(f"{service.name} {trouble}; its log:\n{service.log_tail()}")
            if time.monotonic() > next_word:
                next_word = time.monotonic() + WORD_SECONDS
                for service in self._services:
                    if service.trouble:
                        self._report(f"{service.name} is not ready yet: {service.trouble}")
            time.sleep(0.1)

    def _replace_broker(self, status: int) -> None:
        # The broker kept everything in memory, group offsets included. The services cannot commit
        # their current batch any more, so draining is useless.
        self._report(
            f"broker exited with status {status}; restarting it and the services. Captures in "
            f"flight are lost: publish them again, their IDs stay the same"
        )
        self._end(self._services, 0.0)
        self._start_server(self._broker)
        self._create_topics()
        for service in self._services:
            service.start(time.monotonic())

    def _start_server(self, server: Child) -> None:
        try:
            server.start(time.monotonic())
        except RuntimeError as error:
            raise StackError(str(error)) from error

    def _create_topics(self) -> None:
        ensure_topics(self.state.kafka(), [*ALL, *dead_letter_topics()], PARTITIONS)

    def _export_model(self) -> None:
        if self.profile.model.exists():
            return
        if self.profile.encoder is not None:
            raise StackError(f"there is no model {self.profile.encoder}; see `resight export`")
        self._report(f"exporting the encoder {ENCODER} (only once per data folder)")
        self._run(f"export {ENCODER}", "export", ENCODER, "--output", str(self.profile.model))

    def _embed_anew(self) -> None:
        """Re-embed sightings of other models, if the ledger has any."""
        with open_ledger(self.state.ledger_url) as ledger:
            if not ledger.galleries():
                return
        self._report("re-embedding sightings of other models")
        where = "--ledger-url", self.state.ledger_url
        broker = "--bootstrap-servers", self.state.bootstrap_servers
        for line in self._run("embed earlier sightings", "ledger", "embed", *where, *broker):
            self._report(line)

    def _run(self, what: str, *arguments: str) -> list[str]:
        """Run one of our commands and return its output lines.

        It runs in a separate process because it needs PyTorch or ONNX, and the supervisor must stay
        small.

        Raises:
            StackError: it failed; the end of its log is quoted.
        """
        done = subprocess.run(  # noqa: S603
            with_parent_death_signal([sys.executable, "-P", "-m", "resight", *arguments]),
            env=self.profile.environment("embedder", os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise StackError(f"can't {what}:\n{done.stdout[-1500:]}")
        return [line for line in done.stdout.splitlines() if line.strip()]

    def _server(self, server: Server) -> Child:
        safe = replace(
            server, command=with_parent_death_signal(server.command), report=self._report
        )
        return Child(server.name, safe.start, server.folder / f"{server.name}.log")

    def _service(self, name: str) -> Child:
        log = self.profile.folder / "logs" / f"{name}.log"

        def launch() -> Process:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as output:
                return subprocess.Popen(  # noqa: S603
                    with_parent_death_signal(
                        [sys.executable, "-P", "-m", self.profile.processes[name]]
                    ),
                    env=self.profile.environment(name, os.environ),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C must reach only the supervisor
                )

        return Child(name, launch, log)

    def _look_at(self, service: Child) -> None:
        said = readiness(self.state.telemetry[service.name])
        service.ready, service.trouble = said.ready, said.trouble
        if service.ready and not service.announced:
            service.announced = True
            self._report(f"{service.name} is ready")

    def _end(self, children: list[Child], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for child in children:
            child.ask_to_end()
        for child in children:
            if not child.end(deadline - time.monotonic()):
                self._report(f"{child.name} did not stop in time and was killed")
