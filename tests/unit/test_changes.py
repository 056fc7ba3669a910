from __future__ import annotations

import random
from typing import Any

import pytest

from metrics import catalogue
from scout import changes
from scout.changes import between, difference, words

PAY = {"minimum": 90000.0, "maximum": 110000.0, "currency": "EUR", "period": "year", "raw": "", "origin": "x"}
OLD: dict[str, Any] = {
    "title": "Identity Engineer",
    "salary": PAY,
    "locations": ["Berlin", "Paris"],
    "remote": "hybrid",
    "level": "senior",
    "employment_type": "full_time",
    "department": "Trust",
    "text": "Keep the keys.\nWe use Okta.",
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"title": "Lead Identity Engineer"}, "title Identity Engineer became Lead Identity Engineer"),
        (
            {"salary": PAY | {"minimum": 95000, "maximum": 120000}},
            "pay 90,000-110,000 EUR a year became 95,000-120,000 EUR a year",
        ),
        ({"salary": None}, "pay 90,000-110,000 EUR a year was taken out"),
        ({"locations": ["Berlin"]}, "places Berlin; Paris became Berlin"),
        ({"remote": "remote"}, "remote hybrid became remote"),
        ({"level": ""}, "level senior was taken out"),
        ({"employment_type": "contract"}, "contract full_time became contract"),
        ({"department": "Safety"}, "department Trust became Safety"),
        ({"text": "Keep the keys. We use Okta and SAML."}, "description: 1 word out, 3 words in"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_a_person_would_care_about_is_told_in_a_line(change: dict[str, Any], told: str) -> None:
    assert [words(each) for each in between(OLD, OLD | change)] == [told]


@pytest.mark.parametrize(
    "change",
    [
        {"locations": ["paris", " Berlin "]},
        {"title": "  identity   ENGINEER "},
        {"salary": PAY | {"raw": "90-110k", "origin": "parsed"}},
        {"text": "Keep  the keys.  We use\n\nOkta."},
        {"department": "TRUST"},
    ],
)
def test_noise_is_no_change(change: dict[str, Any]) -> None:
    assert between(OLD, OLD | change) == []


def test_what_is_not_known_of_both_is_not_compared() -> None:
    assert between({"title": "Identity Engineer"}, OLD | {"department": "x"}) == []


def test_every_field_is_a_label_of_the_metric() -> None:
    assert catalogue.EDITED_FIELD.values == changes.FIELDS
    everything = {name: type(value)() for name, value in OLD.items()} | {"salary": None}
    assert tuple(change["field"] for change in between(everything, OLD)) == changes.FIELDS
    assert [words(each).endswith(("was added", "in")) for each in between(everything, OLD)] == [True] * 8


@pytest.mark.parametrize(
    ("pay", "told"),
    [
        ({"minimum": 30, "maximum": 30, "period": "hour"}, "30 an hour"),
        ({"minimum": 30.5, "currency": "CHF"}, "from 30.5 CHF"),
        ({"maximum": 1_250_000, "currency": "JPY"}, "up to 1,250,000 JPY"),
        ({"raw": "by agreement"}, "by agreement"),
    ],
)
def test_pay_is_told_in_plain_words(pay: dict[str, Any], told: str) -> None:
    blank = {"minimum": None, "maximum": None, "currency": "", "period": "", "raw": ""}
    assert changes.pay(blank | pay) == told


def test_a_difference_shows_the_words_that_changed_and_little_around_them() -> None:
    before = " ".join(f"Sentence {n} says a little." for n in range(40))
    after = before.replace("Sentence 20 says a little.", "Sentence 20 says quite a lot.")
    parts, removed, added = difference(before, after)
    assert [part for part in parts if part[0] != "="] == [
        ("+", "quite"),
        ("-", "little."),
        ("+", "lot."),
    ]
    assert (removed, added) == (1, 2)
    assert parts[0][0] == "="
    assert len(parts[0][1].split()) < 25


def test_nothing_of_a_short_difference_is_lost() -> None:
    chance = random.Random(7)
    for _ in range(200):
        before, after = (
            " ".join(chance.choice(("a", "b", "c.", "d\n")) for _ in range(chance.randrange(12)))
            for _ in range(2)
        )
        parts, *_ = difference(before, after)
        old = [word for kind, text in parts if kind != "+" for word in text.split()]
        new = [word for kind, text in parts if kind != "-" for word in text.split()]
        if "…" not in old:
            assert old == before.split()
            assert new == after.split()


def hostile() -> dict[str, tuple[str, str]]:
    chance = random.Random(3)

    def text(alphabet: int, count: int, end: str = " ") -> str:
        return end.join(f"w{chance.randrange(alphabet)}" for _ in range(count))

    return {
        "nothing in common": (text(10**6, 50_000), text(10**6, 50_000)),
        "one word again and again": ("spam " * 50_000, "spam " * 49_000 + "egg"),
        "few words": (text(3, 50_000), text(3, 50_000)),
        "few sentences": (text(3, 20_000, ". "), text(3, 20_000, ". ")),
        "just short of the limits": (text(20, 399, ". "), text(20, 399, ". ")),
        "just short of autojunk": (text(2, 199, ". "), text(2, 199, ". ")),
        "many passages": (
            "".join(f"Same {n}. {text(2, 100)}. " for n in range(100)),
            "".join(f"Same {n}. {text(2, 100)}. " for n in range(100)),
        ),
        "one endless word": ("x" * 500_000, "y" * 500_000),
        "gone": (text(100, 50_000), ""),
    }


@pytest.mark.parametrize("name", hostile())
def test_a_difference_is_bounded_whatever_the_texts_are(name: str) -> None:
    parts, *_ = difference(*hostile()[name])
    assert 0 < sum(len(text) for _, text in parts) <= changes.LONGEST_DIFFERENCE
    assert all(len(text) <= changes.LONGEST_PART for _, text in parts)
