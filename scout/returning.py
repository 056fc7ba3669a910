"""What the rows of our own exports say of a job: all that `scout.export` wrote of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from scout import export, normalise
from scout.filed import Row
from scout.html import plain, sanitise
from scout.models import Status
from scout.normalise import LEVELS
from scout.postings import Place, Posting, Remote, Salary
from scout.trackers import Brought, Listed, NotUnderstood, Step, paragraphs

_IN_EVERY_TABLE = frozenset({"id", "title", "first_seen_at", "listings", "notes_count", "history"})
_IN_EVERY_OBJECT = frozenset({"id", "title", "first_seen_at", "listings", "notes", "history", "version"})


def is_ours(row: Row) -> bool:
    """Whether an export of ours wrote the row."""
    return row.values.keys() >= _IN_EVERY_TABLE or row.values.keys() >= _IN_EVERY_OBJECT


def read(row: Row) -> Brought:
    """The job of a row that an export of ours wrote.

    Raises:
        NotUnderstood: Somebody changed it into something that is no job.
    """
    try:
        return _read(row.values if "version" in row.values else _of_cells(row.values))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotUnderstood(f"it was changed into what cannot be read: {error}") from error


def _of_cells(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a table as the object that JSON would have had."""
    told: dict[str, Any] = {name: export.unsafe(str(cell)) for name, cell in cells.items()}
    pay = {
        "minimum": float(told["salary_minimum"]) if told.get("salary_minimum") else None,
        "maximum": float(told["salary_maximum"]) if told.get("salary_maximum") else None,
        "currency": told.get("salary_currency", ""),
        "period": told.get("salary_period", ""),
        "origin": told.get("salary_origin", ""),
        "raw": told.get("salary_text", ""),
    }
    text = told.get("description", "")
    written = export.notes(told.get("notes", ""))
    if told.get("notes") and not written:
        written = [("", told["notes"])]  # somebody wrote over ours
    return told | {
        "locations": _parts(told.get("locations", "")),
        "remote_regions": _parts(told.get("remote_regions", "")),
        "salary": pay if any(pay.values()) else None,
        "listings": json.loads(told["listings"]) if told["listings"] else [],
        "notes": [{"created_at": at, "body": body} for at, body in written],
        "history": [
            {"at": at, "from": before, "to": after, "by": by}
            for at, before, after, by in export.history(told["history"])
        ],
        "description_text": text,
        "description_html": paragraphs(text),
    }


def _parts(cell: str) -> list[str]:
    return [part for part in cell.split(export.BETWEEN) if part]


def _read(told: Mapping[str, Any]) -> Brought:
    title = normalise.line(told["title"])
    if not title:
        raise NotUnderstood("it has no title")
    html = sanitise(str(told.get("description_html") or ""))
    level = str(told.get("level") or "")
    posting = Posting(
        source_job_id="",
        title=title,
        company=normalise.line(told.get("company"), 300),
        url=normalise.public_url(told.get("url")),
        locations=tuple(normalise.line(each, 200) for each in _list(told.get("locations"))),
        places=tuple(_place(each) for each in _list(told.get("places"))),
        remote=Remote(told.get("remote") or "unknown"),
        remote_evidence=normalise.line(told.get("remote_evidence"), 200),
        remote_regions=tuple(normalise.line(each, 40) for each in _list(told.get("remote_regions"))),
        description_html=html,
        description_text=str(told.get("description_text") or "") or plain(html),
        salary=_pay(told.get("salary")),
        employment_type=normalise.line(told.get("employment_type"), 40),
        department=normalise.line(told.get("department"), 300),
        posted_at=_time(told.get("posted_at")),
        level=level if level in LEVELS else "",
        language=normalise.line(told.get("language"), 8),
    )
    return Brought(
        posting=posting,
        status=Status(told["status"]),
        own=True,
        first_seen_at=_time(told.get("first_seen_at")),
        closed_at=_time(told.get("closed_at")),
        next_action_on=_day(told.get("next_action_on")),
        next_action=normalise.line(told.get("next_action"), 500),
        notes=tuple(
            (_time(each.get("created_at")), str(each["body"]))
            for each in _list(told["notes"])
            if each["body"]
        ),
        history=tuple(
            Step(
                before=Status(each["from"]),
                after=Status(each["to"]),
                at=_time(each["at"]),
                by=normalise.line(each["by"], 20),
            )
            for each in _list(told["history"])
            if "to" in each  # what boards edited is told of, and not brought back
        ),
        listings=tuple(
            Listed(
                source=str(each["source"]),
                source_job_id=normalise.line(each["source_job_id"]),
                url=normalise.public_url(each.get("url")),
                closed_at=_time(each.get("closed_at")),
            )
            for each in _list(told["listings"])
        ),
    )


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:40]!r} is no list")
    return value


def _day(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(str(value)) if value else None


def _place(value: Mapping[str, Any]) -> Place:
    return Place(
        raw=normalise.line(value.get("raw"), 200),
        city=normalise.line(value.get("city"), 200),
        region=normalise.line(value.get("region"), 200),
        country=normalise.line(value.get("country"), 2),
    )


def _pay(value: Mapping[str, Any] | None) -> Salary | None:
    if not value:
        return None
    return Salary(
        minimum=normalise.amount(value.get("minimum")),
        maximum=normalise.amount(value.get("maximum")),
        currency=normalise.line(value.get("currency"), 3),
        period=normalise.period(value.get("period")),
        origin=normalise.line(value.get("origin"), 20) or "employer",
        raw=normalise.line(value.get("raw"), 200),
    )


def _time(value: Any) -> dt.datetime | None:
    return normalise.when(value) if isinstance(value, str) and value else None
