"""What docs/SEARCHING.md tells people to write is understood, on both databases."""

from __future__ import annotations

import re
from pathlib import Path

from scout import jobs
from scout.database import Database
from scout.jobs import JobQuery
from scout.searching.language import HAS, IS, Key, parse
from tests import kept

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "SEARCHING.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
EXAMPLES = [each for row in ROWS for each in re.findall(r"`([^`]+)`", row[0])]


def test_every_example_is_understood_and_every_key_has_one() -> None:
    read = [parse(each) for each in EXAMPLES]
    assert [query.problems for query in read if query.problems] == []
    assert all(len(query.terms) == 1 for query in read)
    assert {term.key for query in read for term in query.terms} == set(Key)
    for each in (*IS, *HAS):
        assert f"`{each}`" in PAGE or f":{each}`" in PAGE


def test_every_example_can_be_asked_of_both_databases(any_database: Database) -> None:
    with any_database.session() as session:
        kept.job(session, at=kept.source(session))
    with any_database.reading() as session:
        for example in EXAMPLES:
            assert jobs.find(session, JobQuery(text=example)).total in {0, 1}
        assert jobs.find(session, JobQuery(text=" ".join(EXAMPLES))).total == 0
