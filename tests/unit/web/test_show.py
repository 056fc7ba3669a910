from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from webapp import show

NOW = dt.datetime(2026, 11, 1, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scout.clock.now", lambda: NOW)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86399, "23 h ago"),
        (86400, "1 day ago"),
        (86400 * 59, "59 days ago"),
        (86400 * 60, "2 months ago"),
        (86400 * 729, "24 months ago"),
        (86400 * 730, "2 years ago"),
    ],
)
def test_past_times_are_coarse_and_exact(seconds: int, words: str) -> None:
    shown = show.ago(NOW - dt.timedelta(seconds=seconds))
    assert shown.endswith(f">{words}</time>")
    assert "UTC" in shown


def test_coming_times() -> None:
    assert show.until(None) == "not planned"
    assert ">now<" in show.until(NOW)
    assert ">in 40 min<" in show.until(NOW + dt.timedelta(minutes=40))
    assert show.ago(None) == "never"


@pytest.mark.parametrize(
    ("salary", "words"),
    [
        (None, ""),
        ({}, ""),
        (
            {"minimum": 90000, "maximum": 110000, "currency": "EUR", "period": "year"},
            "€90,000 to €110,000 / year",
        ),
        ({"minimum": 90000, "maximum": None, "currency": "CHF"}, "from CHF 90,000"),
        ({"minimum": None, "maximum": 65.5, "currency": "USD", "period": "hour"}, "up to $65.50 / hour"),
        ({"minimum": 50, "maximum": 50, "currency": "GBP", "period": "hour"}, "£50 / hour"),
        ({"minimum": 1, "maximum": 2, "currency": "", "origin": "parsed"}, "about 1 to 2"),
        ({"minimum": None, "maximum": None, "raw": "competitive"}, "competitive"),
    ],
)
def test_pay_is_one_short_line(salary: dict[str, Any] | None, words: str) -> None:
    assert show.pay(salary) == words


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "JavaScript:x",
        "data:text/html,x",
        "//x",
        "/x",
        "https:",
        "ftp://x/",
        "https://[",
    ],
)
def test_only_web_addresses_become_links(address: str) -> None:
    assert show.outward(address) == ""


def test_web_addresses_stay_as_they_are() -> None:
    assert show.outward("https://jobs.lever.co/acme?x=1&y") == "https://jobs.lever.co/acme?x=1&y"
