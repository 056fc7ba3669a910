"""The pipeline: the jobs that the owner follows, by stage, with what comes next."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Date, Select, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased, defer

from scout import clock, jobs
from scout.models import Appointment, Job, Note, Status, StatusChange
from scout.telling import hours

Order = Literal["stage", "next", "since", "company"]
ORDERS = get_args(Order)

#: Cards of a stage that are shown unless all are asked for.
FIRST = 50
#: The most that are shown of a stage at all, or of the list.
MOST = 2000
#: Characters of a note that a card shows.
_EXCERPT = 90


class Stage(enum.StrEnum):
    """A column of the board."""

    SAVED = "saved"
    APPLIED = "applied"
    INTERVIEWING = "interviewing"
    OFFER = "offer"
    ENDED = "ended"


#: Statuses that say that the owner applied.
APPLIED = (Status.APPLIED, Status.INTERVIEWING, Status.OFFER)
#: What it means that a job is taken to a stage: the first of these that it may become.
_MEANT: Mapping[Stage, tuple[Status, ...]] = {
    Stage.SAVED: (Status.SAVED,),
    Stage.APPLIED: (Status.APPLIED,),
    Stage.INTERVIEWING: (Status.INTERVIEWING,),
    Stage.OFFER: (Status.OFFER,),
    Stage.ENDED: (Status.REJECTED, Status.DISMISSED),
}
_ENDED = (Status.REJECTED, Status.DISMISSED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Card:
    """A job in the pipeline.

    Attributes:
        job: The job; its listings, history and notes are not loaded.
        stage: Its column.
        since: Since when it has its status.
        appointment: The next appointment that is not over, or None.
        note: The first words of its newest note, or empty.
        timezone: The owner's time zone.
    """

    job: Job
    stage: Stage
    since: dt.datetime
    appointment: Appointment | None
    note: str
    timezone: str

    @property
    def overdue(self) -> bool:
        """Whether the day of what is next is over."""
        on = self.job.next_action_on
        return on is not None and on < clock.now().astimezone(hours.zone(self.timezone)).date()

    @property
    def meets(self) -> dt.datetime | None:
        """When the next appointment begins, in the owner's time zone."""
        return self.appointment.starts_at.astimezone(hours.zone(self.timezone)) if self.appointment else None

    @property
    def moves(self) -> Mapping[Stage, Status]:
        """The other stages that it can be taken to, and what it becomes there."""
        return moves(self.job.status)


@dataclass(frozen=True, slots=True)
class Column:
    """A stage: its cards, those with the next date first, then the newest; and how many there are in all."""

    stage: Stage
    cards: Sequence[Card]
    total: int

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.cards)


def stage_of(status: Status) -> Stage:
    """The column of jobs with a status. Of those that ended, only jobs that were applied for are in it."""
    return Stage.ENDED if status in _ENDED or status is Status.NEW else Stage(status.value)


def moves(status: Status) -> Mapping[Stage, Status]:
    """The stages that a job with a status can be taken to, and what it becomes there."""
    allowed = jobs.next_statuses(status)
    found = {}
    for stage, meant in _MEANT.items():
        to = next((each for each in meant if each in allowed), None)
        if to is not None and stage is not stage_of(status):
            found[stage] = to
    return found


def board(session: Session, timezone: str, *, whole: Stage | None = None) -> list[Column]:
    """All columns, each with its first cards.

    Args:
        session: The session.
        timezone: The owner's time zone.
        whole: The stage of which all cards are wanted, up to `MOST`.
    """
    totals = counts(session)
    return [
        Column(
            stage,
            _cards(session, timezone, stage, MOST if stage is whole else FIRST) if totals[stage] else [],
            totals[stage],
        )
        for stage in Stage
    ]


def counts(session: Session) -> dict[Stage, int]:
    """How many jobs are in each stage."""
    found = dict.fromkeys(Stage, 0)
    going = select(Job.status, func.count()).where(Job.status.in_((*APPLIED, Status.SAVED)))
    for status, count in session.execute(going.group_by(Job.status)):
        found[stage_of(status)] += count
    found[Stage.ENDED] = session.scalar(select(func.count()).select_from(Job).where(_in(Stage.ENDED))) or 0
    return found


def every(
    session: Session, timezone: str, order: Order = "stage", *, descending: bool = False, limit: int = MOST
) -> list[Card]:
    """All jobs of the pipeline as a list.

    Args:
        session: The session.
        timezone: The owner's time zone.
        order: `stage` (as the board has them), `next` (what is next, earliest first, then the rest), `since`
            (longest in its stage first) or `company`.
        descending: The other way round; jobs with nothing next stay last.
        limit: At most so many of a stage, 1 to `MOST`.
    """
    cards = [card for stage in Stage for card in _cards(session, timezone, stage, min(max(limit, 1), MOST))]
    match order:
        case "stage":
            return sorted(cards, key=lambda card: list(Stage).index(card.stage), reverse=descending)
        case "since":
            return sorted(cards, key=lambda card: card.since, reverse=descending)
        case "company":
            return sorted(cards, key=lambda card: card.job.company.casefold(), reverse=descending)
        case "next":
            dated = [card for card in cards if next_day(card) is not None]
            rest = [card for card in cards if next_day(card) is None]
            return sorted(dated, key=lambda card: next_day(card) or dt.date.max, reverse=descending) + rest


def next_day(card: Card) -> dt.date | None:
    """The day of what comes next for a job, of its plan or an appointment; None where nothing has a day."""
    days = [card.job.next_action_on, card.meets.date() if card.meets else None]
    return min((day for day in days if day is not None), default=None)


def as_dict(card: Card) -> dict[str, Any]:
    """A card as JSON: what `scout jobs pipeline --json` and the API give."""
    day = next_day(card)
    return {
        "id": card.job.id,
        "title": card.job.title,
        "company": card.job.company,
        "status": card.job.status.value,
        "version": card.job.version,
        "stage": card.stage.value,
        "since": clock.iso(card.since),
        "next_action": card.job.next_action,
        "next_action_on": card.job.next_action_on.isoformat() if card.job.next_action_on else None,
        "overdue": card.overdue,
        "next_day": day.isoformat() if day else None,
        "appointment": None
        if card.appointment is None
        else {
            "id": card.appointment.id,
            "what": card.appointment.what,
            "starts_at": clock.iso(card.appointment.starts_at),
        },
        "note": card.note,
        "closed_at": clock.iso(card.job.closed_at),
        "moves": {stage.value: to.value for stage, to in card.moves.items()},
    }


# --- Parts of it ------------------------------------------------------------------------------------------


def effective(step: type[StatusChange]) -> ColumnElement[bool]:
    """Whether a step counts: it took nothing back, and was not taken back."""
    later = aliased(StatusChange)
    undone = select(later.id).where(later.job_id == step.job_id, later.undid == step.id)
    return and_(step.undid.is_(None), ~undone.exists())


def _in(stage: Stage) -> ColumnElement[bool]:
    if stage is not Stage.ENDED:
        return Job.status == Status(stage.value)
    applied = select(StatusChange.job_id).where(StatusChange.to_status.in_(APPLIED), effective(StatusChange))
    given_up = Job.status.in_((Status.DISMISSED, Status.CLOSED))
    return or_(Job.status == Status.REJECTED, and_(given_up, Job.id.in_(applied)))


def _since() -> Any:
    """When a job came to the status that it has."""
    step = aliased(StatusChange)
    came = select(func.max(step.at)).where(
        step.job_id == Job.id, step.to_status == Job.status, effective(step)
    )
    return func.coalesce(came.scalar_subquery(), Job.first_seen_at)


def _first_day(now: dt.datetime, *, on_postgresql: bool) -> Any:
    """The day of what comes next for a job; of appointments the day in UTC, which will do to sort by."""
    start = func.min(Appointment.starts_at)
    # SQLite keeps days and times as text that begins with the day.
    day = cast(start, Date) if on_postgresql else func.date(start)
    meets = (
        select(day)
        .where(Appointment.job_id == Job.id, Appointment.starts_at >= now)
        .correlate(Job)
        .scalar_subquery()
    )
    plan = Job.next_action_on
    return case((meets.is_(None), plan), (or_(plan.is_(None), plan > meets), meets), else_=plan)


def _cards(session: Session, timezone: str, stage: Stage, limit: int) -> list[Card]:
    now = clock.now()
    day = _first_day(now, on_postgresql=session.get_bind().dialect.name == "postgresql")
    since = _since()
    statement: Select[Any] = (
        select(Job, since)
        .where(_in(stage))
        .options(defer(Job.reasons), defer(Job.places))
        .order_by(day.is_(None), day, since.desc(), Job.id.desc())
        .limit(limit)
    )
    rows = session.execute(statement).all()
    ids = [job.id for job, _ in rows]
    meetings, notes = _meetings(session, ids, now), _notes(session, ids)
    return [
        Card(job, stage, came, meetings.get(job.id), notes.get(job.id, ""), timezone) for job, came in rows
    ]


def _meetings(session: Session, job_ids: Sequence[int], now: dt.datetime) -> dict[int, Appointment]:
    """The next appointment of each job that has one."""
    found: dict[int, Appointment] = {}
    wanted = select(Appointment).where(
        Appointment.job_id.in_(job_ids), Appointment.starts_at > now - dt.timedelta(days=1)
    )
    for each in session.scalars(wanted.order_by(Appointment.starts_at, Appointment.id)):
        if each.ends_at > now:
            found.setdefault(each.job_id, each)
    return found


def _notes(session: Session, job_ids: Sequence[int]) -> dict[int, str]:
    """The first words of each job's newest note."""
    newest = select(func.max(Note.id)).where(Note.job_id.in_(job_ids)).group_by(Note.job_id)
    rows = session.execute(
        select(Note.job_id, func.substr(Note.body, 1, 4 * _EXCERPT)).where(Note.id.in_(newest))
    )
    return {job_id: _excerpt(body) for job_id, body in rows}


def _excerpt(body: str) -> str:
    words = " ".join(body.split())
    return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rsplit(' ', 1)[0]}…"
