"""Names of countries, regions and towns, looked up in one sorted file without loading it into objects.

The file (`gazetteer.txt`, made by `scout.normalise.gazetteer_file`) has a line a name, in its folded form,
sorted by bytes: `dublin<TAB>T IE 1024,US.CA 65,US.GA 16`. `C` gives a country, `R` a region as
COUNTRY.REGION, and `T` towns of at least 15,000 people as COUNTRY or US.STATE with thousands of people, the
largest first. It is kept as bytes and searched by halving: about a megabyte in all, where a dictionary would
take fifteen.

Data: GeoNames (geonames.org, CC BY 4.0), and CLDR's names of countries (Unicode licence v3); see `NOTICE`.
"""

from __future__ import annotations

import array
import bisect
import functools
import itertools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("gazetteer.txt")

#: Letters that do not decompose into a plain one and a mark.
_PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "ŧ": "t",
        "ħ": "h",
    }
)
_BETWEEN = re.compile(r"[\W_]+")


@functools.lru_cache(maxsize=4_000)
def folded(name: str) -> str:
    """The form in which names of places are compared: no case, no marks, one space where signs stood."""
    text = name.casefold()
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_PLAIN)
    if "'" in text or "\u2019" in text or "." in text:
        # "St. John's" and "St Johns", "U.S." and "US" are one.
        text = text.replace("'", "").replace("\u2019", "").replace(".", "")
    return _BETWEEN.sub(" ", text).strip()


@dataclass(frozen=True, slots=True)
class Town:
    """Towns of one name in one country or, in the United States, one state; people in thousands."""

    country: str
    state: str
    people: int


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for: a country's code, regions as (country, region's code or name), and towns."""

    country: str = ""
    regions: tuple[tuple[str, str], ...] = ()
    towns: tuple[Town, ...] = ()


_NOTHING = Named()


@functools.cache
def _lines() -> tuple[bytes, array.array[int]]:
    """The file, and where each of its lines begins."""
    lines = FILE.read_bytes()
    lengths = map(len, lines.splitlines(keepends=True))
    starts = array.array("L", itertools.accumulate(lengths, initial=0))
    del starts[-1]  # the end of the last line begins none
    return lines, starts


@functools.lru_cache(maxsize=4_000)
def find(name: str) -> Named:
    """What a folded name stands for; empty when it is not in the file."""
    lines, starts = _lines()
    wanted = name.encode("utf-8", "replace")
    at = bisect.bisect_left(starts, wanted, key=lambda start: lines[start : lines.index(b"\t", start)])
    if at == len(starts):
        return _NOTHING
    line = lines[starts[at] : lines.index(b"\n", starts[at])]
    key, _, rest = line.partition(b"\t")
    return _read(rest.decode()) if key == wanted else _NOTHING


def _read(line: str) -> Named:
    country, regions, towns = "", [], []
    for entry in line.split("\t"):
        kind, _, rest = entry.partition(" ")
        if kind == "C":
            country = rest
        elif kind == "R":
            regions = [(code, name) for code, _, name in (each.partition(".") for each in rest.split(","))]
        else:
            for each in rest.split(","):
                where, _, people = each.partition(" ")
                code, _, state = where.partition(".")
                towns.append(Town(code, state, int(people)))
    return Named(country, tuple(regions), tuple(towns))
