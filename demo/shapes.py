"""The shapes in which the boards answer: each kind's own fields, from one opening.

The fields are those that the boards send: Greenhouse's Job Board API, Lever's Postings API, Ashby's public
job posting API, and the feed of We Work Remotely.
"""

from __future__ import annotations

import datetime as dt
import json
from email.utils import format_datetime
from html import escape
from typing import Any
from uuid import UUID

from demo.openings import Opening, Section, mix
from demo.words import Place

#: Greenhouse numbers are ten digits: a number below M is spread over them by a factor that shares no divisor.
_SPREAD, _RANGE = 7_654_321_987, 9_000_000_000
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: Greenhouse writes its times with the offset of the American east coast.
_EAST_COAST = dt.timezone(dt.timedelta(hours=-4))
_COMMITMENT = {
    "full_time": "Full-time",
    "part_time": "Part-time",
    "contract": "Contract",
    "internship": "Internship",
}
_FEED_TYPE = {
    "full_time": "Full-Time",
    "part_time": "Part-Time",
    "contract": "Contract",
    "internship": "Internship",
}
_ASHBY_TYPE = {
    "full_time": "FullTime",
    "part_time": "PartTime",
    "contract": "Contract",
    "internship": "Intern",
}


def uuid(key: int, salt: int = 0) -> str:
    """A version 4 UUID that stands for `key`; another one for each salt."""
    return str(UUID(int=(key << 64) | mix(key, 99, salt), version=4))


def job_id(kind: str, token: str, key: int, number: int, slug: str = "") -> str:
    """The id under which a board lists a posting.

    Args:
        kind: The kind of board.
        token: How the kind names the board.
        key: The posting's 64 bits.
        number: Its small number, unique on its board.
        slug: The words of its address; only feeds need them.
    """
    if kind == "greenhouse":
        return str(_greenhouse_id(token, number))
    if kind == "feed":
        return f"https://weworkremotely.com/remote-jobs/{slug}-{number:x}{key & 0xFFF:03x}"
    return uuid(key)


def _greenhouse_id(token: str, number: int) -> int:
    # The token moves each board to numbers of its own: on the real Greenhouse no two boards share one.
    return 1_000_000_000 + (mix(*token.encode()) + number * _SPREAD) % _RANGE


def _html(sections: list[Section], heading: str = "h3") -> str:
    parts = []
    for section in sections:
        if section.heading:
            parts.append(f"<{heading}>{_text(section.heading)}</{heading}>")
        parts += [f"<p>{_text(text)}</p>" for text in section.paragraphs]
        if section.bullets:
            parts.append(f"<ul>\n{_items(section.bullets)}\n</ul>")
    return "\n".join(parts)


def _items(bullets: list[str]) -> str:
    return "\n".join([f"<li>{_text(text)}</li>" for text in bullets])


def _text(text: str) -> str:
    # Our sentences hold no angle brackets, and few an ampersand.
    return text.replace("&", "&amp;") if "&" in text else text


def _plain(sections: list[Section]) -> str:
    parts = []
    for section in sections:
        lines = [section.heading] if section.heading else []
        lines += section.paragraphs
        lines += [f"- {text}" for text in section.bullets]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _where(place: Place, style: int) -> str:
    if style == 0 or not place.region or place.region == place.city:
        return f"{place.city}, {place.country}" if place.city != place.country else place.city
    if style == 1:
        return f"{place.city}, {place.short or place.country}"
    return f"{place.city}, {place.region}, {place.country}"


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(_EAST_COAST).isoformat(timespec="seconds")


def _pay_sentence(made: Opening) -> str:
    if made.pay is None:
        return ""
    return (
        f"The pay range for this position is {made.pay.text}; where you stand in it depends on "
        "experience and location."
    )


def greenhouse(made: Opening, token: str, *, content: bool = True, alone: bool = False) -> str:
    """One job of Greenhouse, as JSON.

    Args:
        made: The opening.
        token: The board's token.
        content: Whether the text, the departments and the offices are asked for (`content=true`).
        alone: Whether it is the answer for one job, which always has them.
    """
    style = len(token) % 3
    if made.workplace == "remote":
        where = f"Remote ({made.places[0].code})" if style == 1 else f"Remote, {made.region}"
    else:
        where = (" | " if style else "; ").join(_where(place, style) for place in made.places)
    number = _greenhouse_id(token, made.number)
    job: dict[str, Any] = {
        "absolute_url": f"https://job-boards.greenhouse.io/{token}/jobs/{number}",
        "data_compliance": [
            {
                "type": "gdpr",
                "requires_consent": False,
                "requires_processing_consent": False,
                "requires_retention_consent": False,
                "retention_period": None,
                "demographic_data_consent_applies": False,
            }
        ],
        # Several posts of one job, one a city, share this number.
        "internal_job_id": 1_000_000_000 + made.key % _RANGE,
        "location": {"name": where},
        "metadata": _metadata(made, style, 4_000_000_000 + mix(*token.encode()) % 1_000_000),
        "id": number,
        "updated_at": _stamp(made.updated),
        "requisition_id": made.requisition,
        "title": made.title,
        # Now and then a name carries a space at its end, as it does on the real boards.
        "company_name": made.company.name + (" " if style == 0 else ""),
        "first_published": _stamp(made.published),
        "language": made.family.language,
        "application_deadline": None,
    }
    if content or alone:
        intro = f'<div class="content-intro">{_html(made.sections[:1], "h2")}</div>'
        text = [intro, _html(made.sections[1:7], "h2")]
        if made.pay is not None:
            text.append(f'<div class="pay-transparency"><p>{_pay_sentence(made)}</p></div>')
        text.append(_html(made.sections[7:], "h2"))
        # An entity within the escaped text: readers who unescape once still find it.
        body = "\n".join(text).replace("What we offer</h2>", "What we&nbsp;offer</h2>")
        department = made.family.department
        job |= {
            "content": escape(body, quote=True),
            "departments": [
                {
                    "id": 4_100_000_000 + mix(*department.encode()) % 1_000_000,
                    "name": department,
                    "child_ids": [],
                    "parent_id": None,
                }
            ],
            "offices": [
                {
                    "id": 4_200_000_000 + mix(*place.city.encode()) % 1_000_000,
                    "name": place.city,
                    "location": _where(place, 2),
                    "child_ids": [],
                    "parent_id": None,
                }
                for place in made.places
            ],
        }
    return _json(job)


def _metadata(made: Opening, style: int, first: int) -> list[dict[str, Any]] | None:
    """Custom fields, which some boards have, some fill with the pay, and some do without."""
    if style == 2:  # noqa: PLR2004 - one of the three styles
        return None
    workplace = {"remote": "Remote", "hybrid": "Hybrid", "onsite": "On-site"}[made.workplace]
    fields: list[tuple[str, Any, str]] = [
        ("Workplace Type", workplace, "single_select"),
        ("Employment Type", _COMMITMENT[made.employment], "single_select"),
    ]
    if style == 1:
        pay = made.pay and {
            "unit": made.pay.currency,
            "min_value": f"{made.pay.minimum}.0",
            "max_value": f"{made.pay.maximum}.0",
        }
        period = made.pay.period if made.pay else "year"
        fields.append((f"Salary Range (per {period})", pay, "currency_range"))
    return [
        {"id": first + number, "name": name, "value": value, "value_type": kind}
        for number, (name, value, kind) in enumerate(fields)
    ]


def lever(made: Opening, token: str) -> str:
    """One posting of Lever, as JSON. `createdAt` is in milliseconds; there is no name of the company."""
    country = made.places[0].country
    style = len(token) % 3
    where = [
        f"{country} - {place.city}" if style == 1 else _where(place, 1 if style else 0)
        for place in made.places
    ]
    if made.workplace == "remote" and style == 2:  # noqa: PLR2004 - one of the three styles
        where = [f"{place} - Remote" for place in where]
    about, role, duties, needs, nice, how, offers, process, equal = made.sections
    identity = uuid(made.key)
    page = f"https://jobs.lever.co/{token}/{identity}"
    posting: dict[str, Any] = {
        "additionalPlain": _plain([how, process, equal]),
        "additional": _html([how, process, equal]),
        "categories": {
            "commitment": _COMMITMENT[made.employment],
            "department": made.family.department,
            "location": where[0],
            "team": made.family.team,
            "allLocations": where,
        },
        "createdAt": int(made.published.timestamp() * 1000) + made.key % 1000,
        "descriptionPlain": _plain([about, role]),
        "description": f"<div>{_html([about, role])}</div>",
        "id": identity,
        "lists": [
            {"text": part.heading, "content": _items(part.bullets)} for part in (duties, needs, nice, offers)
        ],
        "text": made.title,
        "country": made.places[0].code if made.key % 7 else None,
        "workplaceType": made.workplace if made.workplace != "onsite" else "on-site",
        "opening": f"<div>{_html([about])}</div>",
        "openingPlain": _plain([about]),
        "descriptionBody": f"<div>{_html([role])}</div>",
        "descriptionBodyPlain": _plain([role]),
        "hostedUrl": page,
        "applyUrl": f"{page}/apply",
    }
    if made.pay is not None:
        interval = {"year": "per-year-salary", "day": "per-day-wage", "hour": "per-hour-wage"}
        sentence = _pay_sentence(made)
        posting |= {
            "salaryRange": {
                "currency": made.pay.currency,
                "interval": interval[made.pay.period],
                "min": made.pay.minimum,
                "max": made.pay.maximum,
            },
            "salaryDescription": f"<div>{sentence}</div>",
            "salaryDescriptionPlain": sentence,
        }
    return _json(posting)


def ashby(made: Opening, token: str, *, listed: bool = True, compensation: bool = True) -> str:
    """One job of Ashby, as JSON.

    Args:
        made: The opening.
        token: The board's name.
        listed: False for a draft, which the answer carries but no one may show.
        compensation: Whether pay is asked for (`includeCompensation=true`).
    """
    identity = uuid(made.key)
    page = f"https://jobs.ashbyhq.com/{token}/{identity}"
    remote = made.workplace == "remote"

    def place_name(place: Place) -> str:
        return f"Remote, {place.country}" if remote else _where(place, 1)

    def address(place: Place) -> dict[str, Any]:
        return {
            "postalAddress": {
                "addressRegion": place.region,
                "addressCountry": place.country,
                "addressLocality": place.city,
            }
        }

    job: dict[str, Any] = {
        "id": identity,
        "title": made.title,
        "department": made.family.department,
        "team": made.family.team,
        "employmentType": _ASHBY_TYPE[made.employment],
        "location": place_name(made.places[0]),
        "shouldDisplayCompensationOnJobPostings": made.pay is not None,
        "secondaryLocations": [
            {"location": place_name(place), "address": address(place)} for place in made.places[1:]
        ],
        "publishedAt": made.published.isoformat(timespec="milliseconds"),
        "isListed": listed,
        "isRemote": remote,
        "workplaceType": {"remote": "Remote", "hybrid": "Hybrid", "onsite": "OnSite"}[made.workplace],
        "address": address(made.places[0]),
        "jobUrl": page,
        "applyUrl": f"{page}/application",
        "descriptionHtml": _html(made.sections, "h2"),
        "descriptionPlain": _plain(made.sections),
    }
    if compensation:
        job["compensation"] = _compensation(made)
    return _json(job)


def _compensation(made: Opening) -> dict[str, Any]:
    if made.pay is None:
        return {
            "compensationTierSummary": None,
            "scrapeableCompensationSalarySummary": None,
            "compensationTiers": [],
            "summaryComponents": [],
        }
    pay = made.pay
    salary = {
        "compensationType": "Salary",
        "interval": {"year": "1 YEAR", "day": "1 DAY", "hour": "1 HOUR"}[pay.period],
        "currencyCode": pay.currency,
        "minValue": pay.minimum,
        "maxValue": pay.maximum,
    }
    equity = {
        "compensationType": "EquityPercentage",
        "interval": "NONE",
        "currencyCode": None,
        "minValue": None,
        "maxValue": None,
    }
    return {
        "compensationTierSummary": f"{pay.text} • Offers Equity",
        "scrapeableCompensationSalarySummary": pay.text if pay.period == "year" else None,
        "compensationTiers": [
            {
                "id": uuid(made.key, 1),
                "tierSummary": f"{pay.text} • Offers Equity",
                "title": None,
                "additionalInformation": None,
                "components": [
                    {"id": uuid(made.key, 2), "summary": pay.text, **salary},
                    {"id": uuid(made.key, 3), "summary": "Offers Equity", **equity},
                ],
            }
        ],
        "summaryComponents": [salary, equity],
    }


def rss_item(made: Opening) -> str:
    """One item of the feed: the title is `Company: Title`, the description is escaped HTML."""
    link = job_id("feed", "", made.key, made.number, made.slug)
    place = made.places[0]
    flag = "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in place.code)
    pay = _pay_sentence(made)
    text = (
        f"<p>\n  <strong>Headquarters:</strong> {escape(place.city)}\n</p>\n\n{_html(made.sections, 'h3')}"
        + (f"\n<p>{pay}</p>" if pay else "")
    )
    anywhere = made.region == "Worldwide"
    region = "Anywhere in the World" if anywhere else place.region or place.country
    country = "" if anywhere else f"{flag} {place.country}"
    expires = made.published + dt.timedelta(days=30)
    return (
        "    <item>\n"
        f"      <title>{escape(f'{made.company.name}: {made.title}', quote=False)}</title>\n"
        f"      <region>{_text(region)}</region>\n"
        f"      <country>{country}</country>\n"
        f"      <state>{_text(place.short)}</state>\n"
        f"      <skills>{escape(', '.join(made.family.tags), quote=False)}</skills>\n"
        f"      <category>{escape(made.family.category, quote=False)}</category>\n"
        f"      <type>{_FEED_TYPE[made.employment]}</type>\n"
        f"      <description>{escape(text)}</description>\n"
        f"      <pubDate>{format_datetime(made.published)}</pubDate>\n"
        f"      <expires_at>{format_datetime(expires)}</expires_at>\n"
        f"      <guid>{link}</guid>\n"
        f"      <link>{link}</link>\n"
        "    </item>\n"
    )


def rss_head(url: str) -> str:
    """What stands before the items of the feed at `url`."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">\n  <channel>\n'
        "    <title>Remote jobs of the simulated world</title>\n"
        f"    <link>{escape(url, quote=False)}</link>\n"
        "    <description>Invented openings of invented companies</description>\n"
        "    <language>en-US</language>\n    <ttl>60</ttl>\n"
    )


RSS_TAIL = "  </channel>\n</rss>\n"
