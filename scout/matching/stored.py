"""A stored job, as the posting that matching reads."""

from __future__ import annotations

from typing import Any

from scout.models import Job
from scout.postings import Place, Posting, Salary

#: What of a job's row matching reads besides its description; the second part is for wishes alone.
TERM_COLUMNS = (Job.id, Job.title, Job.company, Job.department)
WISH_COLUMNS = (
    Job.places, Job.remote, Job.remote_regions, Job.level, Job.language, Job.salary, Job.posted_at,
)  # fmt: skip


def posting_of(row: Any, text: str, *, wishes: bool = True) -> Posting:
    """What matching reads of a stored job.

    Args:
        row: A `Job`, or a row of `TERM_COLUMNS` and with `wishes` of `WISH_COLUMNS` too.
        text: Its description.
        wishes: Whether the profile has any.
    """
    if not wishes:
        return Posting(
            source_job_id=str(row.id),
            title=row.title,
            company=row.company,
            url="",
            department=row.department,
            description_text=text,
        )
    return Posting(
        source_job_id=str(row.id),
        title=row.title,
        company=row.company,
        url="",
        department=row.department,
        description_text=text,
        places=tuple(Place(**each) for each in row.places),
        remote=row.remote,
        remote_regions=tuple(row.remote_regions),
        level=row.level,
        language=row.language,
        salary=Salary(**row.salary) if row.salary else None,
        posted_at=row.posted_at,
    )
