from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from redis import RedisError
from sqlalchemy import func, select

from scout import clock, runs, watchlist
from scout.courtesy import CircuitState, Standing
from scout.database import Database
from scout.models import Job, RunTrigger, ScanResult, ScanRun, ScanState, Source
from tests.serving import reply, serving
from tests.unit.web.browser import Browser
from webapp.parts import Parts

AddJob = Callable[..., int]


def slugs(db: Database) -> list[str]:
    with db.reading() as session:
        return [each.slug for each in watchlist.every(session)]


def runs_kept(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(ScanRun)) or 0


def test_a_board_is_added_by_its_public_address_and_scanned(owner: Browser, db: Database) -> None:
    answer = owner.ask(
        "POST", "/sources", data={"csrf_token": owner.token, "url": " https://jobs.lever.co/veeva/123 "}
    )
    assert answer.status_code == 303
    assert answer.location == "/sources#veeva"
    assert slugs(db) == ["veeva"]
    with db.reading() as session:
        run = runs.recent(session, 1)[0]
        assert (run.trigger, [each.source.slug for each in run.results]) == (RunTrigger.OWNER, ["veeva"])
    assert "is watched now" in owner.get("/sources").text


@pytest.mark.parametrize(
    "address",
    [
        "",
        "   ",
        "nonsense",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://jobs.lever.co/veeva",
        "https://user:pw@jobs.lever.co/veeva",
        "https://jobs.lever.co\\@evil.example/",
        "https://example.com/careers",
        "https://jobs.lever.co/",
        '"><script>alert(1)</script>',
    ],
)
def test_what_is_no_board_is_refused_with_a_reason_and_kept_in_the_field(
    owner: Browser, db: Database, address: str
) -> None:
    answer = owner.ask("POST", "/sources", data={"csrf_token": owner.token, "url": address})
    assert answer.status_code == 400
    assert 'role="alert" id="add-problem"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "<script>alert" not in answer.text
    assert slugs(db) == []


def test_a_board_is_watched_once(owner: Browser, db: Database, source: Source) -> None:
    answer = owner.ask(
        "POST", "/sources", data={"csrf_token": owner.token, "url": "https://jobs.lever.co/acme"}
    )
    assert answer.status_code == 409
    assert "watched already, as acme" in answer.text
    assert slugs(db) == ["acme"]


def test_a_failing_board_names_its_error_and_when_it_is_tried_again(
    owner: Browser, db: Database, source: Source
) -> None:
    with db.session() as session:
        kept = watchlist.get(session, "acme")
        kept.last_scan_at = clock.now()
        kept.last_state = ScanState.FAILED
        kept.last_reason = "denied"
        kept.last_error = "It answered 403. <b>Pause</b> it."
        kept.failures = 3
        kept.next_scan_at = clock.now() + dt.timedelta(minutes=40, seconds=5)
        kept.next_scan_why = "server asked"
    page = owner.get("/sources").text
    assert "failing" in page
    assert "Access was denied, 3 times in a row." in page
    assert "It answered 403. &lt;b&gt;Pause&lt;/b&gt; it." in page
    assert "in 40 min" in page
    assert "(server asked)" in page


def test_a_board_whose_host_is_left_alone_says_so(
    owner: Browser, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = Standing("https://api.lever.co", CircuitState.OPEN, 1500.0)
    monkeypatch.setattr(watchlist, "left_alone", lambda *_: {source.id: standing})
    page = owner.get("/sources").text
    assert "Scans of api.lever.co kept failing, so it is left alone for another 25 minutes." in page


def test_without_redis_nothing_is_told_of_hosts_and_the_page_is_there(
    owner: Browser, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise RedisError("away")

    monkeypatch.setattr(watchlist, "left_alone", away)
    answer = owner.get("/sources")
    assert answer.status_code == 200
    assert "left alone" not in answer.text


def test_a_board_that_is_well_may_have_something_to_say(owner: Browser, db: Database, source: Source) -> None:
    with db.session() as session:
        kept = watchlist.get(session, "acme")
        kept.last_scan_at = kept.last_success_at = clock.now()
        kept.last_state = ScanState.SUCCEEDED
        kept.last_error = "The text of 5 postings is still to be fetched."
    page = owner.get("/sources").text
    assert '<p class="hint">The text of 5 postings is still to be fetched.</p>' in page
    assert 'class="trouble"' not in page
    ended = a_run(db, source, ScanState.SUCCEEDED, seen=12, error="The text of 5 postings is still to come.")
    page = owner.get(f"/scans/{ended}").text
    assert '<p class="hint">The text of 5 postings is still to come.</p>' in page
    assert 'class="trouble"' not in page


def test_pausing_and_resuming(owner: Browser, db: Database, source: Source) -> None:
    assert owner.post("/sources/acme/pause").location == "/sources#acme"
    page = owner.get("/sources").text
    assert "paused" in page
    assert "/sources/acme/resume" in page
    owner.post("/sources/acme/resume")
    assert "/sources/acme/pause" in owner.get("/sources").text


def test_scanning_one_now_leads_to_its_scan(owner: Browser, db: Database, source: Source) -> None:
    answer = owner.post("/sources/acme/scan")
    assert (answer.status_code, answer.location) == (303, "/scans/1")
    assert owner.post("/sources/acme/scan").location == "/scans/1"
    assert runs_kept(db) == 1


def test_removing_asks_first_and_tells_what_goes(
    owner: Browser, db: Database, source: Source, add_job: AddJob
) -> None:
    kept, gone = add_job(), add_job()
    owner.post(f"/jobs/{kept}/status", to="saved")
    page = owner.get("/sources/acme/remove").text
    assert "2 jobs were seen there" in page
    assert "the 1 that you decided about" in page
    assert slugs(db) == ["acme"]
    assert owner.post("/sources/acme/remove").location == "/sources"
    assert slugs(db) == []
    with db.reading() as session:
        assert session.get(Job, gone) is None
        assert session.get(Job, kept) is not None
    page = owner.get(f"/jobs/{kept}").text
    assert "On no board that is watched now" in page


@pytest.mark.parametrize("action", ["pause", "resume", "scan", "remove"])
def test_an_unknown_board_is_not_found(owner: Browser, action: str) -> None:
    assert owner.post(f"/sources/none/{action}").status_code == 404


def test_the_starter_boards_are_added_once(owner: Browser, db: Database) -> None:
    assert owner.post("/sources/starters").location == "/scans/1"
    many = len(slugs(db))
    assert many > 20
    assert owner.post("/sources/starters").location == "/sources"
    assert len(slugs(db)) == many


def test_scanning_everything_with_the_queue_away_waits_and_says_so(
    owner: Browser, db: Database, source: Source
) -> None:
    assert owner.post("/scans").location == "/scans/1"
    page = owner.get("/scans/1").text
    assert "The queue does not answer just now" in page
    assert "waiting" in page


def test_scanning_nothing_leads_to_the_boards(owner: Browser, db: Database) -> None:
    assert owner.post("/scans").location == "/sources"
    assert "There is no board to scan" in owner.get("/sources").text
    assert runs_kept(db) == 0


def a_run(db: Database, source: Source, state: ScanState, **result: object) -> int:
    with db.session() as session:
        run = ScanRun(trigger=RunTrigger.SCHEDULE, state=state, started_at=clock.now())
        session.add(run)
        session.flush()
        session.add(ScanResult(**{"run_id": run.id, "source_id": source.id, "state": state, **result}))
        return run.id


def test_an_open_run_is_polled_and_an_ended_one_is_not(owner: Browser, db: Database, source: Source) -> None:
    going = a_run(db, source, ScanState.RUNNING, phase="parse", seen=12)
    page = owner.get(f"/scans/{going}").text
    assert f'data-live data-events="/scans/{going}/events" data-progress="/scans/{going}/progress"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "reading" in page
    part = owner.get(f"/scans/{going}/progress", headers={"HX-Request": "true", "Accept": "*/*"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert owner.get(f"/scans/{going}/banner").status_code == 200

    ended = a_run(db, source, ScanState.PARTIAL, seen=12, new=3, reason="unparsed", error="2 of 12.")
    page = owner.get(f"/scans/{ended}").text
    assert "data-live" not in page
    assert "refresh" not in page
    assert "Some postings could not be read." in page
    assert "2 of 12." in page
    assert owner.get(f"/scans/{ended}/progress").status_code == 286
    assert "3 new jobs" in owner.get(f"/scans/{ended}/banner").text


def test_the_recent_runs_are_listed(owner: Browser, db: Database, source: Source) -> None:
    assert "No scan yet" in owner.get("/scans").text
    a_run(db, source, ScanState.SUCCEEDED, seen=1234)
    page = owner.get("/scans").text
    assert 'href="/scans/1"' in page
    assert "1,234" in page
    assert "started by schedule" in page


def test_a_page_that_is_no_board_can_be_looked_at_and_its_boards_added(
    app: Flask, owner: Browser, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (
        b"<a href='https://jobs.lever.co/acme/1'>IAM</a>"
        b"<link rel='alternate' type='application/rss+xml' href='/odd'>"
    )
    refused = owner.ask(
        "POST", "/sources", data={"csrf_token": owner.token, "url": "https://acme.example/careers"}
    )
    assert "Look at this page for boards" in refused.text
    with serving(lambda asked: reply(page) if asked.path == "/careers" else reply(b"", 404)) as server:
        parts: Parts = app.extensions["scout"]
        overrides = {"https://acme.example": server.origin}
        monkeypatch.setattr(
            parts, "settings", dataclasses.replace(parts.settings, origin_overrides=overrides)
        )
        seen = owner.ask(
            "POST",
            "/sources/discover",
            data={"csrf_token": owner.token, "url": "https://acme.example/careers"},
        )
    assert seen.status_code == 200
    assert 'value="https://jobs.lever.co/acme"' in seen.text
    assert 'name="kind" value="feed"' in seen.text
    added = owner.ask(
        "POST",
        "/sources",
        data={"csrf_token": owner.token, "url": "https://acme.example/odd", "kind": "feed"},
    )
    assert added.status_code == 303
    assert slugs(db) == ["acme-example"]


@pytest.mark.parametrize(
    "address", ["", "http://127.0.0.1:5000/", "file:///etc/passwd", "https://a.example/%00"]
)
def test_what_cannot_be_looked_at_says_why(owner: Browser, address: str) -> None:
    answer = owner.ask("POST", "/sources/discover", data={"csrf_token": owner.token, "url": address})
    assert answer.status_code == 400
    assert 'id="add-problem"' in answer.text


def test_a_kind_that_an_address_cannot_have_is_refused(owner: Browser, db: Database) -> None:
    for kind in ("lever", "nonsense", "mapped"):
        answer = owner.ask(
            "POST", "/sources", data={"csrf_token": owner.token, "url": "https://a.example/", "kind": kind}
        )
        assert answer.status_code == 400
    assert slugs(db) == []


def test_adding_a_board_that_needs_keys_says_that_it_is_off(owner: Browser, db: Database) -> None:
    owner.ask(
        "POST",
        "/sources",
        data={"csrf_token": owner.token, "url": "https://www.usajobs.gov/search/results/?k=iam"},
    )
    assert "is off until SCOUT_USAJOBS_EMAIL" in owner.get("/sources").text


def test_a_job_shows_the_words_that_its_boards_terms_want(
    owner: Browser, db: Database, add_job: AddJob, source: Source
) -> None:
    number = add_job()
    assert "From Remotive" not in owner.get(f"/jobs/{number}").text
    with db.session() as session:
        watchlist.get(session, "acme").kind = "remotive"
    assert "From Remotive (remotive.com)" in owner.get(f"/jobs/{number}").text
