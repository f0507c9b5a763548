"""Console output of commands: results on stdout, progress and errors on stderr."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from kafka.errors import KafkaError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn, track
from rich.progress import Progress as Bars
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperGroup

from shared.errors import ResightError
from shared.process.text import json_line, printable

T = TypeVar("T")


class PlainConsole(Console):
    """Prints untrusted text literally: no markup, no escape codes, no forged lines."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the renderable; nested ones are escaped too."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


results = PlainConsole(highlight=False, markup=False)
notes = PlainConsole(stderr=True, highlight=False, markup=False)

BootstrapServers = Annotated[
    str | None,
    typer.Option(
        help="Broker, host:port. Default: the stack running from --data-dir, else "
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS.",
        show_default=False,
    ),
]
DataDir = Annotated[Path, typer.Option(help="Data folder of the stack started by `resight up`.")]
LedgerUrl = Annotated[
    str | None,
    typer.Option(
        help="Ledger, redis://host:port/db. Default: the stack running from --data-dir, else "
        "RESIGHT_LEDGER_URL.",
        show_default=False,
    ),
]
FromLedger = Annotated[
    bool,
    typer.Option(
        "--from-ledger",
        help="Also use the sightings of a ledger, with its individuals as identities. Crops come "
        "from the stack running from --data-dir, else from RESIGHT_BLOBS_CROPS_URL.",
    ),
]
Share = Literal["all", "even", "odd"]
Individuals = Annotated[
    Share,
    typer.Option(
        help="Individuals of the ledger: all, or a random half. A model trained on the even half "
        "is calibrated on the odd half."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class CommandError(ResightError):
    """A command failed; the message says why and what to do."""


class Commands(TyperGroup):
    """Commands that report expected errors in one sentence, with exit status 1 and no traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (ResightError, KafkaError, OSError) as error:
            notes.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
            raise typer.Exit(1) from error


class ConsoleProgress:
    """Progress bars and notes on stderr; see `shared.progress.Progress`."""

    def watch(self, items: Iterable[T], what: str, total: int) -> Iterable[T]:
        """Yield the items under a progress bar."""
        yield from track(
            items, what, total=total, console=notes, transient=True, disable=not notes.is_terminal
        )

    @contextmanager
    def bar(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Yield a function that moves a progress bar."""
        with Bars(console=notes, transient=True, disable=not notes.is_terminal) as bars:
            row = bars.add_task(what)
            yield lambda done, total: bars.update(row, completed=done, total=total)

    def note(self, text: str) -> None:
        """Print one line."""
        note(text)


def note(text: str) -> None:
    """Print one line to stderr; paths and names in it are printed literally."""
    notes.print(Text(text), soft_wrap=True)


@contextmanager
def stage_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows a stage, the number done, and the total."""
    columns = (
        TextColumn("{task.description:>10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=notes, transient=True) as bars:
        row = bars.add_task("")
        yield lambda stage, done, total: bars.update(
            row, description=stage, completed=done, total=total
        )


def write_json(file: Path, value: Any) -> None:
    """Write a value as indented JSON; the folder is created."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=2) + "\n")


def print_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    typer.echo(json_line(value))
