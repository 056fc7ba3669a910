"""The list of jobs and a job's page in a real browser: chips, facets, many at once, keys, scripts off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from scout import jobs, searches
from scout.database import Database
from scout.models import EventKind, Job, JobEvent, SavedSearch, ScanRun, Status
from scout.searches import Wish
from scout.searching import index
from tests.e2e.pages import LOOKS, Open, first_job, look_at
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("rows", "more")

PAY = {"minimum": 142000, "maximum": 196000, "currency": "USD", "period": "year", "raw": ""}


@pytest.fixture
def more(database: Database) -> None:
    """Saved searches, sixty more jobs for a second page, and one job with everything; no scan goes on."""
    with database.session() as session:
        for run in session.scalars(select(ScanRun)):
            session.delete(run)
        session.query(SavedSearch).delete()
        searches.add(session, Wish(name="Remote identity", query={"text": "identity remote:yes"}), ())
        searches.add(session, Wish(name="Best", query={"min_score": 60}), ())
        for number in range(60):
            session.add(
                Job(title=f"Cloud Engineer {number}", company="Globex", url="https://x.example/g", score=20,
                    locations=["Zürich, Switzerland"])
            )  # fmt: skip
        whole = session.get_one(Job, jobs.find(session, jobs.JobQuery(sort="score")).jobs[0].id)
        whole.description_html = (
            "<h2>Your work</h2><p>You run our identity platform: SCIM, SSO and more.</p>" * 9
        )
        whole.description_text = "You run our identity platform: SCIM, SSO and more."
        session.add(
            JobEvent(
                job_id=whole.id, what=EventKind.EDITED, source="okta",
                changes=[
                    {"field": "pay", "old": PAY, "new": PAY | {"minimum": 150000}},
                    {"field": "description", "removed": 1, "added": 2,
                     "parts": [["=", "Keep the"], ["-", "keys"], ["+", "locks and keys"]]},
                ],
            )
        )  # fmt: skip
        jobs.change_status(session, whole.id, Status.SAVED, "owner")
        jobs.undo(session, whole.id, "owner")
        whole.edit_unseen, whole.looked_at = True, None
        jobs.add_note(
            session, whole.id, "Spoke to **Dana**:\n\n- asks for SCIM\n- [their page](https://x.example)"
        )
        index.catch_up(session)


@pytest.mark.parametrize("look", LOOKS)
def test_the_list_and_a_job_look_right(opened: Open, database: Database, look: str) -> None:
    job_id = first_job(database)
    with opened(**LOOKS[look]) as page:
        faults = look_at(page, f"{look}-list", "/")
        faults += look_at(
            page, f"{look}-list-searched", "/?q=identity+score%3A%3E20+remote%3Amaybe&status=all"
        )
        faults += look_at(page, f"{look}-list-none", "/?q=identity+company%3Anobody+score%3A%3E20")
        faults += look_at(page, f"{look}-facets", "/facets?q=engineer")
        faults += look_at(page, f"{look}-job-whole", f"/jobs/{job_id}?back=/%3Fq%3Didentity")
        page.goto("/")
        if page.locator("aside.facets").is_visible():
            page.locator(".facet").first.wait_for()
        page.locator("[data-choose]").first.check()
        faults += look_at(page, f"{look}-list-chosen")
        page.get_by_role("button", name="Change them").click()
        page.get_by_text("1 job is dismissed now.").wait_for()
        faults += look_at(page, f"{look}-list-undo")
        page.goto("/scans")  # where the open menu lies over nothing that can be pressed
        page.locator("[data-menu] summary").click()
        faults += look_at(page, f"{look}-menu")
    assert faults == []


def test_all_that_match_become_something_else_and_are_taken_back(opened: Open, database: Database) -> None:
    with opened() as page:
        page.goto("/?q=cloud")
        page.check("[data-choose-page]")
        expect(page.locator("[data-chosen]")).to_have_text("50 chosen", use_inner_text=True)
        page.get_by_label("all 60 that match").check()
        expect(page.locator("[data-chosen]")).to_have_text("all 60 chosen", use_inner_text=True)
        page.get_by_role("button", name="Change them").click()
        page.get_by_text("60 jobs are dismissed now.").wait_for()
        with database.reading() as session:
            assert jobs.counts_by_status(session)[Status.DISMISSED] == 60
        page.keyboard.press("u")
        page.get_by_text("Taken back: 60 jobs are as before.").wait_for()
    with database.reading() as session:
        assert jobs.counts_by_status(session)[Status.DISMISSED] == 0


def test_keys_mark_page_turn_pages_and_walk_through_jobs(
    opened: Open, database: Database, address: str
) -> None:
    with opened() as page:
        page.goto("/")
        expect(page.locator(".fresh")).to_have_count(50)
        page.keyboard.press("m")
        page.get_by_text("50 jobs are marked as seen.").wait_for()
        expect(page.locator(".fresh")).to_have_count(0)
        page.keyboard.press("u")
        expect(page.locator(".fresh")).to_have_count(50)
        page.keyboard.press("n")
        page.wait_for_url("**/?after=*")
        page.keyboard.press("p")
        page.wait_for_url("**/?before=*")
        page.keyboard.press("j")
        page.keyboard.press("c")
        expect(page.locator("[data-choose]:checked")).to_have_count(1)
        page.keyboard.press("c")
        page.keyboard.press("o")
        page.wait_for_url(lambda url: "/jobs/" in url)
        title = page.inner_text("h1")
        page.keyboard.press("j")
        wait_until(lambda: page.inner_text("h1") != title, what="the next job")
        page.keyboard.press("k")
        wait_until(lambda: page.inner_text("h1") == title, what="the job before")
        page.keyboard.press("g")
        page.keyboard.press("f")
        page.wait_for_url(f"{address}/searches")


def test_chips_and_facets_narrow_and_widen_the_list(opened: Open) -> None:
    with opened() as page:
        page.goto("/")
        page.fill("[data-search]", "identity")
        page.keyboard.press("Enter")
        # The facets of this search, not those that were there before it.
        page.locator("aside .facet a[href*=identity]", has_text="Remote").first.click()
        page.wait_for_url("**remote*")
        page.wait_for_selector(".chips li:nth-child(3)")
        expect(page.locator(".chips li")).to_have_count(3)
        page.locator(".chips a", has_text="identity").click()
        page.wait_for_url(lambda url: "identity" not in url)
        number = page.locator(".saved a", has_text="Remote identity").locator(".number")
        expect(number).to_have_text(re.compile(r"^\d+$"), use_inner_text=True)


def test_the_list_works_without_scripts(opened: Open, database: Database) -> None:
    job_id = first_job(database)
    with opened(java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("link", name="Narrow down").click()
        page.locator(".facet a", has_text="Globex").click()
        expect(page.locator("[data-job]")).to_have_count(50)
        page.get_by_label("all 60 that match").check()
        page.get_by_role("button", name="Change them").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("main")).to_contain_text(
            "Taken back: 60 jobs are as before.", use_inner_text=True
        )
        page.goto("/")
        page.get_by_role("button", name="Mark page as seen").click()
        expect(page.locator(".fresh")).to_have_count(0)
        page.goto(f"/jobs/{job_id}?back=/%3Fsort%3Dnewest")
        page.locator(".note").get_by_role("button", name="Delete").click()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".note").first).to_contain_text("Dana", use_inner_text=True)
        other = page.locator("#similar form").first
        other.get_by_role("button").click()
        expect(page.locator("main")).to_contain_text("is part of this job now", use_inner_text=True)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("main")).to_contain_text("is a job of its own now", use_inner_text=True)


def test_a_phone_without_a_network_is_told_so(opened: Open) -> None:
    with opened(expected="ERR_INTERNET_DISCONNECTED") as page:
        page.goto("/")
        page.evaluate("navigator.serviceWorker.ready")
        page.context.set_offline(True)
        page.goto("/scans")
        expect(page.locator("h1")).to_contain_text("The scout cannot be reached", use_inner_text=True)
        page.context.set_offline(False)
        page.get_by_role("link", name="Try again").click()
        page.get_by_role("heading", name="Scans").wait_for()
