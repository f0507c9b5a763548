"""`resight watch`: follow decisions."""

from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from resight.connections import kafka_settings
from resight.console import AsJson, BootstrapServers, DataDir, note, print_json, results
from resight.reports.decisions import columns, row
from resight.stack_state import DEFAULT_FOLDER
from shared.kafka.epochs import LatestEpoch
from shared.kafka.topic_reader import TopicReader
from shared.kafka.topics import DECISIONS
from shared.messages import Decision


def watch(
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with the oldest decision.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many decisions.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print decisions, one per line, until Ctrl-C.

    A decision may be repeated, with the same gallery, epoch and number. After a restore of the
    ledger a new epoch begins: a line says so, and earlier epochs are skipped.
    """
    kafka = kafka_settings(bootstrap_servers, data_dir)
    shown, latest = 0, LatestEpoch()
    with TopicReader(kafka, [DECISIONS], from_beginning=from_beginning) as reader:
        if not as_json:
            note(f"following decisions on {kafka.bootstrap_servers}; stop with Ctrl-C")
            results.print(columns(), soft_wrap=True)
        while limit is None or shown < limit:
            for record in reader.poll(0.5):
                if shown == limit:
                    break
                try:
                    decision = Decision.FromString(record.value or b"")
                except DecodeError as error:
                    note(f"partition {record.partition} offset {record.offset}: {error}")
                    continue
                if latest.begins(decision.epoch):
                    note("the ledger was restored: earlier decisions no longer count")
                if not latest.counts(decision.epoch):
                    note(f"ignored entry {decision.number} of an earlier ledger epoch")
                    continue
                shown += 1
                if as_json:
                    print_json(MessageToDict(decision, preserving_proto_field_name=True))
                else:
                    results.print(row(decision), soft_wrap=True)
