"""Places as boards write them, and what can be told of each: town, region, and the country's ISO code."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Any

from scout.normalise import gazetteer
from scout.normalise.gazetteer import Named, Town, folded
from scout.normalise.text import line
from scout.postings import Place

_SEVERAL = re.compile(r"\s*[;|•·\n]\s*|\s+/\s+|\s+or\s+")
_SPACES = re.compile(r"[^\S\n]+")
#: How many of a posting's places are looked up: some boards list every town of a country.
_MOST = 50


def locations(values: Iterable[Any]) -> tuple[str, ...]:
    """Places as written, one an entry, in order, no duplicates. `Austin | Chicago` is two."""
    found: dict[str, str] = {}
    for value in values:
        if isinstance(value, str):
            for part in _SEVERAL.split(_SPACES.sub(" ", value[:2000])):
                place = line(part, 200)
                if place:
                    found.setdefault(place.casefold(), place)
    return tuple(found.values())


def places(written: Iterable[str]) -> tuple[Place, ...]:
    """The places of a posting, each with what can be told of it, in order; the first fifty."""
    return tuple(place(each) for each, _ in zip(written, range(_MOST), strict=False))


_US, _CANADA, _AUSTRALIA = "US", "CA", "AU"
STATES = frozenset({
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA",
    "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM",
    "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA",
    "WV", "WI", "WY", "PR",
})  # fmt: skip
_PROVINCES = frozenset(["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"])
_AUSTRALIAN = frozenset(["NSW", "QLD", "VIC", "TAS", "ACT"])
_CODES = frozenset({
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT",
    "BW", "BY", "BZ", "CA", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "ER", "ES", "ET",
    "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GT", "GU", "GW", "GY", "HK", "HN", "HR", "HT", "HU", "ID", "IE", "IL",
    "IM", "IN", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN",
    "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS",
    "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NG", "NI", "NL", "NO", "NP", "NR",
    "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PR", "PS", "PT", "PW", "PY",
    "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SK", "SL",
    "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TG", "TH", "TJ", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "XK", "YE", "YT", "ZA", "ZM", "ZW",
})  # fmt: skip
#: Names of countries that neither ISO nor CLDR has, folded.
_COUNTRIES = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "u k": "GB", "england": "GB", "scotland": "GB",
    "wales": "GB", "northern ireland": "GB", "us": "US", "u s": "US", "u s a": "US", "the us": "US",
    "usa": "US", "united states of america": "US", "the united states": "US",
    "estados unidos": "US",
    "uae": "AE", "u a e": "AE", "emirates": "AE", "ksa": "SA", "korea": "KR", "republic of korea": "KR",
    "korea republic of": "KR", "russian federation": "RU", "czech republic": "CZ", "holland": "NL",
    "the netherlands": "NL", "turkiye": "TR", "viet nam": "VN", "macedonia": "MK",
    "republic of ireland": "IE",
    "bosnia": "BA", "the philippines": "PH", "brasil": "BR", "taiwan r o c": "TW", "hong kong sar": "HK",
    "mainland china": "CN", "prc": "CN", "republic of poland": "PL", "deutschlandweit": "DE",
}  # fmt: skip
#: Other names of towns, folded, and the name that the gazetteer has, folded. All are towns of some size.
_TOWNS = {
    "munchen": "munich", "muenchen": "munich", "cologne": "koln", "nurnberg": "nuremberg",
    "nuernberg": "nuremberg", "wien": "vienna", "geneve": "geneva", "genf": "geneva", "praha": "prague",
    "warszawa": "warsaw", "cracow": "krakow", "krakau": "krakow", "bruxelles": "brussels",
    "brussel": "brussels", "antwerpen": "antwerp", "ghent": "gent", "den haag": "the hague",
    "s gravenhage": "the hague", "hertogenbosch": "s hertogenbosch", "den bosch": "s hertogenbosch",
    "lisboa": "lisbon", "oporto": "porto", "seville": "sevilla", "milano": "milan", "roma": "rome",
    "torino": "turin", "firenze": "florence", "venezia": "venice", "napoli": "naples", "genova": "genoa",
    "kobenhavn": "copenhagen", "goteborg": "gothenburg", "athina": "athens", "bucuresti": "bucharest",
    "beograd": "belgrade", "kiev": "kyiv", "moskva": "moscow", "tel aviv yafo": "tel aviv",
    "bangalore": "bengaluru", "bombay": "mumbai", "madras": "chennai", "gurgaon": "gurugram",
    "trivandrum": "thiruvananthapuram", "cochin": "kochi", "mysore": "mysuru", "calcutta": "kolkata",
    "delhi ncr": "delhi", "taipei city": "taipei", "saigon": "ho chi minh city", "makati": "makati city",
    "cebu": "cebu city", "ciudad de mexico": "mexico city", "cdmx": "mexico city", "caba": "buenos aires",
    "quebec city": "quebec", "nyc": "new york city", "new york": "new york city",
    "manhattan": "new york city",
    "sf": "san francisco", "san francisco bay area": "san francisco", "sf bay area": "san francisco",
    "bay area": "san francisco", "frankfurt": "frankfurt am main", "frankfurt main": "frankfurt am main",
    "washington dc": "washington", "washington d c": "washington", "cluj": "cluj napoca",
    "al khobar": "khobar", "greater london": "london", "central london": "london", "bale": "basel",
    "luxemburg": "luxembourg", "lissabon": "lisbon", "mailand": "milan", "rom": "rome", "zuerich": "zurich",
    "hsin chu": "hsinchu", "greater toronto area": "toronto", "gta": "toronto", "sao paolo": "sao paulo",
    "silicon valley": "san jose", "dc": "washington", "hongkong": "hong kong",
}  # fmt: skip
_BEGINNINGS = (("st ", "saint "), ("saint ", "st "), ("ft ", "fort "), ("mt ", "mount "), ("mount ", "mt "))

#: Thousands of people from which on a town is known by its name among other words.
_WELL_KNOWN = 300

#: Words that are no place, whatever towns are called so.
_NO_PLACES = frozenset({
    "remote", "hybrid", "onsite", "on", "site", "office", "home", "headquarters", "hq", "central",
    "north", "south", "east", "west", "of", "nice", "mobile", "global", "worldwide", "anywhere",
    "everywhere", "international", "multiple", "locations", "various", "flexible", "any", "national",
    "nationwide", "field", "select", "other", "university", "campus", "union", "commerce", "industry",
    "enterprise", "normal", "work", "full", "part", "time", "temporary", "services", "eu", "europe",
    "emea", "apac", "asia", "latam", "americas",
    "on site", "any city", "multiple locations", "various locations", "work from home", "remote work",
})  # fmt: skip
_REMOTE_WORDS = re.compile(
    r"\b(?:100\s?%\s*)?(?:fully[- ]|full[- ])?(?:remote(?:ly)?(?:[- ]first|[- ]friendly|[- ]ok| work|"
    r" only| position| "
    r"role)?|hybrid(?:[- ]remote)?|on-?\s?site|in[- ]office|wfh|work from (?:home|anywhere)|home[- ]?office|"
    r"home[- ]based|telework|telecommute|flexible)\b",
    re.IGNORECASE,
)
_AROUND = re.compile(
    r"\b(?:greater|metro(?:politan)?|area|region|campus|office|head ?quarters?|hq|city of|based|only|"
    r"within|anywhere in|in the|cedex|county|state of|estado de|provincia de|province of)\b",
    re.IGNORECASE,
)
_MORE = re.compile(r"\+\s?\d+ more.*$|\b\d+ (?:more )?locations?\b", re.IGNORECASE)
_POSTAL = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]?[ -]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|[A-Z]{1,2}-?\d{4,5}|"
    r"\d{5}-\d{3,4}|\d{3,6}"
    r"(?:[ -]\d{2,3})?(?: [A-Z]{2})?)\b"
)
_INITIALS = re.compile(r"\b([A-Z])\.\s?([A-Z])\.?(?!\w)")
_ZIP = re.compile(r"\b(\d{5})(?:-\d{4})?\b")
_PIECES = re.compile(
    r"\s*[,;|/•·()\[\]]\s*|\s+[-\u2013\u2014:]\s*|\s*[-\u2013\u2014:]\s+|\s+(?:or|and|und|et)\s+"
)
#: First digit of the postal codes of states that share their letters with a country.
_ZIPS = {
    "AL": "3", "AR": "7", "AZ": "8", "CA": "9", "CO": "8", "DE": "1", "GA": "3", "ID": "8", "IL": "6",
    "IN": "4",
    "KY": "4", "LA": "7", "MA": "0", "MD": "2", "ME": "0", "MN": "5", "MO": "6", "MS": "3", "MT": "5",
    "NC": "2",
    "NE": "6", "PA": "1", "SC": "2", "SD": "5", "TN": "3", "VA": "2",
}  # fmt: skip
_UPPER_WORD = re.compile(r"\b[A-Z]{3}\b")


@functools.lru_cache(maxsize=4_000)
def place(written: str) -> Place:
    """What can be told of one place as written. Its parts are empty where the words do not say.

    `Cologne, NW, DE, 51105` and `USA-WV-Heaters` are read by their order; `CA` is California or Canada, and
    `DE` Delaware or Germany, by what stands beside it; a bare town is believed to be its largest namesake
    where that one is twice the size of the next country's.
    """
    text = _REMOTE_WORDS.sub(" ", _MORE.sub("", _INITIALS.sub(r"\1\2", written[:300])))
    pieces = _pieces(text)
    country, region = _country(pieces, text)
    city = ""
    # "Singapore" alone is the country.
    alone = len(pieces) == 1 and bool(country_named(_bare(pieces[0])))
    if (country or len(pieces) == 1) and not alone:
        city, town = _city(pieces, country, region)
        if town is not None and town.state and not region:
            region = town.state
        if not country and town is not None:
            country = town.country
    return Place(raw=written, city=city, region=region, country=country)


def _pieces(text: str) -> list[str]:
    pieces = [each for each in (part.strip(" .*#_") for part in _PIECES.split(text)) if each]
    if pieces and "-" in pieces[0] and _starts_with_region(pieces[0]):
        # "United States-Texas-Webster, Texas-Katy": hyphens are the separators here.
        pieces = [part.strip() for each in pieces for part in each.split("-") if part.strip()]
    return pieces


def _starts_with_region(piece: str) -> bool:
    first, _, _ = piece.partition("-")
    first = first.strip()
    if first.isdigit():
        return True
    if len(first) <= 3:  # noqa: PLR2004 - codes of countries and states
        return first in STATES or country_code(first) != ""
    found = gazetteer.find(folded(first))
    # A town of that name would be "Stratford-upon-Avon"; towns called as countries are few.
    return bool(found.country) or any(country == _US for country, _ in found.regions)


def country_code(piece: str) -> str:
    """The country that a code of two or three capitals, or a short name, stands for."""
    if len(piece) == 2 and piece.isupper():  # noqa: PLR2004 - ISO 3166 alpha-2
        return "GB" if piece == "UK" else piece if piece in _CODES else ""
    if len(piece) == 3 and piece.isupper():  # noqa: PLR2004 - alpha-3
        return _COUNTRIES.get(piece.lower()) or gazetteer.find(piece.lower()).country
    return ""


def country_named(piece: str) -> str:
    """The code of the country that a piece names in words or by a usual short form; empty for none."""
    name = folded(piece)
    if len(name) <= 3 and name.isascii() and not piece.isupper():  # noqa: PLR2004 - "can", "per", "and" are words
        return "" if piece not in {"Uk", "Usa", "Uae", "usa", "uk", "uae"} else _COUNTRIES.get(name) or "US"
    if name in _COUNTRIES:
        return _COUNTRIES[name]
    if len(piece) <= 3 and name.isascii():  # noqa: PLR2004 - codes are asked for elsewhere, after the states
        return ""
    return gazetteer.find(name).country


def _look_up(name: str) -> Named:
    """A town by any of its names; empty for words that are no place."""
    if name in _NO_PLACES:
        return Named()
    found = gazetteer.find(_TOWNS.get(name, name))
    if not found.towns:
        for beginning, other in _BEGINNINGS:
            if name.startswith(beginning):
                found = gazetteer.find(other + name[len(beginning) :])
                if found.towns:
                    break
    return found


def towns_called(piece: str) -> tuple[Town, ...]:
    """The towns of a name, the largest first; without postal codes and words such as "area" and "office"."""
    name = folded(_POSTAL.sub(" ", piece))
    towns = _look_up(name).towns
    if not towns:
        bare = folded(_AROUND.sub(" ", piece))
        if bare != name:
            towns = _look_up(bare).towns
    return towns


def _state(piece: str) -> str:
    """A state of the US at the end of a piece: `TX`, `MN 55128`, `Oakdale MN`."""
    words = _POSTAL.sub(" ", piece).split()
    return words[-1] if words and words[-1] in STATES else ""


def _country(pieces: list[str], text: str) -> tuple[str, str]:  # noqa: PLR0911 - one return a kind of evidence
    """The country, and the region where one is named."""
    named = [(at, found) for at, piece in enumerate(pieces) if (found := country_named(_bare(piece)))]
    # A country's name beside another's state: "Georgia, United States", "Jersey City, New Jersey".
    if named:
        certain = [found for at, found in named if not _also_region(pieces[at])]
        if certain:
            # "USA-OR-Lebanon": the country that is a town of the other one gives way.
            towns = {town.country for at, _ in named for town in towns_called(pieces[at])}
            country = certain[0] if certain[0] in towns - {certain[-1]} else certain[-1]
            return country, _region(pieces, country)
        at, country = named[-1]
        return _country_or_state(pieces, at, country)
    coded = _coded(pieces, text)
    if coded:
        return coded, _region(pieces, coded)
    by_region = _by_region(pieces)
    if by_region:
        return by_region, _region(pieces, by_region)
    for word in _UPPER_WORD.findall(text):
        if word == "USA" or (len(pieces) > 1 and (country_code(word))):
            found = country_code(word)
            return found, _region(pieces, found)
    for piece in pieces:
        country = _by_town(piece)
        if country:
            return country, _region(pieces, country)
    return _last_words(pieces)


def _bare(piece: str) -> str:
    return " ".join(_POSTAL.sub(" ", _AROUND.sub(" ", piece)).split())


def _also_region(piece: str) -> bool:
    """Whether a country's name is a state of the US too: Georgia is."""
    return any(country == _US for country, _ in gazetteer.find(folded(_bare(piece))).regions)


def _country_or_state(pieces: list[str], at: int, country: str) -> tuple[str, str]:
    state = next(name for home, name in gazetteer.find(folded(_bare(pieces[at]))).regions if home == _US)
    if any(country_code(piece) == _US or piece in {"USA", "US"} for piece in pieces):
        return _US, state
    for piece in pieces[:at] + pieces[at + 1 :]:
        for town in towns_called(piece):
            if town.country == country:
                return country, ""
            if town.state == state:
                return _US, state
    return ("", "") if len(pieces) == 1 else (country, "")


def _coded(pieces: list[str], text: str) -> str:  # noqa: PLR0911 - one return a rule
    """The country by a code among the pieces; states are told from countries by their neighbours."""
    codes = [(at, piece) for at, piece in enumerate(pieces) if country_code(piece) or _state(piece)]
    if not codes:
        return ""
    postal = _ZIP.search(text)
    others = [piece for at, piece in enumerate(pieces) if (at, piece) not in codes]
    at, last = codes[-1]
    country, state = country_code(last), _state(last)
    if country_code(pieces[0]) == _US and len(pieces) > 1:
        return _US
    if country and not state:
        return country
    if state and not country:
        return _US
    # Both a state and a country. What stands before it decides.
    before = [piece for where, piece in codes if where < at]
    if country == _CANADA and any(piece in _PROVINCES for piece in before):
        return _CANADA
    if len(codes) == 1 and at == 0 and len(pieces) > 1:
        # "CA-Irvine" and "IN | Carmel": the larger part comes first.
        return _between(country, state, pieces[1:], postal)
    if before and all(piece in STATES for piece in before):
        return _US if len(before) > 1 or not others else _between(country, state, others, postal)
    return _between(country, state, others, postal)


def _between(country: str, state: str, others: list[str], postal: re.Match[str] | None) -> str:
    for piece in others:
        towns = towns_called(piece)
        abroad = max((town.people for town in towns if town.country == country), default=0)
        at_home = max((town.people for town in towns if town.state == state), default=0)
        if abroad != at_home:
            return country if abroad > at_home else _US
        regions = gazetteer.find(folded(piece)).regions
        if any(home == country for home, _ in regions):
            return country
    if postal and state in _ZIPS:
        return _US if postal[1].startswith(_ZIPS[state]) else country
    if not others:
        # Alone, with no town: two capitals of which nobody says what they are.
        return ""
    return _US


def _by_region(pieces: list[str]) -> str:
    """The country by a region's name or Canada's and Australia's codes; the names of states come first."""
    for piece in pieces:
        words = piece.split()
        if words and (words[-1] in _AUSTRALIAN):
            return _AUSTRALIA
        if piece in _PROVINCES and len(pieces) > 1:
            return _CANADA
    for piece in reversed(pieces):
        name = folded(_bare(piece))
        found = gazetteer.find("" if name in _NO_PLACES else name)
        homes = {country for country, _ in found.regions}
        if _US in homes:
            return _US
        largest = found.towns[0] if found.towns else None
        if len(homes) == 1 and (largest is None or largest.country in homes):
            return next(iter(homes))
    return ""


def _by_town(piece: str) -> str:
    """The country of the largest town of that name, where none elsewhere comes near it."""
    towns = towns_called(piece)
    if not towns:
        return ""
    largest = towns[0]
    rivals = [town.people for town in towns if town.country != largest.country]
    return largest.country if not rivals or largest.people >= 2 * max(rivals) else ""


def _last_words(pieces: list[str]) -> tuple[str, str]:
    """`Remote US`, `Sales Germany`: a country's name as the last or first words of a piece."""
    for piece in pieces:
        words = piece.split()
        for start in range(1, len(words)):
            for part in (" ".join(words[start:]), " ".join(words[:-start])):
                found = country_named(part) or (country_code(part) if part not in STATES else "")
                if found and not _also_region(part):
                    return found, ""
    for piece in pieces:
        words = piece.split()
        for start in range(1, min(len(words), 4)):
            for part in (" ".join(words[start:]), " ".join(words[:-start])):
                if (country := _by_town(part)) and towns_called(part)[0].people >= _WELL_KNOWN:
                    return country, ""
    return "", ""


def _region(pieces: list[str], country: str) -> str:
    """The region: a state's or province's code, or a region's name, where one is named."""
    for piece in pieces:
        if country == _US and (state := _state(piece)):
            return state
        if country == _CANADA and piece in _PROVINCES:
            return piece
        if country == _AUSTRALIA and piece.split()[-1:] and piece.split()[-1] in _AUSTRALIAN:
            return piece.split()[-1]
    for piece in reversed(pieces):
        found = gazetteer.find(folded(_bare(piece)))
        for home, region in found.regions:
            if home == country and not (
                found.towns and found.towns[0].country == country and len(pieces) == 1
            ):
                return region
    return ""


def _city(pieces: list[str], country: str, region: str) -> tuple[str, Town | None]:
    """The town: the first piece that is one in that country, else the first that is nothing else."""
    unknown = ""
    for piece in pieces:
        name = _POSTAL.sub(" ", piece)
        words = name.split()
        if len(words) > 1 and (words[-1] in STATES | _AUSTRALIAN):
            words = words[:-1]
        name = " ".join(words)
        if not name or folded(name) in _NO_PLACES or country_code(name):
            continue
        towns = towns_called(name)
        for town in towns:
            if town.country == country and (not region or not town.state or town.state == region):
                is_region = (
                    any(home == country for home, _ in gazetteer.find(folded(name)).regions)
                    and country == _US
                )
                # "New York" alone is the town, "Washington" alone nobody knows.
                if not is_region or (len(pieces) > 1 and piece == pieces[0]) or town.people > 1000:  # noqa: PLR2004
                    return _shown(name), town
        if not unknown and not country_named(name) and len(pieces) > 1 and len(words) <= 4:  # noqa: PLR2004 - longer ones are sentences
            regions = gazetteer.find(folded(_bare(name))).regions
            if (
                not any(home == country for home, _ in regions)
                and name not in _PROVINCES
                and name not in STATES
            ):
                unknown = name
    return _shown(unknown), None


def _shown(name: str) -> str:
    """A town's name as it is shown: not in capitals, and without "Greater" and "Office" about it."""
    bare = " ".join(_AROUND.sub(" ", name).split()) or name
    return bare.title() if bare.isupper() and len(bare) > 4 else bare  # noqa: PLR2004 - "NYC", "CABA"
