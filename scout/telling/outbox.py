"""The outbox: what searches found, put together to messages, each sent by one teller at a time.

A pair of search and job is in the database once, so a job is told of once for each search. A message is
claimed by a conditional UPDATE with an end (a lease), tried again after growing pauses, and parked after so
many tries.

One doubt cannot be taken away: a process that dies after a channel took a message, and before that is
written down, leaves one that looks unsent. It is sent again: a message twice is a nuisance, a job never told
of may be a lost job. Both copies carry the same key.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from scout import clock, jobs, searches
from scout.database import Database
from scout.leases import changed
from scout.models import FoundJob, Job, Message, MessageState, SavedSearch, Status, Tells
from scout.telling import hours

#: Seconds between two looks through what is new, even if nothing seems to be.
LOOK_EVERY = 300.0
#: Jobs that came or changed so many seconds before the last look are looked through again: their transaction
#: may have been open then. No scan goes on for longer (`scout.queue.JOB_TIMEOUT`).
OVERLAP = 900.0
#: Seconds that a claim holds; longer than any channel may take (`scout.telling.channels.SEND_LIMIT`).
LEASE = 120.0
#: Seconds of pause after each failed try; after the last one the message is parked.
PAUSES = (60.0, 300.0, 1500.0, 7200.0, 36_000.0)
TRIES = len(PAUSES) + 1

#: What the owner is done with, or no board lists: nobody wants to be told of it.
_OVER = (Status.DISMISSED, Status.REJECTED, Status.CLOSED)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send one message.

    Attributes:
        message_id: The message.
        holder: Who holds it.
        channel: The name of its channel.
        search: The name of its search; empty for a reminder.
        batch: What its jobs are found by, or which day it reminds of.
        attempt: Which try this is, from 1.
    """

    message_id: int
    holder: str
    channel: str
    search: str
    batch: str
    attempt: int

    @property
    def key(self) -> str:
        """Names the message, the same at every try."""
        return f"{self.batch}.{self.message_id}"


def telling(session: Session) -> list[SavedSearch]:
    """The searches that tell by messages."""
    statement = select(SavedSearch).where(SavedSearch.enabled, SavedSearch.tells != Tells.FEED)
    return list(session.scalars(statement.order_by(SavedSearch.id)))


# --- Finding ----------------------------------------------------------------------------------------------


def look(db: Database, search: SavedSearch) -> int:
    """Put the jobs that a search finds since its last look into the outbox; how many."""
    began = clock.now()
    with db.reading() as session:
        found = session.scalars(_news(session, search)).all()
    with db.session() as session:
        # First, so that a change of the search by its owner comes before or after all of this.
        ours = changed(
            session,
            update(SavedSearch)
            .where(SavedSearch.id == search.id, SavedSearch.revision == search.revision)
            .values(looked_to=began),
        )
        if not ours:
            return 0
        searches.keep(session, search.id, found, batch=None)
    return len(found)


def _news(session: Session, search: SavedSearch) -> Select[int]:
    known = select(FoundJob.id).where(FoundJob.search_id == search.id, FoundJob.job_id == Job.id)
    statement = jobs.ids(session, searches.query_of(search)).where(Job.closed_at.is_(None), ~known.exists())
    if search.looked_to is None:
        return statement
    since = search.looked_to - dt.timedelta(seconds=OVERLAP)
    return statement.where(or_(Job.first_seen_at >= since, Job.changed_at >= since))


def _age(moment: dt.datetime, now: dt.datetime) -> float:
    return (now - moment).total_seconds()


# --- Putting together -------------------------------------------------------------------------------------


def is_due(search: SavedSearch, now: dt.datetime) -> bool:
    """Whether what the search found may go now: not in its quiet hours, or not before its digest's hour."""
    if search.tells is Tells.DIGEST:
        return search.digest_at is not None and search.digest_at <= now
    return not hours.is_quiet(now, search.quiet, search.timezone)


def put_together(db: Database, search: SavedSearch) -> int:
    """Make the messages of a search that is due, one for each of its channels; how many."""
    digest = search.tells is Tells.DIGEST
    waiting = (FoundJob.search_id == search.id) & FoundJob.batch.is_(None)
    with db.reading() as session:
        if not digest and session.scalar(select(FoundJob.id).where(waiting).limit(1)) is None:
            return 0
    batch = secrets.token_hex(16)
    with db.session() as session:
        same = (SavedSearch.id == search.id) & (SavedSearch.revision == search.revision)
        if digest:
            same &= SavedSearch.digest_at == search.digest_at
        due = searches.next_digest(search) if digest else None
        # Of two tellers, the second waits here on PostgreSQL; of a digest it then finds nothing to change,
        # and of instant messages no pair that is left.
        if not changed(session, update(SavedSearch).where(same).values(digest_at=due)):
            return 0
        if not changed(session, update(FoundJob).where(waiting).values(batch=batch)):
            return 0
        now = clock.now()
        session.add_all(
            Message(search_id=search.id, batch=batch, channel=name, next_try_at=now, created_at=now)
            for name in search.channels
        )
    return len(search.channels)


# --- Sending ----------------------------------------------------------------------------------------------


def due(session: Session, search_ids: Collection[int]) -> Sequence[int]:
    """The messages of these searches, and reminders, that may be sent now; the oldest first."""
    now = clock.now()
    ours = or_(Message.search_id.in_(search_ids), Message.search_id.is_(None))
    return session.scalars(
        select(Message.id)
        .where(ours, _free(now), Message.next_try_at <= now)
        .order_by(Message.next_try_at, Message.id)
    ).all()


def _free(now: dt.datetime) -> ColumnElement[bool]:
    unheld = or_(Message.lease_until.is_(None), Message.lease_until < now)
    return (Message.state == MessageState.WAITING) & unheld


def claim(db: Database, message_id: int, worker: str) -> Claim | None:
    """Take a message, to send it; None when somebody else has it or it is no longer to be sent."""
    now = clock.now()
    holder = f"{worker[:60]}:{secrets.token_hex(6)}"
    with db.session() as session:
        taken = changed(
            session,
            update(Message)
            .where(Message.id == message_id, _free(now), Message.next_try_at <= now)
            .values(
                lease_by=holder,
                lease_until=now + dt.timedelta(seconds=LEASE),
                attempts=Message.attempts + 1,
            ),
        )
        if not taken:
            return None
        message = session.get_one(Message, message_id)
        search = message.search.name if message.search else ""
        return Claim(message_id, holder, message.channel, search, message.batch, message.attempts)


def jobs_of(session: Session, claimed: Claim) -> list[Job]:
    """The jobs that a message tells of, best first: without what was dismissed or closed meanwhile."""
    found = select(FoundJob.job_id).where(FoundJob.batch == claimed.batch)
    statement = select(Job).where(Job.id.in_(found), Job.status.not_in(_OVER), Job.closed_at.is_(None))
    return list(session.scalars(statement.order_by(Job.score.desc(), Job.id.desc())))


def sent(db: Database, claimed: Claim, jobs_told: int) -> bool:
    """Write down that a message was sent, or had nothing to say; whether it was still ours."""
    return _end(
        db,
        claimed,
        state=MessageState.SENT if jobs_told else MessageState.EMPTY,
        jobs=jobs_told,
        sent_at=clock.now() if jobs_told else None,
        reason="",
    )


def failed(db: Database, claimed: Claim, why: str) -> bool:
    """Write down that a try failed; whether the message is parked now."""
    parked = claimed.attempt >= TRIES
    pause = 0.0 if parked else PAUSES[claimed.attempt - 1]
    state = MessageState.PARKED if parked else MessageState.WAITING
    next_try = clock.now() + dt.timedelta(seconds=pause)
    return _end(db, claimed, state=state, next_try_at=next_try, reason=why) and parked


def _end(db: Database, claimed: Claim, **values: object) -> bool:
    with db.session() as session:
        ours = (Message.id == claimed.message_id) & (Message.lease_by == claimed.holder)
        statement = update(Message).where(ours).values(lease_by=None, lease_until=None, **values)
        return bool(changed(session, statement))


def take_up_parked(session: Session, search_id: int | None = None) -> int:
    """Have parked messages tried again, from the first try on; how many."""
    parked = Message.state == MessageState.PARKED
    if search_id is not None:
        parked &= Message.search_id == search_id
    again = {"state": MessageState.WAITING, "attempts": 0, "next_try_at": clock.now()}
    return changed(session, update(Message).where(parked).values(again))


# --- What is there ----------------------------------------------------------------------------------------


def wanted(db: Database) -> bool:
    """Whether a teller would find something to do: a few reads from indexes."""
    now = clock.now()
    with db.reading() as session:
        active = telling(session)
        if not active:
            return bool(due(session, []))
        looked = [search.looked_to for search in active]
        if any(each is None or _age(each, now) >= LOOK_EVERY for each in looked):
            return True
        newest = [session.scalar(select(func.max(at))) for at in (Job.first_seen_at, Job.changed_at)]
        oldest_look = min(each for each in looked if each is not None)
        if any(each is not None and each >= oldest_look for each in newest):
            return True
        ready = [search for search in active if is_due(search, now)]
        waiting = FoundJob.search_id.in_([each.id for each in ready]) & FoundJob.batch.is_(None)
        if any(each.tells is Tells.DIGEST for each in ready):
            return True
        if session.scalar(select(FoundJob.id).where(waiting).limit(1)) is not None:
            return True
        return bool(due(session, may_send(active, now)))


def may_send(active: Sequence[SavedSearch], now: dt.datetime) -> list[int]:
    """The searches whose messages may go now: a try that failed is not made again in quiet hours."""
    return [
        each.id
        for each in active
        if each.tells is Tells.DIGEST or not hours.is_quiet(now, each.quiet, each.timezone)
    ]


@dataclass(frozen=True, slots=True)
class Outbox:
    """How many messages wait and are parked, and for how many seconds the oldest waiting one has."""

    waiting: int
    parked: int
    oldest: float


def figures(session: Session) -> Outbox:
    """What is in the outbox, and not sent."""
    open_ones = (MessageState.WAITING, MessageState.PARKED)
    rows = session.execute(
        select(Message.state, func.count(), func.min(Message.created_at))
        .where(Message.state.in_(open_ones))
        .group_by(Message.state)
    )
    found = {row[0]: (row[1], row[2]) for row in rows}
    waiting, since = found.get(MessageState.WAITING, (0, None))
    parked, _ = found.get(MessageState.PARKED, (0, None))
    return Outbox(waiting, parked, max(_age(since, clock.now()), 0.0) if since else 0.0)


def failing(session: Session) -> list[tuple[str, str]]:
    """The channels whose last tries failed, by name, each with why in words for the owner."""
    rows = session.execute(
        select(Message.channel, func.max(Message.reason))
        .where(
            Message.state.in_((MessageState.WAITING, MessageState.PARKED)),
            Message.attempts > 0,
            Message.reason != "",
        )
        .group_by(Message.channel)
        .order_by(Message.channel)
    )
    return [(row[0], row[1]) for row in rows]
