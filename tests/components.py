"""The real programs that tests run against: where they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / ".components" / "bin"


def find(name: str) -> Path | None:
    """Where a program is: in the project's own folder, or on PATH."""
    found = shutil.which(name, path=f"{FOLDER}{os.pathsep}{os.environ.get('PATH', '')}")
    return Path(found) if found else None


def need(name: str) -> Path:
    """Where a program is; without it the test is skipped, and with `CI=true` it fails."""
    found = find(name)
    if found is None:
        reason = f"{name} is not here: `make components` brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
