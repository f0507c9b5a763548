"""The compose file against the settings, the images, and what the servers listen on."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from recognition.models import backbones
from resight.reference.settings import concerns
from resight.stack.profile import ENCODER
from services.matcher.settings import ExplainerSettings
from services.registry.api.settings import ApiSettings
from shared.environment import variables
from shared.kafka import topics
from shared.settings import TelemetrySettings
from tests.deploy.rendered import K8S, ROOMS, ROOT
from tests.deploy.test_images import PINNED, STAGES

FOLDER = ROOT / "deploy" / "compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
# Where a server listens inside, by its own default or by what it is told here.
LISTENS = {"kafka": 9092, "ledger": 6379, "cache": 6379, "qdrant": 6333, "triton": 8001}
LISTENS |= {"explainer": 9200}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_is_pinned_and_what_it_names_is_there(name: str) -> None:
    part = PARTS[name]
    assert PINNED.fullmatch(part["image"])
    if "build" in part:
        assert part["build"]["target"] in STAGES
        assert (FOLDER / part["build"]["context"] / part["build"]["dockerfile"]).is_file()
    assert set(part.get("depends_on", {})) <= set(PARTS)
    for other, how in part.get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in PARTS[other]
    for volume in part.get("volumes", []):
        source = volume.split(":")[0]
        assert (FOLDER / source).exists() if "/" in source else source in COMPOSE["volumes"]
    for port in part.get("ports", []):
        assert port.startswith("127.0.0.1:"), "nothing here asks who somebody is"


@pytest.mark.parametrize("service", ROOMS)
def test_every_variable_is_a_setting_of_that_service(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = PARTS[service]["environment"]
    told = {name: value for name, value in environment.items() if name.startswith("RESIGHT_")}
    own = [
        each
        for each in concerns()
        if each.__module__.split(".")[1] in (ROOMS[service], "settings", "labels")
    ]
    assert set(told) <= {name for concern in own for name in variables(concern)}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    for concern in own:
        concern()


@pytest.mark.parametrize("service", ROOMS)
def test_every_address_leads_to_a_part_that_listens_there(service: str) -> None:
    for name, value in PARTS[service]["environment"].items():
        if name.endswith(("_BOOTSTRAP_SERVERS", "_URL")) and not value.startswith("file://"):
            parts = urlsplit(value if "://" in value else f"//{value}")
            assert parts.hostname in LISTENS, value
            assert LISTENS[parts.hostname] == parts.port, value


def test_pages_are_of_a_process_that_asks_for_a_key() -> None:
    told = PARTS["api"]["environment"]
    assert not ApiSettings(host=told["RESIGHT_API_HOST"]).local
    module = PARTS["api"]["command"][-1].replace(".", "/")
    assert (ROOT / module / "__main__.py").is_file()
    [port] = PARTS["api"]["ports"]
    assert int(port.rpartition(":")[2]) == ApiSettings().port


def test_home_asks_each_service_where_it_says_whether_it_is_ready() -> None:
    told = json.loads(PARTS["api"]["environment"]["RESIGHT_API_SERVICES"])
    assert set(told) == set(topics.INPUTS)
    for name, address in told.items():
        assert address == f"http://{name}:{TelemetrySettings().port}"


def test_catalogues_lie_on_a_volume() -> None:
    folder = PARTS["api"]["environment"]["TMPDIR"]
    assert f"catalogues:{folder}" in PARTS["api"]["volumes"]
    assert folder in PARTS["blobs"]["command"]


def test_the_explainer_listens_where_it_is_asked() -> None:
    assert ExplainerSettings().port == LISTENS["explainer"]


def test_blobs_lie_on_a_volume_of_those_who_share_them() -> None:
    for service in ("embedder", "matcher"):
        assert "blobs:/var/lib/resight" in PARTS[service]["volumes"]
        assert PARTS[service]["environment"]["RESIGHT_BLOBS_CROPS_URL"].startswith(
            "file:///var/lib/resight/"
        )


def test_the_model_that_is_asked_for_is_the_one_that_is_built() -> None:
    version = backbones.version(backbones.build(ENCODER, None))
    told = PARTS["embedder"]["environment"]
    wanted = f"{ENCODER}@{version}:224:crop"
    assert told["RESIGHT_ENCODER_MODEL"] == wanted
    prod = (K8S / "overlays" / "prod" / "encoder.env").read_text()
    assert f"RESIGHT_ENCODER_MODEL={wanted}\n" in prod


def test_prometheus_scrapes_every_service_by_rules_that_are_there(tmp_path: Path) -> None:
    text = (FOLDER / "prometheus.yaml").read_text()
    targets = re.findall(r'"(\w+):(\d+)"', text)
    assert {name for name, _ in targets} == {*ROOMS, "triton"}
    mounts = dict(volume.split(":")[:2] for volume in PARTS["prometheus"]["volumes"])
    assert mounts["../prometheus/rules"] == "/etc/prometheus/rules"
    (tmp_path / "rules").symlink_to(ROOT / "deploy" / "prometheus" / "rules")
    (tmp_path / "prometheus.yaml").write_text(text)
    command = ["promtool", "check", "config", str(tmp_path / "prometheus.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_shows_the_boards() -> None:
    provider = yaml.safe_load((FOLDER / "grafana" / "dashboards" / "resight.yaml").read_text())
    path = provider["providers"][0]["options"]["path"]
    mounts = {inside: source for source, inside, _ in map(_split, PARTS["grafana"]["volumes"])}
    boards = [each.name for each in (FOLDER / mounts[path]).glob("*.json")]
    home = PARTS["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).name in boards
    assert len(boards) == 3


def _split(volume: str) -> list[str]:
    return volume.split(":")
