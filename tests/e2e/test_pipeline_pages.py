"""The pipeline in a real browser: by mouse, finger, keys and menu, without scripts, and empty."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from scout import appointments, clock, jobs
from scout.appointments import Wish
from scout.database import Database
from scout.models import Job, Status, StatusChange
from tests.e2e.pages import LOOKS, Open, look_at
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("rows")

#: How far each of the first jobs is taken, by the days ago on which it was.
_STEPS = (
    ((Status.SAVED, 12), (Status.APPLIED, 9), (Status.INTERVIEWING, 2)),
    ((Status.SAVED, 30), (Status.APPLIED, 20)),
    ((Status.APPLIED, 4),),
    ((Status.SAVED, 6),),
    ((Status.SAVED, 1),),
    ((Status.SAVED, 80), (Status.APPLIED, 70), (Status.INTERVIEWING, 55), (Status.OFFER, 40)),
    ((Status.APPLIED, 60), (Status.REJECTED, 41)),
    ((Status.APPLIED, 33), (Status.DISMISSED, 30)),
    ((Status.SAVED, 3),),
)


@pytest.fixture
def followed(database: Database) -> list[int]:
    """Jobs in every stage, with notes, plans and appointments; their ids."""
    now = clock.now()
    with database.session() as session:
        ids = list(session.scalars(select(Job.id).order_by(Job.id)))[: len(_STEPS)]
        for job_id, steps in zip(ids, _STEPS, strict=True):
            for status, days in steps:
                jobs.change_status(session, job_id, status, "owner")
                newest = select(StatusChange).where(StatusChange.job_id == job_id)
                step = session.scalars(newest.order_by(StatusChange.id.desc()).limit(1)).one()
                step.at = now - dt.timedelta(days=days)
        jobs.plan(session, ids[1], now.date() - dt.timedelta(days=3), "Write to Dana again")
        jobs.plan(session, ids[3], now.date(), "Ask Ruth about the team")
        jobs.plan(session, ids[4], now.date() + dt.timedelta(days=3), "Apply")
        jobs.add_note(session, ids[0], "Dana leads the team. They use SCIM everywhere and want it gone.")
        appointments.add(
            session,
            ids[0],
            Wish(
                what="Interview with Dana",
                begins=(now + dt.timedelta(days=1)).replace(hour=10, minute=30, tzinfo=None),
                timezone="Europe/Zurich",
                place="https://meet.example/abc",
            ),
        )
    return ids


def status(database: Database, job_id: int) -> Status:
    with database.reading() as session:
        return jobs.get(session, job_id).status


def stage_of(page: Page, job_id: int) -> str | None:
    return page.locator(f".stage:has(#job-{job_id})").get_attribute("data-stage")


def drag(page: Page, card: Locator, to: Locator) -> None:
    start, end = card.bounding_box(), to.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 25, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    page.mouse.up()


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_looks_right(opened: Open, database: Database, followed: list[int], look: str) -> None:
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        faults += look_at(page, f"{look}-pipeline", "/pipeline")
        page.goto("/pipeline?stage=interviewing")
        page.locator(f"#job-{followed[0]} summary").click()
        page.locator("#calendar summary").click()
        faults += look_at(page, f"{look}-pipeline-open")
        faults += look_at(page, f"{look}-pipeline-list", "/pipeline/list?sort=next")
        faults += look_at(page, f"{look}-insights", "/pipeline/insights?period=all")
        for summary in page.locator(".numbers summary").all():
            summary.click()
        faults += look_at(page, f"{look}-insights-numbers")
        page.goto(f"/jobs/{followed[0]}")
        page.locator(".add-appointment summary").click()
        page.locator("#appointments").scroll_into_view_if_needed()
        faults += look_at(page, f"{look}-appointments")
    assert faults == []


@pytest.mark.parametrize("look", LOOKS)
def test_a_pipeline_with_nothing_in_it_teaches(opened: Open, look: str) -> None:
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        for name in ("pipeline", "pipeline/list", "pipeline/insights"):
            faults += look_at(page, f"{look}-empty-{name.replace('/', '-')}", f"/{name}")
            expect(page.get_by_role("link", name="Look through the jobs")).to_be_visible()
    assert faults == []


def test_a_card_is_dragged_to_another_stage_and_undone(
    opened: Open, database: Database, followed: list[int]
) -> None:
    job_id = followed[2]
    with opened(**LOOKS["light"]) as page:
        page.goto("/pipeline")
        drag(page, page.locator(f"#job-{job_id}"), page.locator(".stage[data-stage=interviewing]"))
        wait_until(lambda: stage_of(page, job_id) == "interviewing", what="the card's move")
        assert status(database, job_id) is Status.INTERVIEWING
        wait_until(
            lambda: "is interviewing now" in (page.text_content("#announcer") or ""), what="the announcement"
        )
        page.locator("#board").get_by_role("button", name="Undo").click()
        wait_until(lambda: stage_of(page, job_id) == "applied", what="the card's way back")
        assert status(database, job_id) is Status.APPLIED
        expect(page).to_have_url("/pipeline")


def test_a_card_that_may_not_go_somewhere_stays_and_a_click_is_no_drag(
    opened: Open, database: Database, followed: list[int], address: str
) -> None:
    job_id = followed[3]
    with opened(**LOOKS["light"]) as page:
        page.goto("/pipeline")
        drag(page, page.locator(f"#job-{job_id}"), page.locator(".stage[data-stage=offer]"))
        wait_until(lambda: "cannot go from" in (page.text_content("#announcer") or ""), what="the words")
        assert stage_of(page, job_id) == "saved"
        assert page.locator(f"li:has(> #job-{job_id})").evaluate("item => item.style.transform") == ""
        page.locator(f"#job-{job_id} [data-open]").click()
        page.wait_for_url(f"{address}/jobs/{job_id}?**")
    assert status(database, job_id) is Status.SAVED


def test_a_card_is_dragged_by_its_grip_onto_a_tab_with_a_finger(
    opened: Open, database: Database, followed: list[int]
) -> None:
    job_id = followed[2]
    with opened(**LOOKS["phone"]) as page:
        page.goto("/pipeline?stage=applied")
        expect(page.locator(f"#job-{followed[3]}")).not_to_be_visible()
        grip = page.locator(f"#job-{job_id} [data-grip]").bounding_box()
        tab = page.locator(".stage-tabs [data-stage=interviewing]").bounding_box()
        assert grip is not None
        assert tab is not None
        touch = page.context.new_cdp_session(page)
        path = [
            (grip["x"] + 20, grip["y"] + 20),
            (grip["x"] + 10, grip["y"] + 60),
            (tab["x"] + 20, tab["y"] + 20),
        ]
        for kind, (x, y) in zip(("touchStart", "touchMove", "touchMove"), path, strict=True):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.locator("#board .done", has_text="is interviewing now").wait_for()
        expect(page.locator(".stage.is-shown")).to_have_attribute("data-stage", "applied")
    assert status(database, job_id) is Status.INTERVIEWING


def test_keys_move_the_card_that_has_the_focus_and_the_focus_goes_with_it(
    opened: Open, database: Database, followed: list[int]
) -> None:
    job_id = followed[2]
    with opened(**LOOKS["light"]) as page:
        page.goto("/pipeline")
        page.locator(f"#job-{job_id} [data-open]").focus()
        page.keyboard.press("]")
        wait_until(lambda: stage_of(page, job_id) == "interviewing", what="the card's move")
        wait_until(
            lambda: page.evaluate("document.activeElement.id") == f"job-{job_id}", what="the card's focus"
        )
        page.keyboard.press("Shift+ArrowRight")
        wait_until(lambda: stage_of(page, job_id) == "offer", what="the card's second move")
        wait_until(
            lambda: page.evaluate("document.activeElement.id") == f"job-{job_id}", what="the card's focus"
        )
        page.keyboard.press("[")
        wait_until(lambda: stage_of(page, job_id) == "interviewing", what="the card's way back")
        page.locator(f"#job-{followed[8]} [data-open]").focus()
        page.keyboard.press("Shift+ArrowLeft")
        wait_until(
            lambda: "cannot go further back" in (page.text_content("#announcer") or ""), what="the words"
        )
    assert status(database, job_id) is Status.INTERVIEWING


def test_a_move_that_somebody_else_was_faster_with_is_told_and_the_card_shown_as_it_is(
    opened: Open, database: Database, followed: list[int]
) -> None:
    job_id = followed[2]
    with opened(expected="409", **LOOKS["light"]) as page:
        page.goto("/pipeline")
        with database.session() as session:
            jobs.change_status(session, job_id, Status.REJECTED, "command")
        page.locator(f"#job-{job_id} summary").click()
        page.locator(f"#job-{job_id}").get_by_role("button", name="Interviewing").click()
        expect(page.locator("#board [role=alert]").first).to_contain_text(
            "was changed meanwhile and is rejected now",
            use_inner_text=True,
        )
        assert stage_of(page, job_id) == "ended"
    assert status(database, job_id) is Status.REJECTED


def test_everything_works_without_scripts(opened: Open, database: Database, followed: list[int]) -> None:
    job_id = followed[3]
    with opened(java_script_enabled=False, **LOOKS["phone"]) as page:
        page.goto("/pipeline")
        page.locator(f"#job-{job_id} summary").click()
        page.locator(f"#job-{job_id}").get_by_role("button", name="Applied").click()
        expect(page.locator("#board")).to_contain_text("is applied now", use_inner_text=True)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("#board")).to_contain_text("is saved again", use_inner_text=True)
        page.locator(".stage-tabs").get_by_text("Interviewing").click()
        expect(page.locator(f"#job-{followed[0]}")).to_be_visible()
        page.locator(".due-entry", has_text="Ask Ruth").get_by_role("button", name="Done").click()
        expect(page.locator("main")).to_contain_text("Done: Ask Ruth about the team", use_inner_text=True)
        with database.reading() as session:
            assert jobs.get(session, job_id).next_action == ""
        page.get_by_role("button", name="Undo").click()
        page.locator(".due-entry", has_text="Ask Ruth").get_by_role("button", name="Done").wait_for()
        with database.reading() as session:
            assert jobs.get(session, job_id).next_action == "Ask Ruth about the team"
        page.get_by_role("link", name="List", exact=True).click()
        page.get_by_role("link", name="Next date").click()
        rows = page.locator(".followed tbody tr")
        expect(rows.first).to_have_attribute("id", f"job-{followed[1]}")
        rows.first.locator("summary").click()
        rows.first.get_by_role("button", name="Rejected").click()
        expect(page.locator("main")).to_contain_text("is rejected now", use_inner_text=True)
        page.goto("/pipeline")
        before = page.input_value("#calendar-address")
        page.locator("#calendar summary").click()
        page.get_by_role("button", name="Renew").click()
        expect(page.locator("#calendar-address")).not_to_have_value(before)
    assert status(database, followed[1]) is Status.REJECTED


def test_an_appointment_is_added_changed_removed_and_put_back(
    opened: Open, database: Database, followed: list[int]
) -> None:
    with opened(java_script_enabled=False) as page:
        page.goto(f"/jobs/{followed[2]}")
        page.locator(".add-appointment summary").click()
        form = page.locator(".add-appointment form")
        form.get_by_label("What").fill("Call with Ruth")
        form.get_by_label("Day").fill("2031-06-12")
        form.get_by_label("Time", exact=True).fill("09:15")
        form.get_by_label("Time zone").fill("Nowhere/Land")
        form.get_by_role("button", name="Add").click()
        expect(page.locator("#appointments")).to_contain_text(
            "There is no time zone 'Nowhere/Land'", use_inner_text=True
        )
        expect(form.get_by_label("What")).to_have_value("Call with Ruth")
        form.get_by_label("Time zone").fill("America/New_York")
        form.get_by_role("button", name="Add").click()
        panel = page.locator("#appointments")
        expect(panel).to_contain_text("13:15, 60 min (09:15 America/New_York)", use_inner_text=True)
        panel.get_by_text("Edit").click()
        panel.locator(".appointment").get_by_label("Minutes").fill("30")
        panel.get_by_role("button", name="Save").click()
        expect(panel).to_contain_text("13:15, 30 min", use_inner_text=True)
        panel.get_by_role("button", name="Remove").click()
        expect(panel).to_contain_text("Removed: Call with Ruth.", use_inner_text=True)
        panel.get_by_role("button", name="Undo").click()
        expect(panel).to_contain_text("13:15, 30 min", use_inner_text=True)
