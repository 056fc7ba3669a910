"""The pages of scans in a real browser: told by events, asked where there is no place, cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from scout import clock
from scout.database import Database
from scout.models import ScanResult, ScanRun, ScanState
from tests.e2e.pages import LOOKS, Open, look_at
from tests.waiting import wait_until
from webapp import scans, streams

pytestmark = pytest.mark.usefixtures("rows")


def the_run(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(ScanRun.id).order_by(ScanRun.id.desc())).first() or 0


def results(database: Database, **values: object) -> None:
    with database.session() as session:
        session.execute(update(ScanResult).where(ScanResult.run_id == the_run(database)).values(**values))


def end(database: Database, state: ScanState = ScanState.SUCCEEDED) -> None:
    results(database, state=state, finished_at=clock.now())
    with database.session() as session:
        session.execute(update(ScanRun).values(state=state, finished_at=clock.now()))


@contextmanager
def asked(page: Page) -> Iterator[list[str]]:
    """The paths that the page asks for meanwhile."""
    paths: list[str] = []
    listening = lambda request: paths.append(request.url.partition("/scans/")[2])  # noqa: E731 - taken off again
    page.on("request", listening)
    yield paths
    page.remove_listener("request", listening)


def heard(page: Page) -> bool:
    """Let the browser say what happened meanwhile; the listeners are called in such calls alone."""
    return bool(page.evaluate("true"))


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> streams.Places:
    """The places of the server's process, all free."""
    free = streams.Places()
    monkeypatch.setattr(scans, "_places", free)
    return free


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_scans_look_right(opened: Open, database: Database, look: str) -> None:
    run_id = the_run(database)
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        faults += look_at(page, f"{look}-scan-running", f"/scans/{run_id}")
        with database.session() as session:
            session.execute(update(ScanRun).values(cancel_asked_at=clock.now()))
        faults += look_at(page, f"{look}-scan-stopping", f"/scans/{run_id}")
        end(database, ScanState.CANCELLED)
        faults += look_at(page, f"{look}-scan-cancelled", f"/scans/{run_id}")
        faults += look_at(page, f"{look}-scans-list", "/scans")
        with database.session() as session:
            session.query(ScanRun).delete()
        faults += look_at(page, f"{look}-scans-none", "/scans")
    assert faults == []


def test_a_scan_is_told_by_events_until_it_ends(
    opened: Open, database: Database, places: streams.Places
) -> None:
    run_id = the_run(database)
    with opened() as page, asked(page) as paths:
        page.goto(f"/scans/{run_id}")
        page.get_by_text("0 pages").wait_for()
        results(database, pages=7, seen=350)
        page.get_by_text("7 pages").wait_for()
        page.get_by_text("1,050 seen").wait_for()
        page.locator("#scan-boards a").first.focus()
        focused = page.evaluate("document.activeElement.textContent")
        results(database, pages=8)
        page.get_by_text("8 pages").wait_for()
        assert page.evaluate("document.activeElement.textContent") == focused, "the focus stays"
        expect(page.get_by_role("button", name="Cancel the scan")).to_be_visible()
        end(database)
        page.get_by_text("3 of 3 boards done").wait_for()
        wait_until(
            lambda: page.text_content("#announcer") == "The scan has ended: succeeded. 24 new jobs.",
            what="the announcement",
        )
        expect(page.get_by_role("button", name="Cancel the scan")).not_to_be_visible()
        assert paths.count(f"{run_id}/events") == 1
        assert f"{run_id}/progress" not in paths
    wait_until(lambda: all_free(places), what="the stream's place")


def all_free(places: streams.Places) -> bool:
    taken = [place for _ in range(streams.MOST) if (place := places.take()) is not None]
    for place in taken:
        place.leave()
    return len(taken) == streams.MOST


def test_the_announcer_hears_quarters_and_not_each_tick(opened: Open, database: Database) -> None:
    run_id = the_run(database)
    said: list[str] = []
    with opened() as page:
        page.expose_function("heard", lambda words: said.append(words))  # noqa: PLW0108 - no built-in may be given
        page.goto(f"/scans/{run_id}")
        page.evaluate(
            "new MutationObserver(() => heard(document.getElementById('announcer').textContent))"
            ".observe(document.getElementById('announcer'), { childList: true })"
        )
        for pages in range(1, 4):
            results(database, pages=pages)
            page.get_by_text(f"{pages} page").first.wait_for()
        end(database)
        page.get_by_text("3 of 3 boards done").wait_for()
        wait_until(lambda: any("has ended" in each for each in said), what="the end being said")
    assert len(said) <= 2


def test_who_finds_no_place_asks_instead(opened: Open, database: Database, places: streams.Places) -> None:
    run_id = the_run(database)
    taken = [places.take() for _ in range(streams.MOST)]
    with opened() as page, asked(page) as paths:
        page.goto(f"/scans/{run_id}")
        wait_until(lambda: heard(page) and f"{run_id}/progress" in paths, what="the page asking by itself")
        results(database, pages=7)
        page.get_by_text("7 pages").wait_for()
        end(database)
        page.get_by_text("3 of 3 boards done").wait_for()
        before = paths.count(f"{run_id}/progress")
        page.wait_for_timeout(2500)
        assert paths.count(f"{run_id}/progress") == before, "an ended scan is not asked about"
    for place in taken:
        assert place is not None
        place.leave()


def test_a_browser_without_events_asks_instead(opened: Open, database: Database) -> None:
    run_id = the_run(database)
    with opened() as page:
        page.add_init_script("delete window.EventSource")
        page.goto(f"/scans/{run_id}")
        results(database, pages=7)
        page.get_by_text("7 pages").wait_for()


def test_a_stream_ends_after_a_while_and_the_browser_begins_the_next(
    opened: Open, database: Database, monkeypatch: pytest.MonkeyPatch, places: streams.Places
) -> None:
    monkeypatch.setattr(streams, "EVERY", 0.1)
    monkeypatch.setattr(streams, "LASTS", 0.3)
    monkeypatch.setattr(streams, "AGAIN", 50)
    run_id = the_run(database)
    with opened() as page, asked(page) as paths:
        page.goto(f"/scans/{run_id}")
        wait_until(lambda: heard(page) and paths.count(f"{run_id}/events") >= 3, what="the third stream")
        results(database, pages=7)
        page.get_by_text("7 pages").wait_for()
        assert f"{run_id}/progress" not in paths


def test_a_page_that_is_left_gives_its_place_back(
    opened: Open, database: Database, monkeypatch: pytest.MonkeyPatch, places: streams.Places
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT", 0.2)
    monkeypatch.setattr(streams, "EVERY", 0.1)
    run_id = the_run(database)
    with opened() as page:
        page.goto(f"/scans/{run_id}")
        wait_until(lambda: not all_free(places), what="the stream")
        page.goto("/sources")
        wait_until(lambda: all_free(places), what="its place")
    wait_until(
        lambda: not any("process_request" in each.name and not each.daemon for each in threading.enumerate()),
        what="no thread left behind",
    )


def test_a_scan_is_cancelled_and_survives_a_reload(opened: Open, database: Database) -> None:
    run_id = the_run(database)
    results(database, state=ScanState.QUEUED)
    with opened() as page:
        page.goto(f"/scans/{run_id}")
        page.get_by_role("button", name="Cancel the scan").click()
        page.get_by_text(f"Scan {run_id} is cancelled: 3 boards had not begun.").wait_for()
        page.reload()
        expect(page.locator("#scan-sum .health")).to_have_text("cancelled", use_inner_text=True)
        expect(page.get_by_role("button", name="Cancel the scan")).to_have_count(0)
        page.goto("/scans")
        expect(page.locator(".runs li").first).to_contain_text("cancelled", use_inner_text=True)


def test_a_scan_is_followed_and_cancelled_without_scripts(opened: Open, database: Database) -> None:
    run_id = the_run(database)
    results(database, state=ScanState.QUEUED)
    with opened(java_script_enabled=False) as page:
        page.goto(f"/scans/{run_id}")
        expect(page.locator("noscript meta, meta[http-equiv=refresh]")).to_have_count(1)
        page.get_by_role("button", name="Cancel the scan").click()
        expect(page.locator("main")).to_contain_text("3 boards had not begun", use_inner_text=True)
        page.reload()
        expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)


def test_the_list_of_jobs_tells_of_a_scan_in_a_line(opened: Open, database: Database) -> None:
    with opened() as page:
        page.goto("/")
        page.get_by_text("2 of 3 boards done").wait_for()
        end(database, ScanState.CANCELLED)
        page.get_by_text("The scan was cancelled: 24 new jobs").wait_for()
