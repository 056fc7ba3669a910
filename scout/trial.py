"""Looking once at a board before it is watched: what it lists and tells, what would match."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields

from scout import allowance, matching, normalise, remedies, robots, schedule, sources
from scout.courtesy import Courtesy
from scout.database import Database
from scout.fetch import Answer, Door, FetchError, Limits, Reason
from scout.matching import Match, Profile
from scout.postings import Posting, Remote
from scout.settings import Settings
from scout.sources.about import about, off
from scout.sources.board import Board, Detailed, Kind, NotModified, Page, Validators

#: Seconds for a whole look, and the least that a request is given. Somebody waits for it.
BUDGET = 20.0
_LEAST = 0.5
#: Postings that are named.
EXAMPLES = 8

#: Fields that say nothing about what a board fills: every posting has them, or they follow from others.
_ALWAYS = frozenset({"source_job_id", "title", "company", "url", "remote_evidence", "description_html"})


@dataclass(frozen=True, slots=True)
class Example:
    """A posting that was seen, and how it would match."""

    posting: Posting
    match: Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a look at a board found.

    Attributes:
        board: The board.
        kind: Its kind's name for people.
        postings: How many postings were read.
        matching: How many of them would match the profile.
        best: The best of them, best first, others after them.
        fills: What postings told besides what every one does, a field's name each, and how many did.
        cut: Whether the look ended before the board's last page.
        texts_apart: Whether the texts come one by one, and so were left out: they can add to the points.
        unparsed: How many postings could not be read.
        reason: Why it could not be read, or was only in part: a `scout.fetch.Reason`, or empty.
        error: The same in a sentence or two.
        remedy: What the owner can do about it.
    """

    board: Board
    kind: str
    postings: int = 0
    matching: int = 0
    best: tuple[Example, ...] = ()
    fills: tuple[tuple[str, int], ...] = ()
    cut: bool = False
    texts_apart: bool = False
    unparsed: int = 0
    reason: str = ""
    error: str = ""
    remedy: str = ""

    @property
    def good(self) -> bool:
        """Whether anything could be read, were it an empty listing."""
        return not self.reason or self.postings > 0


class _BriefDoor(Door):
    """A door whose requests share the seconds of one look."""

    def __init__(self, settings: Settings, *, until: float, **options: object) -> None:
        super().__init__(settings, **options)  # type: ignore[arg-type]
        self._until = until

    def get(self, url: str, *, headers: dict[str, str] | None = None, limits: Limits | None = None) -> Answer:
        return super().get(url, headers=headers, limits=self._brief(limits))

    def post_json(
        self,
        url: str,
        document: object,
        *,
        headers: dict[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        return super().post_json(url, document, headers=headers, limits=self._brief(limits))

    def _brief(self, limits: Limits | None) -> Limits:
        left = max(_LEAST, self._until - time.monotonic())
        wide = limits or Limits()
        return Limits(
            connect=min(wide.connect, left),
            read=min(wide.read, left),
            total=min(wide.total, left),
            size=wide.size,
            tries=1,
        )


def look(
    db: Database, settings: Settings, board: Board, profile: Profile, *, budget: float = BUDGET
) -> Trial:
    """Look at a board once and keep nothing. Errors of the board are in the answer, never raised.

    Args:
        db: Where it is noted that a kind was asked whose terms count that.
        settings: The settings.
        board: The board, as `scout.sources.recognise` gives it.
        profile: What its postings are matched with.
        budget: Seconds; a board that takes longer is read in part.
    """
    kind = sources.KINDS[board.kind]
    why_off = off(kind, settings)
    if why_off:
        return _failed(board, kind, Reason.NO_KEY, why_off)
    until = time.monotonic() + budget
    postings: list[Posting] = []
    unparsed = 0
    cut = False
    try:
        for page in pages(db, settings, board, until=until):
            postings += page.postings
            unparsed += len(page.unparsed)
            if time.monotonic() > until:
                cut = True
                break
    except NotModified:
        pass  # nothing was known of it before, so that says no more than an empty listing
    except FetchError as error:
        if not postings:
            return _failed(board, kind, error.reason, error.text)
        cut = True
    return _told(board, kind, postings, profile, unparsed=unparsed, cut=cut)


def pages(db: Database, settings: Settings, board: Board, *, until: float | None = None) -> Iterator[Page]:
    """The pages of a board as it is now, asked for as a scan asks: as seldom, as slowly, where it may.

    Args:
        db: Where it is noted that a kind was asked whose terms count that.
        settings: The settings.
        board: The board.
        until: When what it takes must be over, by the monotonic clock; None to give it a scan's time.

    Raises:
        FetchError: As reading it in a scan does.
        NotModified: It says so, though nothing was known of it before.
    """
    kind = sources.KINDS[board.kind]
    _take(db, settings, kind, board)
    permit = robots.Robots() if about(kind).robots else None
    opened = Door if until is None else functools.partial(_BriefDoor, until=until)
    with (
        Courtesy(settings, about(kind).policy, kind=kind.name) as courtesy,
        opened(settings, kind=kind.name, courtesy=courtesy, permit=permit) as door,
    ):
        yield from kind.read(board, door, Validators())


def _take(db: Database, settings: Settings, kind: Kind, board: Board) -> None:
    """Take one of the times that a kind may be asked in a day, as a scan does."""
    if about(kind).daily and not schedule.played_here(kind, settings, url=board.url, token=board.token):
        with db.session() as session:
            allowance.take(session, kind)


def _failed(board: Board, kind: Kind, reason: str, text: str) -> Trial:
    return Trial(
        board=board, kind=kind.title, reason=reason, error=text, remedy=remedies.REMEDY.get(reason, "")
    )


def _told(
    board: Board, kind: Kind, postings: list[Posting], profile: Profile, *, unparsed: int, cut: bool
) -> Trial:
    seen: dict[str, Posting] = {posting.source_job_id: posting for posting in postings}
    whole = [normalise.completed(posting) for posting in seen.values()]
    examples = [Example(posting, matching.score(posting, profile)) for posting in whole]
    examples.sort(key=lambda each: -each.match.score)
    nothing = bool(unparsed) and not whole
    return Trial(
        board=board,
        kind=kind.title,
        postings=len(whole),
        matching=sum(each.match.score > 0 for each in examples),
        best=tuple(examples[:EXAMPLES]),
        fills=_filled(list(seen.values())),
        cut=cut,
        texts_apart=isinstance(kind, Detailed),
        unparsed=unparsed,
        reason=Reason.UNPARSED if nothing else "",
        error=f"None of its {unparsed} postings could be read." if nothing else "",
        remedy=remedies.REMEDY[Reason.UNPARSED] if nothing else "",
    )


def _filled(postings: list[Posting]) -> tuple[tuple[str, int], ...]:
    names = [each.name for each in fields(Posting) if each.name not in _ALWAYS]
    counted = [(name, sum(_says(getattr(posting, name)) for posting in postings)) for name in names]
    return tuple((name, count) for name, count in counted if count)


def _says(value: object) -> bool:
    return bool(value) and value is not Remote.UNKNOWN
