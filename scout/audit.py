"""What was done here and when, by whom and from where: for the owner to look through.

Nothing secret is ever in it: an event says that the password was changed, not to what. It is bounded, and in
no backup.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from scout import clock
from scout.models import AuditEvent

#: The most events that are kept, and for how long: the newest.
MOST, KEPT = 10_000, dt.timedelta(days=365)
#: Failed tries to sign in from one address within this become one event.
_TOGETHER = dt.timedelta(hours=1)
#: Events between two times of looking for old ones.
_PURGE_EVERY = 100
_LONGEST = 300

SIGNED_IN, SIGN_IN_FAILED = "sign_in.succeeded", "sign_in.failed"
#: Who did what no browser and no token did.
COMMAND, NOBODY = "command", "nobody"
#: How `by` begins, and what that is for people.
WHO = {
    "browser": "Browsers",
    "token": "API tokens",
    "command": "Command line",
    "nobody": "Who was not let in",
}


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to list.

    Attributes:
        text: Only events that say this in their words, subject, author or address; empty for all.
        who: A key of `WHO`, or empty for all.
        page: 1 is the newest.
        per_page: How many make a page.
        before: Only events with a lower id than this; None for all. They are not left out of the total.
    """

    text: str = ""
    who: str = ""
    page: int = 1
    per_page: int = 50
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """A page of events, the newest first, and how many there are in all."""

    events: Sequence[AuditEvent]
    total: int


def record(
    session: Session, action: str, words: str, *, by: str, subject: str = "", address: str = ""
) -> AuditEvent:
    """Keep an event.

    Args:
        session: A read-write session: best that of the change itself.
        action: Its name for programs, such as the endpoint.
        words: The same for people, such as `Changed the password`.
        by: `browser: ...`, `token: ...`, `COMMAND` or `NOBODY`.
        subject: What it was done to; empty where the words say it all.
        address: Where it came from; empty for commands.
    """
    event = AuditEvent(
        at=clock.now(),
        action=action,
        words=words,
        subject=_line(subject, _LONGEST),
        by=_line(by, 200),
        address=_line(address, 45),
    )
    session.add(event)
    session.flush()
    if event.id % _PURGE_EVERY == 0:
        purge(session)
    return event


def by_command(session: Session, action: str, words: str, subject: str = "") -> None:
    """Keep what the command line did, in the transaction of the change itself."""
    record(session, action, words, by=COMMAND, subject=subject)


def failed_sign_in(session: Session, *, address: str, subject: str) -> None:
    """Keep that somebody was not let in: one event for an address, a reason and an hour, with how often."""
    address = _line(address, 45)
    event = session.scalar(
        select(AuditEvent)
        .where(
            AuditEvent.action == SIGN_IN_FAILED,
            AuditEvent.address == address,
            AuditEvent.subject == subject,
            AuditEvent.at > clock.now() - _TOGETHER,
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    if event is None:
        record(session, SIGN_IN_FAILED, "Failed to sign in", by=NOBODY, subject=subject, address=address)
    else:
        event.times = AuditEvent.times + 1


def find(session: Session, query: AuditQuery) -> Events:
    """What happened, the newest first."""
    wanted: list[ColumnElement[bool]] = []
    if query.who:
        wanted.append(AuditEvent.by.startswith(query.who, autoescape=True))
    for word in query.text.split():
        columns = (AuditEvent.words, AuditEvent.subject, AuditEvent.by, AuditEvent.address)
        wanted.append(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    total = session.scalar(select(func.count()).select_from(AuditEvent).where(*wanted)) or 0
    page = (
        select(AuditEvent)
        .where(*wanted, *([AuditEvent.id < query.before] if query.before is not None else []))
        .order_by(AuditEvent.id.desc())
        .offset((query.page - 1) * query.per_page)
        .limit(query.per_page)
    )
    return Events(session.scalars(page).all(), total)


def last_sign_in(session: Session) -> AuditEvent | None:
    """The last time that somebody was let in."""
    newest = select(AuditEvent).where(AuditEvent.action == SIGNED_IN).order_by(AuditEvent.id.desc()).limit(1)
    return session.scalar(newest)


def failed_since(session: Session, event: AuditEvent) -> int:
    """How often somebody was not let in after an event."""
    tries = select(func.sum(AuditEvent.times)).where(
        AuditEvent.action == SIGN_IN_FAILED, AuditEvent.id > event.id
    )
    return session.scalar(tries) or 0


def purge(session: Session) -> None:
    """Forget what is older than `KEPT`, and what is past the `MOST` newest."""
    last = session.scalar(select(func.max(AuditEvent.id))) or 0
    # Ids are without gaps but for transactions that were rolled back, so this keeps `MOST` or a few less.
    old = or_(AuditEvent.at < clock.now() - KEPT, AuditEvent.id <= last - MOST)
    session.execute(delete(AuditEvent).where(old))


def _line(text: str, longest: int) -> str:
    text = " ".join(text.replace("\x00", "").split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
