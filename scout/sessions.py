"""Signed-in browsers. The browser holds a random token; the database only its fingerprint."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as Transaction

from scout import clock
from scout.errors import ScoutError
from scout.models import Session

#: A session ends after this long without a request, and this long after it began however it is used.
LIFETIME = dt.timedelta(days=30)
AT_MOST = dt.timedelta(days=90)
#: How old `last_seen_at` may grow before it is worth a write.
_FRESH = dt.timedelta(minutes=5)
_BROWSER_LENGTH, _ADDRESS_LENGTH = 200, 45
#: Characters of a session's handle.
_HANDLE = 16


class SessionNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """There is no such session, or it has ended."""


def begin(transaction: Transaction, browser: str, address: str = "") -> str:
    """Begin a session after signing in. Those that have expired are forgotten.

    Args:
        transaction: A read-write session of the database.
        browser: What the browser calls itself (`User-Agent`), for the owner to tell sessions apart.
        address: The IP address that it signs in from, for the same.

    Returns:
        The token for the cookie, of 256 random bits. It is kept nowhere here.
    """
    token = secrets.token_urlsafe(32)
    now = clock.now()
    purge(transaction)
    transaction.add(
        Session(
            token_hash=_fingerprint(token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME,
            browser=browser.replace("\x00", "")[:_BROWSER_LENGTH],
            address=address[:_ADDRESS_LENGTH],
        )
    )
    transaction.flush()
    return token


def find(transaction: Transaction, token: str) -> Session | None:
    """The session that a token belongs to; None if there is none or it has expired."""
    found = transaction.get(Session, _fingerprint(token))
    return found if found is not None and found.expires_at > clock.now() else None


def needs_touch(session: Session) -> bool:
    """Whether `touch` would write: not at every request, only when the last one is some minutes ago."""
    return clock.now() - session.last_seen_at >= _FRESH


def touch(transaction: Transaction, token: str) -> Session | None:
    """Note a request: the session lasts `LIFETIME` from here, `AT_MOST` in all. None if it is over."""
    session = find(transaction, token)
    if session is not None and needs_touch(session):
        session.last_seen_at = clock.now()
        session.expires_at = min(session.last_seen_at + LIFETIME, session.created_at + AT_MOST)
    return session


def end(transaction: Transaction, token: str) -> None:
    """Sign out. A token without a session is no error."""
    transaction.execute(delete(Session).where(Session.token_hash == _fingerprint(token)))


def handle(session: Session) -> str:
    """What names the session in lists and addresses. It is no secret: no token can be made of it."""
    return session.token_hash[:_HANDLE]


def is_of(session: Session, token: str | None) -> bool:
    """Whether it is the session of this token."""
    return token is not None and session.token_hash == _fingerprint(token)


def living(transaction: Transaction) -> Sequence[Session]:
    """The sessions that have not expired, the last used first."""
    found = select(Session).where(Session.expires_at > clock.now())
    return transaction.scalars(found.order_by(Session.last_seen_at.desc(), Session.token_hash)).all()


def end_one(transaction: Transaction, named: str) -> Session:
    """Sign a browser out by its session's handle; the session that ended.

    Raises:
        SessionNotFound: No session is called so.
    """
    found = [each for each in living(transaction) if handle(each) == named]
    if not found:
        raise SessionNotFound("This browser is signed out already.")
    transaction.execute(delete(Session).where(Session.token_hash == found[0].token_hash))
    return found[0]


def end_all(transaction: Transaction, *, keep: str | None = None) -> int:
    """Sign out everywhere, but for the session with the token `keep`. Gives how many sessions ended."""
    statement = delete(Session)
    if keep is not None:
        statement = statement.where(Session.token_hash != _fingerprint(keep))
    return len(transaction.scalars(statement.returning(Session.token_hash)).all())


def purge(transaction: Transaction) -> int:
    """Forget the sessions that have expired. Gives how many."""
    expired = delete(Session).where(Session.expires_at <= clock.now())
    return len(transaction.scalars(expired.returning(Session.token_hash)).all())


def active(transaction: Transaction) -> int:
    """How many sessions have not expired."""
    living = select(func.count()).select_from(Session).where(Session.expires_at > clock.now())
    return transaction.scalar(living) or 0


def _fingerprint(token: str) -> str:
    # No salt and no stretching: a token of 256 random bits cannot be guessed from its hash.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
