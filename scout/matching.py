"""Matching: how well a posting fits a profile, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scout.postings import Posting


@dataclass(frozen=True, slots=True)
class Match:
    """How well a posting fits: 0 to 100, and why: `{"term", "where", "points"}`, best first."""

    score: int
    reasons: list[dict[str, Any]]


class Profile:
    """What the owner looks for."""


def load_profile(path: Path | None = None) -> Profile:
    """The profile in a file, or the one that comes with the program."""
    del path
    return Profile()


def score(posting: Posting, profile: Profile) -> Match:
    """How well a posting fits a profile."""
    del posting, profile
    return Match(0, [])
