"""From the many ways in which boards say one thing to the one way in which we keep it."""

from __future__ import annotations

import datetime as dt
import email.utils
import html
import math
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from scout import clock
from scout.html import legible
from scout.postings import Remote, Salary

_LONGEST_LINE = 500


def line(value: Any, longest: int = _LONGEST_LINE) -> str:
    """One line of text: entities resolved, spaces folded, cut to `longest` characters; empty if not text."""
    if not isinstance(value, str):
        return ""
    text = value[: longest * 8]
    if "&" in text:
        text = html.unescape(text)
    folded = " ".join(legible(text).split())
    return folded if len(folded) <= longest else folded[: longest - 1].rstrip() + "…"


def identifier(value: Any) -> str:
    """A board's id of something as text; empty if it is neither text nor a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return line(value)


_SEVERAL = re.compile(r"\s*[;|•·\n]\s*|\s+/\s+|\s+or\s+")


def locations(values: Iterable[Any]) -> tuple[str, ...]:
    """Places as written, one an entry, in order, no duplicates. `Austin | Chicago` is two."""
    found: dict[str, str] = {}
    for value in values:
        if isinstance(value, str):
            for part in _SEVERAL.split(value[:2000]):
                place = line(part, 200)
                if place:
                    found.setdefault(place.casefold(), place)
    return tuple(found.values())


_HYBRID = re.compile(r"\bhybrid\b", re.IGNORECASE)
_REMOTE = re.compile(
    r"\bremote(?:ly)?\b|\bwork from (?:home|anywhere)\b|\btelecommut|\bhome[- ]office\b", re.IGNORECASE
)
_ONSITE = re.compile(r"\bon[- ]?site\b|\bin[- ]office\b|\bin[- ]person\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:(?:this|the) (?:role|position|job) (?:is|can)(?: not|n['\u2019]t)(?: be)?(?: a)?(?: eligible for)?"
    r"(?: fully)? remote|not (?:a|an) (?:fully )?remote (?:role|position|job)|remote work is not"
    r"|no remote (?:work|option)|not open to remote|must (?:be|work) on[- ]?site (?:full[- ]time|five days"
    r"|5 days))",
    re.IGNORECASE,
)
_PHRASE_REMOTE = re.compile(
    r"\b(?:(?:this|the) (?:role|position|job) is (?:a )?(?:fully |100% |completely )?remote"
    r"|fully[- ]remote (?:role|position|job)|100% remote)\b",
    re.IGNORECASE,
)
_PHRASE_HYBRID = re.compile(r"\b(?:this|the) (?:role|position|job) is (?:a )?hybrid\b", re.IGNORECASE)
_FIELD_VALUES = {
    "remote": Remote.REMOTE,
    "fullyremote": Remote.REMOTE,
    "telecommute": Remote.REMOTE,
    "hybrid": Remote.HYBRID,
    "onsite": Remote.ONSITE,
    "inoffice": Remote.ONSITE,
    "inperson": Remote.ONSITE,
}


def remote_field(value: Any) -> Remote:
    """What a board's own field for the place of work says; unknown for words that say nothing."""
    if not isinstance(value, str):
        return Remote.UNKNOWN
    return _FIELD_VALUES.get(re.sub(r"[^a-z]", "", value[:80].lower()), Remote.UNKNOWN)


def remote(
    *, fields: Iterable[tuple[str, Any]] = (), title: str = "", places: Iterable[str] = (), text: str = ""
) -> tuple[Remote, str]:
    """Where the work is done, and the words that say so. The strongest evidence wins; silence is unknown.

    The order: an explicit denial in the text, a field of the board, the title, the places, a plain statement
    in the text. A bare mention in the text ("remote-friendly benefits") is no evidence.

    Args:
        fields: Names and values of the board's own fields, the most telling first.
        title: The posting's title.
        places: Its locations.
        text: Its description as plain text.
    """
    denial = _DENIAL.search(text)
    if denial:
        return Remote.ONSITE, f"text: “{denial[0]}”"
    for name, value in fields:
        found = remote_field(value)
        if found is not Remote.UNKNOWN:
            return found, f"{name}: {line(value, 60)}"
    for where, words in (("title", (title,)), ("location", tuple(places))):
        for kind, pattern in ((Remote.HYBRID, _HYBRID), (Remote.REMOTE, _REMOTE), (Remote.ONSITE, _ONSITE)):
            for each in words:
                if pattern.search(each):
                    return kind, f"{where}: {each[:120]}"
    for kind, pattern in ((Remote.HYBRID, _PHRASE_HYBRID), (Remote.REMOTE, _PHRASE_REMOTE)):
        stated = pattern.search(text)
        if stated:
            return kind, f"text: “{stated[0]}”"
    return Remote.UNKNOWN, ""


_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MILLISECONDS = 100_000_000_000


def when(value: Any) -> dt.datetime | None:
    """A board's time, aware, in UTC; None when it cannot be read, is before 2000, or is in the future.

    Reads ISO 8601 with or without zone (UTC is assumed), RFC 822, and seconds or milliseconds since 1970,
    told apart by their size.
    """
    found = _time(value)
    if found is None or not _EARLIEST <= found <= clock.now():
        return None
    return found


def _time(value: Any) -> dt.datetime | None:  # noqa: PLR0911 - one return per form
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        if not math.isfinite(value) or abs(value) > 1e14:  # noqa: PLR2004 - past any date
            return None
        seconds = value / 1000 if abs(value) >= _MILLISECONDS else value
        return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(seconds=max(seconds, 0.0))
    if not isinstance(value, str):
        return None
    text = value.strip()[:64].removesuffix(" UTC")
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        try:
            found = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError, IndexError):
            return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    try:
        return found.astimezone(dt.UTC)
    except OverflowError:
        return None


_EMPLOYMENT = (
    ("intern", "internship"),
    ("werkstudent", "internship"),
    ("parttime", "part_time"),
    ("fulltime", "full_time"),
    ("contract", "contract"),
    ("freelance", "contract"),
    ("temporary", "temporary"),
    ("temp", "temporary"),
    ("fixedterm", "temporary"),
    ("seasonal", "temporary"),
    ("permanent", "full_time"),
)


def employment_type(value: Any) -> str:
    """`full_time`, `part_time`, `contract`, `temporary`, `internship`, or empty when the words say none."""
    if not isinstance(value, str):
        return ""
    squeezed = re.sub(r"[^a-z]", "", value[:80].lower())
    return next((name for words, name in _EMPLOYMENT if words in squeezed), "")


_PERIODS = ("year", "month", "week", "day", "hour")


def period(value: Any) -> str:
    """`hour`, `day`, `week`, `month` or `year` out of a board's word for it (`per-year-salary`, `1 HOUR`)."""
    if not isinstance(value, str):
        return ""
    words = value[:40].lower()
    if re.search(r"\b(?:[02-9]|\d{2,})\b", words):
        return ""  # "2 WEEK": not one of our periods
    if "annual" in words:
        return "year"
    return next((name for name in _PERIODS if name in words), "")


def amount(value: Any) -> float | None:
    """A stated amount of money; None for what is not a number, and for zero, which boards use for unknown."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value.replace(",", "").strip()[:20])
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or not 0 < value < 1e12:  # noqa: PLR2004 - past any pay
        return None
    return float(value)


def salary(*, least: Any, most: Any, currency: Any, per: Any, raw: Any = "") -> Salary | None:
    """Pay from a board's fields; None when they state no amount."""
    minimum, maximum = amount(least), amount(most)
    if minimum is None and maximum is None:
        return None
    if minimum is not None and maximum is not None and minimum > maximum:
        minimum, maximum = maximum, minimum
    code = line(currency).upper()
    return Salary(
        minimum=minimum,
        maximum=maximum,
        currency=code if re.fullmatch(r"[A-Z]{3}", code, re.ASCII) else "",
        period=period(per),
        raw=line(raw, 200),
    )


def public_url(value: Any) -> str:
    """A link that a page may show: http or https with a host, nothing invisible in it; empty otherwise."""
    if not isinstance(value, str):
        return ""
    url = value.strip()
    if len(url) > 2000 or legible(url) != url or re.search(r"[\s\\<>\"`]", url):  # noqa: PLR2004 - what browsers take
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    return url


def company_of(token: str) -> str:
    """A readable name out of a board's token: `acme-corp` is `Acme Corp`."""
    words = re.split(r"[-_ ]+", token.strip())
    return " ".join(word[:1].upper() + word[1:] for word in words if word)
