from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pyotp
import pytest
from flask import Flask

from metrics import catalogue
from metrics.testing import Captured
from scout import account, audit, clock, tokens, totp
from scout.database import Database
from scout.models import AuditEvent
from scout.settings import Settings
from tests.unit.web.browser import PASSWORD, Browser
from webapp import create_app

OTHER = "another, longer one"


class Phone:
    """The owner's authenticator, on a clock that each code moves on by a step."""

    def __init__(self, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.codes, self.patch, self.steps = pyotp.TOTP(secret), monkeypatch, 0
        self.begun = clock.now()

    def code(self) -> str:
        self.steps += 1
        later = self.begun + dt.timedelta(seconds=30 * self.steps)
        self.patch.setattr("scout.clock.now", lambda: later)
        return self.codes.at(later)


def secret(page: str) -> str:
    found = re.search(r'id="secret" class="secret" value="([^"]+)"', page)
    assert found
    return found[1].replace(" ", "")


@pytest.fixture
def phone(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """Codes are on."""
    owner.post("/account/codes", password=PASSWORD)
    phone = Phone(secret(owner.get("/account/codes").text), monkeypatch)
    assert owner.post("/account/codes/confirm", code=phone.code()).status_code == 200
    return phone


def events(db: Database) -> list[tuple[str, str, str]]:
    with db.reading() as session:
        found = audit.find(session, audit.AuditQuery(per_page=100)).events
        return [(each.action, each.subject, each.by) for each in found]


# --- Password ---------------------------------------------------------------------------------------------


def test_a_new_password_ends_all_other_sessions(owner: Browser, app: Flask) -> None:
    other = Browser(app, "192.0.2.9")
    other.sign_in()
    answer = owner.post("/account/password", password=PASSWORD, new=OTHER, again=OTHER)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert "It is good. All other browsers" in owner.get("/account").text
    assert other.get("/").status_code == 303
    assert other.sign_in().status_code == 401
    assert other.sign_in(OTHER).status_code == 303


@pytest.mark.parametrize(
    ("fields", "status", "why"),
    [
        ({"password": "wrong", "new": OTHER, "again": OTHER}, 403, "not the password"),
        ({"new": OTHER, "again": OTHER}, 403, "not the password"),
        ({"password": PASSWORD, "new": OTHER, "again": OTHER + "x"}, 400, "passwords differ"),
        ({"password": PASSWORD, "new": "short", "again": "short"}, 400, "8 to 1024 characters"),
        ({"password": PASSWORD}, 400, "8 to 1024 characters"),
    ],
)
def test_one_that_will_not_do_changes_nothing(
    owner: Browser, db: Database, fields: dict[str, str], status: int, why: str
) -> None:
    answer = owner.post("/account/password", **fields)
    assert answer.status_code == status
    assert why in answer.text
    with db.reading() as session:
        assert account.verify(session, PASSWORD)
    assert "account.change_password" not in [action for action, _, _ in events(db)]


def test_a_thief_of_a_session_cannot_guess_the_password_there(owner: Browser) -> None:
    for number in range(10):
        path = ("/account/password", "/account/codes")[number % 2]
        assert owner.post(path, password="guess").status_code == 403
    assert owner.post("/account/password", password=PASSWORD, new=OTHER, again=OTHER).status_code == 429


def test_the_setting_wins_and_says_so(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, password=PASSWORD))
    owner = Browser(app)
    owner.sign_in()
    assert "<code>SCOUT_PASSWORD</code> is set" in owner.get("/account").text
    answer = owner.post("/account/password", password=PASSWORD, new=OTHER, again=OTHER)
    assert answer.status_code == 409
    app.extensions["scout"].close()


# --- One-time codes ---------------------------------------------------------------------------------------


def test_signing_in_asks_for_a_code_and_lets_nobody_in_before(
    app: Flask, phone: Phone, emitted: Captured
) -> None:
    browser = Browser(app)
    browser.get("/sign-in?next=/sources")
    answer = browser.post("/sign-in", password=PASSWORD, next="/sources")
    assert (answer.status_code, answer.location) == (303, "/sign-in/code")
    assert browser.cookie is None
    assert browser.get("/sources").status_code == 303
    emitted.assert_no_metrics(catalogue.SIGN_INS, catalogue.SESSIONS_STARTED)
    browser.get("/sign-in/code")
    answer = browser.post("/sign-in/code", code="000000")
    assert answer.status_code == 401
    assert "not the code" in answer.text
    emitted.assert_incremented(catalogue.SIGN_INS, outcome="failed")
    answer = browser.post("/sign-in/code", code=phone.code())
    assert (answer.status_code, answer.location) == (303, "/sources")
    emitted.assert_incremented(catalogue.SIGN_INS, outcome="succeeded")
    emitted.assert_incremented(catalogue.SESSIONS_STARTED)
    assert browser.get("/sources").status_code == 200
    assert browser.get("/sign-in/code").location == "/"


def begun(app: Flask, address: str = "127.0.0.1") -> Browser:
    """A browser that has given the password."""
    browser = Browser(app, address)
    browser.get("/sign-in")
    assert browser.post("/sign-in", password=PASSWORD).location == "/sign-in/code"
    browser.get("/sign-in/code")
    return browser


def test_a_code_without_the_password_opens_nothing(app: Flask, phone: Phone) -> None:
    browser = Browser(app)
    browser.get("/sign-in")
    assert browser.get("/sign-in/code").location == "/sign-in"
    assert browser.post("/sign-in/code", code=phone.code()).location == "/sign-in"
    assert browser.get("/").status_code == 303


def test_the_second_step_belongs_to_the_browser_that_took_the_first(app: Flask, phone: Phone) -> None:
    begun(app)
    other = Browser(app)
    other.get("/sign-in")
    assert other.post("/sign-in/code", code=phone.code()).location == "/sign-in"


def test_it_ends_after_five_minutes_and_with_the_password(
    app: Flask, phone: Phone, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other = begun(app), begun(app)
    with db.session() as session:
        account.change_password(session, OTHER)
    assert other.post("/sign-in/code", code=phone.code()).location == "/sign-in"
    with db.session() as session:
        account.change_password(session, PASSWORD)
    slow = begun(app)
    later = clock.now() + dt.timedelta(seconds=301)
    monkeypatch.setattr("scout.clock.now", lambda: later)
    assert slow.post("/sign-in/code", code=phone.codes.at(later)).location == "/sign-in"
    assert "took too long" in slow.get("/sign-in").text


def test_nothing_planted_before_survives_the_first_step(app: Flask, phone: Phone) -> None:
    browser = Browser(app)
    browser.get("/sign-in")
    planted = browser.token
    browser.post("/sign-in", password=PASSWORD)
    browser.token = planted
    assert browser.post("/sign-in/code", code=phone.code()).status_code == 400


def test_codes_are_limited_for_the_account_wherever_they_come_from(
    app: Flask, phone: Phone, emitted: Captured, db: Database
) -> None:
    with db.session() as session:
        recovery = totp.renew_recovery_codes(session)
    for number in range(10):
        browser = begun(app, f"192.0.2.{number}")
        assert browser.post("/sign-in/code", code=f"{number:06}").status_code == 401
    last = begun(app, "198.51.100.1")
    answer = last.post("/sign-in/code", code=phone.code())
    assert answer.status_code == 429
    assert "somebody else has the password" in answer.text
    emitted.assert_incremented(catalogue.SECOND_STEPS, outcome="limited")
    last.get("/sign-in/code")
    assert last.post("/sign-in/code", code=recovery[0]).status_code == 303
    assert "9 are left" in last.get("/").text


def test_a_right_code_forgives_the_tries_before(app: Flask, phone: Phone) -> None:
    for _ in range(3):
        browser = begun(app)
        for number in range(9):
            assert browser.post("/sign-in/code", code=f"{number:06}").status_code == 401
        assert browser.post("/sign-in/code", code=phone.code()).status_code == 303


def test_setting_codes_up_needs_the_password_and_a_code(owner: Browser, db: Database) -> None:
    assert owner.get("/account/codes").location == "/account#codes"
    assert owner.post("/account/codes", password="wrong").status_code == 403
    assert owner.get("/account/codes").location == "/account#codes"
    assert owner.post("/account/codes", password=PASSWORD).location == "/account/codes"
    page = owner.get("/account/codes").text
    assert "<svg" in page
    assert "style=" not in page
    assert owner.post("/account/codes/confirm", code="000000").status_code == 400
    with db.reading() as session:
        assert not totp.standing(session).is_on


def test_only_the_browser_that_gave_the_password_sees_the_secret(owner: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    owner.post("/account/codes", password=PASSWORD)
    assert owner.get("/account/codes").status_code == 200
    assert other.get("/account/codes").location == "/account#codes"


def test_the_secret_is_not_shown_once_codes_are_on(owner: Browser, phone: Phone) -> None:
    assert owner.get("/account/codes").location == "/account#codes"
    assert owner.post("/account/codes", password=PASSWORD).status_code == 409
    assert owner.post("/account/codes/confirm", code=phone.code()).location == "/account#codes"
    for path in ("/account", "/account/log"):
        assert phone.codes.secret not in owner.get(path).text.replace(" ", "")


def test_switching_codes_off_needs_the_password_and_a_code(
    owner: Browser, phone: Phone, db: Database
) -> None:
    off = "/account/codes/off"
    assert owner.post(off, password="wrong", code=phone.code()).status_code == 403
    assert owner.post(off, password=PASSWORD, code="000000").status_code == 403
    assert owner.post(off, password=PASSWORD).status_code == 403
    with db.reading() as session:
        assert totp.standing(session).is_on
    assert owner.post(off, password=PASSWORD, code=phone.code()).status_code == 303
    with db.reading() as session:
        assert not totp.standing(session).is_on


def test_new_recovery_codes_need_the_password_and_end_those_before(
    owner: Browser, phone: Phone, app: Flask
) -> None:
    assert owner.post("/account/codes/recovery", password="wrong").status_code == 403
    first = re.findall(r"<li><code>([^<]+)", owner.post("/account/codes/recovery", password=PASSWORD).text)
    owner.get("/account")
    again = re.findall(r"<li><code>([^<]+)", owner.post("/account/codes/recovery", password=PASSWORD).text)
    assert len({*first, *again}) == 20
    browser = begun(app)
    assert browser.post("/sign-in/code", code=first[0]).status_code == 401
    assert browser.post("/sign-in/code", code=again[0]).status_code == 303


# --- Browsers ---------------------------------------------------------------------------------------------


def handles(browser: Browser) -> list[str]:
    return re.findall(r"/account/sessions/([0-9a-f]+)/end", browser.get("/account").text)


def test_one_browser_is_signed_out_and_the_others_stay(app: Flask, owner: Browser) -> None:
    first, second = Browser(app, "192.0.2.1"), Browser(app, "192.0.2.2")
    first.sign_in()
    second.sign_in()
    named = handles(owner)
    assert len(named) == 2
    page = owner.get("/account").text
    assert "from 192.0.2.1" in page
    assert str(first.cookie) not in page
    for each in named:
        assert owner.post(f"/account/sessions/{each}/end").status_code == 303
        assert owner.post(f"/account/sessions/{each}/end").status_code == 404
    assert [browser.get("/").status_code for browser in (first, second, owner)] == [303, 303, 200]


def test_all_others_are_signed_out_at_once(app: Flask, owner: Browser) -> None:
    others = [Browser(app, f"192.0.2.{number}") for number in range(3)]
    for each in others:
        each.sign_in()
    owner.post("/account/sessions/end")
    assert "3 other browsers are signed out" in owner.get("/account").text
    assert {each.get("/").status_code for each in others} == {303}


def test_the_last_sign_in_is_told(app: Flask, owner: Browser) -> None:
    for _ in range(2):
        Browser(app, "192.0.2.7").sign_in("wrong")
    other = Browser(app, "192.0.2.1")
    other.get("/sign-in")
    other.post("/sign-in", password=PASSWORD)
    page = other.get("/").text
    assert "Last sign-in: just now, Firefox on Linux, 127.0.0.1. 2 failed tries since." in page


# --- Tokens -----------------------------------------------------------------------------------------------


def test_a_token_is_shown_once(owner: Browser, db: Database) -> None:
    answer = owner.post("/account/tokens", name="backup", scope=["jobs:read", "metrics:read"], expires="30")
    shown = re.search(r'value="(scout_[^"]+)"', answer.text)
    assert shown
    with db.reading() as session:
        found = tokens.find(session, shown[1])
        assert found is not None
        assert found.expires_at is not None
        assert dt.timedelta(days=29) < found.expires_at - clock.now() <= dt.timedelta(days=30)
    for path in ("/account", "/account/log"):
        assert shown[1] not in owner.get(path).text
    assert (
        "account.create_token",
        "backup (jobs:read, metrics:read)",
        "browser: Firefox on Linux",
    ) in events(db)


def test_one_for_the_account_needs_the_password(owner: Browser, db: Database) -> None:
    fields = {"name": "all", "scope": "account", "expires": "0"}
    for password in ("", "wrong"):
        answer = owner.post("/account/tokens", password=password, **fields)
        assert answer.status_code == 403
        assert 'value="account" checked' in answer.text
    assert "scout_" in owner.post("/account/tokens", password=PASSWORD, **fields).text
    with db.reading() as session:
        assert [each.expires_at for each in tokens.every(session)] == [None]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": "", "scope": "jobs:read"}, "a name"),
        ({"name": "x"}, "at least one scope"),
        ({"name": "x", "scope": "jobs:all"}, "the scopes are"),
        ({"name": "x", "scope": "jobs:read", "expires": "31"}, "from the list"),
        ({"name": "x", "scope": "jobs:read", "expires": "-1"}, "from the list"),
    ],
)
def test_a_token_that_cannot_be_made_is_told_why(owner: Browser, fields: dict[str, str], why: str) -> None:
    answer = owner.post("/account/tokens", **fields)
    assert answer.status_code == 400
    assert why in answer.text


def test_a_revoked_token_is_over(owner: Browser, db: Database) -> None:
    with db.session() as session:
        made, _ = tokens.create(session, "backup", ["jobs:read"])
    assert owner.post(f"/account/tokens/{made.prefix}/revoke").status_code == 303
    assert "backup is revoked" in owner.get("/account").text
    assert owner.post(f"/account/tokens/{made.prefix}/revoke").status_code == 404
    assert ("account.revoke_token", "backup", "browser: Firefox on Linux") in events(db)


# --- What was done ----------------------------------------------------------------------------------------


@pytest.fixture
def many(db: Database) -> None:
    with db.session() as session:
        for number in range(120):
            audit.record(session, "x.y", f"Did {number}.", by=audit.COMMAND)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("query", "first", "rows"),
    [
        ("", "Signed in", 50),
        ("?page=2", "Did 70.", 50),
        ("?page=3", "Did 20.", 21),
        ("?page=x&who=nonsense", "Signed in", 50),
        ("?page=-1", "Signed in", 50),
        ("?page=9999999", "", 0),
        ("?page=99999999999999999999999", "Signed in", 50),
        ("?who=command&q=did+11", "Did 119.", 11),
        ("?q=nothing-at-all", "", 0),
    ],
)
def test_the_list_is_paged_and_filtered(owner: Browser, query: str, first: str, rows: int) -> None:
    page = owner.get(f"/account/log{query}").text
    found = re.findall(r"<li>\s*<div>\s*<p><strong>([^<]+)", page)
    assert len(found) == rows
    assert found[:1] == ([first] if first else [])


def test_what_is_listed_is_escaped(owner: Browser, db: Database) -> None:
    with db.session() as session:
        session.add(AuditEvent(action="x", words="<b>x", subject="<script>", by="token: <i>", address="<u>"))
    page = owner.get("/account/log").text
    for each in ("<b>x", "<script>", "<i>", "<u>"):
        assert each not in page
