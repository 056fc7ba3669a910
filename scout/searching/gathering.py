"""What fits a search, as ids: all of them where they are few, else so many that there are clearly many.

Few are gathered first and put in order afterwards, which takes as long whatever the order. Of many, a page
is found soonest by going through the list in its order and looking at what fits; they are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from scout.models import Job
from scout.searching import conditions
from scout.searching.conditions import Sought

#: More than these are many: nobody reads them all, and "1,000+" says as much.
MOST = 1_000
#: Of many jobs with the words, as many are compared with the other conditions, then as many, before all are.
_FIRST, _COMPARED = MOST + MOST // 2, 50 * MOST
#: Of few jobs that fit those, so many are read rather than compared with all that have the words.
_READ = MOST
#: PostgreSQL takes microseconds to look at the words of one job: so many of the best are tried before all
#: with the words are put together, so many at once, and so many first, which mostly tells whether to go on.
_TRIED, _AT_ONCE, _SAMPLE = 10 * MOST, MOST + MOST // 4, MOST // 4


@dataclass(frozen=True, slots=True)
class Gathered:
    """What fits.

    Attributes:
        ids: All that fit, in no order; or with `many` just `MOST` of them, the best matches or the newest.
        many: Whether there are more.
    """

    ids: Sequence[int]
    many: bool = False


def gather(session: Session, sought: Sought) -> Gathered:
    """Gather what is sought."""
    if not sought.words and not sought.without:
        return _all_or_many(session, _best(sought.others))
    if sought.postgres:
        found = _tried(session, sought)
        if found is not None:
            return found
    if not sought.words:
        return _all_or_many(session, _best(sought.where(walked=True)))
    if not sought.others:
        return _all_or_many(session, sought.newest_hits())
    hits = conditions.ids(session, sought.newest_hits().limit(_FIRST + 1))
    # Of SQLite's hits, in the order of the jobs, just as many are compared below as it takes.
    if sought.postgres or len(hits) <= _FIRST:
        some = conditions.listed(hits, postgres=sought.postgres)
        found = _all_or_many(session, select(Job.id).where(some, *sought.others))
        if found.many or len(hits) <= _FIRST:
            return found
    return _compared(session, sought)


def _compared(session: Session, sought: Sought) -> Gathered:
    """What is found where many have the words, and few of the first of them fit the other conditions."""
    newest = sought.newest_hits().limit(_COMPARED).subquery()
    column = next(iter(newest.c))
    fitting = select(column).select_from(newest).join(Job, Job.id == column).where(*sought.others)
    found = _all_or_many(session, fitting)
    if found.many:
        return found
    rest = conditions.ids(session, _best(sought.others).limit(_READ + 1))
    if len(rest) <= _READ:
        return Gathered(list(sought.among(session, rest)))
    return _all_or_many(session, select(Job.id).where(*sought.where(walked=True)))


def _tried(session: Session, sought: Sought) -> Gathered | None:
    """What is found among the best that fit the other conditions; None where that is not all, nor many."""
    best = conditions.ids(session, _best(sought.others).limit(_TRIED))
    found: list[int] = []
    tried = 0
    while tried < len(best):
        some = best[tried : tried + (_AT_ONCE if tried else _SAMPLE)]
        tried += len(some)
        there = sought.among(session, some)
        found += [each for each in some if each in there]
        if len(found) > MOST:
            return Gathered(found[:MOST], many=True)
        if len(found) * _TRIED < MOST * tried:
            # So few of them have the words that the others will not do.
            break
    else:
        return Gathered(found) if len(best) < _TRIED else None
    return None


def _best(where: Sequence[ColumnElement[bool]]) -> Select[int]:
    # In the order of the one index that has all that is compared, from its end.
    return select(Job.id).where(*where).order_by(Job.status.desc(), Job.score.desc())


def _all_or_many(session: Session, statement: Select[int]) -> Gathered:
    ids = conditions.ids(session, statement.limit(MOST + 1))
    return Gathered(ids[:MOST], many=len(ids) > MOST)
