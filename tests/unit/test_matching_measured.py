"""How well profiles tell wanted postings from others: on labelled ones, and on recorded boards."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scout import html, matching
from scout.matching import load_profile, score
from scout.matching.measure import labelled, measure
from scout.postings import Posting
from scout.sources import KINDS
from scout.sources.board import Board
from tests.samples import SAMPLES, needs_samples

ROWS = Path(__file__).parents[1] / "labelled" / "matching"


@pytest.mark.parametrize(("profile", "rows"), [("iam", 200), ("nursing", 40)])
def test_the_first_twenty_are_wanted_and_the_wanted_are_found(profile: str, rows: int) -> None:
    found = measure(load_profile(profile), ROWS / f"{profile}.tsv")
    assert len(found.rows) >= rows
    assert found.precision_of_first >= 0.9
    assert found.precision >= 0.95
    assert found.recall >= 0.95


def test_each_profile_finds_nothing_of_the_others_trade() -> None:
    for name, other in (("iam", "nursing"), ("nursing", "iam"), ("data-engineering", "nursing")):
        profile = load_profile(name)
        wanted = [posting for posting, is_wanted in labelled(ROWS / f"{other}.tsv") if is_wanted]
        assert [each.title for each in wanted if score(each, profile).score] == []


def test_the_matchers_version_rises_when_it_scores_otherwise() -> None:
    """Stored jobs are scored again only then. If this fails, raise VERSION and put the new digest here."""
    text = """
name: fixed
groups:
  - name: g
    title: 50
    description: 6
    terms: [nurse, engineer, identity (security|governance), access review, {term: IAM, others: 1}]
  - {name: others, title: -40, terms: [sales, {term: manager, unless: [team]}]}
level: {wanted: [senior, manager], unwanted: [intern]}
language: {wanted: [en]}
"""
    profile = matching.parse_profile(text, "fixed")
    rows = [posting for name in ("iam", "nursing") for posting, _ in labelled(ROWS / f"{name}.tsv")]
    found = [(match.score, match.reasons) for match in (score(each, profile) for each in rows)]
    digest = hashlib.sha256(json.dumps(found).encode()).hexdigest()[:12]
    assert (matching.VERSION, digest) == (2, "e511e5175e37")


def texts(value: Any) -> Iterator[str]:
    """All texts of a document of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


@needs_samples
def test_words_on_gender_identity_score_nothing_in_any_recorded_answer() -> None:
    iam = load_profile("iam")
    told = [
        text
        for path in sorted(SAMPLES.rglob("*.json"))
        for text in texts(json.loads(path.read_text()))
        if "gender identity" in text.lower()
    ]
    assert len(told) >= 39

    def reasons(text: str) -> list[dict[str, Any]]:
        posting = Posting(source_job_id="1", title="", company="", url="", description_text=text)
        return score(posting, iam).reasons

    scored = 0
    for text in told:
        read = html.text(html.unescaped(text))
        without = re.sub(r"(?i)[^.\n]*gender identity[^.\n]*", "", read)
        assert reasons(read) == reasons(without)
        scored += bool(reasons(read))
    assert scored < 5, "few of them are of the trade, and that for other words"


def recorded() -> list[Posting]:
    """The postings of recorded boards whose parsers need nothing but the answer."""
    found: list[Posting] = []
    for kind in ("greenhouse", "lever", "ashby", "recruitee", "workable", "himalayas", "remotive"):
        for path in sorted((SAMPLES / kind).glob("*.json")):
            if "detail" not in path.name:
                board = Board(kind=kind, token="acme", company="Acme")
                found += KINDS[kind].parse(path.read_bytes(), board).postings
    return found


@needs_samples
def test_recorded_boards_have_no_good_match_of_another_trade() -> None:
    iam = load_profile("iam")
    postings = recorded()
    assert len(postings) > 90
    good = [each.title for each in postings if score(each, iam).score >= 30]
    assert all(any(word in title for word in ("IAM", "Identity", "Access", "Auth")) for title in good), good
