"""`resight status`: readiness and backlog."""

from rich.table import Table

from resight.connections import kafka_settings
from resight.console import AsJson, BootstrapServers, DataDir, print_json, results
from resight.stack_state import DEFAULT_FOLDER, running
from shared.kafka import backlog
from shared.kafka.topics import CAPTURES, DECISIONS
from shared.process.readiness import ready


def status(
    *,
    bootstrap_servers: BootstrapServers = None,
    data_dir: DataDir = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Show readiness, backlog and totals.

    Readiness is known only for the stack on this machine.
    """
    kafka = kafka_settings(bootstrap_servers, data_dir)
    stack = None if bootstrap_servers else running(data_dir)
    readiness = {name: ready(at) for name, at in stack.telemetry.items()} if stack else {}
    now = backlog.read(kafka)
    totals = {
        "captures": now.records[CAPTURES],
        "decisions": now.records[DECISIONS],
        "dead_letters": now.dead_letters,
    }
    if as_json:
        services = {name: {"ready": readiness.get(name), "lag": now.lag[name]} for name in now.lag}
        print_json({"broker": kafka.bootstrap_servers, "services": services, **totals})
        return
    table = Table("service", "state", "lag", title=f"broker {kafka.bootstrap_servers}")
    for name, lag in now.lag.items():
        state = {True: "ready", False: "not ready", None: "elsewhere"}[readiness.get(name)]
        table.add_row(name, state, str(lag))
    results.print(table)
    results.print(
        f"{totals['captures']} captures on the topic, {totals['decisions']} decisions, "
        f"{totals['dead_letters']} dead letters"
    )
