"""Writes the rules as a PrometheusRule: `python -m deploy.prometheus`."""

import sys
from pathlib import Path

import yaml

_HEADER = "# Made of rules/*.yaml by `make metrics`.\n"


def resource(folder: Path) -> str:
    """Return the rule files of a folder as one PrometheusRule."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yaml"))]
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "resight"},
        "spec": {"groups": [group for file in files for group in file["groups"]]},
    }
    return _HEADER + yaml.safe_dump(made, sort_keys=False, width=120)


if __name__ == "__main__":
    sys.stdout.write(resource(Path(__file__).with_name("rules")))
