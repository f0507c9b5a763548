"""A real local Prometheus, for tests and pictures."""

import json
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from embedded.servers import HOST, Server, free_port

RULES = Path(__file__).with_name("rules")
SECONDS = 10.0

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Series:
    """One series: labels, and values by time in seconds."""

    labels: Labels
    values: Mapping[float, float]


@dataclass(frozen=True)
class Prometheus:
    """Queries the HTTP API at `address`, http://host:port."""

    address: str

    def over(self, promql: str, start: float, end: float, step: float) -> list[Series]:
        """Return a query's series from `start` to `end`, a value every `step` seconds.

        Raises:
            ValueError: Prometheus does not understand the query.
        """
        answer = self._ask("query_range", query=promql, start=start, end=end, step=step)
        return [
            Series(each["metric"], {float(at): float(value) for at, value in each["values"]})
            for each in answer["result"]
        ]

    def names(self) -> set[str]:
        """Return the names of all series that it has seen."""
        return set(self._ask("label/__name__/values"))

    def values(self, label: str, name: str) -> set[str]:
        """Return the values of a label of one metric."""
        return set(self._ask(f"label/{label}/values", **{"match[]": name}))

    def healthy(self) -> dict[str, bool]:
        """Return for each target whether its last scrape worked."""
        targets = self._ask("targets")["activeTargets"]
        return {each["scrapeUrl"]: each["health"] == "up" for each in targets}

    def _ask(self, what: str, **parameters: Any) -> Any:
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(  # noqa: S310 - an address of this machine
                f"{self.address}/api/v1/{what}?{query}", timeout=SECONDS
            ) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{parameters}: {json.load(error)['error']}") from error


@contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, str], interval_seconds: int = 1
) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes `targets`, host:port by job, with the rules.

    Raises:
        FileNotFoundError: it is not installed.
        RuntimeError: it did not start; quotes the end of its log.
    """
    binary = shutil.which("prometheus")
    if binary is None:
        raise FileNotFoundError("prometheus is not installed: apt-get install prometheus")
    folder.mkdir(parents=True, exist_ok=True)
    every = f"{interval_seconds}s"
    configuration = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(RULES / "*.yaml")],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [target]}]}
            for job, target in targets.items()
        ],
    }
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(configuration))
    port = free_port()
    command = [
        binary,
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    process = Server("prometheus", command, folder, port, lambda: _ready(port)).start()
    try:
        yield Prometheus(f"http://{HOST}:{port}")
    finally:
        process.terminate()
        process.wait(SECONDS)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/-/ready", timeout=1) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:  # an HTTPError is one too
        return False


def scraped(server: Prometheus, seconds: float = 30.0) -> None:
    """Wait until every target has been scraped.

    Raises:
        TimeoutError: one was not, in so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not (found := server.healthy()) or not all(found.values()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not scraped: {[at for at, up in found.items() if not up]}")
        time.sleep(0.2)
