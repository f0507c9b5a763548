"""`resight dead-letters`: list and replay records that could not be processed."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.text import Text

from resight.connections import kafka_settings
from resight.console import (
    AsJson,
    BootstrapServers,
    CommandError,
    Commands,
    DataDir,
    note,
    print_json,
    results,
)
from resight.stack_state import DEFAULT_FOLDER
from shared.kafka.topics import dead_letter_topics
from shared.process.text import one_line
from shared.settings import KafkaSettings
from shared.stage import dead_letters
from shared.stage.dead_letters import DeadLetter

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="List and replay records that could not be processed.",
)

Topic = Annotated[
    str | None,
    typer.Option(help="Only dead letters of this topic (original or dead-letter topic)."),
]
Kind = Annotated[
    str | None, typer.Option(help="Only dead letters of this kind, such as box-outside-image.")
]


@app.command(name="list")
def list_(
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    topic: Topic = None,
    kind: Kind = None,
    as_json: AsJson = False,
) -> None:
    """List dead letters with their origin and reason."""
    letters = list(_letters(kafka_settings(bootstrap_servers, data_dir), topic, kind))
    if as_json:
        for letter in letters:
            print_json(_fields(letter))
        return
    if not letters:
        results.print("no dead letters")
        return
    for letter in letters:
        results.print(_told(letter), soft_wrap=True)


@app.command()
def replay(
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    topic: Topic = None,
    kind: Kind = None,
    again: Annotated[
        bool, typer.Option("--again", help="Include dead letters that were replayed before.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Replay dead letters to their original topics.

    Fix the cause first. A record that still fails becomes a dead letter again, with its attempt
    count increased.
    """
    kafka = kafka_settings(bootstrap_servers, data_dir)
    found = [each for each in _letters(kafka, topic, kind) if again or not _replayed(each)]
    letters = [each for each in found if each.left_out is None]
    if len(letters) < len(found):
        note(
            f"{len(found) - len(letters)} dead letters have no value because it was too large: "
            f"publish the originals again"
        )
    if letters and not yes:
        for letter in letters[:5]:
            note(f"{letter.topic} {letter.partition}:{letter.offset}: {letter.reason}")
        if not typer.confirm(f"replay {len(letters)} dead letters?", err=True):
            raise CommandError("nothing was sent")
    count = dead_letters.replay(kafka, letters)
    if as_json:
        print_json({"replayed": count})
    else:
        results.print(f"replayed {count} dead letters")


def _letters(kafka: KafkaSettings, topic: str | None, kind: str | None) -> Iterator[DeadLetter]:
    names = dead_letter_topics()
    chosen = [name for name in names if topic is None or name == topic or _origin(name) == topic]
    if not chosen:
        origins = ", ".join(dict.fromkeys(_origin(name) for name in names))
        raise typer.BadParameter(
            f"{topic!r} has no dead letters; choose one of {origins}", param_hint="--topic"
        )
    letters = dead_letters.read(kafka, chosen, foreign=note)
    return (letter for letter in letters if kind is None or letter.kind == kind)


def _origin(dead_letter_topic: str) -> str:
    return dead_letter_topic.removesuffix(".dlq").rpartition(".")[0]


def _replayed(letter: DeadLetter) -> bool:
    return letter.mark is not None and letter.mark.replayed


def _told(letter: DeadLetter) -> Text:
    """Return a dead letter as two lines: what and where, and why."""
    animals = f"{letter.sightings} sighting{'' if letter.sightings == 1 else 's'} lost"
    facts = (
        letter.time.isoformat(" ", "seconds"),
        f"{letter.topic} {letter.partition}:{letter.offset}",
        f"attempt {letter.attempt}",
        animals,
        *(["replayed"] if _replayed(letter) else []),
        *([f"its value of {letter.left_out.bytes} bytes is missing"] if letter.left_out else []),
    )
    kind = (letter.kind, "bold red" if not _replayed(letter) else "dim")
    return Text.assemble(kind, f"  {', '.join(facts)}\n    {one_line(letter.reason)}")


def _fields(letter: DeadLetter) -> dict[str, Any]:
    return {
        "time": letter.time.isoformat(),
        "dead_letter_topic": letter.address,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "group": letter.group,
        "kind": letter.kind,
        "reason": letter.reason,
        "attempt": letter.attempt,
        "sightings": letter.sightings,
        "replayed": _replayed(letter),
        "left_out": None if letter.left_out is None else asdict(letter.left_out),
    }
