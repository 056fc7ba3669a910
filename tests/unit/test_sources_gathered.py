"""Sites that gather many companies' jobs: each by answers written for these tests."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scout.sources
from scout import clock, runs, scanning, schedule, watchlist
from scout.fetch import Door, FetchError, Reason
from scout.postings import Posting, Remote
from scout.settings import Settings
from scout.sources import KINDS, UnknownBoard, recognise
from scout.sources.about import off
from scout.sources.board import Board, NotModified, Page, Validators
from tests.scan_world import World, world
from tests.serving import Asked, Reply, reply, serving

__all__ = ["world"]

KEYS = Settings(
    usajobs_email="owner@example.com",
    usajobs_key="us-secret",
    adzuna_app_id="id-secret",
    adzuna_app_key="key/secret",
)


def remotive(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "url": f"https://remotive.com/remote-jobs/it/iam-engineer-{number}",
        "title": "IAM Engineer",
        "company_name": "Acme ",
        "category": "Security",
        "tags": ["okta", "okta", ""],
        "job_type": "full_time",
        "publication_date": "2026-01-02T03:04:05",
        "candidate_required_location": "Americas, Europe",
        "salary": "$90k - $120k",
        "description": "<p>Run SSO.</p>",
        **changes,
    }


def remoteok(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "slug": "x",
        "epoch": 1767323045,
        "date": "2026-01-02T03:04:05+00:00",
        "company": "Acme",
        "position": "IAM Engineer",
        "tags": ["security", "full time"],
        "location": "Oslo, ",
        "description": "<p>Run SSO.</p><br/><br/>Please mention the word **KIND** and tag RMTI3LjAuMC4x"
        " when applying.",
        "salary_min": 0,
        "salary_max": 0,
        "url": f"https://remoteOK.com/remote-jobs/{number}",
        **changes,
    }


def arbeitnow(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "slug": f"iam-{number}",
        "company_name": "Acme GmbH",
        "title": "IAM Engineer (m/w/d)",
        "description": "<p>SSO.</p>",
        "remote": True,
        "url": f"https://www.arbeitnow.com/jobs/companies/acme/{number}",
        "tags": ["IT"],
        "job_types": ["berufserfahren", "Full Time"],
        "location": "Berlin",
        "created_at": 1767323045,
        **changes,
    }


def himalayas(number: int = 1, **changes: Any) -> dict[str, Any]:
    link = f"https://himalayas.app/companies/acme/jobs/iam-{number}"
    return {
        "guid": link,
        "applicationLink": link,
        "title": "IAM Engineer",
        "excerpt": "Short",
        "companyName": "Acme",
        "companySlug": "acme-corp",
        "employmentType": "Full Time",
        "minSalary": 40,
        "maxSalary": 60,
        "currency": "USD",
        "salaryPeriod": "hourly",
        "seniority": ["Senior"],
        "locationRestrictions": ["Norway", "Sweden"],
        "categories": ["Identity-Management"],
        "description": "<p>Run SSO.</p>",
        "pubDate": 1767323045,
        **changes,
    }


def jobicy(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "url": f"https://jobicy.com/jobs/{number}-iam",
        "jobTitle": "IAM Engineer",
        "companyName": "Acme",
        "jobIndustry": ["Security &amp; Risk"],
        "jobType": ["Full-Time"],
        "jobGeo": "LATAM,  Hong Kong",
        "jobLevel": "Senior",
        "jobDescription": "<p>Run SSO.</p>",
        "pubDate": "2026-01-02T03:04:05+00:00",
        "salaryMin": 90000,
        "salaryMax": 120000,
        "salaryCurrency": "USD",
        "salaryPeriod": "yearly",
        **changes,
    }


def themuse(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": "IAM Engineer",
        "company": {"id": 1, "name": "Acme"},
        "contents": "<p>Run SSO.</p>",
        "locations": [{"name": "Oslo, Norway"}, {"name": "Flexible / Remote"}],
        "levels": [{"name": "Senior Level"}],
        "categories": [{"name": "IT"}],
        "publication_date": "2026-01-02T03:04:05Z",
        "refs": {"landing_page": f"https://www.themuse.com/jobs/acme/iam-{number}"},
        **changes,
    }


def workingnomads(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "url": f"https://www.workingnomads.com/job/go/{number}/",
        "title": "IAM Engineer",
        "company_name": "Acme",
        "description": "<p>Run SSO.</p>",
        "category_name": "Development",
        "tags": "okta,saml",
        "location": "Europe",
        "pub_date": "2026-01-02T03:04:05-04:00",
        **changes,
    }


def usajobs(number: int = 1, **changes: Any) -> dict[str, Any]:
    job = {
        "PositionID": f"P-{number}",
        "PositionTitle": "IT Specialist (IAM)",
        "OrganizationName": "Acme Agency",
        "PositionURI": f"https://www.usajobs.gov:443/job/{number}",
        "DepartmentName": "Department of Acme",
        "PositionLocation": [{"LocationName": "Oslo, Norway"}],
        "PositionSchedule": [{"Name": "Full-time"}],
        "JobCategory": [{"Name": "Information Technology"}],
        "QualificationSummary": "Know <SAML> & more.",
        "PositionRemuneration": [
            {"MinimumRange": "90000.0", "MaximumRange": "120000", "RateIntervalCode": "PA"}
        ],
        "PublicationStartDate": "2026-01-02T03:04:05.4200",
        "UserArea": {
            "Details": {
                "JobSummary": "Write to hr@acme.example or call 202-555-0100.",
                "MajorDuties": ["Run SSO."],
                "RemoteIndicator": True,
                "SecurityClearance": "Secret",
                "AgencyContactEmail": "boss@acme.example",
                "AgencyContactPhone": "202-555-0199",
            }
        },
    }
    return {"MatchedObjectId": str(number), "MatchedObjectDescriptor": {**job, **changes}}


def adzuna(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "title": "<strong>IAM</strong> Engineer",
        "company": {"display_name": "Acme"},
        "location": {"display_name": "Leeds, West Yorkshire"},
        "description": "Run SSO and …",
        "redirect_url": f"https://www.adzuna.co.uk/jobs/land/ad/{number}?se=x&utm_source=id-secret",
        "salary_min": 50000,
        "salary_max": 50000,
        "salary_is_predicted": "1",
        "contract_time": "full_time",
        "category": {"label": "IT Jobs"},
        "created": "2026-01-02T03:04:05Z",
        **changes,
    }


def hackernews(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "objectID": str(number),
        "parent_id": 7,
        "story_id": 7,
        "author": "someone",
        "created_at_i": 1767323045,
        "comment_text": "Acme | IAM Engineer | Oslo | REMOTE | Full-time<p>Run SSO.",
        **changes,
    }


@dataclasses.dataclass(frozen=True)
class Site:
    board: Board
    make: Callable[..., dict[str, Any]]
    wrap: Callable[[list[Any]], Any]
    path: str
    link: str | None = None


SITES = {
    "remotive": Site(
        Board(kind="remotive", token="all"),
        remotive,
        lambda items: {"jobs": items},
        "/api/remote-jobs",
        "url",
    ),
    "remoteok": Site(
        Board(kind="remoteok", token="tags=security"),
        remoteok,
        lambda items: [{"legal": "Link back."}, *items],
        "/api?tags=security",
        "url",
    ),
    "arbeitnow": Site(
        Board(kind="arbeitnow", token="all"),
        arbeitnow,
        lambda items: {"data": items},
        "/api/job-board-api?page=1",
        "url",
    ),
    "himalayas": Site(
        Board(kind="himalayas", token="country=no&q=iam"),
        himalayas,
        lambda items: {"jobs": items},
        "/jobs/api/search?country=no&q=iam&sort=recent&page=1",
        "applicationLink",
    ),
    "jobicy": Site(
        Board(kind="jobicy", token="tag=iam"),
        jobicy,
        lambda items: {"jobs": items},
        "/api/v2/remote-jobs?count=100&tag=iam",
        "url",
    ),
    "themuse": Site(
        Board(kind="themuse", token="category=IT"),
        themuse,
        lambda items: {"page": 1, "page_count": 1, "results": items},
        "/api/public/jobs?category=IT&page=1&descending=true",
    ),
    "workingnomads": Site(
        Board(kind="workingnomads", token="all"),
        workingnomads,
        lambda items: items,
        "/api/exposed_jobs/",
        "url",
    ),
    "usajobs": Site(
        Board(kind="usajobs", token="Keyword=iam"),
        usajobs,
        lambda items: {"SearchResult": {"SearchResultItems": items}},
        "/api/search?Keyword=iam&ResultsPerPage=250&Page=1&SortField=opendate&SortDirection=desc",
    ),
    "adzuna": Site(
        Board(kind="adzuna", token="country=gb&what=iam"),
        adzuna,
        lambda items: {"results": items},
        "/v1/api/jobs/gb/search/1?app_id=id-secret&app_key=key%2Fsecret&results_per_page=50&sort_by=date&what=iam",
        "redirect_url",
    ),
    "hackernews": Site(
        Board(kind="hackernews", token="whoishiring"), hackernews, lambda items: {"hits": items}, ""
    ),
}
every_site = pytest.mark.parametrize("site", SITES.values(), ids=SITES)
#: Hacker News is asked twice, and leaves out what is no posting.
READ_AT_ONCE = [name for name in SITES if name != "hackernews"]


def parse(kind: str, *items: Any) -> Page:
    site = SITES[kind]
    return KINDS[kind].parse(json.dumps(site.wrap(list(items))).encode(), site.board)


def one(kind: str, item: Any) -> Posting:
    page = parse(kind, item)
    assert page.unparsed == ()
    (posting,) = page.postings
    return posting


def read(
    board: Board,
    answer: Callable[[Asked], Reply],
    validators: Validators | None = None,
    chosen: Settings = KEYS,
) -> tuple[list[Page], list[Asked]]:
    with serving(answer) as server:
        kind = KINDS[board.kind]
        play = dataclasses.replace(chosen, origin_overrides=dict.fromkeys(kind.origins, server.origin))
        with Door(play, kind=board.kind, sleep=lambda _: None) as door:
            return list(kind.read(board, door, validators or Validators())), server.asked


# --- Recognising ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "token", "title"),
    [
        ("https://remotive.com", "remotive", "all", "Remotive"),
        ("https://remotive.com/remote-jobs/software-dev/iam-1", "remotive", "all", "Remotive"),
        ("https://remotive.com/api/remote-jobs?search=iam", "remotive", "all", "Remotive"),
        ("https://remoteok.com/remote-security-jobs", "remoteok", "tags=security", "Remote OK: security"),
        ("https://remoteok.com/api?tags=infosec", "remoteok", "tags=infosec", "Remote OK: infosec"),
        ("remoteOK.com", "remoteok", "all", "Remote OK"),
        ("https://www.arbeitnow.com/jobs", "arbeitnow", "all", "Arbeitnow"),
        ("https://himalayas.app/jobs?q=identity", "himalayas", "q=identity", "Himalayas: identity"),
        (
            "https://himalayas.app/jobs/api/search?query=iam&country=NO",
            "himalayas",
            "country=NO&q=iam",
            "Himalayas: NO, iam",
        ),
        ("https://himalayas.app/jobs/api?limit=20&offset=40", "himalayas", "all", "Himalayas"),
        ("https://jobicy.com/?tag=iam&geo=europe", "jobicy", "geo=europe&tag=iam", "Jobicy: europe, iam"),
        ("https://jobicy.com/api/v2/remote-jobs?count=50", "jobicy", "all", "Jobicy"),
        ("https://www.themuse.com/search/location/oslo", "themuse", "all", "The Muse"),
        (
            "https://www.themuse.com/api/public/jobs?category=IT&page=3",
            "themuse",
            "category=IT",
            "The Muse: IT",
        ),
        ("https://www.workingnomads.com/jobs?category=development", "workingnomads", "all", "Working Nomads"),
        ("https://weworkremotely.com/remote-jobs.rss", "weworkremotely", "all", "We Work Remotely"),
        ("https://weworkremotely.com/remote-jobs/acme-iam", "weworkremotely", "all", "We Work Remotely"),
        ("weworkremotely.com", "weworkremotely", "all", "We Work Remotely"),
        (
            "https://weworkremotely.com/categories/remote-devops-sysadmin-jobs.rss",
            "weworkremotely",
            "remote-devops-sysadmin-jobs",
            "We Work Remotely: devops sysadmin",
        ),
        (
            "https://www.usajobs.gov/search/results/?k=identity&l=Texas&p=2",
            "usajobs",
            "Keyword=identity&LocationName=Texas",
            "USAJobs: identity, Texas",
        ),
        ("https://data.usajobs.gov/api/search?Keyword=iam", "usajobs", "Keyword=iam", "USAJobs: iam"),
        (
            "https://www.adzuna.co.uk/search?q=iam&w=Leeds",
            "adzuna",
            "country=gb&what=iam&where=Leeds",
            "Adzuna GB: iam, Leeds",
        ),
        (
            "https://api.adzuna.com/v1/api/jobs/us/search/1?app_id=a&app_key=b&what=iam",
            "adzuna",
            "country=us&what=iam",
            "Adzuna US: iam",
        ),
        ("https://www.adzuna.de", "adzuna", "country=de", "Adzuna DE"),
        (
            "https://news.ycombinator.com/submitted?id=whoishiring",
            "hackernews",
            "whoishiring",
            "Hacker News: Who is hiring?",
        ),
        (
            "https://news.ycombinator.com/item?id=47975571",
            "hackernews",
            "whoishiring",
            "Hacker News: Who is hiring?",
        ),
    ],
)
def test_a_sites_address_is_recognised_with_its_search(url: str, kind: str, token: str, title: str) -> None:
    board = recognise(url)
    assert (board.kind, board.token, board.title) == (kind, token, title)
    assert recognise(board.url) == board


@pytest.mark.parametrize(
    "url",
    [
        "https://remotive.com.evil.example/",
        "https://evil.example/remotive.com",
        "https://news.ycombinator.com/",
        "https://api.adzuna.com/v1/api/version",
        "https://adzuna.example/search",
        "https://blog.himalayas.app/x",
    ],
)
def test_addresses_that_only_look_like_a_sites_are_not(url: str) -> None:
    with pytest.raises(UnknownBoard):
        recognise(url)


def test_the_longest_search_fits_into_the_database() -> None:
    words = "%E7%9A%84" * 100
    board = recognise(f"https://himalayas.app/jobs?q={words}&country={words}&company={words}&seniority=x")
    assert len(board.token) <= 500
    assert recognise(board.url) == board


# --- Asking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READ_AT_ONCE)
def test_a_site_is_read_at_its_address(kind: str) -> None:
    site = SITES[kind]
    pages, asked = read(site.board, lambda _: reply(json.dumps(site.wrap([site.make()])).encode()))
    assert [each.path for each in asked] == [site.path]
    assert sum(len(page.postings) for page in pages) == 1


@pytest.mark.parametrize("kind", [kind for kind in READ_AT_ONCE if kind != "adzuna"])
def test_a_sites_validators_are_kept_sent_and_believed(kind: str) -> None:
    site = SITES[kind]
    validators = Validators()

    def answer(asked: Asked) -> bytes:
        if asked.headers.get("if-none-match") == '"v1"':
            return reply(b"", 304)
        return reply(json.dumps(site.wrap([site.make()])).encode(), ETag='"v1"')

    read(site.board, answer, validators)
    with pytest.raises(NotModified):
        read(site.board, answer, validators)


@every_site
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"<!doctype html><title>Hello</title>", Reason.NOT_A_LISTING),
        (b'{"error": 1}', Reason.NOT_A_LISTING),
        (b'"x"', Reason.NOT_A_LISTING),
        (b'{"jobs": [', Reason.TRUNCATED),
        (b"[" * 100_000, Reason.NOT_A_LISTING),
    ],
)
def test_an_answer_that_is_no_list_has_its_name(site: Site, body: bytes, reason: Reason) -> None:
    with pytest.raises(FetchError) as caught:
        read(site.board, lambda _: reply(body, ETag='"x"'), validators := Validators())
    assert caught.value.reason is reason
    assert validators == Validators()


def numbered(asked: Asked) -> int:
    query = parse_qs(urlsplit(asked.path).query)
    if asked.path.startswith("/v1/api/jobs/"):
        return int(asked.path.split("?")[0].rsplit("/", 1)[1])
    if "offset" in query:
        return int(query["offset"][0]) // 20 + 1
    return int(query.get("page", query.get("Page", ["1"]))[0])


@pytest.mark.parametrize(
    ("kind", "size", "most"),
    [
        ("arbeitnow", 30, 4),
        ("himalayas", 20, 10),
        ("themuse", 20, 10),
        ("usajobs", 250, 4),
        ("adzuna", 50, 4),
    ],
)
def test_a_site_is_read_page_by_page_to_its_end_or_its_cap(kind: str, size: int, most: int) -> None:
    site = SITES[kind]

    def pages_of(count: int) -> Callable[[Asked], bytes]:
        def answer(asked: Asked) -> bytes:
            number = numbered(asked)
            items = [site.make(n) for n in range(count)[(number - 1) * size : number * size]]
            document = site.wrap(items)
            if kind == "themuse":
                document |= {"page": number, "page_count": -(-count // size)}
            if kind == "arbeitnow":
                document["links"] = {"next": "https://elsewhere.example/" if number * size < count else None}
            return reply(json.dumps(document).encode(), ETag='"v"')

        return answer

    validators = Validators()
    pages, asked = read(site.board, pages_of(size + 1), validators)
    assert len(asked) == 2
    assert len({posting.source_job_id for page in pages for posting in page.postings}) == size + 1
    assert validators == Validators(), "a first page that did not change says nothing of the second"
    pages, asked = read(site.board, pages_of(size * most * 3))
    assert len(asked) == most
    assert sum(len(page.postings) for page in pages) == size * most


@pytest.mark.parametrize("kind", ["himalayas", "usajobs", "adzuna"])
def test_a_site_that_does_not_know_of_pages_is_not_read_for_ever(kind: str) -> None:
    site = SITES[kind]
    same = reply(json.dumps(site.wrap([site.make(n) for n in range(250)])).encode())
    pages, asked = read(site.board, lambda _: same)
    assert len(asked) == 2
    assert sum(len(page.postings) for page in pages) == 250


def test_remotive_is_asked_four_times_a_day_at_most_and_not_again_when_it_fails() -> None:
    assert KINDS["remotive"].interval * 4 >= dt.timedelta(days=1)
    with serving(lambda _: reply(b"", 500)) as server:
        play = Settings(origin_overrides={"https://remotive.com": server.origin})
        with Door(play, kind="remotive", sleep=lambda _: None) as door, pytest.raises(FetchError):
            list(KINDS["remotive"].read(SITES["remotive"].board, door, Validators()))
        assert len(server.asked) == 1


def test_a_site_that_has_moved_is_not_told_as_a_board_that_there_is_not() -> None:
    with pytest.raises(FetchError) as caught:
        read(SITES["jobicy"].board, lambda _: reply(b"", 404))
    assert "knows no board" not in caught.value.text


# --- Keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        ("usajobs", ("SCOUT_USAJOBS_EMAIL", "SCOUT_USAJOBS_KEY")),
        ("adzuna", ("SCOUT_ADZUNA_APP_ID", "SCOUT_ADZUNA_APP_KEY")),
    ],
)
def test_a_site_with_keys_is_off_until_they_are_set(kind: str, variables: tuple[str, str]) -> None:
    with serving(lambda _: reply(b"{}")) as server:
        play = Settings(origin_overrides=dict.fromkeys(KINDS[kind].origins, server.origin))
        with Door(play, kind=kind) as door, pytest.raises(FetchError) as caught:
            list(KINDS[kind].read(SITES[kind].board, door, Validators()))
        assert server.asked == []
    assert caught.value.reason is Reason.NO_KEY
    assert all(variable in caught.value.text for variable in variables)
    assert off(KINDS[kind], KEYS) == ""


def test_usajobs_gets_its_key_and_address_as_headers() -> None:
    _, asked = read(SITES["usajobs"].board, lambda _: reply(b'{"SearchResult": {"SearchResultItems": []}}'))
    assert asked[0].headers["user-agent"] == "owner@example.com"
    assert asked[0].headers["authorization-key"] == "us-secret"


@pytest.mark.parametrize(
    "answer",
    [
        reply(b""),
        reply(b"<title>Just a moment</title><p>cf-chl-x"),
        reply(b"", 302),
        reply(b"", 302, Location="/v1/api/jobs/gb/search/1?app_id=id-secret&app_key=key%2Fsecret"),
        reply(b"", 401),
        reply(b"", 404),
        reply(b"", 500),
    ],
)
def test_adzunas_keys_are_in_no_error_and_no_validator(answer: bytes) -> None:
    validators = Validators()
    with pytest.raises(FetchError) as caught:
        read(SITES["adzuna"].board, lambda _: answer, validators)
    assert "secret" not in caught.value.text
    item = json.dumps({"results": [adzuna()]}).encode()
    pages, _ = read(SITES["adzuna"].board, lambda _: reply(item, ETag='"x"'), validators)
    assert validators == Validators()
    assert "secret" not in repr(pages)


def test_secrets_are_not_in_the_settings_text() -> None:
    assert "secret" not in repr(KEYS)


# --- Parsing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", READ_AT_ONCE)
def test_odd_postings_of_a_site_are_sentences_and_the_others_are_read(kind: str) -> None:
    odd: list[object] = [None, 7, "posting", [], {}]
    page = parse(kind, SITES[kind].make(1), *odd, SITES[kind].make(2))
    assert len(page.postings) == 2
    assert len(page.unparsed) == len(odd)
    link = SITES[kind].link
    if link:
        page = parse(kind, SITES[kind].make(1, **{link: "javascript:alert(1)"}))
        assert "has no link that can be followed" in page.unparsed[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(
    {name for site in SITES.values() for name in site.make()} | set(usajobs()["MatchedObjectDescriptor"])
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=12), max_size=3))
def test_no_list_of_whatever_makes_an_exception(items: list[Any]) -> None:
    for kind, site in SITES.items():
        made = [
            site.make(n, **item) if kind == "usajobs" else {**site.make(n), **item}
            for n, item in enumerate(items)
        ]
        for posting in parse(kind, *made).postings:
            repr(posting).encode("utf-8")
            assert posting.posted_at is None or posting.posted_at <= clock.now()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_another_exception_than_the_named_one(body: bytes) -> None:
    for kind, site in SITES.items():
        for each in (body, b'{"jobs": [' + body + b"]}"):
            with contextlib.suppress(FetchError):
                KINDS[kind].parse(each, site.board)


@every_site
def test_a_site_fills_the_fields_that_it_says(site: Site) -> None:
    changes: dict[str, dict[str, Any]] = {
        "adzuna": {"title": "IAM Engineer (remote)"},
        "remoteok": {"salary_min": 1, "location": "Remote"},
    }
    kind = KINDS[site.board.kind]
    if kind.name == "hackernews":
        posting = one(
            "hackernews", hackernews(comment_text="A | IAM Engineer | Oslo | REMOTE | Full-time | $90k<p>x")
        )
    else:
        posting = one(kind.name, site.make(**changes.get(kind.name, {})))
    said = set(kind.about.fills)  # type: ignore[attr-defined]
    unsaid = {"source_job_id", "title", "company", "url", "remote_evidence", "description_html"}
    filled = {
        each.name
        for each in dataclasses.fields(posting)
        if getattr(posting, each.name) not in (None, "", (), Remote.UNKNOWN)
    }
    assert filled - unsaid == said


def test_times_places_and_pay_are_brought_to_one_form() -> None:
    posted = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    for kind in ("remotive", "remoteok", "arbeitnow", "himalayas", "jobicy", "themuse", "adzuna"):
        assert one(kind, SITES[kind].make()).posted_at == posted, kind
    assert one("remotive", remotive()).locations == ("Americas", "Europe")
    assert one("jobicy", jobicy()).locations == ("LATAM", "Hong Kong")
    assert one("jobicy", jobicy()).department == "Security & Risk"
    assert one("remoteok", remoteok()).locations == ("Oslo",)
    pay = one("himalayas", himalayas()).salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period) == (40, 60, "USD", "hour")
    pay = one("remotive", remotive()).salary
    assert pay is not None
    assert (pay.minimum, pay.raw) == (None, "$90k - $120k")


def test_zero_pay_is_unknown() -> None:
    assert one("remoteok", remoteok()).salary is None
    assert one("remoteok", remoteok(salary_min=60000)).salary is not None


def test_remote_ok_does_not_make_jobs_remote_and_loses_its_request() -> None:
    posting = one("remoteok", remoteok())
    assert posting.remote is Remote.UNKNOWN
    assert posting.description_text == "Run SSO."
    assert posting.url == "https://remoteok.com/remote-jobs/1"


def test_sites_of_remote_jobs_say_so_unless_the_posting_says_otherwise() -> None:
    assert one("jobicy", jobicy()).remote_evidence == "Jobicy lists remote jobs only"
    assert one("jobicy", jobicy(jobTitle="IAM Engineer (hybrid)")).remote is Remote.HYBRID
    assert one("arbeitnow", arbeitnow(remote=False)).remote is Remote.UNKNOWN
    assert one("themuse", themuse()).remote is Remote.REMOTE


def test_himalayas_answers_with_a_fields_name_for_a_company() -> None:
    assert one("himalayas", himalayas(companyName="name")).company == "Acme Corp"


def test_usajobs_keeps_no_contacts_and_drops_the_port() -> None:
    posting = one("usajobs", usajobs())
    assert posting.url == "https://www.usajobs.gov/job/1"
    assert posting.remote is Remote.REMOTE
    assert posting.requisition_id == "P-1"
    assert (posting.company, posting.department) == ("Acme Agency", "Department of Acme")
    assert posting.salary is not None
    assert posting.salary.period == "year"
    kept = repr(posting)
    assert "acme.example" not in kept
    assert "555-01" not in kept
    assert "Know <SAML> & more." in posting.description_text or "Know" in posting.description_text


@pytest.mark.parametrize(
    ("said", "origin"), [("1", "predicted"), ("0", "employer"), (None, "predicted"), (0, "employer")]
)
def test_adzunas_predicted_pay_is_not_the_employers(said: Any, origin: str) -> None:
    posting = one("adzuna", adzuna(salary_is_predicted=said))
    assert posting.salary is not None
    assert (posting.salary.origin, posting.salary.currency) == (origin, "GBP")
    assert posting.title == "IAM Engineer"
    assert posting.url == "https://www.adzuna.co.uk/jobs/land/ad/1"


# --- We Work Remotely -------------------------------------------------------------------------------------

WWR = Board(kind="weworkremotely", token="all")
ITEM = (
    "<title>Acme: Lead: Identity</title><region>Anywhere in the World</region><country>🇳🇴 Norway</country>"
    "<skills>Okta, SAML, and PKI</skills><category>DevOps</category><type>Full-Time</type>"
    "<description>&lt;p&gt;Run SSO.&lt;/p&gt;</description><pubDate>Fri, 02 Jan 2026 03:04:05 +0000</pubDate>"
    "<guid>https://weworkremotely.com/remote-jobs/acme-lead</guid>"
    "<link>https://weworkremotely.com/remote-jobs/acme-lead</link>"
)


def rss(*items: str) -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f"<rss version='2.0'><channel><title>We Work Remotely</title>{body}</channel></rss>".encode()


def test_we_work_remotely_is_read_by_its_own_fields() -> None:
    pages, asked = read(WWR, lambda _: reply(rss(ITEM)))
    assert asked[0].path == "/remote-jobs.rss"
    ((posting,),) = [page.postings for page in pages]
    assert (posting.company, posting.title) == ("Acme", "Lead: Identity")
    assert posting.locations == ("Anywhere in the World", "Norway")
    assert posting.tags == ("Okta", "SAML", "PKI")
    assert (posting.department, posting.employment_type) == ("DevOps", "full_time")
    assert posting.remote is Remote.REMOTE
    category = dataclasses.replace(WWR, token="remote-devops-sysadmin-jobs")
    assert read(category, lambda _: reply(rss()))[1][0].path == "/categories/remote-devops-sysadmin-jobs.rss"


def test_we_work_remotely_entries_without_a_company_are_sentences() -> None:
    page = KINDS["weworkremotely"].parse(
        rss("<title>Lead</title><link>https://weworkremotely.com/1</link>", ITEM), WWR
    )
    assert len(page.postings) == 1
    assert "has no title after its company's name" in page.unparsed[0]


# --- Hacker News ------------------------------------------------------------------------------------------


def told(first: str, rest: str = "Run SSO.") -> list[Posting]:
    page = parse("hackernews", hackernews(comment_text=f"{first}<p>{rest}"))
    assert page.unparsed == ()
    return list(page.postings)


@pytest.mark.parametrize(
    ("line", "company", "titles", "places", "remote"),
    [
        (
            "Acme | IAM Engineer | Oslo, Norway | ONSITE | Full-time",
            "Acme",
            ["IAM Engineer"],
            ("Oslo, Norway",),
            "onsite",
        ),
        (
            "Acme|Remote, Europe|Senior IAM Engineer",
            "Acme",
            ["Senior IAM Engineer"],
            ("Remote, Europe",),
            "remote",
        ),
        (
            "Oslo, Norway | Acme | IAM Architect | HYBRID",
            "Acme",
            ["IAM Architect"],
            ("Oslo, Norway",),
            "hybrid",
        ),
        (
            'Acme (<a href="https:&#x2F;&#x2F;a.example">a.example</a>) | IAM Engineer | Remote',
            "Acme",
            ["IAM Engineer"],
            (),
            "remote",
        ),
        (
            "Acme | https://acme.example | IAM Engineer + PKI Architect | REMOTE (Europe &#x2F; UK)",
            "Acme",
            ["IAM Engineer", "PKI Architect"],
            ("REMOTE (Europe/UK)",),
            "remote",
        ),
        (
            "Acme | IAM Engineers, Product Managers &amp; Data Scientists | Oslo",
            "Acme",
            ["IAM Engineers", "Product Managers", "Data Scientists"],
            ("Oslo",),
            "unknown",
        ),
        (
            "Acme | Staff, Lead &amp; Junior IAM Engineers | Oslo",
            "Acme",
            ["Staff, Lead & Junior IAM Engineers"],
            ("Oslo",),
            "unknown",
        ),
        (
            "SEEKING FREELANCER | Acme (REMOTE) | Okta Engineer | Contract",
            "Acme",
            ["Okta Engineer"],
            (),
            "remote",
        ),
        (
            "IAM Editor for The Post at The Times | Full-time | Oslo or Bergen",
            "The Times",
            ["IAM Editor for The Post"],
            ("Oslo", "Bergen"),
            "unknown",
        ),
        (
            "IAM Engineer | Oslo, Norway | Onsite",
            "Not named (Hacker News)",
            ["IAM Engineer"],
            ("Oslo, Norway",),
            "onsite",
        ),
        ("Acme is hiring for multiple roles | Remote", "Acme", ["Roles at Acme"], (), "remote"),
        (
            "*Acme | IAM Engineer | ONSITE (part remote)*",
            "Acme",
            ["IAM Engineer"],
            ("ONSITE (part remote)",),
            "hybrid",
        ),
        (
            "Acme, Inc. | IAM Engineer | visa sponsorship | Oslo",
            "Acme, Inc.",
            ["IAM Engineer"],
            ("Oslo",),
            "unknown",
        ),
    ],
)
def test_a_first_line_is_read_in_any_order(
    line: str, company: str, titles: list[str], places: tuple[str, ...], remote: str
) -> None:
    postings = told(line)
    assert [posting.title for posting in postings] == titles
    assert {posting.company for posting in postings} == {company}
    assert {posting.locations for posting in postings} == {places}
    assert {posting.remote.value for posting in postings} == {remote}
    assert len({posting.source_job_id for posting in postings}) == len(titles)
    assert {posting.url for posting in postings} == {"https://news.ycombinator.com/item?id=1"}


def test_pay_and_kind_of_employment_are_found_in_the_first_line() -> None:
    (posting,) = told("Acme | IAM Engineer | $150k-$180k + equity | Contract (1099)")
    assert posting.employment_type == "contract"
    assert posting.salary is not None
    assert posting.salary.raw == "$150k-$180k + equity"


def test_replies_questions_and_deleted_comments_are_left_out() -> None:
    page = parse(
        "hackernews",
        hackernews(1, parent_id=99),
        hackernews(2, comment_text="Is this still open?"),
        hackernews(3, comment_text=None),
        hackernews(4, comment_text="| |"),
        hackernews(5, parent_id=None, story_id=None),
        hackernews(6),
    )
    assert [posting.source_job_id for posting in page.postings] == ["6"]
    assert page.unparsed == ()


def test_no_author_mail_address_or_phone_number_is_kept() -> None:
    (posting,) = told(
        "Acme | IAM Engineer | Oslo | jane.doe@acme.example",
        "Write to jane [at] acme [dot] example, joe at acme dot example, "
        "<a href='mailto:x@acme.example'>us</a> or (202) 555-0100, +47 22 22 55 50. We are at acme.example.",
    )
    assert posting.locations == ("Oslo",)
    kept = repr(posting)
    for contact in ("jane", "joe", "x@", "someone", "555-0100", "22 55"):
        assert contact not in kept
    assert "We are at acme.example." in posting.description_text


def test_the_newest_thread_is_read_with_only_its_own_comments() -> None:
    stories = [
        {"objectID": "5", "title": "Ask HN: Who is hiring? (May 2026)", "created_at_i": 50},
        {"objectID": "7", "title": "Ask HN: Who is hiring? (June 2026)", "created_at_i": 70},
        {"objectID": "8", "title": "Ask HN: Who wants to be hired? (June 2026)", "created_at_i": 80},
        {"objectID": "../9", "title": "Ask HN: Who is hiring? (odd)", "created_at_i": 90},
        {"title": None},
        None,
    ]

    def answer(asked: Asked) -> bytes:
        if "tags=story" in asked.path:
            return reply(json.dumps({"hits": stories}).encode())
        first = "page=0" in asked.path
        return reply(json.dumps({"hits": [hackernews(1 if first else 2)], "nbPages": 2}).encode())

    pages, asked = read(SITES["hackernews"].board, answer)
    assert all("story_7" in each.path for each in asked[1:])
    assert [posting.source_job_id for page in pages for posting in page.postings] == ["1", "2"]
    with pytest.raises(FetchError, match="Who is hiring"):
        read(SITES["hackernews"].board, lambda _: reply(b'{"hits": []}'))


def test_in_a_day_of_the_schedule_remotive_is_asked_at_most_four_times(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scout.sources, "KINDS", KINDS)
    # A server on this machine is owed no courtesy; here it stands for the site.
    monkeypatch.setattr(schedule, "played_here", lambda *_, **__: False)
    with serving(lambda _: reply(json.dumps({"jobs": [remotive()]}).encode())) as server:
        chosen = dataclasses.replace(world.settings, origin_overrides={"https://remotive.com": server.origin})
        with world.db.session() as session:
            slug = watchlist.add(session, recognise("https://remotive.com")).slug
        for _ in range(24 * 6):
            with world.db.reading() as session:
                due_at = watchlist.get(session, slug).next_scan_at
            assert due_at is not None
            if due_at <= clock.now():
                _, (result_id,) = world.ask(slug)
                scanning.scan(world.db, chosen, result_id, worker="test")
            world.later(minutes=10)
        assert 3 <= len(server.asked) <= 4
        with world.db.reading() as session:
            assert "Remotive boards are asked no more often" in watchlist.get(session, slug).next_scan_why


def test_a_site_that_is_off_fails_its_scan_with_a_sentence_and_closes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scout.sources, "KINDS", KINDS)
    with world.db.session() as session:
        slug = watchlist.add(session, recognise("https://www.usajobs.gov/search/results/?k=iam")).slug
    _, (result_id,) = world.ask(slug)
    scanning.scan(world.db, world.settings, result_id, worker="test")
    result = world.result(result_id)
    assert result.reason == "no_key"
    assert "SCOUT_USAJOBS_KEY" in result.error
    assert result.reason in runs.REASON_TEXT
