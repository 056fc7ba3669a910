"""Facets: what a search would find less of, with one more term, each with a count.

All are counted in one pass over what was found; of very many jobs over the first in the order that is
asked for, and then `Facets.of` says of how many.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, inspect, select
from sqlalchemy.orm import Session

from scout import clock
from scout.models import Job, Listing, Source, Status, UTCDateTime
from scout.normalise import LEVELS
from scout.postings import Remote
from scout.searching import durations
from scout.searching.conditions import listed
from scout.searching.language import TYPES, UNKNOWN, Key, Query, value_words

#: Companies, countries and boards of which a facet shows the most frequent.
MOST_VALUES = 20

#: Bands of scores, the best first, and spans of age, the shortest first.
SCORES = ("80..100", "60..79", "40..59", "20..39", "1..19", "0..0")
AGES = ("1d", "3d", "1w", "1m")

_NAMES = {
    Key.STATUS: "Status", Key.SOURCE: "Board", Key.COMPANY: "Company", Key.REMOTE: "Remote",
    Key.LEVEL: "Level", Key.COUNTRY: "Country", Key.TYPE: "Employment", Key.SCORE: "Match", Key.NEW: "Found",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a facet.

    Attributes:
        value: As it is written in a search: `senior`, `60..79`, a board's slug.
        words: For people.
        count: How many of the counted jobs have it.
        query: The search with it, in place of what it has of the facet; or without it where it is chosen.
        chosen: Whether the search has it.
    """

    value: str
    words: str
    count: int
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """What jobs can be told apart by: its key in a search, its name for people, its values."""

    key: str
    words: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Facets:
    """All facets of a search that have a value.

    Attributes:
        facets: In the order in which they are shown.
        of: How many jobs were counted.
        whole: Whether those are all that the search finds.
    """

    facets: tuple[Facet, ...]
    of: int
    whole: bool


def count(session: Session, query: Query, job_ids: Sequence[int], *, whole: bool) -> Facets:
    """Count the facets of some jobs.

    Args:
        session: A session.
        query: The search that found them.
        job_ids: The jobs.
        whole: Whether they are all that it found.
    """
    # Of the table, not of the model: ten thousand rows are read without a word of the ORM's to each.
    jobs = inspect(Job).local_table.c
    columns = (
        jobs.status, jobs.company, jobs.remote, jobs.level, jobs.countries, jobs.employment_type, jobs.score,
        *(jobs.first_seen_at >= bindparam(f"since{at}", type_=UTCDateTime()) for at in range(len(AGES))),
    )  # fmt: skip
    now = clock.now()
    since = {f"since{at}": now - (durations.read(age) or dt.timedelta()) for at, age in enumerate(AGES)}
    postgres = session.get_bind().dialect.name == "postgresql"
    some = listed(job_ids, postgres=postgres)
    rows = session.connection().execute(select(*columns).where(some), since).all()
    pairs = select(Listing.source_id, func.count(Listing.job_id.distinct()))
    listings = pairs.where(Listing.job_id.in_(select(Job.id).where(some))).group_by(Listing.source_id)
    boards = Counter(dict(session.execute(listings).all()))
    status, company, remote, level, countries, employment, score, *ages = (
        zip(*rows, strict=True) if rows else [()] * (7 + len(AGES))
    )
    counted: dict[Key, Iterable[tuple[str, str, int]]] = {
        Key.STATUS: _of(Key.STATUS, Counter(status), Status),
        Key.SOURCE: _boards(session, boards),
        Key.COMPANY: [(each, each, number) for each, number in Counter(company).most_common(MOST_VALUES)],
        Key.REMOTE: _of(Key.REMOTE, Counter(remote), Remote),
        Key.LEVEL: _of(Key.LEVEL, Counter(level), (*LEVELS, "")),
        Key.COUNTRY: _countries(countries),
        Key.TYPE: _of(Key.TYPE, Counter(employment), (*TYPES, "")),
        Key.SCORE: _scores(Counter(score)),
        Key.NEW: [
            (age, f"Within {durations.words(age)}", sum(each)) for age, each in zip(AGES, ages, strict=True)
        ],
    }
    facets = [_facet(query, key, values) for key, values in counted.items()]
    return Facets(tuple(each for each in facets if each.values), of=len(rows), whole=whole)


def _facet(query: Query, key: Key, values: Iterable[tuple[str, str, int]]) -> Facet:
    told = []
    given = query.given(key)
    for value, words, number in values:
        if not number:
            continue
        there = query.replaced(key, value)
        chosen = given is not None and there.given(key) == given
        text = str(query.replaced(key, "") if chosen else there)
        told.append(Value(value, words, number, text, chosen))
    return Facet(key.value, _NAMES[key], tuple(told))


def _of(key: Key, counts: Counter[Any], order: Iterable[str]) -> Iterable[tuple[str, str, int]]:
    for each in order:
        value = str(each) or UNKNOWN
        yield value, value_words(key, value), counts[each]


def _boards(session: Session, counts: Counter[int]) -> list[tuple[str, str, int]]:
    most = counts.most_common(MOST_VALUES)
    named = select(Source.id, Source.slug, Source.name).where(Source.id.in_([each for each, _ in most]))
    names = {row.id: row for row in session.execute(named)}
    return [(names[each].slug, names[each].name, number) for each, number in most if each in names]


def _countries(told: Iterable[str]) -> list[tuple[str, str, int]]:
    counts: Counter[str] = Counter()
    for codes, number in Counter(told).items():
        for code in codes.split():
            counts[code] += number
    return [(code, code, number) for code, number in counts.most_common(MOST_VALUES)]


def _scores(counts: Counter[int]) -> Iterable[tuple[str, str, int]]:
    for band in SCORES:
        low, high = map(int, band.split(".."))
        words = f"{low} to {high}" if high else "0"
        yield band, words, sum(number for score, number in counts.items() if low <= score <= high)
