"""Groups of countries, by the names that `scout.normalise.remote_regions` gives them."""

from __future__ import annotations

from collections.abc import Iterable

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_EUROPE = f"{_EU} AD AL BA BY CH FO GB GG GI IM IS JE LI MC MD ME MK NO RS SM UA VA XK"
_MIDDLE_EAST = "AE BH CY EG IL IQ IR JO KW LB OM PS QA SA SY TR YE"
_AFRICA = (
    "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ "
    "NA NE NG RW SC SD SL SN SO SS ST SZ TD TG TN TZ UG ZA ZM ZW"
)
_NORTH_AMERICA = "CA MX US"
_LATAM = "AR BO BR CL CO CR CU DO EC GT HN HT MX NI PA PE PR PY SV UY VE"
_APAC = (
    "AU BD BN BT CN FJ HK ID IN JP KH KR LA LK MM MN MO MV MY NP NZ PG PH PK SG TH TL TW VN"
)  # fmt: skip

#: The countries of each group, by ISO code. What belongs to the world belongs to none of them.
GROUPS: dict[str, frozenset[str]] = {
    name: frozenset(codes.split())
    for name, codes in {
        "EU": _EU,
        "EUROPE": _EUROPE,
        "EMEA": f"{_EUROPE} {_MIDDLE_EAST} {_AFRICA}",
        "APAC": _APAC,
        "LATAM": _LATAM,
        "NORTH_AMERICA": _NORTH_AMERICA,
        "AMERICAS": f"{_NORTH_AMERICA} {_LATAM} BB BS BZ GY JM SR TT",
        "AFRICA": _AFRICA,
        "MIDDLE_EAST": _MIDDLE_EAST,
    }.items()
}
WORLD = "WORLDWIDE"


def countries(regions: Iterable[str]) -> frozenset[str]:
    """The countries that codes and groups stand for."""
    return frozenset().union(*(GROUPS.get(each, frozenset({each})) for each in regions))


def group_named(name: str) -> str:
    """The group that words name, such as `Latin America` or `eu`; empty for none."""
    key = "_".join(name.upper().replace("-", " ").split())
    key = {"EUROPEAN_UNION": "EU", "LATIN_AMERICA": "LATAM", "ASIA_PACIFIC": "APAC"}.get(key, key)
    return key if key in GROUPS or key == WORLD else ""
