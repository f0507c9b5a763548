"""`resight demo`: the whole system, once, on pictures of animals."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from catalogue.publishing.account import Account
from catalogue.reading.catalogue import Catalogue
from resight.console import CommandError, note, notes, results, write_json
from resight.demonstration import demonstrate
from resight.reports.contact_sheet import contact_sheet
from resight.reports.portraits import portraits
from resight.reports.run_tables import individuals_table, outcomes_table
from resight.reports.summary import summarise
from resight.sources import read_catalogue, show_notes
from services.registry.identity.question import Question

_LISTED = 5


def demo(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of pictures, with or without metadata.csv. Default: synthetic animals.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Maximum number of pictures.")] = None,
    individuals: Annotated[int, typer.Option(min=2, help="Number of synthetic animals.")] = 24,
    seed: Annotated[int, typer.Option(help="Random seed of the synthetic animals.")] = 0,
    output: Annotated[
        Path, typer.Option(help="Output folder: contact-sheet.png, summary.json and the stack.")
    ] = Path("out/demo"),
    json_file: Annotated[
        Path | None,
        typer.Option("--json", help="Also write summary.json here.", show_default=False),
    ] = None,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the stack's data (ledger, gallery, crops, logs)."),
    ] = False,
) -> None:
    """Run the whole system once on this machine and show the identified animals.

    Without --data it uses synthetic animals. The exit status is 0 only if every sighting became a
    decision or a dead letter.
    """
    output.mkdir(parents=True, exist_ok=True)
    folder = data or _draw(output / f"drawn-{individuals}-{seed}", individuals, seed)
    found = read_catalogue([folder]).first(limit)
    show_notes(found)
    if not found.photographs:
        raise CommandError(f"no pictures in {folder}")
    stack = output / "stack"
    with _bars(found) as show:
        account, questions = demonstrate(found.photographs, stack, output / "models", note, show)
    show_notes(Catalogue((), tuple(account.skipped)))
    _present(account, questions, stack / "crops", output, json_file)
    if account.missing:
        raise CommandError(_missing(account, stack))
    if not keep:
        shutil.rmtree(stack)


def _draw(folder: Path, individuals: int, seed: int) -> Path:
    # It needs OpenCV, which no other command does.
    from recognition.synthetic.dataset import draw  # noqa: PLC0415

    with _progress() as progress:
        task = progress.add_task("drawing", total=None)
        draw(
            folder,
            individuals=individuals,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    return folder


@contextmanager
def _bars(found: Catalogue) -> Iterator[Callable[[Account], None]]:
    with _progress() as progress:
        published = progress.add_task("published", total=len(found.photographs))
        decided = progress.add_task("decided", total=None)
        dead = progress.add_task("dead letters", total=None)
        yield lambda account: _update(progress, (published, decided, dead), account)


def _update(progress: Progress, tasks: tuple[TaskID, TaskID, TaskID], account: Account) -> None:
    published, decided, dead = tasks
    sightings = len(account.published)
    progress.update(published, completed=account.captures)
    progress.update(decided, completed=len(account.decisions), total=sightings)
    progress.update(dead, completed=len(account.dead), total=sightings)


def _progress() -> Progress:
    columns = TextColumn("{task.description:>15}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, console=notes)


def _present(
    account: Account,
    questions: Sequence[Question],
    crops: Path,
    output: Path,
    json_file: Path | None,
) -> None:
    summary = summarise(account, questions)
    sheet = output / "contact-sheet.png"
    contact_sheet(portraits(account, questions, crops), sheet)
    for target in (output / "summary.json", json_file):
        if target is not None:
            write_json(target, summary.as_dict())
    results.print(individuals_table(account, questions))
    results.print(outcomes_table(summary))
    note(f"contact sheet: {sheet}")
    note(f"summary: {output / 'summary.json'}")


def _missing(account: Account, stack: Path) -> str:
    paths = sorted({str(account.published[key].path) for key in account.missing})
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return (
        f"{len(account.missing)} of {len(account.published)} sightings have neither a decision nor "
        f"a dead letter: those of {', '.join(paths[:_LISTED])}{more}; "
        f"the services' logs are in {stack / 'logs'}"
    )
