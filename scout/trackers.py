"""What the rows of other trackers' files say of a job: which column is what, and which word is which status.

Columns are told by their headings (`HEADINGS`), and what is left by what stands in it. The statuses of other
trackers become ours (`WORDS`); a word that says more than ours is kept in a note.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from scout import digits, normalise
from scout.errors import ScoutError
from scout.filed import Row
from scout.html import sanitise
from scout.models import Status
from scout.postings import Posting, Remote, Salary

#: What a column may be, and headings that say so, folded. The first cell that says something counts.
HEADINGS: dict[str, tuple[str, ...]] = {
    "title": (
        "title", "job title", "position", "position title", "role", "role title", "job role", "job",
        "job name",
        "opening", "vacancy", "stelle", "stellentitel", "poste", "puesto",
    ),
    "company": (
        "company", "company name", "employer", "organization", "organisation", "hiring company", "firm",
        "firma", "unternehmen", "arbeitgeber", "entreprise", "empresa",
    ),
    "url": (
        "url", "link", "job url", "job link", "job posting", "job posting url", "job post", "job post url",
        "posting", "posting url", "listing", "listing url", "application link", "application url",
        "apply url",
        "job description url", "source url", "original url", "lien",
    ),
    "status": (
        "status", "stage", "state", "application status", "application stage", "current status", "job status",
        "pipeline", "list", "list name", "board column", "phase", "statut", "estado",
    ),
    "applied_at": (
        "date applied", "applied", "applied date", "applied on", "applied at", "application date",
        "date of application", "dateapplied", "applied date time", "bewerbungsdatum", "beworben am",
    ),
    "first_seen_at": (
        "date saved", "saved", "saved on", "saved at", "created", "created at", "created time",
        "date created",
        "date added", "added", "added on", "date found",
    ),
    "posted_at": ("posted", "date posted", "posted at", "posted on", "posted date", "publication date"),
    "locations": (
        "location", "locations", "job location", "city", "place", "office", "ort", "standort", "lieu",
    ),
    "remote": (
        "remote", "work mode", "work model", "workplace", "workplace type", "work arrangement",
        "location type",
    ),
    "salary": (
        "salary", "pay", "compensation", "comp", "wage", "salary range", "pay range", "salary text", "gehalt",
        "salaire",
    ),
    "salary_minimum": (
        "salary minimum", "salary min", "min salary", "minimum salary", "salary from",
    ),
    "salary_maximum": ("salary maximum", "salary max", "max salary", "maximum salary", "salary to"),
    "salary_currency": ("salary currency", "currency"),
    "salary_period": ("salary period", "pay period", "salary frequency"),
    "employment_type": ("employment type", "job type", "contract type"),
    "department": ("department", "team"),
    "description": ("description", "job description", "posting text"),
    "notes": ("notes", "note", "comments", "comment", "remarks", "notizen", "remarques"),
}  # fmt: skip
FIELDS = tuple(HEADINGS)

# Tables made by hand call their first column Name: whichever of the two is not there otherwise.
_NAMES = ("name", "title company", "item")

_PLAIN, _TELLING = False, True
#: Words of other trackers by what they are here, and whether they say more than our own word does.
WORDS: dict[tuple[Status, bool], tuple[str, ...]] = {
    (Status.NEW, _PLAIN): ("new", "found", "inbox", "to review", "unread"),
    (Status.SAVED, _PLAIN): (
        "saved", "wishlist", "wish list", "bookmark", "bookmarked", "interested", "shortlist", "shortlisted",
        "to apply", "want to apply", "not applied", "not yet applied", "not started", "to do", "todo",
        "backlog",
    ),
    (Status.SAVED, _TELLING): ("applying", "draft", "preparing", "researching", "ready to apply"),
    (Status.APPLIED, _PLAIN): ("applied", "application sent", "application submitted", "submitted", "sent"),
    (Status.APPLIED, _TELLING): (
        "in review", "under review", "in progress", "waiting", "pending", "awaiting response", "follow up",
        "followed up",
    ),
    (Status.INTERVIEWING, _PLAIN): ("interviewing", "interview", "interviews"),
    (Status.INTERVIEWING, _TELLING): (
        "phone screen", "phone interview", "phone", "screen", "screening", "recruiter screen",
        "recruiter call",
        "hr interview", "technical interview", "technical", "assessment", "take home", "coding test",
        "coding challenge", "onsite", "on site", "first round", "second round", "final round",
        "final interview",
    ),
    (Status.OFFER, _PLAIN): ("offer", "offered", "offer received"),
    (Status.OFFER, _TELLING): ("negotiating", "negotiation", "accepted", "offer accepted", "hired", "signed"),
    (Status.REJECTED, _PLAIN): (
        "rejected", "rejection", "not selected", "unsuccessful", "denied", "turned down",
    ),
    (Status.REJECTED, _TELLING): ("ghosted", "no response", "no reply", "no answer", "position filled"),
    (Status.DISMISSED, _PLAIN): ("dismissed", "not interested", "ignored", "skipped", "hidden"),
    (Status.DISMISSED, _TELLING): (
        "archived", "archive", "withdrawn", "withdrew", "i withdrew", "declined", "offer declined", "passed",
    ),
    (Status.CLOSED, _PLAIN): ("closed",),
    (Status.CLOSED, _TELLING): ("expired", "no longer available"),
}  # fmt: skip
_STATUSES = {word: (status, more) for (status, more), words in WORDS.items() for word in words}
_LONGEST_FIRST = sorted(_STATUSES, key=len, reverse=True)

_LONGEST_NOTE = 100_000
_SAMPLE = 50


class UnknownColumn(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A file has no such column, none that could be a title, or there is no such field."""


class NotUnderstood(Exception):  # noqa: N818 - it is told with the row's number
    """A row says no job. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A dated change of the status, as `scout.models.StatusChange`."""

    before: Status
    after: Status
    at: dt.datetime | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Where one of our own exports says that a job was listed."""

    source: str
    source_job_id: str
    url: str
    closed_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A job that a row tells of.

    Attributes:
        posting: What the job is.
        status: Where it stood there.
        own: Whether an export of ours wrote it, so that two rows are two jobs.
        applied_at: When its owner applied, or None.
        first_seen_at: When it was found or written down, or None.
        changed_at, closed_at: As in `scout.models.Job`.
        next_action_on, next_action: As in `scout.models.Job`.
        notes: What its owner wrote, with the time where it is known.
        history: The steps to `status`, where they are known.
        listings: Where it was listed.
        unknown_status: The word for its status, where nobody knows what it means; then `status` is `saved`.
    """

    posting: Posting
    status: Status
    own: bool = False
    applied_at: dt.datetime | None = None
    first_seen_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    next_action_on: dt.date | None = None
    next_action: str = ""
    notes: tuple[tuple[dt.datetime | None, str], ...] = ()
    history: tuple[Step, ...] = ()
    listings: tuple[Listed, ...] = ()
    unknown_status: str = ""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a file is what.

    Attributes:
        fields: The headings that each of `FIELDS` is read from, the best first.
        unknown: Headings that nothing is read from.
        day_first: Whether 03/04 is the third of April.
        ambiguous: Whether nothing in the file tells.
    """

    fields: Mapping[str, Sequence[str]]
    unknown: Sequence[str] = field(default=())
    day_first: bool = False
    ambiguous: bool = False


# --- Which column is what ---------------------------------------------------------------------------------


def columns(sample: Sequence[Row], chosen: Mapping[str, str]) -> Columns:
    """Tell the columns of a file.

    Args:
        sample: Some of its rows.
        chosen: What the owner says: fields by heading.

    Raises:
        UnknownColumn: A heading is not there, a field is none, or nothing could be a job's title.
    """
    headings = list(dict.fromkeys(name for row in sample for name in row.values))
    found: dict[str, list[str]] = {}
    for heading, name in chosen.items():
        if name not in HEADINGS:
            raise UnknownColumn(f"There is no field {name!r} to map to. Fields are {', '.join(FIELDS)}.")
        there = next((each for each in headings if _folded(each) == _folded(heading)), None)
        if there is None:
            raise UnknownColumn(f"There is no column {heading!r}. There are {', '.join(headings)}.")
        found.setdefault(name, []).append(there)
    taken = {heading for each in found.values() for heading in each}
    for name, words in HEADINGS.items():
        ranked = sorted(
            (words.index(_folded(each)), place, each)
            for place, each in enumerate(headings)
            if each not in taken and _folded(each) in words
        )
        found.setdefault(name, []).extend(heading for _, _, heading in ranked)
        taken.update(heading for _, _, heading in ranked)
    for heading in headings:
        name = _by_shape(heading, sample, found) if heading not in taken else ""
        if name:
            found[name].append(heading)
            taken.add(heading)
    if not found["title"]:
        raise UnknownColumn(
            f"No column looks like a job's title. There are {', '.join(headings)}. Say which it is: "
            f'--map "{headings[0] if headings else "Heading"}=title".'
        )
    dates = [
        str(row.values.get(heading) or "")
        for row in sample
        for name in ("applied_at", "first_seen_at", "posted_at")
        for heading in found[name]
    ]
    day_first, ambiguous = _order_of_days(dates)
    return Columns(found, [each for each in headings if each not in taken], day_first, ambiguous)


def _by_shape(heading: str, sample: Sequence[Row], found: Mapping[str, Sequence[str]]) -> str:
    """What a column is by what stands in it; empty where that is open."""
    if _folded(heading) in _NAMES:
        return next((name for name in ("title", "company") if not found[name]), "")
    said = [str(row.values[heading]).strip() for row in sample[:_SAMPLE] if row.values.get(heading)]
    if said and not found["url"] and all(normalise.public_url(each) for each in said):
        return "url"
    if said and not found["status"] and all(_status(each) for each in said):
        return "status"
    return ""


def _folded(heading: str) -> str:
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)).casefold()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain.encode("ascii", "ignore").decode()).split())


# --- What a row says --------------------------------------------------------------------------------------


def read(row: Row, told: Columns) -> Brought:
    """The job of a row.

    Raises:
        NotUnderstood: There is no job in it.
    """
    title = normalise.line(_text(row, told, "title"))
    url = normalise.public_url(_text(row, told, "url"))
    company = normalise.line(_text(row, told, "company"), 300)
    if not title:
        raise NotUnderstood("it has no title")
    if not company and not url:
        raise NotUnderstood("it has neither a company nor an address")
    places = normalise.locations([_text(row, told, "locations")])
    text = _text(row, told, "description")[:_LONGEST_NOTE]
    where, evidence = _where(_text(row, told, "remote"), title, places)
    posting = Posting(
        source_job_id="",
        title=title,
        company=company,
        url=url,
        locations=places,
        remote=where,
        remote_evidence=evidence,
        description_html=paragraphs(text),
        description_text=text,
        salary=_pay(row, told),
        employment_type=normalise.employment_type(_text(row, told, "employment_type")),
        department=normalise.line(_text(row, told, "department"), 300),
        posted_at=_date(_text(row, told, "posted_at"), told),
    )
    applied_at = _date(_text(row, told, "applied_at"), told)
    word = normalise.line(_text(row, told, "status"), 200)
    known = _status(word)
    notes = [_text(row, told, "notes", all_of_them=True)[:_LONGEST_NOTE]]
    if word and (known is None or known[1]):
        notes.append(f"Status in the file that this came from: {word}")
    without = Status.APPLIED if applied_at and not word else Status.SAVED
    return Brought(
        posting=posting,
        status=known[0] if known else without,
        applied_at=applied_at,
        first_seen_at=_date(_text(row, told, "first_seen_at"), told),
        notes=tuple((None, each) for each in notes if each),
        unknown_status=word if word and known is None else "",
    )


def paragraphs(text: str) -> str:
    """Plain text as HTML that may be shown."""
    return sanitise("".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip()))


def _text(row: Row, told: Columns, name: str, *, all_of_them: bool = False) -> str:
    """What a row says of one of `FIELDS`: its first cell that says something, or all with their headings."""
    said: list[str] = []
    for heading in told.fields.get(name, ()):
        value = row.values.get(heading)
        if isinstance(value, list):
            value = "; ".join(str(each) for each in value if each is not None)
        text = "" if value is None or isinstance(value, dict) else str(value).strip()
        # What an export put there so that no spreadsheet takes the cell for a formula.
        text = text[1:] if re.match(r"'[=+\-@\t\r\n']", text) else text
        if text:
            said.append(text if not said and not all_of_them else f"{heading}: {text}")
    if all_of_them and len(told.fields.get(name, ())) == 1 and said:
        return said[0].partition(": ")[2]
    return "\n".join(said) if all_of_them else next(iter(said), "")


def _where(said: str, title: str, places: Iterable[str]) -> tuple[Remote, str]:
    match said.casefold():
        case "yes" | "true" | "y" | "x" | "1" | "checked" | "✓":
            said = "remote"
        case "no" | "false" | "n" | "0" | "unchecked":
            said = ""
    return normalise.remote(fields=[("remote", said)], title=title, places=places)


def _status(word: str) -> tuple[Status, bool] | None:
    """What a word for a status means here, and whether it says more; None where nobody knows."""
    plain = " ".join(re.sub(r"[^a-z ]+", " ", word.casefold().replace("-", " ")).split())
    if not plain:
        return None
    if plain in _STATUSES:
        return _STATUSES[plain]
    # "2. Applied (LinkedIn)": the longest that is in it says more than it does alone.
    inside = next((each for each in _LONGEST_FIRST if f" {each} " in f" {plain} "), None)
    return (_STATUSES[inside][0], True) if inside else None


def _pay(row: Row, told: Columns) -> Salary | None:
    said = normalise.line(_text(row, told, "salary"), 200)
    currency = _text(row, told, "salary_currency")
    per = _text(row, told, "salary_period")
    stated = normalise.salary(
        least=_text(row, told, "salary_minimum"),
        most=_text(row, told, "salary_maximum"),
        currency=currency,
        per=per,
        raw=said,
    )
    if stated is not None or not said:
        return stated
    read = normalise.salary_in_text(f"Salary: {said}")
    if read is not None:
        return read
    amounts = re.findall(r"\d[\d,]*(?:\.\d+)?", said)
    bare = re.fullmatch(r"[\d,.\s]+(?:(?:-|\u2013|to)[\d,.\s]+)?", said) is not None
    if bare and 1 <= len(amounts) <= 2:  # noqa: PLR2004 - from and to
        stated = normalise.salary(least=amounts[0], most=amounts[-1], currency=currency, per=per, raw=said)
    # Words that no amount can be told from are what the owner wrote, all the same.
    return stated or Salary(raw=said)


_SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})\b")
_WRITTEN = (
    "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%Y", "%d-%b-%y",
    "%Y/%m/%d",
    "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p", "%B %d, %Y %H:%M",
)  # fmt: skip
#: The days that a spreadsheet counts from 30 December 1899 on, for this century's first fifty years.
_SERIAL = range(36_526, 55_000)
_MONTHS = 12


def _order_of_days(dates: Iterable[str]) -> tuple[bool, bool]:
    """Whether the day stands first in dates such as 03/04/2026, and whether nothing tells."""
    slashed = [found for each in dates if (found := _SLASHED.match(each))]
    if any(int(found[1]) > _MONTHS or found[2] == "." for found in slashed):
        return True, False
    return False, bool(slashed) and not any(int(found[3]) > _MONTHS for found in slashed)


def _date(said: str, told: Columns) -> dt.datetime | None:
    """A date as people and spreadsheets write it; None where it is none, or is still to come."""
    slashed = _SLASHED.match(said)
    if slashed:
        day, month = int(slashed[1]), int(slashed[3])
        if not told.day_first and slashed[2] != ".":
            day, month = month, day
        year = int(slashed[4]) + (2000 if len(slashed[4]) == 2 else 0)  # noqa: PLR2004 - 26 is 2026
        return normalise.when(f"{year:04d}-{month:02d}-{day:02d}")
    # As many digits as a time in nanoseconds has.
    number = digits.whole(said, 10**19)
    if number is not None and number in _SERIAL:
        return normalise.when((dt.date(1899, 12, 30) + dt.timedelta(days=number)).isoformat())
    for form in _WRITTEN:
        try:
            return normalise.when(dt.datetime.strptime(said, form).replace(tzinfo=dt.UTC).isoformat())
        except ValueError:
            continue
    return normalise.when(said if number is None else number) if said else None
