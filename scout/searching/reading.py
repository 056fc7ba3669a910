"""Whether jobs have the words of a search, told by reading them: quicker for some jobs than to find all.

It says of each job what the index of words says. FTS5 takes longer to look up one job in it than it takes to
read that job, and as long as for all jobs where many words begin as it is typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from scout.models import Description, Job
from scout.searching.language import Key
from scout.searching.words import folded

#: What a job says, folded: title, company, places, and the rest; and whether that fits.
Fits = Callable[[Sequence[str]], bool]

_FIELDS = {Key.TITLE: (0,), Key.COMPANY: (1,), Key.PLACE: (2,), Key.COUNTRY: (2,)}
#: Where a word is likeliest to be.
_ANYWHERE = (3, 0, 1, 2)


def term(key: Key, values: Iterable[tuple[Sequence[str], bool]], *, negated: bool) -> Fits:
    """Whether a job fits one term.

    Args:
        key: What the term looks at.
        values: Words in a row, of which one such row must be there, and whether the last may be a beginning.
        negated: Whether none must be there.
    """
    # `re` is quick to find what begins with plain letters, and slow where something must stand before those.
    patterns = [
        re.compile(r"[\W_]+".join(map(re.escape, words)) + ("" if begins else r"(?![^\W_])"))
        for words, begins in values
    ]
    fields = _FIELDS.get(key, _ANYWHERE)
    return lambda told: (
        any(_stands(pattern, told[each]) for each in fields for pattern in patterns) is not negated
    )


def _stands(pattern: re.Pattern[str], text: str) -> bool:
    """Whether a text has what a pattern says, from the beginning of a word on."""
    found = pattern.search(text)
    while found is not None:
        at = found.start()
        if not at or not text[at - 1].isalnum():
            return True
        found = pattern.search(text, at + 1)
    return False


def fitting(session: Session, terms: Sequence[Fits], some: ColumnElement[bool]) -> set[int]:
    """The ids of those of some jobs that fit all terms. For SQLite, whose connections can read places."""
    rows = session.execute(
        select(
            Job.id,
            Job.title,
            Job.company,
            func.scout_placed(Job.locations, Job.places),
            Job.department,
            func.coalesce(Description.text, ""),
        )
        .select_from(Job)
        .outerjoin(Description, Description.job_id == Job.id)
        .where(some)
    )
    return {
        job_id
        for job_id, title, company, place, department, text in rows
        if _fits(terms, (folded(title), folded(company), place, folded(f"{department}\n{text}")))
    }


def _fits(terms: Sequence[Fits], told: Sequence[str]) -> bool:
    return all(fits(told) for fits in terms)
