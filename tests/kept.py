"""Sources and jobs to put into a test's database."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from scout.models import Job, Listing, Source

DAY = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def source(session: Session, slug: str = "acme", **fields: Any) -> Source:
    """A source, stored."""
    made = Source(**({"slug": slug, "kind": "lever", "token": slug, "name": slug.title()} | fields))
    session.add(made)
    session.flush()
    return made


def job(session: Session, title: str = "IAM Engineer", at: Source | None = None, **fields: Any) -> Job:
    """A job, stored; with `at`, listed by that source."""
    made = Job(**({"title": title, "company": "Acme", "url": "https://example.com/1"} | fields))
    session.add(made)
    session.flush()
    if at is not None:
        listed(session, made, at)
    return made


def listed(session: Session, job: Job, at: Source, **fields: Any) -> Listing:
    """A listing of a job by a source, stored."""
    made = Listing(
        **({"source": at, "job": job, "source_job_id": f"j{job.id}", "url": job.url, "digest": "d"} | fields)
    )
    session.add(made)
    session.flush()
    return made
