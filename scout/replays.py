"""Answers that are kept for a day, so that a program may send a request again without it being done twice.

A program that heard no answer cannot know whether its request was carried out. It sends it again with the
same key, and gets the answer of the first time. As in the IETF's draft "The Idempotency-Key HTTP Header
Field": the same key with another request is an error, and so is one whose first request still runs.
They are rows of the database, where what was done is too: Redis may be away, or forget.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import clock
from scout.database import Database
from scout.errors import ScoutError
from scout.models import Replay

#: How long an answer is kept.
KEPT = dt.timedelta(hours=24)
#: After this long without an answer, the process that was at it is taken for dead.
_PATIENCE = dt.timedelta(minutes=5)


class KeyReused(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The key was used for another request."""


class StillRunning(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The request with this key has no answer yet."""


def begin(database: Database, caller: str, key: str, fingerprint: str) -> Replay | None:
    """Take a key before carrying out the request that comes with it.

    Args:
        database: The database.
        caller: Whose key it is: a token's or a session's name.
        key: What the caller calls this one request.
        fingerprint: Of its method, address and body.

    Returns:
        The answer to give again; None where the request is to be carried out now.

    Raises:
        KeyReused: The key was used for another request within a day.
        StillRunning: Another process is at it.
    """
    with database.session() as session:
        session.execute(delete(Replay).where(Replay.begun_at < clock.now() - KEPT))
        kept = session.get(Replay, (caller, key), with_for_update=True)
        if kept is None:
            try:
                with session.begin_nested():
                    session.add(Replay(caller=caller, key=key, fingerprint=fingerprint, begun_at=clock.now()))
            except IntegrityError:
                raise _running() from None  # taken since we looked
            return None
        if kept.fingerprint != fingerprint:
            catalogue.API_REPLAYS.inc(outcome="reused")
            raise KeyReused(
                "This Idempotency-Key came with another request before. Take a new key for each request, and"
                " the same one only to send the same request again."
            )
        if kept.status is not None:
            catalogue.API_REPLAYS.inc(outcome="replayed")
            return kept
        if kept.begun_at > clock.now() - _PATIENCE:
            raise _running()
        kept.begun_at = clock.now()
        return None


def _running() -> StillRunning:
    catalogue.API_REPLAYS.inc(outcome="running")
    return StillRunning(
        "The request with this Idempotency-Key is still being carried out. Wait a moment, then send it again."
    )


def finish(
    database: Database, caller: str, key: str, *, status: int, headers: dict[str, str], body: str
) -> None:
    """Keep the answer that a request got."""
    with database.session() as session:
        _at(session, caller, key, status=status, headers=headers, body=body)


def forget(database: Database, caller: str, key: str) -> None:
    """Give a key back: its request failed by a fault of ours, and may be tried again."""
    with database.session() as session:
        session.execute(delete(Replay).where(Replay.caller == caller, Replay.key == key))


def _at(session: Session, caller: str, key: str, **values: object) -> None:
    session.execute(update(Replay).where(Replay.caller == caller, Replay.key == key).values(**values))
