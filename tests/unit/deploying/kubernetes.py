"""The manifests as kustomize builds them, once for each overlay."""

from __future__ import annotations

import functools
import subprocess
from typing import Any

import yaml

from tests.components import need
from tests.unit.deploying.compose import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("small", "scaled")


@functools.cache
def text(overlay: str) -> str:
    """What `kubectl apply -k` would send."""
    program = need("kustomize")
    verb = "kustomize" if program.name == "kubectl" else "build"
    command = [str(program), verb, str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def documents(overlay: str) -> tuple[dict[str, Any], ...]:
    """The same, read."""
    return tuple(yaml.safe_load_all(text(overlay)))


def named(overlay: str, kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind by their names, without the hash that kustomize puts behind some."""
    found = [each for each in documents(overlay) if each["kind"] == kind]
    hashed = kind in {"ConfigMap", "Secret"}
    return {
        each["metadata"]["name"].rpartition("-")[0] if hashed else each["metadata"]["name"]: each
        for each in found
    }


def workloads(overlay: str) -> dict[str, dict[str, Any]]:
    """What runs pods."""
    return named(overlay, "Deployment") | named(overlay, "StatefulSet")


def containers(workload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All containers of a pod, those that start first too."""
    pod = workload["spec"]["template"]["spec"]
    return {each["name"]: each for each in (*pod.get("initContainers", ()), *pod["containers"])}
