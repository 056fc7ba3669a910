"""The index of words: where the database finds the jobs that hold some words.

It is the table `job_words`, in each database's own form, and in step with `jobs` and `descriptions` inside
the transaction that writes them, whoever writes:

- SQLite: an FTS5 table that keeps no copy of the texts. Triggers fill it, with the old row at hand, which it
  needs to take words out again. They call `scout_folded`, `scout_placed` and `scout_texts_follow`, which
  every connection of `scout.database` has.
- PostgreSQL: a `tsvector` a job under a GIN index. Its own functions would take longer to fold and part a
  text than all the rest of storing it takes. So triggers note which jobs changed (`stale_words`), and
  `catch_up` reads their words here, before the transaction ends.

Not in `scout.models`: neither form is a table as SQLAlchemy knows them.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, text
from sqlalchemy.orm import Session

from scout.searching.words import WORD, folded, words_of

#: Tables that are not of the models: what compares the two leaves them out.
TABLES = ("job_words", "stale_words")
#: Words of a text past this many are not found: PostgreSQL counts places up to 16,383.
_MOST_WORDS = 15_000
#: Letters of a word that count.
LONGEST_WORD = 100
#: Between two fields, so that no phrase goes across.
_GAP = 10
_AT_ONCE = 500
#: Words with one beginning that are told one by one: each costs a look into the index, twice.
MOST_BEGUN = 200


def is_of_the_index(table: str) -> bool:
    """Whether a table belongs to the index; FTS5 keeps several of its own."""
    return table.startswith(TABLES)


# --- What is indexed of a job -------------------------------------------------------------------------------


def country_word(code: str) -> str:
    """The word that stands for a country among the words of places."""
    return f"country{code.lower()}"


def placed(locations: Sequence[Any], places: Sequence[Any]) -> str:
    """What is found of a job's places: as written, as read, and a word for each country, folded."""
    told = [str(each) for each in locations]
    for place in places:
        told += [str(place.get("city") or ""), str(place.get("region") or "")]
        if place.get("country"):
            told.append(country_word(str(place["country"])))
    return folded("\n".join(told))


def _placed(locations: str | None, places: str | None) -> str:
    return _plain(placed(json.loads(locations or "[]"), json.loads(places or "[]")))


def _folded(value: str | None) -> str:
    return _plain(folded(value or ""))


def _plain(said: str) -> str:
    # FTS5 knows the letters of an older Unicode, and takes pictures that came later for some.
    return said if said.isascii() else " ".join(WORD.findall(said))


_texts_follow = contextvars.ContextVar("texts_follow", default=False)


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection to SQLite what the triggers call."""
    connection.create_function("scout_folded", 1, _folded, deterministic=True)
    connection.create_function("scout_placed", 2, _placed, deterministic=True)
    connection.create_function("scout_texts_follow", 0, _texts_follow.get)


@contextlib.contextmanager
def texts_follow() -> Iterator[None]:
    """Until the block ends, each new job's description is inserted too, after it: both are indexed once."""
    token = _texts_follow.set(True)
    try:
        yield
    finally:
        _texts_follow.reset(token)


def vector(title: str, company: str, place: str, rest: str) -> str:
    """A `tsvector` as text. Words of the title, company and places are there a second time, marked so."""
    at: dict[str, list[int]] = {}
    number = 1
    for mark, told in (("t/", title), ("c/", company), ("p/", place), ("", rest)):
        for each in words_of(told)[:_MOST_WORDS]:
            word = each[:LONGEST_WORD]
            at.setdefault(word, []).append(number)
            if mark:
                at.setdefault(mark + word, []).append(number)
            number += 1
        number += _GAP
    return " ".join(f"'{word}':{','.join(map(str, numbers))}" for word, numbers in at.items())


# --- SQLite -------------------------------------------------------------------------------------------------

_COLUMNS = "title, company, place, text"
_VALUES = (
    "scout_folded({job}.title), scout_folded({job}.company),"
    " scout_placed({job}.locations, {job}.places), scout_folded({job}.department || char(10) || {text})"
)


def _put(job: str, description: str) -> str:
    values = _VALUES.format(job=job, text=description)
    return f"INSERT INTO job_words(rowid, {_COLUMNS}) SELECT {job}.id, {values}"


def _take(job: str, description: str) -> str:
    values = _VALUES.format(job=job, text=description)
    return f"INSERT INTO job_words(job_words, rowid, {_COLUMNS}) SELECT 'delete', {job}.id, {values}"


_STORED = "coalesce((SELECT text FROM descriptions WHERE job_id = {job}.id), '')"
_OLD, _NEW = _STORED.format(job="old"), _STORED.format(job="new")
_OF_JOB = "title, company, locations, places, department"
_CHANGED = " OR ".join(f"old.{each} IS NOT new.{each}" for each in _OF_JOB.split(", "))

#: Without a copy of the texts, and without their sizes, which only an order by rarity would need.
_TABLE = (
    f"CREATE VIRTUAL TABLE job_words USING fts5({_COLUMNS}, content='', columnsize=0,"
    " tokenize='unicode61 remove_diacritics 0')"
)
#: Each word at each place: read only from word to next word.
_EACH = "CREATE VIRTUAL TABLE job_words_each USING fts5vocab(job_words, instance)"
#: Parts of the index are brought together sixteen at once, not four: a scan writes less over and over.
_MERGED = "INSERT INTO job_words(job_words, rank) VALUES ('automerge', 16)"
_TRIGGERS = {
    "job_words_of_new_job": (
        f"AFTER INSERT ON jobs WHEN NOT scout_texts_follow() BEGIN {_put('new', _NEW)}; END"
    ),
    "job_words_of_changed_job": (
        f"AFTER UPDATE OF {_OF_JOB} ON jobs WHEN {_CHANGED}"
        f" BEGIN {_take('old', _OLD)}; {_put('new', _NEW)}; END"
    ),
    # Before: its description, whose words are to be taken out too, goes with the job.
    "job_words_of_gone_job": f"BEFORE DELETE ON jobs BEGIN {_take('old', _OLD)}; END",
    "job_words_of_new_text": (
        "AFTER INSERT ON descriptions WHEN new.text <> '' OR scout_texts_follow() BEGIN"
        f" {_take('jobs', chr(39) * 2)} FROM jobs WHERE id = new.job_id AND NOT scout_texts_follow();"
        f" {_put('jobs', 'new.text')} FROM jobs WHERE id = new.job_id; END"
    ),
    "job_words_of_changed_text": (
        "AFTER UPDATE OF text ON descriptions WHEN old.text IS NOT new.text BEGIN"
        f" {_take('jobs', 'old.text')} FROM jobs WHERE id = new.job_id;"
        f" {_put('jobs', 'new.text')} FROM jobs WHERE id = new.job_id; END"
    ),
    # Of a job that stays: where it goes, its own trigger took all of its words out.
    "job_words_of_gone_text": (
        "AFTER DELETE ON descriptions"  # noqa: S608 - of our own words
        " WHEN old.text <> '' AND EXISTS (SELECT 1 FROM jobs WHERE id = old.job_id) BEGIN"
        f" {_take('jobs', 'old.text')} FROM jobs WHERE id = old.job_id;"
        f" {_put('jobs', chr(39) * 2)} FROM jobs WHERE id = old.job_id; END"
    ),
}

#: The word behind another: no word holds the sign that is put to it, which comes before all that words hold.
_NEXT = "SELECT term FROM job_words_each WHERE term >= {least} AND term < :end LIMIT 1"
_BEGUN = text(
    f"WITH RECURSIVE begun(term) AS (SELECT ({_NEXT.format(least=':beginning')}) UNION ALL"  # noqa: S608 - of our own words
    f" SELECT ({_NEXT.format(least='begun.term || char(1)')}) FROM begun WHERE begun.term IS NOT NULL)"
    " SELECT term FROM begun WHERE term IS NOT NULL LIMIT :most"
)


def begun(session: Session, beginning: str) -> list[str] | None:
    """The words of SQLite's index that begin so, in order; None where there are more than `MOST_BEGUN`."""
    wanted = {"beginning": beginning, "end": f"{beginning}\U0010ffff", "most": MOST_BEGUN + 1}
    words = session.scalars(_BEGUN, wanted).all()
    return list(words) if len(words) <= MOST_BEGUN else None


# --- PostgreSQL ---------------------------------------------------------------------------------------------

# Words lie in their rows, unpacked, as long as those fit a page: for a phrase they are read by the ten
# thousand, and out of the way each takes four times as long. Packing gains little.
_POSTGRES = (
    """CREATE TABLE job_words (job_id integer PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    words tsvector NOT NULL) WITH (toast_tuple_target = 8160)""",
    "ALTER TABLE job_words ALTER words SET STORAGE EXTERNAL",
    "CREATE TABLE stale_words (job_id integer PRIMARY KEY)",
)
_POSTGRES_TRIGGERS = (
    """CREATE OR REPLACE FUNCTION stale_words_of_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO stale_words VALUES (new.id) ON CONFLICT DO NOTHING; RETURN NULL; END $$""",
    """CREATE OR REPLACE FUNCTION stale_words_of_text() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO stale_words VALUES (coalesce(new.job_id, old.job_id)) ON CONFLICT DO NOTHING; RETURN NULL;
    END $$""",
    """CREATE OR REPLACE TRIGGER stale_words_of_new_job AFTER INSERT ON jobs
    FOR EACH ROW EXECUTE FUNCTION stale_words_of_job()""",
    f"""CREATE OR REPLACE TRIGGER stale_words_of_changed_job AFTER UPDATE OF {_OF_JOB} ON jobs FOR EACH ROW
    WHEN ({_CHANGED.replace("IS NOT", "IS DISTINCT FROM")}) EXECUTE FUNCTION stale_words_of_job()""",
    """CREATE OR REPLACE TRIGGER stale_words_of_text AFTER INSERT OR DELETE OR UPDATE OF text ON descriptions
    FOR EACH ROW EXECUTE FUNCTION stale_words_of_text()""",
)
_READ = (
    "SELECT jobs.id, title, company, locations, places, department, coalesce(text, '') AS text"
    " FROM jobs LEFT JOIN descriptions ON job_id = jobs.id WHERE jobs.id IN :ids"
)
_STALE = text("DELETE FROM stale_words RETURNING job_id")
_ROWS = text(_READ).bindparams(bindparam("ids", expanding=True))
_KEEP = text(
    "INSERT INTO job_words (job_id, words) VALUES (:job_id, CAST(:words AS tsvector))"
    " ON CONFLICT (job_id) DO UPDATE SET words = excluded.words"
)


def catch_up(session: Session) -> None:
    """Bring the index up to date with what the running transaction wrote; for SQLite triggers did it."""
    if session.get_bind().dialect.name != "postgresql":
        return
    session.flush()
    _catch_up(session.connection())


def _catch_up(connection: Connection) -> None:
    _index(connection, sorted(connection.scalars(_STALE)))


def _index(connection: Connection, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        rows = connection.execute(_ROWS, {"ids": list(ids[start : start + _AT_ONCE])}).all()
        _keep(connection, rows)


def _keep(connection: Connection, rows: Iterable[Row[Any]]) -> None:
    values = [
        {
            "job_id": row.id,
            "words": vector(
                row.title, row.company, placed(row.locations, row.places), f"{row.department}\n{row.text}"
            ),
        }
        for row in rows
    ]
    if values:
        connection.execute(_KEEP, values)


# --- Making it ----------------------------------------------------------------------------------------------


def create(connection: Connection) -> None:
    """Make the index, filled with what is stored, in parts: memory does not grow with the number of jobs."""
    if connection.dialect.name == "postgresql":
        for statement in _POSTGRES:
            connection.exec_driver_sql(statement)
    else:
        connection.exec_driver_sql(_TABLE)
        connection.exec_driver_sql(_EACH)
        connection.exec_driver_sql(_MERGED)
    fill(connection)
    if connection.dialect.name == "postgresql":
        look_up(connection)
    attach(connection)


def look_up(connection: Connection) -> None:
    """Let PostgreSQL look up the words of a filled table: an index that grows by rows takes much longer."""
    # With the 64 MB that are the default, a million jobs take a quarter of an hour.
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    connection.exec_driver_sql("CREATE INDEX ix_job_words_words ON job_words USING gin (words)")


def attach(connection: Connection) -> None:
    """Make the triggers where they are missing: SQLite drops them with a table that it copies and changes."""
    if connection.dialect.name == "postgresql":
        for statement in _POSTGRES_TRIGGERS:
            connection.exec_driver_sql(statement)
        return
    for name, trigger in _TRIGGERS.items():
        connection.exec_driver_sql(f"CREATE TRIGGER IF NOT EXISTS {name} {trigger}")


def fill(connection: Connection) -> None:
    """Index all jobs, into an index that holds none."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"{_put('jobs', _STORED.format(job='jobs'))} FROM jobs ORDER BY id")
        return
    last = 0
    while ids := connection.scalars(
        text("SELECT id FROM jobs WHERE id > :last ORDER BY id LIMIT :most"),
        {"last": last, "most": _AT_ONCE},
    ).all():
        _index(connection, ids)
        last = ids[-1]


def drop(connection: Connection) -> None:
    """Take the index away, with its triggers."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION stale_words_of_job, stale_words_of_text CASCADE")
        connection.exec_driver_sql("DROP TABLE job_words, stale_words")
        return
    for name in _TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
    connection.exec_driver_sql("DROP TABLE job_words_each")
    connection.exec_driver_sql("DROP TABLE job_words")
