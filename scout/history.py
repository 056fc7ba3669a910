"""What happened to a job: what boards edited, when it closed and was back, and what its owner decided."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import changes, clock
from scout.database import after_commit
from scout.models import Description, EventKind, Job, JobEvent, Source, Status

#: Events of one job that are kept, the newest ones.
KEPT = 30

#: What happens at one moment is told in this order.
_ORDER = ("found", "reopened", "closed", "status", "edited")


def keep_edits(
    session: Session,
    source_id: int,
    contents: Mapping[int, Mapping[str, Any]],
    *,
    filled: Collection[int],
    at: dt.datetime,
) -> None:
    """Keep what is about to change in stored jobs. Called before they are overwritten.

    Args:
        session: The transaction that overwrites them.
        source_id: The source whose postings were edited.
        contents: By job, what is to be stored: the columns of `Job`, and the description as `text`.
        filled: Jobs that were stored without their details: these are filled in now, and only a new title is
            an edit.
        at: When it was noticed.
    """
    columns = (Job.title, Job.salary, Job.locations, Job.remote, Job.level, Job.employment_type)
    stored = session.execute(
        select(Job.id, *columns, Job.department, Description.text)
        .outerjoin(Description, Description.job_id == Job.id)
        .where(Job.id.in_(contents))
    )
    rows = []
    counts: Counter[str] = Counter()
    for row in stored:
        old = {"title": row.title} if row.id in filled else {**row._mapping, "text": row.text or ""}  # noqa: SLF001 - SQLAlchemy's public name
        if found := changes.between(old, contents[row.id]):
            rows.append({"job_id": row.id, "what": EventKind.EDITED, "at": at, "changes": found})
            counts.update(change["field"] for change in found)
    if not rows:
        return
    slug = session.scalar(select(Source.slug).where(Source.id == source_id)) or ""
    session.execute(insert(JobEvent), [{**row, "source": slug} for row in rows])
    ids = [row["job_id"] for row in rows]
    unloaded = {"synchronize_session": False}
    session.execute(update(Job).where(Job.id.in_(ids)).values(edit_unseen=True), execution_options=unloaded)
    prune(session, ids)
    after_commit(session, lambda: _count(counts))


def _count(counts: Mapping[str, int]) -> None:
    for field, amount in counts.items():
        catalogue.JOB_EDITS.inc(amount, field=field)


def note(session: Session, job: Job, what: EventKind) -> None:
    """Keep that a job closed or was back, where its status does not tell it."""
    session.add(JobEvent(job_id=job.id, what=what, at=clock.now()))
    session.flush()
    prune(session, [job.id])


def prune(session: Session, job_ids: Collection[int]) -> None:
    """Forget the oldest events of these jobs past `KEPT` each."""
    place = func.row_number().over(partition_by=JobEvent.job_id, order_by=JobEvent.id.desc())
    numbered = select(JobEvent.id, place.label("place")).where(JobEvent.job_id.in_(job_ids)).subquery()
    session.execute(
        delete(JobEvent).where(JobEvent.id.in_(select(numbered.c.id).where(numbered.c.place > KEPT))),
        execution_options={"synchronize_session": False},
    )


def of(job: Job) -> list[dict[str, Any]]:
    """All that happened to a job, oldest first, as JSON. Its history and events must be loaded.

    Each has `at` (ISO 8601 in UTC), `what` and `by` (`scan`, `owner` or `command`), and with `what`

    - `found`: nothing more;
    - `status`: `from` and `to`, and `undo`, whether it took the step before back;
    - `closed`, `reopened`: `from` and `to` where the status followed;
    - `edited`: `source`, and `changes` as `scout.changes.between` tells them, each with its `words`.
    """
    told: list[tuple[dt.datetime, dict[str, Any]]] = [(job.first_seen_at, {"what": "found", "by": "scan"})]
    for step in job.history:
        what = "status"
        if step.by == "scan":
            what = "closed" if step.to_status is Status.CLOSED else "reopened"
        entry: dict[str, Any] = {"what": what, "by": step.by}
        entry |= {"from": step.from_status.value, "to": step.to_status.value}
        if what == "status":
            entry["undo"] = step.undid is not None
        told.append((step.at, entry))
    for event in job.events:
        entry = {"what": event.what.value, "by": "scan", "source": event.source}
        if event.what is EventKind.EDITED:
            entry["changes"] = [{**each, "words": changes.words(each)} for each in event.changes]
        told.append((event.at, entry))
    told.sort(key=lambda each: (each[0], _ORDER.index(each[1]["what"])))
    return [{"at": clock.iso(at), **rest} for at, rest in told]
