"""The pages of boards in a real browser: many of them, one of them, adding, pausing many, scheduling."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert

from scout import clock, watchlist
from scout.database import Database
from scout.models import RunTrigger, ScanResult, ScanRun, ScanState, Source
from tests.e2e.pages import LOOKS, Open, fill, look_at
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("rows")

ADDRESSES = "https://jobs.lever.co/veeva\nhttps://jobs.ashbyhq.com/linear\nhttps://example.com/careers"


@pytest.fixture
def rows(database: Database) -> None:
    """A few boards with a history, in every state."""
    fill(database)
    now = clock.now()
    with database.session() as session:
        okta, veeva, onepassword = (watchlist.get(session, slug) for slug in ("okta", "veeva", "1password"))
        for number in range(40):
            ended = now - dt.timedelta(hours=40 - number)
            run = ScanRun(
                trigger=RunTrigger.SCHEDULE,
                state=ScanState.SUCCEEDED,
                created_at=ended,
                started_at=ended,
                finished_at=ended,
            )
            session.add(run)
            session.flush()
            for source, seen in ((okta, 120 + number % 7), (veeva, 30)):
                failed = source is veeva and number > 36
                session.add(
                    ScanResult(
                        run_id=run.id,
                        source_id=source.id,
                        state=ScanState.FAILED if failed else ScanState.SUCCEEDED,
                        started_at=ended,
                        finished_at=ended + dt.timedelta(seconds=2),
                        seen=0 if failed else seen,
                        new=number % 3,
                        reason="denied" if failed else "",
                        error="It answered 403." if failed else "",
                    )
                )
        okta.last_state, okta.last_success_at, okta.last_scan_at = ScanState.SUCCEEDED, now, now
        okta.next_scan_at, okta.next_scan_why = now + dt.timedelta(minutes=41), "Every hour."
        veeva.failures, veeva.last_scan_at = 3, now
        veeva.next_scan_at = now + dt.timedelta(hours=4, minutes=1)
        veeva.next_scan_why = "3 scans in a row failed, so the next one waits 4 hours."
        onepassword.paused = True


def many(database: Database, count: int) -> None:
    with database.session() as session:
        session.execute(
            insert(Source),
            [
                {
                    "slug": f"board-{number:04}",
                    "kind": "greenhouse",
                    "token": f"board-{number:04}",
                    "name": f"{chr(65 + number % 26)} Company {number:04}",
                    "url": f"https://job-boards.greenhouse.io/board-{number:04}",
                    "last_state": ScanState.SUCCEEDED if number % 50 else ScanState.FAILED,
                    "last_scan_at": clock.now(),
                }
                for number in range(count)
            ],
        )


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_boards_look_right(opened: Open, database: Database, look: str) -> None:
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        for name, path in {
            "boards-list": "/sources",
            "boards-none-like-that": "/sources?q=nothing+at+all",
            "board": "/sources/okta",
            "board-failing": "/sources/veeva",
            "board-new": "/sources/1password",
        }.items():
            faults += look_at(page, f"{look}-{name}", path)
        page.goto("/sources")
        page.fill("#url", ADDRESSES)
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("heading", name="What became of each address").wait_for()
        faults += look_at(page, f"{look}-boards-report")
        page.locator("#okta").get_by_label("Choose Okta").check()
        page.select_option("[name=do]", "remove")
        page.get_by_role("button", name="Do it").click()
        page.get_by_role("heading", name="Remove 1 board?").wait_for()
        faults += look_at(page, f"{look}-boards-remove")
        many(database, 300)
        faults += look_at(page, f"{look}-boards-many", "/sources?order=name")
        with database.session() as session:
            for source in session.query(Source):
                session.delete(source)
        faults += look_at(page, f"{look}-boards-none", "/sources")
    assert faults == []


def test_three_thousand_boards_are_a_small_page_and_found_by_name(opened: Open, database: Database) -> None:
    many(database, 3000)
    with opened() as page:
        answer = page.goto("/sources?order=name")
        assert answer is not None
        assert len(answer.body()) < 200_000
        expect(page.locator(".board")).to_have_count(50)
        names = page.locator(".board h2 a").all_inner_texts()
        page.get_by_role("link", name="Next").click()
        wait_until(lambda: page.locator(".board h2 a").first.inner_text() not in names, what="the next page")
        page.get_by_role("navigation", name="Names from").get_by_role("link", name="Q").click()
        wait_until(lambda: page.locator(".board h2 a").first.inner_text().startswith("Q"), what="the letter")
        page.fill("[data-search]", "company 1234")
        page.keyboard.press("Enter")
        page.locator("#board-1234").wait_for()
        expect(page.locator(".board")).to_have_count(1)


def test_boards_are_paused_many_at_once_and_that_is_taken_back(opened: Open, database: Database) -> None:
    with opened() as page:
        page.goto("/sources")
        page.get_by_role("button", name="Tick all").click()
        page.select_option("[name=do]", "pause")
        page.get_by_role("button", name="Do it").click()
        page.get_by_text("2 boards are paused. Their jobs stay.").wait_for()
        with database.reading() as session:
            assert all(source.paused for source in watchlist.every(session))
        page.get_by_role("button", name="Undo: resume 2 boards").click()
        page.get_by_text("Taken back: 2 boards are watched again.").wait_for()
        with database.reading() as session:
            assert {source.slug for source in watchlist.every(session) if source.paused} == {"1password"}
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_enter_sends_one_address_and_a_second_line_makes_room(opened: Open) -> None:
    with opened() as page:
        page.goto("/sources")
        page.fill("#url", "https://jobs.lever.co/spotify")
        page.locator("#url").press("Shift+Enter")
        expect(page.locator("#url")).to_have_value("https://jobs.lever.co/spotify\n")
        expect(page.locator("#url")).to_have_js_property("rows", 2)
        page.fill("#url", "https://jobs.lever.co/spotify")
        page.locator("#url").press("Enter")
        page.get_by_text("spotify is watched now").wait_for()


def test_boards_are_managed_without_scripts(opened: Open, database: Database) -> None:
    with opened(expected="400 (BAD REQUEST)", java_script_enabled=False) as page:
        page.goto("/sources")
        page.fill("#url", ADDRESSES)
        page.get_by_role("button", name="Add", exact=True).click()
        said = page.inner_text(".report")
        assert "It is watched already, as veeva." in said
        assert "linear is watched now." in said
        assert "is no job board that can be read" in said
        page.goto("/sources?order=name")
        page.fill("[data-search]", "linear")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="linear", exact=True).click()
        page.select_option("#interval", "360")
        page.fill("#quiet", "22:00-7")
        page.get_by_role("button", name="Keep the schedule").click()
        expect(page.locator("#schedule-problem")).to_contain_text(
            "write two different times, such as 22:00-07:00",
            use_inner_text=True,
        )
        expect(page.locator("#interval")).to_have_value("360")
        page.fill("#quiet", "22:00-7:00")
        page.fill("#zone", "Europe/Zurich")
        page.get_by_role("button", name="Keep the schedule").click()
        expect(page.locator("main")).to_contain_text("The schedule of linear is kept.", use_inner_text=True)
        expect(page.locator("#quiet")).to_have_value("22:00-07:00")
        page.goto("/sources")
        page.check("#okta [name=board]")
        page.select_option("[name=do]", "pause")
        page.get_by_role("button", name="Do it").click()
        expect(page.locator("main")).to_contain_text("1 board is paused.", use_inner_text=True)
        page.get_by_role("button", name="Undo: resume okta").click()
        expect(page.locator("main")).to_contain_text(
            "Taken back: 1 board is watched again.", use_inner_text=True
        )
    with database.reading() as session:
        linear = watchlist.get(session, "linear")
        assert (linear.interval_minutes, linear.quiet_hours) == (360, "22:00-07:00")
        assert linear.time_zone == "Europe/Zurich"
