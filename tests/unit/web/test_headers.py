from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.unit.web.browser import PASSWORD, Browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def a_broken_page(app: Flask, owner: Browser) -> TestResponse:
    def broken() -> str:
        raise ZeroDivisionError("the secret of the house")

    app.view_functions["scans.index"] = broken
    return owner.get("/scans")


def a_database_gone(app: Flask, owner: Browser) -> TestResponse:
    database = app.extensions["scout"].database
    path = app.extensions["scout"].settings.data_dir / "scout.sqlite3"
    database.dispose()
    path.rename(path.with_suffix(".away"))
    path.mkdir()
    return owner.get("/")


def too_many_tries(app: Flask, owner: Browser) -> TestResponse:
    stranger = Browser(app, "192.0.2.7")
    for _ in range(11):
        answer = stranger.sign_in("wrong")
    return answer


ANSWERS: dict[str, tuple[int, Callable[[Flask, Browser], TestResponse]]] = {
    "a page": (200, lambda _, owner: owner.get("/")),
    "the form": (200, lambda app, _: Browser(app).get("/sign-in")),
    "a redirect": (303, lambda app, _: Browser(app).get("/")),
    "a refusal": (401, lambda app, _: app.test_client().get("/")),
    "a wrong password": (401, lambda app, _: Browser(app).sign_in("wrong")),
    "a bad token": (400, lambda _, owner: owner.ask("POST", "/sign-out")),
    "a bad value": (400, lambda _, owner: owner.post("/theme", theme="pink")),
    "another origin": (403, lambda _, owner: owner.post("/theme", {"Origin": "http://x"})),
    "nothing": (404, lambda _, owner: owner.get("/nothing")),
    "no such job": (404, lambda _, owner: owner.get("/jobs/999999999999999999999999")),
    "no such run": (404, lambda _, owner: owner.get("/scans/999999999999999999999999")),
    "no such board": (404, lambda _, owner: owner.get("/sources/none/remove")),
    "a wrong method": (405, lambda _, owner: owner.post("/scans/1")),
    "too large": (413, lambda _, owner: owner.post("/sources", url="x" * 300_000)),
    "too many tries": (429, too_many_tries),
    "an error": (500, a_broken_page),
    "no database": (503, a_database_gone),
    "the account": (200, lambda _, owner: owner.get("/account")),
    "the list of what was done": (200, lambda _, owner: owner.get("/account/log")),
    "a code too early": (303, lambda app, _: Browser(app).get("/sign-in/code")),
    "a new token": (200, lambda _, owner: owner.post("/account/tokens", name="x", scope="jobs:read")),
    "no such session": (404, lambda _, owner: owner.post("/account/sessions/0/end")),
    "a bad token for programs": (
        401,
        lambda app, _: app.test_client().get(
            "/metrics",
            headers={"Authorization": "Bearer x"},
            environ_base={"REMOTE_ADDR": "192.0.2.1"},
        ),
    ),
    "static": (200, lambda app, _: app.test_client().get("/static/app.css", buffered=True)),
    "no static": (404, lambda app, _: app.test_client().get("/static/nothing.css", buffered=True)),
    "up the tree": (404, lambda app, _: app.test_client().get("/static/..%2ffactory.py", buffered=True)),
    "alive": (200, lambda app, _: app.test_client().get("/healthz")),
    "not ready": (503, lambda app, _: app.test_client().get("/readyz")),
    "metrics": (200, lambda app, _: app.test_client().get("/metrics")),
    "no metrics": (404, lambda app, _: Browser(app, "192.0.2.1").get("/metrics")),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_answer_carries_the_headers(app: Flask, owner: Browser, name: str) -> None:
    status, ask = ANSWERS[name]
    answer = ask(app, owner)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    assert answer.headers["Cache-Control"] in {"no-store", "no-cache"}
    for secret in ("Traceback", "the secret of the house", "sqlite", "Werkzeug", PASSWORD, "k" * 64):
        assert secret not in answer.text
    if status >= 400 and name not in {"not ready", "no metrics", "no static", "up the tree"}:
        assert answer.mimetype in {"text/html", "text/plain"}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 500, 503])
def test_programs_get_their_errors_as_one_line_of_text(app: Flask, owner: Browser, status: int) -> None:
    asked = next(ask for expected, ask in ANSWERS.values() if expected == status)
    owner.ask = lambda method, url, _ask=owner.ask, headers=None, **options: _ask(  # type: ignore[method-assign]
        method, url, headers={**(headers or {}), "Accept": "*/*"}, **options
    )
    answer = asked(app, owner)
    assert (answer.status_code, answer.mimetype) == (status, "text/plain")
    assert answer.text.count("\n") == 1


def test_static_files_are_kept_for_good_under_their_hash_alone(app: Flask, owner: Browser) -> None:
    page = owner.get("/").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    named = app.test_client().get(address, buffered=True)
    assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    again = app.test_client().get(address, headers={"If-None-Match": named.headers["ETag"]}, buffered=True)
    assert again.status_code == 304
    assert again.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert app.test_client().get("/static/app.css?v=0", buffered=True).headers["Cache-Control"] == "no-cache"


def test_no_page_asks_a_third_party(owner: Browser) -> None:
    for path in ("/", "/sources", "/scans", "/nothing"):
        page = owner.get(path).text
        for attribute in ('src="http', 'stylesheet" href="http', "@import", "url(http"):
            assert attribute not in page
        assert "style=" not in page
        assert "<script>" not in page
