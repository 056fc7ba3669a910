"""The owner's account: the password and the key that signs cookies."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import secrets
import tempfile
from pathlib import Path

import argon2
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from scout import clock, sessions
from scout.database import may_write, prepare_folder
from scout.errors import ScoutError
from scout.models import Account
from scout.settings import Settings

#: OWASP's "Password Storage Cheat Sheet" as its floor: Argon2id, 19 MiB, two passes, one lane.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=argon2.Type.ID)
#: OWASP ASVS 5.0, 6.2.1: at least 8 characters. The most is ours: hashing takes time by length.
LEAST, MOST = 8, 1024
#: Made passwords are of syllables that read and type the same in every font: no l, o, i, q, x, 0 or 1.
_CONSONANTS = "bdfghjkmnprstvz"
_VOWELS = "aeu"


class WeakPassword(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A password that is too short or too long. The text says what it takes."""


def make_password() -> str:
    """A new password, such as `tabe-duzna-...`: five groups of three syllables, some 82 bits of chance."""
    return "-".join(
        "".join(secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(3)) for _ in range(5)
    )


def ensure(session: Session, password: str) -> str | None:
    """See that there is an account.

    Args:
        session: A read-write session.
        password: The setting SCOUT_PASSWORD. Where it is set it is the password, also if another was set
            before; where it is empty, one is made for a new account.

    Returns:
        The password that was made, to show it once; None if none was.
    """
    account = session.get(Account, 1)
    if account is not None:
        if password and not _matches(account.password_hash, password):
            _set(account, password)
            sessions.end_all(session)
        return None
    made = "" if password else make_password()
    try:
        with session.begin_nested():
            session.add(Account(id=1, password_hash=_HASHER.hash(password or made)))
    except IntegrityError:
        return None  # another process made it first, and shows its password
    return made or None


def verify(session: Session, password: str) -> bool:
    """Whether this is the owner's password. Takes as long where there is no account as where there is one.

    In a read-write session, a hash with older parameters than today's is renewed.
    """
    account = session.scalar(select(Account).where(Account.id == 1))
    if len(password) > MOST:
        return False
    right = _matches(account.password_hash if account else _nobodys_hash(), password)
    if account is None:
        return False
    if right and may_write(session) and _HASHER.check_needs_rehash(account.password_hash):
        account.password_hash = _HASHER.hash(password)
    return right


def password_changed_at(session: Session) -> dt.datetime:
    """Since when the password is what it is.

    Raises:
        ScoutError: There is no account.
    """
    account = session.get(Account, 1)
    if account is None:
        raise ScoutError("There is no account yet: `scout up` makes it, or `scout account password`.")
    return account.password_changed_at


def change_password(session: Session, password: str, *, keep: str | None = None) -> None:
    """Set a new password, making the account if there is none, and sign out everywhere.

    Args:
        session: A read-write session.
        password: The new one, `LEAST` to `MOST` characters.
        keep: The token of the one session that stays signed in: that of the browser that asks.

    Raises:
        WeakPassword: It is too short or too long.
    """
    if not LEAST <= len(password) <= MOST:
        raise WeakPassword(f"The password must have {LEAST} to {MOST} characters; 15 or more are better.")
    account = session.get(Account, 1)
    if account is None:
        session.add(Account(id=1, password_hash=_HASHER.hash(password)))
    else:
        _set(account, password)
    sessions.end_all(session, keep=keep)
    session.flush()


def strength(password: str) -> str:
    """How strong a password is, by its length, which is most of it (NIST SP 800-63B-4, 3.1.1)."""
    for least, words in ((20, "strong"), (15, "good"), (12, "fair, 15 characters would be better")):
        if len(password) >= least:
            return words
    return "short, 15 characters would be better"


def _set(account: Account, password: str) -> None:
    account.password_hash = _HASHER.hash(password)
    account.password_changed_at = clock.now()


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, UnicodeEncodeError):
        return False


@functools.cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_hex())


def secret_key(settings: Settings) -> str:
    """The key that signs cookies: SECRET_KEY, or one made once and kept in the data directory (mode 0600).

    Raises:
        DatabaseUnusable: The data directory cannot be written.
        ScoutError: The kept key cannot be read.
    """
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret_key"
    if not path.exists():
        prepare_folder(settings.data_dir)
        _write_once(path, secrets.token_hex(32))
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ScoutError(
            f"The key in {path} cannot be read: {error}. Make it readable, or delete it; then all sign in"
            " anew."
        ) from error
    if len(key) < 32:  # noqa: PLR2004 - 128 bits in hex
        raise ScoutError(f"The key in {path} is too short. Delete the file, and a new one is made.")
    return key


def _write_once(path: Path, text: str) -> None:
    # Whole or not at all, and the first of several processes wins: a link never replaces.
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
