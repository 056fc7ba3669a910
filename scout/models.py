"""The tables: sources, jobs and listings, scans, statuses, notes, searches, messages, the owner's account."""

from __future__ import annotations

import datetime as dt
import enum
import unicodedata
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    false,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from scout import clock
from scout.postings import Remote
from scout.searching import standing


class UTCDateTime(TypeDecorator[dt.datetime]):
    """An aware time, kept in UTC. SQLite has no time zones: there it is stored without and read back with."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse a naive time: nobody can know what it meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> dt.datetime | None:
        """Give every time back aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Status(enum.StrEnum):
    """Where a job stands for its owner."""

    NEW = "new"
    SAVED = "saved"
    APPLIED = "applied"
    INTERVIEWING = "interviewing"
    OFFER = "offer"
    REJECTED = "rejected"
    DISMISSED = "dismissed"
    CLOSED = "closed"


class EventKind(enum.StrEnum):
    """What boards did to a job, where its status does not tell it."""

    EDITED = "edited"
    CLOSED = "closed"
    REOPENED = "reopened"


class RunTrigger(enum.StrEnum):
    """What asked for a scan run."""

    FIRST = "first"
    SCHEDULE = "schedule"
    OWNER = "owner"
    COMMAND = "command"


class ScanState(enum.StrEnum):
    """How far a scan run, or one source's part in it, has come; the last four are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {ScanState.QUEUED, ScanState.RUNNING}


class Tells(enum.StrEnum):
    """How a saved search tells: at once, in one message a day or week, or by its feed alone."""

    INSTANT = "instant"
    DIGEST = "digest"
    FEED = "feed"


class Every(enum.StrEnum):
    """How often a digest goes out."""

    DAILY = "daily"
    WEEKLY = "weekly"


class MessageState(enum.StrEnum):
    """Where a message stands; `empty` is one whose jobs were all dismissed or gone before it could go."""

    WAITING = "waiting"
    SENT = "sent"
    PARKED = "parked"
    EMPTY = "empty"


def _enum(kind: type[enum.StrEnum], column: str) -> Enum:
    # Stored by value, as text with a CHECK: adding a member is a small migration on either database.
    return Enum(
        kind,
        name=column,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda members: [member.value for member in members],
        length=20,
    )


def _now() -> dt.datetime:
    # Looks the clock up at each call, so that a test that sets it sets it here too.
    return clock.now()


def _json() -> JSON:
    # Python's None is SQL's NULL, not JSON's null. PostgreSQL keeps the binary form.
    return JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def fold(text: str) -> str:
    """The form in which text is compared in a search: compatibility-normalised, without case."""
    return unicodedata.normalize("NFKC", text).casefold()


# Column defaults, so that bulk inserts have them too.
def _countries_of_row(context: Any) -> str:
    return standing.countries(context.get_current_parameters().get("places") or ())


def _yearly_of_row(context: Any) -> int | None:
    return standing.yearly(context.get_current_parameters().get("salary"))


def _currency_of_row(context: Any) -> str:
    return standing.currency(context.get_current_parameters().get("salary"))


class Base(DeclarativeBase):
    """The root of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dt.datetime: UTCDateTime(),
        dict[str, Any]: _json(),
        list[Any]: _json(),
    }


# A page, a link or a queued job may name a row that is gone: its id never comes to mean another row.
# PostgreSQL counts on by itself; SQLite must be asked.
_NO_REUSE = {"sqlite_autoincrement": True}


class Source(Base):
    """One board that is scanned: its address, its schedule, its lease and how it fared last."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("kind", "token"), _NO_REUSE)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    token: Mapped[str] = mapped_column(String(500))
    name: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(1000), default="")
    added_at: Mapped[dt.datetime] = mapped_column(default=_now)
    paused: Mapped[bool] = mapped_column(default=False)

    next_scan_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    next_scan_why: Mapped[str] = mapped_column(String(200), default="")
    interval_minutes: Mapped[float | None] = mapped_column(Float)
    """What its owner wants between two scans; null for the usual."""
    quiet_hours: Mapped[str | None] = mapped_column(String(20))
    """As `scout.schedule.quiet_hours` reads them; empty for none, null for those of the settings."""
    time_zone: Mapped[str | None] = mapped_column(String(60))
    """The zone of its quiet hours; null for that of the settings."""
    changes: Mapped[float] = mapped_column(Float, default=0.5, server_default="0.5")
    """The share of its scans that found something changed, 0 to 1; recent ones count more."""
    validators: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What `scout.sources.board.Validators` holds, and the `version` of the program that read the answers."""

    lease_by: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[dt.datetime | None]

    last_scan_at: Mapped[dt.datetime | None]
    last_success_at: Mapped[dt.datetime | None]
    listed_at: Mapped[dt.datetime | None]
    """When a listing that names every open posting was last read to its end."""
    last_state: Mapped[ScanState | None] = mapped_column(_enum(ScanState, "last_state"))
    last_reason: Mapped[str] = mapped_column(String(40), default="")
    last_error: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(default=0)
    """Scans in a row that failed."""
    suspicious: Mapped[bool] = mapped_column(default=False)
    """Whether the last complete listing was so much shorter than before that nothing was closed."""

    listings: Mapped[list[Listing]] = relationship(
        back_populates="source", cascade="all, delete-orphan", passive_deletes=True
    )


@dataclass(frozen=True, slots=True)
class Earlier:
    """What became of a job before it was posted anew.

    Attributes:
        job_id: The earlier job: the one last decided about, or else the last one.
        status: What the owner made of it; `closed` where nothing was decided.
        at: When that was, or when the earlier one was first seen where nothing was decided.
        decided: Whether the owner decided something.
    """

    job_id: int
    status: Status
    at: dt.datetime
    decided: bool


class Job(Base):
    """One job, whatever the number of boards it was seen on. Holds what the owner decided about it."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("score BETWEEN 0 AND 100", name="score"),
        # The list's order and its filters: newest or best first within a status.
        Index(None, "status", "score", "id"),
        Index(None, "status", "first_seen_at", "id"),
        Index(None, "first_seen_at", "id"),
        Index(None, "score", "id"),
        Index(None, "posted_at", "id"),
        Index(None, "pay_yearly", "id"),
        # All that filters and counts read of a job, so that they need not read the jobs themselves.
        Index(
            "ix_jobs_facts",
            "status",
            "score",
            "remote",
            "level",
            "employment_type",
            "language",
            "countries",
            "pay_yearly",
            "first_seen_at",
            "posted_at",
            "closed_at",
            "edit_unseen",
            "id",
        ),
        # What changed since a saved search last looked.
        Index(None, "changed_at"),
        # What is due. Few jobs have a day, and the others are not in it.
        Index(
            "ix_jobs_next_action_on",
            "next_action_on",
            sqlite_where=text("next_action_on IS NOT NULL"),
            postgresql_where=text("next_action_on IS NOT NULL"),
        ),
        _NO_REUSE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    company: Mapped[str] = mapped_column(String(300), index=True)
    url: Mapped[str] = mapped_column(Text)
    locations: Mapped[list[Any]] = mapped_column(default=list)
    places: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """What is told of `locations`: the fields of `scout.postings.Place`, an object each."""
    remote: Mapped[Remote] = mapped_column(_enum(Remote, "remote"), default=Remote.UNKNOWN)
    remote_evidence: Mapped[str] = mapped_column(String(200), default="")
    remote_regions: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """From where remote work may be done: ISO country codes and names of groups of countries."""
    level: Mapped[str] = mapped_column(String(20), default="", server_default="")
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    """ISO 639-1 code of the description's language."""
    salary: Mapped[dict[str, Any] | None]
    """The fields of `scout.postings.Salary`, or null where none is stated."""
    employment_type: Mapped[str] = mapped_column(String(40), default="")
    department: Mapped[str] = mapped_column(String(300), default="")
    posted_at: Mapped[dt.datetime | None]

    score: Mapped[int] = mapped_column(default=0)
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    """Why it matches: `{"term", "where", "points"}`, as in `scout.matching.Match`."""

    status: Mapped[Status] = mapped_column(_enum(Status, "status"), default=Status.NEW)
    first_seen_at: Mapped[dt.datetime] = mapped_column(default=_now)
    changed_at: Mapped[dt.datetime | None]
    """When a scan last found its content changed."""
    closed_at: Mapped[dt.datetime | None]
    """When no board listed it any more; null while at least one does."""
    edit_unseen: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a board edited it, as `JobEvent` tells, since the owner last looked at it or decided."""
    looked_at: Mapped[dt.datetime | None]
    """When the owner first saw it: opened it, decided about it, or marked a page of the list as seen."""
    next_action_on: Mapped[dt.date | None]
    """When the owner means to do something about it, a day of their calendar."""
    next_action: Mapped[str] = mapped_column(String(500), default="", server_default="")
    """What that is, in the owner's words."""
    planned_at: Mapped[dt.datetime | None]
    """When the owner last said what is next; null where that was before it was kept, or never."""
    repost_of_id: Mapped[int | None] = mapped_column(index=True)
    """The job that this one is the same as, posted anew after that one was gone. It may have been removed:
    ids are never given again, and a split brings a merged one back."""
    version: Mapped[int] = mapped_column(default=1)
    """Rises with each change of the status, and only then: a scan that touches the job is no conflict."""
    countries: Mapped[str] = mapped_column(String(200), default=_countries_of_row, server_default="")
    """The countries of `places`, as filters compare them. It and the next two are kept in step by themselves
    (`scout.searching.standing`)."""
    pay_yearly: Mapped[int | None] = mapped_column(default=_yearly_of_row)
    """The most that `salary` comes to in a year."""
    pay_currency: Mapped[str] = mapped_column(String(3), default=_currency_of_row, server_default="")

    description: Mapped[Description | None] = relationship(
        back_populates="job", cascade="all, delete-orphan", passive_deletes=True
    )
    listings: Mapped[list[Listing]] = relationship(
        back_populates="job", cascade="all, delete-orphan", passive_deletes=True
    )
    history: Mapped[list[StatusChange]] = relationship(
        back_populates="job",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="StatusChange.id",
    )
    events: Mapped[list[JobEvent]] = relationship(
        back_populates="job", cascade="all, delete-orphan", passive_deletes=True, order_by="JobEvent.id"
    )
    notes: Mapped[list[Note]] = relationship(
        back_populates="job", cascade="all, delete-orphan", passive_deletes=True, order_by="Note.id"
    )
    appointments: Mapped[list[Appointment]] = relationship(
        back_populates="job",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="Appointment.starts_at, Appointment.id",
    )

    @property
    def earlier(self) -> Earlier | None:
        """What it was before it was posted anew; None where it was not, or nobody asked (`reposts.told`)."""
        found: Earlier | None = self.__dict__.get("_earlier")
        return found

    @earlier.setter
    def earlier(self, found: Earlier | None) -> None:
        self.__dict__["_earlier"] = found

    @property
    def description_html(self) -> str:
        """The description as sanitised HTML, or empty."""
        return self.description.html if self.description else ""

    @description_html.setter
    def description_html(self, html: str) -> None:
        self._described().html = html

    @property
    def description_text(self) -> str:
        """The description as plain text, or empty."""
        return self.description.text if self.description else ""

    @description_text.setter
    def description_text(self, text: str) -> None:
        self._described().text = text

    def _described(self) -> Description:
        if self.description is None:
            self.description = Description(html="", text="")
        return self.description

    @property
    def last_seen_at(self) -> dt.datetime:
        """When a board last listed it. Its listings with their sources must be loaded."""
        return max((listing.seen_at for listing in self.listings), default=self.first_seen_at)


@event.listens_for(Job, "before_update")
def _keep_standing(_mapper: Any, _connection: Any, job: Job) -> None:
    state = inspect(job)
    if state.attrs["places"].history.has_changes():
        job.countries = standing.countries(job.places)
    if state.attrs["salary"].history.has_changes():
        job.pay_yearly, job.pay_currency = standing.yearly(job.salary), standing.currency(job.salary)


class Description(Base):
    """What a job's posting says at length.

    Apart from `Job`, since it is ten times as large as all the rest: lists, searches by title, and changes of
    a score or a status neither read nor rewrite it.
    """

    __tablename__ = "descriptions"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    html: Mapped[str] = mapped_column(Text, default="")
    """Sanitised, safe to show."""
    text: Mapped[str] = mapped_column(Text, default="")

    job: Mapped[Job] = relationship(back_populates="description")


class Listing(Base):
    """A job under one source: that source's own id of it, and what it last looked like there."""

    __tablename__ = "listings"
    __table_args__ = (
        UniqueConstraint("source_id", "source_job_id"),
        # Which boards list a job, and which jobs a board, without a look at the listings themselves.
        Index(None, "job_id", "source_id"),
        Index(None, "source_id", "job_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    source_job_id: Mapped[str] = mapped_column(String(500))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    """Fingerprint of the posting's content: an equal one means that nothing needs writing."""
    first_seen_at: Mapped[dt.datetime] = mapped_column(default=_now)
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=_now)
    """When it was last written, or seen in a listing that was cut. `seen_at` knows of whole ones too."""
    missing: Mapped[int] = mapped_column(default=0)
    """Complete listings in a row that lacked it."""
    closed_at: Mapped[dt.datetime | None]

    address_key: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """What the address says of the posting's identity (`scout.identity.keys`); null where it says nothing."""
    role_key: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """Company and title, as they are compared."""
    requisition: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """The employer's own number, as it is compared, or empty."""
    content: Mapped[dict[str, Any] | None]
    """What it says itself (`scout.identity.contents`), where its job has other listings; else null."""

    source: Mapped[Source] = relationship(back_populates="listings")
    job: Mapped[Job] = relationship(back_populates="listings")
    merges: Mapped[list[Merge]] = relationship(order_by="Merge.id", viewonly=True)

    @property
    def merged(self) -> Merge | None:
        """Why it is a listing of this job; None where it is the job's first. Its merges must be loaded."""
        return next(
            (each for each in reversed(self.merges) if each.undone_at is None and each.job_id == self.job_id),
            None,
        )

    @property
    def seen_at(self) -> dt.datetime:
        """When the board last listed it. Its source must be loaded.

        What a whole listing named is not written to each of its postings: the source's own time tells it.
        """
        whole = self.source.listed_at
        if whole is None or self.closed_at is not None or self.missing:
            return self.last_seen_at
        return max(whole, self.last_seen_at)


class Merge(Base):
    """A listing that was attached to a job, and why. It stays when it is undone."""

    __tablename__ = "merges"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id", ondelete="CASCADE"), index=True)
    tier: Mapped[str] = mapped_column(String(20))
    """What told it: one of `metrics.catalogue.TIER`'s values."""
    by: Mapped[str] = mapped_column(String(20))
    """Who: `owner` (pages), `command` (command line) or `scan`."""
    at: Mapped[dt.datetime] = mapped_column(default=_now)
    evidence: Mapped[str] = mapped_column(Text, default="")
    """Why, in words for the owner."""
    absorbed_id: Mapped[int | None] = mapped_column(index=True)
    """The job that the listing had been of; null where it was attached as it was first seen."""
    absorbed: Mapped[dict[str, Any] | None]
    """What that job was, so that a split brings it back (`scout.identity.merging`)."""
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str] = mapped_column(String(20), default="")


class Separation(Base):
    """Two listings that the owner told apart: no scan joins them again."""

    __tablename__ = "separations"

    listing_id: Mapped[int] = mapped_column(ForeignKey("listings.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[int] = mapped_column(
        ForeignKey("listings.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    """The one with the higher id."""
    at: Mapped[dt.datetime] = mapped_column(default=_now)
    by: Mapped[str] = mapped_column(String(20))


class Mark(Base):
    """One of the few marks of a job's text: texts that are much alike share most of theirs."""

    __tablename__ = "marks"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    mark: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True)


class ScanRun(Base):
    """One round of scanning: a set of sources, asked for together."""

    __tablename__ = "scan_runs"
    __table_args__ = _NO_REUSE

    id: Mapped[int] = mapped_column(primary_key=True)
    trigger: Mapped[RunTrigger] = mapped_column(_enum(RunTrigger, "trigger"))
    state: Mapped[ScanState] = mapped_column(_enum(ScanState, "state"), default=ScanState.QUEUED, index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    cancel_asked_at: Mapped[dt.datetime | None]
    """When somebody asked that it end before its time (`scout.cancelling`)."""

    results: Mapped[list[ScanResult]] = relationship(
        back_populates="run", cascade="all, delete-orphan", passive_deletes=True, order_by="ScanResult.id"
    )


class ScanResult(Base):
    """One source's part in a run. A row exists from the moment the run is asked for."""

    __tablename__ = "scan_results"
    __table_args__ = (UniqueConstraint("run_id", "source_id"), Index(None, "state"), _NO_REUSE)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("scan_runs.id", ondelete="CASCADE"))
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"), index=True)
    state: Mapped[ScanState] = mapped_column(_enum(ScanState, "state"), default=ScanState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    """How often a worker began it; past the limit it is parked as failed."""
    not_before: Mapped[dt.datetime | None]
    """When a scan that was handed back for want of a turn is asked for again."""
    started_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    phase: Mapped[str] = mapped_column(String(20), default="")
    """What a running scan is doing: `fetch`, `parse`, `match` or `store`."""
    pages: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many answers of the board were read; those of single postings are not among them."""
    seen: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    closed: Mapped[int] = mapped_column(default=0)
    reopened: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    """What went wrong, in words for the owner."""

    run: Mapped[ScanRun] = relationship(back_populates="results")
    source: Mapped[Source] = relationship()


class Asking(Base):
    """One of the times that a kind of board may be asked in a day, where its terms limit them."""

    __tablename__ = "askings"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asked_at: Mapped[dt.datetime]


class Scoring(Base):
    """One round of scoring what is kept, asked for when the profile changed. Only the newest is kept.

    It says which profile the stored scores are of, once it is finished.
    """

    __tablename__ = "scorings"
    __table_args__ = _NO_REUSE

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of the profile and the matcher (`scout.matching.fingerprint`)."""
    profile: Mapped[str] = mapped_column(String(200))
    """The profile's name."""
    asked_at: Mapped[dt.datetime] = mapped_column(default=_now)
    finished_at: Mapped[dt.datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    """How many jobs there were."""

    parts: Mapped[list[ScoringPart]] = relationship(
        back_populates="scoring",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="ScoringPart.number",
    )


class ScoringPart(Base):
    """A range of jobs' ids that one worker at a time scores again, from its lower end."""

    __tablename__ = "scoring_parts"

    scoring_id: Mapped[int] = mapped_column(ForeignKey("scorings.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_id: Mapped[int] = mapped_column()
    """Jobs up to this id are done."""
    last_id: Mapped[int] = mapped_column()
    late: Mapped[bool] = mapped_column(default=False)
    """Whether it is of those only that scans stored since the round was asked for."""
    seen: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    """How many got another score or other reasons."""

    scoring: Mapped[Scoring] = relationship(back_populates="parts")


class StatusChange(Base):
    """A dated step of a job from one status to another."""

    __tablename__ = "status_changes"
    __table_args__ = (
        # Which jobs came to a status: few are ever applied for.
        Index(None, "to_status", "job_id"),
        # Which steps were taken back: few are.
        Index(
            "ix_status_changes_undid",
            "undid",
            sqlite_where=text("undid IS NOT NULL"),
            postgresql_where=text("undid IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    from_status: Mapped[Status] = mapped_column(_enum(Status, "from_status"))
    to_status: Mapped[Status] = mapped_column(_enum(Status, "to_status"))
    at: Mapped[dt.datetime] = mapped_column(default=_now)
    by: Mapped[str] = mapped_column(String(20))
    """Who: `owner` (pages), `command` (command line), `import` (as a file says) or `scan`."""
    undid: Mapped[int | None]
    """The id of the step of the same job that this one took back, or null."""
    batch: Mapped[str | None] = mapped_column(String(32), index=True)
    """Names the change of many jobs at once that it was part of (`scout.jobs.change_many`), or null."""

    job: Mapped[Job] = relationship(back_populates="history")


class JobEvent(Base):
    """What boards did to a job: an edit, or that it closed or was back while its status stayed.

    Only the newest of each job are kept (`scout.history.KEPT`).
    """

    __tablename__ = "job_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    what: Mapped[EventKind] = mapped_column(_enum(EventKind, "what"))
    at: Mapped[dt.datetime] = mapped_column(default=_now)
    source: Mapped[str] = mapped_column(String(80), default="")
    """The slug of the source that said so, or empty; the source may be gone."""
    changes: Mapped[list[Any]] = mapped_column(default=list)
    """Of an edit, what changed, as `scout.changes.between` tells it."""

    job: Mapped[Job] = relationship(back_populates="events")


class Note(Base):
    """What the owner wrote about a job."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=_now, onupdate=_now)

    job: Mapped[Job] = relationship(back_populates="notes")


class Appointment(Base):
    """When the owner meets somebody about a job: an interview, a call."""

    __tablename__ = "appointments"
    __table_args__ = (CheckConstraint("minutes BETWEEN 1 AND 1440", name="minutes"), _NO_REUSE)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    """Random: names it in calendars, here and wherever a backup is restored."""
    what: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[dt.datetime] = mapped_column(index=True)
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    """The zone in which the time was agreed, such as `Europe/Zurich`."""
    minutes: Mapped[int] = mapped_column(default=60)
    place: Mapped[str] = mapped_column(String(1000), default="")
    """Where, or the address of a call."""
    note: Mapped[str] = mapped_column(Text, default="")
    sequence: Mapped[int] = mapped_column(default=0)
    """Rises with each change, as calendars want it (RFC 5545, 3.8.7.4)."""
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    updated_at: Mapped[dt.datetime] = mapped_column(default=_now)

    job: Mapped[Job] = relationship(back_populates="appointments")

    @property
    def ends_at(self) -> dt.datetime:
        """When it is over."""
        return self.starts_at + dt.timedelta(minutes=self.minutes)


class SavedSearch(Base):
    """What the owner wants to be told of, how and when. Holds no secret: see `scout.searches`."""

    __tablename__ = "searches"
    __table_args__ = (
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        _NO_REUSE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    uid: Mapped[str] = mapped_column(String(32))
    """Random: names the search and its jobs in feeds, whatever the address of the pages becomes."""
    query: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The fields of `scout.jobs.JobQuery` that differ from their defaults, without those of paging."""
    tells: Mapped[Tells] = mapped_column(_enum(Tells, "tells"), default=Tells.FEED)
    every: Mapped[Every] = mapped_column(_enum(Every, "every"), default=Every.DAILY)
    hour: Mapped[int] = mapped_column(default=8)
    weekday: Mapped[int] = mapped_column(default=0)
    """Of a weekly digest: 0 is Monday."""
    channels: Mapped[list[Any]] = mapped_column(default=list)
    """Names of channels; their addresses are in the owner's file alone."""
    quiet: Mapped[str] = mapped_column(String(11), default="")
    """`22:00-07:00`, in the search's time zone; empty for none."""
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    enabled: Mapped[bool] = mapped_column(default=True)
    feed_renewals: Mapped[int] = mapped_column(default=0)
    """How often the secret address of the feed was renewed: each number has one of its own."""
    revision: Mapped[int] = mapped_column(default=1)
    """Rises with each change by the owner: what was found for an older one is not kept."""
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    looked_to: Mapped[dt.datetime | None]
    """Until when jobs were looked through; null means all are to be looked through."""
    digest_at: Mapped[dt.datetime | None]
    """When the next digest is due."""


class FoundJob(Base):
    """A job that a saved search found. Once for each pair, so that nothing is told twice."""

    __tablename__ = "found_jobs"
    __table_args__ = (UniqueConstraint("search_id", "job_id"), Index(None, "search_id", "batch"))

    id: Mapped[int] = mapped_column(primary_key=True)
    search_id: Mapped[int] = mapped_column(ForeignKey("searches.id", ondelete="CASCADE"))
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    found_at: Mapped[dt.datetime] = mapped_column(default=_now)
    batch: Mapped[str | None] = mapped_column(String(32), index=True)
    """The messages that tell of it: null while it waits for one, empty if it was there before the search."""


class Message(Base):
    """One message to one channel: the outbox. It tells what a search found, or on a morning what is due."""

    __tablename__ = "messages"
    __table_args__ = (UniqueConstraint("batch", "channel"), Index(None, "state", "next_try_at"), _NO_REUSE)

    id: Mapped[int] = mapped_column(primary_key=True)
    search_id: Mapped[int | None] = mapped_column(ForeignKey("searches.id", ondelete="CASCADE"), index=True)
    """Null for a reminder (`scout.telling.reminders`)."""
    batch: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(40))
    state: Mapped[MessageState] = mapped_column(
        _enum(MessageState, "message_state"), default=MessageState.WAITING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    """How often its sending was begun; past the limit it is parked."""
    next_try_at: Mapped[dt.datetime] = mapped_column(default=_now)
    lease_by: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    sent_at: Mapped[dt.datetime | None]
    jobs: Mapped[int] = mapped_column(default=0)
    """How many jobs it told of; of a reminder, how many dates."""
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why the last try failed, in words for the owner."""

    search: Mapped[SavedSearch | None] = relationship()


class Account(Base):
    """The one owner. There is at most one row, with id 1."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    password_hash: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    password_changed_at: Mapped[dt.datetime] = mapped_column(default=_now)
    totp_salt: Mapped[str] = mapped_column(String(64), default="")
    """Random: with the key of the installation it makes the secret of the codes, which is kept nowhere."""
    totp_on_at: Mapped[dt.datetime | None]
    """Since when a code is asked for at signing in; null while it is not."""
    totp_last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The 30 seconds (since 1970) of the last code that was taken: none of them or before is taken again."""
    calendar_renewals: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the secret address of the calendar was renewed: each number has one of its own."""
    calendar_digest: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Of the calendar as it was last read, and since when it has been so."""
    calendar_changed_at: Mapped[dt.datetime | None]


class RecoveryCode(Base):
    """A code for the owner whose authenticator is lost: of 78 random bits, kept as its SHA-256."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    used_at: Mapped[dt.datetime | None]


class Setup(Base):
    """What the owner chose at first, and may choose anew. There is at most one row, with id 1."""

    __tablename__ = "setup"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    welcomed_at: Mapped[dt.datetime | None]
    """When the first run was finished or left out; null while it is still to be shown."""
    profile: Mapped[str] = mapped_column(String(200), default="")
    """The name of a profile of the program, or empty for none chosen."""
    profile_text: Mapped[str] = mapped_column(Text, default="")
    """The owner's own profile, as written; where there is one, it counts."""
    profile_at: Mapped[dt.datetime | None]
    """When the profile was chosen."""


class Session(Base):
    """A signed-in browser. The cookie holds a random token; only its SHA-256 is kept here."""

    __tablename__ = "sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=_now)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    browser: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    """The IP address that signed in; empty for sessions from before it was kept."""
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What Flask's session holds: the CSRF token and messages to show."""


class Replay(Base):
    """The answer to a request of the API that came with a key, to give it again (`scout.replays`)."""

    __tablename__ = "replays"

    caller: Mapped[str] = mapped_column(String(80), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Of the request: SHA-256 of its method, address and body."""
    begun_at: Mapped[dt.datetime] = mapped_column(default=_now, index=True)
    status: Mapped[int | None]
    """Of the answer; null while there is none."""
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    body: Mapped[str] = mapped_column(Text, default="")


class ApiToken(Base):
    """What lets a program in, for some scopes: see `scout.tokens`. Only its secret's SHA-256 is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (_NO_REUSE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    """The part of its text that is no secret, to recognise it by."""
    secret_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    """Values of `scout.tokens.Scope`."""
    created_at: Mapped[dt.datetime] = mapped_column(default=_now)
    last_used_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class AuditEvent(Base):
    """Something that was done here, by whom and from where: see `scout.audit`."""

    __tablename__ = "audit_events"
    __table_args__ = (_NO_REUSE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=_now, index=True)
    action: Mapped[str] = mapped_column(String(80), index=True)
    """A name for programs: the endpoint of a request, or one of `scout.audit`."""
    words: Mapped[str] = mapped_column(String(200))
    """The same for people."""
    subject: Mapped[str] = mapped_column(Text, default="")
    """What it was done to: a job's title, a board's name; empty where the words say it all."""
    by: Mapped[str] = mapped_column(String(200))
    """`browser: Firefox on Linux`, `token: NAME`, `command` or `nobody` (who was not let in)."""
    address: Mapped[str] = mapped_column(String(45), default="")
    """The IP address that it came from; empty for commands."""
    times: Mapped[int] = mapped_column(default=1)
    """How often, where the same is told in sums: failed tries to sign in."""
