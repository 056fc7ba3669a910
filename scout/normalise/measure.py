r"""How well the fields are read: against labelled rows, in files that people write.

A corpus is a folder of tab-separated files, each named for what is in it (`salaries.tsv`, `places.tsv`,
`levels.tsv`, `workplaces.tsv`, `regions.tsv`, `companies.tsv`, `titles.tsv`, `languages.tsv`, `pairs.tsv`): a
row a line, the first line names the columns, `-` is nothing, `\\n` a new line. Files in JSON that list rows
of `text` and `expect`, of `location_raw`, `country` and `city`, or of `title` and `level` are read too.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scout.errors import ScoutError
from scout.identity import decision
from scout.normalise.companies import company_key
from scout.normalise.completing import completed
from scout.normalise.gazetteer import find, folded
from scout.normalise.languages import language
from scout.normalise.levels import level
from scout.normalise.pay import salary_in_text
from scout.normalise.places import locations, place, places
from scout.normalise.remoteness import remote, remote_regions
from scout.normalise.titles import plain_title
from scout.postings import Posting


@dataclass(frozen=True, slots=True)
class Miss:
    """A row that was read otherwise than its label says."""

    written: str
    wanted: str
    found: str


@dataclass(slots=True)
class Figures:
    """How one field of one file was read.

    Attributes:
        source: The file's name.
        what: The field.
        rows: How many rows.
        right: How many were read exactly as labelled, silence included.
        labelled: How many have a value by their label.
        found: How many were given a value.
        agreed: How many of those were given the labelled one.
        misses: The others.
    """

    source: str
    what: str
    rows: int = 0
    right: int = 0
    labelled: int = 0
    found: int = 0
    agreed: int = 0
    misses: list[Miss] = field(default_factory=list)

    @property
    def exactness(self) -> float:
        """The share of all rows that were read exactly as labelled."""
        return self.right / self.rows if self.rows else 0.0

    @property
    def precision(self) -> float:
        """The share of values given that are right."""
        return self.agreed / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """The share of labelled values that were found."""
        return self.agreed / self.labelled if self.labelled else 1.0

    def count(self, written: str, wanted: str, found: str) -> None:
        """Count one row."""
        self.rows += 1
        self.right += wanted == found
        self.labelled += bool(wanted)
        self.found += bool(found)
        self.agreed += bool(found) and wanted == found
        if wanted != found:
            self.misses.append(Miss(written, wanted, found))


def measure(folder: Path) -> list[Figures]:
    """The figures of every file of a corpus that is understood, in the order of their names.

    Raises:
        ScoutError: The folder holds none.
    """
    figures: list[Figures] = []
    for path in sorted(folder.glob("*")):
        if path.suffix == ".tsv" and path.stem in _TABLES:
            figures += _counted(path.stem, _TABLES[path.stem], _table(path))
        elif path.suffix == ".json":
            figures += _recorded(path)
    if not figures:
        raise ScoutError(
            f"{folder} holds no labelled rows. `scout normalise measure --help` says what is read."
        )
    return figures


#: What one row gives: by field, what is written, what was wanted, and what was found.
_Read = dict[str, tuple[str, str, str]]


def _counted(source: str, read: Callable[[list[str]], _Read], rows: Iterator[list[str]]) -> list[Figures]:
    figures: dict[str, Figures] = {}
    for row in rows:
        for what, (written, wanted, found) in read(row).items():
            figures.setdefault(what, Figures(source, what)).count(written, wanted, found)
    return list(figures.values())


def _table(path: Path) -> Iterator[list[str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    width = len(lines[0].split("\t")) if lines else 0
    for line in lines[1:]:
        cells = ["" if cell == "-" else cell.replace("\\n", "\n") for cell in line.split("\t")]
        yield cells + [""] * (width - len(cells))


def _salary(row: list[str]) -> _Read:
    text, least, most, currency, period = row
    wanted = _pay(float(least) if least else None, float(most) if most else None, currency, period)
    found = salary_in_text(text)
    return {
        "salary": (
            text,
            wanted,
            _pay(found.minimum, found.maximum, found.currency, found.period) if found else "",
        )
    }


def _pay(least: float | None, most: float | None, currency: str, period: str) -> str:
    if least is None and most is None:
        return ""
    return f"{least or 0:.2f} {most or 0:.2f} {currency} {period}".strip()


def _place(row: list[str]) -> _Read:
    written, country, city = row
    found = place(written)
    return {
        "country": (written, country, found.country),
        "city": (written, folded(city), folded(found.city)),
    }


def _level(row: list[str]) -> _Read:
    return {"level": (row[0], row[1], level(row[0]))}


def _workplace(row: list[str]) -> _Read:
    where, words, kind = row
    arguments: dict[str, dict[str, Any]] = {
        "field": {"fields": [("field", words)]},
        "title": {"title": words},
        "place": {"places": [words]},
        "text": {"text": words},
    }
    found = remote(**arguments[where])[0].value
    silent = {"unknown": ""}
    return {"remote": (words, silent.get(kind, kind), silent.get(found, found))}


def _regions(row: list[str]) -> _Read:
    where, words, regions = row
    if where == "place":
        found = remote_regions(places=places([words]))
    else:
        found = remote_regions(title=words) if where == "title" else remote_regions(text=words)
    return {"region": (words, ",".join(sorted(filter(None, regions.split(",")))), ",".join(sorted(found)))}


def _pair(row: list[str]) -> _Read:
    """Two postings, and whether a person would say that they are one job; `=` is what the first one has.

    The second column says where: on `two` boards, on `one` that lists both, or on one that posted the second
    `later`, after the first was gone.
    """
    label, board, *cells = row
    one = cells[:6]
    other = [mine if cell == "=" else cell for cell, mine in zip(cells[6:], one, strict=True)]
    found = decision.judge(_told(one), _told(other), one_board=board == "one")
    written = " / ".join(" | ".join(cells[:5]) for cells in (one, other))
    return {"one job": (written, label.removeprefix("different"), "same" if found else "")}


def _told(cells: list[str]) -> decision.Facts:
    title, company, written, url, requisition, text = cells
    where = locations([written])
    kind, _ = remote(title=title, places=where)
    posting = Posting(
        source_job_id="", title=title, company=company, url=url, locations=where, remote=kind,
        requisition_id=requisition, description_text=text,
    )  # fmt: skip
    return decision.facts(completed(posting))


_TABLES: dict[str, Callable[[list[str]], _Read]] = {
    "salaries": _salary,
    "places": _place,
    "levels": _level,
    "workplaces": _workplace,
    "regions": _regions,
    "companies": lambda row: {"company": (row[0], row[1], company_key(row[0]))},
    "pairs": _pair,
    "titles": lambda row: {"title": (row[0], row[1], plain_title(row[0]))},
    "languages": lambda row: {"language": (row[1], row[0], language(row[1]))},
}


def _recorded(path: Path) -> list[Figures]:
    """The figures of a JSON file of labelled rows; none for a file of anything else."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        return []
    read = next((each for keys, each in _RECORDED if keys <= rows[0].keys()), None)
    if read is None:
        return []
    figures: dict[str, Figures] = {}
    for row in rows:
        for what, (written, wanted, found) in read(row).items():
            figures.setdefault(what, Figures(path.stem, what)).count(written, wanted, found)
    return list(figures.values())


def _recorded_salary(row: dict[str, Any]) -> _Read:
    expected = row["expect"] or {}
    found = salary_in_text(row["text"])
    wanted = _pay(expected.get("min"), expected.get("max"), "", expected.get("interval") or "")
    given = _pay(found.minimum, found.maximum, "", found.period) if found else ""
    return {"salary": (found.raw if found else row["text"][:200], wanted, given)}


@functools.cache
def _country_code(name: str) -> str:
    return find(folded(name)).country


def _recorded_place(row: dict[str, Any]) -> _Read:
    return _place([row["location_raw"], _country_code(row["country"] or ""), row["city"] or ""])


def _recorded_level(row: dict[str, Any]) -> _Read:
    return _level([row["title"], "" if row["level"] == "unknown" else row["level"]])


_RECORDED: tuple[tuple[set[str], Callable[[dict[str, Any]], _Read]], ...] = (
    ({"text", "expect"}, _recorded_salary),
    ({"location_raw", "country", "city"}, _recorded_place),
    ({"title", "level"}, _recorded_level),
)
