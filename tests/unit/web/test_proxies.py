"""What is believed of proxies: nothing, until the owner says how many stand before the server."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask

from scout import audit
from scout.settings import Settings
from tests.unit.web.browser import Browser
from webapp import create_app
from webapp.parts import Parts

CLAIMS = {
    "X-Forwarded-For": "198.51.100.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/evil",
    "X-Real-Ip": "198.51.100.1",
    "Forwarded": "for=198.51.100.1;proto=https;host=evil.example",
}


@pytest.fixture
def behind(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The application behind as many proxies as the test says."""
    app = create_app(dataclasses.replace(settings, trusted_proxies=request.param))
    yield app
    app.extensions["scout"].close()


def came_from(app: Flask) -> str:
    """Where the last sign-in came from, as it was kept."""
    parts: Parts = app.extensions["scout"]
    with parts.database.reading() as session:
        event = audit.last_sign_in(session)
    assert event is not None
    return event.address


def signed_in(app: Flask, **headers: str) -> Browser:
    browser = Browser(app, "192.0.2.1")
    plain = browser.ask
    browser.ask = lambda method, url, *, headers=headers, **options: plain(  # type: ignore[method-assign]
        method, url, headers=headers, **options
    )
    browser.sign_in()
    return browser


@pytest.mark.parametrize("behind", [0], indirect=True)
def test_without_proxies_nothing_is_believed(behind: Flask) -> None:
    browser = signed_in(behind, **CLAIMS)
    assert came_from(behind) == "192.0.2.1"
    cookies = browser.client._cookies
    assert cookies is not None
    names = {cookie.key for cookie in cookies.values()}
    assert names == {"scout_session"}
    assert browser.get("/nothing/../sources").status_code in {303, 404}
    assert "evil" not in browser.get("/sources").text


@pytest.mark.parametrize("behind", [1], indirect=True)
def test_one_proxy_is_believed_about_what_it_saw_itself(behind: Flask) -> None:
    forged = {**CLAIMS, "X-Forwarded-For": "203.0.113.99, 198.51.100.1"}
    browser = Browser(behind, "192.0.2.1")
    browser.get("/sign-in", headers=forged)
    answer = browser.post("/sign-in", forged, password="correct horse battery staple")
    assert answer.status_code == 303
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if "scout_session=" in each)
    assert cookie.startswith("__Host-scout_session=")
    assert "Secure" in cookie
    assert came_from(behind) == "198.51.100.1"
    assert "evil" not in answer.text + answer.location


@pytest.mark.parametrize("behind", [1], indirect=True)
def test_guessing_is_limited_by_the_address_that_the_proxy_saw(behind: Flask) -> None:
    def guess(said: str) -> int:
        browser = Browser(behind, "192.0.2.1")
        browser.get("/sign-in")
        return browser.post("/sign-in", {"X-Forwarded-For": said}, password="guess").status_code

    assert [guess(f"203.0.113.{number}, 198.51.100.1") for number in range(11)] == [401] * 10 + [429]
    assert guess("203.0.113.1, 198.51.100.2") == 401


@pytest.mark.parametrize("behind", [0, 1, 2], indirect=True)
def test_no_header_makes_a_stranger_one_of_the_networks_that_may_read_the_metrics(behind: Flask) -> None:
    for said in ("127.0.0.1", "127.0.0.1, 127.0.0.1", "::1"):
        answer = behind.test_client().get(
            "/metrics", headers={"X-Forwarded-For": said}, environ_base={"REMOTE_ADDR": "192.0.2.1"}
        )
        assert answer.status_code == 404
