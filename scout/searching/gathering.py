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

#: More than these are many: nobody reads them all, and "2,000+" says as much.
MOST = 2_000
#: Of many jobs with the words, as many are compared with the other conditions before all are.
_COMPARED = 20 * MOST
#: Of few jobs that fit those, so many are read rather than compared with all that have the words.
_READ = 1_000


@dataclass(frozen=True, slots=True)
class Gathered:
    """What fits.

    Attributes:
        ids: All that fit, in no order; or with `many` just `MOST` of them, the newest of those with the
            words, or the best matches where no words are looked for.
        many: Whether there are more.
    """

    ids: Sequence[int]
    many: bool = False


def gather(session: Session, sought: Sought) -> Gathered:
    """Gather what is sought."""
    if not sought.words:
        return _all_or_many(session, _best(sought.where(walked=True)))
    hits = _all_or_many(session, sought.newest_hits())
    if not sought.others:
        return hits
    if not hits.many:
        some = conditions.listed(hits.ids, postgres=sought.postgres)
        return Gathered(session.scalars(select(Job.id).where(some, *sought.others)).all())
    if not sought.postgres:
        newest = sought.newest_hits().limit(_COMPARED).subquery()
        column = next(iter(newest.c))
        found = _all_or_many(
            session, select(column).select_from(newest).join(Job, Job.id == column).where(*sought.others)
        )
        if found.many:
            return found
        rest = session.scalars(_best(sought.others).limit(_READ + 1)).all()
        if len(rest) <= _READ:
            return Gathered(list(sought.among(session, rest)))
    return _all_or_many(session, select(Job.id).where(*sought.where(walked=True)))


def _best(where: Sequence[ColumnElement[bool]]) -> Select[int]:
    # In the order of the one index that has all that is compared, from its end.
    return select(Job.id).where(*where).order_by(Job.status.desc(), Job.score.desc())


def _all_or_many(session: Session, statement: Select[int]) -> Gathered:
    ids = session.scalars(statement.limit(MOST + 1)).all()
    return Gathered(ids[:MOST], many=len(ids) > MOST)
