"""The boards that a new data directory starts with: companies known for identity and security work."""

from __future__ import annotations

import csv
from pathlib import Path

from scout.sources.board import Board

_FILE = Path(__file__).with_name("starter.csv")


def boards() -> list[Board]:
    """The starter boards, in the file's order, each with its company's name or a title."""
    with _FILE.open(encoding="utf-8", newline="") as lines:
        return [Board(**row) for row in csv.DictReader(lines, restval="")]
