from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scout import clock
from scout.fetch import FetchError, Reason
from scout.postings import Posting, Remote
from scout.sources import KINDS, UnknownBoard, recognise
from scout.sources.board import Board, Detailed, NotModified, Validators
from tests.employer_boards import EXAMPLES, Example, position, read
from tests.serving import Asked, reply

ALL = pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
#: Kinds whose servers may give validators: Workday is asked by POST.
CONDITIONAL = pytest.mark.parametrize(
    "example", [each for each in EXAMPLES.values() if each.kind != "workday"], ids=lambda each: each.kind
)
JSON = pytest.mark.parametrize(
    "example",
    [each for each in EXAMPLES.values() if each.kind not in {"personio", "comeet", "workday"}],
    ids=lambda each: each.kind,
)


def one(kind: str, **changes: Any) -> Posting:
    example = EXAMPLES[kind]
    page = example.parse(example.make(**changes))
    assert page.unparsed == ()
    (posting,) = page.postings
    return posting


# --- Recognising ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind", "token"),
    [
        ("https://careers.smartrecruiters.com/AbbVie", "smartrecruiters", "AbbVie"),
        ("https://careers.smartrecruiters.com/BoschGroup/germany?search=x", "smartrecruiters", "BoschGroup"),
        (
            "https://jobs.smartrecruiters.com/HireVue/744000138728139-data-intern?oga=true",
            "smartrecruiters",
            "HireVue",
        ),
        (
            "https://jobs.smartrecruiters.com/oneclick-ui/company/Visa/publication/1?dcr_ci=Visa",
            "smartrecruiters",
            "Visa",
        ),
        (
            "https://jobs.smartrecruiters.com/external-referrals/company/Visa/publication/1",
            "smartrecruiters",
            "Visa",
        ),
        ("https://jobs.smartrecruiters.com/ni/Visa/1-x", "smartrecruiters", "Visa"),
        (
            "https://www.smartrecruiters.com/job-api/public/search/widgets/Visa/postings",
            "smartrecruiters",
            "Visa",
        ),
        ("https://www.smartrecruiters.com/Visa/743999-x", "smartrecruiters", "Visa"),
        ("https://api.smartrecruiters.com/v1/companies/ASOS/postings", "smartrecruiters", "ASOS"),
        (
            "https://nvidia.wd5.myworkdayjobs.com/NVIDIAExternalCareerSite",
            "workday",
            "nvidia.wd5/NVIDIAExternalCareerSite",
        ),
        ("https://ag.wd3.myworkdayjobs.com/en-US/Airbus", "workday", "ag.wd3/Airbus"),
        ("https://ag.wd3.myworkdayjobs.com/fr/Airbus", "workday", "ag.wd3/Airbus"),
        ("https://citi.wd5.myworkdayjobs.com/en-US/2/job/Pune/X_24?q=a", "workday", "citi.wd5/2"),
        ("https://redhat.wd5.myworkdayjobs.com/jobs/job/Remote-US/X_R-1/apply", "workday", "redhat.wd5/jobs"),
        (
            "https://acme.wd103.myworkdayjobs.com/wday/cxs/acme/External/jobs",
            "workday",
            "acme.wd103/External",
        ),
        ("https://wd1.myworkdaysite.com/recruiting/wf/WellsFargoJobs", "workday", "wf.wd1/WellsFargoJobs"),
        (
            "https://wd1.myworkdaysite.com/en-US/recruiting/wf/WellsFargoJobs/job/X_1",
            "workday",
            "wf.wd1/WellsFargoJobs",
        ),
        ("https://apply.workable.com/aerones/", "workable", "aerones"),
        ("https://apply.workable.com/aerones/j/ABC123/apply/?lng=en", "workable", "aerones"),
        ("https://apply.workable.com/api/v1/widget/accounts/aerones?details=true", "workable", "aerones"),
        ("https://apply.workable.com/api/v3/accounts/aerones/jobs", "workable", "aerones"),
        ("https://www.workable.com/api/accounts/aerones", "workable", "aerones"),
        ("https://nu-quantum.workable.com/", "workable", "nu-quantum"),
        ("https://1x.recruitee.com", "recruitee", "1x"),
        ("https://8advisory.recruitee.com/l/en/", "recruitee", "8advisory"),
        ("https://acme.recruitee.com/o/iam-engineer/c/new", "recruitee", "acme"),
        ("https://jobs.acme.example/api/offers/", "recruitee", "jobs.acme.example"),
        ("https://acme.teamtailor.com/jobs", "teamtailor", "acme"),
        ("https://acme.teamtailor.com/en/jobs/123-iam-engineer", "teamtailor", "acme"),
        ("https://acme.teamtailor.com/jobs.rss", "teamtailor", "acme"),
        ("https://bearingpointusa.na.teamtailor.com/jobs", "teamtailor", "bearingpointusa.na"),
        ("https://amundi.bamboohr.com/careers", "bamboohr", "amundi"),
        ("https://amundi.bamboohr.com/careers/41?source=x", "bamboohr", "amundi"),
        ("https://amundi.bamboohr.com/jobs/embed2.php?version=1.0.0", "bamboohr", "amundi"),
        ("https://amundi.bamboohr.com/jobs/view.php?id=41", "bamboohr", "amundi"),
        ("https://arx.jobs.personio.de/?language=en", "personio", "arx"),
        ("https://aixigo-ag.jobs.personio.com/job/183?display=en", "personio", "aixigo-ag"),
        ("https://arx.jobs.personio.de/xml?language=de", "personio", "arx"),
        ("https://zeno-power.breezy.hr/", "breezy", "zeno-power"),
        ("https://reface.breezy.hr/p/123-iam/apply", "breezy", "reface"),
        ("https://100ms.pinpointhq.com/en/postings/1", "pinpoint", "100ms"),
        ("https://careers.acme.example/postings.json", "pinpoint", "careers.acme.example"),
        ("https://ats.rippling.com/chess/jobs", "rippling", "chess"),
        ("https://ats.rippling.com/en-GB/skyports-limited/jobs/uuid?x=1", "rippling", "skyports-limited"),
        ("https://api.rippling.com/platform/api/ats/v1/board/chess/jobs", "rippling", "chess"),
        ("https://ats.rippling.com/api/v2/board/chess/jobs?page=0", "rippling", "chess"),
        ("https://ats.rippling.com/en-US/embed/chess/jobs", "rippling", "chess"),
        ("https://www.comeet.com/jobs/plainid/C4.00C", "comeet", "plainid/C4.00C"),
        ("https://www.comeet.com/jobs/plainid/C4.00C/iam-engineer/8A.26E", "comeet", "plainid/C4.00C"),
        ("https://www.comeet.co/jobs/plainid/C4.00C", "comeet", "plainid/C4.00C"),
    ],
)
def test_a_pasted_address_is_recognised(url: str, kind: str, token: str) -> None:
    board = recognise(url)
    assert (board.kind, board.token) == (kind, token)
    assert recognise(board.url if "example" not in url else url) == board


@pytest.mark.parametrize(
    "url",
    [
        "https://careers.smartrecruiters.com/",
        "https://www.smartrecruiters.com/pricing",
        "https://jobs.smartrecruiters.com/sr-jobs/search",
        "https://api.smartrecruiters.com/v1/other/ASOS",
        "https://jobs.smartrecruiters.com/%2e%2e%2fadmin/x",
        "https://nvidia.wd5.myworkdayjobs.com/",
        "https://www.myworkdayjobs.com/Ext",
        "https://wd5.myworkdaysite.com/wf/Jobs",
        "https://nvidia.wd5.myworkdayjobs.com.evil.example/Ext",
        "https://nvidia.wd5.myworkdayjobs.com/a%20b",
        "https://nvidia.wd5.myworkdayjobs.com/..%2f..",
        "https://apply.workable.com/j/ABC123",
        "https://apply.workable.com/",
        "https://www.workable.com/",
        "https://jobs.workable.com/company/x/jobs-at-x",
        "https://help.workable.com/x",
        "https://www.recruitee.com/",
        "https://api.recruitee.com/c/1",
        "https://a.b.recruitee.com/",
        "https://10.0.0.1/api/offers/",
        "https://localhost:8800/api/offers",
        "https://acme.recruitee.com.evil.example/",
        "https://www.teamtailor.com/",
        "https://career.teamtailor.com/",
        "https://app.teamtailor.com/login",
        "https://www.bamboohr.com/careers",
        "https://app.bamboohr.com/",
        "https://bamboohr.com/careers",
        "https://personio.de/",
        "https://www.jobs.personio.de/",
        "https://a.b.jobs.personio.de/",
        "https://breezy.hr/",
        "https://app.breezy.hr/x",
        "https://www.breezy.hr/",
        "https://www.pinpointhq.com/",
        "https://pinpointhq.com/postings",
        "https://127.0.0.1/postings.json",
        "https://ats.rippling.com/",
        "https://www.rippling.com/chess/jobs",
        "https://ats.rippling.com/api/v1/x",
        "https://www.comeet.com/jobs/plainid",
        "https://www.comeet.com/jobs/plainid/xyz",
        "https://www.comeet.com/",
    ],
)
def test_addresses_of_no_board_are_refused(url: str) -> None:
    with pytest.raises(UnknownBoard):
        recognise(url)


@pytest.mark.parametrize(
    ("url", "company"),
    [
        ("https://nvidia.wd5.myworkdayjobs.com/NVIDIAExternalCareerSite", "Nvidia"),
        ("https://www.comeet.com/jobs/noma_security/3A.005", "Noma Security"),
        ("https://amundi.bamboohr.com/careers", "Amundi"),
        ("https://funding-circle.pinpointhq.com/", "Funding Circle"),
        ("https://careers.hadrian.example/postings.json", "Hadrian"),
    ],
)
def test_boards_whose_answers_do_not_name_the_company_have_its_name_from_their_address(
    url: str, company: str
) -> None:
    assert recognise(url).company == company


def test_a_workday_site_on_the_shared_host_is_asked_there() -> None:
    board = recognise("https://wd1.myworkdaysite.com/en-US/recruiting/wf/WellsFargoJobs")
    body = EXAMPLES["workday"].wrap([EXAMPLES["workday"].make()])
    pages, asked = read(board, lambda _: reply(body))
    assert asked[0].headers["x-forwarded-host"] == "wd1.myworkdaysite.com"
    assert asked[0].path == "/wday/cxs/wf/WellsFargoJobs/jobs"
    assert (
        pages[0].postings[0].url.startswith("https://wd1.myworkdaysite.com/recruiting/wf/WellsFargoJobs/job/")
    )


# --- Asking -----------------------------------------------------------------------------------------------


@ALL
def test_each_kind_says_what_is_to_be_known_of_it(example: Example) -> None:
    kind = KINDS[example.kind]
    assert kind.title
    assert kind.terms.endswith(".")
    assert dt.timedelta(hours=1) <= kind.interval <= dt.timedelta(hours=6)
    assert kind.complete
    assert kind.origins
    if isinstance(kind, Detailed):
        assert 0 < kind.details <= 100


@ALL
def test_a_board_is_read_at_its_address(example: Example) -> None:
    body = example.wrap([example.make()])
    pages, asked = read(example.board, lambda _: reply(body))
    assert [(each.headers["x-forwarded-host"], each.path) for each in asked] == [(example.host, example.path)]
    assert [posting.title for page in pages for posting in page.postings] == [
        "IAM Engineer (m/w/d)" if example.kind == "personio" else "IAM Engineer"
    ]


@ALL
def test_an_empty_board_is_healthy(example: Example) -> None:
    pages, asked = read(example.board, lambda _: reply(example.wrap([])))
    assert [(page.postings, page.unparsed) for page in pages] == [((), ())]
    assert len(asked) == 1
    # These two answer so for a company that they do not know, too.
    assert bool(pages[0].note) == (example.kind in {"smartrecruiters", "bamboohr"})


@CONDITIONAL
def test_validators_are_kept_and_sent_and_not_modified_is_told(example: Example) -> None:
    validators = Validators()

    def answer(asked: Asked) -> bytes:
        if asked.headers.get("if-none-match") == 'W/"v1"':
            return reply(b"", 304)
        return reply(example.wrap([example.make()]), ETag='W/"v1"')

    read(example.board, answer, validators)
    assert len(validators.etags) == 1
    with pytest.raises(NotModified):
        read(example.board, answer, validators)


@CONDITIONAL
def test_an_answer_that_could_not_be_read_leaves_no_validators(example: Example) -> None:
    validators = Validators()
    with pytest.raises(FetchError):
        read(example.board, lambda _: reply(b"<html>maintenance</html>", ETag='"bad"'), validators)
    assert validators == Validators()


@ALL
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", Reason.EMPTY),
        (b" \n ", Reason.EMPTY),
        (b"<!doctype html><title>Sign in</title><p>Please sign in</html>", Reason.NOT_A_LISTING),
        (
            b"<html><title>Just a moment...</title><script src=/cdn-cgi/challenge-platform/x></script>",
            Reason.BOT_CHALLENGE,
        ),
        (b'{"error": "no such board"}', Reason.NOT_A_LISTING),
        (b'"jobs"', Reason.NOT_A_LISTING),
        (b"\x00\xff\xfe\x00", Reason.NOT_A_LISTING),
        (b"[" * 100_000, Reason.NOT_A_LISTING),
        (b"null", Reason.NOT_A_LISTING),
    ],
)
def test_an_answer_that_is_no_listing_has_its_name(example: Example, body: bytes, reason: Reason) -> None:
    with pytest.raises(FetchError) as caught:
        read(example.board, lambda _: reply(body))
    assert caught.value.reason is reason


@ALL
def test_an_answer_that_ends_anywhere_in_the_middle_is_not_used(example: Example) -> None:
    body = example.wrap([example.make()]).rstrip()
    if example.kind == "comeet":
        body = body[: body.index(b";\nPOSITION_DATA")]
    for end in range(len(body) // 2, len(body) - 1, 7):
        with pytest.raises(FetchError) as caught:
            KINDS[example.kind].parse(body[:end], example.board)
        assert caught.value.reason is Reason.TRUNCATED


@ALL
@pytest.mark.parametrize(
    ("status", "reason"), [(403, Reason.DENIED), (429, Reason.RATE_LIMITED), (500, Reason.SERVER_ERROR)]
)
def test_failures_of_the_server_have_their_names(example: Example, status: int, reason: Reason) -> None:
    with pytest.raises(FetchError) as caught:
        read(example.board, lambda _: reply(b"", status, Retry_After="7200"))
    assert caught.value.reason is reason
    if status == 429:
        assert caught.value.retry_after == 7200


@ALL
def test_a_board_that_does_not_exist_is_named(example: Example) -> None:
    with pytest.raises(FetchError, match=f"named “{example.board.token}”") as caught:
        read(example.board, lambda _: reply(b'{"status": 404}', 404))
    assert caught.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("kind", "home"),
    [
        ("recruitee", "recruitee.com"),
        ("teamtailor", "www.teamtailor.com"),
        ("bamboohr", "www.bamboohr.com"),
        ("breezy", "breezy.hr"),
        ("pinpoint", "www.pinpointhq.com"),
        ("personio", "www.personio.de"),
        ("personio", "personio.com"),
    ],
)
def test_a_redirect_to_the_systems_own_pages_is_a_company_that_it_does_not_know(
    kind: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = EXAMPLES[kind]

    def answer(asked: Asked) -> bytes:
        if asked.headers["x-forwarded-host"] == home:
            return reply(b"<!doctype html><title>Software for everybody</title>")
        return reply(b"", 302, Location=f"https://{home}/")

    origins = (*KINDS[kind].origins, f"https://{home}")
    monkeypatch.setattr(type(KINDS[kind]), "origins", origins)
    with pytest.raises(FetchError, match="named “acme”") as caught:
        read(example.board, answer)
    assert caught.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize("noted", ["https://acme.jobs.personio.de/", "https://acme.jobs.personio.com/", ""])
def test_a_personio_company_is_found_on_either_domain(noted: str) -> None:
    example = EXAMPLES["personio"]

    def answer(asked: Asked) -> bytes:
        known = asked.headers["x-forwarded-host"] == "acme.jobs.personio.com"
        return reply(example.wrap([example.make()])) if known else reply(b"", 404)

    pages, asked = read(Board(kind="personio", token="acme", url=noted), answer)
    assert len(pages[0].postings) == 1
    assert len(asked) == (1 if noted.endswith(".com/") else 2)


def test_a_host_of_the_companys_own_is_asked_itself() -> None:
    for kind, path in (("recruitee", "/api/offers/"), ("pinpoint", "/postings.json")):
        board = recognise(f"https://jobs.acme.example{path}")
        assert board.url == "https://jobs.acme.example/"
        KINDS[kind].parse(EXAMPLES[kind].wrap([EXAMPLES[kind].make()]), board)


def _feed_pages(following: str) -> Any:
    example = EXAMPLES["teamtailor"]

    def answer(asked: Asked) -> bytes:
        number = 2 if "page=2" in asked.path else 1
        document = json.loads(example.wrap([example.make(number)]))
        if number == 1:
            document["next_url"] = following
        return reply(json.dumps(document).encode(), ETag='"x"')

    return answer


def test_a_teamtailor_feed_is_read_to_its_end() -> None:
    validators = Validators()
    pages, asked = read(
        EXAMPLES["teamtailor"].board, _feed_pages("https://acme.teamtailor.com/jobs.json?page=2"), validators
    )
    assert [posting.source_job_id for page in pages for posting in page.postings] == ["uuid-1", "uuid-2"]
    assert [each.path for each in asked] == ["/jobs.json", "/jobs.json?page=2"]
    assert validators == Validators()


@pytest.mark.parametrize(
    "following",
    ["https://evil.example/jobs.json", "https://acme.teamtailor.com/jobs.json", "/jobs.json?page=2"],
)
def test_a_teamtailor_feed_leads_nowhere_else(following: str) -> None:
    with pytest.raises(FetchError) as caught:
        read(EXAMPLES["teamtailor"].board, _feed_pages(following))
    assert caught.value.reason is Reason.TRUNCATED


def test_a_teamtailor_feed_without_end_is_cut() -> None:
    example = EXAMPLES["teamtailor"]
    numbers = iter(range(1000))

    def answer(_: Asked) -> bytes:
        number = next(numbers)
        document = json.loads(example.wrap([example.make(number)]))
        document["next_url"] = f"https://acme.teamtailor.com/jobs.json?page={number}"
        return reply(json.dumps(document).encode())

    with pytest.raises(FetchError) as caught:
        read(example.board, answer)
    assert caught.value.reason is Reason.TOO_LARGE


# --- Parsing ----------------------------------------------------------------------------------------------


@ALL
def test_odd_postings_are_sentences_and_the_others_are_read(example: Example) -> None:
    make, title, key = example.make, example.title, example.id
    odd: list[Any] = [make(2, **{key: None}), make(4, **{title: None}), make(5, **{title: " \u202e "})]
    if example.kind == "personio":
        odd += ["", "text", "<id><b/></id>", "<name/>"]
    else:
        odd += [None, 7, "posting", [], {}, make(3, **{key: {}}), make(8, **{key: True})]
    if example.link:
        odd += [make(6, **{example.link: "javascript:alert(1)"}), make(7, **{example.link: None})]
    page = example.parse(make(1), *odd, make(9))
    assert len(page.postings) == 2
    assert len(page.unparsed) == len(odd)
    for sentence in page.unparsed:
        assert sentence.startswith("Posting ")
        assert sentence.endswith(".")
    assert any("has no title" in sentence for sentence in page.unparsed)


@ALL
def test_a_posting_that_is_listed_twice_is_one(example: Example) -> None:
    page = example.parse(example.make(1), example.make(1), example.make(2))
    assert len(page.postings) == 2
    assert page.unparsed == ()


@ALL
def test_the_company_is_the_boards_where_the_posting_names_none(example: Example) -> None:
    item = example.make(company_name=None, company=None, subcompany=None, _jobposting=None)
    body = example.wrap([item]).replace(b'"name": "Acme", "description": null', b'"x": 1')
    body = body.replace(b'"title": "Acme"', b'"x": 1')
    named = Board(kind=example.kind, token=example.board.token, url=example.board.url, company="Acme & Sons")
    assert KINDS[example.kind].parse(body, named).postings[0].company == "Acme & Sons"
    assert KINDS[example.kind].parse(body, example.board).postings[0].company in {"Acme", "Acme1"}


@ALL
def test_nothing_in_a_posting_is_trusted(example: Example) -> None:
    evil = "<script>alert(1)</script><p onclick=alert(1)>Run <b>SSO</b></p><img src=https://evil.example/x>"
    changes: dict[str, Any] = {example.title: "IAM <b>&amp;</b> \u202eSSO\x00"}
    for name in ("description", "content_html", "requirements"):
        changes[name] = evil
    changes["details"] = [{"name": "<script>x</script>", "value": evil}]
    changes["jobDescriptions"] = [("<script>x</script>", evil)]
    changes["jobAd"] = {"sections": {"jobDescription": {"title": "<img src=x onerror=y>", "text": evil}}}
    if example.kind == "rippling":
        changes["description"] = {"role": evil, "company": evil}
    if example.kind == "personio":
        del changes["name"]
    posting = one(example.kind, **changes)
    html = posting.description_html
    assert "<script" not in html
    assert "onclick" not in html
    assert "<img" not in html
    assert "\u202e" not in posting.title
    if example.kind != "workday":
        assert "<b>SSO</b>" in html
        assert "Run SSO" in posting.description_text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({name for each in EXAMPLES.values() if each.kind != "personio" for name in each.make()})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=12), max_size=3))
def test_no_listing_of_whatever_makes_an_exception(items: list[Any]) -> None:
    for example in EXAMPLES.values():
        if example.kind == "personio":
            continue
        page = example.parse(*[{**example.make(), **item} for item in items])
        assert len(page.postings) + len(page.unparsed) <= len(items)
        for posting in page.postings:
            repr(posting).encode("utf-8")
            assert posting.url.startswith("http")
            assert posting.posted_at is None or posting.posted_at <= clock.now()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_another_exception_than_the_named_one(body: bytes) -> None:
    for example in EXAMPLES.values():
        for each in (
            body,
            b'{"jobs": [' + body + b"]}",
            b"<workzag-jobs>" + body + b"</workzag-jobs>",
            b"<html>COMPANY_POSITIONS_DATA = [" + body + b"];",
        ):
            with contextlib.suppress(FetchError):
                KINDS[example.kind].parse(each, example.board)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "name", "office", "subcompany", "createdAt"]), st.text(max_size=30)
    )
)
def test_no_text_in_a_personio_feed_makes_an_exception(changes: dict[str, str]) -> None:
    example = EXAMPLES["personio"]
    with contextlib.suppress(FetchError):
        example.parse(example.make(**changes), example.make(2))


# --- What each kind gives ---------------------------------------------------------------------------------


def facts(posting: Posting) -> tuple[Any, ...]:
    return (
        posting.source_job_id,
        posting.company,
        posting.url,
        posting.locations,
        posting.remote.value,
        posting.employment_type,
        posting.department,
        posting.requisition_id,
        posting.posted_at and posting.posted_at.isoformat(),
        posting.tags,
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "smartrecruiters",
            (
                "700001",
                "Acme Inc",
                "https://jobs.smartrecruiters.com/Acme1/700001",
                ("Warsaw, Poland",),
                "hybrid",
                "full_time",
                "",
                "REF1",
                "2026-01-02T03:04:05.678000+00:00",
                ("Information Technology",),
            ),
        ),
        (
            "workable",
            (
                "ABC1",
                "Acme",
                "https://apply.workable.com/j/ABC1",
                ("Athens, Attica, Greece",),
                "unknown",
                "full_time",
                "Security",
                "R-7",
                "2026-01-02T00:00:00+00:00",
                (),
            ),
        ),
        (
            "recruitee",
            (
                "1",
                "Acme BV",
                "https://acme.recruitee.com/o/iam-engineer-1",
                ("Utrecht, Netherlands",),
                "hybrid",
                "full_time",
                "Security",
                "",
                "2026-01-02T03:04:05+00:00",
                (),
            ),
        ),
        (
            "teamtailor",
            (
                "uuid-1",
                "Acme AB",
                "https://acme.teamtailor.com/jobs/1-iam-engineer",
                ("Stockholm, SE",),
                "unknown",
                "full_time",
                "",
                "",
                "2026-01-02T01:04:05+00:00",
                (),
            ),
        ),
        (
            "bamboohr",
            (
                "1",
                "Acme",
                "https://acme.bamboohr.com/careers/1",
                ("Lindon, Utah",),
                "hybrid",
                "full_time",
                "Security",
                "",
                None,
                (),
            ),
        ),
        (
            "personio",
            (
                "1",
                "Acme SE & Co. KG",
                "https://acme.jobs.personio.de/job/1",
                ("Munich", "Berlin"),
                "unknown",
                "part_time",
                "Security",
                "",
                "2026-01-02T03:04:05+00:00",
                ("Engineering",),
            ),
        ),
        (
            "breezy",
            (
                "id1",
                "Acme",
                "https://acme.breezy.hr/p/id1-iam-engineer",
                ("Tacoma, Washington, United States",),
                "unknown",
                "full_time",
                "Security",
                "",
                "2026-01-02T03:04:05.678000+00:00",
                (),
            ),
        ),
        (
            "pinpoint",
            (
                "1",
                "Acme",
                "https://acme.pinpointhq.com/en/postings/1",
                ("Jersey",),
                "hybrid",
                "full_time",
                "Security",
                "PIN-7",
                None,
                (),
            ),
        ),
        (
            "rippling",
            (
                "uuid-1",
                "Acme",
                "https://ats.rippling.com/acme/jobs/uuid-1",
                ("Remote (United States)",),
                "remote",
                "",
                "Security",
                "",
                None,
                (),
            ),
        ),
        (
            "comeet",
            (
                "8A.001",
                "Acme Ltd",
                "https://www.comeet.com/jobs/acme/12.345/iam-engineer/8A.001",
                ("Tel Aviv, IL",),
                "hybrid",
                "full_time",
                "R&D",
                "",
                "2026-01-02T03:04:05+00:00",
                (),
            ),
        ),
    ],
)
def test_every_field_that_a_kind_gives_is_kept(kind: str, expected: tuple[Any, ...]) -> None:
    assert facts(one(kind)) == expected


def test_workable_places_of_one_posting_become_one_posting() -> None:
    example = EXAMPLES["workable"]
    athens, remote = example.make(1), example.make(1, city="", state="", country="Portugal", locations=[])
    hidden = example.make(
        1, locations=[{"city": "Secret", "country": "X", "hidden": True}], city="", state="", country=""
    )
    page = example.parse(athens, example.make(2), remote, hidden)
    assert [posting.source_job_id for posting in page.postings] == ["ABC1", "ABC2"]
    assert page.postings[0].locations == ("Athens, Attica, Greece", "Portugal")


def test_workable_remote_work_is_a_field() -> None:
    posting = one("workable", telecommuting=True)
    assert (posting.remote, posting.remote_evidence) == (Remote.REMOTE, "telecommuting: remote")


def test_rippling_places_of_one_posting_become_one_posting() -> None:
    example = EXAMPLES["rippling"]
    (posting,) = example.parse(example.make(1), example.make(1, workLocation={"label": "Berlin"})).postings
    assert posting.locations == ("Remote (United States)", "Berlin")


def test_recruitee_money_is_text_and_dates_are_its_own() -> None:
    posting = one("recruitee")
    pay = posting.salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period) == (5000, 6500, "EUR", "month")
    assert posting.posted_at == dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert (
        one("recruitee", salary={"min": None, "max": None, "period": None, "currency": None}).salary is None
    )
    assert (
        one("recruitee", salary={"min": "0", "max": "", "period": "year", "currency": "EUR"}).salary is None
    )


def test_recruitee_offers_that_are_not_published_are_left_out_and_no_mailbox_is_kept() -> None:
    example = EXAMPLES["recruitee"]
    page = example.parse(
        example.make(1), example.make(2, status="internal"), example.make(3, status="closed")
    )
    assert [posting.source_job_id for posting in page.postings] == ["1"]
    assert page.unparsed == ()
    assert "recruitment.example" not in repr(page)
    assert page.postings[0].description_text == "Run SSO.\n- SAML"


@pytest.mark.parametrize(
    ("flags", "remote"),
    [
        ((True, False, False), Remote.REMOTE),
        ((True, True, False), Remote.REMOTE),
        ((False, True, True), Remote.HYBRID),
        ((False, False, True), Remote.ONSITE),
        ((False, False, False), Remote.UNKNOWN),
        ((None, None, None), Remote.UNKNOWN),
    ],
)
def test_recruitee_work_is_done_in_the_freest_of_its_ways(flags: tuple[Any, ...], remote: Remote) -> None:
    named = dict(zip(("remote", "hybrid", "on_site"), flags, strict=True))
    assert one("recruitee", **named).remote is remote


def test_teamtailor_names_company_places_and_pay_beside_the_entry() -> None:
    pay = one("teamtailor").salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period) == (50_000, 60_000, "SEK", "month")
    schema = {
        "jobLocationType": "TELECOMMUTE",
        "employmentType": ["PART_TIME", "CONTRACTOR"],
        "jobLocation": {"address": "Oslo"},
        "baseSalary": {"currency": "NOK", "value": {"value": 700000, "unitText": "YEAR"}},
    }
    posting = one("teamtailor", _jobposting=schema)
    assert (posting.remote, posting.locations, posting.employment_type) == (
        Remote.REMOTE,
        ("Oslo",),
        "part_time",
    )
    assert posting.salary is not None
    assert (posting.salary.minimum, posting.salary.maximum) == (700_000, 700_000)
    assert posting.company == "Acme"
    assert one("teamtailor", _jobposting="x").locations == ()


def test_bamboohr_places_are_an_office_or_written_and_the_kind_of_place_is_a_number() -> None:
    written = {"city": "Denver", "state": "Colorado", "province": None, "country": "United States"}
    posting = one("bamboohr", location={"city": None, "state": None}, atsLocation=written, locationType="1")
    assert posting.locations == ("Denver, Colorado, United States",)
    assert posting.remote is Remote.REMOTE
    assert one("bamboohr", locationType="0").remote is Remote.ONSITE
    assert one("bamboohr", locationType="9").remote is Remote.UNKNOWN
    assert one("bamboohr", locationType=None, isRemote=True).remote is Remote.REMOTE
    assert one("bamboohr", atsLocation=[], location=None, locationType=2).locations == ()


def test_breezy_pay_is_words_and_is_not_guessed() -> None:
    assert one("breezy").salary is None
    assert one("breezy", location={"is_remote": True, "name": "Remote", "country": None}).locations == (
        "Remote",
    )
    assert one("breezy", location={"is_remote": True, "name": "Anywhere"}).remote is Remote.REMOTE
    assert one("breezy", type={"id": "contractor"}).employment_type == "contract"


def test_pinpoint_texts_have_their_headings_and_hidden_pay_stays_hidden() -> None:
    posting = one("pinpoint")
    assert posting.description_text == "Run SSO.\nKey Responsibilities\n- Okta"
    assert posting.salary is not None
    assert (posting.salary.minimum, posting.salary.currency, posting.salary.raw) == (
        50_000,
        "GBP",
        "£50,000 / year",
    )
    assert one("pinpoint", compensation_visible=False).salary is None


def test_comeet_details_stand_in_either_place_and_internal_positions_are_left_out() -> None:
    posting = one("comeet")
    assert posting.description_text == "Description\nRun SSO.\nRequirements\nSAML"
    assert "applynow" not in repr(posting)
    details = [{"name": "Description", "value": "<p>Elsewhere</p>"}]
    assert one("comeet", details=None, custom_fields={"details": details}).description_text.endswith(
        "Elsewhere"
    )
    example = EXAMPLES["comeet"]
    page = example.parse(example.make(1, is_internal=True), example.make(2))
    assert [each.source_job_id for each in page.postings] == ["8A.002"]


def test_comeet_answers_of_the_careers_api_are_read_too() -> None:
    example = EXAMPLES["comeet"]
    page = KINDS["comeet"].parse(json.dumps([example.make()]).encode(), example.board)
    assert len(page.postings) == 1


def test_a_comeet_page_whose_list_is_damaged_is_named() -> None:
    body = b"<html><script>COMPANY_POSITIONS_DATA = [{];</script></html>"
    with pytest.raises(FetchError) as caught:
        KINDS["comeet"].parse(body, EXAMPLES["comeet"].board)
    assert caught.value.reason is Reason.NOT_A_LISTING


# --- Personio's XML ---------------------------------------------------------------------------------------


def personio(body: str) -> Any:
    return KINDS["personio"].parse(body.encode(), EXAMPLES["personio"].board)


@pytest.mark.parametrize(
    "body",
    [
        "<workzag-jobs/>",
        "<workzag-jobs></workzag-jobs>",
        '<?xml version="1.0"?>\n<workzag-jobs />',
        "\ufeff<?xml version='1.0' encoding='UTF-8'?><!-- none --><workzag-jobs>\n</workzag-jobs>",
    ],
)
def test_a_personio_feed_without_positions_is_a_company_without_openings(body: str) -> None:
    assert personio(body).postings == ()


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "https://evil.example/x.dtd">',
        '<!-- a --><?a b?>\n<!doctype x [<!ENTITY % p SYSTEM "https://evil.example/">%p;]>',
    ],
)
def test_a_personio_feed_that_defines_entities_is_refused(prolog: str) -> None:
    with pytest.raises(FetchError) as caught:
        personio(f"{prolog}<workzag-jobs><position><id>1</id><name>&b;&f;</name></position></workzag-jobs>")
    assert caught.value.reason is Reason.NOT_A_LISTING


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-7"])
def test_a_personio_feed_in_an_encoding_that_hides_markup_is_refused(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a "x">]><workzag-jobs/>'.encode(
        encoding
    )
    with pytest.raises(FetchError) as caught:
        KINDS["personio"].parse(body, EXAMPLES["personio"].board)
    assert caught.value.reason is Reason.NOT_A_LISTING


def test_a_personio_feed_with_undefined_entities_or_wild_markup_is_named() -> None:
    for inner in ("<position>&nbsp;</position>", "<position></other>", "<position a=1/>"):
        with pytest.raises(FetchError) as caught:
            personio(f"<workzag-jobs>{inner}</workzag-jobs>")
        assert caught.value.reason is Reason.NOT_A_LISTING


def test_a_personio_feed_as_deep_as_the_sea_is_read_or_named() -> None:
    with contextlib.suppress(FetchError):
        personio("<workzag-jobs>" + "<position>" * 200_000 + "</position>" * 200_000 + "</workzag-jobs>")


def test_a_personio_feed_with_too_many_positions_is_left() -> None:
    with pytest.raises(FetchError) as caught:
        personio("<workzag-jobs>" + "<position/>" * 1_000_001 + "</workzag-jobs>")
    assert caught.value.reason is Reason.TOO_LARGE


def test_personio_texts_have_their_headings() -> None:
    posting = one("personio")
    assert posting.description_text == "Your tasks\nRun SSO.\nYour profile\n- SAML"
    assert posting.description_html.startswith("<h3>Your tasks</h3>")
    plain = one("personio", jobDescriptions=[("", "First line\n\nA & B")])
    assert plain.description_html == "<p>First line</p><p>A &amp; B</p>"
    assert one("personio", jobDescriptions=[]).description_text == ""


def test_personio_pay_is_kept_where_it_is_stated() -> None:
    pay = one("personio").salary
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period) == (48_000, 56_000, "EUR", "year")
    assert one("personio", salaryInformation=None).salary is None
    assert one("personio", salaryInformation="by agreement").salary is None


@pytest.mark.parametrize(
    ("employment", "schedule", "expected"),
    [
        ("permanent", "full-time", "full_time"),
        ("permanent", "part-time", "part_time"),
        ("intern", "full-time", "internship"),
        ("freelance", "", "contract"),
        ("temporary", "full-time", "temporary"),
        ("working_student", "part-time", "part_time"),
        ("permanent", "full-or-part-time", "full_time"),
        ("", "", ""),
    ],
)
def test_personio_tells_the_kind_of_contract_and_the_hours_apart(
    employment: str, schedule: str, expected: str
) -> None:
    assert one("personio", employmentType=employment, schedule=schedule).employment_type == expected


def test_positions_are_written_as_the_feed_writes_them() -> None:
    assert position({"id": "1", "name": "A & B", "office": None}) == (
        "<position><id>1</id><name>A &amp; B</name></position>"
    )
