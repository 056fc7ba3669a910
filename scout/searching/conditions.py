"""What a search asks of the database: its words as one look into the index, the rest as conditions."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    any_,
    cast,
    column,
    exists,
    func,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from scout import clock
from scout.models import Description, Job, Listing, Note, Source, Status
from scout.postings import Remote
from scout.searching import durations, index, reading
from scout.searching.language import TEXTUAL, UNKNOWN, Key, Query, Term

#: Shorter words are looked for as they are: what begins with two letters is half of all jobs, and those of
#: three are mostly abbreviations, which are meant whole.
SHORTEST_BEGINNING = 4

#: Tells the words of the index that begin so, or None where there are too many to name.
Begun = Callable[[str], Sequence[str] | None]

_SQLITE = table("job_words", column("rowid"), column("job_words"))
_POSTGRES = table("job_words", column("job_id"), column("words"))
_FIELDS = {Key.TITLE: "title", Key.COMPANY: "company", Key.PLACE: "place", Key.COUNTRY: "place"}
_MARKS = {Key.TITLE: "t/", Key.COMPANY: "c/", Key.PLACE: "p/", Key.COUNTRY: "p/"}


@dataclass(frozen=True, slots=True)
class Sought:
    """What is sought, for one kind of database.

    Attributes:
        words: What to look for in the index of words, in the database's own language, or empty.
        without: What must not be found there, likewise, where `words` is empty.
        others: All other conditions.
        terms: What is asked for by words, and against, as a job's texts are compared with it.
        postgres: Whether the database is PostgreSQL; else it is SQLite.
    """

    words: str = ""
    without: str = ""
    others: tuple[ColumnElement[bool], ...] = field(default=())
    terms: tuple[reading.Fits, ...] = field(default=())
    postgres: bool = False

    def hits(self, words: str = "") -> Select[int]:
        """The ids of jobs in the index that hold the words; those of the search where none are given."""
        return _hits(words or self.words, postgres=self.postgres)

    def newest_hits(self) -> Select[int]:
        """The same, the newest jobs first; in PostgreSQL, which would have to sort them all, in any order."""
        hits = self.hits()
        return hits if self.postgres else hits.order_by(_SQLITE.c.rowid.desc())

    def among(self, session: Session, job_ids: Sequence[int]) -> set[int]:
        """Which of some jobs have the words, and none of those that they must not have."""
        if not self.postgres:
            return reading.fitting(session, self.terms, listed(job_ids, postgres=False))
        some = any_(cast(list(job_ids), ARRAY(Integer)))
        # The function of the operator `@@`: no index answers it, and the few rows are looked at one by one.
        has = func.ts_match_vq(_POSTGRES.c.words, cast(self.words or self.without, TSQUERY))
        wanted = has if self.words else ~has
        return set(ids(session, select(_POSTGRES.c.job_id).where(_POSTGRES.c.job_id == some, wanted)))

    def where(self, *, walked: bool = False) -> list[ColumnElement[bool]]:
        """All conditions.

        Args:
            walked: Whether jobs are gone through in some order and compared with what the index of words
                found, rather than looked up one by one from there: quicker where most of them match.
        """
        found = list(self.others)
        # `+ 0` keeps SQLite from looking them up; PostgreSQL weighs that by itself.
        job_id = Job.id + 0 if walked and not self.postgres else Job.id
        if self.words:
            found.append(job_id.in_(self.hits()))
        if self.without and self.postgres:
            found.append(~self.hits(self.without).where(_POSTGRES.c.job_id == Job.id).exists())
        elif self.without:
            found.append(job_id.not_in(self.hits(self.without)))
        return found

    def more(self, *conditions: ColumnElement[bool]) -> Sought:
        """The same with more conditions."""
        return replace(self, others=(*self.others, *conditions))


def listed(job_ids: Sequence[int], *, postgres: bool) -> ColumnElement[bool]:
    """That a job is one of some, however many: all of them are one value of the statement."""
    if postgres:
        return Job.id == any_(cast(list(job_ids), ARRAY(Integer)))
    each = func.json_each(json.dumps(list(job_ids))).table_valued("value")
    return Job.id.in_(select(each.c.value))


def ids(session: Session, statement: Select[int]) -> Sequence[int]:
    """The ids in the order of the statement, past the ORM; from PostgreSQL as one array, not row by row."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return connection.scalars(statement).all()
    found: list[int] = connection.scalars(select(func.array(statement.scalar_subquery()))).one()
    return found


def _hits(words: str, *, postgres: bool) -> Select[int]:
    if postgres:
        return select(_POSTGRES.c.job_id).where(_POSTGRES.c.words.op("@@")(cast(words, TSQUERY)))
    return select(_SQLITE.c.rowid).where(_SQLITE.c.job_words.op("MATCH")(words))


def sought(query: Query, *, postgres: bool, begun: Begun) -> Sought:
    """What a search asks of a database.

    Args:
        query: The search.
        postgres: Whether the database is PostgreSQL; else it is SQLite.
        begun: The words of the index that begin so, for SQLite.
    """
    say = _for_postgres if postgres else functools.partial(_for_sqlite, begun=begun)
    textual = [term for term in query.terms if term.key in TEXTUAL]
    wanted = [say(term) for term in textual if not term.negated]
    unwanted = [say(term) for term in textual if term.negated]
    both, either, but = (" & ", " | ", " & !") if postgres else (" AND ", " OR ", " NOT ")
    words, without = both.join(wanted), either.join(unwanted)
    if words and without:
        words, without = f"({words}){but}({without})", ""
    return Sought(
        words=words,
        without=without,
        others=tuple(_condition(term) for term in query.terms if term.key not in TEXTUAL),
        terms=tuple(map(_read, textual)),
        postgres=postgres,
    )


def in_titles(query: Query, *, postgres: bool, begun: Begun) -> str:
    """What to look for in the index of words for jobs with all of a search's words in their titles."""
    say = _for_postgres if postgres else functools.partial(_for_sqlite, begun=begun)
    plain = [
        replace(term, key=Key.TITLE)
        for term in query.terms
        if term.key in {Key.WORDS, Key.PHRASE, Key.TITLE} and not term.negated
    ]
    return (" & " if postgres else " AND ").join(say(term) for term in plain)


def _for_sqlite(term: Term, *, begun: Begun) -> str:
    """The term in the language of FTS5.

    A beginning is said as the words that there are: FTS5 goes through those one hit after the other, but puts
    all the hits of a beginning together before it tells of the first.
    """
    name = _FIELDS.get(term.key)
    said = []
    for value in _values(term):
        if not _begins(term, value):
            said.append(f'"{value}"')
            continue
        *before, beginning = value.split()
        words = begun(beginning)
        if words is None:
            said.append(f'"{value}" *')
        else:
            # Of no word, the beginning itself: it is not found either.
            said += [f'"{" ".join([*before, word])}"' for word in words or [beginning]]
    return f"{name} : ({' OR '.join(said)})" if name else f"({' OR '.join(said)})"


def _for_postgres(term: Term) -> str:
    """The term as a `tsquery`."""
    mark = _MARKS.get(term.key, "")
    said = []
    for value in _values(term):
        *first, last = (f"'{mark}{each[: index.LONGEST_WORD]}'" for each in value.split())
        said.append(f"({' <-> '.join([*first, last + (':*' if _begins(term, value) else '')])})")
    return f"({' | '.join(said)})"


def _read(term: Term) -> reading.Fits:
    values = [(value.split(), _begins(term, value)) for value in _values(term)]
    return reading.term(term.key, values, negated=term.negated)


def _values(term: Term) -> Iterable[str]:
    return map(index.country_word, term.values) if term.key is Key.COUNTRY else term.values


def _begins(term: Term, value: str) -> bool:
    last = value.rpartition(" ")[2]
    return not term.exact and term.key is not Key.COUNTRY and len(last) >= SHORTEST_BEGINNING


def _condition(term: Term) -> ColumnElement[bool]:
    condition = _CONDITIONS[term.key](term)
    # What is not known fits no condition, and so fits each that is turned round.
    return condition.is_not(true()) if term.negated else condition


def _of_source(term: Term) -> ColumnElement[bool]:
    named = or_(Source.slug.in_(term.values), Source.kind.in_(term.values))
    return listed_by(named)


def listed_by(which: ColumnElement[bool]) -> ColumnElement[bool]:
    """Jobs that were listed by some sources."""
    sources = select(Source.id).where(which)
    return Job.id.in_(select(Listing.job_id).where(Listing.source_id.in_(sources)))


def _plain(values: tuple[str, ...]) -> list[str]:
    return ["" if each == UNKNOWN else each for each in values]


def _of_time(term: Term) -> ColumnElement[bool]:
    what = Job.first_seen_at if term.key is Key.NEW else Job.posted_at
    since = clock.now() - (durations.read(term.values[0]) or dt.timedelta())
    return what < since if term.older else what >= since


def _of_numbers(term: Term) -> ColumnElement[bool]:
    what: ColumnElement[int | None] = Job.score if term.key is Key.SCORE else Job.pay_yearly  # type: ignore[assignment]
    bounds = term.bounds
    found: ColumnElement[bool] = what.is_not(None)
    if bounds is not None and bounds.least is not None:
        found &= what >= bounds.least
    if bounds is not None and bounds.most is not None:
        found &= what <= bounds.most
    if bounds is not None and bounds.currency and term.key is Key.SALARY:
        found &= Job.pay_currency == bounds.currency
    return found


def _of_is(term: Term) -> ColumnElement[bool]:
    return or_(*(_IS[each]() for each in term.values))


def _of_has(term: Term) -> ColumnElement[bool]:
    return or_(*(_HAS[each]() for each in term.values))


_IS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "closed": lambda: Job.closed_at.is_not(None),
    "open": lambda: Job.closed_at.is_(None),
    "changed": lambda: Job.edit_unseen == true(),
    "unseen": lambda: Job.looked_at.is_(None),
    "planned": lambda: or_(Job.next_action_on.is_not(None), Job.next_action != ""),
    "reposted": lambda: Job.repost_of_id.is_not(None),
}
_HAS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "salary": lambda: Job.pay_yearly.is_not(None),
    "notes": lambda: exists().where(Note.job_id == Job.id),
    "description": lambda: exists().where(Description.job_id == Job.id, func.length(Description.text) > 0),
}
_CONDITIONS: dict[Key, Callable[[Term], ColumnElement[bool]]] = {
    Key.SOURCE: _of_source,
    Key.REMOTE: lambda term: Job.remote.in_([Remote(each) for each in term.values]),
    Key.LEVEL: lambda term: Job.level.in_(_plain(term.values)),
    Key.TYPE: lambda term: Job.employment_type.in_(_plain(term.values)),
    Key.LANGUAGE: lambda term: Job.language.in_(_plain(term.values)),
    Key.NEW: _of_time,
    Key.POSTED: _of_time,
    Key.SCORE: _of_numbers,
    Key.SALARY: _of_numbers,
    Key.STATUS: lambda term: Job.status.in_([Status(each) for each in term.values]),
    Key.IS: _of_is,
    Key.HAS: _of_has,
}
