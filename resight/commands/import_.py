"""`resight import`: import a catalogue of known animals."""

import getpass
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from catalogue.formats import detection
from catalogue.plan import Plan, not_enrolled, plan
from catalogue.plan import report as as_table
from catalogue.publishing.account import Account
from catalogue.publishing.follow import publish_and_follow
from catalogue.reading.listing import LeftOut
from resight.commands.publish import LEFT_OUT
from resight.connections import kafka_settings, label_settings
from resight.console import (
    AsJson,
    BootstrapServers,
    CommandError,
    DataDir,
    note,
    notes,
    print_json,
    results,
)
from resight.learning.calibration import calibrate
from resight.learning.pictures import LedgerPictures
from resight.stack.profile import ENCODER
from resight.stack_state import DEFAULT_FOLDER
from shared.errors import ResightError

_SHOWN = 10
PATIENCE_SECONDS = 300.0


def import_(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="CATALOGUE",
            help="Folder or ZIP: Camtrap DP, COCO, Wildbook, a metadata.csv, or one folder per "
            "individual. Or such a file.",
        ),
    ],
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be enrolled without doing it.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write skipped rows and their reasons to this CSV.")
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option("--as", help="Name recorded in the ledger. Default: your user name."),
    ] = None,
    species: Annotated[str | None, typer.Option(help="Species of all pictures.")] = None,
    population: Annotated[str | None, typer.Option(help="Population of all pictures.")] = None,
    deployment: Annotated[
        str | None, typer.Option(help="Deployment (camera) of all pictures.")
    ] = None,
    calibrating: Annotated[
        bool,
        typer.Option(
            "--calibrate/--no-calibrate",
            help="Fit a calibration to the ledger afterwards, up to 1 s per picture.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Import a catalogue: its animals become individuals and keep their names.

    Each named picture is cut out, embedded and enrolled by the running system; nothing is asked
    about it. The same catalogue twice changes nothing, and a picture that was decided before gets
    its name now. Pictures without a name are skipped: publish them afterwards to identify them.

    Afterwards a calibration is fitted to the confident individuals, and its expected accuracy is
    printed. Use it with `resight up --calibration FILE`.

    If rows are skipped, the report lists them with their reasons and the exit status is 3.
    """
    with tempfile.TemporaryDirectory() as folder:
        if source.suffix.casefold() == ".zip":
            with source.open("rb") as archive:
                source = detection.unpack(archive, source.name, Path(folder))
        try:
            planned = plan(source, species=species, population=population, deployment=deployment)
        except (FileNotFoundError, ValueError) as error:
            raise CommandError(str(error)) from error
        left = list(planned.left_out)
        if not as_json:
            _show(planned)
        account = None
        if not dry_run and planned.photographs:
            kafka = kafka_settings(bootstrap_servers, data_dir)
            with _progress(as_json) as bar:
                task = bar.add_task("enrolling", total=planned.sightings)
                account = publish_and_follow(
                    kafka,
                    planned.photographs,
                    lambda so_far: bar.update(task, completed=_done(so_far)),
                    PATIENCE_SECONDS,
                    actor or _user(),
                    labels=label_settings(data_dir),
                )
            left += not_enrolled(account, source)
    if report is not None:
        report.write_text(as_table(left), encoding="utf-8", newline="")
    if account and account.decisions and calibrating and not as_json:
        _calibrate(data_dir)
    _tell(planned, account, left, report, as_json=as_json)
    if left:
        raise typer.Exit(LEFT_OUT)


def _calibrate(data_dir: Path) -> None:
    """Fit a calibration to the ledger, or say why that is not possible yet."""
    model, target = data_dir / "models" / f"{ENCODER}.onnx", data_dir / "calibration.json"
    if not model.is_file():
        note(f"no calibration was fitted: model not found: {model}; see `resight calibrate --help`")
        return
    # PyTorch and scikit-learn take seconds to import, and few commands need them.
    from recognition.calibration.data_sets import CalibrationOptions  # noqa: PLC0415

    note("fitting a calibration to the confident individuals")
    try:
        calibrate((), LedgerPictures(None, data_dir), model, target, options=CalibrationOptions())
    except ResightError as error:
        note(f"no separate calibration yet: {error}")
        return
    note(f"use it with `resight up --calibration {target}`")


def _show(planned: Plan) -> None:
    for told in planned.notes[:_SHOWN]:
        note(told)
    table = Table("gallery", "individuals", "sightings")
    for name, (sightings, individuals) in planned.galleries.items():
        table.add_row(name, str(individuals), str(sightings))
    results.print(f"{planned.format}: {planned.rows} rows")
    if planned.galleries:
        results.print(table)
    for each in planned.left_out[:_SHOWN]:
        note(f"skipped: {each.where}: {each.reason}")
    if len(planned.left_out) > _SHOWN:
        note(f"skipped: {len(planned.left_out) - _SHOWN} more; --report FILE lists them all")


def _tell(
    planned: Plan,
    account: Account | None,
    left: list[LeftOut],
    report: Path | None,
    *,
    as_json: bool,
) -> None:
    enrolled = len(account.decisions) if account else 0
    if as_json:
        print_json(
            {
                "format": planned.format,
                "rows": planned.rows,
                "galleries": {
                    name: {"sightings": sightings, "individuals": individuals}
                    for name, (sightings, individuals) in planned.galleries.items()
                },
                "enrolled": enrolled,
                "left_out": [{"where": each.where, "reason": each.reason} for each in left],
                "notes": list(planned.notes),
            }
        )
    elif account:
        results.print(f"enrolled {enrolled} of {len(account.published)} sightings")
        for each in left[len(planned.left_out) :][:_SHOWN]:
            note(f"not enrolled: {each.where}: {each.reason}")
    elif not planned.photographs:
        raise CommandError(
            f"no animal in {planned.format} has a name; `resight import --help` lists the formats"
        )
    if report is not None and not as_json:
        results.print(f"wrote {report}: {len(left)} skipped rows")


def _progress(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=quiet,
    )


def _done(account: Account) -> int:
    return len(account.published) - len(account.missing)


def _user() -> str:
    try:
        return getpass.getuser()
    except KeyError as error:
        raise CommandError("cannot determine your user name; use --as NAME") from error
