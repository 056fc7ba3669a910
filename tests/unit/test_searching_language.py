from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.searching.language import LONGEST, MOST_TERMS, Key, Term, parse, written
from scout.searching.numbers import Bounds


def only(text: str) -> Term:
    read = parse(text)
    assert read.problems == ()
    (term,) = read.terms
    return term


def test_words_phrases_and_terms_are_told_apart() -> None:
    read = parse('okta "identity engineer" -sales -"a phrase" company:"1Password Inc" -title:intern')
    assert [(term.key, term.values, term.negated) for term in read.terms] == [
        (Key.WORDS, ("okta",), False),
        (Key.PHRASE, ("identity engineer",), False),
        (Key.WORDS, ("sales",), True),
        (Key.PHRASE, ("a phrase",), True),
        (Key.COMPANY, ("1password inc",), False),
        (Key.TITLE, ("intern",), True),
    ]
    assert read.problems == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("remote:yes", ("remote",)),
        ("remote:no,hybrid", ("onsite", "hybrid")),
        ("LEVEL:Senior", ("senior",)),
        ("level:none", ("none",)),
        ("type:full-time", ("full_time",)),
        ('type:"full time"', ("full_time",)),
        ("language:german", ("de",)),
        ("lang:de", ("de",)),
        ("status:saved,applied,saved", ("saved", "applied")),
        ("is:closed", ("closed",)),
        ("has:pay", ("salary",)),
        ("country:germany", ("DE",)),
        ("country:us", ("US",)),
        ("board:lever-veeva", ("lever-veeva",)),
        ("new:3d", ("3d",)),
        ("in:Zürich", ("zurich",)),
        ('place:"New York",berlin', ("new york", "berlin")),
        ("node.js", ("node js",)),
        ("https://example.com/x", ("https example com x",)),
    ],
)
def test_values_are_read_as_people_write_them(text: str, values: tuple[str, ...]) -> None:
    assert only(text).values == values


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("score:>70", Bounds(71, None)),
        ("score:>=70", Bounds(70, None)),
        ("score:70", Bounds(70, None)),
        ("score:=70", Bounds(70, 70)),
        ("score:<40", Bounds(None, 39)),
        ("score:<=40", Bounds(None, 40)),
        ("score:80..60", Bounds(60, 80)),
        ("salary:120k", Bounds(120_000, None)),
        ("salary:90,000..120.000", Bounds(90_000, 120_000)),
        ("salary:60..80k", Bounds(60_000, 80_000)),
        ("salary:>=99.5k-eur", Bounds(99_500, None, "EUR")),
        ("salary:>=€1'200'000", Bounds(1_200_000, None, "EUR")),
        ("salary:chf80k", Bounds(80_000, None, "CHF")),
        ("salary:>9m", Bounds(9_000_001, None)),
        (f"salary:>{'9' * 100}", Bounds(2**31 - 1, None)),
    ],
)
def test_numbers_are_compared_and_may_be_ranges(text: str, bounds: Bounds) -> None:
    assert only(text).bounds == bounds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("level:boss", "level:senior"),
        ("remote:perhaps", "remote:hybrid"),
        ("salary:much", "salary:>120k"),
        ("salary:$5-eur", "salary:>120k"),
        ("score:..", "score:60..80"),
        ("new:soon", "new:3d"),
        ("new:0d", "new:3d"),
        ("status:", "status:saved"),
        ('company:""', "company:okta"),
        ("country:nowhere", "country:germany"),
        ("-is:green", "is:closed"),
        ("%&/", "no letter or digit"),
    ],
)
def test_what_means_nothing_is_named_with_what_to_write_and_the_rest_counts(text: str, said: str) -> None:
    read = parse(f"okta {text}")
    assert read.terms[0].values == ("okta",)
    if text != "status:":
        assert len(read.terms) == 1
        (problem,) = read.problems
        assert said in problem


def test_a_search_has_a_longest_length_and_a_greatest_number_of_parts() -> None:
    assert "characters" in parse("x" * (LONGEST + 1)).problems[0]
    read = parse(" ".join(f"w{n}" for n in range(MOST_TERMS + 5)))
    assert len(read.terms) == MOST_TERMS
    assert "parts" in read.problems[0]


def test_a_chip_says_a_term_and_what_is_left_without_it() -> None:
    chips = parse('okta company:"1Password Inc" -remote:no salary:>120k-eur new:2w level:senior,staff').chips
    assert [chip.words for chip in chips] == [
        "okta",
        "at 1Password Inc",
        "not On site",
        "pay of more than 120,000 EUR",
        "found within 2 weeks",
        "Senior or Staff",
    ]
    assert chips[1].without == "okta -remote:onsite salary:>120k-eur new:2w level:senior,staff"


def test_a_term_is_put_in_place_of_those_of_its_key() -> None:
    read = parse("okta level:senior -level:intern remote:yes")
    assert str(read.replaced(Key.LEVEL, "staff")) == "okta -level:intern remote:remote level:staff"
    assert str(read.replaced(Key.LEVEL, "")) == "okta -level:intern remote:remote"
    assert str(read.replaced(Key.COMPANY, 'Say "Hi", Inc')).endswith('company:"Say Hi , Inc"')
    assert parse(written(Key.COMPANY, "-Dash")).terms[0].values == ("dash",)


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(['"', "-", ":", "a", "level", "senior", " ", ",", ">", "..", "9", "k"])).map(
        "".join
    )
)
def test_reading_never_fails_and_what_was_read_is_read_again_as_it_is(text: str) -> None:
    read = parse(text)
    assert all(problem.endswith(".") for problem in read.problems)
    assert parse(str(read)).terms == read.terms
    assert [chip.words for chip in read.chips] == [term.words for term in read.terms]
