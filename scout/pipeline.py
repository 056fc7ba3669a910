"""The pipeline: the jobs that the owner follows, by stage, with what comes next."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased, defer

from scout import clock, html, jobs, notes
from scout.database import in_parts
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
    places = _places(session, timezone)
    shown = {stage: found[: MOST if stage is whole else FIRST] for stage, found in places.items()}
    cards = _cards(session, timezone, [place for found in shown.values() for place in found])
    return [
        Column(stage, [cards[place.job_id] for place in shown[stage]], len(places[stage])) for stage in Stage
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
    most = min(max(limit, 1), MOST)
    places = [place for found in _places(session, timezone).values() for place in found[:most]]
    loaded = _cards(session, timezone, places)
    cards = [loaded[place.job_id] for place in places]
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
    undone = select(later.undid).where(later.undid.is_not(None))
    return and_(step.undid.is_(None), step.id.not_in(undone))


def _in(stage: Stage) -> ColumnElement[bool]:
    if stage is not Stage.ENDED:
        return Job.status == Status(stage.value)
    applied = select(StatusChange.job_id).where(StatusChange.to_status.in_(APPLIED), effective(StatusChange))
    given_up = Job.status.in_((Status.DISMISSED, Status.CLOSED))
    return or_(Job.status == Status.REJECTED, and_(given_up, Job.id.in_(applied)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a job stands, and what decides the order of cards."""

    job_id: int
    stage: Stage
    since: dt.datetime
    day: dt.date | None

    @property
    def order(self) -> tuple[bool, dt.date, float, int]:
        """Those with the next day first, then the newest."""
        return self.day is None, self.day or dt.date.max, -self.since.timestamp(), -self.job_id


def _places(session: Session, timezone: str) -> dict[Stage, list[_Place]]:
    """All jobs of the pipeline in the order of their cards, by a few light columns of each."""
    zone = hours.zone(timezone)
    followed = or_(*(_in(stage) for stage in Stage))
    step = aliased(StatusChange)
    steps = session.execute(
        select(step.job_id, func.max(step.at))
        .join(Job, Job.id == step.job_id)
        .where(followed, step.to_status == Job.status, effective(step))
        .group_by(step.job_id)
    )
    came = {row[0]: row[1] for row in steps}
    meetings = session.execute(
        select(Appointment.job_id, func.min(Appointment.starts_at))
        .where(Appointment.starts_at >= clock.now())
        .group_by(Appointment.job_id)
    )
    meets = {job_id: at.astimezone(zone).date() for job_id, at in meetings}
    found: dict[Stage, list[_Place]] = {stage: [] for stage in Stage}
    rows = session.execute(select(Job.id, Job.status, Job.next_action_on, Job.first_seen_at).where(followed))
    for job_id, status, plan, first_seen in rows:
        stage = stage_of(status)
        day = min((each for each in (plan, meets.get(job_id)) if each is not None), default=None)
        found[stage].append(_Place(job_id, stage, came.get(job_id, first_seen), day))
    for places in found.values():
        places.sort(key=lambda place: place.order)
    return found


def _cards(session: Session, timezone: str, places: Sequence[_Place]) -> dict[int, Card]:
    """The cards of some places, by their jobs' ids."""
    now = clock.now()
    found: dict[int, Card] = {}
    where = {place.job_id: place for place in places}
    for part in in_parts(list(where)):
        loaded = session.scalars(
            select(Job).where(Job.id.in_(part)).options(defer(Job.reasons), defer(Job.places))
        )
        meetings, newest = _meetings(session, part, now), _notes(session, part)
        for job in loaded:
            place, note = where[job.id], newest.get(job.id, "")
            found[job.id] = Card(job, place.stage, place.since, meetings.get(job.id), note, timezone)
    return found


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
    words = " ".join(html.plain(notes.shown(body)).split())  # without the signs of Markdown
    return words if len(words) <= _EXCERPT else f"{words[:_EXCERPT].rsplit(' ', 1)[0]}…"
