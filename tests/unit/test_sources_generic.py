"""Kinds that need no code for a site: JobPosting in pages, sitemaps of them, described lists."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scout import clock
from scout.fetch import Door, FetchError, Reason
from scout.postings import Posting, Remote
from scout.settings import Settings
from scout.sources import KINDS, UnknownBoard, at, mapped, recognise, sitemap
from scout.sources.board import Board, NotModified, Page, Validators
from tests.serving import Asked, Reply, reply, serving

ADDRESS = "https://acme.example/jobs/1"
PAGE = Board(kind="jobposting", token=ADDRESS, company="acme.example")


def job(**changes: Any) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": "IAM Engineer",
        "description": "<p>Run SSO.</p>",
        "datePosted": "2026-01-02",
        "employmentType": "FULL_TIME",
        "hiringOrganization": {"@type": "Organization", "name": "Acme &amp; Sons"},
        "jobLocation": {"@type": "Place", "address": {"addressLocality": "Oslo", "addressCountry": "NO"}},
        **changes,
    }


def html(*documents: Any, kind: str = "application/ld+json") -> bytes:
    scripts = "".join(
        f'<script type="{kind}">{each if isinstance(each, str) else json.dumps(each)}</script>'
        for each in documents
    )
    return f"<!doctype html><html><head><title>Job</title>{scripts}</head><body>x</body></html>".encode()


def parsed(*documents: Any, **kind: str) -> Page:
    return KINDS["jobposting"].parse(html(*documents, **kind), PAGE)


def one(*documents: Any, **kind: str) -> Posting:
    page = parsed(*documents, **kind)
    assert page.unparsed == ()
    (posting,) = page.postings
    return posting


# --- JobPosting -------------------------------------------------------------------------------------------

TEXT = json.dumps(job())
FORMS: dict[str, str] = {
    "plain": TEXT,
    "a list": f"[{TEXT}]",
    "a graph": json.dumps({"@context": "https://schema.org", "@graph": [{"@type": "WebSite"}, job()]}),
    "a page's main entity": json.dumps({"@type": "WebPage", "mainEntity": job()}),
    "an item list": json.dumps(
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": job()}]}
    ),
    "one type of several": json.dumps(job(**{"@type": ["Thing", "JobPosting"]})),
    "a type that is an address": json.dumps(job(**{"@type": "http://schema.org/JobPosting"})),
    "names in odd case": json.dumps(
        {name.upper() if name[0] != "@" else name: value for name, value in job().items()}
    ),
    "a comment around it": f"<!--\n{TEXT}\n-->",
    "CDATA around it": f"//<![CDATA[\n{TEXT}\n//]]>",
    "a styled CDATA around it": f"/*<![CDATA[*/ {TEXT} /*]]>*/",
    "a semicolon after it": f"{TEXT};",
    "commas before closing brackets": TEXT.replace("}}", "},}").removesuffix("}") + " , }",
    "line breaks inside of texts": TEXT.replace("Run SSO.", "Run\nSSO."),
    "everything escaped": TEXT.replace('"', "&quot;"),
    "a byte order mark": f"\ufeff{TEXT}",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_json_ld_is_read_in_each_odd_form(form: str) -> None:
    posting = one(form)
    assert (posting.title, posting.company) == ("IAM Engineer", "Acme & Sons")
    assert posting.locations == ("Oslo, NO",)
    assert posting.employment_type == "full_time"
    assert posting.posted_at == dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert "SSO" in posting.description_text
    assert posting.source_job_id == posting.url == ADDRESS


@pytest.mark.parametrize("kind", ["application/ld+json; charset=utf-8", " APPLICATION/LD+JSON "])
def test_the_scripts_type_is_read_in_each_form(kind: str) -> None:
    assert one(job(), kind=kind).title == "IAM Engineer"


@pytest.mark.parametrize(
    "script", ["", "{", "null", "7", '{"@type": "Organization"}', '{"@type": 7}', "[" * 50_000]
)
def test_other_scripts_say_nothing_and_keep_no_posting_away(script: str) -> None:
    assert one(script, job()).title == "IAM Engineer"
    assert parsed(script).postings == ()


def test_several_postings_of_one_page_are_told_apart() -> None:
    page = parsed(
        job(title="A", url="/jobs/a"),
        job(title="B", identifier={"@type": "PropertyValue", "name": "Acme", "value": 17}),
        job(title="C"),
    )
    assert [each.source_job_id for each in page.postings] == ["/jobs/a", "17", "C"]
    assert page.postings[0].url == "https://acme.example/jobs/a"
    assert page.postings[1].requisition_id == "17"


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("Oslo", ("Oslo",)),
        (["Oslo", {"@type": "Place", "address": "Bergen, NO"}], ("Oslo", "Bergen, NO")),
        (
            {"address": {"addressLocality": "X", "addressRegion": "X", "addressCountry": {"name": "NO"}}},
            ("X, NO",),
        ),
        ({"Address": {"AddressLocality": "Oslo"}}, ("Oslo",)),
        ({"name": "Head office"}, ("Head office",)),
        (None, ()),
        (7, ()),
    ],
)  # fmt: skip
def test_places_are_objects_texts_or_lists(place: Any, found: tuple[str, ...]) -> None:
    assert one(job(jobLocation=place)).locations == found


def test_telecommuting_is_remote_with_the_countries_that_it_is_open_to() -> None:
    posting = one(
        job(
            jobLocation=None,
            jobLocationType="TELECOMMUTE",
            applicantLocationRequirements=[
                {"@type": "Country", "name": "NO"},
                {"@type": "Country", "name": "SE"},
            ],
        )
    )
    assert posting.remote is Remote.REMOTE
    assert posting.locations == ("NO", "SE")


@pytest.mark.parametrize(
    ("pay", "found"),
    [
        (
            {"currency": "EUR", "value": {"minValue": 1, "maxValue": "2", "unitText": "HOUR"}},
            (1, 2, "EUR", "hour"),
        ),
        ({"currency": "EUR", "value": {"value": 5, "unitText": "YEAR"}}, (5, 5, "EUR", "year")),
        ({"currency": "EUR", "value": 5, "unitText": "MONTH"}, (5, 5, "EUR", "month")),
        ([{"currency": "EUR", "value": [{"minValue": 1}]}], (1, None, "EUR", "")),
        (90000, (90000, 90000, "", "")),
        ({"value": {"minValue": 0, "maxValue": 0}}, None),
        ("competitive", None),
        ({}, None),
    ],
)
def test_pay_is_read_in_each_form(pay: Any, found: tuple[Any, ...] | None) -> None:
    salary = one(job(baseSalary=pay)).salary
    assert (salary and (salary.minimum, salary.maximum, salary.currency, salary.period)) == found


def test_a_posting_whose_time_is_over_is_left_out() -> None:
    ended = (clock.now() - dt.timedelta(days=2)).date().isoformat()
    assert parsed(job(validThrough=ended)) == Page(postings=())
    for going_on in (clock.now().date().isoformat(), "2999-01-01T00:00:00Z", "soon", None, 7):
        assert one(job(validThrough=going_on)).title == "IAM Engineer"


def test_a_hostile_description_is_made_safe_and_keeps_no_contacts() -> None:
    posting = one(
        job(description="&lt;p&gt;Run&lt;script&gt;x()&lt;/script&gt; SSO.\\nMail hr@acme.example&lt;/p&gt;")
    )
    assert "script" not in posting.description_html
    assert posting.description_text.startswith("Run SSO.")
    assert "acme.example" not in posting.description_text


def test_a_posting_without_what_it_needs_is_a_sentence() -> None:
    page = parsed(job(title=None), job(title="A"))
    assert len(page.postings) == 1
    assert "has no title" in page.unparsed[0]
    nobody = Board(kind="jobposting", token=ADDRESS)
    page = KINDS["jobposting"].parse(html(job(hiringOrganization=None)), nobody)
    assert "has no company" in page.unparsed[0]
    assert one(job(hiringOrganization=None)).company == "acme.example"
    assert one(job(url="javascript:alert(1)")).url == ADDRESS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *job(),
    "url",
    "identifier",
    "baseSalary",
    "jobLocationType",
    "validThrough",
    "applicantLocationRequirements",
]


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=10), st.binary(max_size=60))
def test_no_page_of_whatever_makes_an_exception(changes: dict[str, Any], noise: bytes) -> None:
    body = html(json.dumps({**job(), **changes}).replace("</", "<\\/")) + noise
    for posting in KINDS["jobposting"].parse(body, PAGE).postings:
        repr(posting).encode("utf-8")


def read(
    kind: str,
    token: str,
    answer: Callable[[Asked], Reply],
    validators: Validators | None = None,
    chosen: Settings | None = None,
) -> tuple[list[Page], list[Asked]]:
    with serving(answer) as server:
        play = Settings(
            origin_overrides={"https://acme.example": server.origin},
            json_feeds=chosen.json_feeds if chosen else "",
        )
        with Door(play, kind=kind, sleep=lambda _: None) as door:
            board = Board(kind=kind, token=token, company="Acme")
            return list(KINDS[kind].read(board, door, validators or Validators())), server.asked


def test_a_page_is_asked_for_again_with_its_validators() -> None:
    validators = Validators()

    def answer(asked: Asked) -> bytes:
        return reply(b"", 304) if "if-none-match" in asked.headers else reply(html(job()), ETag='"1"')

    pages, asked = read("jobposting", ADDRESS, answer, validators)
    assert [each.path for each in asked] == ["/jobs/1"]
    assert len(pages[0].postings) == 1
    with pytest.raises(NotModified):
        read("jobposting", ADDRESS, answer, validators)


def test_a_page_without_postings_is_no_listing() -> None:
    with pytest.raises(FetchError) as caught:
        read("jobposting", ADDRESS, lambda _: reply(html()))
    assert caught.value.reason is Reason.NOT_A_LISTING
    assert "JavaScript" in caught.value.text


# --- Sitemaps ---------------------------------------------------------------------------------------------

MAP = "https://acme.example/sitemap.xml"


def urlset(*entries: tuple[str, str], tag: str = "url", root: str = "urlset") -> bytes:
    body = "".join(
        f"<{tag}><loc>{address}</loc>{f'<lastmod>{changed}</lastmod>' if changed else ''}</{tag}>"
        for address, changed in entries
    )
    return f"<?xml version='1.0'?><{root} xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{body}</{root}>".encode()


class Site:
    """A site with a map, a robots file and pages."""

    def __init__(self, *entries: tuple[str, str], robots: str = "", etags: bool = False) -> None:
        self.files: dict[str, bytes | int] = {
            "/sitemap.xml": urlset(*((f"https://acme.example{path}", changed) for path, changed in entries))
        }
        if robots:
            self.files["/robots.txt"] = robots.encode()
        for path, _ in entries:
            self.files[path] = html(job(title=f"Job {path}"))
        self.etags = etags

    def __call__(self, asked: Asked) -> bytes:
        found = self.files.get(asked.path, 404)
        if isinstance(found, int):
            return reply(b"", found)
        tag = f'"{hash(found)}"'
        if self.etags and asked.headers.get("if-none-match") == tag:
            return reply(b"", 304)
        tagged = self.etags and not asked.path.endswith(("xml", "txt"))
        return reply(found, ETag=tag) if tagged else reply(found)

    def read(self, validators: Validators | None = None) -> tuple[list[str], list[str]]:
        """The titles that were found, and the paths that were asked for."""
        pages, asked = read("sitemap", MAP, self, validators)
        titles = [posting.title for page in pages for posting in page.postings]
        return titles, [each.path for each in asked]


def test_the_pages_of_a_map_are_read_newest_first() -> None:
    site = Site(
        ("/jobs/1", "2026-01-01"),
        ("/jobs/2", "2026-03-01T10:00:00+01:00"),
        ("/about", "2026-04-01"),
        ("/jobs/3", ""),
    )
    titles, asked = site.read()
    assert asked == ["/robots.txt", "/sitemap.xml", "/jobs/2", "/jobs/1", "/jobs/3"]
    assert titles == ["Job /jobs/2", "Job /jobs/1", "Job /jobs/3"]


def test_the_robots_file_is_obeyed() -> None:
    site = Site(("/jobs/1", ""), ("/jobs/2", ""), robots="User-agent: *\nDisallow: /jobs/1\n")
    assert site.read()[0] == ["Job /jobs/2"]
    site = Site(("/jobs/1", ""), robots="User-agent: IAM-Job-Scout\nDisallow: /\n\nUser-agent: *\nAllow: /\n")
    assert site.read()[0] == []


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False)])
def test_a_robots_file_that_cannot_be_had_allows_all_or_nothing(status: int, allowed: bool) -> None:  # noqa: FBT001
    site = Site(("/jobs/1", ""))
    site.files["/robots.txt"] = status
    if allowed:
        assert site.read()[0] == ["Job /jobs/1"]
    else:
        with pytest.raises(FetchError) as caught:
            site.read()
        assert caught.value.reason is Reason.SERVER_ERROR


def test_pages_that_did_not_change_are_not_asked_for_or_are_not_sent_again() -> None:
    site = Site(("/jobs/1", "2026-01-01"), ("/jobs/2", ""), etags=True)
    validators = Validators()
    assert len(site.read(validators)[0]) == 2
    titles, asked = site.read(validators)
    assert titles == []
    assert asked == ["/robots.txt", "/sitemap.xml", "/jobs/2"]
    site.files["/sitemap.xml"] = urlset((f"{MAP[:20]}/jobs/1", "2026-02-01"))
    site.files["/jobs/1"] = html(job(title="Changed"))
    assert site.read(validators)[0] == ["Changed"]


def test_a_scan_reads_so_many_pages_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "MOST_PAGES", 3)
    site = Site(*((f"/jobs/{n}", f"2026-01-{n:02}") for n in range(1, 6)))
    validators = Validators()
    titles, asked = site.read(validators)
    assert titles == ["Job /jobs/5", "Job /jobs/4", "Job /jobs/3"]
    assert len(asked) == 5
    assert site.read(validators)[0] == ["Job /jobs/2", "Job /jobs/1"], "the others have their turn next time"
    assert site.read(validators)[0] == []
    site.files["/sitemap.xml"] = urlset(("https://acme.example/jobs/5", "2026-01-05"))
    site.read(validators)
    assert list(validators.etags) == ["https://acme.example/jobs/5#changed"], "what is gone is forgotten"


def test_of_a_site_that_asks_for_pauses_so_many_pages_are_read_as_fit_into_a_scan() -> None:
    pages = [(f"/jobs/{n}", "") for n in range(1, 40)]
    _, asked = Site(*pages, robots="User-agent: *\nCrawl-delay: 10\n").read()
    assert len(asked) == 2 + 30
    _, asked = Site(*pages, robots="User-agent: *\nCrawl-delay: 86400\n").read()
    assert len(asked) == 2 + 15, "no pause is kept that is out of all reason"


@pytest.mark.parametrize("robots", ["\x00\ufeff", "Crawl-delay: soon", "User-agent: *\nDisallow: /%zz\n" * 9])
def test_an_odd_robots_file_is_read_as_far_as_it_can_be(robots: str) -> None:
    assert Site(("/jobs/1", ""), robots=robots).read()[0] == ["Job /jobs/1"]


def test_maps_of_maps_are_followed_where_they_look_like_jobs_and_may_be_packed() -> None:
    site = Site()
    site.files["/sitemap.xml"] = urlset(
        ("https://acme.example/sitemap-jobs.xml.gz", ""), ("https://acme.example/sitemap-blog.xml", ""),
        tag="sitemap", root="sitemapindex",
    )  # fmt: skip
    site.files["/sitemap-jobs.xml.gz"] = gzip.compress(urlset(("https://acme.example/jobs/1", "")))
    site.files["/jobs/1"] = html(job())
    titles, asked = site.read()
    assert titles == ["IAM Engineer"]
    assert "/sitemap-blog.xml" not in asked


def test_pages_of_other_hosts_and_pages_that_are_gone_are_left_out() -> None:
    site = Site(("/jobs/1", ""), ("/jobs/2", ""))
    site.files["/jobs/1"] = 404
    site.files["/sitemap.xml"] = urlset(
        ("https://acme.example/jobs/1", ""), ("https://acme.example/jobs/2", ""),
        ("https://evil.example/jobs/3", ""), ("file:///jobs", ""), ("https://acme.example/jobs/2#x", ""),
    )  # fmt: skip
    titles, asked = site.read()
    assert titles == ["Job /jobs/2"]
    assert asked.count("/jobs/2") == 1


def test_a_page_that_is_refused_stops_the_scan_and_keeps_what_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sitemap, "_BATCH", 1)
    site = Site(("/jobs/1", "2026-01-02"), ("/jobs/2", "2026-01-01"))
    site.files["/jobs/2"] = 403
    with serving(site) as server:
        play = Settings(origin_overrides={"https://acme.example": server.origin})
        with Door(play, kind="sitemap", sleep=lambda _: None) as door:
            pages = KINDS["sitemap"].read(Board(kind="sitemap", token=MAP), door, Validators())
            assert len(next(pages).postings) == 1
            with pytest.raises(FetchError) as caught:
                next(pages)
    assert caught.value.reason is Reason.DENIED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>no map</html>", Reason.NOT_A_LISTING),
        (urlset(("https://acme.example/jobs/1", ""))[:-12], Reason.TRUNCATED),
        (gzip.compress(urlset(), mtime=0)[:20], Reason.NOT_A_LISTING),
        (b"\x1f\x8bnot packed", Reason.TRUNCATED),
        (b"{}", Reason.NOT_A_LISTING),
    ],
)
def test_what_is_no_map_has_its_name(body: bytes, reason: Reason) -> None:
    site = Site()
    site.files["/sitemap.xml"] = body
    with pytest.raises(FetchError) as caught:
        site.read()
    assert caught.value.reason is reason


def test_a_map_that_unpacks_without_end_is_left_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "_LARGEST_MAP", 100_000)
    site = Site()
    site.files["/sitemap.xml"] = gzip.compress(b" " * 10_000_000)
    with pytest.raises(FetchError) as caught:
        site.read()
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_map_of_pages_that_describe_no_job_is_no_listing() -> None:
    site = Site(("/jobs/1", ""))
    site.files["/jobs/1"] = html()
    with pytest.raises(FetchError) as caught:
        site.read()
    assert caught.value.reason is Reason.NOT_A_LISTING


def test_sitemaps_are_recognised_by_their_name() -> None:
    for url in ("https://acme.example/sitemap.xml", "acme.example/jobs/Sitemap-jobs_1.xml.gz"):
        board = recognise(url)
        assert board.kind == "sitemap"
        assert recognise(board.token) == board
    assert at("jobposting", "acme.example/jobs/1").token == ADDRESS
    assert at("feed", "acme.example/odd").token == "https://acme.example/odd"
    with pytest.raises(UnknownBoard):
        at("lever", "https://acme.example/")
    with pytest.raises(UnknownBoard):
        at("feed", "file:///etc/passwd")


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_no_map_of_whatever_makes_an_exception(noise: str) -> None:
    sitemap.entries_of(f"<urlset><url><loc>{noise}</loc></url><url>{noise}</url></urlset>")


# --- JSON lists that are described ------------------------------------------------------------------------

FEEDS = """
feeds:
  acme:
    url: https://acme.example/api/jobs
    list: data.jobs
    company: Acme
    page: https://acme.example/careers
    fields:
      id: id
      title: attributes.title
      url: https://acme.example/jobs/{id}/{attributes.slug}
      location: offices.name
      description: attributes.text
      remote: remote
      employment_type: type
      department: team.0.name
      posted_at: created
      tags: tags
      salary_min: pay.from
      salary_max: pay.to
      salary_currency: pay.currency
      salary_period: pay.per
"""


def described(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "attributes": {"title": "IAM Engineer", "text": "&lt;p&gt;Run SSO.&lt;/p&gt;", "slug": "iam e/1"},
        "offices": [{"name": "Oslo"}, {"name": "Bergen"}, {}], "remote": True, "type": "Full-time",
        "team": [{"name": "Security"}], "created": 1767323045, "tags": "okta, saml",
        "pay": {"from": 1, "to": 2, "currency": "eur", "per": "hour"}, **changes,
    }  # fmt: skip


@pytest.fixture
def feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "feeds.yml"
    path.write_text(FEEDS)
    monkeypatch.setenv("SCOUT_JSON_FEEDS", str(path))
    return path


def test_a_described_list_is_recognised_and_read(feeds: Path) -> None:
    board = recognise("https://acme.example/api/jobs")
    assert (board.kind, board.token, board.company) == ("mapped", "acme", "Acme")
    assert recognise(board.url) == board
    body = json.dumps({"data": {"jobs": [described(1), described(2, remote=False), {}, None]}}).encode()
    pages, asked = read("mapped", "acme", lambda _: reply(body), chosen=Settings(json_feeds=str(feeds)))
    assert [each.path for each in asked] == ["/api/jobs"]
    (page,) = pages
    assert len(page.unparsed) == 2
    first, second = page.postings
    assert (first.source_job_id, first.title, first.company) == ("1", "IAM Engineer", "Acme")
    assert first.url == "https://acme.example/jobs/1/iam%20e/1"
    assert first.locations == ("Oslo", "Bergen")
    assert first.description_html == "<p>Run SSO.</p>"
    assert (first.remote, second.remote) == (Remote.REMOTE, Remote.UNKNOWN)
    assert (first.department, first.employment_type, first.tags) == (
        "Security",
        "full_time",
        ("okta", "saml"),
    )
    assert first.salary is not None
    assert (first.salary.minimum, first.salary.currency, first.salary.period) == (1, "EUR", "hour")
    assert first.posted_at == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def test_an_answer_that_is_the_list_and_numbers_in_places(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text("feeds: {a: {url: https://acme.example/x, fields: {title: 0, url: 1}}}")
    (feed,) = mapped.load(str(path)).values()
    page = mapped.jobs(
        json.dumps([["IAM", "/jobs/1"], ["PKI", 7], []]).encode(), feed, Board(kind="mapped", token="a")
    )
    assert [(posting.title, posting.url, posting.company) for posting in page.postings] == [
        ("IAM", "https://acme.example/jobs/1", "acme.example")
    ]
    assert len(page.unparsed) == 2


@pytest.mark.parametrize("body", [b"{}", b'{"data": {"jobs": {}}}', b"[]", b'{"data": [1]}', b"7"])
def test_a_list_that_is_not_where_it_is_described_is_named(feeds: Path, body: bytes) -> None:
    (feed,) = mapped.load(str(feeds)).values()
    with pytest.raises(FetchError) as caught:
        mapped.jobs(body, feed, Board(kind="mapped", token="acme"))
    assert caught.value.reason is Reason.NOT_A_LISTING


def test_a_board_that_the_file_no_longer_describes_is_named(feeds: Path) -> None:
    for chosen in (Settings(json_feeds=str(feeds)), Settings()):
        with pytest.raises(FetchError) as caught:
            read("mapped", "other", lambda _: reply(b"{}"), chosen=chosen)
        assert caught.value.reason is Reason.NOT_FOUND
        assert "other" in caught.value.text


GOOD = "url: https://a.example/x, fields: {title: t, url: u}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("feeds: [", "line 1"),
        ("a:\n\t- b", "is no YAML"),
        ("", "has no `feeds:`"),
        ("feeds: 7", "has no `feeds:`"),
        ("feeds: {a: 7}", "not described"),
        (f"feeds: {{A B: {{{GOOD}}}}}", "lower-case letters"),
        (f"feeds: {{7: {{{GOOD}}}}}", "lower-case letters"),
        ("feeds: {a: {fields: {title: t, url: u}}}", "`url` cannot be fetched"),
        ("feeds: {a: {url: 'file:///x', fields: {title: t, url: u}}}", "`url` cannot be fetched"),
        ("feeds: {a: {url: [x], fields: {title: t, url: u}}}", "`url` is no text"),
        (f"feeds: {{a: {{{GOOD}, lsit: x}}}}", "`lsit` is not understood"),
        ("feeds: {a: {url: https://a.example/x}}", "has no `fields:`"),
        ("feeds: {a: {url: https://a.example/x, fields: {title: t}}}", "lack url"),
        (
            "feeds: {a: {url: https://a.example/x, fields: {title: t, url: u, pay: p}}}",
            "`pay` is not understood",
        ),
        ("feeds: {a: {url: https://a.example/x, fields: {title: t, url: {a: b}}}}", "`url` is no text"),
        ("feeds: {a: {url: https://a.example/x, fields: {title: true, url: u}}}", "`title` is no text"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_why(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "feeds.yml"
    path.write_text(text)
    with pytest.raises(mapped.BadFeeds) as caught:
        mapped.load(str(path))
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named_when_a_board_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOUT_JSON_FEEDS", "/nowhere/feeds.yml")
    with pytest.raises(mapped.BadFeeds, match=r"/nowhere/feeds\.yml cannot be read"):
        recognise("https://acme.example/api/jobs")
    assert recognise("https://jobs.lever.co/veeva").kind == "lever"


@settings(max_examples=100, deadline=None)
@given(JSON, st.text(max_size=20))
@example(["a"], "¹")
@example(["a"], "9" * 5_000)
def test_no_place_in_whatever_makes_an_exception(value: Any, place: str) -> None:
    mapped._filled(value, place)
    mapped._filled(value, f"x{{{place}}}")
    feed = mapped.JsonFeed(name="a", url="https://a.example/", fields={"title": place or "t", "url": "u"})
    with contextlib.suppress(FetchError):
        mapped.jobs(json.dumps([value]).encode(), feed, Board(kind="mapped", token="a"))
