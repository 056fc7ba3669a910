"""Read by every Python that a checked test starts: it is without the same emission."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[3])
sys.path.insert(0, _ROOT)
from tests.mutation import switch  # noqa: E402 - the line above makes it importable

sys.path.remove(_ROOT)
switch.install()
