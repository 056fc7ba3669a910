"""Every kind of board is played, and what the simulator plays comes through the real scan as it was made."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from demo.boards import boards, overrides
from demo.kinds import EMPLOYERS, KINDS, Ask
from demo.kinds.own_sites import Mapped
from demo.openings import Opening, Pay
from demo.server import Simulator
from demo.world import World as SimulatedWorld
from scout import sources, watchlist
from scout.database import Database
from scout.models import Description, Job, Listing, RunTrigger, ScanResult, ScanRun, ScanState
from scout.scanning import scan
from scout.settings import Settings, load
from scout.sources.board import Board
from tests.databases import make_tables
from tests.samples import SAMPLES, needs_samples

#: Kinds that must be named to be read at an address.
NAMED = {"jobposting"}
#: Texts that end early: the site gives no more of them, and says nothing of the workplace besides.
CUT = {"adzuna"}
#: Pay that is words.
WORDS = {"remotive", "hackernews"}
#: Pay that is told for some only: of a year, or of a year in dollars.
YEARLY, DOLLARS = {"adzuna", "remoteok"}, {"adzuna", "remoteok", "usajobs"}
POSTINGS = 24


class World:
    """A simulator with some boards of a kind, and a scout that watches them."""

    def __init__(self, kind: str, folder: Path, **options: Any) -> None:
        # Sites that gather have half of theirs from employers, so there are some beside them.
        kinds = (kind,) if kind in EMPLOYERS else (kind, "greenhouse", "lever", "ashby")
        count = 3 if kind in EMPLOYERS else len(KINDS[kind].tokens) + 3
        self.simulator = Simulator(boards=count, postings=POSTINGS, kinds=kinds, **options)
        feeds = folder / "feeds.yml"
        described = {
            board.token: Mapped.described(board) for board in self.simulator.boards if board.kind == "mapped"
        }
        feeds.write_text(yaml.safe_dump({"feeds": described}), encoding="utf-8")
        self.environ = {
            "SCOUT_DATA_DIR": str(folder / "data"),
            "SCOUT_ORIGIN_OVERRIDES": overrides(self.simulator.url),
            "SCOUT_JSON_FEEDS": str(feeds),
            "SCOUT_USAJOBS_EMAIL": "owner@example.com",
            "SCOUT_USAJOBS_KEY": "any",
            "SCOUT_ADZUNA_APP_ID": "any",
            "SCOUT_ADZUNA_APP_KEY": "any",
            "REDIS_URL": "redis://127.0.0.1:1",
            "STATSD_URL": "udp://127.0.0.1:1",
            "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        }
        self.settings: Settings = load(self.environ)
        make_tables(self.settings)
        self.db = Database.open(self.settings)

    def board(self, number: int) -> Board:
        """What the scout makes of a board's address."""
        place = self.simulator.boards[number]
        return sources.at(place.kind, place.url) if place.kind in NAMED else sources.recognise(place.url)

    def watch(self, number: int) -> int:
        """Put a board on the watchlist; the source's id."""
        with self.db.session() as session:
            source = watchlist.add(session, self.board(number), self.simulator.boards[number].company)
            session.flush()
            return source.id

    def scan(self, source: int) -> ScanResult:
        """Scan it once."""
        with self.db.session() as session:
            run = ScanRun(trigger=RunTrigger.OWNER)
            session.add(run)
            session.flush()
            result = ScanResult(run_id=run.id, source_id=source)
            session.add(result)
            session.flush()
            number = result.id
        scan(self.db, self.settings, number, worker="a test")
        with self.db.reading() as session:
            return session.get_one(ScanResult, number)

    def jobs(self, source: int) -> dict[str, Job]:
        """The open jobs of a source, by its own id of them."""
        with self.db.reading() as session:
            rows = session.execute(
                select(Listing.source_job_id, Job)
                .join(Job)
                .where(Listing.source_id == source, Listing.closed_at.is_(None))
            )
            return {row[0]: row[1] for row in rows}

    def texts(self, source: int) -> dict[str, str]:
        """The texts of a source's jobs, by its own id of them."""
        with self.db.reading() as session:
            rows = session.execute(
                select(Listing.source_job_id, Description.text)
                .join(Description, Description.job_id == Listing.job_id)
                .where(Listing.source_id == source)
            )
            return {row[0]: row[1] for row in rows}

    def openings(self, number: int) -> dict[str, Opening]:
        """What a board publishes, by its own ids."""
        world, tick = self.simulator.world, self.simulator.tick
        place = self.simulator.boards[number]
        found = {}
        for entry in self.simulator.entries(number, tick):
            if entry.listed:
                made = world.opening(number, entry)
                found[KINDS[place.kind].id_of(place, made)] = made
        return found


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(request.param, tmp_path)
    monkeypatch.setenv("SCOUT_JSON_FEEDS", made.environ["SCOUT_JSON_FEEDS"])
    with made.simulator:
        yield made
    made.db.dispose()


def test_every_kind_that_can_be_read_is_played() -> None:
    assert set(KINDS) == set(sources.KINDS)


def test_every_origin_that_is_asked_is_played() -> None:
    played = {origin for kind in KINDS.values() for origin in kind.origins}
    # Those of other regions and of shared hosts are the same system.
    others = {"https://api.eu.lever.co", "https://*.myworkdaysite.com", "https://*.jobs.personio.com"}
    for name, kind in sources.KINDS.items():
        assert set(kind.origins) - others <= played, name


@pytest.mark.parametrize("world", sorted(KINDS), indirect=True)
def test_every_posting_comes_through_the_scan_as_it_was_made(world: World) -> None:
    kind = world.simulator.boards[0].kind
    numbers = [at for at, board in enumerate(world.simulator.boards) if board.kind == kind]
    for number in numbers:
        source = world.watch(number)
        result = world.scan(source)
        assert (result.state, result.error) == (ScanState.SUCCEEDED, "")
        jobs, texts, openings = world.jobs(source), world.texts(source), world.openings(number)
        assert set(jobs) == set(openings)
        assert result.seen == result.new == len(openings) > 5
        for name, made in openings.items():
            differences = compared(jobs[name], texts[name], made, kind)
            assert differences == [], f"{kind} {name}: {made.title}"
        unchanged = world.scan(source)
        assert (unchanged.state, unchanged.new, unchanged.updated) == (ScanState.SUCCEEDED, 0, 0)


def compared(job: Job, text: str, made: Opening, kind: str) -> list[str]:
    """What differs between a stored job and its opening, in the fields that the kind fills."""
    fills = sources.KINDS[kind].about.fills  # type: ignore[attr-defined]
    # In a comment's line of words, not every title is told from other words.
    unnamed = kind == "hackernews" and job.title == f"Roles at {made.company.name}"
    stored: dict[str, Any] = {
        "title": made.title if unnamed else job.title,
        "company": job.company,
        "remote": job.remote.value,
        "employment_type": job.employment_type,
        "posted_at": job.posted_at and job.posted_at.date(),
        "department": job.department,
        "salary": _paid(job.salary, kind),
        "url": job.url,
    }
    told: dict[str, Any] = {
        "employment_type": made.employment,
        "posted_at": made.published.date(),
        "department": made.family.department if kind != "weworkremotely" else made.family.category,
    }
    # That work is done at a place is seldom said; texts that are cut say nothing of it.
    if made.workplace != "onsite" and kind not in CUT:
        told["remote"] = made.workplace
    if made.pay is not None and _is_told(made.pay, kind):
        pay = made.pay
        told["salary"] = pay.text if kind in WORDS else (pay.minimum, pay.maximum, pay.currency, pay.period)
    told = {name: value for name, value in told.items() if name in fills}
    told |= {"title": made.title, "company": made.company.name}
    if made.apply_url and kind in {"himalayas", "arbeitnow"}:
        told["url"] = made.apply_url
    found = [
        f"{name}: {stored[name]!r} is not {value!r}" for name, value in told.items() if stored[name] != value
    ]
    missing = [] if kind in CUT else [each for each in made.sections[2].bullets if each not in text]
    return [*found, *(f"the text lacks {each!r}" for each in missing)]


def _is_told(pay: Pay, kind: str) -> bool:
    return (pay.period == "year" or kind not in YEARLY) and (pay.currency == "USD" or kind not in DOLLARS)


def _paid(salary: dict[str, Any] | None, kind: str) -> Any:
    told = salary or {}
    if kind in WORDS:
        return told.get("raw")
    return tuple(told.get(name) for name in ("minimum", "maximum", "currency", "period"))


#: Where a recorded answer has its list.
LISTS: dict[str, tuple[str, ...]] = {
    "greenhouse": ("jobs",), "lever": (), "ashby": ("jobs",), "smartrecruiters": ("content",),
    "workday": ("jobPostings",), "workable": ("jobs",), "recruitee": ("offers",), "teamtailor": ("items",),
    "bamboohr": ("result",), "breezy": (), "pinpoint": ("data",), "remotive": ("jobs",), "remoteok": (),
    "himalayas": ("jobs",), "jobicy": ("jobs",), "arbeitnow": ("data",), "themuse": ("results",),
    "workingnomads": (), "usajobs": ("SearchResult", "SearchResultItems"), "adzuna": ("results",),
}  # fmt: skip
#: Fields that boards are known to send, and none of the recorded ones does.
UNRECORDED = {
    "lever": {"salaryDescription", "salaryDescriptionPlain"},
    "workday": {"remoteType", "timeType"},
    "teamtailor": {
        "_jobposting.url", "_jobposting.employmentType", "_jobposting.jobLocationType",
        "_jobposting.applicantLocationRequirements", "_jobposting.baseSalary",
    },
    "bamboohr": {"location.addressCountry"},
    "breezy": {"locations"},
    "pinpoint": {"location.country"},
}  # fmt: skip


def names(value: Any, before: str = "") -> set[str]:
    """The fields of an answer's item, those within others with a dot."""
    if isinstance(value, list):
        return {name for each in value for name in names(each, before)}
    if not isinstance(value, dict):
        return set()
    return {f"{before}{name}" for name in value} | {
        name for key, each in value.items() for name in names(each, f"{before}{key}.")
    }


@needs_samples
@pytest.mark.parametrize("kind", sorted(LISTS))
def test_items_have_the_fields_of_recorded_ones(kind: str) -> None:
    recorded: set[str] = set()
    for file in sorted((SAMPLES / kind).glob("*.json")):
        found = json.loads(file.read_text(encoding="utf-8"))
        for step in LISTS[kind]:
            found = found.get(step, []) if isinstance(found, dict) else []
        recorded |= names(found)
    kinds = (kind,) if kind in EMPLOYERS else (kind, "lever")
    played = SimulatedWorld(boards=boards(len(kinds), kinds), slots=20, epoch=dt.datetime.now(dt.UTC))
    items = [
        KINDS[kind].item(played.boards[0], played.opening(0, each), Ask()) for each in played.entries(0, 0)
    ]
    own = names(json.loads(f"[{','.join(items)}]"))
    within = tuple(f"{name}." for name in UNRECORDED.get(kind, ()))
    invented = {name for name in own - recorded - UNRECORDED.get(kind, set()) if not name.startswith(within)}
    assert recorded
    assert invented == set()
