"""Offline work runs the services as they serve: the same objects with the same settings."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import services.embedder.main
import services.lookup.main
import services.matcher.main
from recognition.replay.in_process import Handlers, SightingsOnly, handlers
from shared.settings import TelemetrySettings
from tests.support.object_graph import configuration
from tests.support.samples.model_files import tiny_model

# Where things are stored differs, and lookup waits for decisions only where somebody makes them.
DIFFERS = (
    "_root",
    "_url",
    "._folder",
    ".path",
    "_sent",
    "_refill",
    "_client",
    "._read_only",
    "writes",
)


class _Served(Exception):  # noqa: N818 - ends a service before it connects to a broker
    def __init__(self, handler: Any) -> None:
        self.handler = handler


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Run a service's main function up to its stage loop, and return its handler."""

    class Stop:
        def __init__(self, **given: Any) -> None:
            raise _Served(given["handler"])

        def __class_getitem__(cls, _: Any) -> type["Stop"]:
            return cls

    def run(module: Any) -> Any:
        monkeypatch.setattr(module, "start_process", lambda _: nullcontext(TelemetrySettings()))
        monkeypatch.setattr(module, "Stage", Stop)
        with pytest.raises(_Served) as ended:
            module.main()
        return ended.value.handler

    return run


@pytest.fixture
def offline(
    tmp_path: Path, cache_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Handlers]:
    model = tiny_model(tmp_path / "tiny.onnx")
    for name, value in {
        "RESIGHT_ENCODER_MODEL_PATH": str(model),
        "RESIGHT_CACHE_URL": cache_url,
        "RESIGHT_GALLERY_PATH": str(tmp_path / "served"),
        "RESIGHT_BLOBS_CROPS_URL": (tmp_path / "crops").as_uri(),
        "RESIGHT_BLOBS_CAPTURES_URL": (tmp_path / "captures").as_uri(),
        "RESIGHT_EXTRACTOR_KIND": "xfeat",
        "RESIGHT_MATCHER_POLICY": "neighbours",
        "RESIGHT_TELEMETRY_PORT": "0",
    }.items():
        monkeypatch.setenv(name, value)

    def build() -> Handlers:
        with handlers(tmp_path / "offline", cache_url, model) as found:
            return found

    return build


def _same(served: Any, offline: Any) -> None:
    one, other = configuration(served), configuration(offline)
    differing = {
        path
        for path in one.keys() | other.keys()
        if one.get(path) != other.get(path) and not any(part in path for part in DIFFERS)
    }
    assert differing == set()
    assert len(one) > 5


def test_the_embedder_is_the_one_that_serves(
    offline: Callable[[], Handlers], served: Callable[[Any], Any]
) -> None:
    wrapped = offline().embedder
    assert isinstance(wrapped, SightingsOnly)
    _same(served(services.embedder.main), wrapped._embedder)


def test_the_matcher_is_the_one_that_serves_with_its_memory_of_backgrounds(
    offline: Callable[[], Handlers], served: Callable[[Any], Any]
) -> None:
    matcher = offline().matcher
    assert "._background:" in configuration(matcher)
    _same(served(services.matcher.main), matcher)


def test_lookup_is_the_one_that_serves(
    offline: Callable[[], Handlers], served: Callable[[Any], Any]
) -> None:
    _same(served(services.lookup.main), offline().lookup)
