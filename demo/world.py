"""The world: which postings are open on which board at which tick, at which version.

A board has slots. In each, postings follow one another: one lives for some ticks, is edited up to three
times, closes, leaves the slot empty for a while, and another one takes its place; now and then that is the
same job again, posted anew. Sites that gather many companies' jobs have half of theirs from the boards of
employers. All of it is arithmetic on the seed, the board, the slot and the tick, so nothing needs to be
remembered, and any tick can be asked for.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from demo.boards import Board, company_of
from demo.kinds import KINDS, Ask
from demo.openings import Opening, mix, opening

#: At most this many postings follow one another in a slot before their numbers repeat.
_GENERATIONS = 4096
#: A prime: steps of it through the employers' slots meet each of them once.
_STRIDE = 1_000_003
#: How companies' names end on sites that write them in full, by the country of the posting.
_ENDINGS = {"US": ", Inc.", "DE": " GmbH", "AT": " GmbH", "CH": " AG", "GB": " Ltd", "FR": " SAS"}


class Origin(NamedTuple):
    """Where a site that gathers has a posting from: the employer's board and the entry there."""

    board: int
    entry: Entry


class Entry(NamedTuple):
    """One open posting of a board.

    Attributes:
        number: Unique on the board: the slot and the generation in it.
        key: The posting's 64 bits; siblings in several cities share them, and so do those who were posted
            again, or gathered from another board.
        sibling: Whether it is the same job as its neighbour, in another city.
        version: From 1.
        touched: How often the board moved its date without an edit.
        born: The tick at which it opened; negative for those that were there before the world began.
        listed: False for a draft that the board carries but does not publish.
        former: The number under which the same job was posted before, or None.
        origin: Where a site that gathers has it from, or None.
    """

    number: int
    key: int
    sibling: bool
    version: int
    touched: int
    born: int
    listed: bool
    former: int | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A world of boards.

    Attributes:
        boards: The boards.
        seed: Another seed is another world.
        slots: Postings per board; about nine tenths of them are open at a time.
        churn: The average life of a posting, in ticks.
        epoch: The time of tick 0. Dates in postings follow from it, one second a tick.
        edits: How often the first posting of every board was edited besides.
        long: Whether texts are as long as those of real postings are.
        employers: The numbers of the boards that are one employer's; found by itself.
    """

    boards: Sequence[Board]
    seed: int = 7
    slots: int = 40
    churn: int = 120
    epoch: dt.datetime
    edits: int = 0
    long: bool = False
    employers: tuple[int, ...] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        found = tuple(number for number, board in enumerate(self.boards) if board.company)
        object.__setattr__(self, "employers", found)

    def entries(self, board: int, tick: int) -> list[Entry]:
        """What board number `board` carries at `tick`, drafts included."""
        return list(self.each(board, tick))

    def each(self, board: int, tick: int) -> Iterator[Entry]:
        """The same one by one, however many there are."""
        gathers = bool(KINDS[self.boards[board].kind].tokens)
        look = self._gathered if gathers and self.employers else self._own
        edits = self.edits
        for slot in range(self.slots):
            entry = look(board, slot, tick)
            if entry is None:
                continue
            if edits and entry.listed:
                yield entry._replace(version=entry.version + edits)
                edits = 0
            else:
                yield entry

    def _own(self, board: int, slot: int, tick: int) -> Entry | None:
        """What is in a slot of a board."""
        kind = self.boards[board].kind
        churn = self.churn
        # On Greenhouse one job is often posted once per city; those posts live and die together.
        sibling = kind == "greenhouse" and slot % 9 == 8  # noqa: PLR2004
        salt = mix(self.seed, board, slot - sibling)
        life = max(8, churn // 2 + salt % churn)
        generation, position = divmod(tick + (salt >> 20) % life, life)
        shown = life - 1 - life // 10
        if position >= shown:
            return None
        first = generation
        while (key := mix(salt, first)) >> 60 == 0:  # one in sixteen is the job before, posted again
            first -= 1
        edits = key % 4
        spacing = shown // (edits + 1)
        return Entry(
            slot * _GENERATIONS + generation % _GENERATIONS,
            key,
            sibling,
            1 + min(edits, position // spacing),
            position // max(5, churn // 5),
            tick - position,
            kind != "ashby" or (key >> 8) % 25 != 0,
            None if first == generation else slot * _GENERATIONS + first % _GENERATIONS,
        )

    def _gathered(self, board: int, slot: int, tick: int) -> Entry | None:
        """What is in a slot of a site that gathers: a posting of its own, or one of an employer's board."""
        base = mix(self.seed, board, 11)
        if (base >> slot % 60) & 1:
            return self._own(board, slot, tick)
        place, their_slot = divmod((base + slot * _STRIDE) % (len(self.employers) * self.slots), self.slots)
        employer = self.employers[place]
        theirs = self._own(employer, their_slot, tick)
        if theirs is None or not theirs.listed:
            return None
        site = self.boards[board]
        if KINDS[site.kind].remote and not self._fits(site, employer, theirs):
            return None
        number = slot * _GENERATIONS + theirs.number % _GENERATIONS
        origin = Origin(employer, theirs)
        return theirs._replace(number=number, sibling=False, touched=0, former=None, origin=origin)

    def _fits(self, site: Board, employer: int, entry: Entry) -> bool:
        """Whether a site of remote work, and perhaps of one category, would list an employer's posting."""
        made = self.opening(employer, entry)
        return made.workplace == "remote" and _category(site) in {"", made.family.category}

    def opening(self, board: int, entry: Entry) -> Opening:
        """What a posting says, at the version of `entry`."""
        if entry.origin is not None:
            return self._as_gathered(board, entry, entry.origin)
        place = self.boards[board]
        published = self.epoch + dt.timedelta(seconds=entry.born)
        if entry.born < 0:
            # Those of before: most of the last ten weeks, and an evergreen of some years ago now and then.
            days = (entry.key >> 12) % 70 if (entry.key >> 4) % 32 else 400 + (entry.key >> 12) % 1400
            published = self.epoch - dt.timedelta(days=days, seconds=(entry.key >> 24) % 86_400)
        changes = entry.version - 1 + entry.touched
        updated = max(published, self.epoch + dt.timedelta(seconds=entry.born)) if changes else published
        made = opening(
            key=entry.key,
            number=entry.number,
            version=entry.version,
            company=company_of(place, board),
            published=published,
            updated=updated + dt.timedelta(seconds=changes),
            sibling=entry.sibling,
            always_remote=KINDS[place.kind].remote,
            category=_category(place),
            long=self.long,
        )
        made.listed = entry.listed
        made.days = max(0, (self.epoch.date() - published.date()).days)
        return made

    def _as_gathered(self, board: int, entry: Entry, origin: Origin) -> Opening:
        """An employer's posting as another site shows it: some with its address, some by another name."""
        made = self.opening(origin.board, origin.entry._replace(version=entry.version))
        style = mix(self.seed, board, entry.key) % 3
        if style == 0:
            employer = self.boards[origin.board]
            made.apply_url = KINDS[employer.kind].link(employer, made)
        elif style == 1:
            ending = _ENDINGS.get(made.places[0].code, " S.A.")
            made.company = dataclasses.replace(made.company, name=made.company.name + ending)
        made.number = entry.number
        return made

    def job_id(self, board: int, entry: Entry) -> str:
        """The id under which the board lists a posting."""
        place = self.boards[board]
        kind = KINDS[place.kind]
        if kind.slugged:
            return kind.id_of(place, self.opening(board, entry))
        return kind.id(place, entry.key, entry.number, "")

    def render(self, board: int, entry: Entry, *, full: bool, alone: bool = False) -> str:
        """One posting in the shape of its board.

        Args:
            board: The board's number.
            entry: The posting.
            full: Whether what a board sends on request only is wanted: Greenhouse's text, Ashby's pay.
            alone: Whether it is asked for by its id.
        """
        place = self.boards[board]
        kind, made = KINDS[place.kind], self.opening(board, entry)
        return kind.alone(place, made) if alone else kind.item(place, made, Ask(full=full))

    def listing(
        self, board: int, entries: Iterable[Entry], total: int, *, ask: Ask | None = None, full: bool = True
    ) -> Iterator[bytes]:
        """A board's answer, in pieces of one posting each.

        Args:
            board: The board's number.
            entries: What it carries.
            total: How many of them there are.
            ask: What is asked for; unless it is told, all of them.
            full: Whether with what it sends on request only, where nothing else is asked.
        """
        asked = ask if ask is not None else Ask(full=full)
        place = self.boards[board]
        kind = KINDS[place.kind]
        end = None if asked.limit is None else asked.skip + asked.limit
        head, tail = kind.frame(place, asked, total)
        yield head.encode()
        between = ""
        for entry in itertools.islice(entries, asked.skip, end):
            yield (between + kind.item(place, self.opening(board, entry), asked)).encode()
            between = kind.between
        yield tail.encode()

    def truth(self, board: int, tick: int) -> dict[str, dict[str, Any]]:
        """What a board publishes at `tick`.

        Returns:
            `open`: ids to versions, and `drafts` those of drafts apart. `again`: ids to those under which the
            same job was posted before. `same`: ids to the board and id of the employer's own posting.
        """
        told: dict[str, dict[str, Any]] = {"open": {}, "drafts": {}, "again": {}, "same": {}}
        for entry in self.entries(board, tick):
            job = self.job_id(board, entry)
            told["open" if entry.listed else "drafts"][job] = entry.version
            if entry.former is not None:
                told["again"][job] = self.job_id(board, entry._replace(number=entry.former))
            if entry.origin is not None:
                employer, theirs = entry.origin
                told["same"][job] = [self.boards[employer].key, self.job_id(employer, theirs)]
        return told


def _category(board: Board) -> str:
    """The one category that a board lists, or empty."""
    return "DevOps and Sysadmin" if board.token == "remote-devops-sysadmin-jobs" else ""  # noqa: S105 - a name
