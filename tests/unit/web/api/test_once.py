"""A request that is sent again is not done twice; and who asks too often waits."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from flask import Flask

from metrics import catalogue
from metrics.testing import Captured
from scout import clock, jobs, replays
from scout.database import Database
from scout.models import Note, Replay
from scout.settings import Settings
from tests.redis_server import RedisServer, redis_server
from tests.unit.web.api.program import Program, make_token
from webapp.api.pace import Pace

__all__ = ["redis_server"]


def notes(db: Database) -> int:
    with db.reading() as session:
        return session.query(Note).count()


def test_the_same_request_gets_the_same_answer(
    program: Program, db: Database, add_job: Callable[..., int], emitted: Captured
) -> None:
    path = f"/jobs/{add_job()}/notes"
    first = program.post(path, {"body": "Once."}, Idempotency_Key="k1")
    again = program.post(path, {"body": "Once."}, Idempotency_Key='"k1"')
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert notes(db) == 1
    emitted.assert_incremented(catalogue.API_REPLAYS, outcome="replayed")
    program.post(path, {"body": "Once."}, Idempotency_Key="k2")
    assert notes(db) == 2


def test_a_refusal_is_repeated_too(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    first = program.post(f"/jobs/{job_id}/undo", Idempotency_Key="k")
    assert first.status_code == 409
    program.put(f"/jobs/{job_id}/status", {"to": "saved"})
    again = program.post(f"/jobs/{job_id}/undo", Idempotency_Key="k")
    assert (again.status_code, again.data) == (409, first.data)


def test_a_key_for_something_else_is_refused(
    program: Program, add_job: Callable[..., int], emitted: Captured
) -> None:
    path = f"/jobs/{add_job()}/notes"
    program.post(path, {"body": "One."}, Idempotency_Key="k")
    other = program.post(path, {"body": "Another."}, Idempotency_Key="k")
    assert other.status_code == 422
    assert other.get_json()["type"] == "/api/docs#problem-key-reused"
    emitted.assert_incremented(catalogue.API_REPLAYS, outcome="reused")


def test_keys_are_each_callers_own(
    program: Program, app: Flask, db: Database, add_job: Callable[..., int]
) -> None:
    path = f"/jobs/{add_job()}/notes"
    program.post(path, {"body": "One."}, Idempotency_Key="k")
    Program(app, make_token(db)).post(path, {"body": "Another."}, Idempotency_Key="k")
    assert notes(db) == 2


def test_while_the_first_runs_the_second_waits(
    app: Flask,
    db: Database,
    add_job: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    emitted: Captured,
) -> None:
    path, token = f"/jobs/{add_job()}/notes", make_token(db)
    begun, go_on = threading.Event(), threading.Event()
    add_note = jobs.add_note

    def slow(*arguments: object) -> Note:
        begun.set()
        assert go_on.wait(10)
        return add_note(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "add_note", slow)
    statuses: list[int] = []

    def send() -> None:
        statuses.append(Program(app, token).post(path, {"body": "x"}, Idempotency_Key="k").status_code)

    first = threading.Thread(target=send)
    first.start()
    assert begun.wait(10)
    with db.reading() as session:
        assert session.query(Replay).one().status is None
    go_on.set()
    first.join(10)
    assert statuses == [201]
    with db.session() as session:
        session.query(Replay).update({"status": None})
    assert Program(app, token).post(path, {"body": "x"}, Idempotency_Key="k").status_code == 409
    emitted.assert_incremented(catalogue.API_REPLAYS, outcome="running")


def test_a_key_whose_process_died_is_free_after_a_while(
    app: Flask, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replays.begin(db, "me", "k", "f") is None
    with pytest.raises(replays.StillRunning):
        replays.begin(db, "me", "k", "f")
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(minutes=6))
    assert replays.begin(db, "me", "k", "f") is None
    replays.finish(db, "me", "k", status=200, headers={}, body="{}")
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(hours=25))
    assert replays.begin(db, "me", "k", "other") is None


def test_an_answer_with_a_secret_is_kept_nowhere(program: Program, db: Database) -> None:
    wish = {"name": "x", "scopes": ["jobs:read"]}
    made = program.post("/tokens", wish, Idempotency_Key="k").get_json()
    with db.reading() as session:
        assert made["token"] not in str(session.query(Replay).one().body)
    again = program.post("/tokens", wish, Idempotency_Key="k")
    assert again.status_code == 409
    assert "done already" in again.get_json()["detail"]
    assert [each["name"] for each in program.get("/tokens").get_json()["items"]] == ["x", "test"]


def test_a_fault_gives_the_key_back(
    program: Program, add_job: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/jobs/{add_job()}/notes"
    with monkeypatch.context() as patched:
        patched.setattr(jobs, "add_note", lambda *_: 1 / 0)
        assert program.post(path, {"body": "x"}, Idempotency_Key="k").status_code == 500
    assert program.post(path, {"body": "x"}, Idempotency_Key="k").status_code == 201


def test_who_asks_too_often_waits(
    app: Flask, db: Database, redis_server: RedisServer, emitted: Captured
) -> None:
    app.extensions["scout_api_pace"] = Pace(Settings(redis_url=redis_server.url), per_minute=3)
    program, other = Program(app, make_token(db)), Program(app, make_token(db))
    answers = [program.get("/me") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert answers[0].headers["RateLimit"].startswith('"minute";r=2;t=')
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    emitted.assert_incremented(catalogue.API_LIMITS, outcome="limited")
    assert other.get("/me").status_code == 200


def test_without_redis_nobody_is_limited(program: Program, emitted: Captured) -> None:
    answers = [program.get("/me") for _ in range(3)]
    assert {each.status_code for each in answers} == {200}
    assert "RateLimit" not in answers[0].headers
    emitted.assert_incremented(catalogue.API_LIMITS, 3, outcome="uncounted")
