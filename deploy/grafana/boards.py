"""All boards, and their JSON for Grafana."""

import json
from itertools import count

from grafana_foundation_sdk.builders import common, dashboard, heatmap, stat, timeseries
from grafana_foundation_sdk.builders import prometheus as source
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana import health, recognition, throughput
from deploy.grafana.panels import WIDTH, Board, Panel

BOARDS = (throughput.BOARD, recognition.BOARD, health.BOARD)

HEIGHT = 8
# Selected at the top of a board, so that one JSON serves every Grafana.
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

Builder = timeseries.Panel | stat.Panel | heatmap.Panel


def as_json(board: Board) -> str:
    """Return a board's provisioning JSON; deterministic.

    Raises:
        ValueError: a row's panels do not fill lines of 24.
    """
    made = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.help)
        .tags(["resight"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Source").type("prometheus")
        )
    )
    number = count(1)  # a panel's ID within the board
    for row in board.rows:
        if sum(panel.width for panel in row.panels) % WIDTH:
            raise ValueError(f"the panels of {board.title}, {row.title} do not fill their lines")
        made = made.with_row(dashboard.Row(row.title).id(next(number)))
        for panel in row.panels:
            made = made.with_panel(_built(panel).id(next(number)))
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _built(panel: Panel) -> Builder:
    made = _formed(panel)
    made = (
        made.title(panel.title)
        .description(panel.help)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(HEIGHT)
    )
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        asked = source.Dataquery().expr(query.promql).legend_format(query.legend).ref_id(letter)
        if panel.form == "heat":
            asked = asked.format(PromQueryFormat.HEATMAP)
        made = made.with_target(asked)
    return made


def _formed(panel: Panel) -> Builder:
    if panel.form == "heat":
        return heatmap.Panel().hide_legend()
    if panel.form == "number":
        return stat.Panel().graph_mode(BigValueGraphMode.AREA)
    made = timeseries.Panel().fill_opacity(10).min(0).show_points(VisibilityMode.NEVER)
    if panel.form == "areas":
        made = made.fill_opacity(40).stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if panel.red is not None:
        steps = [Threshold(color="green"), Threshold(value=panel.red, color="red")]
        made = made.thresholds(
            dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
        ).thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.LINE))
    return made
