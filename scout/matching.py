"""Matching: how well a posting fits a profile, and why.

A profile is data (`scout/profiles/*.yaml`, described in `load_profile`): words of a trade, what each is worth
in the title, the department or the description, and what must or must not stand beside it. A text is cut into
words once and looked up in a tree of the profile's phrases, so that the time it takes hardly depends on how
many phrases there are.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from metrics import catalogue
from scout import settings
from scout.errors import ScoutError
from scout.models import Job
from scout.postings import Posting

Where = Literal["title", "department", "description"]

DEFAULT = "iam"

_PLACES: tuple[Where, ...] = ("title", "department", "description")
#: The most that all terms of one place give together, unless the profile says otherwise.
_LIMITS: dict[Where, int] = {"title": 75, "department": 20, "description": 45}

#: A sentence with one of these speaks of law and benefits, not of the work, in every trade.
_BOILERPLATE = (
    "equal opportunity",
    "equal employment",
    "affirmative action",
    "gender identity",
    "sexual identity",
    "gender expression",
    "sexual orientation",
    "without regard to",
    "regardless of race",
    "protected veteran",
    "veteran status",
    "reasonable accommodation",
    "applicants with disabilities",
    "we celebrate diversity",
    "privacy notice",
    "e verify",
    "health insurance",
    "dental and vision",
    "parental leave",
    "identity theft protection",
    "verify your identity",
    "verify the identity",
    "proof of identity",
    "verification of identity",
    "identity and eligibility",
    "geschlechtliche identität",
    "geschlechtsidentität",
    "sexuelle orientierung",
    "sexuellen orientierung",
    "chancengleichheit",
    "identité de genre",
    "orientation sexuelle",
    "égalité des chances",
    "identidad de género",
)
#: What an employer does, said of itself: the sentence is about the employer, not about the job.
_SELF_PRAISE = frozenset(
    {
        "is",
        "was",
        "are",
        "has",
        "helps",
        "secures",
        "provides",
        "delivers",
        "offers",
        "empowers",
        "enables",
        "makes",
        "builds",
        "protects",
        "gives",
        "ist",
        "bietet",
        "hilft",
        "est",
        "offre",
        "aide",
    }
)
_ABOUT = re.compile(
    r"\W*(?:about (?:us|the company|our company|(?P<name>[\w .&-]+))|who we are"
    r"|our (?:story|mission|company|values)|company (?:overview|description|profile)"
    r"|(?:wir )?über uns|wer wir sind|qui sommes[- ]nous|à propos(?: de nous)?)\W*",
    re.IGNORECASE,
)
#: A line this short, without a full stop, is a heading.
_HEADING_LENGTH = 70
#: An about-us section without a heading after it ends after this many characters.
_ABOUT_LENGTH = 2500

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")
_CHOICE = re.compile(r"\(([^()]*)\)")
_PLURAL_LENGTH = 4


class ProfileUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A profile cannot be found or used. The text says where in it and why."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a posting fits a profile.

    Attributes:
        score: 0 (not at all) to 100.
        reasons: Why, best first: `{"term", "where", "points"}`, where `where` is `title`, `department` or
            `description`. Their points add up to the score, but for what falls below 0 or above 100.
    """

    score: int
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One thing that a profile looks for.

    Attributes:
        label: Its words as the profile has them.
        group: The group of the profile it belongs to.
        points: What it gives, by place. Below 0 it takes away.
        written: The spellings whose upper and lower case count, as words; empty when none does.
        words: Every phrase that means it, as its folded words, and how reasons name it.
        needs: Phrases of which one must stand somewhere in the posting.
        unless: Phrases of which none may stand anywhere in the posting, boilerplate included.
        others: How many other terms must be found for this one to count.
    """

    label: str
    group: str
    points: dict[Where, int]
    written: frozenset[tuple[str, ...]]
    words: dict[tuple[str, ...], str]
    needs: tuple[str, ...]
    unless: tuple[str, ...]
    others: int


_Node = dict[str, Any]
_Ends = list[tuple["Term | None", str]]
#: Where a node of the tree keeps what ends there. No word is empty.
_END = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the owner looks for, ready for matching.

    Attributes:
        name: Its short name.
        title: Its name for people.
        about: A sentence or two about it.
        limits: The most that the terms of one place give together.
        terms: All terms.
        heading_tree: The phrases to look for in titles and departments, word by word.
        tree: Those to look for in descriptions, boilerplate among them.
    """

    name: str
    title: str
    about: str
    limits: dict[Where, int]
    terms: tuple[Term, ...] = field(repr=False)
    heading_tree: _Node = field(repr=False)
    tree: _Node = field(repr=False)


# --- Scoring ----------------------------------------------------------------------------------------------


def score(posting: Posting, profile: Profile) -> Match:
    """How well a posting fits a profile, and why.

    Only `title`, `department`, `company` and `description_text` count, so that a stored job scores as its
    posting did. A term that is the employer's own name says nothing about the work and never counts.
    """
    reading = _Reading(profile, _words(posting.company))
    reading.heading("title", posting.title)
    reading.heading("department", posting.department)
    reading.description(posting.description_text)
    if not reading.found:
        return _NOTHING
    return _summed(reading.counting(posting), profile.limits)


_NOTHING = Match(0, [])

_LOWEST = [int(each.partition("-")[0]) for each in catalogue.BAND.values]


def band(score: int) -> str:
    """The band that a score from 0 to 100 lies in, as metrics name it: `70-84`."""
    return catalogue.BAND.values[bisect.bisect_right(_LOWEST, score) - 1]


class _Finding(NamedTuple):
    """A term, where it was found, and as what."""

    term: Term
    where: Where
    spelling: str

    @property
    def points(self) -> int:
        return self.term.points[self.where]


def _summed(found: list[_Finding], limits: dict[Where, int]) -> Match:
    left = dict(limits)
    reasons: list[dict[str, Any]] = []
    for each in sorted(found, key=lambda each: (-each.points, each.spelling)):
        points = each.points
        if points > 0:
            points = min(points, left[each.where])
            left[each.where] -= points
        if points:
            reasons.append({"term": each.spelling, "where": each.where, "points": points})
    if not any(reason["points"] > 0 for reason in reasons):
        return _NOTHING
    total = sum(reason["points"] for reason in reasons)
    reasons.sort(key=lambda reason: -abs(reason["points"]))
    return Match(min(max(total, 0), 100), reasons)


def _holds(tree: _Node, words: list[str]) -> bool:
    """Whether any term's phrase stands in the words. Boilerplate is none."""
    for position in [place for place, word in enumerate(words) if word in tree]:
        node: _Node | None = tree
        for word in itertools.islice(words, position, None):
            node = node.get(word) if node else None
            if node is None:
                break
            if any(term is not None for term, _ in node.get(_END, ())):
                return True
    return False


def _hits(tree: _Node, words: list[str], text: str) -> list[tuple[Term, str]] | None:
    """The terms in some words, each with the spelling that was found; None when the words are boilerplate."""
    hits: list[tuple[Term, str]] = []
    position = 0
    while position < len(words):
        step = 1
        node = tree.get(words[position])
        if node is not None:
            ends: list[tuple[int, _Ends]] = []
            end = position + 1
            while node is not None:
                if _END in node:
                    ends.append((end, node[_END]))
                node = node.get(words[end]) if end < len(words) else None
                end += 1
            # The longest phrase counts, and uses up its words: "identity governance" is not also "identity".
            for stop, entries in reversed(ends):
                fitting = []
                for term, spelling in entries:
                    if term is None:
                        return None
                    if not term.written or _in_case(term, words, position, stop, text):
                        fitting.append((term, spelling))
                if fitting:
                    hits += fitting
                    step = stop - position
                    break
        position += step
    return hits


def _in_case(term: Term, words: list[str], start: int, stop: int, text: str) -> bool:
    found = tuple(words[start:stop])
    if all(found != tuple(word.lower() for word in written) for written in term.written):
        return True
    original = _split(text)
    # Lower-casing may split a rare letter in two; then we cannot tell, and let it count.
    return len(original) != len(words) or tuple(original[start:stop]) in term.written


class _Reading:
    """One posting being read: which terms it holds, and where."""

    __slots__ = ("_company", "_kept", "_profile", "found")

    def __init__(self, profile: Profile, company: list[str]) -> None:
        self._profile = profile
        self._company = company
        self._kept: list[list[str]] = []
        #: What was found, and the spelling in which it was found first.
        self.found: dict[tuple[Term, Where], str] = {}

    def heading(self, where: Where, text: str) -> None:
        """Read a title or a department."""
        words = _words(text)
        self._kept.append(words)
        self._note(where, _hits(self._profile.heading_tree, words, text) or [])

    def description(self, text: str) -> None:
        """Read a description, leaving out what is not about the work."""
        tree = self._profile.tree
        words = _words(text)
        # Most descriptions hold nothing: one look over all words, before any care about lines and sentences.
        if not _holds(tree, words):
            self._kept.append(words)
            return
        about = 0
        for line in text.split("\n"):
            if line and len(line) <= _HEADING_LENGTH and not line.rstrip().endswith((".", "!", "?")):
                heading = _ABOUT.fullmatch(line)
                about = _ABOUT_LENGTH if heading and self._names_employer(heading["name"]) else 0
            if about > 0:
                about -= len(line) + 1
                continue
            self._line(line)

    def _names_employer(self, name: str | None) -> bool:
        # "About the role" is about the work.
        return name is None or (bool(self._company) and _words(name)[:1] == self._company[:1])

    def _line(self, line: str) -> None:
        words = _words(line)
        tree = self._profile.tree
        hits = [] if tree.keys().isdisjoint(words) else _hits(tree, words, line)
        if hits == []:
            self._kept.append(words)
            return
        # There is something to lose: boilerplate and self-praise take only their own sentence with them.
        sentences = _SENTENCE_END.split(line)
        for sentence in sentences:
            if len(sentences) > 1:
                words = _words(sentence)
                hits = _hits(tree, words, sentence)
            if hits is not None and not self._praises_employer(words):
                self._kept.append(words)
                self._note("description", hits)

    def _praises_employer(self, words: list[str]) -> bool:
        company = self._company
        if not company or company[0] not in words:
            return False
        after = words.index(company[0])
        while after < len(words) and words[after] in company:
            after += 1
        return after < len(words) and words[after] in _SELF_PRAISE

    def _note(self, where: Where, hits: list[tuple[Term, str]]) -> None:
        for term, spelling in hits:
            if where in term.points and not self._is_employer(term):
                self.found.setdefault((term, where), spelling)

    def _is_employer(self, term: Term) -> bool:
        company = self._company
        return any(
            list(phrase) == company[start : start + len(phrase)]
            for phrase in term.words
            for start in range(len(company) - len(phrase) + 1)
        )

    def counting(self, posting: Posting) -> list[_Finding]:
        """What was found, without the terms whose surroundings say that they mean something else."""
        found = [_Finding(term, where, spelling) for (term, where), spelling in self.found.items()]
        if any(each.term.needs or each.term.unless for each in found):
            kept = _between_spaces(itertools.chain.from_iterable(self._kept))
            everything = _between_spaces(_words(f"{posting.title}\n{posting.description_text}"))
            found = [
                each
                for each in found
                if (not each.term.needs or any(phrase in kept for phrase in each.term.needs))
                and not any(phrase in everything for phrase in each.term.unless)
            ]
        sure = {each.term for each in found if not each.term.others and max(each.term.points.values()) > 0}
        return [each for each in found if len(sure) >= each.term.others]


def _between_spaces(words: Iterable[str]) -> str:
    return f" {' '.join(words)} "


# --- Words ------------------------------------------------------------------------------------------------

_ASCII = frozenset(map(chr, range(128)))
#: Keeps letters, digits and the bytes of other letters; makes spaces of the rest.
_TO_SPACES = bytes(byte if byte > 127 or chr(byte).isalnum() else 32 for byte in range(256))  # noqa: PLR2004 - ASCII


def _words(text: str) -> list[str]:
    """The words of a text, lower-cased and compatibility-normalised (NFKC), `&` as `and`.

    `C++`, `C#` and `Security+` are words of their own. It does what a regular expression for runs of letters
    and digits would, in less than half of the time.
    """
    text = text.lower()
    if "+" in text:
        text = text.replace("c++", "cplusplus").replace("security+", "securityplus")
    if "#" in text:
        text = text.replace("c#", "csharp")
    return _split(text)


def _split(text: str) -> list[str]:
    if not text.isascii():
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        for letter in set(text) - _ASCII:
            plain = _plain(letter)
            if plain != letter:
                text = text.replace(letter, plain)
    if "&" in text:
        text = text.replace("&", " and ")
    return text.encode("utf-8", "replace").translate(_TO_SPACES).decode().split()


@functools.lru_cache(maxsize=10_000)
def _plain(letter: str) -> str:
    return "".join(each if each.isalnum() else " " for each in unicodedata.normalize("NFKC", letter))


# --- Profiles ---------------------------------------------------------------------------------------------


def posting_of(job: Job) -> Posting:
    """What matching reads of a stored job, whose `description` must be loaded."""
    return Posting(
        source_job_id=str(job.id),
        title=job.title,
        company=job.company,
        url=job.url,
        department=job.department,
        description_text=job.description_text,
    )


def names() -> list[str]:
    """The names of the profiles that come with the program."""
    folder = resources.files("scout") / "profiles"
    return sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml"))


def load_profile(path: Path | str | None = None) -> Profile:
    """The profile in a file, or one that comes with the program.

    A profile is a YAML file:

        name: iam
        title: Identity and access management
        about: Roles that decide who may do what.
        limits: {title: 75, department: 20, description: 45}
        groups:
          - name: core
            title: 60            # points in the title
            department: 15       # in the department; unset, a quarter of the title's
            description: 8       # in the description
            terms:
              - identity governance
              - PAM (engineer|analyst)         # each of the choices
              - term: SSO
                case: true                     # its upper and lower case count
                also: [single sign-on]         # other words for it, in any case
                needs: [sign-on, SAML]         # one of these must stand in the posting
                unless: [site safety]          # none of these may
                others: 1                      # so many other terms must be there too
                title: 40                      # its own points, instead of its group's

    Terms are found as whole words, in any case unless `case` is set; `&` reads as `and`, and the last word
    may be a plural. Points below 0 take away: -100 is a veto.

    Args:
        path: A file, or the name of a profile that comes with the program; None means the setting
            SCOUT_PROFILE, or else `iam`.

    Raises:
        ProfileUnusable: There is no such profile, or something in it is wrong.
    """
    chosen = str(path or settings.load().profile or DEFAULT)
    if chosen in names():
        return _bundled(chosen)
    file = Path(chosen).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProfileUnusable(
            f"There is no profile {chosen!r}: give the path of a file, or one of {', '.join(names())}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileUnusable(f"The profile {file} cannot be read: {error}.") from error
    return parse_profile(text, str(file))


@functools.cache
def _bundled(name: str) -> Profile:
    file = resources.files("scout") / "profiles" / f"{name}.yaml"
    return parse_profile(file.read_text(encoding="utf-8"), name)


def parse_profile(text: str, source: str) -> Profile:
    """Read and compile a profile's text; `source` names it in errors.

    Raises:
        ProfileUnusable: Something in it is wrong; the text says where.
    """
    try:
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, in C where it is there
    except yaml.YAMLError as error:
        raise ProfileUnusable(f"The profile {source} is not YAML: {' '.join(str(error).split())}.") from error
    reader = _Reader(source)
    reader.keys("the profile", data, {"name", "groups"}, {"title", "about", "limits", "ignore"})
    limits = {**_LIMITS, **reader.points("limits", data.get("limits", {}), least=0)}
    groups = reader.list("groups", data["groups"])
    terms = tuple(itertools.chain.from_iterable(reader.group(group) for group in groups))
    if not terms:
        raise ProfileUnusable(f"The profile {source} has no terms: there is nothing to look for.")
    ignored = (*_BOILERPLATE, *reader.phrases("ignore", data.get("ignore", [])))
    return Profile(
        name=str(data["name"]),
        title=str(data.get("title") or data["name"]),
        about=" ".join(str(data.get("about", "")).split()),
        limits=limits,
        terms=terms,
        heading_tree=_tree([term for term in terms if {"title", "department"} & term.points.keys()], ()),
        tree=_tree([term for term in terms if "description" in term.points], ignored),
    )


_NONE: frozenset[tuple[str, ...]] = frozenset()
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _tree(terms: Sequence[Term], ignored: Sequence[str]) -> _Node:
    root: _Node = {}
    # Where boilerplate ends, there is None in place of a term.
    phrases: list[tuple[Sequence[str], Term | None, str]] = [(_words(each), None, "") for each in ignored]
    phrases += [(words, term, spelling) for term in terms for words, spelling in term.words.items()]
    for words, term, spelling in phrases:
        node = root
        for word in words:
            node = node.setdefault(word, {})
        node.setdefault(_END, []).append((term, spelling))
    return root


def _spellings(term: str) -> Iterator[str]:
    """Every choice of a term: `PAM (engineer|analyst)` is two phrases."""
    choice = _CHOICE.search(term)
    if choice is None:
        yield term
        return
    for each in choice[1].split("|"):
        yield from _spellings(f"{term[: choice.start()]}{each}{term[choice.end() :]}")


class _Reader:
    """Reads a profile's parts, and says where one is wrong."""

    _TERM_KEYS = frozenset({"also", "case", "needs", "unless", "others", *_PLACES})

    def __init__(self, source: str) -> None:
        self._source = source

    def fail(self, where: str, why: str) -> ProfileUnusable:
        return ProfileUnusable(f"The profile {self._source} cannot be used: {where} {why}.")

    def keys(self, where: str, value: Any, needed: Iterable[str], allowed: Iterable[str]) -> None:
        if not isinstance(value, dict):
            raise self.fail(where, "must be names with values")
        for key in needed:
            if not value.get(key):
                raise self.fail(where, f"lacks {key!r}")
        for key in value:
            if key not in {*needed, *allowed}:
                raise self.fail(where, f"has {key!r}, which means nothing here")

    def list(self, where: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.fail(where, "must be a list")
        return value

    def phrases(self, where: str, value: Any) -> tuple[str, ...]:
        for each in self.list(where, value):
            if not isinstance(each, str) or not _words(each):
                raise self.fail(where, f"has {each!r}, which is no word (numbers need quotes)")
        return tuple(itertools.chain.from_iterable(_spellings(each) for each in value))

    def points(self, where: str, value: Any, least: int = -100) -> dict[Where, int]:
        if not isinstance(value, dict):
            raise self.fail(where, "must be names with values")
        found: dict[Where, int] = {}
        for place in _PLACES:
            if (points := value.get(place)) is not None:
                if isinstance(points, bool) or not isinstance(points, int) or not least <= points <= 100:  # noqa: PLR2004 - a score's end
                    raise self.fail(where, f"has {place}: {points!r}, where {least} to 100 is meant")
                found[place] = points
        return found

    def group(self, group: Any) -> Iterator[Term]:
        self.keys("a group", group, ("name", "terms"), _PLACES)
        name = str(group["name"])
        where = f"group {name!r}"
        points = self.points(where, group)
        if "department" not in points and "title" in points:
            points["department"] = int(points["title"] / 4)
        for entry in self.list(f"the terms of {where}", group["terms"]):
            yield self.term(name, points, {"term": entry} if isinstance(entry, str) else entry)

    def term(self, group: str, points: dict[Where, int], entry: Any) -> Term:
        self.keys(f"a term of group {group!r}", entry, ("term",), self._TERM_KEYS)
        label = entry["term"]
        where = f"term {label!r} of group {group!r}"
        spellings = self.phrases(where, [label, *self.list(where, entry.get("also", []))])
        exact = entry.get("case", False)
        others = entry.get("others", 0)
        if not isinstance(exact, bool) or isinstance(others, bool) or not isinstance(others, int):
            raise self.fail(where, "has case: or others: that is neither true nor false, or no number")
        points = {place: value for place, value in {**points, **self.points(where, entry)}.items() if value}
        if not points:
            raise self.fail(where, "gives no points anywhere")
        return Term(
            label=label,
            group=group,
            points=points,
            written=frozenset(tuple(_split(each)) for each in _spellings(label)) if exact else _NONE,
            words={
                # A term of choices is named by the one that was found.
                words: spelling if "(" in label else label
                for spelling in reversed(spellings)
                for words in _forms([spelling], plural=not exact)
            },
            needs=self.context(f"needs of {where}", entry.get("needs", [])),
            unless=self.context(f"unless of {where}", entry.get("unless", [])),
            others=others,
        )

    def context(self, where: str, value: Any) -> tuple[str, ...]:
        # As they are searched for: whole words between spaces.
        return tuple(f" {' '.join(words)} " for words in _forms(self.phrases(where, value), plural=True))


def _forms(spellings: Iterable[str], *, plural: bool) -> Iterator[tuple[str, ...]]:
    for spelling in spellings:
        *front, last = _words(spelling)
        yield (*front, last)
        if plural and len(last) >= _PLURAL_LENGTH and last.isalpha() and not last.endswith("s"):
            yield (*front, f"{last[:-1]}ies" if last.endswith("y") else f"{last}s")
