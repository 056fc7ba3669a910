"""How the kinds word what they share: texts, places, dates, pay and the sorts of employment."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from demo.openings import Opening, Section, mix
from demo.words import Place

HYPHENED = {
    "full_time": "Full-time",
    "part_time": "Part-time",
    "contract": "Contract",
    "internship": "Internship",
}
CAPITALS = HYPHENED | {"full_time": "Full-Time", "part_time": "Part-Time"}
SPACED = HYPHENED | {"full_time": "Full Time", "part_time": "Part Time"}
#: schema.org's.
SCHEMA = {
    "full_time": "FULL_TIME",
    "part_time": "PART_TIME",
    "contract": "CONTRACTOR",
    "internship": "INTERN",
}


def uuid(key: int, salt: int = 0) -> str:
    """A version 4 UUID that stands for `key`; another one for each salt."""
    return str(UUID(int=(key << 64) | mix(key, 99, salt), version=4))


def html(sections: list[Section], heading: str = "h3") -> str:
    """Sections as HTML."""
    parts = []
    for section in sections:
        if section.heading:
            parts.append(f"<{heading}>{text(section.heading)}</{heading}>")
        parts += [f"<p>{text(words)}</p>" for words in section.paragraphs]
        if section.bullets:
            parts.append(f"<ul>\n{items(section.bullets)}\n</ul>")
    return "\n".join(parts)


def content(section: Section) -> str:
    """A section as HTML, without its heading."""
    return html([Section("", section.paragraphs, section.bullets)])


def items(bullets: list[str]) -> str:
    """Bullets as the items of an HTML list."""
    return "\n".join([f"<li>{text(words)}</li>" for words in bullets])


def text(words: str) -> str:
    """Words as HTML."""
    # Our sentences hold no angle brackets, and few an ampersand.
    return words.replace("&", "&amp;") if "&" in words else words


def plain(sections: list[Section]) -> str:
    """Sections as text."""
    parts = []
    for section in sections:
        lines = [section.heading] if section.heading else []
        lines += section.paragraphs
        lines += [f"- {words}" for words in section.bullets]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def described(made: Opening) -> str:
    """The whole text as HTML, with the pay in words."""
    pay = pay_sentence(made)
    return html(made.sections) + (f"\n<p>{pay}</p>" if pay else "")


def where(place: Place, style: int = 2) -> str:
    """A place in one of three styles."""
    if style == 0 or not place.region or place.region == place.city:
        return f"{place.city}, {place.country}" if place.city != place.country else place.city
    if style == 1:
        return f"{place.city}, {place.short or place.country}"
    return f"{place.city}, {place.region}, {place.country}"


def open_to(made: Opening) -> str:
    """From where remote work may be done, as sites of remote work say it."""
    return made.region or made.places[0].country


def pay_sentence(made: Opening) -> str:
    """The pay in a sentence; empty if it is not stated."""
    if made.pay is None:
        return ""
    return (
        f"The pay range for this position is {made.pay.text}; where you stand in it depends on "
        "experience and location."
    )


def utc(moment: dt.datetime) -> str:
    """A time as most APIs write it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(moment: dt.datetime) -> str:
    """The same with milliseconds."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def short(company: str) -> str:
    """A company's name as it stands in addresses."""
    return "-".join("".join(c if c.isalnum() and c.isascii() else " " for c in company.lower()).split())


def json_ld(made: Opening, url: str) -> dict[str, object]:
    """schema.org's JobPosting (https://schema.org/JobPosting)."""
    told: dict[str, object] = {
        "@context": "https://schema.org/",
        "@type": "JobPosting",
        "title": made.title,
        "description": html(made.sections),
        "identifier": {
            "@type": "PropertyValue",
            "name": made.company.name,
            "value": made.requisition,
        },
        "datePosted": made.published.isoformat(timespec="seconds"),
        "employmentType": SCHEMA[made.employment],
        "hiringOrganization": {"@type": "Organization", "name": made.company.name},
        "jobLocation": [
            {
                "@type": "Place",
                "address": {
                    "@type": "PostalAddress",
                    "addressLocality": place.city,
                    "addressRegion": place.region,
                    "addressCountry": place.code,
                },
            }
            for place in made.places
        ],
        "url": url,
    }
    if made.workplace == "remote":
        told["jobLocationType"] = "TELECOMMUTE"
        told["applicantLocationRequirements"] = {"@type": "Country", "name": open_to(made)}
    if made.pay is not None:
        told["baseSalary"] = {
            "@type": "MonetaryAmount",
            "currency": made.pay.currency,
            "value": {
                "@type": "QuantitativeValue",
                "minValue": made.pay.minimum,
                "maxValue": made.pay.maximum,
                "unitText": made.pay.period.upper(),
            },
        }
    return told
