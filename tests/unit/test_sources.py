from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scout import clock
from scout.fetch import Door, FetchError, Reason
from scout.postings import Posting, Remote
from scout.settings import Settings
from scout.sources import KINDS, UnknownBoard, recognise
from scout.sources.board import Board, NotModified, Page, Validators
from scout.sources.starter import boards
from tests.serving import Asked, Reply, reply, serving

GREENHOUSE = Board(kind="greenhouse", token="acme")
LEVER = Board(kind="lever", token="acme", company="Acme")
ASHBY = Board(kind="ashby", token="acme corp")
FEED = Board(kind="feed", token="https://jobs.example/feed.rss")
ALL = [GREENHOUSE, LEVER, ASHBY, FEED]
NAMES = [board.kind for board in ALL]


def greenhouse(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "title": "IAM Engineer",
        "absolute_url": f"https://job-boards.greenhouse.io/acme/jobs/{number}",
        "location": {"name": "Berlin"},
        "content": "&lt;p&gt;Run SSO.&lt;/p&gt;",
        "company_name": "Acme ",
        "first_published": "2026-01-02T03:04:05-04:00",
        **changes,
    }


def lever(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "text": "IAM Engineer",
        "hostedUrl": f"https://jobs.lever.co/acme/{number}",
        **changes,
    }


def ashby(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "title": "IAM Engineer",
        "jobUrl": f"https://jobs.ashbyhq.com/a/{number}",
        **changes,
    }


def rss(*items: str, title: str = "Acme jobs") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    channel = f"<channel><title>{title}</title>{body}</channel>"
    return f"<?xml version='1.0'?><rss version='2.0'>{channel}</rss>".encode()


ITEM = "<title>IAM Engineer</title><link>https://jobs.example/1</link>"
EMPTY_LISTINGS = {
    "greenhouse": b'{"jobs": []}',
    "lever": b"[]",
    "ashby": b'{"jobs": [], "apiVersion": "1"}',
    "feed": rss(),
}


def parse(board: Board, document: Any) -> Page:
    return KINDS[board.kind].parse(json.dumps(document).encode(), board)


def one(board: Board, document: Any) -> Posting:
    page = parse(board, document)
    assert page.unparsed == ()
    (posting,) = page.postings
    return posting


def read(
    board: Board, answer: Callable[[Asked], Reply], validators: Validators | None = None
) -> tuple[list[Page], list[Asked]]:
    """What reading a board gives when every request of its kind is answered by `answer`."""
    with serving(answer) as server:
        kind = KINDS[board.kind]
        origins = kind.origins or ("https://jobs.example",)
        play = Settings(origin_overrides=dict.fromkeys(origins, server.origin))
        with Door(play, kind=board.kind, sleep=lambda _: None) as door:
            return list(kind.read(board, door, validators or Validators())), server.asked


# --- Recognising ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "token"),
    [
        ("https://boards.greenhouse.io/okta", "greenhouse", "okta"),
        ("https://boards.greenhouse.io/okta/jobs/12345?gh_jid=12345&gh_src=x", "greenhouse", "okta"),
        ("https://job-boards.greenhouse.io/okta/", "greenhouse", "okta"),
        ("https://job-boards.eu.greenhouse.io/cymulate/jobs/1", "greenhouse", "cymulate"),
        ("https://boards.greenhouse.io/embed/job_board?for=okta&b=x", "greenhouse", "okta"),
        ("https://boards.greenhouse.io/embed/job_app?for=okta&token=1", "greenhouse", "okta"),
        ("https://boards-api.greenhouse.io/v1/boards/okta/jobs?content=true", "greenhouse", "okta"),
        ("https://boards.eu.greenhouse.io/embed/job_board/js?for=okta", "greenhouse", "okta"),
        ("https://boards.eu.greenhouse.io/okta/jobs/1?gh_jid=1", "greenhouse", "okta"),
        ("https://job-boards.greenhouse.io/embed/job_app?token=1&for=okta&gh_jid=1", "greenhouse", "okta"),
        ("https://api.greenhouse.io/v1/boards/okta/embed/jobs", "greenhouse", "okta"),
        ("https://jobs.lever.co/veeva", "lever", "veeva"),
        ("jobs.lever.co/veeva/466ed4a1-2c00-400e-8b9b-77b0c63d64d2/apply", "lever", "veeva"),
        ("  HTTPS://JOBS.LEVER.CO/veeva?lever-source=x#top ", "lever", "veeva"),
        ("https://api.lever.co/v0/postings/veeva?mode=json", "lever", "veeva"),
        ("https://jobs.eu.lever.co/tomtom/", "lever", "tomtom"),
        ("https://api.lever.co/v0/postings/veeva/466ed4a1-2c00-400e-8b9b-77b0c63d64d2", "lever", "veeva"),
        ("https://api.eu.lever.co/v0/postings/tomtom", "lever", "tomtom"),
        ("https://jobs.ashbyhq.com/1password", "ashby", "1password"),
        ("https://jobs.ashbyhq.com/1password/embed?version=2", "ashby", "1password"),
        (
            "https://jobs.ashbyhq.com/1password/05e14247-17c4-4e98-9a13-53828a4e2f13/application",
            "ashby",
            "1password",
        ),
        (
            "https://jobs.ashbyhq.com/Flock%20Safety/05e14247-17c4-4e98-9a13-53828a4e2f13",
            "ashby",
            "Flock Safety",
        ),
        ("https://api.ashbyhq.com/posting-api/job-board/far.ai?includeCompensation=true", "ashby", "far.ai"),
        ("https://Acme.example/Careers/feed/?x=1#a", "feed", "https://acme.example/Careers/feed/?x=1"),
        ("https://acme.example/jobs.xml", "feed", "https://acme.example/jobs.xml"),
        ("https://acme.example/jobs.atom", "feed", "https://acme.example/jobs.atom"),
        ("https://acme.example/rss", "feed", "https://acme.example/rss"),
        ("https://acme.example/?feed=rss", "feed", "https://acme.example/?feed=rss"),
        ("http://127.0.0.1:8800/rss/jobs.rss", "feed", "http://127.0.0.1:8800/rss/jobs.rss"),
        ("localhost:8800/feed.rss", "feed", "https://localhost:8800/feed.rss"),
    ],
)
def test_a_pasted_address_is_recognised(url: str, kind: str, token: str) -> None:
    board = recognise(url)
    assert (board.kind, board.token) == (kind, token)
    assert recognise(board.token if kind == "feed" else board.url) == board


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.example/careers", "https://boards.greenhouse.io/", "https://boards.greenhouse.io/embed/job_board",
        "https://jobs.lever.co", "https://jobs.ashbyhq.com/", "https://api.ashbyhq.com/other/acme",
        "https://evil.example/jobs.lever.co/veeva", "https://jobs.lever.co.evil.example/veeva",
        "https://user@jobs.lever.co/veeva", "https://jobs.lever.co\\veeva", "file:///etc/passwd",
        "javascript:alert(1)",
        "", "   ", "greenhouse", "https://jobs.lever.co/..%2f..", "https://boards.greenhouse.io/a%20b",
        "https://jobs.ashbyhq.com/%2e%2e%2fadmin", "https://jobs.lever.co/\u202eveeva", "https://acme.example/feedback",
        "https://2130706433/feed.rss",
    ],
)  # fmt: skip
def test_other_addresses_are_refused_with_what_is_understood(url: str) -> None:
    with pytest.raises(UnknownBoard) as caught:
        recognise(url)
    assert "jobs.lever.co/COMPANY" in str(caught.value)
    assert all(c.isprintable() for c in str(caught.value))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (
            "https://careers.acme.example/jobs/1?gh_jid=123&gh_src=x",
            "try https://job-boards.greenhouse.io/acme.",
        ),
        ("https://www.acme.example/careers?ashby_jid=uuid", "try https://jobs.ashbyhq.com/acme."),
        ("https://localhost/jobs?gh_jid=1", "try https://job-boards.greenhouse.io/localhost."),
        ("https://acme.example/careers", "open one of its jobs"),
    ],
)
def test_a_companys_own_page_that_says_whose_its_jobs_are_is_told_where_to_look(url: str, told: str) -> None:
    with pytest.raises(UnknownBoard, match=re.escape(told)):
        recognise(url)


def test_the_starter_boards_are_some_forty_and_each_is_recognised() -> None:
    found = boards()
    assert 35 <= len(found) <= 50
    assert len({(board.kind, board.token.casefold()) for board in found}) == len(found)
    assert {board.kind for board in found} <= set(KINDS)
    for board in found:
        known = recognise(board.token if board.kind == "feed" else board.url)
        assert (known.kind, known.token, known.url) == (board.kind, board.token, board.url)
        assert board.company or board.kind == "feed"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_kind_says_what_is_to_be_known_of_it(kind: Any) -> None:
    assert kind.title
    assert kind.terms
    assert kind.interval >= dt.timedelta(minutes=30)
    assert kind.complete or kind.name not in NAMES[:3]
    assert all(origin.startswith("https://") and not origin.endswith("/") for origin in kind.origins)


# --- Asking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "body", "path"),
    [
        (GREENHOUSE, {"jobs": [greenhouse()]}, "/v1/boards/acme/jobs?content=true"),
        (LEVER, [lever()], "/v0/postings/acme?mode=json&skip=0&limit=100"),
        (ASHBY, {"jobs": [ashby()]}, "/posting-api/job-board/acme%20corp?includeCompensation=true"),
        (FEED, rss(ITEM), "/feed.rss"),
    ],
    ids=NAMES,
)
def test_a_board_is_read_at_its_address(board: Board, body: Any, path: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    pages, asked = read(board, lambda _: reply(raw))
    assert [each.path for each in asked] == [path]
    assert [posting.title for page in pages for posting in page.postings] == ["IAM Engineer"]


@pytest.mark.parametrize("board", ALL, ids=NAMES)
def test_validators_are_kept_and_sent_and_not_modified_is_told(board: Board) -> None:
    validators = Validators()

    def answer(asked: Asked) -> bytes:
        if asked.headers.get("if-none-match") == 'W/"v1"':
            return reply(b"", 304)
        return reply(EMPTY_LISTINGS[board.kind], ETag='W/"v1"', Last_Modified="Mon, 01 Jun 2026 12:00:00 GMT")

    pages, _ = read(board, answer, validators)
    assert [page.postings for page in pages] == [()]
    with pytest.raises(NotModified):
        read(board, answer, validators)


@pytest.mark.parametrize("board", ALL, ids=NAMES)
def test_a_board_without_validators_that_answers_with_the_same_bytes_is_not_read_again(board: Board) -> None:
    validators = Validators()
    listing = EMPTY_LISTINGS[board.kind]
    read(board, lambda _: reply(listing), validators)
    with pytest.raises(NotModified):
        read(board, lambda _: reply(listing), validators)
    pages, _ = read(board, lambda _: reply(listing + b"\n"), validators)
    assert [page.postings for page in pages] == [()]


@pytest.mark.parametrize("board", ALL, ids=NAMES)
def test_an_answer_that_could_not_be_read_leaves_no_validators(board: Board) -> None:
    validators = Validators()
    with pytest.raises(FetchError):
        read(board, lambda _: reply(b"<html>maintenance</html>", ETag='"bad"'), validators)
    assert validators == Validators()


@pytest.mark.parametrize("board", ALL, ids=NAMES)
@pytest.mark.parametrize(
    ("body", "reason", "says"),
    [
        (b"", Reason.EMPTY, "not even an empty list"),
        (b" \n ", Reason.EMPTY, "not even an empty list"),
        (b"<!doctype html><title>Sign in</title><p>Please sign in", Reason.NOT_A_LISTING, "browser"),
        (
            b"<html><title>Just a moment...</title><script src=/cdn-cgi/challenge-platform/x></script>",
            Reason.BOT_CHALLENGE,
            "checks for humans",
        ),
        (b'{"error": "no such board"}', Reason.NOT_A_LISTING, "not its list of jobs"),
        (b'"jobs"', Reason.NOT_A_LISTING, "jobs stay as they were"),
        (b"\x00\xff\xfe\x00", Reason.NOT_A_LISTING, "jobs stay as they were"),
        (b"[" * 100_000, Reason.NOT_A_LISTING, "jobs stay as they were"),
        (b'{"jobs": 9' + b"9" * 10_000 + b"}", Reason.NOT_A_LISTING, "jobs stay as they were"),
    ],
)
def test_an_answer_that_is_no_listing_has_its_name(
    board: Board, body: bytes, reason: Reason, says: str
) -> None:
    with pytest.raises(FetchError) as caught:
        read(board, lambda _: reply(body))
    assert caught.value.reason is reason
    assert says in caught.value.text


@pytest.mark.parametrize(
    ("board", "body"),
    [
        (GREENHOUSE, json.dumps({"jobs": [greenhouse()]}).encode()),
        (LEVER, json.dumps([lever()]).encode()),
        (ASHBY, json.dumps({"jobs": [ashby()]}).encode()),
        (FEED, rss(ITEM)),
    ],
    ids=NAMES,
)
def test_an_answer_that_ends_anywhere_in_the_middle_is_not_used(board: Board, body: bytes) -> None:
    for end in range(len(body) // 2, len(body) - 1, 7):
        with pytest.raises(FetchError) as caught:
            KINDS[board.kind].parse(body[:end], board)
        assert caught.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize("board", ALL[:3], ids=NAMES[:3])
def test_a_board_that_does_not_exist_is_named(board: Board) -> None:
    with pytest.raises(FetchError, match=f"named “{board.token}”") as caught:
        read(board, lambda _: reply(b'{"status": 404}', 404))
    assert caught.value.reason is Reason.NOT_FOUND


def _lever_pages(count: int) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        query = dict(part.split("=") for part in asked.path.partition("?")[2].split("&"))
        skip, limit = int(query["skip"]), int(query["limit"])
        return reply(json.dumps([lever(n) for n in range(count)[skip : skip + limit]]).encode(), ETag='"x"')

    return answer


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_lever_is_read_page_by_page_to_its_end(count: int, requests: int) -> None:
    validators = Validators()
    pages, asked = read(LEVER, _lever_pages(count), validators)
    assert len(asked) == requests
    ids = [posting.source_job_id for page in pages for posting in page.postings]
    assert ids == [f"id-{n}" for n in range(count)]
    # A first page that did not change says nothing of the second.
    assert bool(validators.etags) == (count < 100)


def test_a_lever_that_does_not_know_of_pages_is_read_once() -> None:
    everything = reply(json.dumps([lever(n) for n in range(130)]).encode())
    pages, asked = read(LEVER, lambda _: everything)
    assert sum(len(page.postings) for page in pages) == 130
    assert len(asked) == 2


def test_a_later_lever_page_that_fails_leaves_the_first_valid() -> None:
    def answer(asked: Asked) -> bytes:
        return _lever_pages(150)(asked) if "skip=0" in asked.path else reply(b"", 500)

    with serving(answer) as server:
        play = Settings(origin_overrides=dict.fromkeys(KINDS["lever"].origins, server.origin))
        with Door(play, kind="lever", sleep=lambda _: None) as door:
            pages = KINDS["lever"].read(LEVER, door, Validators())
            assert len(next(pages).postings) == 100
            with pytest.raises(FetchError) as caught:
                next(pages)
    assert caught.value.reason is Reason.SERVER_ERROR


@pytest.mark.parametrize("noted", ["https://jobs.lever.co/acme", "https://jobs.eu.lever.co/acme", ""])
def test_a_lever_site_is_found_in_either_region(noted: str) -> None:
    board = Board(kind="lever", token="acme", url=noted)
    with (
        serving(lambda _: reply(b"", 404)) as elsewhere,
        serving(lambda _: reply(json.dumps([lever()]).encode())) as home,
    ):
        play = Settings(
            origin_overrides={
                "https://api.lever.co": elsewhere.origin,
                "https://api.eu.lever.co": home.origin,
            }
        )
        with Door(play, kind="lever") as door:
            (page,) = KINDS["lever"].read(board, door, Validators())
    assert len(page.postings) == 1
    assert len(elsewhere.asked) == (0 if ".eu." in noted else 1)


# --- Parsing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "wrap", "make"),
    [
        (GREENHOUSE, lambda items: {"jobs": items}, greenhouse),
        (LEVER, lambda items: items, lever),
        (ASHBY, lambda items: {"jobs": items}, ashby),
    ],
    ids=NAMES[:3],
)
def test_odd_postings_are_sentences_and_the_others_are_read(
    board: Board, wrap: Callable[[list[Any]], Any], make: Callable[..., dict[str, Any]]
) -> None:
    link = next(name for name in make() if name.lower().endswith("url"))
    title = "text" if board.kind == "lever" else "title"
    odd: list[object] = [
        None, 7, "posting", [], {}, make(2, id=None), make(3, id={}), make(4, **{title: None}),
        make(5, **{title: " \u202e "}),
        make(6, **{link: "javascript:alert(1)"}), make(7, **{link: None}), make(8, id=True),
    ]  # fmt: skip
    page = parse(board, wrap([make(1), *odd, make(9)]))
    assert len(page.postings) == 2
    assert len(page.unparsed) == len(odd)
    for sentence in page.unparsed:
        assert sentence.startswith("Posting ")
        assert sentence.endswith(".")
    assert "has no title" in page.unparsed[7]
    assert "has no link that can be followed" in page.unparsed[9]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted(
    set(greenhouse()) | {"metadata", "departments", "requisition_id", "pay_input_ranges", "text", "hostedUrl",
    "categories",
    "lists", "createdAt", "workplaceType", "salaryRange", "additional", "description", "descriptionPlain",
    "jobUrl",
    "compensation", "secondaryLocations", "isRemote", "isListed", "descriptionHtml", "publishedAt",
    "employmentType",
    "_jobposting", "url", "date_published", "content_html"}
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=12), max_size=3))
def test_no_listing_of_whatever_makes_an_exception(items: list[Any]) -> None:
    for board, document in (
        (GREENHOUSE, {"jobs": [{**greenhouse(), **item} for item in items]}),
        (LEVER, [{**lever(), **item} for item in items]),
        (ASHBY, {"jobs": [{**ashby(), **item} for item in items]}),
        (FEED, {"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items}),
    ):
        page = parse(board, document)
        for posting in page.postings:
            repr(posting).encode("utf-8")
            assert posting.posted_at is None or posting.posted_at <= clock.now()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_another_exception_than_the_named_one(body: bytes) -> None:
    for board in ALL:
        for each in (body, b"<rss><channel>" + body + b"</channel></rss>", b'{"jobs": [' + body + b"]}"):
            with contextlib.suppress(FetchError):
                KINDS[board.kind].parse(each, board)


def test_a_posting_that_is_listed_twice_is_one() -> None:
    page = parse(GREENHOUSE, {"jobs": [greenhouse(1), greenhouse(1, title="Again"), greenhouse(2)]})
    assert [posting.title for posting in page.postings] == ["IAM Engineer", "IAM Engineer"]


def test_dates_in_the_future_are_unknown() -> None:
    assert one(GREENHOUSE, {"jobs": [greenhouse(first_published="2999-01-01T00:00:00Z")]}).posted_at is None
    assert one(LEVER, [lever(createdAt=32_503_680_000_000)]).posted_at is None


def test_greenhouse_fields_of_the_companys_own_tell_of_remote_work_and_pay() -> None:
    metadata = [
        {"name": "Workplace Type", "value": "Hybrid"},
        {"name": "Employment Type", "value": "Full-time"},
        {
            "name": "Salary Range (annual)",
            "value_type": "currency_range",
            "value": {"min_value": "100000.0", "max_value": "120000.0", "unit": "USD"},
        },
        {"name": None, "value": ["x"]},
    ]
    posting = one(GREENHOUSE, {"jobs": [greenhouse(metadata=metadata)]})
    assert (posting.remote, posting.remote_evidence) == (Remote.HYBRID, "Workplace Type: Hybrid")
    assert posting.employment_type == "full_time"
    pay = posting.salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period) == (100_000, 120_000, "USD", "year")


def test_greenhouse_pay_ranges_are_in_cents() -> None:
    ranges = [
        {"min_cents": 5_000_000, "max_cents": 6_500_000, "currency_type": "USD", "title": "Annual salary"}
    ]
    pay = one(GREENHOUSE, {"jobs": [greenhouse(pay_input_ranges=ranges)]}).salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.period) == (50_000, 65_000, "year")


def test_lever_plain_text_stands_in_where_there_is_no_html() -> None:
    posting = one(LEVER, [lever(descriptionPlain="First <b>\nSecond", additionalPlain="Last")])
    assert posting.description_text == "First <b>\nSecond\nLast"
    assert "<b>" not in posting.description_html


def test_the_company_is_the_boards_or_read_from_its_token() -> None:
    assert one(LEVER, [lever()]).company == "Acme"
    assert one(ASHBY, {"jobs": [ashby()]}).company == "Acme Corp"
    assert one(GREENHOUSE, {"jobs": [greenhouse(company_name=None)]}).company == "Acme"


def test_ashby_postings_that_are_not_listed_are_left_out() -> None:
    page = parse(ASHBY, {"jobs": [ashby(1, isListed=False), ashby(2, isListed=True), ashby(3)]})
    assert [posting.source_job_id for posting in page.postings] == ["id-2", "id-3"]
    assert page.unparsed == ()


def test_ashby_equity_is_no_salary() -> None:
    compensation = {
        "compensationTierSummary": "Offers Equity",
        "summaryComponents": [
            {"compensationType": "EquityPercentage", "interval": "NONE", "minValue": 1, "maxValue": 2}
        ],
    }
    assert one(ASHBY, {"jobs": [ashby(compensation=compensation)]}).salary is None


def feed(*items: str, board: Board = FEED) -> Page:
    return KINDS["feed"].parse(rss(*items), board)


def test_feed_entries_are_known_by_guid_then_link() -> None:
    long = "x" * 1000
    page = feed(
        "<title>a</title><link>https://jobs.example/1</link><guid isPermaLink='false'>g-1</guid>",
        "<title>b</title><link>https://jobs.example/2</link>",
        "<title>c</title><link>https://jobs.example/3</link><guid isPermaLink='false'>same</guid>",
        "<title>d</title><link>https://jobs.example/4</link><guid isPermaLink='false'>same</guid>",
        f"<title>e</title><link>https://jobs.example/5</link><guid isPermaLink='false'>{long}</guid>",
        "<title>f</title><link>/6</link>",
    )
    ids = [posting.source_job_id for posting in page.postings]
    assert ids[:4] == ["g-1", "https://jobs.example/2", "https://jobs.example/3", "https://jobs.example/4"]
    assert len(ids[4]) == 64
    assert page.postings[5].url == "https://jobs.example/6"


def test_feed_companies_come_from_the_board_or_the_feed() -> None:
    assert feed(ITEM).postings[0].company == "Acme jobs"
    named = Board(kind="feed", token=FEED.token, company="Acme")
    assert feed(ITEM, board=named).postings[0].company == "Acme"
    assert feed(ITEM + "<company>Other &amp; Sons</company>").postings[0].company == "Other & Sons"


def test_atom_feeds_are_read() -> None:
    body = (
        b"<feed xmlns='http://www.w3.org/2005/Atom'><title>Acme</title>"
        b"<entry><title type='html'>IAM &amp;amp; SSO</title>"
        b"<id>tag:acme,1</id><link href='https://jobs.example/1'/><updated>2026-01-02T03:04:05Z</updated>"
        b"<content type='html'>&lt;p onclick=x&gt;Run &lt;b&gt;it&lt;/b&gt;&lt;/p&gt;</content>"
        b"</entry></feed>"
    )
    (posting,) = KINDS["feed"].parse(body, FEED).postings
    assert (posting.source_job_id, posting.title, posting.company) == ("tag:acme,1", "IAM & SSO", "Acme")
    assert posting.description_html == "<p>Run <b>it</b></p>"
    assert posting.posted_at == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("iso-8859-1", "iso-8859-1"),
        ("windows-1252", "windows-1252"),
        ("utf-16", "utf-16"), ("utf-16-le", "utf-16"), ("utf-16-be", "utf-16"),
    ],
)  # fmt: skip
def test_feeds_are_decoded_as_they_declare(encoding: str, declared: str) -> None:
    text = (
        f"<?xml version='1.0' encoding='{declared}'?><rss version='2.0'><channel><title>T</title><item>"
        "<title>Ingénieur IAM</title><link>https://jobs.example/1</link></item></channel></rss>"
    )
    (posting,) = KINDS["feed"].parse(text.encode(encoding), FEED).postings
    assert posting.title == "Ingénieur IAM"


def test_entries_without_a_link_or_title_are_sentences() -> None:
    page = feed(
        "<title>x</title>",
        "<link>https://jobs.example/1</link>",
        ITEM,
        "<title>x</title><link>ftp://x/</link>",
    )
    assert len(page.postings) == 1
    assert len(page.unparsed) == 3
