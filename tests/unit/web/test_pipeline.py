"""The pages of the pipeline, appointments and calendar, as browsers and calendar programs ask for them."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Callable

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from metrics import catalogue
from metrics.testing import Captured
from scout import appointments, calendars, clock, jobs, pipeline
from scout.appointments import Wish
from scout.database import Database
from scout.models import Job, Status
from tests.unit.web.browser import Browser

Add = Callable[..., int]

HOSTILE = '<script>alert(1)</script> "quoted" & \u202eevil'


def take(db: Database, job_id: int, *statuses: Status) -> int:
    with db.session() as session:
        for each in statuses:
            jobs.change_status(session, job_id, each, "owner")
    return job_id


def job(db: Database, job_id: int) -> Job:
    with db.reading() as session:
        return jobs.get(session, job_id)


def plan(db: Database, job_id: int, on: dt.date | None, what: str) -> None:
    with db.session() as session:
        jobs.plan(session, job_id, on, what)


def meet(db: Database, job_id: int, **changes: object) -> int:
    begins = clock.now().replace(tzinfo=None) + dt.timedelta(days=1)
    with db.session() as session:
        wish = Wish(**{"what": "Interview", "begins": begins, "timezone": "UTC", **changes})  # type: ignore[arg-type]
        return appointments.add(session, job_id, wish).id


# --- The board and the list -------------------------------------------------------------------------------


def test_an_empty_pipeline_teaches_how_to_fill_it(owner: Browser) -> None:
    for path in ("/pipeline", "/pipeline/list", "/pipeline/insights"):
        page = owner.get(path)
        assert page.status_code == 200
        assert "Look through the jobs" in page.text


def test_the_board_shows_each_job_in_its_column_and_texts_as_texts(
    owner: Browser, db: Database, add_job: Add
) -> None:
    first = take(db, add_job(title=HOSTILE, company=HOSTILE), Status.APPLIED)
    plan(db, first, dt.date(2020, 1, 2), HOSTILE)
    meet(db, first, what=HOSTILE, place="javascript:alert(1)")
    with db.session() as session:
        jobs.add_note(session, first, HOSTILE)
    page = owner.get("/pipeline").text
    assert "<script>alert" not in page
    applied = page.partition('data-stage="applied"')[2].partition("</section>")[0]
    assert f'id="job-{first}"' in applied
    assert "Overdue:" in applied
    assert "2 January 2020" in page
    detail = owner.get(f"/jobs/{first}").text
    assert "<script>alert" not in detail
    assert 'href="javascript:' not in detail


def test_a_column_with_very_many_cards_shows_the_first_and_all_when_asked(
    owner: Browser, db: Database, add_job: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "FIRST", 2)
    for _ in range(3):
        take(db, add_job(), Status.SAVED)
    page = owner.get("/pipeline").text
    assert page.count("data-card") == 2
    assert "The first 2 of 3." in page
    assert "/pipeline?all=saved" in page
    whole = owner.get("/pipeline?all=saved&stage=saved").text
    assert whole.count("data-card") == 3
    assert "Show fewer" in whole


@pytest.mark.parametrize(
    "path",
    ["/pipeline?stage=nonsense&all=%00", "/pipeline/list?sort=x&order=y", "/pipeline/insights?period=1"],
)
def test_an_address_that_says_nonsense_shows_the_usual(owner: Browser, path: str) -> None:
    assert owner.get(path).status_code == 200


def test_the_list_says_what_it_is_sorted_by(owner: Browser, db: Database, add_job: Add) -> None:
    take(db, add_job(), Status.SAVED)
    page = owner.get("/pipeline/list?sort=next").text
    assert re.search(
        r'aria-sort="ascending"><a href="/pipeline/list\?sort=next&amp;order=desc">Next date', page
    )
    assert 'aria-sort="descending"' in owner.get("/pipeline/list?sort=next&order=desc").text


def test_a_long_list_has_pages(
    owner: Browser, db: Database, add_job: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pipeline._ROWS", 2)
    for _ in range(5):
        take(db, add_job(), Status.SAVED)
    shown: list[str] = []
    for number in (1, 2, 3):
        page = owner.get(f"/pipeline/list?sort=company&order=desc&page={number}").text
        assert f"Page {number} of 3" in page
        shown += re.findall(r'<tr id="job-(\d+)"', page)
        for link, there in (("prev", number > 1), ("next", number < 3)):
            assert (
                f'rel="{link}" href="/pipeline/list?sort=company&amp;order=desc&amp;page=' in page
            ) is there
    assert len(shown) == len(set(shown)) == 5
    assert "Page 3 of 3" in owner.get("/pipeline/list?page=99").text
    assert "Page 1 of 3" in owner.get("/pipeline/list?page=0").text


def test_a_form_moves_a_job_and_the_next_page_offers_to_undo_it_once(
    owner: Browser, db: Database, add_job: Add
) -> None:
    number = take(db, add_job(), Status.SAVED)
    answer = owner.post(
        f"/pipeline/jobs/{number}/move", to="applied", version=2, back="/pipeline?stage=saved"
    )
    assert (answer.status_code, answer.location) == (303, "/pipeline?stage=saved")
    assert job(db, number).status is Status.APPLIED
    page = owner.get("/pipeline?stage=saved").text
    assert "is applied now" in page
    assert 'value="undo"' in page
    assert "is applied now" not in owner.get("/pipeline").text
    owner.post(f"/pipeline/jobs/{number}/move", to="undo", version=3, back="/pipeline/list")
    assert job(db, number).status is Status.SAVED
    page = owner.get("/pipeline/list").text
    assert "is saved again" in page
    assert 'value="undo"' not in page


def test_htmx_is_answered_with_the_board_and_a_conflict_with_how_it_is_now(
    owner: Browser, db: Database, add_job: Add
) -> None:
    number = take(db, add_job(), Status.SAVED)
    htmx, asked = {"HX-Request": "true"}, {"back": "/pipeline", "stage": "applied"}
    page = owner.post(f"/pipeline/jobs/{number}/move", htmx, to="applied", version=2, **asked)
    assert page.status_code == 200
    assert page.text.lstrip().startswith('<div id="board"')
    assert f'data-done="job-{number}"' in page.text
    assert 'class="stage is-shown" data-stage="applied"' in page.text
    stale = owner.post(f"/pipeline/jobs/{number}/move", htmx, to="rejected", version=2, **asked)
    assert stale.status_code == 409
    assert "was changed meanwhile and is applied now" in stale.text
    assert 'value="undo"' not in stale.text
    illegal = owner.post(f"/pipeline/jobs/{number}/move", htmx, to="saved", version=3, **asked)
    assert illegal.status_code == 409
    assert "cannot become saved" in illegal.text
    assert job(db, number).status is Status.APPLIED


def test_a_refused_form_says_why_on_the_next_page(owner: Browser, db: Database, add_job: Add) -> None:
    number = take(db, add_job(), Status.SAVED)
    owner.post(f"/pipeline/jobs/{number}/move", to="offer", version=2, back="/pipeline")
    page = owner.get("/pipeline").text
    assert "is saved and cannot become offer" in page
    assert 'value="undo"' not in page


def test_what_cannot_be_understood_is_refused(owner: Browser, db: Database, add_job: Add) -> None:
    number = take(db, add_job(), Status.SAVED)
    assert owner.post(f"/pipeline/jobs/{number}/move", to="lost").status_code == 400
    assert owner.post("/pipeline/jobs/99/move", to="applied").status_code == 404
    assert owner.post(f"/pipeline/jobs/{number}/done", on="soon").status_code == 400
    away = owner.post(f"/pipeline/jobs/{number}/move", to="applied", back="//evil.example")
    assert away.location == "/"


def test_what_is_done_leaves_the_list_and_comes_back(owner: Browser, db: Database, add_job: Add) -> None:
    number = take(db, add_job(), Status.SAVED)
    plan(db, number, dt.date(2020, 1, 2), "Call Dana")
    assert "Call Dana" in owner.get("/pipeline").text
    said = {"on": "2020-01-02", "what": "Call Dana", "back": "/pipeline"}
    owner.post(f"/pipeline/jobs/{number}/done", **said)
    assert (job(db, number).next_action, job(db, number).next_action_on) == ("", None)
    assert "Done: Call Dana" in owner.get("/pipeline").text
    owner.post(f"/pipeline/jobs/{number}/done", put_back=1, **said)
    assert job(db, number).next_action_on == dt.date(2020, 1, 2)
    plan(db, number, dt.date(2030, 1, 2), "Something else")
    owner.post(f"/pipeline/jobs/{number}/done", **said)
    assert "was changed meanwhile" in owner.get("/pipeline").text
    assert job(db, number).next_action == "Something else"


# --- How it goes ------------------------------------------------------------------------------------------


def test_insights_show_plots_with_the_numbers_behind_them(owner: Browser, db: Database, add_job: Add) -> None:
    take(db, add_job(score=70), Status.SAVED, Status.APPLIED, Status.INTERVIEWING)
    take(db, add_job(score=10), Status.APPLIED)
    page = owner.get("/pipeline/insights").text
    for title in ("How far they came", "Time in each stage", "Applications a week", "Answers by score"):
        assert page.count(f"The numbers of {title}") == 1
    assert page.count('role="img"') == 5
    assert "2 were applied for, and 1 of these was answered" in page
    assert "Acme" in page.partition("Answers by board")[2]


def test_a_time_in_which_nothing_was_taken_up_leads_to_all_times(
    owner: Browser, db: Database, add_job: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now - dt.timedelta(days=200))
    take(db, add_job(), Status.SAVED)
    monkeypatch.setattr(clock, "now", lambda: now)
    page = owner.get("/pipeline/insights?period=30").text
    assert "Nothing was taken up in this time" in page
    assert "Of 1 job that you saved" in owner.get("/pipeline/insights?period=all").text


# --- Appointments -----------------------------------------------------------------------------------------

_TYPED = {
    "what": "Call with Ruth", "day": "2031-06-12", "time": "09:15", "minutes": "45",
    "timezone": "America/New_York", "place": "https://meet.example/x", "note": "Ask about the team",
}  # fmt: skip


def test_an_appointment_is_added_changed_and_removed_on_the_page_of_its_job(
    owner: Browser, db: Database, add_job: Add
) -> None:
    number = add_job()
    answer = owner.post(f"/jobs/{number}/appointments", **_TYPED)
    assert (answer.status_code, answer.location) == (303, f"/jobs/{number}#appointments")
    page = owner.get(f"/jobs/{number}").text
    assert "Noted: Call with Ruth." in page
    assert "13:15, 45 min" in page
    assert "(09:15 America/New_York)" in page
    assert (
        '<a href="https://meet.example/x" rel="noopener noreferrer" target="_blank">meet.example</a>' in page
    )
    (made,) = job(db, number).appointments
    address = f"/jobs/{number}/appointments/{made.id}"
    owner.post(address, **{**_TYPED, "minutes": "30"}, sequence=0)
    assert job(db, number).appointments[0].minutes == 30
    owner.post(address, **{**_TYPED, "minutes": "20"}, sequence=0)
    page = owner.get(f"/jobs/{number}").text
    assert "The appointment was changed meanwhile" in page
    assert 'value="20"' in page
    owner.post(f"{address}/remove")
    assert job(db, number).appointments == []
    assert "Removed: Call with Ruth." in owner.get(f"/jobs/{number}").text
    assert "Removed: Call with Ruth." not in owner.get(f"/jobs/{number}").text
    owner.post(f"/jobs/{number}/appointments/put-back")
    assert job(db, number).appointments[0].uid == made.uid
    owner.post(f"/jobs/{number}/appointments/put-back")
    assert "no removed appointment" in owner.get(f"/jobs/{number}").text
    owner.post(f"{address}9", **_TYPED)
    assert "was removed meanwhile" in owner.get(f"/jobs/{number}").text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"what": " "}, "Say what the appointment is"),
        ({"day": "soon"}, "Say when it is"),
        ({"time": ""}, "Say when it is"),
        ({"minutes": "-5"}, "Say how long"),
        ({"minutes": "99999"}, "1 to 1,440 minutes"),
        ({"timezone": "Nowhere/Land"}, "There is no time zone"),
        ({"day": "9999-12-31"}, "in the year 9999"),
    ],
)
def test_what_was_typed_is_there_again_with_what_is_wrong(
    owner: Browser, db: Database, add_job: Add, changes: dict[str, str], words: str
) -> None:
    number = add_job()
    assert owner.post(f"/jobs/{number}/appointments", **{**_TYPED, **changes}).status_code == 303
    page = owner.get(f"/jobs/{number}").text
    panel = page.partition('id="appointments"')[2].partition("</section>")[0]
    assert words in panel
    assert "Ask about the team" in panel
    assert job(db, number).appointments == []
    assert words not in owner.get(f"/jobs/{number}").text


def test_an_appointment_of_a_job_that_is_gone_is_not_found(owner: Browser) -> None:
    assert owner.post("/jobs/99/appointments", **_TYPED).status_code == 404
    assert owner.post("/jobs/99/appointments/1/remove").status_code == 404
    assert owner.get("/jobs/99/appointments/1.ics").status_code == 404


# --- The calendar -----------------------------------------------------------------------------------------


def secret(owner: Browser) -> str:
    found = re.search(
        r'value="http://localhost:5000(/feeds/calendar/[0-9a-f]{40}\.ics)"', owner.get("/pipeline").text
    )
    assert found is not None
    return found[1]


def test_a_calendar_program_reads_the_secret_address_until_it_is_renewed(
    app: Flask, owner: Browser, db: Database, add_job: Add
) -> None:
    meet(db, add_job())
    address = secret(owner)
    program = Browser(app)
    answer = program.get(address)
    assert (answer.status_code, answer.content_type) == (200, calendars.MEDIA_TYPE)
    assert len(Calendar.from_ical(answer.data).walk("VEVENT")) == 1
    owner.post("/pipeline/calendar/renew")
    assert program.get(address).status_code == 404
    assert program.get(secret(owner)).status_code == 200
    for wrong in ("x", "0" * 40, "é"):
        assert program.get(f"/feeds/calendar/{wrong}.ics").status_code == 404


def test_a_calendar_that_did_not_change_is_not_sent_again_and_a_removal_is_a_change(
    app: Flask, owner: Browser, db: Database, add_job: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = add_job()
    made = meet(db, number)
    address, program = secret(owner), Browser(app)
    first = program.get(address)
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + dt.timedelta(minutes=5))
    by_tag = {"If-None-Match": first.headers["ETag"]}
    by_time = {"If-Modified-Since": first.headers["Last-Modified"]}
    for known in (by_tag, by_time):
        assert program.get(address, headers=known).status_code == 304
    with db.session() as session:
        appointments.remove(session, number, made)
    for known in (by_tag, by_time):
        assert program.get(address, headers=known).status_code == 200
    later = program.get(address).headers["Last-Modified"]
    assert email.utils.parsedate_to_datetime(later) > email.utils.parsedate_to_datetime(
        first.headers["Last-Modified"]
    )


def test_a_calendar_is_read_also_while_the_database_cannot_be_written(
    app: Flask, owner: Browser, db: Database, add_job: Add, emitted: Captured
) -> None:
    meet(db, add_job())
    address = secret(owner)

    def locked(conn: object, cursor: object, statement: str, *rest: object) -> None:
        if statement.startswith("UPDATE account"):
            raise OperationalError(statement, {}, Exception("database is locked"))

    event.listen(db.engine, "before_cursor_execute", locked)
    try:
        answer = Browser(app).get(address)
    finally:
        event.remove(db.engine, "before_cursor_execute", locked)
    assert answer.status_code == 200
    emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="web")
    assert "ETag" in answer.headers
    assert "Last-Modified" not in answer.headers


def test_single_events_are_files_for_the_owner_alone(
    owner: Browser, visitor: Browser, db: Database, add_job: Add
) -> None:
    number = add_job()
    made = meet(db, number)
    assert owner.get(f"/jobs/{number}/next.ics").status_code == 404
    plan(db, number, dt.date(2031, 1, 2), "Call")
    for path, name in (
        (f"/jobs/{number}/appointments/{made}.ics", f"appointment-{made}.ics"),
        (f"/jobs/{number}/next.ics", f"job-{number}-next.ics"),
    ):
        answer = owner.get(path)
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert len(Calendar.from_ical(answer.data).walk("VEVENT")) == 1
        assert visitor.get(path).status_code == 303
