"""The forms of what the API takes and gives, that more than one resource has."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from scout.jobs import LONGEST_ACTION
from scout.models import RunTrigger, ScanState, Status
from scout.postings import Remote

#: Times are told as ISO 8601 in UTC, with a Z.
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-06-12T08:30:00Z"])]
Day = Annotated[dt.date, Field(examples=["2026-06-12"])]
Slug = Annotated[str, Field(min_length=1, max_length=80, examples=["veeva"])]

_GREATEST_ID = 2**31 - 1
Id = Annotated[int, Field(ge=1, le=_GREATEST_ID, examples=[7])]

LONGEST_NOTE = 20_000


class Taken(BaseModel):
    """Something that is sent to us: no field that does not exist, and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """What an address says after its question mark, or in its path: text, read as what it must be."""

    model_config = ConfigDict(extra="forbid")


class Given(BaseModel):
    """Something that we tell. Programs should pass over fields that they do not know."""

    model_config = ConfigDict(extra="ignore")


class JobPath(Asked):
    """A job."""

    job_id: Id = Field(description="The job's number.")


class SlugPath(Asked):
    """Something with a short name."""

    slug: Slug = Field(description="Its short name.")


class Problem(Given):
    """What went wrong (RFC 9457), as `application/problem+json`."""

    type: str = Field(
        description="Which kind of problem; the page explains it.",
        examples=["/api/docs#problem-conflict"],
        json_schema_extra={"format": "uri-reference"},
    )
    title: str = Field(description="The kind in a few words.")
    status: int = Field(description="The status of the answer.", examples=[409])
    detail: str = Field(description="What is wrong in this case, and what to do.")
    errors: list[WrongField] = Field(default=[], description="Of an invalid request, each wrong field.")
    request_id: str = Field(
        description="What the server's log has more under; also the header `X-Request-ID`.",
        examples=["4f0c1d5e8a7b2936"],
    )


class WrongField(Given):
    """One field that is wrong."""

    where: Literal["body", "query", "path"] = Field(alias="in", description="Where the field is.")
    pointer: str = Field(description="The field, as a JSON pointer (RFC 6901).", examples=["/to"])
    detail: str = Field(description="What is wrong with it.")


class Paging(Asked):
    """Which page of a list."""

    after: str = Field(
        "", max_length=300, description="Where the page begins: taken from `next`, and opaque."
    )
    before: str = Field("", max_length=300, description="Where the page ends: taken from `previous`.")
    limit: int = Field(50, ge=1, le=200, description="How many at the most.")


class Onward(Asked):
    """Where a list goes on."""

    after: str = Field(
        "", max_length=300, description="Where the page begins: taken from `next`, and opaque."
    )
    limit: int = Field(50, ge=1, le=200, description="How many at the most.")


class OnwardPage(Given):
    """A page of a list that is read from its beginning. `next` is a `Link` header as well."""

    next: str | None = Field(description="The address of the page after this, or null.")


class Page(Given):
    """A page of a list. The addresses of the pages around it are in `Link` headers as well."""

    next: str | None = Field(description="The address of the page after this, or null.")
    previous: str | None = Field(description="The address of the page before this, or null.")


# --- Jobs -------------------------------------------------------------------------------------------------


class Place(Given):
    """A place of work, and what could be told of it; empty parts are unknown."""

    raw: str = Field(description="As the board writes it.", examples=["Berlin, Germany"])
    city: str = Field(examples=["Berlin"])
    region: str
    country: str = Field(description="ISO 3166-1 alpha-2.", examples=["DE"])


class Salary(Given):
    """Pay as it is stated."""

    minimum: float | None = Field(description="Lowest amount, in units of the currency, for one period.")
    maximum: float | None = Field(description="Highest amount, likewise.")
    currency: str = Field(description="ISO 4217, or empty.", examples=["EUR"])
    period: str = Field(description="`hour`, `day`, `week`, `month` or `year`, or empty.")
    origin: str = Field(description="`employer`, `parsed` from text, or `predicted` by a board.")
    raw: str = Field(description="The text as it stood.")


class Reason(Given):
    """One reason why a job matches."""

    term: str = Field(examples=["identity"])
    where: str = Field(description="`title`, `department`, `description`, or the wish that it meets.")
    points: int = Field(description="What it gives; below 0 it takes away.", examples=[40])


class Earlier(Given):
    """What became of a job before it was posted anew."""

    job_id: int
    status: Status
    at: Time
    decided: bool = Field(description="Whether its owner had decided something.")


class Listing(Given):
    """A job on one board."""

    id: int
    source: str = Field(description="The board's short name.", examples=["veeva"])
    source_job_id: str = Field(description="The board's own id of it.")
    url: str = Field(description="The posting.")
    closed_at: Time | None = Field(description="When the board listed it no more, or null.")


class Job(Given):
    """A job, whatever the number of boards it is on."""

    id: int = Field(examples=[7])
    title: str = Field(examples=["Senior IAM Engineer"])
    company: str = Field(examples=["Veeva"])
    locations: list[str] = Field(description="Places as the board writes them.")
    places: list[Place] = Field(description="What is told of each of `locations`.")
    remote: Remote
    remote_regions: list[str] = Field(description="From where remote work may be done: ISO codes, groups.")
    level: str = Field(description="`junior`, `senior`, ..., or empty.")
    language: str = Field(description="Of the description, ISO 639-1, or empty.")
    salary: Salary | None
    employment_type: str
    department: str
    url: str = Field(description="The posting.")
    status: Status
    version: int = Field(description="Rises with each change of the status; `If-Match` compares it.")
    score: int = Field(ge=0, le=100, description="How well it matches the profile.")
    reasons: list[Reason] = Field(description="Why, best first.")
    posted_at: Time | None
    first_seen_at: Time
    last_seen_at: Time
    closed_at: Time | None = Field(description="When no board listed it any more, or null.")
    looked_at: Time | None = Field(description="When its owner first saw it, or null.")
    edit_unseen: bool = Field(description="Whether a board edited it since its owner looked.")
    next_action: str = Field(description="What its owner means to do, or empty.")
    next_action_on: Day | None = Field(description="When.")
    earlier: Earlier | None
    listings: list[Listing]


class Note(Given):
    """What the owner wrote about a job."""

    id: int
    body: str
    created_at: Time
    updated_at: Time


class Appointment(Given):
    """An appointment about a job."""

    id: int
    job_id: int
    uid: str = Field(description="What calendars know it by.")
    what: str
    starts_at: Time
    ends_at: Time
    begins: str = Field(
        description="The same start by the clock of `timezone`.", examples=["2026-06-12T10:30"]
    )
    timezone: str
    minutes: int
    place: str
    note: str
    sequence: int = Field(description="Rises with each change.")
    created_at: Time
    updated_at: Time


class Event(Given):
    """Something that happened to a job. What more there is depends on `what`."""

    model_config = ConfigDict(extra="allow")

    at: Time
    what: Literal["found", "status", "closed", "reopened", "edited"]
    by: str = Field(description="`scan`, `owner`, `command` or `import`.")


class Merged(Given):
    """Why a listing is one of this job."""

    listing_id: int
    tier: str = Field(description="What told it.")
    by: str
    at: Time
    evidence: str


class WholeJob(Job):
    """A job with all that belongs to it."""

    remote_evidence: str = Field(description="What told whether it is remote.")
    merges: list[Merged]
    description_text: str
    description_html: str = Field(description="Sanitised.")
    next_statuses: list[Status] = Field(description="Where it can go from here.")
    undo_to: Status | None = Field(description="Where undoing would take it, or null.")
    history: list[Event]
    notes: list[Note]
    appointments: list[Appointment]


class Plan(Taken):
    """What is to be done next."""

    on: dt.date | None = Field(None, description="The day, or null.", examples=["2026-06-12"])
    action: str = Field("", max_length=LONGEST_ACTION, description="What, in a line, or empty.",
                        examples=["Call the recruiter"])  # fmt: skip


# --- Boards and scans -------------------------------------------------------------------------------------


class Source(Given):
    """A board that is watched."""

    id: int
    slug: str = Field(description="Its short name.", examples=["veeva"])
    name: str = Field(examples=["Veeva"])
    kind: str = Field(
        description="What it is read as; `list_source_kinds` tells of them.", examples=["lever"]
    )
    token: str = Field(description="What names it among its kind.")
    url: str
    paused: bool
    health: Literal["new", "ok", "partial", "failing", "paused"]
    added_at: Time
    last_scan_at: Time | None
    last_success_at: Time | None
    last_status: ScanState | None
    last_reason: str = Field(description="A word for what went wrong, or empty.")
    last_error: str = Field(description="A sentence about it, or empty.")
    failures: int = Field(description="Scans in a row that failed.")
    suspicious: bool = Field(description="Whether its list was suddenly so short that nothing was closed.")
    next_scan_at: Time | None
    next_scan_why: str
    interval_minutes: float | None = Field(description="Between two scans; null is the usual.")
    quiet_hours: str | None = Field(description="Hours without scans; null is the usual, empty none.")
    time_zone: str | None


class Run(Given):
    """A scan run, in sums over its boards."""

    run_id: int
    status: ScanState
    cancelling: bool = Field(description="Whether it was cancelled, and boards have yet to stop.")
    trigger: RunTrigger
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    boards: int = Field(description="How many there are to scan.")
    boards_ended: int
    boards_failed: int
    seen: int = Field(description="Postings that were seen.")
    new: int
    updated: int
    closed: int
    seconds_left: float | None = Field(description="How long the rest may take, or null.")


class RunBoard(Given):
    """One board's part in a scan run."""

    source: str
    name: str
    kind: str
    status: ScanState
    phase: str = Field(description="`fetch`, `parse`, `match` or `store` while it runs, else empty.")
    attempts: int
    started_at: Time | None
    finished_at: Time | None
    seen: int
    new: int
    updated: int
    closed: int
    reopened: int
    reason: str = Field(description="A word for what went wrong, or empty.")
    error: str = Field(description="A sentence about it, or empty.")
    remedy: str = Field(description="What can be done about it, or empty.")
