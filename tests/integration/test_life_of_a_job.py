"""Scans and the owner's acts, interleaved at random: nothing that the owner wrote is lost or moved.

A model of a few lines is told the same, and must agree with the database after each act.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

import pytest

from scout import history, jobs
from scout.models import Status
from tests.boards_in_folders import posting
from tests.scan_world import World, any_world

__all__ = ["any_world"]

#: Number 0 is always listed: a board that names nothing at all is not believed.
POSTINGS = range(7)
ACTS = 40


@dataclass(slots=True)
class Kept:
    """What the database should hold of one job."""

    title: str
    status: Status = Status.NEW
    unlisted: bool = False
    missing: int = 0
    before: list[Status] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    edit_unseen: bool = False
    notes: list[str] = field(default_factory=list)
    plan: tuple[dt.date | None, str] = (None, "")
    version: int = 1

    def settle(self, status: Status) -> None:
        """Be where the owner wants it: without a decision, the boards say where."""
        if status in {Status.NEW, Status.CLOSED}:
            status = Status.CLOSED if self.unlisted else Status.NEW
        self.status = status
        self.version += 1

    def decide(self, status: Status) -> None:
        self.before.append(self.status)
        self.edit_unseen = False
        self.settle(status)

    def list_again(self, title: str) -> None:
        self.missing = 0
        if title != self.title:
            self.edits.append(title)
            self.title, self.edit_unseen = title, True
        if self.unlisted:
            self.unlisted = False
            if self.status is Status.CLOSED:
                self.settle(Status.NEW)

    def miss(self) -> None:
        self.missing += 1
        if self.missing == 2:
            self.unlisted = True
            if self.status is Status.NEW:
                self.settle(Status.CLOSED)


class Life:
    """One board and its owner, and the model beside them."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.board = {number: f"Role {number}" for number in POSTINGS if number < 3}
        self.kept: dict[int, Kept] = {}
        self.written = 0

    def scan(self) -> None:
        for _ in range(self.random.randrange(3)):
            number = self.random.choice(POSTINGS)
            if number in self.board and self.random.random() < 0.5:
                self.board[number] = f"Role {number}, {self.random.choice('ABC')}"
            elif number and self.board.pop(number, None) is None:
                self.board[number] = self.random.choice([f"Role {number}", f"Role {number}, A"])
        self.world.board.show([posting(number, title=title) for number, title in self.board.items()])
        self.world.scan()
        for number, title in self.board.items():
            if number in self.kept:
                self.kept[number].list_again(title)
            else:
                self.kept[number] = Kept(title)
        for number in self.kept.keys() - self.board.keys():
            self.kept[number].miss()

    def decide(self) -> None:
        """One decision of the owner about a job, or about all."""
        number = self.random.choice(list(self.kept))
        kept, job_id = self.kept[number], self.world.jobs()[str(number)].id
        with self.world.db.session() as session:
            match self.random.choice(("decide", "decide", "undo", "many", "look")):
                case "decide":
                    to = self.random.choice(jobs.next_statuses(kept.status))
                    jobs.change_status(session, job_id, to, "owner", kept.version)
                    kept.decide(to)
                case "undo" if kept.before:
                    jobs.undo(session, job_id, "owner", kept.version)
                    kept.settle(kept.before.pop())
                    kept.edit_unseen = False
                case "undo":
                    with pytest.raises(jobs.NothingToUndo):
                        jobs.undo(session, job_id, "owner")
                case "many":
                    to = self.random.choice([status for status in Status if status is not Status.CLOSED])
                    jobs.change_many(session, jobs.JobQuery(text="role"), to, "owner")
                    for each in self.kept.values():
                        if to in jobs.next_statuses(each.status):
                            each.decide(to)
                case "look":
                    jobs.looked(session, job_id)
                    kept.edit_unseen = False

    def write(self) -> None:
        """One thing that the owner writes about a job."""
        number = self.random.choice(list(self.kept))
        kept, job_id = self.kept[number], self.world.jobs()[str(number)].id
        self.written += 1
        words = f"Words {self.written}"
        with self.world.db.session() as session:
            notes = [note.id for note in jobs.get(session, job_id).notes]
            at = self.random.randrange(max(len(notes), 1))
            match self.random.choice(("note", "rewrite", "drop", "plan")):
                case "rewrite" if notes:
                    jobs.edit_note(session, job_id, notes[at], words)
                    kept.notes[at] = words
                case "drop" if notes:
                    assert jobs.delete_note(session, job_id, notes[at])
                    del kept.notes[at]
                case "plan":
                    was, kept.plan = kept.plan, (self.world.time.date(), words)
                    jobs.plan(session, job_id, *kept.plan, was=was)
                case _:
                    jobs.add_note(session, job_id, words)
                    kept.notes.append(words)

    def found(self) -> dict[int, Kept]:
        """What the database holds, as the model tells it."""
        found: dict[int, Kept] = {}
        for number, stored in self.world.jobs().items():
            with self.world.db.reading() as session:
                job = jobs.get(session, stored.id)
                told = history.of(job)
            expected = self.kept[int(number)]
            steps = [entry for entry in told if "to" in entry]
            assert [a["to"] for a in steps[:-1]] == [b["from"] for b in steps[1:]]
            assert (steps[-1]["to"] if steps else "new") == job.status
            titles = [
                change["new"]
                for entry in told
                if entry["what"] == "edited"
                for change in entry["changes"]
                if change["field"] == "title"
            ]
            assert titles == expected.edits[-len(titles) :] if titles else True
            assert len(told) == 1 + len(steps) + len(job.events)
            found[int(number)] = Kept(
                title=job.title,
                status=job.status,
                unlisted=job.closed_at is not None,
                missing=expected.missing,
                before=expected.before,
                edits=expected.edits if len(job.events) == history.KEPT else titles,
                edit_unseen=job.edit_unseen,
                notes=[note.body for note in job.notes],
                plan=(job.next_action_on, job.next_action),
                version=job.version,
            )
        return found


@pytest.mark.parametrize("seed", range(3))
def test_whatever_scans_find_nothing_the_owner_wrote_is_lost(any_world: World, seed: int) -> None:
    life = Life(any_world, seed)
    life.scan()
    for _ in range(ACTS):
        any_world.later(minutes=1)
        life.random.choice((life.scan, life.decide, life.write))()
        assert life.found() == life.kept
