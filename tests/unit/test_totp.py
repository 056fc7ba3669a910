from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout import account, totp
from scout.database import Database
from scout.models import Account, RecoveryCode
from scout.totp import CodeRefused, Outcome
from tests import kept

KEY = "k" * 64


class Phone:
    """An authenticator, whose clock may be off by some seconds."""

    def __init__(self, secret: str, now: Callable[[], dt.datetime]) -> None:
        self.codes = pyotp.TOTP(secret)
        self.now = now

    def shows(self, *, off: float = 0) -> str:
        return self.codes.at(self.now() + dt.timedelta(seconds=off))


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = kept.DAY

    def __call__(self) -> dt.datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("scout.clock.now", clock)
    return clock


def enrolled(database: Database, now: Clock) -> tuple[Phone, list[str]]:
    with database.session() as session:
        account.ensure(session, "the password")
        begun = totp.begin(session)
        found = totp.enrolment(session, KEY, begun)
        assert found is not None
        phone = Phone(found.secret, now)
        return phone, totp.confirm(session, KEY, begun, phone.shows())


def check(database: Database, code: str) -> Outcome:
    with database.session() as session:
        return totp.check(session, KEY, code)


def test_the_address_says_what_an_authenticator_must_know(database: Database) -> None:
    with database.session() as session:
        account.ensure(session, "the password")
        assert totp.enrolment(session, KEY, "") is None
        found = totp.enrolment(session, KEY, totp.begin(session))
        assert found is not None
        split = urlsplit(found.address)
        assert (split.scheme, split.netloc) == ("otpauth", "totp")
        assert parse_qs(split.query)["secret"] == [found.secret]
        assert parse_qs(split.query)["issuer"] == ["IAM Job Scout"]
        assert re.fullmatch(r"([A-Z2-7]{4} ){7}[A-Z2-7]{4}", found.grouped)
        assert not totp.standing(session).is_on


def test_the_secret_is_kept_nowhere_and_hangs_on_the_key(database: Database, now: Clock) -> None:
    phone, _ = enrolled(database, now)
    with database.reading() as session:
        row = session.get_one(Account, 1)
        held = repr([getattr(row, column.name) for column in Account.__table__.columns])
    assert phone.codes.secret not in held
    now.forward(60)
    with database.session() as session:
        assert totp.check(session, "another key", phone.shows()) is Outcome.WRONG


def test_the_codes_are_those_of_the_rfc(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 6238, appendix B, of which the last six digits are ours."""
    secret = pyotp.TOTP("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").secret
    monkeypatch.setattr("scout.totp._secret", lambda _account, _key: secret)
    with database.session() as session:
        account.ensure(session, "the password")
        session.get_one(Account, 1).totp_on_at = kept.DAY
        for seconds, code in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
            at = dt.datetime.fromtimestamp(seconds, dt.UTC)
            monkeypatch.setattr("scout.clock.now", lambda at=at: at)
            assert totp.check(session, KEY, code) is Outcome.ACCEPTED


def test_a_code_opens_once_and_none_before_it_does_afterwards(
    any_database: Database, now: Clock, emitted: Captured
) -> None:
    phone, _ = enrolled(any_database, now)
    assert check(any_database, phone.shows()) is Outcome.AGAIN
    emitted.assert_incremented(catalogue.SECOND_STEPS, outcome="again")
    now.forward(30)
    assert check(any_database, phone.shows()) is Outcome.ACCEPTED
    emitted.assert_incremented(catalogue.SECOND_STEPS, outcome="accepted")
    assert check(any_database, phone.shows(off=-30)) is Outcome.AGAIN
    assert check(any_database, "000000") is Outcome.WRONG
    emitted.assert_incremented(catalogue.SECOND_STEPS, outcome="wrong")


def test_of_two_who_give_the_same_code_at_once_one_gets_in(any_database: Database, now: Clock) -> None:
    phone, _ = enrolled(any_database, now)
    now.forward(30)
    outcomes: list[Outcome] = []
    together = threading.Barrier(4)

    def give() -> None:
        together.wait()
        outcomes.append(check(any_database, phone.shows()))

    threads = [threading.Thread(target=give) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == [Outcome.ACCEPTED, *[Outcome.AGAIN] * 3]


@pytest.mark.parametrize(("off", "opens"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_one_step_off(database: Database, now: Clock, off: float, opens: bool) -> None:  # noqa: FBT001
    phone, _ = enrolled(database, now)
    now.forward(600)
    assert check(database, phone.shows(off=off)).right is opens


@pytest.mark.parametrize("write", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_recovery_code_opens_once_however_it_is_typed(
    any_database: Database, now: Clock, emitted: Captured, write: Callable[[str], str]
) -> None:
    _, codes = enrolled(any_database, now)
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert check(any_database, write(codes[0])) is Outcome.RECOVERED
    emitted.assert_incremented(catalogue.SECOND_STEPS, outcome="recovered")
    assert check(any_database, codes[0]) is Outcome.AGAIN
    assert check(any_database, "abcd-efgh-jkmn-pqrs") is Outcome.WRONG
    with any_database.session() as session:
        assert totp.standing(session).codes_left == 9
        assert not {each.code_hash for each in session.query(RecoveryCode)} & set(codes)
        totp.renew_recovery_codes(session)
        assert totp.standing(session).codes_left == 10
    assert check(any_database, codes[1]) is Outcome.WRONG


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "\uff11" * 6, "\x00", "x" * 5000, "\ud800"])
def test_nonsense_is_wrong(database: Database, now: Clock, code: str) -> None:
    enrolled(database, now)
    assert check(database, code) is Outcome.WRONG


def test_nothing_opens_while_codes_are_off(database: Database, now: Clock) -> None:
    phone, codes = enrolled(database, now)
    with database.session() as session:
        assert totp.off(session)
        assert not totp.off(session)
        assert totp.standing(session) == totp.Standing(None, 0)
    now.forward(60)
    assert check(database, phone.shows()) is Outcome.WRONG
    assert check(database, codes[0]) is Outcome.WRONG


def test_an_enrolment_is_confirmed_with_a_right_code_and_not_begun_anew(
    database: Database, now: Clock
) -> None:
    with database.session() as session:
        account.ensure(session, "the password")
        with pytest.raises(CodeRefused, match="nothing to confirm"):
            totp.confirm(session, KEY, "", "123456")
        older, begun = totp.begin(session), totp.begin(session)
        assert totp.enrolment(session, KEY, older) is None
        found = totp.enrolment(session, KEY, begun)
        assert found is not None
        code = Phone(found.secret, now).shows()
        for wrong in ("000000", "", "\ud800"):
            with pytest.raises(CodeRefused, match="not the code"):
                totp.confirm(session, KEY, begun, wrong)
        with pytest.raises(CodeRefused, match="nothing to confirm"):
            totp.confirm(session, KEY, older, code)
        assert not totp.standing(session).is_on
        totp.confirm(session, KEY, begun, code)
        assert totp.standing(session).is_on
        assert totp.enrolment(session, KEY, begun) is None
        with pytest.raises(CodeRefused, match="on already"):
            totp.begin(session)
