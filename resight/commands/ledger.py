"""`resight ledger`: verify, back up, restore and rebuild the ledger."""

import gzip
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, track

from resight.connections import kafka_settings, ledger_address, ledger_at, open_ledger
from resight.console import (
    AsJson,
    BootstrapServers,
    CommandError,
    Commands,
    DataDir,
    LedgerUrl,
    note,
    notes,
    print_json,
    results,
)
from resight.ledger_tools.consistency import published, topic_faults, vector_faults
from resight.stack_state import DEFAULT_FOLDER
from services.lookup.build import build_galleries
from services.lookup.settings import GallerySettings
from services.registry.api.access.audit_log import COMMAND_LINE, AuditLog
from services.registry.ledger.archive import archived, check_archive, emptied, restored
from services.registry.ledger.audit import check
from services.registry.outbox.broker import Broker
from shared.blobs import BlobStore
from shared.environment import load
from shared.files import replacing
from shared.settings import BlobSettings

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="Verify, back up, restore and rebuild the ledger.",
)


# The bar moves once per this many lines.
_TOLD_LINES = 100


@app.command()
def verify(
    *,
    topics: Annotated[
        bool,
        typer.Option("--topics", help="Also compare with the decisions and enrolments topics."),
    ] = False,
    vectors: Annotated[
        bool,
        typer.Option(
            "--vectors",
            help="Also compare with the gallery in Qdrant (RESIGHT_GALLERY_…). An embedded gallery "
            "can be read only while lookup is stopped.",
        ),
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Check the ledger's consistency: entries, enrolments, individuals and images.

    Stop the registry first, or run it twice: entries in flight can look like faults. The exit
        status is 1 if there is a fault.
    """
    ledger = ledger_at(ledger_url, data_dir)
    names = ledger.galleries()
    found = {
        name: check(ledger, name)
        for name in track(names, "verifying", console=notes, transient=True)
    }
    if topics:
        decisions, enrolments = published(kafka_settings(bootstrap_servers, data_dir))
        for name in names:
            found[name] += topic_faults(ledger, name, decisions, enrolments)
    if vectors:
        with closing(build_galleries(load(GallerySettings))) as galleries:
            for name in names:
                found[name] += vector_faults(ledger, name, galleries)
    for name, faults in found.items():
        if as_json:
            print_json({"gallery": name, "faults": faults})
            continue
        entries = ledger.count(name, "entries")
        verdict = f"{len(faults)} faults" if faults else "sound"
        results.print(f"{name}: {verdict}, entries: {entries}")
        for fault in faults:
            results.print(f"  {fault}")
    if not names:
        results.print("no galleries yet")
    if any(found.values()):
        raise typer.Exit(1)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="Output file (gzip).")],
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Export the whole ledger to a file. Stop the registry first.

    The file includes digests of API keys, alert rules and the audit log: protect it like a
    password. Crops are not included.
    """
    with replacing(file) as draft, open_ledger(ledger_address(ledger_url, data_dir)) as ledger:
        with (
            gzip.open(draft, "wt") as target,
            _tracked(archived(ledger.store), "exporting") as lines,
        ):
            count = sum(1 for line in lines if target.write(f"{line}\n"))
        entries = sum(ledger.count(name, "entries") for name in ledger.galleries())
        AuditLog(ledger.store).note("export the ledger", COMMAND_LINE, about=file.name)
    results.print(f"wrote {file}: {entries} entries in {count} lines", soft_wrap=True)


@app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="File written by `ledger export`.")],
    *,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Delete the current ledger first."),
    ] = False,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Restore a ledger from a file. Stop the registry and the API first.

    When the registry starts, it publishes everything and lookup refills its gallery. A new epoch
    begins, so records published after the backup no longer count. Without --replace, none of its
    galleries may exist yet.
    """
    if not file.is_file():
        raise CommandError(f"file not found: {file}")
    with open_ledger(ledger_address(ledger_url, data_dir)) as ledger:
        try:
            with gzip.open(file, "rt") as source:
                if replace:
                    _check_file(file)
                    results.print(f"deleted {emptied(ledger.store)} keys of the previous ledger")
                with _tracked(source, "importing") as lines:
                    for gallery in restored(ledger.store, lines):
                        results.print(f"{gallery}: {ledger.count(gallery, 'entries')} entries")
            AuditLog(ledger.store).note("import a ledger", COMMAND_LINE, about=file.name)
        except (EOFError, UnicodeDecodeError, gzip.BadGzipFile) as error:
            raise CommandError(f"{file} is damaged or not a ledger export: {error}") from error


def _check_file(file: Path) -> None:
    """Read a file to its end, so that a ledger is replaced only by a valid one."""
    with gzip.open(file, "rt") as source, _tracked(source, "reading") as lines:
        check_archive(lines)


@contextmanager
def _tracked(lines: Iterable[str], words: str) -> Iterator[Iterator[str]]:
    """Show a progress bar for the duration of a block.

    `rich.progress.track` joins its thread when it is garbage-collected; if that thread itself
    collects it, it deadlocks.
    """
    with Progress(console=notes, transient=True) as progress:
        task = progress.add_task(words, total=None)

        def told() -> Iterator[str]:
            for number, line in enumerate(lines, 1):
                if number % _TOLD_LINES == 0:
                    progress.advance(task, _TOLD_LINES)
                yield line

        yield told()


@app.command()
def rebuild(
    *,
    bootstrap_servers: BootstrapServers = None,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Publish all enrolments again, so that lookup rebuilds a lost gallery.

    Existing vectors stay. Keypoints need no rebuild: missing ones are computed when needed.
    """
    ledger = ledger_at(ledger_url, data_dir)
    with closing(Broker(kafka_settings(bootstrap_servers, data_dir))) as broker:
        for name in ledger.galleries():
            enrolled = ledger.count(name, "enrolments")
            with Progress(console=notes, transient=True) as progress:
                task = progress.add_task(f"publishing {name}", total=enrolled)
                for chunk in ledger.between(name, 0, enrolled):
                    broker.publish([enrolment for enrolment, _ in chunk])
                    progress.advance(task, len(chunk))
            results.print(f"{name}: {enrolled} enrolments")


@app.command()
def renew(
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Begin a new epoch and publish the whole ledger again.

    Use it when the registry refuses to start because the ledger lost its latest entries: the topics
    hold numbers that would be assigned twice. Publish the affected pictures again. Stop the
    registry and the API before, start them afterwards.
    """
    ledger = ledger_at(ledger_url, data_dir)
    results.print(f"epoch {ledger.renew()}: the registry publishes everything at its next start")


@app.command()
def embed(
    *,
    bootstrap_servers: BootstrapServers = None,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Re-embed enrolled sightings with the current model, from their crops.

    Lookup compares only vectors of one model. Run this before starting the embedder with a new
    model, in its environment (RESIGHT_ENCODER_…, RESIGHT_BLOBS_CROPS_URL); `resight up` does it
    automatically. It resumes after an interruption. A sighting whose crop is missing is named and
    keeps its old embedding.
    """
    # ONNX Runtime takes a second to import, and no other command here needs it.
    from resight.ledger_tools.reembed import outdated, reembed  # noqa: PLC0415
    from services.embedder.build import build_embedder  # noqa: PLC0415
    from services.embedder.settings import EmbedderSettings, EncoderSettings  # noqa: PLC0415

    ledger, blobs = ledger_at(ledger_url, data_dir), load(BlobSettings)
    crops, kafka = BlobStore(blobs.crops_url), kafka_settings(bootstrap_servers, data_dir)
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder, closing(Broker(kafka)) as broker:
        embedder = build_embedder(
            load(EmbedderSettings),
            load(EncoderSettings),
            # no retries: each entry is stored once
            crops=BlobStore(Path(folder).as_uri(), writes=True),
            captures=BlobStore(blobs.captures_url),
        )
        for name in ledger.galleries():
            total = sum(1 for _ in outdated(ledger, name, embedder.model))
            batches = reembed(ledger, name, embedder, crops, broker.publish)
            with Progress(console=notes, transient=True) as progress:
                task = progress.add_task(f"embedding {name}", total=total)
                for done, reasons in batches:
                    failed += reasons
                    progress.advance(task, done + len(reasons))
            if total:
                results.print(f"{name}: {total} re-embedded")
    for reason in failed:
        note(reason)
    if failed:
        note(
            f"{len(failed)} sightings keep their old embedding and are no longer compared: their "
            f"crops are missing or damaged"
        )


@app.command()
def keypoints(
    *,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Store the keypoints of enrolled crops that have none.

    The embedder stores them beside each new crop. Use this for crops of an earlier version, or
    before deploying another extractor, in its environment (RESIGHT_EXTRACTOR_…,
    RESIGHT_SEGMENTER_…, RESIGHT_BLOBS_CROPS_URL). Until then the matcher computes what is missing,
    up to 0.5 s of a core per candidate. It resumes after an interruption.
    """
    # PyTorch takes two seconds to import, and no other command here needs it.
    from resight.ledger_tools.keypoint_storing import (  # noqa: PLC0415
        store_keypoints,
        stored_crops,
    )

    ledger, crops = ledger_at(ledger_url, data_dir), stored_crops(data_dir)
    for name in ledger.galleries():
        failed: list[str] = []
        changed = 0
        with Progress(console=notes, transient=True) as progress:
            task = progress.add_task(f"checking {name}", total=ledger.count(name, "enrolments"))
            for done, named, reasons in store_keypoints(ledger, name, crops):
                failed += reasons
                changed += named
                progress.advance(task, done)
        for reason in failed:
            note(reason)
        there = ledger.count(name, "enrolments") - len(failed)
        results.print(f"{name}: {there} with stored keypoints")
        if changed:
            note(
                f"lookup does not know {changed} of them yet; `resight ledger rebuild` publishes "
                "them again"
            )
