"""How times, pay, places and addresses are written for people: the templates' filters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from markupsafe import Markup

from scout import clock, highlighting, notes, schedule
from scout.identity import reposts
from scout.models import RunTrigger, ScanState
from scout.postings import Remote

if TYPE_CHECKING:
    from flask import Flask

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$"}

_REMOTE = {Remote.REMOTE: "Remote", Remote.HYBRID: "Hybrid", Remote.ONSITE: "On site", Remote.UNKNOWN: ""}

_TRIGGERS = {
    RunTrigger.FIRST: "first start",
    RunTrigger.SCHEDULE: "schedule",
    RunTrigger.OWNER: "you",
    RunTrigger.COMMAND: "command line",
}

_STATES = {
    ScanState.QUEUED: "waiting",
    ScanState.RUNNING: "running",
    ScanState.SUCCEEDED: "succeeded",
    ScanState.PARTIAL: "partial",
    ScanState.FAILED: "failed",
    ScanState.CANCELLED: "cancelled",
}

_PHASES = {"fetch": "fetching", "parse": "reading", "match": "matching", "store": "storing"}

_EMPLOYMENT = {
    "full_time": "Full time",
    "part_time": "Part time",
    "contract": "Contract",
    "temporary": "Temporary",
    "internship": "Internship",
}


def add_filters(app: Flask) -> None:
    """Give the templates these functions as filters."""
    app.jinja_env.filters.update(
        ago=ago,
        until=until,
        moment=dt.datetime.fromisoformat,
        day=lambda date: f"{date.day} {date:%B %Y}",
        took=took,
        span=schedule.words,
        minutes=lambda number: schedule.words(dt.timedelta(minutes=number)),
        pay=pay,
        remote=lambda value: _REMOTE[value],
        outward=outward,
        trigger=lambda value: _TRIGGERS[value],
        state=lambda value: _STATES[value],
        phase=lambda value: _PHASES.get(value, "working"),
        employment=lambda value: _EMPLOYMENT.get(value, value.replace("_", " ").capitalize()),
        host=lambda address: (urlsplit(address).hostname or address).removeprefix("www."),
        count=lambda number: f"{number:,}",
        grade=grade,
        before=reposts.words,
        # Sanitised, as descriptions are.
        markdown=lambda body: Markup(notes.shown(body)),  # noqa: S704
        highlighted=highlighting.marked,
    )


def ago(time: dt.datetime | None) -> Markup:
    """A past time in the coarsest words that are still useful, with the exact one behind it."""
    if time is None:
        return Markup("never")
    seconds = (clock.now() - time).total_seconds()
    return _element(time, "just now" if seconds < _MINUTE else f"{span(seconds)} ago")


def until(time: dt.datetime | None) -> Markup:
    """A coming time, likewise."""
    if time is None:
        return Markup("not planned")
    seconds = (time - clock.now()).total_seconds()
    return _element(time, "now" if seconds < _MINUTE else f"in {span(seconds)}")


def span(seconds: float) -> str:
    """A length of time in the coarsest words that are still useful: `5 min`, `3 h`, `12 days`."""
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h"
    days = int(seconds // _DAY)
    if days < 60:  # noqa: PLR2004 - two months
        return f"{days} day" if days == 1 else f"{days} days"
    return f"{days // 30} months" if days < 730 else f"{days // 365} years"  # noqa: PLR2004 - two years


def _element(time: dt.datetime, words: str) -> Markup:
    exact = time.astimezone(dt.UTC)
    # Of figures and our own words alone, some dozens to a page: nothing is there to be escaped.
    said = f"{exact:%d %b %Y, %H:%M} UTC"
    return Markup(f'<time datetime="{exact.isoformat(timespec="seconds")}" title="{said}">{words}</time>')  # noqa: S704


def took(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """How long something took or has taken, in words."""
    if start is None:
        return ""
    seconds = max(((end or clock.now()) - start).total_seconds(), 0.0)
    if seconds < 10:  # noqa: PLR2004 - below, a tenth matters
        return f"{seconds:.1f} s"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{int(seconds // _MINUTE)} min {int(seconds % _MINUTE)} s"


def pay(salary: Mapping[str, Any] | None) -> str:
    """Pay in one short line; where it was read out of a text or is the board's guess, a word says so."""
    if not salary:
        return ""
    low, high = salary.get("minimum"), salary.get("maximum")
    currency = str(salary.get("currency") or "")
    period = f" / {salary['period']}" if salary.get("period") else ""
    sign = _SIGNS.get(currency, f"{currency} " if currency else "")
    if low is None and high is None:
        return str(salary.get("raw") or "")[:80]
    about = "about " if salary.get("origin") in {"parsed", "predicted"} else ""
    if low is not None and high is not None and low != high:
        amount = f"{about}{sign}{_amount(low)} to {sign}{_amount(high)}"
    elif low is None:
        amount = f"up to {about}{sign}{_amount(high)}"
    elif high is None:
        amount = f"from {about}{sign}{_amount(low)}"
    else:
        amount = f"{about}{sign}{_amount(low)}"
    return f"{amount}{period}"


def _amount(number: Any) -> str:
    number = float(number)
    return f"{number:,.2f}" if number < 1000 and number != int(number) else f"{number:,.0f}"  # noqa: PLR2004 - wages


def outward(address: str) -> str:
    """The address if a browser may be sent there, else nothing: boards write what they like into a link."""
    try:
        split = urlsplit(address)
    except ValueError:
        return ""
    return address if split.scheme in {"http", "https"} and split.netloc else ""


def grade(score: int) -> str:
    """How good a score is, for its colour: `strong`, `good`, `fair` or `none`."""
    for least, name in ((60, "strong"), (30, "good"), (1, "fair")):
        if score >= least:
            return name
    return "none"
