"""`resight up`: the whole system on this machine."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from embedded.servers import listens
from resight.background_calibration import CalibrationFitter
from resight.connections import open_ledger
from resight.console import CommandError, DataDir, note, notes
from resight.learning.nightly import NightlyLearner, learned_model
from resight.stack.profile import KAFKA_PORT, PAGES_PORT, Profile, choose_ports
from resight.stack.supervisor import Supervisor
from resight.stack_state import DEFAULT_FOLDER
from services.registry.imports.register import ImportRegister
from shared.errors import Transient
from shared.kafka import backlog
from shared.kafka.topics import DECISIONS
from shared.settings import KafkaSettings

_LOOK_SECONDS = 0.5
_COUNT_SECONDS = 3.0


def up(
    *,
    data_dir: DataDir = DEFAULT_FOLDER,
    port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port of the broker. Default: 9092, or any free port.",
            show_default=False,
        ),
    ] = None,
    pages_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port of the review pages. Default: 8080, or any free port.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Encoder (ONNX) from `resight adapt` or `train`. Default: the published one.",
            show_default=False,
        ),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Calibration from `resight calibrate`. Default: the shipped one.",
            show_default=False,
        ),
    ] = None,
    learn: Annotated[
        Literal["nightly"] | None,
        typer.Option(
            help="Adapt and calibrate the model on the ledger's own animals every night, if enough "
            "has come in; a better one is used from the next start on.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the whole system on this machine until Ctrl-C.

    Starts a broker, two stores, the four services and the review pages as separate processes and
    restarts them when they exit. Individuals, gallery and crops are kept in --data-dir. Captures in
    flight are lost on exit: publish them again.

    With a different --model than before, enrolled sightings are first re-embedded from their crops.
    """
    for file in (model, calibration):
        if file is not None and not file.is_file():
            raise CommandError(f"file not found: {file}")
    folder = data_dir.resolve()
    if learn and not model and (taken := learned_model(folder)) is not None:
        note(f"using the learned model {taken.model}")
        model, calibration = Path(taken.model), calibration or Path(taken.calibration)
    profile = Profile(
        folder,
        folder / "models",
        choose_ports(port or _free(KAFKA_PORT), pages_port or _free(PAGES_PORT)),
        None if model is None else model.resolve(),
        None if calibration is None else calibration.resolve(),
        pages=True,
    )
    supervisor = Supervisor(profile, note)
    with _terminated_like_interrupted():
        try:
            with notes.status("starting"):
                supervisor.start()
            note(f"pages and API: {supervisor.state.pages_url}")
            note(f"ready: broker {supervisor.state.bootstrap_servers}, data in {profile.folder}")
            note(
                "publish pictures with `resight publish FOLDER`; see decisions with `resight watch`"
            )
            with open_ledger(supervisor.state.ledger_url) as ledger:
                imports = ImportRegister(ledger.store)
                workers: list[CalibrationFitter | NightlyLearner] = [
                    CalibrationFitter(imports, profile.folder, profile.model)
                ]
                if learn:
                    workers.append(NightlyLearner(ledger, profile.folder))
                try:
                    _look_after(supervisor, workers)
                finally:
                    for each in workers:
                        each.stop()
        except KeyboardInterrupt:
            note("stopping: services finish their current batch")
        finally:
            supervisor.stop()


def _look_after(
    supervisor: Supervisor, workers: Sequence[CalibrationFitter | NightlyLearner]
) -> None:
    kafka = supervisor.state.kafka()
    counted_at = 0.0
    counts = ""
    with notes.status("") as line:
        while True:
            supervisor.tick()
            for each in workers:
                each.tick()
            if time.monotonic() - counted_at > _COUNT_SECONDS:
                counts = _counts(kafka)
                counted_at = time.monotonic()
            states = " ".join(
                f"{name} {'ready' if ready else 'not ready'}"
                for name, ready in supervisor.readiness().items()
            )
            line.update(Text(f"{states} | {counts}"))
            time.sleep(_LOOK_SECONDS)


def _counts(kafka: KafkaSettings) -> str:
    try:
        now = backlog.read(kafka)
    except Transient:
        return "the broker does not respond"
    waiting = sum(now.lag.values())
    return f"{now.records[DECISIONS]} decisions, {now.dead_letters} dead letters, {waiting} waiting"


def _free(port: int) -> int:
    return 0 if listens(port) else port


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
