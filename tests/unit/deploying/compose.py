"""docker-compose.yml as tests look at it: anchors resolved, variables as they are when nothing is set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "docker-compose.yml"
#: ${NAME}, ${NAME-default} and ${NAME:-default}, as the Compose specification has them ("Interpolation").
_VARIABLE = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}")


def unset(text: str) -> str:
    """A text with each variable as it is when nobody sets it."""
    return _VARIABLE.sub(lambda found: found[2] or "", text)


DOCUMENT: Mapping[str, Any] = yaml.safe_load(unset(FILE.read_text(encoding="utf-8")))
SERVICES: Mapping[str, Mapping[str, Any]] = DOCUMENT["services"]
#: Those that run our own program.
OURS = {name: each for name, each in SERVICES.items() if "build" in each}
PROFILES = ("", *sorted({profile for each in SERVICES.values() for profile in each.get("profiles", ())}))


def active(profile: str) -> dict[str, Mapping[str, Any]]:
    """The services that run with a profile, or without one."""
    return {
        name: each
        for name, each in SERVICES.items()
        if not each.get("profiles") or profile in each["profiles"]
    }


def mounts(service: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The folders and files of this machine that a service sees: where they are, and where it sees them."""
    pairs = [each.split(":")[:2] for each in service.get("volumes", ())]
    return [(here, there) for here, there in pairs if here.startswith((".", "/"))]


def flags(words: list[str]) -> set[str]:
    """The options of a command, without their values."""
    return {word.partition("=")[0] for word in words if word.startswith("--")}
