"""Jobs that are like one: of the same company, or with words of its title; what one may want to compare."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from scout import digits, jobs
from scout.jobs import JobQuery
from scout.models import Job, Status
from scout.searching import language
from scout.searching.language import Key
from scout.searching.words import words_of

#: Similar jobs that are told.
MOST = 6
#: Words of a title that are looked for; what many titles hold tells nothing.
_MOST_WORDS = 4
_COMMON = frozenset({"and", "for", "the", "with", "senior", "junior", "staff", "principal", "lead", "remote"})
_PAGE = re.compile(r"/jobs/([0-9]{1,10})/?")


def jobs_like(session: Session, job: Job, but: Collection[int] = ()) -> Sequence[Job]:
    """Jobs that are like one and still listed: with its title's words first, then of its company.

    Args:
        session: A session.
        job: The job.
        but: Ids of jobs that are told of otherwise.
    """
    found: dict[int, Job] = {}
    wanted = [" ".join(language.written(Key.TITLE, each) for each in _telling(job.title))]
    wanted.append(language.written(Key.COMPANY, f'"{job.company}"' if job.company else ""))
    for text in wanted:
        if not language.parse(text).terms:
            continue
        for other in jobs.find(
            session, JobQuery(text=text, statuses=_STANDING, sort="score", per_page=MOST)
        ).jobs:
            if other.id != job.id and other.id not in but:
                found.setdefault(other.id, other)
    return list(found.values())[:MOST]


_STANDING = tuple(status for status in Status if status not in {Status.CLOSED, Status.DISMISSED})


def _telling(title: str) -> list[str]:
    words = [each for each in words_of(title) if len(each) > 2 and each not in _COMMON]  # noqa: PLR2004 - no IT, no QA
    return sorted(dict.fromkeys(words), key=lambda each: (-len(each), each))[:_MOST_WORDS]


def named(text: str) -> int | None:
    """The id of the job that a person names by its number or by the address of its page here, or None."""
    text = text.strip()
    number = digits.whole(text)
    if number is not None:
        return number
    try:
        path = urlsplit(text).path
    except ValueError:
        return None
    match = _PAGE.fullmatch(path)
    return int(match[1]) if match else None
