"""The language of a search: words, phrases and `key:value`, in one line of text.

Reading never fails: what cannot be understood is searched as words, or is named in `Query.problems` with what
to write instead, and the rest of the search counts. `docs/SEARCHING.md` tells it to people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from scout.models import Status
from scout.normalise import LEVELS
from scout.normalise.places import country_code, country_named
from scout.postings import Remote
from scout.searching import durations, numbers
from scout.searching.numbers import Bounds
from scout.searching.words import words_of

#: Characters and terms past which a search is cut: each term costs a look into an index.
LONGEST = 500
MOST_TERMS = 30
#: Words that one term may have.
_MOST_WORDS = 12


class Key(StrEnum):
    """What a term looks at. `words` and `phrase` have no key in the text."""

    WORDS = "words"
    PHRASE = "phrase"
    TITLE = "title"
    COMPANY = "company"
    PLACE = "place"
    COUNTRY = "country"
    SOURCE = "source"
    REMOTE = "remote"
    LEVEL = "level"
    TYPE = "type"
    LANGUAGE = "language"
    NEW = "new"
    POSTED = "posted"
    SCORE = "score"
    SALARY = "salary"
    STATUS = "status"
    IS = "is"
    HAS = "has"


#: Other words for keys.
_ALSO = {
    "board": Key.SOURCE, "location": Key.PLACE, "city": Key.PLACE, "in": Key.PLACE, "lang": Key.LANGUAGE,
    "pay": Key.SALARY, "employer": Key.COMPANY, "employment": Key.TYPE, "match": Key.SCORE,
    "seniority": Key.LEVEL, "age": Key.NEW, "found": Key.NEW,
}  # fmt: skip
_KEYS: dict[str, Key] = {
    **{key.value: key for key in Key if key not in {Key.WORDS, Key.PHRASE}},
    **_ALSO,
}
#: What the words of a term may stand in.
TEXTUAL = frozenset({Key.WORDS, Key.PHRASE, Key.TITLE, Key.COMPANY, Key.PLACE, Key.COUNTRY})

_REMOTE = {
    "yes": Remote.REMOTE, "true": Remote.REMOTE, "remote": Remote.REMOTE, "no": Remote.ONSITE,
    "onsite": Remote.ONSITE, "office": Remote.ONSITE, "hybrid": Remote.HYBRID, "unknown": Remote.UNKNOWN,
}  # fmt: skip
_LEVELS = {each: each for each in LEVELS} | {"internship": "intern", "junior": "entry", "middle": "mid"}
TYPES = ("full_time", "part_time", "contract", "temporary", "internship")
_TYPES = {each: each for each in TYPES} | {"intern": "internship", "full": "full_time", "part": "part_time"}
LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "pt": "Portuguese", "it": "Italian",
    "nl": "Dutch", "sv": "Swedish", "da": "Danish", "no": "Norwegian", "fi": "Finnish", "pl": "Polish",
    "cs": "Czech", "sk": "Slovak", "ja": "Japanese", "zh": "Chinese", "ko": "Korean", "ru": "Russian",
    "uk": "Ukrainian", "bg": "Bulgarian", "el": "Greek", "he": "Hebrew", "ar": "Arabic", "tr": "Turkish",
    "hu": "Hungarian", "ro": "Romanian", "th": "Thai", "hi": "Hindi", "vi": "Vietnamese",
}  # fmt: skip
_LANGUAGES = {name.lower(): code for code, name in LANGUAGES.items()} | {code: code for code in LANGUAGES}
IS = {
    "closed": "no longer listed",
    "open": "still listed",
    "changed": "changed since you looked",
    "unseen": "not seen yet",
    "planned": "with a next step",
    "reposted": "posted anew",
}
HAS = {"salary": "pay stated", "notes": "with notes", "description": "with a text"}
_HAS = {each: each for each in HAS} | {"pay": "salary", "note": "notes", "text": "description"}
_STATUSES = {each.value: each.value for each in Status}
#: What no status, level and so on is called.
UNKNOWN = "none"


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a search.

    Attributes:
        key: What it looks at.
        text: As it is written, in the one way that we write it.
        negated: Whether jobs are wanted that it does not fit.
        values: Of words: what is looked for, one or several of which one must fit; of a choice: the values.
        exact: Whether the last word is whole, as in a phrase.
        bounds: Of a score or pay: between what.
        older: Of a time: whether longer ago is meant.
    """

    key: Key
    text: str
    negated: bool = False
    values: tuple[str, ...] = ()
    exact: bool = False
    bounds: Bounds | None = None
    older: bool = False

    @property
    def words(self) -> str:
        """The term for people, such as `at Okta` or `not Remote`."""
        told = _told(self)
        return f"not {told}" if self.negated else told


@dataclass(frozen=True, slots=True)
class Chip:
    """A term to show and to take away: its words for people, and the search without it."""

    words: str
    without: str
    term: Term


@dataclass(frozen=True, slots=True)
class Query:
    """A search that was read.

    Attributes:
        terms: Its parts: all must fit.
        problems: What was not understood, a sentence each that says what to write instead.
    """

    terms: tuple[Term, ...] = ()
    problems: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        """The search as text, in the one way that we write it."""
        return " ".join(term.text for term in self.terms)

    @property
    def chips(self) -> list[Chip]:
        """A chip a term, in the order of the text."""
        return [Chip(term.words, str(self.without(at)), term) for at, term in enumerate(self.terms)]

    def without(self, at: int) -> Query:
        """The same search less one term."""
        return Query(self.terms[:at] + self.terms[at + 1 :])

    def given(self, key: Key) -> Term | None:
        """The last term of a key that is not negated; None where there is none."""
        return next((each for each in reversed(self.terms) if each.key is key and not each.negated), None)

    def replaced(self, key: Key, value: str) -> Query:
        """The search with one term of this key: in place of those that are there, or at the end.

        Args:
            key: What the term looks at.
            value: What it says, as it is typed without quotes; empty takes the terms away.
        """
        kept = tuple(each for each in self.terms if each.key is not key or each.negated)
        added = parse(written(key, value)).terms if value else ()
        return Query(kept + added)


def written(key: Key, value: str) -> str:
    """A term as text: `company:"1Password Inc"`."""
    value = value.replace('"', " ").strip()
    quoted = f'"{value}"' if re.search(r"[\s,]", value) or value.startswith("-") else value
    if key is Key.PHRASE:
        return f'"{value}"'
    return value if key is Key.WORDS else f"{key}:{quoted}"


_TERM = re.compile(
    r"""
    (?P<not>-)?
    (?: (?P<key>[a-z]+): (?= \S ) )?
    (?P<value> (?: "[^"]*(?:"|$) | [^\s"] )+ )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def parse(text: str) -> Query:
    """Read a search. Never fails: see `Query.problems`."""
    problems: list[str] = []
    if len(text) > LONGEST:
        text = text[:LONGEST]
        problems.append(f"Only the first {LONGEST} characters are searched for. Shorten the search.")
    # Neither a NUL nor half of a surrogate pair can be sent to PostgreSQL; no stored text holds one.
    text = text.replace("\x00", " ").encode("utf-8", "replace").decode()
    text = text.translate(_QUOTES)
    terms: list[Term] = []
    for match in _TERM.finditer(text):
        if len(terms) == MOST_TERMS:
            problems.append(f"Only the first {MOST_TERMS} parts are searched for. Leave some out.")
            break
        term = _term(match, problems)
        if term is not None and term not in terms:
            terms.append(term)
    return Query(tuple(terms), tuple(problems))


_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})


def _term(match: re.Match[str], problems: list[str]) -> Term | None:
    negated = match["not"] is not None
    sign = "-" if negated else ""
    key = _KEYS.get((match["key"] or "").lower())
    value = match["value"]
    if key is None:
        # `https://...` and the like: words with a colon in them.
        whole = f"{match['key']}:{value}" if match["key"] else value
        return _words(whole, negated, problems)
    if not value.replace('"', "").strip():
        problems.append(f"“{key}:” says nothing yet. Write {_EXAMPLES[key]}.")
        return None
    term = _READERS[key](key, value)
    if term is None:
        problems.append(f"“{sign}{match[0].removeprefix('-')}” means nothing. Write {_EXAMPLES[key]}.")
        return None
    return replace(term, negated=True, text=f"-{term.text}") if negated else term


def _words(value: str, negated: bool, problems: list[str]) -> Term | None:  # noqa: FBT001 - one of two
    plain = " ".join(value.replace('"', " ").split())
    phrase = value.startswith('"') or " " in plain
    found = words_of(plain)[:_MOST_WORDS]
    sign = "-" if negated else ""
    if not found:
        if plain.strip("-|&"):
            problems.append(f"“{plain}” has no letter or digit to search for.")
        return None
    text = f'{sign}"{plain}"' if phrase else f"{sign}{plain}"
    key = Key.PHRASE if phrase else Key.WORDS
    return Term(key, text, negated=negated, values=(" ".join(found),), exact=phrase)


# --- A reader a kind of value -------------------------------------------------------------------------------


def _parts(value: str) -> list[tuple[str, bool]]:
    """The alternatives of a value, which commas part, each with whether it was quoted."""
    found = re.findall(r'"([^"]*)"?|([^",]+)', value)
    return [(" ".join((quoted or plain).split()), bool(quoted)) for quoted, plain in found if quoted or plain]


def _of_words(key: Key, value: str) -> Term | None:
    parts = [(part, quoted) for part, quoted in _parts(value) if words_of(part)]
    if not parts:
        return None
    text = ",".join(f'"{part}"' if " " in part or "," in part or quoted else part for part, quoted in parts)
    values = tuple(" ".join(words_of(part)[:_MOST_WORDS]) for part, _ in parts)
    return Term(key, f"{key}:{text}", values=values, exact=any(quoted for _, quoted in parts))


def _of_countries(key: Key, value: str) -> Term | None:
    codes = [_country(part) for part, _ in _parts(value)]
    if not codes or not all(codes):
        return None
    return Term(key, f"{key}:{','.join(codes)}", values=tuple(dict.fromkeys(codes)))


def _country(part: str) -> str:
    return country_code(part.upper()) or country_named(part)


def _of_source(key: Key, value: str) -> Term | None:
    parts = [part.lower() for part, _ in _parts(value)]
    if not parts:
        return None
    return Term(key, f"{key}:{','.join(parts).replace(' ', '-')}", values=tuple(parts))


def _of_choice(choices: dict[str, str], *, none: bool = False) -> Callable[[Key, str], Term | None]:
    def read(key: Key, value: str) -> Term | None:
        chosen: list[str] = []
        for part, _ in _parts(value):
            plain = re.sub(r"[\s-]+", "_", part.lower())
            if none and plain in {UNKNOWN, "unknown"}:
                found: str | None = UNKNOWN
            else:
                found = choices.get(plain, choices.get(part.lower()))
            if found is None:
                return None
            chosen.append(found)
        if not chosen:
            return None
        values = tuple(dict.fromkeys(chosen))
        return Term(key, f"{key}:{','.join(values)}", values=values)

    return read


def _of_time(key: Key, value: str) -> Term | None:
    older = value.startswith(">")
    span = value.lstrip("<>=").strip('"').lower()
    if durations.read(span) is None:
        return None
    return Term(key, f"{key}:{'>' if older else ''}{span}", values=(span,), older=older)


def _of_numbers(key: Key, value: str) -> Term | None:
    plain = "".join(value.replace('"', "").split())
    bounds = numbers.read(plain)
    return None if bounds is None else Term(key, f"{key}:{plain.lower()}", bounds=bounds)


_READERS: dict[Key, Callable[[Key, str], Term | None]] = {
    Key.TITLE: _of_words,
    Key.COMPANY: _of_words,
    Key.PLACE: _of_words,
    Key.COUNTRY: _of_countries,
    Key.SOURCE: _of_source,
    Key.REMOTE: _of_choice({name: value.value for name, value in _REMOTE.items()}),
    Key.LEVEL: _of_choice(_LEVELS, none=True),
    Key.TYPE: _of_choice(_TYPES, none=True),
    Key.LANGUAGE: _of_choice(_LANGUAGES, none=True),
    Key.NEW: _of_time,
    Key.POSTED: _of_time,
    Key.SCORE: _of_numbers,
    Key.SALARY: _of_numbers,
    Key.STATUS: _of_choice(_STATUSES),
    Key.IS: _of_choice({each: each for each in IS}),
    Key.HAS: _of_choice(_HAS),
}

_EXAMPLES = {
    Key.TITLE: 'a word, as in title:engineer, or title:"identity engineer"',
    Key.COMPANY: 'a name, as in company:okta, or company:"1Password Inc"',
    Key.PLACE: 'a place, as in place:berlin, or place:"New York"',
    Key.COUNTRY: "a country, as in country:germany or country:DE",
    Key.SOURCE: "a board or its kind, as in source:lever-veeva or source:lever",
    Key.REMOTE: "remote:yes, remote:no, remote:hybrid or remote:unknown",
    Key.LEVEL: f"one of {', '.join(LEVELS)}, as in level:senior, or level:none",
    Key.TYPE: f"one of {', '.join(TYPES)}, as in type:contract, or type:none",
    Key.LANGUAGE: "a language, as in language:german or language:de",
    Key.NEW: "how long ago, as in new:12h, new:3d, new:2w or new:1m",
    Key.POSTED: "how long ago, as in posted:12h, posted:3d, posted:2w or posted:1m",
    Key.SCORE: "0 to 100, as in score:>70, score:<=40 or score:60..80",
    Key.SALARY: "pay for a year, as in salary:>120k, salary:90,000..120,000 or salary:>100k-eur",
    Key.STATUS: f"one of {', '.join(Status)}, as in status:saved,applied",
    Key.IS: f"one of {', '.join(IS)}, as in is:closed",
    Key.HAS: f"one of {', '.join(HAS)}, as in has:salary",
}  # fmt: skip


# --- For people ---------------------------------------------------------------------------------------------

_VALUE_WORDS: dict[Key, dict[str, str]] = {
    Key.REMOTE: {
        "remote": "Remote", "hybrid": "Hybrid", "onsite": "On site", "unknown": "Remote or not: not said",
    },
    Key.LEVEL: {
        UNKNOWN: "Level not said", "intern": "Internship", "entry": "Entry level", "mid": "Mid level",
    },
    Key.TYPE: {UNKNOWN: "Employment not said"},
    Key.LANGUAGE: {UNKNOWN: "Language not known", **LANGUAGES},
    Key.IS: IS,
    Key.HAS: HAS,
}  # fmt: skip


def value_words(key: Key, value: str) -> str:
    """A value for people: `Full time`, `Senior`, `German`."""
    return _VALUE_WORDS.get(key, {}).get(value) or value.replace("_", " ").capitalize()


_BEFORE = {
    Key.TITLE: "title has ", Key.COMPANY: "at ", Key.PLACE: "in ", Key.COUNTRY: "in ", Key.SOURCE: "on ",
}  # fmt: skip


def _told(term: Term) -> str:
    match term.key:
        case Key.WORDS | Key.PHRASE:
            return term.text.removeprefix("-")
        case Key.TITLE | Key.COMPANY | Key.PLACE | Key.COUNTRY | Key.SOURCE:
            said = term.text.removeprefix("-").partition(":")[2]
            return _BEFORE[term.key] + " or ".join(part for part, _ in _parts(said))
        case Key.NEW | Key.POSTED:
            what = "found" if term.key is Key.NEW else "posted"
            how = "more than" if term.older else "within"
            return f"{what} {how} {durations.words(term.values[0])}" + (" ago" if term.older else "")
        case Key.SCORE | Key.SALARY:
            return _bounds_told(term)
    return " or ".join(value_words(term.key, each) for each in term.values)


def _bounds_told(term: Term) -> str:
    bounds = term.bounds or Bounds(None, None)
    what = "match" if term.key is Key.SCORE else "pay"
    after = f" {bounds.currency}" if bounds.currency else ""
    if bounds.least is None:
        return f"{what} of {bounds.most:,}{after} or less"
    if bounds.most is None and ":>" in term.text and ":>=" not in term.text:
        return f"{what} of more than {bounds.least - 1:,}{after}"
    if bounds.most is None:
        return f"{what} of {bounds.least:,}{after} or more"
    if bounds.least == bounds.most:
        return f"{what} of {bounds.least:,}{after}"
    return f"{what} of {bounds.least:,} to {bounds.most:,}{after}"
