"""The world: which postings are open on which board at which tick, at which version.

A board has slots. In each, postings follow one another: one lives for some ticks, is edited up to three
times, closes, leaves the slot empty for a while, and another one takes its place. All of it is arithmetic on
the seed, the board, the slot and the tick, so nothing needs to be remembered, and any tick can be asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from demo import shapes
from demo.boards import Board, company_of
from demo.openings import Opening, mix, opening

#: At most this many postings follow one another in a slot before their numbers repeat.
_GENERATIONS = 4096


class Entry(NamedTuple):
    """One open posting of a board.

    Attributes:
        number: Unique on the board: the slot and the generation in it.
        key: The posting's 64 bits; siblings in several cities share them.
        sibling: Whether it is the same job as its neighbour, in another city.
        version: From 1.
        touched: How often the board moved its date without an edit.
        born: The tick at which it opened; negative for those that were there before the world began.
        listed: False for a draft that the board carries but does not publish.
    """

    number: int
    key: int
    sibling: bool
    version: int
    touched: int
    born: int
    listed: bool


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
    """

    boards: Sequence[Board]
    seed: int = 7
    slots: int = 40
    churn: int = 120
    epoch: dt.datetime
    edits: int = 0
    long: bool = False

    def entries(self, board: int, tick: int) -> list[Entry]:
        """What board number `board` carries at `tick`, drafts included."""
        kind = self.boards[board].kind
        churn = self.churn
        base = mix(self.seed, board)
        found = []
        for slot in range(self.slots):
            # On Greenhouse one job is often posted once per city; those posts live and die together.
            sibling = kind == "greenhouse" and slot % 9 == 8  # noqa: PLR2004
            salt = mix(base, slot - sibling)
            life = max(8, churn // 2 + salt % churn)
            generation, position = divmod(tick + (salt >> 20) % life, life)
            shown = life - 1 - life // 10
            if position >= shown:
                continue
            key = mix(salt, generation)
            edits = key % 4
            spacing = shown // (edits + 1)
            found.append(
                Entry(
                    slot * _GENERATIONS + generation % _GENERATIONS,
                    key,
                    sibling,
                    1 + min(edits, position // spacing),
                    position // max(5, churn // 5),
                    tick - position,
                    kind != "ashby" or (key >> 8) % 25 != 0,
                )
            )
        if self.edits:
            first = next((place for place, entry in enumerate(found) if entry.listed), None)
            if first is not None:
                found[first] = found[first]._replace(version=found[first].version + self.edits)
        return found

    def opening(self, board: int, entry: Entry) -> Opening:
        """What a posting says, at the version of `entry`."""
        place = self.boards[board]
        published = self.epoch + dt.timedelta(seconds=entry.born)
        if entry.born < 0:
            # Those of before: most of the last ten weeks, and an evergreen of some years ago now and then.
            days = (entry.key >> 12) % 70 if (entry.key >> 4) % 32 else 400 + (entry.key >> 12) % 1400
            published = self.epoch - dt.timedelta(days=days, seconds=(entry.key >> 24) % 86_400)
        changes = entry.version - 1 + entry.touched
        updated = max(published, self.epoch + dt.timedelta(seconds=entry.born)) if changes else published
        return opening(
            key=entry.key,
            number=entry.number,
            version=entry.version,
            company=company_of(place, board),
            published=published,
            updated=updated + dt.timedelta(seconds=changes),
            sibling=entry.sibling,
            always_remote=place.kind == "feed",
            category="DevOps and Sysadmin" if "devops" in place.token else "",
            long=self.long,
        )

    def job_id(self, board: int, entry: Entry) -> str:
        """The id under which the board lists a posting."""
        kind, token, _, _ = self.boards[board]
        slug = self.opening(board, entry).slug if kind == "feed" else ""
        return shapes.job_id(kind, token, entry.key, entry.number, slug)

    def render(self, board: int, entry: Entry, *, full: bool, alone: bool = False) -> str:
        """One posting in the shape of its board.

        Args:
            board: The board's number.
            entry: The posting.
            full: Whether what a board sends on request only is wanted: Greenhouse's text, Ashby's pay.
            alone: Whether it is asked for by its id.
        """
        kind, token, _, _ = self.boards[board]
        made = self.opening(board, entry)
        if kind == "greenhouse":
            return shapes.greenhouse(made, token, content=full, alone=alone)
        if kind == "lever":
            return shapes.lever(made, token)
        if kind == "ashby":
            return shapes.ashby(made, token, listed=entry.listed, compensation=full)
        return shapes.rss_item(made)

    def listing(self, board: int, entries: Sequence[Entry], *, full: bool) -> Iterator[bytes]:
        """A board's answer with `entries`, in pieces of one posting each."""
        kind = self.boards[board].kind
        head, between, tail = {
            "greenhouse": ('{"jobs":[', ",", f'],"meta":{{"total":{len(entries)}}}}}'),
            "lever": ("[", ",", "]"),
            "ashby": ('{"apiVersion":"1","jobs":[', ",", "]}"),
            "feed": (shapes.rss_head(self.boards[board].url), "", shapes.RSS_TAIL),
        }[kind]
        yield head.encode()
        for index, entry in enumerate(entries):
            text = self.render(board, entry, full=full)
            yield (between + text if index else text).encode()
        yield tail.encode()

    def truth(self, board: int, tick: int) -> dict[str, dict[str, int]]:
        """What a board publishes at `tick`: ids to versions, and those of its drafts apart."""
        told: dict[str, dict[str, int]] = {"open": {}, "drafts": {}}
        for entry in self.entries(board, tick):
            told["open" if entry.listed else "drafts"][self.job_id(board, entry)] = entry.version
        return told
