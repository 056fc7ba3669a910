"""A teller: one round of looking for what is new, putting messages together and sending what is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from metrics import catalogue
from metrics.instruments import count_error
from scout import clock
from scout.database import Database
from scout.errors import ScoutError
from scout.models import SavedSearch
from scout.settings import Settings
from scout.telling import channels, outbox, reminders
from scout.telling.channels import Channel
from scout.telling.mail import Refused
from scout.telling.outbox import Claim
from scout.telling.words import Story, item

logger = logging.getLogger(__name__)

#: Seconds after which a round begins no further message; the next round goes on.
ROUND_LIMIT = 180.0
#: Seconds between tries to write down what became of a message, while the database is away or locked.
_DATABASE_PAUSES = (0.2, 1.0, 3.0)


@dataclass(slots=True)
class Told:
    """What a round did: pairs of search and job found, reminders made, messages by what became of them."""

    found: int = 0
    reminded: int = 0
    sent: int = 0
    failed: int = 0
    parked: int = 0
    empty: int = 0


def tell(db: Database, settings: Settings, *, worker: str, stop: threading.Event | None = None) -> Told:
    """Do one round. Any number of tellers may do so at once.

    Args:
        db: The database, opened in this process.
        settings: The settings.
        worker: Who we are, for people who look at a claim.
        stop: Set from outside when the process must end: no further message is begun.

    Raises:
        SQLAlchemyError: The database stayed away; claims end by themselves.
    """
    told = Told()
    stop = stop or threading.Event()
    until = time.monotonic() + ROUND_LIMIT
    with db.reading() as session:
        active = outbox.telling(session)
    for search in active:
        told.found += _look(db, search)
    now = clock.now()
    for search in active:
        if outbox.is_due(search, now):
            outbox.put_together(db, search)
    told.reminded = reminders.put_together(db, settings)
    with db.reading() as session:
        waiting = outbox.due(session, outbox.may_send(active, now))
    if not waiting:
        return told
    known, trouble = _channels(settings)
    for message_id in waiting:
        if stop.is_set() or time.monotonic() > until:
            break
        claimed = outbox.claim(db, message_id, worker)
        if claimed is not None:
            outcome = _send(db, settings, claimed, known.get(claimed.channel), trouble)
            setattr(told, outcome, getattr(told, outcome) + 1)
    return told


def _look(db: Database, search: SavedSearch) -> int:
    try:
        return outbox.look(db, search)
    except ScoutError as error:
        # One search must not keep the others from telling.
        logger.warning("The search %s was left out: %s", search.slug, error)
        count_error(error, "tell")
        return 0


def _channels(settings: Settings) -> tuple[Mapping[str, Channel], str]:
    try:
        return channels.load(settings), ""
    except channels.ChannelsUnusable as error:
        logger.warning("Nothing can be sent: %s", error)
        count_error(error, "tell")
        return {}, str(error)


def _send(db: Database, settings: Settings, claimed: Claim, channel: Channel | None, trouble: str) -> str:
    """Send a claimed message, and write down what became of it: a field of `Told`."""
    kind = channel.kind if channel else "unknown"
    if claimed.attempt > outbox.TRIES:
        why = "The process that sent it died before it was done, also at the last try."
        return _failed(db, claimed, kind, why)
    if channel is None:
        missing = (
            f"There is no channel {claimed.channel!r} in {settings.channels_file}: add it there, or take"
        )
        place = "SCOUT_REMINDERS" if reminders.is_one(claimed) else "the search"
        return _failed(db, claimed, kind, trouble or f"{missing} it from {place}.")
    with db.reading() as session:
        story = _story(session, settings, claimed)
    if not story.items:
        outbox.sent(db, claimed, 0)
        catalogue.MESSAGES.inc(channel=kind, outcome="empty")
        return "empty"
    begun = time.perf_counter()
    try:
        channel.send(story, claimed.key)
    except Refused as error:
        catalogue.MESSAGE_DURATION.observe(time.perf_counter() - begun, channel=kind, outcome="failed")
        return _failed(db, claimed, kind, str(error))
    catalogue.MESSAGE_DURATION.observe(time.perf_counter() - begun, channel=kind, outcome="sent")
    catalogue.MESSAGES.inc(channel=kind, outcome="sent")
    _write_down(db, claimed, len(story.items))
    if reminders.is_one(claimed):
        reminders.count(story)
    logger.info("Told of %d jobs of %s by %s", len(story.items), _whose(claimed), claimed.channel)
    return "sent"


def _story(session: Session, settings: Settings, claimed: Claim) -> Story:
    if reminders.is_one(claimed):
        return reminders.story(session, settings, claimed)
    items = [item(job, settings.pages) for job in outbox.jobs_of(session, claimed)]
    return Story(search=claimed.search, items=items, pages=settings.pages)


def _whose(claimed: Claim) -> str:
    return claimed.search or "what is due"


def _failed(db: Database, claimed: Claim, kind: str, why: str) -> str:
    outcome = "parked" if outbox.failed(db, claimed, why) else "failed"
    catalogue.MESSAGES.inc(channel=kind, outcome=outcome)
    logger.warning("A message of %s to %s %s: %s", _whose(claimed), claimed.channel, outcome, why)
    return outcome


def _write_down(db: Database, claimed: Claim, count: int) -> None:
    """Note that a message was sent: what is not noted is sent again, so this is tried harder than else."""
    for pause in (*_DATABASE_PAUSES, None):
        try:
            if not outbox.sent(db, claimed, count):
                logger.warning("A message to %s took so long that another teller took it", claimed.channel)
        except OperationalError as error:
            if pause is None:
                raise
            logger.warning("A sent message could not be noted, trying again: %s", error.orig)
            count_error(error, "tell")
            time.sleep(pause)
        else:
            return
