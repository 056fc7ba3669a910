"""Whether two postings are one job, and why: what tells it is gone through, the strongest first.

1. One source's own id of a posting: never asked here, since the database keeps it unique.
2. One address, or one id of an applicant system in both addresses.
3. One company, title and level, places that overlap, and no requisition ids that differ.

What is merely likely is never enough: general titles, and places that only may overlap, need more.
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scout.identity import keys
from scout.normalise.gazetteer import folded
from scout.normalise.places import towns_called
from scout.postings import Place, Posting, Remote

Overlap = Literal["same", "perhaps", "none"]
#: What told that two postings are one job.
Tier = Literal["address", "role"]

#: From this share of common words on, two texts are one: versions of one role for several cities have 0.95
#: and more, different roles of one company at most half.
SAME_TEXT = 0.9
#: Below this share, long texts in one language tell of different roles.
_OTHER_TEXT = 0.25
_LONG_TEXT = 60
#: From so many people on (thousands), a town is known by its size whatever its name in a language.
_LARGE_TOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is compared of one posting.

    Attributes:
        title: As the board writes it.
        company: Likewise.
        url: Its public address.
        places: What is told of its places.
        remote: Where the work is done.
        level: One of `scout.normalise.LEVELS`, or empty.
        language: Of its text, ISO 639-1, or empty.
        requisition: The key of its requisition id (`keys.requisition`), or empty.
        text: The description's words, or empty; only looked at where nothing else tells.
    """

    title: str
    company: str
    url: str
    places: tuple[Place, ...] = ()
    remote: Remote = Remote.UNKNOWN
    level: str = ""
    language: str = ""
    requisition: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """That two postings are one job.

    Attributes:
        tier: What told it.
        certain: False where it is only so if no other job fits as well.
        why: The evidence, in words for the owner.
    """

    tier: Tier
    certain: bool
    why: str


def facts(posting: Posting) -> Facts:
    """What is compared of a posting that is completed (`scout.normalise.completed`)."""
    return Facts(
        title=posting.title,
        company=posting.company,
        url=posting.url,
        places=posting.places,
        remote=posting.remote,
        level=posting.level,
        language=posting.language,
        requisition=keys.requisition(posting.requisition_id) or keys.requisition_in_title(posting.title),
        text=posting.description_text,
    )


def with_text(told: Facts, text: str) -> Facts:
    """The same facts with a text."""
    return dataclasses.replace(told, text=text)


# --- Tier 2 -----------------------------------------------------------------------------------------------


def by_address(one: Facts, other: Facts, *, one_board: bool) -> Verdict | None:
    """Whether two addresses lead to one posting.

    Args:
        one: A posting.
        other: Another one.
        one_board: Whether one board lists both. Then a plain address is no proof, unless the titles are the
            same: some boards give all their postings the same one.
    """
    number = keys.ats_id(one.url)
    if number and number == keys.ats_id(other.url):
        system, _, own = number.partition(" ")
        return Verdict("address", certain=True, why=f"both addresses hold {system.title()}'s id {own}")
    address = keys.comparable_url(one.url)
    if not address or address != keys.comparable_url(other.url):
        return None
    if one_board and keys.title_words(one.title) != keys.title_words(other.title):
        return None
    return Verdict("address", certain=True, why="both have the same address")


# --- Tier 3 -----------------------------------------------------------------------------------------------


def by_role(one: Facts, other: Facts) -> Verdict | None:  # noqa: PLR0911 - one return a reason
    """Whether two postings of one company are one role: never on a general title and a place alone."""
    role = keys.role(one.title, one.company)
    if not role or role != keys.role(other.title, other.company):
        return None
    same_requisition = bool(one.requisition) and _requisitions_agree(one.requisition, other.requisition)
    if one.requisition and other.requisition and not same_requisition:
        return None
    overlap, where = overlapping(one, other)
    if overlap == "none":
        return None
    if same_requisition:
        return Verdict("role", certain=True, why=f"the same company, title{where} and requisition id")
    likeness = alike(one.text, other.text)
    if likeness is not None and likeness >= SAME_TEXT:
        share = round(100 * likeness)
        return Verdict(
            "role", certain=True, why=f"the same company, title{where}, and {share} % of the words"
        )
    if is_general(one.title, one.company) or (one.level and other.level and one.level != other.level):
        return None
    if likeness is not None and likeness < _OTHER_TEXT and one.language == other.language:
        return None
    return Verdict("role", certain=overlap == "same", why=f"the same company and title{where}")


def _requisitions_agree(one: str, other: str) -> bool:
    if one == other:
        return True
    # "R-0012345" of the employer is "12345" elsewhere.
    digits, others = (re.sub(r"\D", "", each).lstrip("0") for each in (one, other))
    lettered = one.isdigit() or other.isdigit()
    return lettered and len(digits) > 3 and digits == others  # noqa: PLR2004 - fewer digits are found anywhere


def overlapping(one: Facts, other: Facts) -> tuple[Overlap, str]:  # noqa: PLR0911 - one a reason
    """Whether two postings share a place of work, and the words that say which.

    Towns are compared as sets. A country beside a town in it, and a place that is not known, may be the same.
    """
    ours, theirs = towns(one.places), towns(other.places)
    shared = ours.keys() & theirs.keys()
    if shared:
        return "same", f", place ({', '.join(sorted(ours[each] for each in shared)[:3])})"
    if ours and theirs:
        return "none", ""
    our_countries, their_countries = _countries(one.places), _countries(other.places)
    if our_countries and their_countries and not our_countries & their_countries:
        return "none", ""
    if not ours and not theirs:
        if our_countries and our_countries == their_countries:
            return "same", f", place ({', '.join(sorted(our_countries))})"
        if one.remote is other.remote is Remote.REMOTE and not (our_countries and their_countries):
            return "same", ", and both remote"
        return "perhaps", ""
    if {one.remote, other.remote} == {Remote.REMOTE, Remote.ONSITE}:
        return "none", ""
    return "perhaps", ""


def towns(places: Sequence[Place]) -> dict[tuple[str, ...], str]:
    """The towns of places, in a form that is the same in every language, with a name to show."""
    found: dict[tuple[str, ...], str] = {}
    for place in places:
        if not place.city:
            continue
        for town in towns_called(place.city):
            if town.people >= _LARGE_TOWN and place.country in {"", town.country}:
                if town.country == "US" and place.region not in {"", town.state}:
                    continue
                found[town.country, town.state, str(town.people)] = place.city
                break
        else:
            region = place.region if place.country in {"US", "CA", "AU"} else ""
            name = re.sub(r"^saint\b", "st", folded(place.city))
            found[name, place.country, region] = place.city
    return found


def _countries(places: Sequence[Place]) -> set[str]:
    return {place.country for place in places if place.country}


# --- Titles that many roles of a company share -----------------------------------------------------------

_GENERAL = frozenset(
    """
    engineer developer manager analyst consultant administrator specialist architect associate director lead
    officer coordinator assistant representative executive technician intern internship trainee programmer
    designer scientist accountant recruiter nurse driver cashier clerk agent advisor operator supervisor head
    senior junior principal staff mid level 1 2 3 4 5 entry graduate working student werkstudent praktikant
    software system systems data project product program programme sales account business customer service
    services support marketing operations technology technical information web backend frontend fullstack
    mobile cloud java python devops quality assurance test solution solutions success development field
    entwickler softwareentwickler ingenieur berater projektleiter mitarbeiter ingénieur développeur chef
    projet human resources site reliability finance financial office general area regional team member
    warehouse retail store delivery
    """.split()  # noqa: SIM905 - a list of words reads better as words
)


def is_general(title: str, company: str = "") -> bool:
    """Whether a title is one that a company gives to many roles: "Software Engineer", "Manager"."""
    return keys.title_words(title, keys.company(company)) <= _GENERAL


# --- Texts ------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W_]+")
_FEW_WORDS = 15


def words_of(text: str) -> frozenset[str]:
    """The different words of a text, folded."""
    return frozenset(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def alike(one: str, other: str) -> float | None:
    """The share of their words that two texts have in common; None if one of them says too little."""
    if not one or not other:
        return None
    ours, theirs = words_of(one), words_of(other)
    least = min(len(ours), len(theirs))
    if least < _FEW_WORDS:
        return None
    share = len(ours & theirs) / len(ours | theirs)
    # A short text says little of a long one: only that they are the same would be told.
    return share if share >= SAME_TEXT or least >= _LONG_TEXT else None


def judge(one: Facts, other: Facts, *, one_board: bool) -> Verdict | None:
    """Whether two postings are one job, by all that tells it; None if nothing does.

    Args:
        one: A posting.
        other: Another one.
        one_board: Whether one board lists both now: then only the address can tell that they are one.
    """
    return by_address(one, other, one_board=one_board) or (None if one_board else by_role(one, other))
