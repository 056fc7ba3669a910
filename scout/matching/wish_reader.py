"""The wishes of a profile's file: places, remote, pay, level, companies, language, age."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scout.matching.reader import Reader
from scout.matching.regions import GROUPS, WORLD, countries, group_named
from scout.matching.wishes import (
    PERIODS,
    AgeWish,
    CompanyWish,
    LanguageWish,
    LevelWish,
    PayWish,
    PlaceWish,
    Points,
    RemoteWish,
    Wish,
)
from scout.normalise import LEVELS, company_key, place
from scout.normalise.gazetteer import folded
from scout.normalise.places import country_code
from scout.postings import Remote


def _places(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("places", data, {"wanted", "unwanted"}, _CHOICE)
    return PlaceWish(
        _named_places(reader, "places: wanted", said.get("wanted", [])),
        _named_places(reader, "places: unwanted", said.get("unwanted", [])),
        _gives(reader, "places", said),
        remote_too="from" not in (data.get("remote") or {}),
    )


def _named_places(reader: Reader, where: str, value: Any) -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for name in reader.texts(where, value):
        if group := group_named(name):
            if group == WORLD:
                raise reader.fail(where, "has the whole world: leave it out to take any place")
            found |= {(code, "", ""): name for code in GROUPS[group]}
            continue
        if code := country_code(name):
            found[code, "", ""] = name
            continue
        told = place(name)
        if not told.country:
            raise reader.fail(where, f"has {name!r}, which is no country, region or town that is known here")
        town, region = folded(told.city), folded(told.region)
        # A town whose region the board leaves out is found all the same.
        found[told.country, "" if town else region, town] = name
    return found


def _remote(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("remote", data, {"wanted", "unwanted", "from"}, {*_CHOICE, "elsewhere"})
    kinds = [each.value for each in Remote]
    home: set[str] = set()
    for name in reader.texts("remote: from", said.get("from", [])):
        code = group_named(name) or country_code(name) or place(name).country
        if not code or code == WORLD:
            raise reader.fail("remote: from", f"has {name!r}, which is no country or group of countries")
        home.add(code)
    return RemoteWish(
        frozenset(map(Remote, reader.choices("remote: wanted", said.get("wanted", []), kinds))),
        frozenset(map(Remote, reader.choices("remote: unwanted", said.get("unwanted", []), kinds))),
        _gives(reader, "remote", said),
        countries(home),
        reader.one_of_points("remote", "elsewhere", said, -100),
    )


def _pay(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("pay", data, {"least", "currency"}, {"per", "points", "against", "unknown"})
    least, currency, per = said.get("least"), said.get("currency"), said.get("per", "year")
    if isinstance(least, bool) or not isinstance(least, int | float) or least <= 0:
        raise reader.fail("pay", "needs least: a number above 0, such as least: 80000")
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isalpha():  # noqa: PLR2004 - ISO 4217
        raise reader.fail("pay", "needs currency: three letters, such as currency: EUR")
    (per,) = reader.choices("pay: per", [per], list(PERIODS))
    return PayWish(least * PERIODS[per], currency.upper(), _gives(reader, "pay", said))


def _level(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("level", data, {"wanted", "unwanted"}, _CHOICE)
    return LevelWish(
        frozenset(reader.choices("level: wanted", said.get("wanted", []), LEVELS)),
        frozenset(reader.choices("level: unwanted", said.get("unwanted", []), LEVELS)),
        _gives(reader, "level", said),
    )


def _companies(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("companies", data, {"liked", "never"}, {"points", "against"})
    return CompanyWish(
        frozenset(map(company_key, reader.texts("companies: liked", said.get("liked", [])))),
        frozenset(map(company_key, reader.texts("companies: never", said.get("never", [])))),
        _gives(reader, "companies", said, against=-100),
    )


def _language(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("language", data, {"wanted"}, {"points", "otherwise", "unknown"})
    wanted = frozenset(each.lower() for each in reader.texts("language: wanted", said.get("wanted", [])))
    for code in wanted:
        if len(code) != 2 or not code.isalpha():  # noqa: PLR2004 - ISO 639-1
            raise reader.fail("language: wanted", f"has {code!r}, where two letters such as en are meant")
    return LanguageWish(wanted, _gives(reader, "language", said, points=0, otherwise=-30))


def _age(reader: Reader, data: Mapping[str, Any]) -> Wish:
    said = reader.part("age", data, {"fresh", "old"}, {"points", "against", "unknown"})
    days = {}
    for name in ("fresh", "old"):
        days[name] = said.get(name, 0)
        if isinstance(days[name], bool) or not isinstance(days[name], int) or days[name] < 0:
            raise reader.fail("age", f"has {name}: {days[name]!r}, where a whole number of days is meant")
    return AgeWish(days["fresh"], days["old"], _gives(reader, "age", said, points=5, against=-20))


_CHOICE = frozenset({"points", "against", "otherwise", "unknown"})


def _gives(
    reader: Reader,
    where: str,
    said: Mapping[str, Any],
    *,
    points: int = 10,
    against: int = -30,
    otherwise: int = 0,
) -> Points:
    return Points(
        points=reader.one_of_points(where, "points", said, points),
        against=reader.one_of_points(where, "against", said, against),
        otherwise=reader.one_of_points(where, "otherwise", said, otherwise),
        unknown=reader.one_of_points(where, "unknown", said, 0),
    )


#: The parts of a profile besides its terms, in the order in which they are judged.
WISHES = {
    "places": _places,
    "remote": _remote,
    "pay": _pay,
    "level": _level,
    "companies": _companies,
    "language": _language,
    "age": _age,
}


def wishes(reader: Reader, data: Mapping[str, Any]) -> tuple[Wish, ...]:
    """The wishes that a profile has.

    Raises:
        ProfileUnusable: Something in them is wrong; the text says where.
    """
    return tuple(read(reader, data) for name, read in WISHES.items() if name in data)
