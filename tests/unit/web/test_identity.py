"""One job of several boards, and one that was posted anew, as pages show them."""

from __future__ import annotations

from collections.abc import Callable

from scout import jobs
from scout.database import Database
from scout.identity import merging, resemblance
from scout.models import Job, Listing, Source, Status
from tests import kept
from tests.unit.web.browser import Browser

AddJob = Callable[..., int]
WORDS = " ".join(f"word{number}" for number in range(90))


def merged(db: Database, add_job: AddJob) -> tuple[int, int, int]:
    """Two jobs made one: the ids of the one that stayed, of the other, and of the other's listing."""
    first = add_job(title="Okta Engineer")
    with db.session() as session:
        other = kept.job(session, "Engineer for Okta", at=kept.source(session, "gather"))
        listing = other.listings[0].id
        second = other.id
    with db.session() as session:
        merging.merge(session, first, second, by="scan", tier="role", why="the same company and title")
    return first, second, listing


def test_a_job_tells_where_else_it_is_listed_and_why(owner: Browser, db: Database, add_job: AddJob) -> None:
    first, _, listing = merged(db, add_job)
    page = owner.get(f"/jobs/{first}").text
    assert "Also listed here: the same company and title." in page
    assert page.count("Not the same job") == 1
    assert f'action="/jobs/{first}/listings/{listing}/split"' in page


def test_not_the_same_job_splits_it_off_for_good(owner: Browser, db: Database, add_job: AddJob) -> None:
    first, second, listing = merged(db, add_job)
    answer = owner.post(f"/jobs/{first}/listings/{listing}/split")
    assert (answer.status_code, answer.location) == (303, f"/jobs/{first}#seen")
    page = owner.get(f"/jobs/{first}").text
    assert "is a job of its own now" in page
    assert "Not the same job" not in page
    assert "Engineer for Okta" in owner.get(f"/jobs/{second}").text
    again = owner.post(f"/jobs/{first}/listings/{listing}/split")
    assert again.status_code == 303
    assert f"has no listing {listing}" in owner.get(f"/jobs/{first}").text


def test_splitting_needs_the_forms_token(owner: Browser, db: Database, add_job: AddJob) -> None:
    first, _, listing = merged(db, add_job)
    owner.token = "wrong"
    assert owner.post(f"/jobs/{first}/listings/{listing}/split").status_code == 400
    with db.reading() as session:
        assert len(jobs.get(session, first).listings) == 2


def test_the_page_of_a_job_that_was_merged_leads_to_what_it_is_part_of(
    owner: Browser, db: Database, add_job: AddJob
) -> None:
    first, second, _ = merged(db, add_job)
    assert owner.get(f"/jobs/{second}").location == f"/jobs/{first}"
    assert owner.get("/jobs/999").status_code == 404


def test_a_job_that_was_posted_anew_says_what_became_of_it(
    owner: Browser, db: Database, add_job: AddJob
) -> None:
    old = add_job(title="Okta Engineer")
    with db.session() as session:
        jobs.change_status(session, old, Status.DISMISSED, by="owner")
    new = add_job(title="Okta Engineer", repost_of_id=old)
    for address in ("/", f"/jobs/{new}"):
        assert "You dismissed this on" in owner.get(address).text
    assert f'href="/jobs/{old}"' in owner.get(f"/jobs/{new}").text
    assert "You dismissed this on" not in owner.get(f"/jobs/{old}").text
    with db.session() as session:
        jobs.change_status(session, old, Status.NEW, by="owner")
    assert "Posted before: first seen on" in owner.get(f"/jobs/{new}").text


def test_a_copy_of_another_company_is_told_and_not_merged(
    owner: Browser, db: Database, add_job: AddJob, source: Source
) -> None:
    own = add_job(title="Okta Engineer", description_text=WORDS)
    copied = add_job(title="Somebody for Okta", company="Agency", description_text=f"For our client. {WORDS}")
    with db.session() as session:
        resemblance.mark_missing(session)
    page = owner.get(f"/jobs/{own}").text
    assert "Similar jobs" in page
    assert f'href="/jobs/{copied}"' in page
    assert "96 % of the words" in page or "97 % of the words" in page
    with db.reading() as session:
        assert session.query(Job).count() == session.query(Listing).count() == 2
