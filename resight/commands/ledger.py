"""`resight ledger`: what the registry has written: is it sound, and which model is it of?"""

import tempfile
from contextlib import closing
from pathlib import Path

import typer
from rich.progress import Progress, track

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
from resight.stack.state import DEFAULT_FOLDER
from resight.target import kafka_settings, ledger_at
from services.registry.audit import check
from services.registry.broker import Broker
from shared.blobs import BlobStore
from shared.settings import BlobSettings, load

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    help="The ledger: who every sighting is, and every decision that made it so.",
)


@app.command()
def verify(
    *, ledger_url: LedgerUrl = None, data_dir: DataDir = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Compare the ledger with itself: every entry, enrolment, individual and image.

    What entries tell must be what individuals hold; numbers have no gap; nothing is there twice.
    Of a ledger that is written to meanwhile, what is on its way may look like a fault: stop the
    registry, or run it again. It ends with exit status 1 if there is a fault.
    """
    ledger = ledger_at(ledger_url, data_dir)
    names = ledger.galleries()
    found = {
        name: check(ledger, name)
        for name in track(names, "verifying", console=notes, transient=True)
    }
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
def embed(
    *,
    bootstrap_servers: BootstrapServers = None,
    ledger_url: LedgerUrl = None,
    data_dir: DataDir = DEFAULT_FOLDER,
) -> None:
    """Embed sightings of another model anew, from their crops, by the embedder's model of now.

    Lookup compares only what one model has embedded. Run it in the embedder's environment
    (RESIGHT_ENCODER_…, RESIGHT_BLOBS_CROPS_URL) when that model changes; `resight up` does so by
    itself. What is interrupted goes on the next time.
    """
    # ONNX Runtime takes a second to import, and no other command here needs it.
    from resight.anew import embed_anew, outdated  # noqa: PLC0415
    from services.embedder.main import build_service  # noqa: PLC0415

    ledger, blobs = ledger_at(ledger_url, data_dir), load(BlobSettings)
    crops, kafka = BlobStore(blobs.crops_url), kafka_settings(bootstrap_servers, data_dir)
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder, closing(Broker(kafka)) as broker:
        nowhere = blobs.model_copy(update={"crops_url": Path(folder).as_uri()})
        embedder = build_service(nowhere)
        for name in ledger.galleries():
            total = sum(1 for _ in outdated(ledger, name, embedder.model))
            batches = embed_anew(ledger, name, embedder, crops, broker)
            with Progress(console=notes, transient=True) as progress:
                task = progress.add_task(f"embedding {name}", total=total)
                for done, reasons in batches:
                    failed += reasons
                    progress.advance(task, done + len(reasons))
            if total:
                results.print(f"{name}: {total} embedded by another model before")
    for reason in failed:
        note(reason)
    if failed:
        raise CommandError(
            f"{len(failed)} sightings keep their embedding, so nothing new is compared with them: "
            "their crops are gone or damaged"
        )
