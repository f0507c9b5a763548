"""How commands speak: results on stdout, progress and errors, as sentences, on stderr."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from kafka.errors import KafkaError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import Progress as Bars
from rich.progress import track
from rich.segment import Segment
from rich.text import Text
from typer.core import TyperGroup

from shared.errors import ResightError
from shared.process.text import json_line, printable

T = TypeVar("T")


class PlainConsole(Console):
    """Shows what strangers have written as text: no markup, no escape codes, no forged lines."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is shown; every renderable in a renderable comes by here."""
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
        help="Broker to talk to, host:port. Default: the stack that runs from --data-dir, "
        "else RESIGHT_KAFKA_BOOTSTRAP_SERVERS.",
        show_default=False,
    ),
]
DataDir = Annotated[Path, typer.Option(help="Data folder of the stack that `resight up` runs.")]
LedgerUrl = Annotated[
    str | None,
    typer.Option(
        help="The ledger, redis://host:port/db. Default: that of the stack that runs from "
        "--data-dir, else RESIGHT_LEDGER_URL.",
        show_default=False,
    ),
]
FromLedger = Annotated[
    bool,
    typer.Option(
        "--from-ledger",
        help="Take the sightings of a ledger too, its individuals for identities. The crops are "
        "those of the stack that runs from --data-dir, else of RESIGHT_BLOBS_CROPS_URL.",
    ),
]
Share = Literal["all", "even", "odd"]
Individuals = Annotated[
    Share,
    typer.Option(
        help="Of the ledger: all, or every other one by lot. A model that learnt from the even "
        "ones is calibrated on the odd ones, which it has not seen."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class CommandError(ResightError):
    """A command could not do what it was asked for; the text says why and what to do."""


class Commands(TyperGroup):
    """Commands whose foreseeable errors are a sentence and exit status 1, not a traceback."""

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
        """Give a function that moves a progress bar."""
        with Bars(console=notes, transient=True, disable=not notes.is_terminal) as bars:
            row = bars.add_task(what)
            yield lambda done, total: bars.update(row, completed=done, total=total)

    def note(self, text: str) -> None:
        """Print one line."""
        note(text)


def note(text: str) -> None:
    """Print one line for the person who watches; paths and names in it are taken literally."""
    notes.print(Text(text), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    typer.echo(json_line(value))
