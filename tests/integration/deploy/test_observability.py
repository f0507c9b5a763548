"""A real Prometheus scrapes a running stack and a real Triton: everything listed is there."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import WINDOW, Panel
from deploy.prometheus.server import Prometheus, prometheus, scraped
from embedded.servers import HOST, free_port
from resight.reference.metrics import metrics
from resight.stack_state import running
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from services.embedder.encoders.triton_encoder import TritonEncoder
from shared.process.metrics import Metric
from tests.support.samples.model_files import SIDE, tiny_model
from tests.support.servers import triton_server
from tests.support.servers.embedded_stack import coats, decisions, resight, started
from tests.support.waiting import wait_until

PICTURES = 3
STEP_SECONDS = 1.0
# The Python client's own series, and Prometheus'.
PANELS = [panel for board in BOARDS for panel in board.panels]


@dataclass(frozen=True)
class Watched:
    """What a Prometheus saw of a run, and when that was."""

    server: Prometheus
    began: float
    ended: float

    def answers(self, panel: Panel) -> list[int]:
        """Return how many series each query of a panel gives."""
        return [
            len(
                self.server.over(
                    query.promql.replace(WINDOW, "4s"), self.began, self.ended, STEP_SECONDS
                )
            )
            for query in panel.queries
        ]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Iterator[Watched]:
    """A stack that has decided on some pictures and refused one, and a Triton that was asked."""
    folder = tmp_path_factory.mktemp("watched")
    pictures = coats(tmp_path_factory.mktemp("gate"), PICTURES)
    (pictures / "broken.jpg").write_bytes((pictures / "0.jpg").read_bytes()[:1000])
    triton_server.lay_out(folder, model := tiny_model(folder / "tiny.onnx"), max_batch=16)
    grpc, metrics = free_port(), free_port()
    with (
        triton_server.running(folder, grpc, metrics),
        started(folder / "data", encoder_file) as up,
    ):
        state = running(up.folder)
        assert state is not None
        targets = {name: urlsplit(at).netloc for name, at in state.telemetry.items()}
        with prometheus(folder / "prometheus", targets | {"triton": f"{HOST}:{metrics}"}) as server:
            began = time.time()
            scraped(server)
            resight("publish", pictures, "--data-dir", up.folder)
            encoder = TritonEncoder(
                f"{HOST}:{grpc}", OnnxEncoder(model, threads=1).model, SIDE, 16, 10
            )
            noise = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
            for _ in range(3):
                encoder.encode(noise)
            encoder.close()
            decisions(up.folder, PICTURES)
            watched = Watched(server, began, 0.0)
            last = "resight_registry_decisions_total"
            wait_until(lambda: server.names() >= {last} and _seen(server, began))
            yield Watched(watched.server, began, time.time())


def _seen(server: Prometheus, began: float) -> bool:
    """Return whether the last decision and the last letter were scraped, and the scrape after."""
    counts = [
        sum(max(each.values.values()) for each in server.over(of, began, time.time(), 1.0))
        for of in (
            "sum(resight_registry_decisions_total)",
            "sum(resight_stage_dead_letters_total)",
            "sum(rate(nv_inference_request_success[4s])) > 0",
            "resight:decided_in_time:ratio_rate1h",
        )
    ]
    return counts[0] == PICTURES and counts[1] == 1 and counts[2] > 0 and counts[3] > 0


def test_every_metric_of_the_list_is_scraped_and_no_other(watched: Watched) -> None:
    said = {name for name in watched.server.names() if name.startswith("resight_")}
    said -= {name for name in said if name.endswith("_created")}
    assert said == {name for measure in metrics() for name in _series(measure)}


def _series(measure: Metric) -> list[str]:
    if measure.kind != "histogram":
        return [measure.name]
    return [f"{measure.name}_{end}" for end in ("bucket", "sum", "count")]


def test_no_label_has_a_value_that_is_not_listed(watched: Watched) -> None:
    for measure in metrics():
        for label, values in measure.labels.items():
            if values:
                said = watched.server.values(label, _series(measure)[0])
                assert said <= set(values), (measure.name, label)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_every_query_of_every_panel_returns_data(watched: Watched, panel: Panel) -> None:
    found = watched.answers(panel)
    if panel.beside == "gpu":  # there is none here
        assert not any(found)
    else:
        assert all(found), [query.promql for query in panel.queries]


def test_a_query_of_a_metric_that_is_not_there_returns_nothing(watched: Watched) -> None:
    made_up = "sum(rate(resight_registry_decisions_made[4s]))"
    assert watched.server.over(made_up, watched.began, watched.ended, STEP_SECONDS) == []
