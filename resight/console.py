"""How commands speak: results on stdout, progress and errors, as sentences, on stderr."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from kafka.errors import KafkaError
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from shared.errors import ResightError

results = Console(highlight=False)
notes = Console(stderr=True, highlight=False)

BootstrapServers = Annotated[
    str | None,
    typer.Option(
        help="Broker to talk to, host:port. Default: the stack that runs from --data-dir, "
        "else RESIGHT_KAFKA_BOOTSTRAP_SERVERS.",
        show_default=False,
    ),
]
DataDir = Annotated[Path, typer.Option(help="Data folder of the stack that `resight up` runs.")]
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


def note(text: str) -> None:
    """Print one line for the person who watches; paths and names in it are taken literally."""
    notes.print(Text(text), soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))
