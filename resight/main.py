"""`resight`: the command line."""

import typer

from resight.commands import catalogue, dead_letters, galleries, individuals, keys, ledger
from resight.commands.demo import demo
from resight.commands.explain import explain
from resight.commands.import_ import import_
from resight.commands.publish import publish
from resight.commands.recognition.adapt import adapt
from resight.commands.recognition.calibrate import calibrate
from resight.commands.recognition.evaluate import evaluate
from resight.commands.recognition.export import export
from resight.commands.recognition.learn import learn
from resight.commands.recognition.replay import replay
from resight.commands.recognition.table import table
from resight.commands.recognition.train import train
from resight.commands.size import size
from resight.commands.status import status
from resight.commands.up import up
from resight.commands.watch import watch
from resight.console import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Have we seen this animal before? Identifies individual animals in camera-trap "
    "photographs.\n\n"
    "Start with `resight demo`. Or run `resight up` in one terminal, and `resight publish FOLDER` "
    "and `resight watch --from-beginning` in another.",
)
for command in (
    *(demo, up, publish, watch, status, explain, size),
    *(export, train, adapt, calibrate, learn, replay, evaluate, table),
):
    app.command()(command)
app.command(name="import")(import_)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(galleries.app, name="galleries")
app.add_typer(individuals.app, name="individuals")
app.add_typer(keys.app, name="keys")
app.add_typer(ledger.app, name="ledger")
