from __future__ import annotations

import pytest
from flask import Flask

from metrics import catalogue
from metrics.testing import Captured
from scout.settings import Settings, load
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.unit.web.browser import Browser
from webapp import create_app
from webapp.sign_in import SignInLimit, safe_next


def test_the_right_password_opens_and_is_counted(visitor: Browser, emitted: Captured) -> None:
    answer = visitor.sign_in()
    assert (answer.status_code, answer.location) == (303, "/")
    emitted.assert_incremented(catalogue.SIGN_INS, outcome="succeeded")
    emitted.assert_incremented(catalogue.SESSIONS_STARTED)
    assert visitor.get("/").status_code == 200


@pytest.mark.parametrize("password", ["", "wrong", "x" * 5000, "correct horse battery staple ", "\x00"])
def test_a_wrong_one_does_not(visitor: Browser, emitted: Captured, password: str) -> None:
    answer = visitor.sign_in(password)
    assert answer.status_code == 401
    assert "not the password" in answer.text
    emitted.assert_incremented(catalogue.SIGN_INS, outcome="failed")
    assert visitor.get("/").status_code == 303


def test_who_is_sent_to_the_form_comes_back(visitor: Browser) -> None:
    asked = visitor.get("/sources?x=%C3%A9&y=1")
    assert asked.location.startswith("/sign-in?next=")
    form = visitor.get(asked.location).text
    wanted = form.split('name="next" value="')[1].split('"')[0].replace("&amp;", "&")
    assert visitor.post("/sign-in", password="correct horse battery staple", next=wanted).location == (
        "/sources?x=%C3%A9&y=1"
    )


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/sources", "/sources"),
        ("/jobs/12?back=/%3Fq%3Dx", "/jobs/12?back=/%3Fq%3Dx"),
        ("/?q=okta&page=2", "/?q=okta&page=2"),
        ("", "/"),
        ("sources", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" //evil.example", "/"),
        ("https:evil.example", "/"),
        ("https://evil.example/sources", "/"),
        ("javascript:alert(1)", "/"),
        ("/%2f/evil.example", "/"),
        ("/%09/evil.example", "/"),
        ("/sources\\@evil.example", "/"),
        ("/sources\r\nSet-Cookie: x=y", "/"),
        ("/nothing", "/"),
        ("/sign-in", "/"),
        ("/sign-in/code", "/"),
        ("/sign-out", "/"),
        ("/account", "/account"),
        ("/account/tokens", "/"),
        ("https:/evil.example", "/"),
        ("https:///evil.example", "/"),
        ("HTTPS://evil.example", "/"),
        ("http:\\\\evil.example", "/"),
        ("//evil.example/sources", "/"),
        ("//localhost/sources", "/"),
        ("/\\/evil.example", "/"),
        ("/.//evil.example", "/"),
        ("/sources/..//evil.example", "/"),
        ("/%5cevil.example", "/"),
        ("%2f%2fevil.example", "/"),
        ("/sources%0d%0aSet-Cookie:x=y", "/"),
        ("/\u2028/evil.example", "/"),
        ("/\uff0fevil.example", "/"),
        ("data:text/html,x", "/"),
        ("?next=//evil.example", "/"),
        ("#//evil.example", "/"),
        ("@evil.example", "/"),
        (".evil.example", "/"),
        ("/static/app.js", "/"),
        ("/metrics", "/"),
        ("/sources/", "/"),
        ("/jobs/1/status", "/"),
    ],
)
def test_only_our_own_pages_are_gone_back_to(visitor: Browser, app: Flask, wanted: str, goes: str) -> None:
    with app.test_request_context():
        assert safe_next(wanted) == goes
    assert visitor.sign_in(next=wanted).location == goes


def test_guessing_is_limited_by_the_sockets_address(app: Flask, emitted: Captured) -> None:
    guesser, other = Browser(app, "192.0.2.1"), Browser(app, "192.0.2.2")
    for number in range(10):
        guesser.get("/sign-in")
        forged = {"X-Forwarded-For": f"198.51.100.{number}"}
        assert guesser.post("/sign-in", forged, password="guess").status_code == 401
    answer = guesser.post(
        "/sign-in", {"X-Forwarded-For": "203.0.113.9"}, password="correct horse battery staple"
    )
    assert answer.status_code == 429
    assert "too often" in answer.text
    emitted.assert_incremented(catalogue.SIGN_INS, outcome="limited")
    assert other.sign_in().status_code == 303


def test_getting_in_forgives_the_tries_before(app: Flask) -> None:
    browser = Browser(app)
    for _ in range(3):
        for _ in range(9):
            assert browser.sign_in("typo").status_code == 401
        assert browser.sign_in().status_code == 303
        browser.post("/sign-out")


def test_a_crowd_is_limited_altogether(settings: Settings) -> None:
    limit = SignInLimit(settings)
    admitted = sum(limit.admits(f"192.0.2.{number}") for number in range(256))
    assert admitted == 200


def test_codes_are_limited_too_while_redis_does_not_answer(settings: Settings) -> None:
    limit = SignInLimit(settings)
    assert [limit.admits_code() for _ in range(11)] == [True] * 10 + [False]
    limit.forgive_codes()
    assert limit.admits_code()


def test_all_processes_count_together_in_redis(
    settings: Settings,
    redis_server: RedisServer,  # noqa: F811 - the fixture
) -> None:
    shared = load({"SCOUT_DATA_DIR": str(settings.data_dir), "REDIS_URL": redis_server.url})
    one, other = SignInLimit(shared), SignInLimit(shared)
    assert [one.admits("192.0.2.1") for _ in range(6)] == [True] * 6
    assert [other.admits("192.0.2.1") for _ in range(6)] == [True] * 4 + [False] * 2
    assert [one.admits_code() for _ in range(6)] == [True] * 6
    assert [other.admits_code() for _ in range(6)] == [True] * 4 + [False] * 2
    redis_server.stop()
    assert [one.admits("192.0.2.1") for _ in range(11)] == [True] * 10 + [False]


def test_the_applications_of_two_processes_share_one_key(settings: Settings) -> None:
    assert create_app(settings).secret_key == create_app(settings).secret_key
