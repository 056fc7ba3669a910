"""Openings: what one posting says, worked out from numbers alone and kept nowhere.

The same board, slot, generation and version give the same opening on any machine.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from dataclasses import dataclass, field
from typing import TypeVar

from demo import longer
from demo.words import (
    COMPANIES,
    EQUAL_OPPORTUNITY,
    FRENCH_IDENTITY,
    GERMAN_IDENTITY,
    HEADINGS,
    HOW_WE_WORK,
    IDENTITY_FAMILIES,
    NEWS,
    OFFERS,
    ORDINARY,
    PLACES,
    PROCESS,
    SHARED_NEEDS,
    SIGNS,
    SLOTS,
    Company,
    Family,
    Place,
)

T = TypeVar("T")
_WORDS = re.compile("[a-z0-9]+")

_MASK = (1 << 64) - 1
_BY_CITY = {place.city: place for place in PLACES}
_YEARS = {"Junior ": "1", "": "3", "Senior ": "5", "Staff ": "8", "Lead ": "6", "Principal ": "10"}
#: How titles begin that carry their level within.
_SENIOR = ("Head", "Director", "Senior", "Chef")
_EUROPE = frozenset({"DE", "AT", "FR", "BE", "NL", "ES", "PT", "IT", "PL", "CZ", "SE", "DK", "IE"})


def mix(*numbers: int) -> int:
    """A number of 64 bits that depends on all of `numbers` (the finaliser of SplitMix64, after each)."""
    value = 0
    for number in numbers:
        value = ((value ^ number) + 0x9E3779B97F4A7C15) & _MASK
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        value ^= value >> 31
    return value


@dataclass(frozen=True, slots=True)
class Pay:
    """Pay from `minimum` to `maximum` in `currency`, for one `period` (`year`, `day` or `hour`)."""

    minimum: int
    maximum: int
    currency: str
    period: str

    @property
    def text(self) -> str:
        """The range in words, such as `$118,000 - $152,000 per year`."""
        sign = SIGNS.get(self.currency)
        low, high = (
            f"{sign}{amount:,}" if sign else f"{amount:,} {self.currency}"
            for amount in (self.minimum, self.maximum)
        )
        return f"{low} - {high} per {self.period}"


@dataclass(slots=True)
class Section:
    """A part of the description: a heading, paragraphs, then bullets. Any of them may be empty."""

    heading: str = ""
    paragraphs: list[str] = field(default_factory=list)
    bullets: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Opening:
    """One posting, before a board gives it its shape.

    Attributes:
        key: 64 bits that stand for the posting: the same in all its versions.
        number: Small number, unique on its board.
        version: From 1, one more with each edit.
        slug: Words of its address; never changes.
        workplace: `remote`, `hybrid` or `onsite`.
        region: Where a remote job may be done, in words; empty otherwise.
        employment: `full_time`, `part_time`, `contract` or `internship`.
        updated: When the board says that it was touched, edit or not.
        sections: About, role, duties, needs, nice to have, way of working, offers, process and equal
            opportunity, in this order.
        listed: False for a draft, which the board carries but does not publish.
        apply_url: Its address on its employer's own board, where a site that gathers leads there.
        days: For how many days it has been there, as of tick 0.
    """

    key: int
    number: int
    version: int
    slug: str
    company: Company
    family: Family
    title: str
    places: list[Place]
    workplace: str
    region: str
    pay: Pay | None
    employment: str
    requisition: str
    published: dt.datetime
    updated: dt.datetime
    sections: list[Section]
    listed: bool = True
    apply_url: str = ""
    days: int = 0


def opening(  # noqa: C901 - one case for each choice
    *,
    key: int,
    number: int,
    version: int,
    company: Company | None,
    published: dt.datetime,
    updated: dt.datetime,
    sibling: bool = False,
    always_remote: bool = False,
    category: str = "",
    long: bool = False,
) -> Opening:
    """The opening that `key` stands for, at a version.

    Args:
        key: Decides everything that the arguments below leave open.
        number: Small number, unique on its board.
        version: From 1; later versions are the first one with edits on top.
        company: The employer, or None to let `key` choose one.
        published: When it was published.
        updated: When it was last touched.
        sibling: The same job in another city: places move on by one.
        always_remote: Whether the board lists remote work only.
        category: The one category of a feed that has one; empty for all.
        long: Whether its text is as long as those of real postings are.
    """
    chance = random.Random(key)
    roll = chance.random

    def pick(options: tuple[T, ...]) -> T:
        return options[int(roll() * len(options))]

    employer = company if company is not None else pick(COMPANIES)
    first = int(roll() * len(employer.cities))
    place = _BY_CITY[employer.cities[(first + sibling) % len(employer.cities)]]
    family = _family(roll(), roll(), employer, place, category)
    level = pick(family.levels)
    name = pick(family.titles)
    if name.startswith(_SENIOR):
        level = ""
    title = level + name

    workplace = "onsite"
    if always_remote or roll() < family.remote:
        workplace = "remote"
    elif family.remote and roll() < 0.65:  # noqa: PLR2004 - most offices are hybrid ones
        workplace = "hybrid"
    places = [place]
    if workplace != "onsite" and roll() < 0.3:  # noqa: PLR2004 - a third is offered in two cities
        other = _BY_CITY[employer.cities[(first + 1 + sibling) % len(employer.cities)]]
        if other is not place:
            places.append(other)

    employment = pick(("full_time",) * 16 + ("part_time", "contract", "contract", "internship"))
    if employment == "internship":
        if level or name.startswith(_SENIOR):
            employment = "full_time"
        else:
            title = f"{name} (Internship)"
    pay = _pay(stated=roll(), spread=roll(), family=family, level=level, place=place, employment=employment)
    slots = {name: pick(values) for name, values in SLOTS.items()}
    slots |= {"company": employer.name, "people": employer.people, "years": _YEARS.get(level, "3")}

    made = Opening(
        key=key,
        number=number,
        version=version,
        slug="-".join(_WORDS.findall(f"{employer.name} {title}".lower())),
        company=employer,
        family=family,
        title=title,
        places=places,
        workplace=workplace,
        region=_region(roll(), place) if workplace == "remote" else "",
        pay=pay,
        employment=employment,
        requisition=f"{'JR' if key & 1 else 'REQ-'}{10_000 + (key >> 20) % 90_000}",
        published=published,
        updated=updated,
        sections=_sections(
            chance=chance,
            slots=slots,
            family=family,
            employer=employer,
            workplace=workplace,
            employment=employment,
        ),
    )
    if long:
        _lengthen(made.sections, key, slots)
    for step in range(2, version + 1):
        _edit(made, mix(key, step))
    return made


def _family(one: float, two: float, employer: Company, place: Place, category: str) -> Family:
    if one < employer.identity:
        if two < 0.4:  # noqa: PLR2004 - postings in the country's own language, where one is at hand
            for local in (GERMAN_IDENTITY, FRENCH_IDENTITY):
                if place.code in local.countries:
                    return local
        families = IDENTITY_FAMILIES
        if category:
            families = tuple(family for family in families if family.category == category)
        return families[int(two * len(families))]
    # What is special to the company weighs twice: it is what people would remember of it.
    options = ORDINARY + employer.extra * 2
    if category:
        options = tuple(family for family in options if family.category == category)
    return options[int(two * len(options))]


def _region(chance: float, place: Place) -> str:
    if chance < 0.08:  # noqa: PLR2004 - anywhere is rare
        return "Worldwide"
    if place.code in _EUROPE and chance < 0.35:  # noqa: PLR2004
        return "Europe"
    return place.country


def _pay(
    *, stated: float, spread: float, family: Family, level: str, place: Place, employment: str
) -> Pay | None:
    if stated > 0.72:  # noqa: PLR2004 - about three in four say what they pay
        return None
    lift = {"Junior ": 0.78, "Senior ": 1.1, "Staff ": 1.25, "Lead ": 1.2, "Principal ": 1.32}.get(level, 1.0)
    low, high = family.pay
    if employment == "internship":
        low, high = low // 2, high // 2
    least = low * lift * place.factor
    most = (low + (high - low) * (0.4 + spread / 2)) * lift * place.factor
    if employment == "contract":
        # Two hundred and twenty days, or 1,800 hours, make a year of contract work.
        if place.code == "US":
            return Pay(round(least / 1.8), round(most / 1.8), place.currency, "hour")
        return Pay(round(least / 0.22 / 5) * 5, round(most / 0.22 / 5) * 5, place.currency, "day")
    step = 500 if most < 1000 else 5000  # noqa: PLR2004 - crowns and rupees come in larger steps
    return Pay(round(least * 1000 / step) * step, round(most * 1000 / step) * step, place.currency, "year")


def _sections(
    *,
    chance: random.Random,
    slots: dict[str, str],
    family: Family,
    employer: Company,
    workplace: str,
    employment: str,
) -> list[Section]:
    roll = chance.random

    def some(options: tuple[str, ...], count: int) -> list[str]:
        """`count` of `options`, in their order, starting anywhere and leaving gaps."""
        size = len(options)
        skip: set[int] = set()
        while size - len(skip) > count:
            skip.add(int(roll() * size))
        return [
            text.format_map(slots) if "{" in text else text
            for index, text in enumerate(options)
            if index not in skip
        ]

    styles = HEADINGS[family.language]
    heads = [head.format_map(slots) for head in styles[int(roll() * len(styles))]]
    english = family.language == "en"
    terms = {
        "full_time": "This is a full-time, permanent position.",
        "part_time": "This is a part-time position of about twenty-four hours a week.",
        "contract": "This is a contract for twelve months, with a fair chance of more.",
        "internship": "This is a paid internship of six months.",
    }
    shared = some(SHARED_NEEDS, 2) if english else []
    return [
        Section(heads[0], [" ".join([employer.about[0], *some(employer.about[1:], 1 + int(roll() * 2))])]),
        Section(heads[1], [" ".join(some(family.summary, 2 + int(roll() * 2)))]),
        Section(heads[2], [], some(family.duties, 5 + int(roll() * 4))),
        Section(heads[3], [], some(family.needs, 4 + int(roll() * 3)) + shared),
        Section(heads[4], [], some(family.nice, 2 + int(roll() * 2))),
        Section(heads[5], [f"{some(HOW_WE_WORK[workplace], 1)[0]} {terms[employment]}"]),
        Section(heads[6], [], some(OFFERS, 4 + int(roll() * 3))),
        Section(heads[7], some(PROCESS, 1)),
        Section("", some(EQUAL_OPPORTUNITY, 1)),
    ]


def _lengthen(sections: list[Section], key: int, slots: dict[str, str]) -> None:
    """Add paragraphs that companies put into each of their postings, of each sort a third.

    With them a text has some 3,800 characters on average, as those of real boards have.
    """
    for place, options in ((0, longer.ABOUT), (5, longer.WORKING), (7, longer.PROCESS), (8, longer.NOTICES)):
        shift = mix(key, place) % 3
        sections[place].paragraphs += [
            text.format_map(slots) for number, text in enumerate(options) if (number + shift) % 3 == 0
        ]


def _edit(made: Opening, how: int) -> None:
    """Change what an employer would change: the pay, the title, the places, or a paragraph."""
    choice = how % 4
    if choice == 0 and made.pay is not None:
        old = made.pay
        step = 500 if old.period == "year" else 1
        raised = [
            amount + max(1, round(amount * 0.06 / step)) * step for amount in (old.minimum, old.maximum)
        ]
        made.pay = Pay(raised[0], raised[1], old.currency, old.period)
        # In words too: some boards tell no pay.
        made.sections[1].paragraphs.append(f"Update: the pay now begins at {raised[0]:,} {old.currency}.")
        return
    if choice == 1 and made.title.startswith("Senior "):
        made.title = made.title.removeprefix("Senior ")
        return
    if choice == 1 and made.title in made.family.titles and "Senior " in made.family.levels:
        made.title = f"Senior {made.title}"
        return
    if choice == 2 and made.workplace != "remote" and len(made.places) < 3:  # noqa: PLR2004 - longer lists look like a mistake
        known = {place.city for place in made.places}
        more = [city for city in made.company.cities if city not in known]
        if more:
            made.places.append(_BY_CITY[more[how // 4 % len(more)]])
            # In words too: some boards tell one place only.
            made.sections[1].paragraphs.append(f"Update: you can also work in {made.places[-1].city}.")
            return
    role = made.sections[1].paragraphs
    fresh = [news for news in NEWS if news not in role]
    if fresh:
        role.append(fresh[how // 4 % len(fresh)])
