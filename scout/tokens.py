"""API tokens: what lets a program in, for the scopes that it needs, until it is revoked or expires.

A token reads `scout_<prefix>_<secret>`. The word in front lets scanners of secrets find one that was
published by mistake; the prefix is no secret, and names the token in lists; the secret is known to the
program alone.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import clock
from scout.errors import ScoutError
from scout.models import ApiToken

#: The most tokens that may be valid at a time: far more than programs need, and few enough for one list.
MOST = 100
#: Characters of a name.
LONGEST_NAME = 100
#: How long a token that ended stays in the list, to see that it did.
_REMEMBERED = dt.timedelta(days=90)
#: How old `last_used_at` may grow before it is worth a write.
_FRESH = dt.timedelta(minutes=1)
_LETTERS = string.ascii_lowercase + string.digits
_TEXT = re.compile(r"scout_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")


class Scope(enum.StrEnum):
    """What a token is good for. Who may write may read the same."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    BOARDS_READ = "boards:read"
    BOARDS_WRITE = "boards:write"
    SEARCHES_READ = "searches:read"
    SEARCHES_WRITE = "searches:write"
    ACCOUNT = "account"
    METRICS_READ = "metrics:read"


#: What each scope allows, in words for whoever ticks it.
MEANINGS = {
    Scope.JOBS_READ: "see jobs, their history, notes and dates",
    Scope.JOBS_WRITE: "move jobs on, write notes, merge and split",
    Scope.BOARDS_READ: "see boards and scans",
    Scope.BOARDS_WRITE: "add, change and remove boards, and scan",
    Scope.SEARCHES_READ: "see saved searches and the secret addresses of their feeds",
    Scope.SEARCHES_WRITE: "save, change and remove searches",
    Scope.ACCOUNT: "see and end sessions, make and revoke tokens: all that its owner may, but the password",
    Scope.METRICS_READ: "read /metrics",
}


class BadToken(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A token cannot be made as it is wished. The text says why."""


class TokenNotFound(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """There is no token with this prefix, or it has ended."""


def create(
    session: Session, name: str, scopes: Iterable[str], expires_at: dt.datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token.

    Args:
        session: A read-write session.
        name: What its owner calls it, 1 to `LONGEST_NAME` characters.
        scopes: Values of `Scope`, one at least.
        expires_at: When it ends; None means when it is revoked.

    Returns:
        The token, and its text with 256 random bits. That is kept nowhere here: it can be shown only now.

    Raises:
        BadToken: The name, a scope or the time is not as it should be, or there are `MOST` tokens.
    """
    name = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadToken(f"Give the token a name of 1 to {LONGEST_NAME} characters, such as where it is used.")
    now = clock.now()
    if expires_at is not None and expires_at <= now:
        raise BadToken("The token would have expired already. Choose a day to come, or none.")
    wanted = _scopes(scopes)
    _forget(session, now)
    if (session.scalar(select(func.count()).select_from(ApiToken).where(*_valid(now))) or 0) >= MOST:
        raise BadToken(f"There are {MOST} tokens already. Revoke those that nothing uses any more.")
    prefix, secret = "".join(secrets.choice(_LETTERS) for _ in range(8)), secrets.token_urlsafe(32)
    token = ApiToken(
        name=name,
        prefix=prefix,
        secret_hash=_fingerprint(secret),
        scopes=[str(each) for each in wanted],
        created_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return token, f"scout_{prefix}_{secret}"


def _scopes(scopes: Iterable[str]) -> list[Scope]:
    try:
        wanted = {Scope(each) for each in scopes}
    except ValueError as error:
        raise BadToken(f"{error}: the scopes are {', '.join(Scope)}.") from None
    if not wanted:
        raise BadToken("Choose what the token is good for: at least one scope.")
    return [each for each in Scope if each in wanted]


def find(session: Session, presented: str) -> ApiToken | None:
    """The valid token that a program presented, counted by how that went; None if there is none.

    Who guesses learns nothing from the time that it takes: a wrong prefix costs what a wrong secret does.
    """
    match = _TEXT.fullmatch(presented)
    prefix, secret = match.groups() if match else ("", presented)
    token = session.scalar(select(ApiToken).where(ApiToken.prefix == prefix))
    right = hmac.compare_digest(token.secret_hash if token else _NOBODYS, _fingerprint(secret))
    if token is None or not right:
        catalogue.API_TOKENS_PRESENTED.inc(outcome="unknown")
        return None
    if (state := state_of(token)) != "valid":
        catalogue.API_TOKENS_PRESENTED.inc(outcome=state)
        return None
    catalogue.API_TOKENS_PRESENTED.inc(outcome="accepted")
    return token


def allows(token: ApiToken, scope: Scope) -> bool:
    """Whether the token is good for this. One that may write may read the same."""
    return scope in token.scopes or scope.replace(":read", ":write") in token.scopes


def state_of(token: ApiToken) -> str:
    """`valid`, `revoked` or `expired`."""
    if token.revoked_at is not None:
        return "revoked"
    expired = token.expires_at is not None and token.expires_at <= clock.now()
    return "expired" if expired else "valid"


def needs_touch(token: ApiToken) -> bool:
    """Whether `touch` would write: once a minute at most, however often the token is used."""
    return token.last_used_at is None or clock.now() - token.last_used_at >= _FRESH


def touch(session: Session, token_id: int) -> None:
    """Note that a token is used now."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=clock.now()))


def revoke(session: Session, prefix: str) -> ApiToken:
    """End a token for good, at once.

    Raises:
        TokenNotFound: No valid token has this prefix.
    """
    token = session.scalar(select(ApiToken).where(ApiToken.prefix == prefix))
    if token is None or state_of(token) != "valid":
        raise TokenNotFound(f"No valid token is called {prefix!r}. `scout account tokens list` shows them.")
    token.revoked_at = clock.now()
    session.flush()
    return token


def every(session: Session) -> Sequence[ApiToken]:
    """All tokens, valid ones first, the newest first; those that ended stay for 90 days."""
    found = session.scalars(select(ApiToken).order_by(ApiToken.id.desc())).all()
    return sorted(found, key=lambda token: state_of(token) != "valid")


def _valid(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return ApiToken.revoked_at.is_(None), or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now)


def _forget(session: Session, now: dt.datetime) -> None:
    before = now - _REMEMBERED
    session.execute(delete(ApiToken).where(or_(ApiToken.revoked_at < before, ApiToken.expires_at < before)))


def _fingerprint(secret: str) -> str:
    # A plain hash suffices: slow hashing makes it dear to guess a password, and 256 random bits cannot be
    # guessed at any speed. It also costs a request nothing.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


_NOBODYS = _fingerprint("")
