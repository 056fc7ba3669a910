"""What is wanted of a job besides its work: place, remote work, pay, level, company, language, age.

Each wish is judged by itself, gives or takes its own points, and says so in a reason of its own. What a
posting does not tell is `unknown`, and gives nothing unless the profile says otherwise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from scout import clock
from scout.matching.regions import WORLD, countries
from scout.normalise import company_key
from scout.normalise.gazetteer import folded
from scout.postings import Place, Posting, Remote, Salary


class Verdict(NamedTuple):
    """What one wish finds of one posting: a few words for people, and points."""

    term: str
    points: int


class Wish(Protocol):
    """One part of a profile besides its terms."""

    where: ClassVar[str]
    """What of a posting it looks at, as reasons name it."""

    def judge(self, posting: Posting) -> Verdict:
        """What it finds. The posting is completed (`scout.normalise.completed`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What a wish gives.

    Attributes:
        points: When it is met.
        against: When the opposite is there.
        otherwise: When something else is there.
        unknown: When the posting does not tell.
    """

    points: int
    against: int = 0
    otherwise: int = 0
    unknown: int = 0


_UNTOLD = "not told"


@dataclass(frozen=True, slots=True)
class PlaceWish:
    """Where the work is. Remote work is left to a `RemoteWish` that says from where.

    Attributes:
        wanted: Countries, regions, towns, as (country, region, town), and how the profile names them.
        unwanted: Likewise.
        gives: What it gives.
        remote_too: Whether places count for remote work.
    """

    where: ClassVar[str] = "place"

    wanted: dict[tuple[str, str, str], str]
    unwanted: dict[tuple[str, str, str], str]
    gives: Points
    remote_too: bool

    def judge(self, posting: Posting) -> Verdict:
        """The best of the posting's places counts."""
        if posting.remote is Remote.REMOTE and not self.remote_too:
            return Verdict("", 0)
        known = [each for each in posting.places if each.country]
        if name := _named(self.wanted, known):
            return Verdict(name, self.gives.points)
        if name := _named(self.unwanted, known):
            return Verdict(name, self.gives.against)
        if known:
            return Verdict(known[0].raw, self.gives.otherwise)
        return Verdict(_UNTOLD, self.gives.unknown)


def _named(names: dict[tuple[str, str, str], str], places: list[Place]) -> str:
    for place in places:
        town = folded(place.city)
        region = folded(place.region)
        for key in ((place.country, region, town), (place.country, "", town),
                    (place.country, region, ""), (place.country, "", "")):  # fmt: skip
            if key in names:
                return names[key]
    return ""


@dataclass(frozen=True, slots=True)
class RemoteWish:
    """Whether the work is done from afar, and whether it may be done from where the owner lives.

    Attributes:
        wanted: What is liked.
        unwanted: What is not.
        gives: What it gives.
        home: Countries that the owner may work from; empty when the profile does not say.
        elsewhere: What remote work gives that may be done only from other countries.
    """

    where: ClassVar[str] = "remote"

    wanted: frozenset[Remote]
    unwanted: frozenset[Remote]
    gives: Points
    home: frozenset[str]
    elsewhere: int

    def judge(self, posting: Posting) -> Verdict:
        """Eligibility goes before likes."""
        kind = posting.remote
        if kind is Remote.REMOTE and not self._eligible(posting.remote_regions):
            return Verdict(f"only from {', '.join(posting.remote_regions[:4])}", self.elsewhere)
        if kind in self.wanted:
            return Verdict(kind.value, self.gives.points)
        if kind in self.unwanted:
            return Verdict(kind.value, self.gives.against)
        if kind is Remote.UNKNOWN:
            return Verdict(_UNTOLD, self.gives.unknown)
        return Verdict(kind.value, self.gives.otherwise)

    def _eligible(self, regions: tuple[str, ...]) -> bool:
        if not self.home or not regions or WORLD in regions:
            return True
        return not self.home.isdisjoint(countries(regions))


#: How many of each period a year has: 2,080 working hours, 260 days.
PERIODS = {"hour": 2080, "day": 260, "week": 52, "month": 12, "year": 1}


@dataclass(frozen=True, slots=True)
class PayWish:
    """The least that is wanted in a year. Another currency, or no period, is unknown pay: nobody converts."""

    where: ClassVar[str] = "pay"

    least: float
    currency: str
    gives: Points

    def judge(self, posting: Posting) -> Verdict:
        """The upper end of a range counts: so much is possible."""
        pay = posting.salary
        amount = _a_year(pay)
        if pay is None or amount is None or pay.currency != self.currency:
            return Verdict(_UNTOLD, self.gives.unknown)
        words = f"{amount:,.0f} {pay.currency} a year"
        if pay.origin == "predicted":
            words += ", predicted"
        return Verdict(words, self.gives.points if amount >= self.least else self.gives.against)


def _a_year(pay: Salary | None) -> float | None:
    if pay is None or pay.period not in PERIODS:
        return None
    amount = pay.maximum if pay.maximum is not None else pay.minimum
    return amount * PERIODS[pay.period] if amount else None


@dataclass(frozen=True, slots=True)
class LevelWish:
    """How high the job is: names of `scout.normalise.LEVELS`."""

    where: ClassVar[str] = "level"

    wanted: frozenset[str]
    unwanted: frozenset[str]
    gives: Points

    def judge(self, posting: Posting) -> Verdict:
        """A title that does not say is unknown."""
        if not posting.level:
            return Verdict(_UNTOLD, self.gives.unknown)
        if posting.level in self.wanted:
            return Verdict(posting.level, self.gives.points)
        return Verdict(
            posting.level, self.gives.against if posting.level in self.unwanted else self.gives.otherwise
        )


@dataclass(frozen=True, slots=True)
class CompanyWish:
    """Who it is for: companies by their `scout.normalise.company_key`."""

    where: ClassVar[str] = "company"

    liked: frozenset[str]
    never: frozenset[str]
    gives: Points

    def judge(self, posting: Posting) -> Verdict:
        """Most companies are neither."""
        key = company_key(posting.company)
        if key in self.never:
            return Verdict(posting.company, self.gives.against)
        return Verdict(posting.company, self.gives.points if key in self.liked else 0)


@dataclass(frozen=True, slots=True)
class LanguageWish:
    """What language the posting is written in: ISO 639-1 codes."""

    where: ClassVar[str] = "language"

    wanted: frozenset[str]
    gives: Points

    def judge(self, posting: Posting) -> Verdict:
        """A text too short to tell is unknown."""
        if not posting.language:
            return Verdict(_UNTOLD, self.gives.unknown)
        met = posting.language in self.wanted
        return Verdict(posting.language, self.gives.points if met else self.gives.otherwise)


@dataclass(frozen=True, slots=True)
class AgeWish:
    """How long ago it was published, in days."""

    where: ClassVar[str] = "age"

    fresh: int
    old: int
    gives: Points

    def judge(self, posting: Posting) -> Verdict:
        """The words name the bound and not the age, so that they change when the points do."""
        if posting.posted_at is None:
            return Verdict(_UNTOLD, self.gives.unknown)
        age = clock.now() - posting.posted_at
        if self.fresh and age <= dt.timedelta(days=self.fresh):
            return Verdict(f"within {self.fresh} days", self.gives.points)
        if self.old and age > dt.timedelta(days=self.old):
            return Verdict(f"over {self.old} days", self.gives.against)
        return Verdict("", 0)
