"""One-time codes after the password: TOTP (RFC 6238), and recovery codes for a lost authenticator.

The secret that the authenticator shares is kept nowhere. It is made of the installation's key and a random
salt in the database, so that who has the database alone, or a copy of it, makes no codes. With another
SECRET_KEY an enrolment is void; recovery codes do not hang on that key.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from metrics import catalogue
from scout import clock
from scout.errors import ScoutError
from scout.models import Account, RecoveryCode

#: Seconds that a code is shown, and its digits: what every authenticator takes.
STEP, DIGITS = 30, 6
#: Steps that an authenticator's clock may be off, either way (RFC 6238, section 5.2).
DRIFT = 1
#: How many recovery codes are made at a time.
RECOVERY_CODES = 10
ISSUER = "IAM Job Scout"
#: Without 0, 1, i, l and o, which read alike.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 4, 4


class Outcome(enum.StrEnum):
    """What came of a code: the first two open."""

    ACCEPTED = "accepted"
    RECOVERED = "recovered"
    WRONG = "wrong"
    AGAIN = "again"

    @property
    def right(self) -> bool:
        """Whether it opens."""
        return self in {Outcome.ACCEPTED, Outcome.RECOVERED}


class CodeRefused(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A code does not do. The text says why."""


#: Why a code does not open, in words for whoever typed it.
REFUSALS = {
    Outcome.WRONG: "That is not the code. It changes every 30 seconds: take the one that is shown now.",
    Outcome.AGAIN: "This code was used already. Wait for the next one.",
}


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator is to know: the secret in base 32, and both as an address for a QR code."""

    secret: str
    address: str

    @property
    def grouped(self) -> str:
        """The secret in groups of four, to type."""
        return " ".join(re.findall(".{1,4}", self.secret))


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether codes are asked for, since when, and how many recovery codes are left."""

    on_at: dt.datetime | None
    codes_left: int

    @property
    def is_on(self) -> bool:
        """Whether a code is asked for at signing in."""
        return self.on_at is not None


def standing(session: Session) -> Standing:
    """Where codes stand."""
    account = session.get(Account, 1)
    left = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.used_at.is_(None))
    return Standing(account.totp_on_at if account else None, session.scalar(left) or 0)


def begin(session: Session) -> str:
    """Begin an enrolment, with a secret of its own. Nothing is asked for until it is confirmed.

    Returns:
        What names the enrolment, for the one browser that may see its secret and confirm it: the one that has
        just given the password.

    Raises:
        CodeRefused: Codes are on: they are switched off first.
    """
    account = _account(session)
    if account.totp_on_at is not None:
        raise CodeRefused("Codes are on already. Switch them off to set them up on another device.")
    account.totp_salt = secrets.token_hex(32)
    session.flush()
    return account.totp_salt


def enrolment(session: Session, key: str, begun: str) -> Enrolment | None:
    """The enrolment that was begun and not confirmed; None if it is not the last one, or confirmed.

    Args:
        session: Any session.
        key: The key of this installation, `scout.account.secret_key`.
        begun: What `begin` gave.
    """
    account = session.get(Account, 1)
    if account is None or not _is_open(account, begun):
        return None
    secret = _secret(account, key)
    address = pyotp.TOTP(secret, digits=DIGITS, interval=STEP).provisioning_uri(
        name="owner", issuer_name=ISSUER
    )
    return Enrolment(secret, address)


def confirm(session: Session, key: str, begun: str, code: str) -> list[str]:
    """Switch codes on, for the authenticator has shown that it makes the right ones.

    Returns:
        The recovery codes. They are kept as hashes, so they can be shown only now.

    Raises:
        CodeRefused: The code is wrong, or this enrolment is not open.
    """
    account = _account(session)
    if not _is_open(account, begun):
        raise CodeRefused("There is nothing to confirm: set codes up first.")
    step = _step(account, key, code)
    if step is None:
        raise CodeRefused(
            "That is not the code that the secret makes now. Check that the clock of the device is right, "
            "and take the code that is shown now."
        )
    account.totp_on_at = clock.now()
    account.totp_last_step = step
    return renew_recovery_codes(session)


def check(session: Session, key: str, code: str) -> Outcome:
    """Take a one-time or a recovery code, and count what came of it. Each opens once.

    Args:
        session: A read-write session.
        key: The key of this installation.
        code: As it was typed; spaces and dashes do not matter.
    """
    account = session.get(Account, 1)
    outcome = Outcome.WRONG
    if account is not None and account.totp_on_at is not None:
        outcome = _one_time(session, account, key, code) if is_one_time(code) else _recovery(session, code)
    catalogue.SECOND_STEPS.inc(outcome=outcome.value)
    return outcome


def is_one_time(code: str) -> bool:
    """Whether it has the form of a one-time code, rather than that of a recovery code."""
    return re.fullmatch(r"[0-9]{6}", _bare(code), re.ASCII) is not None


def off(session: Session) -> bool:
    """Ask for codes no longer, and forget the recovery codes. Gives whether they were on."""
    account = session.get(Account, 1)
    was_on = account is not None and account.totp_on_at is not None
    if account is not None:
        account.totp_on_at, account.totp_salt, account.totp_last_step = None, "", 0
    session.execute(delete(RecoveryCode))
    session.flush()
    return was_on


def renew_recovery_codes(session: Session) -> list[str]:
    """Make recovery codes in place of those there are."""
    session.execute(delete(RecoveryCode))
    made = [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]
    session.add_all(RecoveryCode(code_hash=_fingerprint(each)) for each in made)
    session.flush()
    return made


def _account(session: Session) -> Account:
    account = session.get(Account, 1)
    if account is None:
        raise ScoutError("There is no account yet: `scout up` makes it, or `scout account password`.")
    return account


def _is_open(account: Account, begun: str) -> bool:
    return account.totp_on_at is None and bool(begun) and hmac.compare_digest(account.totp_salt, begun)


def _secret(account: Account, key: str) -> str:
    made = hmac.new(key.encode(), f"totp {account.totp_salt}".encode(), hashlib.sha256).digest()
    return base64.b32encode(made[:20]).decode()  # 160 bits, as RFC 4226 (section 4) recommends


def _step(account: Account, key: str, code: str) -> int | None:
    """The 30 seconds that a code belongs to, now or within the drift; None if it is none of these codes."""
    codes = pyotp.TOTP(_secret(account, key), digits=DIGITS, interval=STEP)
    now = int(clock.now().timestamp()) // STEP
    given = _bare(code).encode("utf-8", "surrogatepass")
    # All are compared, whichever fits: the time that it takes tells nothing.
    near = [
        step
        for step in range(now - DRIFT, now + DRIFT + 1)
        if hmac.compare_digest(codes.generate_otp(step).encode(), given)
    ]
    return max(near, default=None)


def _one_time(session: Session, account: Account, key: str, code: str) -> Outcome:
    step = _step(account, key, code)
    if step is None:
        return Outcome.WRONG
    # In one statement: of two who give the same code at the same time, one gets in.
    taken = update(Account).where(Account.id == 1, Account.totp_last_step < step).values(totp_last_step=step)
    return Outcome.ACCEPTED if _changed(session, taken) else Outcome.AGAIN


def _recovery(session: Session, code: str) -> Outcome:
    same = RecoveryCode.code_hash == _fingerprint(code)
    taken = update(RecoveryCode).where(same, RecoveryCode.used_at.is_(None)).values(used_at=clock.now())
    if _changed(session, taken):
        return Outcome.RECOVERED
    return Outcome.AGAIN if session.scalar(select(RecoveryCode).where(same)) else Outcome.WRONG


def _changed(session: Session, statement: object) -> bool:
    done = session.execute(statement)  # type: ignore[call-overload] # any update
    return isinstance(done, CursorResult) and done.rowcount == 1


def _bare(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()


def _fingerprint(code: str) -> str:
    # No salt and no stretching: 79 random bits are beyond guessing, and beyond any table made beforehand.
    return hashlib.sha256(_bare(code).encode("utf-8", "surrogatepass")).hexdigest()
