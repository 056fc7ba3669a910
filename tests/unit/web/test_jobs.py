from __future__ import annotations

import datetime as dt
import html
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from metrics import catalogue
from metrics.testing import Captured
from scout import clock, jobs, rescoring
from scout.database import Database
from scout.matching import load_profile
from scout.models import (
    EventKind,
    Job,
    JobEvent,
    RunTrigger,
    ScanResult,
    ScanRun,
    ScanState,
    Scoring,
    Source,
    Status,
)
from tests.unit.web.browser import Browser

AddJob = Callable[..., int]
HTMX = {"HX-Request": "true", "Accept": "*/*"}


def titles(page: str) -> list[str]:
    found = re.findall(r"data-open>(.*?)</a>", page)
    return [html.unescape(re.sub(r"</?mark>", "", each)) for each in found]


def status_of(db: Database, job_id: int) -> Status:
    with db.reading() as session:
        return jobs.get(session, job_id).status


def test_the_list_shows_what_one_wants_to_know_of_a_job(owner: Browser, add_job: AddJob) -> None:
    job_id = add_job(
        title="Staff IAM Engineer",
        locations=["Berlin", "Paris"],
        salary={
            "minimum": 90000,
            "maximum": 110000,
            "currency": "EUR",
            "period": "year",
            "origin": "employer",
        },
        posted_at=clock.now() - dt.timedelta(hours=5),
        score=72,
    )
    page = owner.get("/").text
    for told in (
        "Staff IAM Engineer",
        "Acme",
        "Berlin",
        "Paris",
        "Remote",
        "€90,000 to €110,000 / year",
        "5 h ago",
    ):
        assert told in page
    assert ">72</p>" in page
    assert "identity<small> in title" in page
    assert f'href="/jobs/{job_id}"' in page


def test_a_wish_is_told_as_what_it_is(owner: Browser, add_job: AddJob) -> None:
    add_job(reasons=[{"term": "senior", "where": "level", "points": 10}])
    assert "senior<small> · level" in owner.get("/").text


def test_the_list_tells_how_far_scoring_with_a_changed_profile_has_come(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    for number in range(3):
        add_job(title=f"IAM Engineer {number}")
    assert "Scoring again" not in owner.get("/").text
    rescoring.ask(db, load_profile("iam"))
    rescoring.score_part(db, 1, 0, seconds=60)
    assert "Scoring again: 1 of 3." in owner.get("/").text
    with db.session() as session:
        session.scalars(select(Scoring)).one().finished_at = clock.now()
    assert "Scoring again" not in owner.get("/").text


def test_the_best_match_comes_first_and_the_order_can_be_changed(owner: Browser, add_job: AddJob) -> None:
    add_job(title="Good", score=60)
    add_job(title="Best", score=90)
    add_job(title="Newest", score=10, first_seen_at=clock.now())
    assert titles(owner.get("/").text) == ["Best", "Good", "Newest"]
    assert titles(owner.get("/?sort=newest").text)[0] == "Newest"
    assert titles(owner.get("/?min_score=50").text) == ["Best", "Good"]
    assert titles(owner.get("/?q=good").text) == ["Good"]
    assert titles(owner.get("/?source=acme&q=best").text) == ["Best"]


@pytest.mark.parametrize(
    "query",
    [
        "status=nonsense",
        "sort=drop",
        "after=0",
        "after=WyJzY29yZSIsMCwxZTk5OSwxXQ",
        "before=" + "9" * 300,
        "before=%C2%B2",
        "min_score=1e9",
        "min_score=999",
        "source=../../etc",
        "q=%00",
        "q=%25_%5C%27%22",
        "q=" + "x" * 5000,
        "q=%ED%A0%80",
    ],
)
def test_a_strange_address_is_taken_with_a_smile(owner: Browser, add_job: AddJob, query: str) -> None:
    add_job()
    answer = owner.ask("GET", f"/?{query}", follow_redirects=True)
    assert answer.status_code == 200


def test_long_lists_have_pages_and_keep_their_filters(owner: Browser, add_job: AddJob) -> None:
    for number in range(51):
        add_job(title=f"Role {number}", score=number)
    first = owner.get("/?q=role").text
    assert len(titles(first)) == 50
    (after,) = re.findall(r'rel="next" href="/\?q=role&amp;after=([\w-]+)"', first)
    second = owner.get(f"/?q=role&after={after}").text
    assert titles(second) == ["Role 0"]
    (before,) = re.findall(r'rel="prev" href="/\?q=role&amp;before=([\w-]+)"', second)
    assert titles(owner.get(f"/?q=role&before={before}").text) == titles(first)
    # A place in another list is none in this one.
    newest = owner.get("/?q=role&sort=newest").text
    assert titles(owner.get(f"/?q=role&sort=newest&after={after}").text) == titles(newest)


def test_saving_works_as_a_plain_form(
    owner: Browser, add_job: AddJob, db: Database, emitted: Captured
) -> None:
    job_id = add_job()
    answer = owner.post(f"/jobs/{job_id}/status", to="saved", version="1", back="/?q=identity")
    assert (answer.status_code, answer.location) == (303, "/?q=identity")
    assert status_of(db, job_id) is Status.SAVED
    emitted.assert_incremented(catalogue.STATUS_UPDATES, from_status="new", to_status="saved")


def test_saving_with_htmx_swaps_the_card_and_offers_undo(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    job_id = add_job()
    card = owner.post(f"/jobs/{job_id}/status", HTMX, to="saved", version="1", back="/")
    assert card.status_code == 200
    assert card.text.lstrip().startswith("<article")
    assert "<html" not in card.text
    assert 'value="undo" data-key="u"' in card.text
    owner.post(f"/jobs/{job_id}/status", HTMX, to="undo", version="2", back="/")
    assert status_of(db, job_id) is Status.NEW


def test_a_change_that_is_not_allowed_changes_nothing_and_says_why(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    job_id = add_job()
    card = owner.post(f"/jobs/{job_id}/status", HTMX, to="offer", back="/")
    assert card.status_code == 409
    assert "cannot become offer" in card.text
    owner.post(f"/jobs/{job_id}/status", to="offer", back="/")
    assert "cannot become offer" in owner.get("/").text
    assert status_of(db, job_id) is Status.NEW


def test_a_change_from_an_old_page_is_told_not_done(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    owner.post(f"/jobs/{job_id}/status", to="saved", version="1")
    late = owner.post(f"/jobs/{job_id}/status", HTMX, to="dismissed", version="1")
    assert late.status_code == 409
    assert "changed meanwhile" in late.text
    assert status_of(db, job_id) is Status.SAVED


@pytest.mark.parametrize("to", ["", "NEW", "__class__", "deleted"])
def test_an_unknown_status_is_refused(owner: Browser, add_job: AddJob, to: str) -> None:
    assert owner.post(f"/jobs/{add_job()}/status", to=to).status_code == 400


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"]
)
def test_the_way_back_stays_here(owner: Browser, add_job: AddJob, back: str) -> None:
    job_id = add_job()
    assert owner.post(f"/jobs/{job_id}/status", to="saved", back=back).location == "/"
    assert '<a href="/">← Jobs</a>' in owner.get("/jobs/1", query_string={"back": back}).text


def test_the_detail_tells_everything(owner: Browser, add_job: AddJob) -> None:
    job_id = add_job(department="Trust", employment_type="full_time")
    owner.post(f"/jobs/{job_id}/status", to="saved")
    owner.post(f"/jobs/{job_id}/status", to="applied")
    page = owner.get(f"/jobs/{job_id}?back=/%3Fq%3Dx").text
    for told in (
        "<p>Keep the keys.</p>",
        "Trust",
        "Full time",
        "+50",
        "from saved, by you",
        "from new, by you",
    ):
        assert told in page
    assert '<a href="/?q=x">← Jobs</a>' in page
    assert 'rel="noopener noreferrer"' in page
    for to in ("interviewing", "offer", "rejected", "dismissed"):
        assert f'name="to" value="{to}"' in page


def test_the_undo_of_the_detail_leads_back_step_by_step(
    owner: Browser, add_job: AddJob, db: Database, emitted: Captured
) -> None:
    job_id = add_job()
    steps = ["new", "saved", "applied", "rejected", "interviewing", "offer"]
    for undo, to in itertools.pairwise(steps):
        owner.post(f"/jobs/{job_id}/status", to=to)
        assert f"Undo: back to {undo}" in owner.get(f"/jobs/{job_id}").text
    for to in reversed(steps[:-1]):
        owner.post(f"/jobs/{job_id}/status", to="undo")
        assert status_of(db, job_id).value == to
    assert "Undo" not in owner.get(f"/jobs/{job_id}").text
    assert "offer, taken back by you" in owner.get(f"/jobs/{job_id}").text
    emitted.assert_incremented(catalogue.STATUS_UNDOS, 5)


def test_an_undo_from_an_old_page_is_told_not_done(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    owner.post(f"/jobs/{job_id}/status", to="saved")
    late = owner.post(f"/jobs/{job_id}/status", HTMX, to="undo", version="1")
    assert late.status_code == 409
    assert "changed meanwhile" in late.text
    assert status_of(db, job_id) is Status.SAVED
    owner.post(f"/jobs/{job_id}/status", to="undo", version="2")
    none = owner.post(f"/jobs/{job_id}/status", HTMX, to="undo")
    assert none.status_code == 409
    assert "no decision of yours" in none.text


def test_chosen_jobs_are_changed_and_the_others_named(
    owner: Browser, add_job: AddJob, db: Database, emitted: Captured
) -> None:
    first, second, saved, late = add_job(), add_job(), add_job(), add_job()
    owner.post(f"/jobs/{saved}/status", to="saved")
    owner.post(f"/jobs/{late}/status", to="saved")
    page = owner.get("/").text
    assert f'value="{first}.1" form="bulk"' in page
    chosen = [f"{first}.1", f"{second}.1", f"{saved}.2", f"{late}.1", "999.1"]
    answer = owner.post("/jobs/status", job=chosen, to="offer", back="/?q=x")
    assert (answer.status_code, answer.location) == (303, "/?q=x")
    told = html.unescape(owner.get("/").text)
    assert f"Not changed: job {first} is new and cannot become offer" in told
    assert "job 999 is not there" in told
    owner.post("/jobs/status", job=chosen, to="dismissed")
    told = html.unescape(owner.get("/").text)
    assert "3 jobs are dismissed now." in told
    assert f"job {late} was changed meanwhile and is saved now" in told
    assert [status_of(db, each).value for each in (first, second, saved, late)] == [
        *["dismissed"] * 3,
        "saved",
    ]
    emitted.assert_incremented(catalogue.BULK_UPDATES, 2)
    emitted.assert_incremented(catalogue.BULK_UPDATED_JOBS, 3, outcome="changed")
    emitted.assert_incremented(catalogue.BULK_UPDATED_JOBS, 3, outcome="illegal")
    emitted.assert_incremented(catalogue.BULK_UPDATED_JOBS, 2, outcome="conflict")
    emitted.assert_incremented(catalogue.BULK_UPDATED_JOBS, 2, outcome="missing")
    emitted.assert_incremented(catalogue.STATUS_UPDATES, 2, from_status="new", to_status="dismissed")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"job": ["x"], "to": "saved"}, 400),
        ({"job": ["1"], "to": "lost"}, 400),
        ({"job": [f"{n}.1" for n in range(1, 202)], "to": "saved"}, 413),
        ({"to": "saved"}, 303),
        ({"job": ["1"], "to": "saved"}, 303),
        ({"job": ["1.1"], "to": "saved", "csrf_token": "x"}, 400),
    ],
)
def test_a_bulk_change_that_is_asked_for_wrongly_changes_nothing(
    owner: Browser, add_job: AddJob, db: Database, fields: dict[str, Any], status: int
) -> None:
    job_id = add_job()
    assert owner.post("/jobs/status", **fields).status_code == status
    assert status_of(db, job_id) is Status.NEW


def test_an_edit_is_marked_until_the_owner_looks_and_stays_in_the_history(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    job_id = add_job(edit_unseen=True)
    pay = {"minimum": 90000, "maximum": 110000, "currency": "EUR", "period": "year", "raw": ""}
    with db.session() as session:
        session.add(
            JobEvent(
                job_id=job_id,
                what=EventKind.EDITED,
                source="acme",
                changes=[
                    {"field": "pay", "old": pay, "new": pay | {"minimum": 95000}},
                    {
                        "field": "description",
                        "removed": 1,
                        "added": 2,
                        "parts": [["=", "Keep the"], ["-", "<b>keys"], ["+", "locks & keys"]],
                    },
                ],
            )
        )
    mark = '<span class="badge is-changed">changed</span>'
    assert mark in owner.get("/").text
    owner.ask("HEAD", f"/jobs/{job_id}")
    assert mark in owner.get("/").text
    page = owner.get(f"/jobs/{job_id}").text
    assert "pay 90,000-110,000 EUR a year became 95,000-110,000 EUR a year" in page
    assert "description: 1 word out, 2 words in" in page
    assert "<del>&lt;b&gt;keys</del> <ins>locks &amp; keys</ins>" in page
    assert mark not in owner.get("/").text


def test_a_page_is_shown_though_the_look_cannot_be_noted(
    owner: Browser, add_job: AddJob, monkeypatch: pytest.MonkeyPatch, emitted: Captured
) -> None:
    def locked(*_: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(jobs, "looked", locked)
    assert owner.get(f"/jobs/{add_job(edit_unseen=True)}").status_code == 200
    emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="web")


def test_what_is_next_is_kept_shown_and_taken_away(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    owner.post(f"/jobs/{job_id}/plan", what=" Call  <Dana> ", on="2026-06-12", was="", was_on="")
    assert "Call &lt;Dana&gt;, 12 June 2026" in owner.get("/").text
    owner.post(f"/jobs/{job_id}/plan", what="Write", on="", was="", was_on="")
    page = owner.get(f"/jobs/{job_id}").text
    assert "was changed meanwhile" in page
    assert 'value="Call &lt;Dana&gt;"' in page
    owner.post(f"/jobs/{job_id}/plan", what="x" * 501)
    assert "500 characters" in owner.get("/").text
    assert owner.post(f"/jobs/{job_id}/plan", what="x", on="12.6.").status_code == 400
    owner.post(f"/jobs/{job_id}/plan", what="", on="", was="Call <Dana>", was_on="2026-06-12")
    with db.reading() as session:
        job = jobs.get(session, job_id)
        assert (job.next_action, job.next_action_on) == ("", None)


def test_a_note_is_written_anew_unless_another_tab_did(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    owner.post(f"/jobs/{job_id}/notes", body="Ask Ruth.")
    with db.reading() as session:
        note = jobs.get(session, job_id).notes[0]
    was = note.updated_at.isoformat()
    assert was in owner.get(f"/jobs/{job_id}").text
    path = f"/jobs/{job_id}/notes/{note.id}"
    owner.post(path, body="Ask Dana.", was=was)
    owner.post(path, body="Ask nobody.", was=was)
    page = owner.get(f"/jobs/{job_id}").text
    assert "written anew meanwhile" in page
    assert "<p>Ask Dana.</p>" in page
    owner.post(path, body=" ")
    assert "The note is empty" in owner.get(f"/jobs/{job_id}").text
    owner.post(f"{path}9", body="x")
    assert f"has no note {note.id}9" in owner.get(f"/jobs/{job_id}").text
    assert owner.post(path, body="x", was="yesterday").status_code == 400


def test_notes_are_kept_as_written_and_thrown_away(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id, other = add_job(), add_job()
    owner.post(f"/jobs/{job_id}/notes", body="Call <b>Ferris</b>\r\nabout & pay")
    page = owner.get(f"/jobs/{job_id}").text
    assert "Call &lt;b&gt;Ferris&lt;/b&gt;\nabout &amp; pay" in page
    with db.reading() as session:
        note_id = jobs.get(session, job_id).notes[0].id
    owner.post(f"/jobs/{other}/notes/{note_id}/delete")
    assert "Ferris" in owner.get(f"/jobs/{job_id}").text
    owner.post(f"/jobs/{job_id}/notes/{note_id}/delete")
    assert "The note is deleted." in owner.get(f"/jobs/{job_id}").text
    assert "Ferris" not in owner.get(f"/jobs/{job_id}").text
    assert owner.post(f"/jobs/{job_id}/notes/{note_id}/delete").status_code == 303


def test_an_empty_or_endless_note_is_refused(owner: Browser, add_job: AddJob) -> None:
    job_id = add_job()
    owner.post(f"/jobs/{job_id}/notes", body="  \n ")
    assert "The note is empty" in owner.get(f"/jobs/{job_id}").text
    assert owner.post(f"/jobs/{job_id}/notes", body="x" * 20_001).status_code == 413


HOSTILE: dict[str, dict[str, Any]] = {
    "markup": {
        "title": "<script>alert(1)</script><img src=x onerror=alert(2)>",
        "company": '"><svg onload=alert(3)>',
        "locations": ["<b onmouseover=alert(4)>x</b>", "{{ 7*191 }}"],
        "department": "</textarea><script>alert(5)</script>",
        "reasons": [{"term": "<i>x</i>", "where": '" autofocus onfocus=alert(6) x="', "points": 1}],
    },
    "links": {"url": "javascript:alert(1)"},
    "data links": {"url": "data:text/html,<script>alert(1)</script>"},
    "broken links": {"url": "https://[::1"},
    "odd letters": {"title": "\u202egnol\u202c " + "\U0001f98a" * 50, "company": "ﷺ" * 100},
    "length": {"title": "x" * 100_000},
    "pay": {
        "salary": {"minimum": None, "maximum": None, "raw": "<script>alert(1)</script>", "origin": "parsed"}
    },
    "no pay": {"salary": {}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_shown_as_text(owner: Browser, add_job: AddJob, name: str) -> None:
    job_id = add_job(**HOSTILE[name])
    for path in ("/", f"/jobs/{job_id}", "/?q=alert"):
        answer = owner.get(path)
        assert answer.status_code == 200
        for harm in ("<script>alert", "<img", "<svg on", "<b on", "<i>x", '" autofocus onfocus', "1337"):
            assert harm not in answer.text
        assert not re.search(r'href="\s*(javascript|data):', answer.text)


def test_hostile_words_in_the_address_are_shown_as_text(owner: Browser, add_job: AddJob) -> None:
    add_job()
    page = owner.get("/", query_string={"q": '"><script>alert(1)</script>', "source": '"><b>'}).text
    assert "<script>alert" not in page
    assert '"><b>' not in page


# --- Empty lists ------------------------------------------------------------------------------------------


def run_of(db: Database, state: ScanState, *results: tuple[int, ScanState, str]) -> int:
    with db.session() as session:
        run = ScanRun(trigger=RunTrigger.FIRST, state=state)
        session.add(run)
        session.flush()
        for source_id, each, reason in results:
            session.add(
                ScanResult(run_id=run.id, source_id=source_id, state=each, reason=reason, error="Why.")
            )
        return run.id


def test_without_boards_the_starter_list_is_offered(owner: Browser) -> None:
    page = owner.get("/").text
    assert "No boards yet" in page
    assert 'action="/sources/starters"' in page


def test_without_jobs_a_scan_is_offered(owner: Browser, source: Source) -> None:
    page = owner.get("/").text
    assert "No jobs yet" in page
    assert 'action="/scans"' in page


def test_during_the_first_scan_it_is_pointed_to(owner: Browser, db: Database, source: Source) -> None:
    run_id = run_of(db, ScanState.RUNNING, (source.id, ScanState.RUNNING, ""))
    page = owner.get("/").text
    assert "The first scan is going on" in page
    assert f'hx-get="/scans/{run_id}/banner' in page


@pytest.mark.parametrize("reason", ["dns", "connect"])
def test_without_a_network_the_demo_is_pointed_to(
    owner: Browser, db: Database, source: Source, reason: str
) -> None:
    run_id = run_of(db, ScanState.FAILED, (source.id, ScanState.FAILED, reason))
    for path in ("/", f"/scans/{run_id}"):
        page = owner.get(path).text
        assert "No board could be reached" in page
        assert "make demo" in page


def test_another_failure_is_no_missing_network(owner: Browser, db: Database, source: Source) -> None:
    run_of(db, ScanState.FAILED, (source.id, ScanState.FAILED, "denied"))
    assert "make demo" not in owner.get("/").text


def test_without_a_match_each_filter_that_hides_jobs_can_be_dropped(owner: Browser, add_job: AddJob) -> None:
    add_job(title="Good", score=60)
    add_job(title="Bad", score=5)
    page = html.unescape(owner.get("/?q=bad&min_score=50&status=new").text)
    assert "No job matches" in page
    assert "Leave out “bad”: 1 job<" in page
    assert "Leave out “match of 50 or more”: 1 job<" in page
    assert "Leave out the status" not in page
    assert 'href="/?q=bad"' in page


def test_when_all_are_looked_at_it_says_so(owner: Browser, add_job: AddJob, db: Database) -> None:
    owner.post(f"/jobs/{add_job()}/status", to="dismissed")
    page = owner.get("/").text
    assert "All done" in page
    assert 'href="/?status=all"' in page


def test_a_scan_reopens_a_job_while_its_page_is_open(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    with db.session() as session:
        job = session.get(Job, job_id)
        assert job is not None
        jobs.close(session, job)
    page = owner.get(f"/jobs/{job_id}").text
    assert "is-closed" in page
    assert "No longer listed" in page
