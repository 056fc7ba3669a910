"""A posting: what one board says of one job, in the one schema that all boards are brought to."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field


class Remote(enum.StrEnum):
    """Where the work is done. `unknown` is an honest answer: no guess from silence."""

    ONSITE = "onsite"
    HYBRID = "hybrid"
    REMOTE = "remote"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Salary:
    """Pay as the board states it.

    Attributes:
        minimum: Lowest amount, in units of the currency, for one `period`.
        maximum: Highest amount, likewise.
        currency: ISO 4217 code, or empty.
        period: `hour`, `day`, `week`, `month` or `year`, or empty.
        origin: `employer` (a field of the board), `parsed` (read from text), `predicted` (a board's guess).
        raw: The text as it stood, for the reader.
    """

    minimum: float | None = None
    maximum: float | None = None
    currency: str = ""
    period: str = ""
    origin: str = "employer"
    raw: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place of work, and what could be told of it. Empty parts are unknown.

    Attributes:
        raw: As the board writes it.
        city: The town, as the board writes it, without codes.
        region: A state's or province's code in the US, Canada and Australia; a region's name elsewhere.
        country: ISO 3166-1 alpha-2 code.
    """

    raw: str
    city: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One posting, normalised: what a source's parser yields and what a scan stores.

    Attributes:
        source_job_id: The board's own id: with the source, the identity of the listing.
        title: One line of text, entities resolved, spaces folded.
        company: The employer; from the source where the board does not name it.
        url: The public page of the posting, to read and apply.
        locations: Places as written, one an entry, in the board's order, no duplicates.
        remote: Where the work is done, with `remote_evidence` naming the field or words that said so.
        description_html: Sanitised HTML, safe to show.
        description_text: The same as plain text, for matching and search.
        posted_at: When the board says that it was published, aware, never in the future; None when unknown.
        employment_type: `full_time`, `part_time`, `contract`, `temporary`, `internship` or empty.
        department: The team or department as written, or empty.
        requisition_id: The employer's own number, or empty.
        places: What is told of `locations`, where a source knows it better than their words do: else empty,
            and `scout.normalise.completed` reads them out of the words. So for the next three.
        remote_regions: From where remote work may be done: ISO country codes and `EU`, `EMEA`, `WORLDWIDE`
            and so on (`scout.normalise.remote_regions`).
        level: One of `scout.normalise.LEVELS`, or empty.
        language: ISO 639-1 code of the description's language, or empty.
    """

    source_job_id: str
    title: str
    company: str
    url: str
    locations: tuple[str, ...] = ()
    remote: Remote = Remote.UNKNOWN
    remote_evidence: str = ""
    description_html: str = ""
    description_text: str = ""
    salary: Salary | None = None
    employment_type: str = ""
    department: str = ""
    requisition_id: str = ""
    posted_at: dt.datetime | None = None
    tags: tuple[str, ...] = field(default=())
    places: tuple[Place, ...] = ()
    remote_regions: tuple[str, ...] = ()
    level: str = ""
    language: str = ""
