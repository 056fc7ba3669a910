"""Kinds whose listing is paged or leaves the texts out: SmartRecruiters, Workday, BambooHR, Rippling."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scout import clock
from scout.fetch import FetchError, Reason
from scout.postings import Posting, Remote
from scout.sources import KINDS
from scout.sources.board import Board, Detailed, Page, Validators
from scout.sources.workday import Workday
from tests.employer_boards import EXAMPLES, playing, read, smartrecruiters, workday
from tests.serving import Asked, Reply, reply, serving

SMART, WORKDAY = EXAMPLES["smartrecruiters"].board, EXAMPLES["workday"].board


def ids(pages: list[Page]) -> list[str]:
    return [posting.source_job_id for page in pages for posting in page.postings]


def read_until(board: Board, answer: Callable[[Asked], Reply]) -> tuple[list[Page], FetchError]:
    """The pages of a board up to the failure that ends them."""
    pages: list[Page] = []
    with serving(answer) as server, playing(board.kind, server.origin) as door:
        reading = KINDS[board.kind].read(board, door, Validators())
        with pytest.raises(FetchError) as caught:
            pages.extend(reading)
    return pages, caught.value


def detailed(kind: str, answer: Reply, **changes: Any) -> tuple[Posting, Posting, Asked]:
    """A posting of a listing, the same with its details, and what was asked for them."""
    example = EXAMPLES[kind]
    (posting,) = example.parse(example.make(**changes)).postings
    with serving(lambda _: answer) as server, playing(kind, server.origin) as door:
        of = KINDS[kind]
        assert isinstance(of, Detailed)
        whole = of.detailed(posting, example.board, door)
    return posting, whole, server.asked[0]


# --- SmartRecruiters --------------------------------------------------------------------------------------


def smart_pages(count: int, *, total: int | None = None, most: int = 100) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        query = dict(part.split("=") for part in asked.path.partition("?")[2].split("&"))
        offset, limit = int(query["offset"]), min(int(query["limit"]), most)
        items = [smartrecruiters(number) for number in range(count)[offset : offset + limit]]
        document = {"totalFound": count if total is None else total, "content": items}
        return reply(json.dumps(document).encode(), ETag='"x"')

    return answer


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (100, 1), (101, 2), (250, 3)])
def test_smartrecruiters_is_read_page_by_page_to_its_end(count: int, requests: int) -> None:
    validators = Validators()
    pages, asked = read(SMART, smart_pages(count), validators)
    assert len(asked) == requests
    assert ids(pages) == [str(700000 + number) for number in range(count)]
    # A first page that did not change says nothing of the second.
    assert bool(validators.etags) == (requests == 1)


def test_smartrecruiters_pages_that_are_shorter_than_asked_for_are_read_on() -> None:
    pages, asked = read(SMART, smart_pages(25, most=10))
    assert len(asked) == 3
    assert len(ids(pages)) == 25


def test_a_smartrecruiters_list_that_ends_before_its_count_is_partial() -> None:
    pages, error = read_until(SMART, smart_pages(150, total=400))
    assert error.reason is Reason.TRUNCATED
    assert "counts 400 postings" in error.text
    assert len(ids(pages)) == 150


def test_a_smartrecruiters_list_without_end_is_cut() -> None:
    pages, error = read_until(SMART, smart_pages(10**6, most=1))
    assert error.reason is Reason.TOO_LARGE
    assert len(ids(pages)) == 100


def test_a_smartrecruiters_company_without_postings_may_be_one_that_does_not_exist() -> None:
    pages, _ = read(SMART, smart_pages(0))
    assert ids(pages) == []
    assert "check the name" in pages[0].note


def test_smartrecruiters_postings_that_are_not_public_are_left_out() -> None:
    example = EXAMPLES["smartrecruiters"]
    page = example.parse(
        example.make(1), example.make(2, visibility="INTERNAL"), example.make(3, active=False)
    )
    assert ids([page]) == ["700001"]
    assert page.unparsed == ()


@pytest.mark.parametrize(
    ("flags", "remote"),
    [
        ({"remote": True, "hybrid": False}, Remote.REMOTE),
        ({"remote": True, "hybrid": True}, Remote.HYBRID),
        ({"remote": False, "hybrid": False}, Remote.UNKNOWN),
        ({}, Remote.UNKNOWN),
    ],
)
def test_smartrecruiters_says_remote_only_by_its_flags(flags: dict[str, bool], remote: Remote) -> None:
    example = EXAMPLES["smartrecruiters"]
    (posting,) = example.parse(example.make(location={"city": "Oslo", "country": "no", **flags})).postings
    assert posting.remote is remote
    assert posting.locations == ("Oslo, NO",)


def test_smartrecruiters_details_bring_the_text_the_pay_and_the_pages_address() -> None:
    sections = {
        "companyDescription": {"title": "Company Description", "text": "<p>We are Acme.</p>"},
        "jobDescription": {"title": "Job Description", "text": ""},
        "qualifications": {"title": "Qualifications", "text": "<ul><li>SAML</li></ul>"},
    }
    document = smartrecruiters(
        jobAd={"sections": sections},
        postingUrl="https://jobs.smartrecruiters.com/Acme1/700001-iam-engineer",
        compensation={"min": 150000, "max": 170000, "currency": "CAD", "period": "YEARLY"},
        active=True,
    )
    posting, whole, asked = detailed("smartrecruiters", reply(json.dumps(document).encode()))
    assert asked.path == "/v1/companies/Acme1/postings/700001"
    assert posting.description_text == ""
    assert whole.description_text == "Company Description\nWe are Acme.\nQualifications\n- SAML"
    assert whole.url.endswith("700001-iam-engineer")
    assert whole.salary is not None
    assert (whole.salary.minimum, whole.salary.currency, whole.salary.period) == (150_000, "CAD", "year")
    assert whole.source_job_id == posting.source_job_id


def test_smartrecruiters_details_of_a_posting_that_is_no_longer_active_are_none() -> None:
    with pytest.raises(FetchError) as caught:
        detailed("smartrecruiters", reply(json.dumps(smartrecruiters(active=False)).encode()))
    assert caught.value.reason is Reason.GONE


# --- Workday ----------------------------------------------------------------------------------------------


def workday_pages(count: int, total: int | None = None) -> Callable[[Asked], bytes]:
    """A site that counts in its first answer only, and fails when asked for more than twenty."""

    def answer(asked: Asked) -> bytes:
        question = json.loads(asked.body)
        if question["limit"] > 20:
            return reply(b'{"errorCode": "HTTP_400"}', 400)
        offset = question["offset"]
        items = [workday(number) for number in range(count)[offset : offset + question["limit"]]]
        counted = 0 if offset else count if total is None else total
        return reply(json.dumps({"total": counted, "jobPostings": items}).encode())

    return answer


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (19, 1), (20, 1), (21, 2), (40, 2), (95, 5)])
def test_workday_is_read_to_its_end_although_it_counts_only_once(count: int, requests: int) -> None:
    validators = Validators()
    pages, asked = read(WORKDAY, workday_pages(count), validators)
    assert len(asked) == requests
    assert ids(pages) == [f"JR{number}" for number in range(count)]
    assert validators == Validators()


def test_workday_is_asked_by_post_for_twenty_at_a_time_in_english() -> None:
    _, asked = read(WORKDAY, workday_pages(21))
    assert [each.method for each in asked] == ["POST", "POST"]
    assert json.loads(asked[1].body) == {"appliedFacets": {}, "limit": 20, "offset": 20, "searchText": ""}
    assert asked[0].headers["accept-language"].startswith("en-US")


@pytest.mark.parametrize("counted", [{}, {"total": None}, {"total": 0}, {"total": "45"}])
def test_a_workday_that_does_not_count_is_read_until_a_page_is_short(counted: dict[str, Any]) -> None:
    def answer(asked: Asked) -> bytes:
        offset = json.loads(asked.body)["offset"]
        items = [workday(number) for number in range(45)[offset : offset + 20]]
        return reply(json.dumps({**counted, "jobPostings": items}).encode())

    pages, asked = read(WORKDAY, answer)
    assert (len(ids(pages)), len(asked)) == (45, 3)


def test_a_workday_that_neither_counts_nor_ends_is_cut() -> None:
    def answer(asked: Asked) -> bytes:
        offset = json.loads(asked.body)["offset"]
        return reply(json.dumps({"jobPostings": [workday(offset + number) for number in range(20)]}).encode())

    pages, error = read_until(WORKDAY, answer)
    assert error.reason is Reason.TOO_LARGE
    assert len(ids(pages)) == 2000


def test_a_workday_that_counts_to_two_thousand_may_have_more_and_is_partial() -> None:
    pages, error = read_until(WORKDAY, workday_pages(5000, total=2000))
    assert error.reason is Reason.TOO_LARGE
    assert "no further than 2000" in error.text
    assert len(ids(pages)) == 2000


def facet(name: str, **counts: Any) -> dict[str, Any]:
    values = [{"descriptor": value, "id": value, "count": count} for value, count in counts.items()]
    return {"facetParameter": name, "descriptor": name, "values": values}


def categorised(facets: list[Any], **families: int) -> Callable[[Asked], bytes]:
    """A site whose first question is answered with two thousand, and each of its families with its own."""

    def answer(asked: Asked) -> bytes:
        question = json.loads(asked.body)
        offset = question["offset"]
        (family,) = question["appliedFacets"].get("family", [""])
        count = families.get(family, 2000)
        items = [
            workday(number, externalPath=f"/job/x/y_{family}{number}")
            for number in range(count)[offset : offset + 20]
        ]
        document = {"total": 0 if offset else count, "jobPostings": items, "facets": facets}
        return reply(json.dumps(document).encode())

    return answer


def test_a_large_workday_site_is_read_category_by_category() -> None:
    facets = [
        facet("time", full=2000, part=3),
        facet("place", a=5, b=6),
        facet("family", eng=45, law=3),
        facet("group", a=5, b=None),
        {"facetParameter": "nested", "values": [{"facetParameter": "x", "values": []}]},
        facet("one", all=1999),
        None,
    ]
    pages, error = read_until(WORKDAY, categorised(facets, eng=45, law=3))
    assert error.reason is Reason.TOO_LARGE
    assert ids(pages) == [f"eng{number}" for number in range(45)] + ["law0", "law1", "law2"]


def test_a_workday_site_of_any_size_is_left_at_some_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scout.sources.workday._MOST_OF_ALL", 60)
    pages, error = read_until(WORKDAY, categorised([facet("family", eng=45, law=45)], eng=45, law=45))
    assert error.reason is Reason.TOO_LARGE
    assert len(ids(pages)) == 65


def test_a_workday_site_of_almost_two_thousand_is_whole() -> None:
    pages, asked = read(WORKDAY, workday_pages(1999))
    assert (len(ids(pages)), len(asked)) == (1999, 100)


def test_a_workday_list_that_ends_before_its_count_is_partial() -> None:
    pages, error = read_until(WORKDAY, workday_pages(30, total=100))
    assert error.reason is Reason.TRUNCATED
    assert len(ids(pages)) == 30


@pytest.mark.parametrize(
    "passing",
    [
        reply(b"", 303, Location="https://community.workday.com/maintenance-page"),
        reply(b"<!doctype html><title>Workday is currently unavailable</title>"),
        reply(b"", 503),
    ],
)
def test_a_workday_that_is_out_of_order_for_a_moment_is_asked_again(passing: bytes) -> None:
    good = workday_pages(45)
    number = 0

    def answer(asked: Asked) -> bytes:
        nonlocal number
        number += 1
        return passing if number == 2 else good(asked)

    pages, asked = read(WORKDAY, answer)
    assert (len(ids(pages)), len(asked)) == (45, 4)


def test_a_workday_that_stays_out_of_order_leaves_what_was_read() -> None:
    good = workday_pages(45)

    def answer(asked: Asked) -> bytes:
        return good(asked) if json.loads(asked.body)["offset"] == 0 else reply(b"<html>sorry</html>")

    pages, error = read_until(WORKDAY, answer)
    assert error.reason is Reason.NOT_A_LISTING
    assert len(ids(pages)) == 20


def one(**changes: Any) -> Posting:
    page = EXAMPLES["workday"].parse(workday(**changes))
    assert page.unparsed == ()
    (posting,) = page.postings
    return posting


def test_workday_postings_have_the_facts_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2026, 6, 10, 15, 30, tzinfo=dt.UTC))
    posting = one(remoteType="Hybrid", timeType="Full time")
    assert posting.source_job_id == posting.requisition_id == "JR1"
    assert posting.company == "Acme"
    assert posting.url == "https://acme.wd5.myworkdayjobs.com/Ext/job/US-TX-Austin/IAM-Engineer_JR1"
    assert posting.locations == ("US, TX, Austin",)
    assert (posting.remote, posting.employment_type) == (Remote.HYBRID, "full_time")
    assert posting.posted_at == dt.datetime(2026, 6, 7, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("Posted Today", 10),
        ("Posted Yesterday", 9),
        ("Posted 1 Day Ago", 9),
        ("Posted 9 Days Ago", 1),
        ("Posted 30+ Days Ago", None),
        ("Publié hier", None),
        (None, None),
    ],
)
def test_workday_days_are_reckoned_from_today_and_a_bound_is_no_day(
    words: str | None, day: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2026, 6, 10, 15, 30, tzinfo=dt.UTC))
    posted = one(postedOn=words).posted_at
    assert (posted and posted.day) == day


@pytest.mark.parametrize("words", ["2 Locations", "17 Locations", "1 location", "", None])
def test_a_number_of_locations_is_no_place(words: str | None) -> None:
    assert one(locationsText=words).locations == ()


@pytest.mark.parametrize(
    ("path", "bullets", "identity", "requisition"),
    [
        ("/job/Oslo/IAM_JR7", ["JR7"], "JR7", "JR7"),
        ("/job/Oslo/IAM_JR7-1", ["JR7"], "JR7-1", "JR7"),
        ("/job/Oslo/IAM_R-12345", ["R-12345"], "R-12345", "R-12345"),
        ("/job/Oslo/IAM_R-12345-2", ["Full time", "R-12345"], "R-12345-2", "R-12345"),
        ("/job/Oslo/IAM_JR7", ["Full time"], "JR7", "JR7"),
        ("/job/Oslo/IAM_JR7", None, "JR7", "JR7"),
        ("/job/IAM_JR7", [None, 7, {}], "JR7", "JR7"),
        ("/job/Oslo/IAM-Engineer", ["Oslo"], "IAM-Engineer", ""),
    ],
)
def test_a_workday_requisition_is_a_bullet_only_where_the_address_agrees(
    path: str, bullets: Any, identity: str, requisition: str
) -> None:
    posting = one(externalPath=path, bulletFields=bullets)
    assert (posting.source_job_id, posting.requisition_id) == (identity, requisition)


@pytest.mark.parametrize(
    "path", ["https://evil.example/job/x_1", "//evil.example/x_1", "/other/x_1", "job/x_1", ""]
)
def test_workday_paths_lead_to_the_site_only(path: str) -> None:
    page = EXAMPLES["workday"].parse(workday(externalPath=path))
    assert page.postings == ()
    assert "has no link that can be followed" in page.unparsed[0]


def test_workday_paths_of_any_letters_are_links() -> None:
    posting = one(externalPath="/job/Zürich/Identity-&-Access (w/m)_JR7")
    assert posting.url.endswith("/Ext/job/Z%C3%BCrich/Identity-&-Access%20(w/m)_JR7")


def test_workday_details_bring_the_text_the_places_and_the_day() -> None:
    info = {
        "title": "IAM Engineer",
        "jobDescription": "<p>Run <b>SSO</b>.</p><script>x</script>",
        "location": "US, NC, Durham",
        "additionalLocations": ["US, TX, Austin", "US, NC, Durham"],
        "startDate": "2026-01-02",
        "timeType": "Full time",
        "jobReqId": "JR1",
        "externalUrl": "https://acme.wd5.myworkdayjobs.com/Ext/job/US-NC-Durham/IAM-Engineer_JR1",
    }
    answer = reply(json.dumps({"jobPostingInfo": info}).encode())
    posting, whole, asked = detailed("workday", answer, locationsText="2 Locations")
    assert (asked.method, asked.path) == ("GET", "/wday/cxs/acme/Ext/job/US-TX-Austin/IAM-Engineer_JR1")
    assert asked.headers["x-forwarded-host"] == "acme.wd5.myworkdayjobs.com"
    assert posting.locations == ()
    assert whole.locations == ("US, NC, Durham", "US, TX, Austin")
    assert whole.description_html == "<p>Run <b>SSO</b>.</p>"
    assert whole.posted_at == dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert (whole.employment_type, whole.requisition_id) == ("full_time", "JR1")
    assert whole.url == info["externalUrl"]
    assert whole.source_job_id == posting.source_job_id


INFO = [
    "title",
    "jobDescription",
    "location",
    "additionalLocations",
    "startDate",
    "timeType",
    "jobReqId",
    "externalUrl",
    "remoteType",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(INFO), VALUES))
def test_no_workday_details_of_whatever_make_an_exception(info: dict[str, Any]) -> None:
    document = {"jobPostingInfo": {"title": "IAM Engineer", **info}}
    with contextlib.suppress(FetchError):
        whole = Workday().parse_detail(json.dumps(document).encode(), one())
        repr(whole).encode("utf-8")
        assert whole.title
        assert whole.url.startswith("http")


# --- BambooHR and Rippling --------------------------------------------------------------------------------


def test_bamboohr_details_bring_the_text_and_the_day() -> None:
    opening = {
        "jobOpeningName": "IAM Engineer",
        "jobOpeningStatus": "Open",
        "departmentLabel": "Security",
        "employmentStatusLabel": "Full-Time",
        "location": {"city": "Lindon", "state": "Utah", "addressCountry": "United States"},
        "description": "<p>Run SSO.</p>",
        "datePosted": "2026-01-02",
        "compensation": None,
        "locationType": "2",
    }
    document = {"meta": {}, "result": {"jobOpening": opening, "formFields": {}}}
    posting, whole, asked = detailed("bamboohr", reply(json.dumps(document).encode()))
    assert asked.path == "/careers/1/detail"
    assert whole.description_text == "Run SSO."
    assert whole.posted_at == dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert whole.locations == ("Lindon, Utah, United States",)
    assert (whole.source_job_id, whole.url, whole.remote) == (
        posting.source_job_id,
        posting.url,
        posting.remote,
    )


def test_rippling_details_bring_the_text_the_day_and_the_pay() -> None:
    document = {
        "uuid": "uuid-1",
        "name": "IAM Engineer",
        "url": "https://ats.rippling.com/acme/jobs/uuid-1",
        "companyName": "Acme Inc",
        "description": {"company": "<p>We are Acme.</p>", "role": "<p>Run SSO.</p>"},
        "workLocations": ["Remote (United States)", "Berlin"],
        "department": {"name": "Security"},
        "employmentType": {"label": "SALARIED_FT", "id": "Salaried, full-time"},
        "createdOn": "2026-01-02T03:04:05.678000+00:00",
        "payRangeDetails": [{"rangeStart": 25, "rangeEnd": 30, "currency": "USD", "frequency": "HOUR"}],
    }
    _, whole, asked = detailed("rippling", reply(json.dumps(document).encode()))
    assert asked.path == "/platform/api/ats/v1/board/acme/jobs/uuid-1"
    assert whole.description_text == "Run SSO.\nWe are Acme."
    assert whole.locations == ("Remote (United States)", "Berlin")
    assert (whole.company, whole.employment_type, whole.department) == ("Acme Inc", "full_time", "Security")
    assert whole.posted_at is not None
    assert whole.salary is not None
    assert (whole.salary.minimum, whole.salary.maximum, whole.salary.period) == (25, 30, "hour")


@pytest.mark.parametrize(
    ("kind", "key"), [("smartrecruiters", "id"), ("bamboohr", "id"), ("rippling", "uuid")]
)
def test_an_id_of_a_board_leads_nowhere_else(kind: str, key: str) -> None:
    example = EXAMPLES[kind]
    (posting,) = example.parse(example.make(**{key: "../../x?y#z"})).postings
    with serving(lambda _: reply(b"", 404)) as server, playing(kind, server.origin) as door:
        of = KINDS[kind]
        assert isinstance(of, Detailed)
        with pytest.raises(FetchError):
            of.detailed(posting, example.board, door)
    assert "/..%2F..%2Fx%3Fy%23z" in server.asked[0].path
    assert server.asked[0].headers["x-forwarded-host"] == example.host


@pytest.mark.parametrize("kind", ["smartrecruiters", "workday", "bamboohr", "rippling"])
@pytest.mark.parametrize(
    "answer",
    [
        reply(b"<!doctype html><title>Sorry</title>"),
        reply(b"{}"),
        reply(b"[]"),
        reply(b"null"),
        reply(b'{"name": "cut'),
        reply(b'{"result": {"jobOpening": []}, "jobPostingInfo": 7}'),
        reply(b"", 404),
        reply(b"", 429),
    ],
)
def test_details_that_are_none_are_named_and_break_nothing(kind: str, answer: bytes) -> None:
    with pytest.raises(FetchError):
        detailed(kind, answer)
