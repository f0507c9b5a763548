"""An overlay as the cluster would get it, and what is where in it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = ("dev", "prod")
SERVICES = ("embedder", "lookup", "matcher", "registry")
# What runs as a process of its own, and the rooms whose settings it has.
ROOMS = {each: each for each in SERVICES} | {"api": "registry", "explainer": "matcher"}

Resource = dict[str, Any]
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Workload:
    """What makes pods, and the pod that it makes."""

    kind: str
    name: str
    labels: Labels
    pod: Resource

    @property
    def containers(self) -> list[Resource]:
        """Those that stay, then those that run before them."""
        return [*self.pod["containers"], *self.pod.get("initContainers", [])]


@dataclass(frozen=True)
class Overlay:
    """All resources of an overlay."""

    name: str
    resources: tuple[Resource, ...]

    def of(self, kind: str) -> list[Resource]:
        """Return the resources of a kind."""
        return [each for each in self.resources if each["kind"] == kind]

    def named(self, kind: str) -> dict[str, Resource]:
        """Return them by name."""
        return {each["metadata"]["name"]: each for each in self.of(kind)}

    @property
    def workloads(self) -> list[Workload]:
        """Everything that makes pods."""
        found = [each for kind in ("Deployment", "StatefulSet", "Job") for each in self.of(kind)]
        return [
            Workload(
                each["kind"],
                each["metadata"]["name"],
                each["spec"]["template"]["metadata"]["labels"],
                each["spec"]["template"]["spec"],
            )
            for each in found
        ]

    def workload(self, name: str) -> Workload:
        """Return the workload of a name."""
        (found,) = [each for each in self.workloads if each.name == name]
        return found

    def environment(self, container: Resource) -> dict[str, str]:
        """Return what a container gets to see; of a secret's value, where it comes from."""
        maps = self.named("ConfigMap")
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            found |= maps[source["configMapRef"]["name"]]["data"]
        for each in container.get("env", []):
            found[each["name"]] = str(each.get("value", "from a secret"))
        return found

    def matching(self, selector: Resource) -> list[Workload]:
        """Return the workloads whose pods a label selector takes."""
        return [each for each in self.workloads if selects(selector, each.labels)]


def selects(selector: Resource, labels: Labels) -> bool:
    """Return whether a label selector takes labels, as Kubernetes does it."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(name) != value for name, value in wanted.items()):
        return False
    for each in selector.get("matchExpressions", []):
        inside = labels.get(each["key"]) in each.get("values", [])
        if inside != {"In": True, "NotIn": False}[each["operator"]]:
            return False
    return True


@cache
def overlay(name: str) -> Overlay:
    """Render an overlay with kubectl's kustomize."""
    if shutil.which("kubectl") is None:
        missing = "there is no kubectl: see https://kubernetes.io/docs/tasks/tools/"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    command = ["kubectl", "kustomize", str(K8S / "overlays" / name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return Overlay(name, tuple(yaml.safe_load_all(done.stdout)))


def services(given: Overlay) -> Iterator[tuple[str, Workload]]:
    """Yield the services, the pages and the explainer with their workloads."""
    for name in ROOMS:
        yield name, given.workload(name)
