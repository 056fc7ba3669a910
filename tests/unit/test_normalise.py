from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout import clock, normalise
from scout.postings import Place, Posting, Remote

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Senior\n IAM\tEngineer ", "Senior IAM Engineer"),
        ("R&amp;D &ndash; Identity", "R&D \u2013 Identity"),
        ("Engineer\u202e evil\x00", "Engineer evil"),
        ("a\ud800b", "ab"),
        (None, ""),
        (7, ""),
        ("x" * 1_000_000, "x" * 499 + "…"),
        ("Ingénieur IAM 👩‍💻", "Ingénieur IAM 👩‍💻"),
    ],
)
def test_titles_become_one_legible_line(written: object, kept: str) -> None:
    assert normalise.line(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (["Austin | Chicago | New York City"], ("Austin", "Chicago", "New York City")),
        (["San Francisco, CA; New York, NY"], ("San Francisco, CA", "New York, NY")),
        (["Berlin / Munich", "berlin"], ("Berlin", "Munich")),
        (["New York or Remote"], ("New York", "Remote")),
        (["Portland, OR"], ("Portland, OR",)),
        ([None, 3, "", "  "], ()),
        (["Remote, US", "Remote, US"], ("Remote, US",)),
    ],
)
def test_places_are_one_an_entry(written: list[object], kept: tuple[str, ...]) -> None:
    assert normalise.locations(written) == kept


@pytest.mark.parametrize(
    ("fields", "title", "places", "text", "kind", "evidence"),
    [
        ([("workplaceType", "remote")], "Engineer", [], "", Remote.REMOTE, "workplaceType: remote"),
        ([("workplaceType", "on-site")], "Engineer, Remote", [], "", Remote.ONSITE, "workplaceType: on-site"),
        ([("workplaceType", "OnSite")], "Engineer", [], "", Remote.ONSITE, "workplaceType: OnSite"),
        ([("workplaceType", "unspecified")], "Engineer", ["Berlin"], "", Remote.UNKNOWN, ""),
        ([("workplaceType", None)], "Engineer (Hybrid)", [], "", Remote.HYBRID, "title: Engineer (Hybrid)"),
        ([], "Engineer", ["Remote, Italy"], "", Remote.REMOTE, "location: Remote, Italy"),
        ([], "Engineer", ["Austin", "Hybrid - Berlin"], "", Remote.HYBRID, "location: Hybrid - Berlin"),
        ([], "Engineer", ["US, TX, Remote"], "This position is not remote.", Remote.ONSITE, "text: "),
        ([], "Engineer", [], "This role is fully remote within the EU.", Remote.REMOTE, "text: "),
        ([], "Engineer", [], "Work from anywhere for up to four weeks.", Remote.UNKNOWN, ""),
        ([], "Distributed Systems Engineer", ["Berlin"], "We help remote teams.", Remote.UNKNOWN, ""),
    ],
)
def test_the_place_of_work_has_its_evidence(  # noqa: PLR0917 - a row of the table
    fields: list[tuple[str, object]], title: str, places: list[str], text: str, kind: Remote, evidence: str
) -> None:
    found, why = normalise.remote(fields=fields, title=title, places=places, text=text)
    assert found is kind
    assert why.startswith(evidence)
    assert bool(why) == (found is not Remote.UNKNOWN)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-04-17T05:58:03-04:00", dt.datetime(2026, 4, 17, 9, 58, 3, tzinfo=dt.UTC)),
        ("2026-04-17T05:58:03Z", dt.datetime(2026, 4, 17, 5, 58, 3, tzinfo=dt.UTC)),
        ("2026-04-17 05:58:03 UTC", dt.datetime(2026, 4, 17, 5, 58, 3, tzinfo=dt.UTC)),
        ("2026-04-17", dt.datetime(2026, 4, 17, tzinfo=dt.UTC)),
        ("Fri, 10 Apr 2026 22:45:30 +0000", dt.datetime(2026, 4, 10, 22, 45, 30, tzinfo=dt.UTC)),
        (1_769_801_375_307, dt.datetime(2026, 1, 30, 19, 29, 35, 307000, tzinfo=dt.UTC)),
        (1_769_801_375, dt.datetime(2026, 1, 30, 19, 29, 35, tzinfo=dt.UTC)),
        ("2026-06-01T12:00:01Z", None),
        ("2099-01-01", None),
        ("1970-01-01", None),
        (0, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**30, None),
        (True, None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+23:59", None),
        (None, None),
        ([], None),
    ],
)
def test_dates_are_aware_and_never_in_the_future(written: object, kept: dt.datetime | None) -> None:
    assert normalise.when(written) == kept


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.none(), st.booleans()))
def test_no_date_raises(written: object) -> None:
    found = normalise.when(written)
    assert found is None or found <= clock.now()


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Full-Time", "full_time"),
        ("FullTime", "full_time"),
        ("Regular Full Time (Salary)", "full_time"),
        ("Part time", "part_time"),
        ("Contract", "contract"),
        ("Temporary", "temporary"),
        ("Intern", "internship"),
        ("Internship (Full-time)", "internship"),
        ("Regular", ""),
        (None, ""),
    ],
)
def test_employment_types_are_five(written: object, kept: str) -> None:
    assert normalise.employment_type(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("per-year-salary", "year"),
        ("per-hour-wage", "hour"),
        ("1 YEAR", "year"),
        ("1 MONTH", "month"),
        ("2 WEEK", ""),
        ("NONE", ""),
        ("one-time", ""),
        (None, ""),
    ],
)
def test_pay_periods_are_five(written: object, kept: str) -> None:
    assert normalise.period(written) == kept


def test_pay_without_an_amount_is_no_pay() -> None:
    odd: tuple[object, ...] = (None, 0, "", "0", -5, True, float("nan"), "much", [], 1e300)
    for nothing in odd:
        assert normalise.salary(least=nothing, most=nothing, currency="EUR", per="1 YEAR") is None


def test_pay_is_kept_in_order_with_a_real_currency() -> None:
    pay = normalise.salary(least="90,000", most=80_000, currency="eur", per="1 YEAR", raw=" 80 to 90 ")
    assert pay is not None
    assert (pay.minimum, pay.maximum, pay.currency, pay.period, pay.raw) == (
        80_000,
        90_000,
        "EUR",
        "year",
        "80 to 90",
    )
    odd = normalise.salary(least=1, most=None, currency="<b>", per=None)
    assert odd is not None
    assert odd.currency == ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example", "/relative", "", None, 5, "https://",
        "https://a.example/\u202e", "https://a.example/ b", "https://a.example/\nb", "https://u:p@a.example/",
        "https://a.example\\@b/", "https://a.example/<script>", "https://[::1",
        "https://a.example/" + "x" * 3000,
    ],
)  # fmt: skip
def test_links_that_cannot_be_followed_safely_are_none(url: object) -> None:
    assert normalise.public_url(url) == ""


def test_companies_are_read_from_tokens() -> None:
    assert normalise.company_of("acme-corp") == "Acme Corp"
    assert normalise.company_of("1password") == "1password"
    assert normalise.company_of("Flock Safety") == "Flock Safety"


@given(
    st.builds(
        Posting,
        source_job_id=st.just("1"),
        title=st.text(max_size=60),
        company=st.text(max_size=20),
        url=st.just("https://example.com"),
        locations=st.lists(st.text(max_size=30), max_size=3).map(tuple),
        remote=st.sampled_from(Remote),
        description_text=st.text(alphabet="0123456789$€£k,.-/ \nremotsalyUSDperhou", max_size=200),
    )
)
def test_whatever_a_board_writes_a_posting_can_be_completed(posting: Posting) -> None:
    known = normalise.completed(posting)
    assert len(known.places) == len(posting.locations)
    assert known.level in {"", *normalise.LEVELS}
    assert all(not place.country or len(place.country) == 2 for place in known.places)
    if known.salary is not None and known.salary.minimum is not None and known.salary.maximum is not None:
        assert 0 < known.salary.minimum <= known.salary.maximum
    normalise.title_key(posting.title)
    normalise.company_key(posting.company)


def test_what_a_source_knows_stays() -> None:
    place = Place(raw="HQ", city="Bern", country="CH")
    told = Posting(
        source_job_id="1",
        title="Senior Engineer",
        company="Acme",
        url="https://example.com",
        locations=("HQ",),
        places=(place,),
        level="staff",
        language="fr",
    )
    assert normalise.completed(told) == told


def test_titles_are_compared_without_case_signs_and_short_words() -> None:
    assert normalise.title_key("Sr. IAM Engineer (m/w/d)") == normalise.title_key(
        "Senior IAM Engineer - Remote"
    )
    assert normalise.title_key("Senior IAM Engineer") != normalise.title_key("IAM Engineer")
    assert normalise.title_key("R&D Engineer") == "r d engineer"


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("IAM team. This Role is Fully Remote within the EU.", "text: “This Role is Fully Remote”"),
        ("Three days a week in our Zürich Office.", "text: “Three days a week in our Zürich Office”"),
        ("İzmir. This role is NOT remote.", "text: “this role is not remote”"),
    ],
)
def test_the_evidence_is_quoted_as_the_text_has_it(text: str, evidence: str) -> None:
    assert normalise.remote(text=text)[1] == evidence
