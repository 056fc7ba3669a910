"""Jobs like one, the job that a person names, notes as they are shown, and words marked in descriptions."""

from __future__ import annotations

import pytest

from scout import highlighting, jobs, notes, similar
from scout.database import Database
from scout.jobs import JobQuery
from scout.models import Status
from scout.searching import index, language
from tests import kept


def test_jobs_like_one_have_its_words_in_the_title_or_its_company(any_database: Database) -> None:
    with any_database.session() as session:
        own = kept.job(session, "Senior Identity Engineer (Okta)")
        alike = kept.job(session, "Okta Identity Engineer", company="Globex")
        same = kept.job(session, "Accountant", company="Acme")
        told = kept.job(session, "Okta Identity Engineer II", company="Agency")
        for title, company, status in (
            ("Okta Identity Engineer", "Initech", Status.CLOSED),
            ("Nurse", "Hospital", Status.NEW),
        ):
            kept.job(session, title, company=company, status=status)
        index.catch_up(session)
        found = similar.jobs_like(session, own, {told.id})
        assert [job.id for job in found] == [alike.id, same.id]


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        (" 12 ", 12),
        ("http://localhost:5000/jobs/12?back=/", 12),
        ("/jobs/12", 12),
        ("https://scout.example/jobs/12/#notes", 12),
        ("", None),
        ("twelve", None),
        ("²", None),
        ("https://boards.example/jobs/view/12", None),
        ("http://[::1/jobs/12", None),
        ("9" * 11, None),
    ],
)
def test_a_job_is_named_by_its_number_or_by_its_page(text: str, job_id: int | None) -> None:
    assert similar.named(text) == job_id


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("Call **Dana**", "<p>Call <strong>Dana</strong></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("~~no~~", "<p><s>no</s></p>"),
        ("<b>x</b> & y", "<p>&lt;b&gt;x&lt;/b&gt; &amp; y</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("![x](https://x.example/a.png)", "<p></p>"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
    ],
)
def test_a_note_is_markdown_and_never_markup_of_its_own(body: str, shown: str) -> None:
    assert notes.shown(body) == shown


def test_a_link_in_a_note_leads_outward_and_tells_nobody() -> None:
    assert notes.shown("[x](https://x.example)") == (
        '<p><a href="https://x.example" rel="nofollow noopener noreferrer">x</a></p>'
    )


def test_words_are_marked_in_texts_and_never_in_tags() -> None:
    html = '<p>SCIM &amp; <a href="https://scim.example/a>b" rel="x">scim, SSO</a> scimitar</p>'
    assert highlighting.marked(html, ["SCIM", "", "?"]) == (
        '<p><mark>SCIM</mark> &amp; <a href="https://scim.example/a>b" rel="x"><mark>scim</mark>, SSO</a>'
        " scimitar</p>"
    )
    assert "<mark>SSO</mark>" in highlighting.marked(html, [], language.parse("sso company:x"))
    assert highlighting.marked(html, []) == html


def test_what_looks_like_a_tag_and_is_none_is_shown_as_text() -> None:
    assert highlighting.marked("<p>1 < 2 <img onerror=scim</p>", ["scim"]).startswith("<p>1 &lt; 2 &lt;img")


def test_the_jobs_beside_one_are_those_of_the_list_whatever_became_of_it(any_database: Database) -> None:
    with any_database.session() as session:
        numbers = [
            kept.job(session, f"IAM Engineer {n}", score=score, posted_at=kept.DAY if n % 2 else None).id
            for n, score in enumerate((90, 80, 80, 10))
        ]
        for sort in ("score", "newest", "posted", "salary", "relevance"):
            query = JobQuery(text="engineer", statuses=(Status.NEW,), sort=sort)
            order = [job.id for job in jobs.find(session, query).jobs]
            assert sorted(order) == numbers
            for at, job_id in enumerate(order):
                beside = jobs.neighbours(session, query, jobs.get(session, job_id))
                assert beside == (
                    order[at - 1] if at else None,
                    order[at + 1] if at + 1 < len(order) else None,
                ), sort
        jobs.change_status(session, numbers[2], Status.DISMISSED, "owner")
        query = JobQuery(statuses=(Status.NEW,), sort="score")
        assert jobs.neighbours(session, query, jobs.get(session, numbers[2])) == (numbers[0], numbers[1])
