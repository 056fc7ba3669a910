from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

from metrics import catalogue
from metrics.testing import Captured
from scout import audit
from scout.database import Database
from scout.models import AuditEvent, Source
from scout.settings import Settings
from tests.unit.web.browser import PASSWORD, Browser
from webapp import create_app
from webapp.audit import NOT_KEPT, WORDS, words
from webapp.security import SAFE_METHODS


def events(db: Database) -> list[AuditEvent]:
    with db.reading() as session:
        return list(audit.find(session, audit.AuditQuery()).events)


def test_every_unsafe_route_has_words_or_a_reason_to_leave_no_event(app: Flask) -> None:
    rules = list(app.url_map.iter_rules())
    unsafe = {rule.endpoint for rule in rules if (rule.methods or set()) - SAFE_METHODS}
    with app.test_request_context():
        assert {each for each in unsafe if not words(each)} <= set(NOT_KEPT)
    assert all([*WORDS.values(), *NOT_KEPT.values()])
    assert not set(WORDS) & set(NOT_KEPT)


def test_an_operation_may_say_itself_what_it_does(settings: Settings, db: Database) -> None:
    app = create_app(settings)
    app.add_url_rule("/x", "x.do", lambda: "done", methods=["POST"])
    app.extensions["scout_audit_words"] = {"x.do": "Did x"}.get
    browser = Browser(app)
    browser.sign_in()
    assert browser.post("/x").status_code == 200
    assert [(each.action, each.words) for each in events(db)[:1]] == [("x.do", "Did x")]
    app.extensions["scout"].close()


def test_what_is_done_to_a_job_names_it_its_author_and_where_from(
    owner: Browser, db: Database, add_job: Callable[..., int]
) -> None:
    job_id = add_job(title="Identity <Engineer>")
    owner.address = "192.0.2.44"
    owner.post(f"/jobs/{job_id}/notes", body="a secret thought")
    event = events(db)[0]
    assert (event.action, event.words) == ("jobs.add_note", "Wrote a note")
    assert (event.subject, event.by) == ("Identity <Engineer>, Acme", "browser: Firefox on Linux")
    assert event.address == "192.0.2.44"
    assert "thought" not in repr(vars(event))


def test_a_board_is_named_though_it_is_gone(owner: Browser, db: Database, source: Source) -> None:
    owner.post(f"/sources/{source.slug}/remove")
    event = events(db)[0]
    assert (event.words, event.subject) == ("Removed a board", "Acme")


def test_what_is_refused_or_fails_leaves_no_event(owner: Browser, db: Database, visitor: Browser) -> None:
    before = len(events(db))
    owner.post("/sources/none/pause")
    owner.post("/sources", url="")
    owner.post("/sources/starters", {"Origin": "https://evil.example"})
    visitor.get("/sign-in")
    visitor.post("/sources/starters")
    owner.get("/sources")
    owner.post("/theme", theme="dark")
    assert len(events(db)) == before


def test_signing_in_and_out_and_failing_to_are_told(visitor: Browser, db: Database) -> None:
    for _ in range(3):
        visitor.sign_in("wrong")
    visitor.sign_in()
    visitor.post("/sign-out")
    told = [(each.action, each.by, each.times) for each in events(db)]
    assert told == [
        ("sign_in.leave", "browser: Firefox on Linux", 1),
        ("sign_in.succeeded", "browser: Firefox on Linux", 1),
        ("sign_in.failed", "nobody", 3),
    ]
    with db.reading() as session:
        rows = repr(session.execute(text("SELECT * FROM audit_events")).all())
    assert PASSWORD not in rows
    assert "wrong'" not in rows


def test_an_event_that_cannot_be_kept_spoils_no_answer(
    owner: Browser, db: Database, source: Source, emitted: Captured, caplog: pytest.LogCaptureFixture
) -> None:
    with db.session() as session:
        session.execute(text("ALTER TABLE audit_events RENAME TO gone"))
    assert owner.post(f"/sources/{source.slug}/pause").status_code == 303
    assert "could not be kept: sources.pause" in caplog.text
    emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="web")
