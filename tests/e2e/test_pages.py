"""The pages in a real browser: light, dark and on a phone, by mouse, by keys, and with scripts off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import update

from scout import clock, jobs, sessions
from scout.database import Database
from scout.models import Description, ScanResult, ScanRun, ScanState, Status
from tests.e2e.pages import HOSTILE, LOOKS, PASSWORD, TITLES, Open, first_job, look_at
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("rows")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_looks_right(opened: Open, database: Database, address: str, look: str) -> None:
    job_id = first_job(database)
    with database.reading() as session:
        run_id = session.query(ScanRun).one().id
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        for name, path in {
            "jobs": "/",
            "no-match": "/?q=nothing+at+all",
            "job": f"/jobs/{job_id}",
            "boards": "/sources",
            "remove": "/sources/veeva/remove",
            "scans": "/scans",
            "scan": f"/scans/{run_id}",
        }.items():
            faults += look_at(page, f"{look}-{name}", path)
            assert page.title() != "taken"
        page.click("[data-menu] summary")
        page.click("text=Sign out")
        faults += look_at(page, f"{look}-sign-in")
    assert faults == []


def test_hostile_descriptions_do_nothing_even_under_the_sanitiser(
    chromium: Browser, address: str, database: Database, opened: Open
) -> None:
    """With the first wall taken away the second one still stands: the policy."""
    job_id = first_job(database)
    with database.session() as session:
        session.execute(update(Description).where(Description.job_id == job_id).values(html=HOSTILE))
    browser = chromium.new_context(base_url=address)
    page = browser.new_page()
    page.goto("/")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.goto(f"/jobs/{job_id}")
    page.click("text=apply", force=True)
    assert page.title() != "taken"
    assert page.evaluate("getComputedStyle(document.querySelector('p[style]')).position") == "static"
    browser.close()


def test_saving_and_undoing_swap_the_card_in_place(opened: Open, database: Database) -> None:
    job_id = first_job(database)
    with opened() as page:
        page.goto("/")
        card = page.locator(f"#job-{job_id}")
        card.get_by_role("button", name="Save").click()
        card.get_by_role("button", name="Undo").wait_for()
        expect(card).to_contain_text("saved", use_inner_text=True)
        expect(page).to_have_url("/")
        wait_until(lambda: "saved" in (page.text_content("#announcer") or ""), what="the announcement")
        with database.reading() as session:
            assert jobs.get(session, job_id).status is Status.SAVED
        card.get_by_role("button", name="Undo").click()
        card.get_by_role("button", name="Save").wait_for()
    with database.reading() as session:
        assert jobs.get(session, job_id).status is Status.NEW


def test_it_is_driven_by_keys(opened: Open, database: Database, address: str) -> None:
    job_id = first_job(database)
    with opened() as page:
        page.goto("/")
        page.keyboard.press("j")
        expect(page.locator(".job.current")).to_have_attribute("id", f"job-{job_id}")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("s")
        page.locator(f"#job-{job_id}").get_by_role("button", name="Undo").wait_for()
        page.keyboard.press("u")
        page.locator(f"#job-{job_id}").get_by_role("button", name="Save").wait_for()
        page.keyboard.press("Control+s")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.type("sjx?")
        expect(page.locator("[data-search]")).to_have_value("sjx?")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        expect(page.locator("dialog[open] h2")).to_have_text("Keyboard", use_inner_text=True)
        page.uncheck("[data-keys-on]")
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("o")
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.keyboard.press("?")
        page.check("[data-keys-on]")
        page.get_by_role("button", name="Close").click()
        expect(page).to_have_url("/")
        page.keyboard.press("o")
        page.wait_for_url(f"{address}/jobs/{job_id}")
        page.keyboard.press("s")
        page.get_by_role("button", name="Undo").wait_for()
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url(f"{address}/sources")


def test_everything_works_without_scripts(opened: Open, database: Database, address: str) -> None:
    job_id = first_job(database)
    with opened(java_script_enabled=False) as page:
        page.goto("/")
        page.locator(f"#job-{job_id}").get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Saved 1").click()
        expect(page.locator("[data-job]")).to_have_count(1)
        page.get_by_role("link", name=TITLES[0]).click()
        page.get_by_role("button", name="Applied").click()
        expect(page.locator(".job-head .badge").first).to_have_text("applied", use_inner_text=True)
        page.fill("textarea[name=body]", "Spoke to Dana.")
        page.get_by_role("button", name="Add note").click()
        expect(page.locator(".note")).to_contain_text(re.compile(r"^\s*Spoke to Dana\."), use_inner_text=True)
        page.goto("/")
        page.fill("[name=q]", "score:>=60")
        page.get_by_role("button", name="Search").click()
        page.wait_for_url("**score**")
        page.get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        page.goto("/sources")
        page.locator("#veeva").get_by_role("button", name="Pause").click()
        expect(page.locator("main")).to_contain_text("Veeva is paused", use_inner_text=True)
    with database.reading() as session:
        assert jobs.get(session, job_id).status is Status.APPLIED


def test_the_appearance_changes_at_once_and_stays(opened: Open) -> None:
    with opened(color_scheme="light") as page:
        page.goto("/")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_role("button", name="Dark").click()
        wait_until(lambda: page.evaluate(ground) != light, what="the dark ground")
        dark = page.evaluate(ground)
        page.reload()
        assert page.evaluate(ground) == dark
        page.get_by_role("button", name="System").click()
        wait_until(lambda: page.evaluate(ground) == light, what="the light ground")


def test_an_order_acts_when_it_is_chosen(opened: Open, address: str) -> None:
    with opened() as page:
        page.goto("/")
        page.select_option("[name=sort]", "newest")
        page.wait_for_url(f"{address}/?sort=newest")
        expect(page.locator("[data-job]")).to_have_count(24)


def test_a_scan_is_followed_live_until_it_ends(opened: Open, database: Database) -> None:
    with database.reading() as session:
        run_id = session.query(ScanRun).one().id
    with opened() as page:
        page.goto(f"/scans/{run_id}")
        expect(page.locator("main")).to_contain_text("2 of 3 boards done", use_inner_text=True)
        expect(page.locator("main")).to_contain_text("reading", use_inner_text=True)
        with database.session() as session:
            session.execute(
                update(ScanResult).where(ScanResult.run_id == run_id).values(state=ScanState.SUCCEEDED)
            )
            session.execute(
                update(ScanRun)
                .where(ScanRun.id == run_id)
                .values(state=ScanState.SUCCEEDED, finished_at=clock.now())
            )
        page.get_by_text("3 of 3 boards done").wait_for()
        wait_until(lambda: "has ended" in (page.text_content("#announcer") or ""), what="the announcement")
        polls: list[str] = []
        page.on("request", lambda asked: polls.append(asked.url))
        page.wait_for_timeout(2000)
        assert polls == []


def ended(database: Database) -> None:
    """The run that `rows` left running has ended: the pages have nothing to ask for by themselves."""
    with database.session() as session:
        session.execute(update(ScanRun).values(state=ScanState.SUCCEEDED, finished_at=clock.now()))


def test_a_click_after_the_session_ended_elsewhere_leads_to_the_form(
    opened: Open, database: Database, address: str
) -> None:
    ended(database)
    job_id = first_job(database)
    with opened(expected="401") as page:
        page.goto("/")
        page.wait_for_load_state("networkidle")  # what the list asks for by itself would lead there first
        with database.session() as session:
            sessions.end_all(session)
        page.locator(f"#job-{job_id}").get_by_role("button", name="Save").click()
        page.wait_for_url(f"{address}/sign-in")


def test_a_page_that_follows_a_scan_leads_to_the_form_by_itself_when_the_session_ended_elsewhere(
    opened: Open, database: Database, address: str
) -> None:
    with opened(expected="401") as page:
        page.goto("/")
        with database.session() as session:
            sessions.end_all(session)
        page.wait_for_url(f"{address}/sign-in")
