from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy import func, select

from scout import account, clock, sessions
from scout.database import Database
from scout.models import Session
from tests.unit.web.browser import PASSWORD, Browser


def kept(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Session)) or 0


def test_a_visitor_makes_no_row(visitor: Browser, db: Database) -> None:
    for path in ("/", "/sign-in", "/nothing", "/metrics", "/readyz", "/healthz"):
        visitor.get(path)
    visitor.sign_in("wrong")
    assert kept(db) == 0


def test_probes_and_static_files_set_no_cookie(app: Flask) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/static/app.css"):
        assert "Set-Cookie" not in app.test_client().get(path, buffered=True).headers


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_out_of_reach_of_scripts_and_strangers(app: Flask, scheme: str) -> None:
    browser = Browser(app)
    base = f"{scheme}://localhost"
    browser.get("/sign-in", base_url=base)
    answer = browser.ask(
        "POST", "/sign-in", base_url=base, data={"csrf_token": browser.token, "password": PASSWORD}
    )
    name = "__Host-scout_session" if scheme == "https" else "scout_session"
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if each.startswith(f"{name}="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert ("Secure" in cookie) == (scheme == "https")


def test_over_https_a_cookie_that_a_neighbour_could_plant_is_not_read(app: Flask, owner: Browser) -> None:
    browser = Browser(app)
    browser.client.set_cookie("scout_session", str(owner.cookie))
    assert browser.get("/sources", base_url="https://localhost").status_code == 303
    assert browser.get("/sources").status_code == 200


def test_signing_in_takes_a_new_token_whatever_cookie_was_planted(
    app: Flask, visitor: Browser, db: Database
) -> None:
    visitor.client.set_cookie("scout_session", "planted-by-somebody")
    visitor.sign_in()
    assert visitor.cookie
    assert visitor.cookie != "planted-by-somebody"
    planted = Browser(app)
    planted.client.set_cookie("scout_session", "planted-by-somebody")
    assert planted.get("/").status_code == 303
    assert kept(db) == 1


def test_signing_in_again_ends_the_session_before(owner: Browser, app: Flask) -> None:
    first = owner.cookie
    assert first
    owner.post("/sign-in", password=PASSWORD)
    assert owner.cookie != first
    old = Browser(app)
    old.client.set_cookie("scout_session", first)
    assert old.get("/").status_code == 303


def test_the_forms_token_changes_with_the_session(app: Flask) -> None:
    browser = Browser(app)
    browser.get("/sign-in")
    before = browser.token
    browser.sign_in()
    fresh, browser.token = browser.token, before
    assert browser.post("/theme", theme="dark").status_code == 400
    browser.token = fresh
    assert browser.post("/theme", theme="dark").status_code == 303


def test_signing_out_ends_it_in_the_database_too(owner: Browser, app: Flask, db: Database) -> None:
    token = owner.cookie
    assert token
    answer = owner.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert owner.cookie is None
    assert kept(db) == 0
    thief = Browser(app)
    thief.client.set_cookie("scout_session", token)
    assert thief.get("/").status_code == 303
    assert "You are signed out" in owner.get("/sign-in").text
    assert "You are signed out" not in owner.get("/sign-in").text


def test_an_expired_session_is_none(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    later = clock.now() + sessions.LIFETIME + dt.timedelta(seconds=1)
    monkeypatch.setattr("scout.clock.now", lambda: later)
    assert owner.get("/").status_code == 303


def test_use_prolongs_a_session(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = clock.now()
    for days in (20, 40, 60):
        monkeypatch.setattr("scout.clock.now", lambda days=days: begun + dt.timedelta(days=days))
        assert owner.get("/").status_code == 200


def test_a_session_ends_however_it_is_used(owner: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = clock.now()
    for days in (25, 50, 75, 89):
        monkeypatch.setattr("scout.clock.now", lambda days=days: begun + dt.timedelta(days=days))
        assert owner.get("/").status_code == 200
    monkeypatch.setattr("scout.clock.now", lambda: begun + dt.timedelta(days=91))
    assert owner.get("/").status_code == 303


def test_a_new_password_ends_all_sessions(owner: Browser, db: Database) -> None:
    with db.session() as session:
        account.change_password(session, "another, longer one")
    assert owner.get("/").status_code == 303
    assert owner.sign_in().status_code == 401
    assert owner.sign_in("another, longer one").status_code == 303


def test_a_message_is_shown_once_and_two_are_both_shown(owner: Browser) -> None:
    owner.post("/sources/starters")
    owner.post("/sources/starters")
    page = owner.get("/sources").text
    assert "boards are watched now" in page
    assert "watched already" in page
    assert "watched already" not in owner.get("/sources").text


def test_a_forged_visitors_cookie_is_worth_nothing(app: Flask) -> None:
    browser = Browser(app)
    browser.client.set_cookie("scout_form", "eyJjc3JmX3Rva2VuIjoieCJ9.x.y")
    assert browser.get("/sign-in").status_code == 200
    assert browser.sign_in().status_code == 303
