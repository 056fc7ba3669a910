"""How well a posting fits a profile, and why: the terms that it holds, and the wishes that it meets."""

from __future__ import annotations

import bisect
import hashlib
from dataclasses import dataclass
from typing import Any

from metrics import catalogue
from scout import clock
from scout.matching.profile import Profile, Where
from scout.matching.reading import Finding, Reading
from scout.matching.wishes import AgeWish
from scout.matching.words import words_of
from scout.postings import Posting

#: Raised whenever a posting may score otherwise than before with the same profile: stored jobs follow then.
VERSION = 2

_MOST = 100


@dataclass(frozen=True, slots=True)
class Match:
    """How well a posting fits a profile.

    Attributes:
        score: 0 (not at all) to 100.
        reasons: Why, best first: `{"term", "where", "points"}`, where `where` is `title`, `department` or
            `description` for terms, and `place`, `remote`, `pay`, `level`, `company`, `language` or `age`
            for wishes. The terms' points add up to 100 at most, the wishes' add to that; what falls below 0
            or above 100 is cut.
    """

    score: int
    reasons: list[dict[str, Any]]


_NOTHING = Match(0, [])

_LOWEST = [int(each.partition("-")[0]) for each in catalogue.BAND.values]


def band(score: int) -> str:
    """The band that a score from 0 to 100 lies in, as metrics name it: `70-84`."""
    return catalogue.BAND.values[bisect.bisect_right(_LOWEST, score) - 1]


def fingerprint(profile: Profile) -> str:
    """What a stored score depends on besides the job: the profile, this matcher, and today if age counts."""
    parts = [str(VERSION), profile.content]
    if any(isinstance(wish, AgeWish) for wish in profile.wishes):
        parts.append(clock.now().date().isoformat())
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def score(posting: Posting, profile: Profile) -> Match:
    """How well a posting fits a profile, and why.

    For terms only `title`, `department`, `company` and `description_text` count, for wishes what
    `scout.normalise.completed` tells, so that a stored job scores as its posting did. A term that is the
    employer's own name says nothing about the work and never counts. Without any term a posting scores 0,
    whatever it offers.
    """
    reading = Reading(profile, words_of(posting.company))
    reading.heading("title", posting.title)
    reading.heading("department", posting.department)
    reading.description(posting.description_text)
    if not reading.found:
        return _NOTHING
    match = _summed(reading.counting(posting), profile.limits)
    return _wished(match, posting, profile) if profile.wishes and match.score else match


def _summed(found: list[Finding], limits: dict[Where, int]) -> Match:
    left = dict(limits)
    reasons: list[dict[str, Any]] = []
    for each in sorted(found, key=lambda each: (-each.points, each.spelling)):
        points = each.points
        if points > 0:
            points = min(points, left[each.where])
            left[each.where] -= points
        if points:
            reasons.append({"term": each.spelling, "where": each.where, "points": points})
    if not any(reason["points"] > 0 for reason in reasons):
        return _NOTHING
    return _limited(sum(reason["points"] for reason in reasons), reasons)


def _wished(match: Match, posting: Posting, profile: Profile) -> Match:
    total, reasons = match.score, list(match.reasons)
    for wish in profile.wishes:
        verdict = wish.judge(posting)
        if verdict.points:
            total += verdict.points
            reasons.append({"term": verdict.term, "where": wish.where, "points": verdict.points})
    return _limited(total, reasons)


def _limited(total: int, reasons: list[dict[str, Any]]) -> Match:
    reasons.sort(key=lambda reason: -abs(reason["points"]))
    return Match(min(max(total, 0), _MOST), reasons)
