"""Boards, the first run and the profile, by requests alone: what is refused, undone, kept and counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout import chosen_profile, clock, sources, trial, watchlist, welcome
from scout.database import Database
from scout.matching import load_profile
from scout.models import RunTrigger, ScanResult, ScanRun, ScanState, Setup, Source
from scout.sources.board import Board
from tests.unit.web.browser import Browser
from webapp import scans, streams

AddJob = Callable[..., int]


@pytest.fixture
def many(db: Database, source: Source) -> list[str]:
    with db.session() as session:
        for token in ("globex", "initech"):
            watchlist.add(session, Board(kind="lever", token=token, url=f"https://jobs.lever.co/{token}"))
    return ["acme", "globex", "initech"]


def paused(db: Database) -> set[str]:
    with db.reading() as session:
        return {each.slug for each in watchlist.every(session) if each.paused}


def post(owner: Browser, path: str, **fields: object) -> object:
    return owner.ask("POST", path, data={"csrf_token": owner.token, **fields})


# --- Many -------------------------------------------------------------------------------------------------


def test_many_are_paused_and_that_is_taken_back_once(owner: Browser, db: Database, many: list[str]) -> None:
    post(owner, "/sources/many", do="pause", board=["acme", "globex", "no\x00body"], back="/sources?q=x")
    assert paused(db) == {"acme", "globex"}
    page = owner.get("/sources").text
    assert "2 boards are paused. Their jobs stay." in page
    assert "Undo: resume 2 boards" in page
    post(owner, "/sources/undo", back="/sources")
    assert paused(db) == set()
    assert "Taken back: 2 boards are watched again." in owner.get("/sources").text
    post(owner, "/sources/undo", back="/sources")
    assert "There is nothing to take back." in owner.get("/sources").text


def test_all_that_are_found_are_meant_by_all(owner: Browser, db: Database, many: list[str]) -> None:
    post(owner, "/sources/many", do="pause", all="1", q="e")
    assert paused(db) == {"acme", "globex", "initech"} - {
        slug for slug in ("acme", "globex", "initech") if "e" not in slug
    }
    post(owner, "/sources/many", do="resume", all="1", health="paused")
    assert paused(db) == set()


def test_many_are_scanned_at_once(owner: Browser, db: Database, many: list[str]) -> None:
    answer = owner.ask(
        "POST", "/sources/many", data={"csrf_token": owner.token, "do": "scan", "board": ["acme", "globex"]}
    )
    assert answer.location == "/scans/1"
    assert "The queue does not answer just now" in owner.get("/scans/1").text


def test_removing_many_asks_first(
    owner: Browser, db: Database, many: list[str], add_job: AddJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_job()
    answer = owner.ask(
        "POST", "/sources/many", data={"csrf_token": owner.token, "do": "remove", "board": ["acme", "globex"]}
    )
    assert "Remove 2 boards?" in answer.text
    assert "1 job was seen there" in answer.text
    asked: list[str] = []

    def forget(_url: str, slug: str) -> bool:
        asked.append(slug)
        return False

    monkeypatch.setattr("metrics.push.forget_source", forget)
    post(owner, "/sources/remove", board=["acme", "globex"])
    assert asked == ["acme"], "a gateway that is away is asked once"
    assert "2 boards are removed." in owner.get("/sources").text
    monkeypatch.setattr("webapp.sources.MOST_REMOVED", 0)
    post(owner, "/sources/many", do="remove", board=["initech"])
    assert "At most 0 boards can be removed at once" in owner.get("/sources").text


def test_nothing_ticked_and_nothing_known_to_do(owner: Browser, many: list[str]) -> None:
    post(owner, "/sources/many", do="pause")
    assert "No board is chosen" in owner.get("/sources").text
    answer = owner.ask("POST", "/sources/many", data={"csrf_token": owner.token, "do": "x", "board": "acme"})
    assert answer.status_code == 400


# --- One --------------------------------------------------------------------------------------------------


def test_a_boards_page_tells_all_that_is_known(
    owner: Browser, db: Database, source: Source, add_job: AddJob
) -> None:
    add_job(title="Keeper of keys")
    with db.session() as session:
        kept = watchlist.get(session, "acme")
        kept.last_state, kept.last_reason, kept.last_error = ScanState.FAILED, "denied", "It answered 403."
        for number in range(12):
            run = ScanRun(trigger=RunTrigger.SCHEDULE)
            session.add(run)
            session.flush()
            now = clock.now()
            session.add(
                ScanResult(
                    run_id=run.id,
                    source_id=kept.id,
                    state=ScanState.SUCCEEDED,
                    seen=number,
                    started_at=now,
                    finished_at=now,
                )
            )
    page = owner.get("/sources/acme").text
    assert "Keeper of keys" in page
    assert "Leave it, or ask its company for a feed." in page
    assert "Postings in the last 12 scans" in page
    assert "The 2 before" in page
    assert sources.KINDS["lever"].terms[:30] in page
    assert owner.get("/sources/nobody").status_code == 404


def test_a_schedule_that_cannot_be_is_said_and_one_that_can_is_kept(
    owner: Browser, db: Database, source: Source
) -> None:
    for fields, words in (
        ({"interval": "x"}, "write 30m, 6h or 2d"),
        ({"quiet": "late"}, "write two different times"),
        ({"zone": "Mars/Base"}, "there is no such time zone"),
    ):
        answer = owner.ask("POST", "/sources/acme/schedule", data={"csrf_token": owner.token, **fields})
        assert answer.status_code == 400
        assert words in answer.text
    post(owner, "/sources/acme/schedule", interval="120", quiet="none", zone="Europe/Berlin")
    with db.reading() as session:
        kept = watchlist.get(session, "acme")
        assert (kept.interval_minutes, kept.quiet_hours, kept.time_zone) == (120, "", "Europe/Berlin")
    post(owner, "/sources/acme/schedule", interval="", quiet="", zone="")
    with db.reading() as session:
        kept = watchlist.get(session, "acme")
        assert (kept.interval_minutes, kept.quiet_hours, kept.time_zone) == (None, None, None)


# --- Adding -----------------------------------------------------------------------------------------------


def test_each_pasted_line_is_told_of_and_what_failed_stays_to_be_mended(owner: Browser, db: Database) -> None:
    pasted = "https://jobs.lever.co/veeva\nhttps://example.com/careers"
    answer = owner.ask("POST", "/sources", data={"csrf_token": owner.token, "url": pasted})
    assert answer.status_code == 200
    assert "veeva is watched now." in answer.text
    assert ">https://example.com/careers</textarea>" in answer.text
    answer = owner.ask("POST", "/sources", data={"csrf_token": owner.token, "url": "#\n#"})
    assert answer.status_code == 400
    answer = owner.ask("POST", "/sources", data={"csrf_token": owner.token, "url": "a\n" * 1001})
    assert "Paste at most 1,000 addresses at once" in answer.text


def test_a_look_shows_what_was_found_or_why_not(
    owner: Browser, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Board] = []

    def look(_db: object, _settings: object, board: Board, _profile: object, *, budget: float) -> trial.Trial:
        asked.append(board)
        assert 0 < budget <= trial.BUDGET
        if board.token == "bad":
            return trial.Trial(
                board=board, kind="Lever", reason="denied", error="It answered 403.", remedy="Leave it."
            )
        return trial.Trial(board=board, kind="Lever", postings=41, matching=7, fills=(("salary", 12),))

    monkeypatch.setattr(trial, "look", look)
    pasted = "https://jobs.lever.co/good\nhttps://jobs.lever.co/bad\nnonsense"
    page = owner.ask("POST", "/sources/try", data={"csrf_token": owner.token, "url": pasted}).text
    assert "<b>41</b> postings" in page
    assert "<b>7</b> would match" in page
    assert "pay (12)" in page
    assert "Access was denied." in page
    assert "Watch it all the same" in page
    assert [board.token for board in asked] == ["good", "bad"]
    pasted = "\n".join(f"https://jobs.lever.co/b{number}" for number in range(7))
    page = owner.ask("POST", "/sources/try", data={"csrf_token": owner.token, "url": pasted}).text
    assert page.count("It was not looked at: paste 5 at a time.") == 2
    with db.reading() as session:
        assert watchlist.every(session) == []
    for address, words in (
        ("", "Paste the address"),
        ("https://example.com/x", "Look at this page for boards"),
    ):
        answer = owner.ask("POST", "/sources/try", data={"csrf_token": owner.token, "url": address})
        assert answer.status_code == 400
        assert words in answer.text


# --- Scans ------------------------------------------------------------------------------------------------


def going(db: Database, source: Source) -> int:
    with db.session() as session:
        run = ScanRun(trigger=RunTrigger.OWNER, state=ScanState.RUNNING, started_at=clock.now())
        session.add(run)
        session.flush()
        session.add(ScanResult(run_id=run.id, source_id=source.id, state=ScanState.QUEUED))
        return run.id


def test_a_stream_tells_all_and_ends_with_the_run(
    owner: Browser, db: Database, source: Source, emitted: Captured
) -> None:
    run_id = going(db, source)
    assert owner.post(f"/scans/{run_id}/cancel").location == f"/scans/{run_id}"
    answer = owner.get(f"/scans/{run_id}/events")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text.startswith("retry: 1000\n\nevent: progress\ndata: ")
    assert answer.text.endswith("event: end\ndata: \n\n")
    assert "The scan has ended: cancelled." in answer.text
    emitted.assert_incremented(catalogue.SCAN_STREAMS, 1, outcome="opened")
    emitted.assert_gauge(catalogue.SCAN_STREAMS_OPEN, 0)


def test_there_are_only_so_many_places(
    owner: Browser, db: Database, source: Source, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = going(db, source)
    monkeypatch.setattr(scans, "_places", streams.Places(1))
    with scans._places.take() or pytest.fail("there is one"):
        emitted.assert_gauge(catalogue.SCAN_STREAMS_OPEN, 1)
        assert owner.get(f"/scans/{run_id}/events").status_code == 204
    emitted.assert_incremented(catalogue.SCAN_STREAMS, 1, outcome="refused")
    assert owner.get("/scans/99/events").status_code == 404
    owner.post(f"/scans/{run_id}/cancel")
    for _ in range(3):
        assert owner.get(f"/scans/{run_id}/events").status_code == 200, "each gives its place back"
        assert owner.ask("HEAD", f"/scans/{run_id}/events").status_code == 200


def test_a_process_that_leaves_ends_its_streams(
    owner: Browser, db: Database, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = going(db, source)
    monkeypatch.setattr(streams, "_leaving", [])
    streams.end_when(lambda: True)
    answer = owner.get(f"/scans/{run_id}/events")
    assert "event: progress" in answer.text
    assert "event: end" not in answer.text


def test_a_stream_says_that_it_is_there_and_when_its_time_is_over(
    owner: Browser, db: Database, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = going(db, source)
    with db.session() as session:
        session.get_one(ScanRun, run_id).started_at = None
    for name, value in (("EVERY", 0.01), ("HEARTBEAT", 0.0)):
        monkeypatch.setattr(streams, name, value)
    real = streams.stream
    monkeypatch.setattr(streams, "stream", lambda place, look: real(place, look, lasts=0.2))
    text = owner.get(f"/scans/{run_id}/events").text
    assert text.count("event: progress") == 1
    assert ": nothing new\n\n" in text


def test_what_has_ended_cannot_be_cancelled(owner: Browser, db: Database, source: Source) -> None:
    run_id = going(db, source)
    owner.post(f"/scans/{run_id}/cancel")
    page = owner.get(f"/scans/{run_id}").text
    assert f"Scan {run_id} is cancelled: 1 board had not begun." in page
    owner.post(f"/scans/{run_id}/cancel")
    assert "There is nothing to cancel." in owner.get(f"/scans/{run_id}").text
    assert owner.post("/scans/99/cancel").status_code == 404


def test_older_runs_are_a_page_further(owner: Browser, db: Database, source: Source) -> None:
    for _ in range(32):
        going(db, source)
    page = owner.get("/scans").text
    assert 'href="/scans?before=3"' in page
    assert 'href="/scans/2"' not in page
    assert 'href="/scans/2"' in owner.get("/scans?before=3").text


# --- The first run, and the profile -----------------------------------------------------------------------


def test_the_first_run_is_shown_after_the_first_sign_in_alone(visitor: Browser, db: Database) -> None:
    with db.session() as session:
        session.query(Setup).delete()
    assert visitor.sign_in().location == "/welcome"
    assert visitor.sign_in(next="/scans").location == "/scans"
    visitor.get("/welcome")
    assert visitor.post("/welcome/skip").location == "/"
    assert visitor.sign_in().location == "/"


def test_the_setting_wins_and_the_pages_say_so(
    owner: Browser, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCOUT_PROFILE", "nursing")
    for path in ("/welcome", "/profile"):
        page = owner.get(path).text
        assert "The setting SCOUT_PROFILE says so (nursing)" in page
        assert "Nursing" in page
    answer = owner.ask("POST", "/profile", data={"csrf_token": owner.token, "profile": "iam"})
    assert answer.status_code == 400
    assert "counts before what is chosen here" in answer.text
    owner.ask("POST", "/welcome", data={"csrf_token": owner.token, "starter": "greenhouse/okta"})
    with db.reading() as session:
        assert chosen_profile.in_use(session).name == "nursing"
        assert not welcome.is_wanted(session)
    monkeypatch.setenv("SCOUT_PROFILE", "nowhere")
    assert "There is no profile &#39;nowhere&#39;" in owner.get("/profile").text


def test_the_first_run_without_a_board_or_a_profile_says_what_lacks(owner: Browser, db: Database) -> None:
    answer = owner.ask("POST", "/welcome", data={"csrf_token": owner.token, "profile": "own", "text": " "})
    assert (answer.status_code, "Write your own profile" in answer.text) == (400, True)
    assert (
        owner.ask("POST", "/welcome", data={"csrf_token": owner.token, "profile": "iam"}).location
        == "/welcome"
    )
    assert "there is nothing to scan" in owner.get("/welcome").text
    answer = owner.ask("POST", "/welcome", data={"csrf_token": owner.token, "profile": "iam", "url": "#"})
    assert answer.status_code == 400


def test_a_job_or_a_text_is_tried_and_a_change_is_shown_before_it_is_made(
    owner: Browser, db: Database, add_job: AddJob
) -> None:
    job_id = add_job()
    for fields, words in (
        ({"job": f"#{job_id}"}, "Identity Engineer 1"),
        ({"title": "IAM Engineer", "posting": "Okta and SAML."}, "SAML"),
        ({"title": "Gardener"}, "Nothing in it is what the profile looks for."),
    ):
        assert words in owner.ask("POST", "/profile/try", data={"csrf_token": owner.token, **fields}).text
    for fields, words in (
        ({"job": "99"}, "There is no job 99."),
        ({"job": "x"}, "There is no job x."),
        ({}, "Paste a title or a text"),
    ):
        answer = owner.ask("POST", "/profile/try", data={"csrf_token": owner.token, **fields})
        assert (answer.status_code, words in answer.text) == (400, True)
    page = owner.ask("POST", "/profile/preview", data={"csrf_token": owner.token, "profile": "nursing"}).text
    assert "0 of 1 jobs would match. Nothing is changed yet." in page
    assert "would match no longer" in page
    answer = owner.ask(
        "POST", "/profile/preview", data={"csrf_token": owner.token, "profile": "own", "text": "- x"}
    )
    assert answer.status_code == 400
    with db.reading() as session:
        assert chosen_profile.in_use(session).content == load_profile("iam").content
    assert (
        owner.ask("POST", "/profile", data={"csrf_token": owner.token, "profile": "nursing"}).location
        == "/profile"
    )
    with db.reading() as session:
        assert chosen_profile.in_use(session).name == "nursing"
