"""Fills a database with jobs that are spread as real ones are, quickly: rows by the thousand, then copies.

Texts have about as many words as real ones and as many different ones: drawn by Zipf's law out of some
thousands, among them those that `pages` searches for. SQLite's index of words is made at the end, as a
migration makes it. For PostgreSQL the words of each job are read here, and those of a copy are copied, with
its own company's: reading a million texts again would take half an hour.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Any

from sqlalchemy import Connection, Engine, Integer, cast, func, insert, literal, select, text

from scout import clock
from scout.database import Database, migrating
from scout.models import Description, Job, Listing, Source, Status
from scout.postings import Remote
from scout.searching import index
from scout.settings import Settings

#: Jobs that are made; all further ones are copies of theirs, with other ids, times and places in the order.
_MADE = 20_000
_AT_ONCE = 2_000
_BOARDS = 300
#: The share of jobs that match nothing.
_UNFIT = 0.7
_WORDS = 12_000
#: Words of a text, about.
_LENGTH = 550

_SYLLABLES = (
    "an", "ber", "con", "der", "el", "fa", "ge", "hol", "in", "ka", "lo", "men", "no", "or", "pre", "qui",
    "ras", "sto", "ti", "ver",
)  # fmt: skip
_COMMON = (
    "the", "and", "to", "of", "a", "in", "with", "for", "you", "our", "we", "team", "work", "experience",
    "security", "engineer", "access", "management", "identity", "software", "product", "customers", "build",
    "support", "cloud", "data", "years", "design", "systems", "remote",
)  # fmt: skip
_SELDOM = ("okta", "sailpoint", "kubernetes", "federation", "zanzibar")
_TITLES = (
    "Software Engineer", "Account Executive", "Product Manager", "Identity Engineer", "Data Analyst",
    "Security Engineer", "Customer Success Manager", "IAM Architect", "Nurse", "Recruiter",
    "Site Reliability Engineer", "Sales Development Representative", "Access Management Specialist",
    "Designer",
)  # fmt: skip
_LEVELS = ("", "", "entry", "mid", "senior", "senior", "staff", "lead", "manager")
_PLACES = (
    ("Berlin", "DE"), ("London", "GB"), ("New York", "US"), ("San Francisco", "US"), ("Austin", "US"),
    ("Zürich", "CH"), ("Paris", "FR"), ("Bangalore", "IN"), ("Toronto", "CA"), ("Remote", ""),
)  # fmt: skip

#: The words of copies: those of the first jobs, but for the number that their company is named by.
_COPIED_WORDS = text("""
    INSERT INTO job_words (job_id, words)
    SELECT job_words.job_id + :step,
        ts_delete(words, ARRAY[old.number, 'c/' || old.number])
        || CAST(format('%s:1 %s:1', new.number, quote_literal('c/' || new.number)) AS tsvector)
    FROM job_words
    JOIN jobs AS first ON first.id = job_words.job_id
    JOIN jobs AS copy ON copy.id = job_words.job_id + :step,
    LATERAL (SELECT substr(first.company, 9) AS number) AS old,
    LATERAL (SELECT substr(copy.company, 9) AS number) AS new
    WHERE job_words.job_id <= :some
""")


class _Words:
    """The words that texts are made of, the most frequent first."""

    def __init__(self, chance: random.Random) -> None:
        made = ("".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in itertools.count())
        self._words = list(dict.fromkeys(itertools.chain(_COMMON, itertools.islice(made, _WORDS))))
        for at, word in enumerate(_SELDOM):
            self._words.insert(900 * (at + 1), word)
        self._weights = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(self._words))))

    def drawn(self, chance: random.Random, count: int) -> list[str]:
        return chance.choices(self._words, cum_weights=self._weights, k=count)


def fill(settings: Settings, size: int, length: int = _LENGTH) -> None:
    """Fill a migrated, empty database.

    Args:
        settings: Which database.
        size: How many jobs.
        length: Words of a text, about.
    """
    database = Database.open(settings)
    try:
        with migrating(settings) as connection, connection.begin():
            index.drop(connection)
        made = min(size, _MADE)
        _make_boards(database.engine)
        _make_jobs(database.engine, made, length)
        if database.engine.dialect.name == "postgresql":
            _fill_postgres(settings, database.engine, made, size)
        else:
            _fill_sqlite(settings, database.engine, made, size)
    finally:
        database.dispose()


def _fill_sqlite(settings: Settings, engine: Engine, made: int, size: int) -> None:
    for stored in range(made, size, made):
        with engine.begin() as connection:
            _copy(connection, min(made, size - stored), step=stored)
    with migrating(settings) as connection, connection.begin():
        index.create(connection)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("ANALYZE")


def _fill_postgres(settings: Settings, engine: Engine, made: int, size: int) -> None:
    with migrating(settings) as connection, connection.begin():
        index.create(connection)
        connection.exec_driver_sql("DROP INDEX ix_job_words_words")
    for stored in range(made, size, made):
        some = min(made, size - stored)
        with engine.begin() as connection:
            # Without triggers and checks of keys: the words are copied as well.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            _copy(connection, some, step=stored)
            connection.execute(_COPIED_WORDS, {"step": stored, "some": some})
    with migrating(settings) as connection, connection.begin():
        index.look_up(connection)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")  # which it does by itself a minute later


def _make_boards(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            insert(Source),
            [
                {
                    "slug": f"board-{n}",
                    "kind": ("greenhouse", "lever", "ashby")[n % 3],
                    "token": f"b{n}",
                    "name": f"Board {n}",
                }
                for n in range(_BOARDS)
            ],
        )


def _make_jobs(engine: Engine, made: int, length: int) -> None:
    chance = random.Random(7)
    words = _Words(chance)
    for start in range(0, made, _AT_ONCE):
        with engine.begin() as connection:
            _make(connection, chance, words, range(start, min(start + _AT_ONCE, made)), length)


def _make(
    connection: Connection,
    chance: random.Random,
    words: _Words,
    numbers: range,
    length: int,
) -> None:
    now = clock.now()
    jobs, texts, listings = [], [], []
    for number in numbers:
        job = _job(chance, number, now)
        jobs.append(job)
        count = max(int(chance.gauss(length, length / 4)), 20)
        said = words.drawn(chance, count)
        lines = [" ".join(said[at : at + 14]).capitalize() + "." for at in range(0, count, 14)]
        written = "\n".join(lines)
        texts.append(
            {"job_id": number + 1, "text": written, "html": "".join(f"<p>{line}</p>" for line in lines)}
        )
        listings += [
            {
                "source_id": board + 1,
                "source_job_id": f"{number}",
                "job_id": number + 1,
                "url": job["url"],
                "digest": "d" * 64,
            }
            for board in chance.sample(range(_BOARDS), 2 if number % 10 == 0 else 1)
        ]
    connection.execute(insert(Job), jobs)
    connection.execute(insert(Description), texts)
    connection.execute(insert(Listing), listings)


def _job(chance: random.Random, number: int, now: dt.datetime) -> dict[str, Any]:
    place, country = chance.choice(_PLACES)
    score = 0 if chance.random() < _UNFIT else min(int(chance.expovariate(1 / 22)) + 1, 100)
    seen = now - dt.timedelta(minutes=40 * (_MADE - number))
    return {
        "id": number + 1,
        "title": f"{chance.choice(('', 'Senior ', 'Staff ', 'Lead '))}{chance.choice(_TITLES)} {number}",
        "company": f"Company {int(chance.paretovariate(0.7)) % 3000}",
        "url": f"https://example.com/jobs/{number}",
        "locations": [place],
        "places": [{"raw": place, "city": place, "region": "", "country": country}],
        "remote": chance.choices(list(Remote), (30, 15, 25, 30))[0],
        "level": chance.choice(_LEVELS),
        "language": chance.choices(("en", "de", "fr", ""), (80, 8, 5, 7))[0],
        "employment_type": chance.choices(("full_time", "", "contract", "internship"), (60, 30, 6, 4))[0],
        "department": chance.choice(("Engineering", "Sales", "Security", "")),
        "salary": _pay(chance) if number % 3 == 0 else None,
        "posted_at": None if number % 5 == 0 else seen - dt.timedelta(days=chance.randrange(9)),
        "first_seen_at": seen,
        "score": score,
        "reasons": [{"term": "identity", "where": "title", "points": 20}] if score else [],
        "status": chance.choices(
            list(Status), (82, 3, 2, 1, 1, 1, 4, 6)
        )[0],
    }  # fmt: skip


def _pay(chance: random.Random) -> dict[str, Any]:
    least = chance.randrange(40, 240) * 1000.0
    stated = {"minimum": least, "maximum": least * 1.3, "currency": chance.choice(("USD", "EUR"))}
    return {**stated, "period": "year", "origin": "employer", "raw": ""}


def _copy(connection: Connection, some: int, *, step: int) -> None:
    """Store the first jobs again, with ids so much higher."""
    jobs, texts, listings = (each.__table__ for each in (Job, Description, Listing))
    # The same jobs at other scores, of other companies: another order, not the same one drawn out.
    new: dict[str, Any] = {
        "id": jobs.c.id + step,
        "company": literal("Company ") + cast((jobs.c.id * 7 + step) % 2999, jobs.c.company.type),
        "score": (jobs.c.score * 7 + literal(step // some, Integer)) % 101 * func.sign(jobs.c.score),
    }
    names = [each.name for each in jobs.c]
    wanted = jobs.c.id <= some
    connection.execute(
        insert(Job).from_select(
            names,
            select(*(new.get(name, jobs.c[name]) for name in names)).where(wanted),
            include_defaults=False,
        )
    )
    connection.execute(
        insert(Description).from_select(
            ["job_id", "html", "text"],
            select(texts.c.job_id + step, texts.c.html, texts.c.text).where(texts.c.job_id <= some),
        )
    )
    other: dict[str, Any] = {
        "source_job_id": listings.c.source_job_id + literal(f"-{step}"),
        "job_id": listings.c.job_id + step,
    }
    names = [each.name for each in listings.c if each.name != "id"]
    connection.execute(
        insert(Listing).from_select(
            names,
            select(*(other.get(name, listings.c[name]) for name in names)).where(listings.c.job_id <= some),
            include_defaults=False,
        )
    )
