"""Jobs: finding them, following them, and what belongs to each."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from flask import Response, request
from pydantic import Field, model_validator

from scout import digits, export, history, jobs
from scout.identity import merging, resemblance
from scout.jobs import Bulk, JobQuery
from scout.models import Status
from scout.searching import cursors, language
from scout.searching.language import LONGEST
from scout.searching.orders import Sort
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.caller import caller
from webapp.api.operation import Resource
from webapp.api.problems import Problem
from webapp.api.shapes import Asked, Given, Id, JobPath, Taken
from webapp.parts import parts

api = Resource("jobs", "Jobs: finding them, following them, and what belongs to each.")

_MOST_IDS = 1000


class Wanted(Asked):
    """Which jobs."""

    q: str = Field(
        "",
        max_length=LONGEST,
        description="A search, as docs/SEARCHING.md tells: words, `-not`, `company:`, `score:>60`, ...",
        examples=["identity engineer remote:remote -contract"],
    )
    status: tuple[Status, ...] = Field((), description="Only of these statuses; all where none is said.")
    source: str = Field("", max_length=80, description="Only of the board with this short name.")
    min_score: int = Field(0, ge=0, le=100, description="Only those that match at least this well.")
    sort: Sort = Field("newest", description="The order; those that are equal by it, the newest first.")

    @property
    def query(self) -> JobQuery:
        """The same for `scout.jobs`."""
        return JobQuery(
            text=self.q,
            statuses=self.status,
            source=self.source,
            min_score=self.min_score,
            sort=self.sort,
        )


class ListedJobs(shapes.Page):
    """A page of jobs."""

    items: list[shapes.Job]
    total: int = Field(description="How many were found in all.")
    more: bool = Field(
        description="Whether there are more than `total`: past some thousands none is counted."
    )
    problems: list[str] = Field(description="What of `q` was not understood, and what to write instead.")


class Listed(Wanted, shapes.Paging):
    """Which jobs, and which page of them."""

    @property
    def page(self) -> JobQuery:
        """The same for `scout.jobs`.

        Raises:
            Problem: It names two places, or one that was not taken from a page of this list.
        """
        if self.after and self.before:
            raise Problem("invalid", "Say either `after` or `before`.")
        for name, said in (("after", self.after), ("before", self.before)):
            if said and cursors.read(said, self.sort) is None:
                detail = "This is no place of this list: take `next` or `previous`, with the same `sort`."
                raise Problem("invalid", errors=[{"in": "query", "pointer": f"/{name}", "detail": detail}])
        return replace(self.query, after=self.after, before=self.before, per_page=self.limit)


@api.operation("GET", "/jobs", scope=Scope.JOBS_READ, answer=ListedJobs)
def list_jobs(query: Listed) -> Response:
    """List jobs.

    Descriptions, history and notes are left out: `get_job` has them.
    """
    with parts().database.reading() as db:
        found = jobs.find(db, query.page)
        items = [jobs.as_dict(each) for each in found.jobs]
    return answers.page(
        items,
        next_={"after": found.next} if found.next else None,
        previous={"before": found.previous} if found.previous else None,
        total=found.total,
        more=found.more,
        problems=list(language.parse(query.q).problems),
    )


class FacetValue(Given):
    """A value that jobs have."""

    value: str = Field(description="As a search writes it.", examples=["senior"])
    words: str
    count: int
    q: str = Field(description="The search with it, or without it where it is chosen.")
    chosen: bool


class Facet(Given):
    """What jobs can be told apart by."""

    key: str = Field(description="Its key in a search.", examples=["level"])
    words: str
    values: list[FacetValue]


class FoundFacets(Given):
    """What was found, told apart and counted."""

    items: list[Facet]
    of: int = Field(description="How many jobs were counted.")
    whole: bool = Field(description="Whether those are all that were found; else the first in the order.")


@api.operation("GET", "/jobs/facets", scope=Scope.JOBS_READ, answer=FoundFacets)
def list_job_facets(query: Wanted) -> Response:
    """Count the jobs that are asked for by status, board, company, place and more."""
    with parts().database.reading() as db:
        found = jobs.facets(db, query.query)
    return answers.say(
        {
            "items": [
                {
                    "key": str(each.key),
                    "words": each.words,
                    "values": [
                        {
                            "value": value.value,
                            "words": value.words,
                            "count": value.count,
                            "q": value.query,
                            "chosen": value.chosen,
                        }
                        for value in each.values
                    ],
                }
                for each in found.facets
            ],
            "of": found.of,
            "whole": found.whole,
        }
    )


class Exported(Wanted):
    """Which jobs, and as what."""

    form: Literal["csv", "json", "jsonl"] = Field(
        "jsonl", description="A table, an array, or an object a line."
    )


_FILE = {"description": "The file.", "content": {
    "text/csv": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
    "application/x-ndjson": {"schema": {"type": "string"}},
}}  # fmt: skip


@api.operation("GET", "/jobs/export", scope=Scope.JOBS_READ, answer=_FILE)
def export_jobs(query: Exported) -> Response:
    """Have all jobs that are asked for as a file, with everything that is kept of each.

    It is sent while it is read, so that its size does not matter. `docs/DATA.md` tells the columns.
    """
    pieces = export.write(parts().database, query.query, query.form)
    return Response(pieces, content_type=export.MEDIA_TYPES[query.form])


@api.operation(
    "GET", "/jobs/<int:job_id>", scope=Scope.JOBS_READ, answer=shapes.WholeJob, refuses=("not-found",)
)
def get_job(path: JobPath) -> Response:
    """Read a job with its description, listings, history and notes.

    One that was merged into another is at the other's address: the answer is 404 and its `detail` names it.
    """
    return _job(path.job_id)


def _job(job_id: int) -> Response:
    with parts().database.reading() as db:
        try:
            job = jobs.get(db, job_id)
        except jobs.JobNotFound as error:
            there = merging.kept_instead(db, job_id)
            if there is None:
                raise
            raise Problem("not-found", f"Job {job_id} was merged into job {there}.") from error
        return answers.say(jobs.in_full(job), version=job.version)


def _expected() -> int | None:
    """The version that `If-Match` names: the whole ETag, or the number in front of it alone."""
    said = request.headers.get("If-Match", "").strip()
    if said in {"", "*"}:
        return None
    tags = [each.strip().strip('"').partition(".")[0] for each in said.split(",")]
    version = digits.whole(tags[0]) if len(tags) == 1 else None
    if version is None:
        # Whatever it is, it is no tag that a job has now (RFC 9110, section 13.1.1).
        raise Problem("changed-meanwhile", "`If-Match` names no version of a job.")
    return version


class NewStatus(Taken):
    """Where a job is to go."""

    to: Status = Field(description="The status.", examples=["saved"])


@api.operation(
    "PUT",
    "/jobs/<int:job_id>/status",
    scope=Scope.JOBS_WRITE,
    answer=shapes.WholeJob,
    refuses=("not-found", "conflict"),
    matches=True,
    does="Moved a job",
)
def set_job_status(path: JobPath, body: NewStatus) -> Response:
    """Take a job to another status, and write down when.

    A job that is there already stays as it is. `next_statuses` of a job names where it can go.
    """
    with parts().database.session() as db:
        jobs.change_status(db, path.job_id, body.to, caller().by, _expected())
    return _job(path.job_id)


@api.operation(
    "POST",
    "/jobs/<int:job_id>/undo",
    scope=Scope.JOBS_WRITE,
    answer=shapes.WholeJob,
    refuses=("not-found", "conflict"),
    matches=True,
    does="Took a decision back",
)
def undo_job(path: JobPath) -> Response:
    """Take the last decision about a job back. Done again, the one before that."""
    with parts().database.session() as db:
        jobs.undo(db, path.job_id, caller().by, _expected())
    return _job(path.job_id)


@api.operation(
    "PUT",
    "/jobs/<int:job_id>/plan",
    scope=Scope.JOBS_WRITE,
    answer=shapes.WholeJob,
    refuses=("not-found",),
    does="Planned what is next",
)
def set_job_plan(path: JobPath, body: shapes.Plan) -> Response:
    """Keep what is to be done next about a job, and when."""
    with parts().database.session() as db:
        jobs.plan(db, path.job_id, body.on, body.action)
    return _job(path.job_id)


@api.operation(
    "DELETE",
    "/jobs/<int:job_id>/plan",
    scope=Scope.JOBS_WRITE,
    answer=None,
    status=204,
    refuses=("not-found",),
    does="Took a plan away",
)
def delete_job_plan(path: JobPath) -> Response:
    """Take the plan away. Without one this is no error."""
    with parts().database.session() as db:
        jobs.plan(db, path.job_id, None, "")
    return answers.nothing()


@api.operation(
    "PUT",
    "/jobs/<int:job_id>/looked",
    scope=Scope.JOBS_WRITE,
    answer=None,
    status=204,
    refuses=("not-found",),
)
def look_at_job(path: JobPath) -> Response:
    """Note that its owner has looked at a job: what boards edited so far is no news any more."""
    with parts().database.session() as db:
        jobs.get(db, path.job_id)
        jobs.looked(db, path.job_id)
    return answers.nothing()


class Events(Given):
    """What happened to a job, oldest first."""

    items: list[shapes.Event]


@api.operation(
    "GET", "/jobs/<int:job_id>/history", scope=Scope.JOBS_READ, answer=Events, refuses=("not-found",)
)
def list_job_history(path: JobPath) -> Response:
    """Read what happened to a job: found, moved, edited by a board, closed, back again."""
    with parts().database.reading() as db:
        return answers.say({"items": history.of(jobs.get(db, path.job_id))})


class SimilarJob(Given):
    """A job of another company whose text is much the same."""

    id: int
    title: str
    company: str
    url: str
    status: Status
    share: float = Field(ge=0, le=1, description="The share of common words.")


class SimilarJobs(Given):
    """Jobs that are much like one, the most alike first."""

    items: list[SimilarJob]


@api.operation(
    "GET", "/jobs/<int:job_id>/similar", scope=Scope.JOBS_READ, answer=SimilarJobs, refuses=("not-found",)
)
def list_similar_jobs(path: JobPath) -> Response:
    """List jobs of other companies whose text is much like a job's, such as an agency's copy of it."""
    with parts().database.reading() as db:
        found = resemblance.look_alikes(db, jobs.get(db, path.job_id))
        items = [
            {
                "id": each.job.id, "title": each.job.title, "company": each.job.company, "url": each.job.url,
                "status": each.job.status.value, "share": round(each.share, 3),
            }
            for each in found
        ]  # fmt: skip
    return answers.say({"items": items})


# --- One of several, several of one -----------------------------------------------------------------------


class Other(Taken):
    """The job that becomes part of this one."""

    job_id: Id = Field(description="Its number. It ends, and its listings, notes and history come here.")


@api.operation(
    "POST",
    "/jobs/<int:job_id>/merge",
    scope=Scope.JOBS_WRITE,
    answer=shapes.WholeJob,
    refuses=("not-found", "conflict"),
    does="Merged two jobs",
)
def merge_job(path: JobPath, body: Other) -> Response:
    """Make one job of two. `split_job` takes it back."""
    with parts().database.session() as db:
        merging.merge(db, path.job_id, body.job_id, by=caller().by)
    return _job(path.job_id)


class ListingPath(JobPath):
    """A listing of a job."""

    listing_id: Id = Field(description="The listing's number.")


@api.operation(
    "POST",
    "/jobs/<int:job_id>/listings/<int:listing_id>/split",
    scope=Scope.JOBS_WRITE,
    answer=shapes.WholeJob,
    refuses=("not-found", "conflict"),
    does="Split a job",
)
def split_job(path: ListingPath) -> Response:
    """Take a listing off a job: it is a job of its own again, which is the answer.

    No scan joins them again.
    """
    with parts().database.session() as db:
        new = merging.split(db, path.job_id, path.listing_id, by=caller().by).id
    return _job(new)


# --- Many at once -----------------------------------------------------------------------------------------


class Chosen(Taken):
    """Jobs by their numbers."""

    id: Id
    version: int | None = Field(
        None, ge=0, le=2**31 - 1, description="The version decided upon; null compares none."
    )


class ChosenQuery(Taken):
    """Jobs by what they are."""

    q: str = Field("", max_length=LONGEST, description="A search, as docs/SEARCHING.md tells.")
    status: Annotated[list[Status], Field(max_length=len(Status))] = Field(
        [], description="Only of these; all where none."
    )
    source: str = Field("", max_length=80, description="Only of the board with this short name.")
    min_score: int = Field(0, ge=0, le=100, description="Only those that match at least this well.")

    @property
    def query(self) -> JobQuery:
        """The same for `scout.jobs`."""
        return JobQuery(
            text=self.q, statuses=tuple(self.status), source=self.source, min_score=self.min_score
        )


class BulkChange(Taken):
    """Many jobs, and where they are to go. Either `jobs` or `query` says which."""

    to: Status = Field(description="The status.", examples=["dismissed"])
    jobs: list[Chosen] | None = Field(None, max_length=_MOST_IDS, description="These.")
    query: ChosenQuery | None = Field(
        None, description="All that this finds; without a field, all there are."
    )
    dry_run: bool = Field(False, description="Only tell what would be done.")  # noqa: FBT003 - its default

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.jobs is None) == (self.query is None):
            raise ValueError("Say either `jobs` or `query`.")
        return self


class Refused(Given):
    """A job that was not changed."""

    id: int
    detail: str = Field(description="Why.", examples=["is closed and cannot become offer"])


class BulkOutcome(Given):
    """What became of many jobs."""

    changed: int
    unchanged: int = Field(description="Those that were there already.")
    conflicts: int = Field(description="Those that were changed since the version decided upon.")
    illegal: int = Field(description="Those that cannot go there from where they are.")
    missing: int = Field(description="Those that there are none of.")
    batch: str = Field(description="What `undo_bulk` takes this back by, or empty.")
    refused: list[Refused] = Field(description="The first hundred of those that were not changed.")


@api.operation("POST", "/jobs/bulk", scope=Scope.JOBS_WRITE, answer=BulkOutcome, does="Moved several jobs")
def change_jobs(body: BulkChange) -> Response:
    """Take many jobs to another status in one transaction.

    Those that may go there do; the others are counted and named.
    """
    which = body.query.query if body.query is not None else [each.id for each in body.jobs or ()]
    versions = {each.id: each.version for each in body.jobs or () if each.version is not None}
    with parts().database.session() as db:
        bulk = jobs.change_many(db, which, body.to, caller().by, versions=versions, dry_run=body.dry_run)
    return _outcome(bulk)


def _outcome(bulk: Bulk) -> Response:
    return answers.say(
        {
            "changed": bulk.changed,
            "unchanged": bulk.unchanged,
            "conflicts": bulk.conflicts,
            "illegal": bulk.illegal.total(),
            "missing": bulk.missing,
            "batch": bulk.batch,
            "refused": [{"id": job_id, "detail": why} for job_id, why in bulk.named.items()],
        }
    )


class BatchPath(Asked):
    """A change of many jobs."""

    batch: str = Field(min_length=1, max_length=40, description="What `change_jobs` called it.")


@api.operation(
    "POST",
    "/jobs/bulk/<batch>/undo",
    scope=Scope.JOBS_WRITE,
    answer=BulkOutcome,
    refuses=("not-found",),
    does="Took a change of several jobs back",
)
def undo_bulk(path: BatchPath) -> Response:
    """Take a change of many jobs back. Those that were decided about since stay, and are named."""
    with parts().database.session() as db:
        return _outcome(jobs.undo_batch(db, path.batch, caller().by))


class SeenJobs(Taken):
    """Jobs."""

    jobs: list[Id] = Field(max_length=_MOST_IDS, description="Their numbers.")


class NewlySeen(Given):
    """Jobs that were not seen before."""

    jobs: list[int] = Field(description="Their numbers: sent to `mark_jobs_unseen`, they are news again.")


@api.operation("POST", "/jobs/seen", scope=Scope.JOBS_WRITE, answer=NewlySeen)
def mark_jobs_seen(body: SeenJobs) -> Response:
    """Note that their owner has seen jobs, as by looking over a page of the list."""
    with parts().database.session() as db:
        return answers.say({"jobs": jobs.mark_seen(db, body.jobs)})


@api.operation("POST", "/jobs/unseen", scope=Scope.JOBS_WRITE, answer=None, status=204)
def mark_jobs_unseen(body: SeenJobs) -> Response:
    """Take `mark_jobs_seen` back. Jobs that were decided about meanwhile stay seen."""
    with parts().database.session() as db:
        jobs.mark_unseen(db, body.jobs)
    return answers.nothing()
