"""The list of jobs: its chips and facets, many jobs at once, what was seen, and jobs that become one."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask, url_for
from sqlalchemy import event

from scout import briefs, jobs, searches
from scout.database import Database
from scout.models import RunTrigger, SavedSearch, ScanRun, Status
from scout.searches import Wish
from tests.unit.web.browser import Browser
from tests.unit.web.test_jobs import HTMX, status_of, titles
from webapp.jobs import Filters

AddJob = Callable[..., int]
#: The session's two, counting `BEGIN`, and the list's: `BEGIN`, the jobs' ids, the jobs.
MOST_STATEMENTS = 5


def told(browser: Browser, path: str = "/") -> str:
    return html.unescape(browser.get(path).text)


def test_each_term_is_a_chip_that_takes_it_away_and_problems_are_said(
    owner: Browser, add_job: AddJob
) -> None:
    add_job()
    page = owner.get("/?q=identity+remote:yes+remote:maybe").text
    assert 'href="/?q=remote:remote" title="Leave this out">identity' in page
    assert 'href="/?q=identity" title="Leave this out">Remote' in page
    assert "“remote:maybe” means nothing. Write remote:yes" in page
    assert "/new-search?q=identity" in page


def test_old_links_with_a_board_and_a_score_are_terms_now(owner: Browser, add_job: AddJob) -> None:
    add_job(title="Good", score=60)
    add_job(title="Bad", score=10)
    page = owner.get("/?source=acme&min_score=50&page=7").text
    assert titles(page) == ["Good"]
    assert 'value="source:acme score:&gt;=50"' in page


def test_hits_are_marked_in_title_and_text(owner: Browser, add_job: AddJob) -> None:
    add_job(title="<b>Keys</b> and locks")
    page = owner.get("/?q=keys").text
    assert "&lt;b&gt;<mark>Keys</mark>&lt;/b&gt; and locks</a>" in page
    assert 'class="piece">Keep the <mark>keys</mark>.' in page


def test_facets_are_a_part_of_the_page_or_a_page(owner: Browser, add_job: AddJob) -> None:
    add_job(company="Okta", score=70)
    add_job(company="Veeva", score=10)
    part = owner.get("/facets?q=identity", headers=HTMX).text
    assert "<html" not in part
    assert 'href="/?q=identity+company:Okta"' in part
    assert "<h1>Narrow down</h1>" in owner.get("/facets?q=identity").text
    chosen = owner.get("/facets?q=company:Okta", headers=HTMX).text
    assert re.search(r'href="/" aria-current="true">', chosen)


def test_all_that_match_are_changed_and_taken_back_at_once(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    wanted = [add_job(title=f"Cloud {number}") for number in range(60)]
    other = add_job(title="Nurse")
    back = "/?q=cloud"
    assert "all 60 that match" in owner.get(back).text
    owner.post("/jobs/status", all="1", q="cloud", status="new", to="dismissed", back=back)
    page = told(owner, back)
    assert "60 jobs are dismissed now." in page
    batch = re.findall(r'name="batch" value="(\w+)"', page)[0]
    assert status_of(db, other) is Status.NEW
    assert "60 jobs are dismissed now." in told(owner, back)
    answer = owner.post("/jobs/undo", batch=batch, back=back)
    assert answer.location == back
    page = told(owner, back)
    assert "Taken back: 60 jobs are as before." in page
    assert "dismissed now" not in page
    assert {status_of(db, each) for each in wanted} == {Status.NEW}


def test_the_undo_is_offered_until_the_next_change(owner: Browser, add_job: AddJob, db: Database) -> None:
    first, second = add_job(), add_job()
    owner.post("/jobs/status", job=[f"{first}.1", f"{second}.1"], to="saved")
    batch = re.findall(r'name="batch" value="(\w+)"', owner.get("/").text)[0]
    owner.post(f"/jobs/{first}/status", to="applied")
    assert 'name="batch"' not in owner.get("/").text
    owner.post("/jobs/undo", batch=batch)
    page = told(owner)
    assert f"Left as they are: job {first} was changed since and is applied now." in page
    assert (status_of(db, first), status_of(db, second)) == (Status.APPLIED, Status.NEW)


def test_an_undo_of_nothing_is_not_found(owner: Browser) -> None:
    assert owner.post("/jobs/undo", batch="nothing").status_code == 404


def test_what_was_not_seen_is_marked_until_it_was(owner: Browser, add_job: AddJob) -> None:
    first, second, third = add_job(), add_job(), add_job()
    assert owner.get("/").text.count("Not seen yet: ") == 3
    owner.get(f"/jobs/{first}")
    page = owner.get("/").text
    assert page.count("Not seen yet: ") == 2
    (ids,) = re.findall(r'name="jobs" value="([\d,]+)"', page)
    assert sorted(ids.split(",")) == sorted(map(str, (second, third)))
    owner.post("/jobs/seen", jobs=ids, back="/?sort=newest")
    page = told(owner)
    assert "2 jobs are marked as seen." in page
    assert "Not seen yet: " not in page
    assert "Mark page as seen" not in page
    owner.post("/jobs/unseen", jobs=ids)
    assert owner.get("/").text.count("Not seen yet: ") == 2
    assert titles(owner.get("/?q=is:unseen").text) != titles(owner.get("/").text)


@pytest.mark.parametrize("ids", ["", "x", "1,,2", ",".join(["1"] * 201)])
def test_a_strange_list_of_seen_jobs_is_refused(owner: Browser, ids: str) -> None:
    for path in ("/jobs/seen", "/jobs/unseen"):
        assert owner.post(path, jobs=ids).status_code == 400


def test_saved_searches_stand_above_the_list_with_what_is_unseen(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    add_job()
    with db.session() as session:
        searches.add(session, Wish(name="Best", query={"min_score": 40, "statuses": ("new", "saved")}), ())
    page = owner.get("/").text
    assert 'href="/?q=score:%3E%3D40+status:new,saved&amp;status=all"' in page
    news = owner.get("/searches-news?at=/", headers=HTMX).text
    assert re.search(r"Best <span[^>]*>1</span>", news)
    assert titles(owner.get("/?q=score:%3E%3D40+status:new,saved&status=all").text)


@pytest.mark.parametrize(
    ("query", "address"),
    [
        ({}, "/?status=live&sort=newest"),
        ({"text": "okta", "sort": "score"}, "/?q=okta&status=live"),
        (
            {"text": "okta", "source": "acme", "statuses": ["saved"]},
            "/?q=okta+source:acme&status=saved&sort=newest",
        ),
    ],
)
def test_a_saved_search_is_an_address_of_the_list(
    app: object, owner: Browser, query: dict[str, object], address: str
) -> None:
    del app
    with owner.client.application.test_request_context():
        filters = Filters.of_search(SavedSearch(query={"sort": "newest", **query}))
        assert filters.address("jobs.index") == address


def test_jobs_in_play_are_those_one_has_not_done_with(owner: Browser, add_job: AddJob) -> None:
    add_job(title="Saved", status=Status.SAVED)
    add_job(title="Gone", status=Status.DISMISSED)
    page = owner.get("/?status=live").text
    assert titles(page) == ["Saved"]
    assert ">in play" in page


def test_the_jobs_beside_one_are_linked_from_its_page(owner: Browser, add_job: AddJob) -> None:
    best, middle, worst = (add_job(score=score) for score in (90, 80, 70))
    page = owner.get(f"/jobs/{middle}?back=/%3Fq%3Didentity").text
    assert f'rel="prev" href="/jobs/{best}?back=/?q%3Didentity"' in page
    assert f'rel="next" href="/jobs/{worst}?back=/?q%3Didentity"' in page
    assert "data-next" not in owner.get(f"/jobs/{middle}?back=/scans").text


def test_two_jobs_become_one_and_two_again(owner: Browser, add_job: AddJob, db: Database) -> None:
    kept, other = add_job(), add_job(title="The same in other words")
    owner.post(f"/jobs/{other}/notes", body="Ask Ruth.")
    answer = owner.post(f"/jobs/{kept}/merge", other=f"http://localhost/jobs/{other}")
    assert answer.location == f"/jobs/{kept}#seen"
    page = told(owner, f"/jobs/{kept}")
    assert "“The same in other words” is part of this job now." in page
    assert "Ask Ruth." in page
    (undo,) = set(re.findall(rf'action="(/jobs/{kept}/listings/\d+/split)"', page))
    owner.post(undo)
    with db.reading() as session:
        assert jobs.get(session, other).title == "The same in other words"


@pytest.mark.parametrize(
    ("other", "said"), [("", "Write the number"), ("1", "one job already"), ("999", "no job 999")]
)
def test_a_merge_that_cannot_be_is_said(owner: Browser, add_job: AddJob, other: str, said: str) -> None:
    assert add_job() == 1
    owner.post("/jobs/1/merge", other=other)
    assert said in told(owner, "/jobs/1")


def test_a_deleted_note_is_kept_again(owner: Browser, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    owner.post(f"/jobs/{job_id}/notes", body="Ask **Ruth**.")
    with db.reading() as session:
        note = jobs.get(session, job_id).notes[0].id
    owner.post(f"/jobs/{job_id}/notes/{note}/delete")
    page = told(owner, f"/jobs/{job_id}")
    (body,) = re.findall(r'name="body" value="([^"]*)"', page)
    owner.post(f"/jobs/{job_id}/notes", body=body)
    assert "<p>Ask <strong>Ruth</strong>.</p>" in owner.get(f"/jobs/{job_id}").text


def test_a_cards_addresses_are_those_of_the_routes(app: Flask, add_job: AddJob, db: Database) -> None:
    job_id = add_job()
    with db.reading() as session:
        card = briefs.of(jobs.get(session, job_id))
    for prefix in ("", "/scout0"):
        with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": prefix}):
            for back in ("/", "/?q=a0&status=new"):
                cards = vars(app.jinja_env.get_template("_cards.html").module)["cards"]
                drawn = html.unescape(cards([card], back))
                named = None if back == "/" else back
                assert f'href="{url_for("jobs.detail", job_id=job_id, back=named)}"' in drawn
                change = url_for("jobs.change_status", job_id=job_id)
                assert f'action="{change}" hx-post="{change}"' in drawn


def test_the_list_asks_as_often_for_many_jobs_as_for_one(app: Flask, owner: Browser, add_job: AddJob) -> None:
    asked: list[str] = []
    event.listen(
        app.extensions["scout"].database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )

    def statements() -> int:
        owner.get("/")
        asked.clear()
        owner.get("/")
        return len(asked)

    add_job()
    one = statements()
    for _ in range(30):
        add_job()
    assert statements() == one <= MOST_STATEMENTS


def test_what_stands_around_the_list_is_read_again_once_it_changed(
    owner: Browser, add_job: AddJob, db: Database
) -> None:
    add_job()
    assert "The first" not in owner.get("/").text
    with db.session() as session:
        searches.add(session, Wish(name="The first", query={"text": "identity"}), ())
    assert "The first" in owner.get("/").text
    with db.session() as session:
        session.add(ScanRun(trigger=RunTrigger.OWNER))
    assert "A scan is going on" in owner.get("/").text
