from __future__ import annotations

import datetime as dt
import re
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import yaml

from scout import clock
from scout.matching import Match, ProfileUnusable, fingerprint, load_profile, parse_profile, score
from scout.matching.wishes import Points
from scout.normalise import completed
from scout.postings import Posting, Remote, Salary
from scout.settings import PROJECT

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def matched(wishes: dict[str, Any], title: str = "Baker", **fields: Any) -> Match:
    """How a posting for a baker (50 points) does with some wishes."""
    groups = [{"name": "g", "title": 50, "terms": ["baker"]}]
    profile = parse_profile(yaml.safe_dump({"name": "t", "groups": groups, **wishes}), "test")
    given = {"source_job_id": "1", "title": title, "company": "Acme", "url": "https://example.com"}
    return score(completed(Posting(**(given | fields))), profile)


def reason(match: Match, where: str) -> dict[str, Any] | None:
    found = [each for each in match.reasons if each["where"] == where]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("location", "points", "term"),
    [
        ("Berlin, Germany", 10, "Berlin"),
        ("Zürich", 10, "Switzerland"),
        ("Munich, Bavaria, Germany", 10, "Bavaria"),
        ("Amsterdam", 10, "NL"),
        ("Austin, TX", 10, "Texas"),
        ("Paris, France", -30, "Paris"),
        ("Madrid, Spain", -5, "Madrid, Spain"),
        ("Cambridge, MA", -5, "Cambridge, MA"),
        ("", -2, "not told"),
    ],
)
def test_places_are_wanted_by_country_region_or_town(location: str, points: int, term: str) -> None:
    wishes = {
        "places": {
            "wanted": ["Berlin", "Switzerland", "Bavaria", "Texas", "NL"],
            "unwanted": ["Paris"],
            "otherwise": -5,
            "unknown": -2,
        }
    }
    match = matched(wishes, locations=(location,) if location else ())
    assert match.score == 50 + points
    assert reason(match, "place") == {"term": term, "where": "place", "points": points}


def test_the_best_of_several_places_counts() -> None:
    wishes = {"places": {"wanted": ["EU"], "unwanted": ["US"]}}
    assert matched(wishes, locations=("New York, NY", "Dublin, Ireland")).score == 60
    assert matched(wishes, locations=("New York, NY",)).score == 20


@pytest.mark.parametrize(
    ("home", "regions", "eligible"),
    [
        ("EU", ("US",), False),
        ("EU", ("US", "CA"), False),
        ("EU", ("NORTH_AMERICA",), False),
        ("EU", ("GB",), False),
        ("EU", ("DE",), True),
        ("EU", ("EMEA",), True),
        ("EU", ("EUROPE",), True),
        ("EU", ("WORLDWIDE",), True),
        ("EU", ("US", "WORLDWIDE"), True),
        ("EU", (), True),
        ("DE", ("EU",), True),
        ("DE", ("FR",), False),
        ("United States", ("AMERICAS",), True),
        ("Brazil", ("LATAM",), True),
        ("Brazil", ("APAC",), False),
    ],
)
def test_remote_work_from_elsewhere_is_no_match(
    home: str, regions: tuple[str, ...], *, eligible: bool
) -> None:
    wishes = {"remote": {"wanted": ["remote"], "from": [home]}}
    match = matched(wishes, remote=Remote.REMOTE, remote_regions=regions)
    assert match.score == (60 if eligible else 0)
    if not eligible:
        assert reason(match, "remote") == {
            "term": f"only from {', '.join(regions)}",
            "where": "remote",
            "points": -100,
        }


def test_remote_us_only_never_reaches_a_profile_of_the_eu() -> None:
    wishes = {
        "remote": {"wanted": ["remote"], "from": ["EU"], "points": 40},
        "places": {"wanted": ["US"], "points": 40},
    }
    fields: dict[str, Any] = {"remote": Remote.REMOTE, "locations": ("Remote, US only",)}
    assert matched(wishes, **fields).score == 0
    assert matched(wishes, **(fields | {"locations": ("Remote - EU",)})).score == 90


@pytest.mark.parametrize(
    ("kind", "points"),
    [(Remote.HYBRID, 7), (Remote.ONSITE, -30), (Remote.REMOTE, 1), (Remote.UNKNOWN, 2)],
)
def test_each_of_the_four_ways_of_work_has_its_points(kind: Remote, points: int) -> None:
    wishes = {
        "remote": {"wanted": ["hybrid"], "unwanted": ["onsite"], "points": 7, "otherwise": 1, "unknown": 2}
    }
    assert matched(wishes, remote=kind).score == 50 + points


@pytest.mark.parametrize(
    ("pay", "points"),
    [
        (None, 0),
        (Salary(minimum=70_000, maximum=90_000, currency="EUR", period="year"), 10),
        (Salary(minimum=60_000, maximum=70_000, currency="EUR", period="year"), -30),
        (Salary(minimum=6_700, currency="EUR", period="month"), 10),
        (Salary(minimum=30, maximum=38, currency="EUR", period="hour"), -30),
        (Salary(maximum=400, currency="EUR", period="day"), 10),
        (Salary(minimum=200_000, currency="USD", period="year"), 0),
        (Salary(minimum=200_000, currency="EUR"), 0),
        (Salary(minimum=0, currency="EUR", period="year"), 0),
    ],
)
def test_pay_is_compared_by_the_year_and_unknown_pay_takes_nothing_away(
    pay: Salary | None, points: int
) -> None:
    wish = {"least": 80_000, "currency": "eur"}
    assert matched({"pay": wish}, salary=pay).score == 50 + points
    assert (matched({"pay": wish | {"unknown": -100}}, salary=pay).score == 0) is (points == 0)


def test_a_guess_of_pay_is_called_one() -> None:
    pay = Salary(maximum=90_000, currency="EUR", period="year", origin="predicted")
    match = matched({"pay": {"least": 40_000, "currency": "EUR", "per": "year"}}, salary=pay)
    assert reason(match, "pay") == {"term": "90,000 EUR a year, predicted", "where": "pay", "points": 10}


@pytest.mark.parametrize(
    ("title", "points"),
    [("Senior Baker", 10), ("Baker Intern", -30), ("Lead Baker", 0), ("Baker", -3)],
)
def test_levels_are_wanted_or_not(title: str, points: int) -> None:
    wishes = {"level": {"wanted": ["senior"], "unwanted": ["intern"], "unknown": -3}}
    assert matched(wishes, title).score == 50 + points


def test_companies_are_liked_or_never_shown_whatever_their_legal_form() -> None:
    wishes = {"companies": {"liked": ["Bread Brothers"], "never": ["Dough"]}}
    assert matched(wishes, company="Bread Brothers GmbH").score == 60
    assert matched(wishes, company="Dough, Inc.").score == 0
    assert matched(wishes, company="Doughnuts").score == 50


def test_a_language_that_is_not_wanted_takes_away() -> None:
    wishes = {"language": {"wanted": ["DE"]}}
    assert matched(wishes, language="de").score == 50
    assert matched(wishes, language="fr").score == 20
    assert matched(wishes).score == 50


@pytest.mark.parametrize(("days", "points"), [(0, 5), (7, 5), (8, 0), (45, 0), (46, -20), (None, 0)])
def test_the_age_is_that_of_the_publication(
    days: int | None, points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    posted = None if days is None else NOW - dt.timedelta(days=days)
    assert matched({"age": {"fresh": 7, "old": 45}}, posted_at=posted).score == 50 + points


def test_only_a_profile_with_an_age_is_another_one_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{name: t, groups: [{name: g, title: 5, terms: [a]}]%s}"
    plain, aged = parse_profile(text % "", "t"), parse_profile(text % ", age: {old: 9}", "t")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    before = [fingerprint(plain), fingerprint(aged)]
    assert before[0] != before[1]
    monkeypatch.setattr(clock, "now", lambda: NOW + dt.timedelta(days=1))
    after = [fingerprint(plain), fingerprint(aged)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


def test_a_posting_without_a_term_of_the_trade_stays_at_nothing_whatever_it_offers() -> None:
    wishes = {
        "places": {"wanted": ["Berlin"], "points": 100},
        "companies": {"liked": ["Acme"], "points": 100},
        "level": {"wanted": ["senior"], "points": 100},
    }
    assert matched(wishes, "Senior Gardener", locations=("Berlin",)) == Match(0, [])


def test_terms_and_wishes_together_stay_within_the_bounds() -> None:
    assert matched({"companies": {"liked": ["Acme"], "points": 100}}).score == 100
    assert matched({"companies": {"never": ["Acme"]}}).score == 0


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        ({"places": {}}, "places says nothing: give unwanted or wanted"),
        ({"places": ["Berlin"]}, "places must be names with values"),
        ({"places": {"wanted": "Berlin"}}, "places: wanted must be a list"),
        ({"places": {"wanted": ["Xyzzyville"]}}, "'Xyzzyville', which is no country, region or town"),
        ({"places": {"wanted": ["worldwide"]}}, "the whole world"),
        ({"places": {"wanted": [False]}}, r"False, which is no text \(put it in quotes\)"),
        ({"places": {"wanted": ["Berlin"], "points": 1000}}, "points: 1000, where -100 to 100"),
        ({"places": {"wanted": ["Berlin"], "radius": 5}}, "'radius', which means nothing here"),
        ({"remote": {"wanted": ["home"]}}, "'home', where one of onsite, hybrid, remote, unknown is meant"),
        ({"remote": {"from": ["Nowhereland"]}}, "no country or group"),
        ({"pay": {"least": 5}}, "currency: three letters"),
        ({"pay": {"least": "5", "currency": "EUR"}}, "least: a number above 0"),
        ({"pay": {"least": 5, "currency": "EUR", "per": "decade"}}, "'decade', where one of hour"),
        ({"level": {"wanted": ["boss"]}}, "'boss', where one of intern"),
        ({"companies": {"liked": [7]}}, "7, which is no text"),
        ({"language": {"wanted": ["german"]}}, "two letters such as en"),
        ({"age": {"old": "a month"}}, "a whole number of days"),
    ],
)
def test_a_wish_that_is_wrong_says_where(wishes: dict[str, Any], why: str) -> None:
    with pytest.raises(ProfileUnusable, match=why):
        matched(wishes)


EXAMPLES = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs/PROFILES.md").read_text(), re.DOTALL)


def test_the_examples_of_the_page_are_profiles_that_do_what_it_says() -> None:
    terms, wished = (parse_profile(text, "docs/PROFILES.md") for text in EXAMPLES)
    posting = partial(Posting, source_job_id="1", company="Acme", url="")
    pastry = score(posting(title="Pastry Cook", description_text="Ovens and sourdough."), terms)
    assert [each["term"] for each in pastry.reasons] == ["pastry cook", "SSO"]
    assert score(posting(title="Baker Recruiter"), terms).score == 0
    there = posting(title="Senior Baker", locations=("Lyon, France",))
    assert score(completed(there), wished).score == 80
    away = posting(title="Baker", remote=Remote.REMOTE, locations=("Remote, US",))
    assert score(completed(away), wished).score == 0


def test_the_page_tells_the_points_that_wishes_have() -> None:
    page = (PROJECT / "docs/PROFILES.md").read_text()
    table = {
        cells[0].strip("` "): [cell.strip() for cell in cells[1:]]
        for line in page.splitlines()
        if line.startswith("| `")
        for cells in [line.strip("|").split("|")]
    }
    profile = parse_profile(EXAMPLES[1].replace("  otherwise: -20\n", ""), "docs/PROFILES.md")
    for name, wish in zip(table, profile.wishes, strict=True):
        told = [int(cell) if cell else None for cell in table[name]]
        gives: Points = attrgetter("gives")(wish)
        has = [gives.points, gives.against, gives.otherwise, gives.unknown]
        assert [a for a, b in zip(has, told, strict=True) if b is not None] == [
            b for b in told if b is not None
        ], name


def test_wishes_may_be_added_to_a_profile_of_the_program(tmp_path: Path) -> None:
    text = (PROJECT / "scout/profiles/iam.yaml").read_text()
    file = tmp_path / "mine.yaml"
    file.write_text(f"{text}\nremote: {{from: [EU]}}\n")
    posting = partial(
        Posting, source_job_id="1", title="IAM Engineer", company="Acme", url="", remote=Remote.REMOTE
    )
    there = completed(posting(locations=("Remote - Germany",)))
    away = completed(posting(locations=("Remote - US",)))
    mine, plain = load_profile(file), load_profile("iam")
    assert score(there, mine) == score(there, plain) == score(away, plain)
    assert score(away, mine).score == 0
