"""The recorded answers of real boards, where they are at hand. They are never part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SAMPLES = Path(os.environ.get("SCOUT_SAMPLES") or Path(__file__).resolve().parents[2] / "shared" / "samples")

needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the recorded board answers (../shared/samples) are not on this machine"
)
