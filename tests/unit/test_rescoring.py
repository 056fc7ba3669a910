"""Scoring again, on SQLite and on PostgreSQL: a round, its parts, and what scans store meanwhile."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rq.job import Job as RQJob
from rq.job import JobStatus
from rq.serializers import JSONSerializer
from sqlalchemy import event, select, update

from metrics import catalogue
from metrics.testing import Captured
from scout import clock, matching, rescoring
from scout.leases import changed
from scout.matching import ProfileUnusable
from scout.models import Job, SavedSearch, Scoring, ScoringPart
from scout.postings import Remote
from scout.queue import Scans
from scout.rescoring import Outcome, Progress
from tests import kept
from tests.boards_in_folders import posting
from tests.redis_server import RedisServer, redis_server
from tests.scan_world import World, any_world, world
from workers import jobs as worker_jobs
from workers import sampler

__all__ = ["any_world", "redis_server", "world"]

BAKERS = "{name: bakers, groups: [{name: g, title: 50, description: 5, terms: [baker]}]%s}"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescoring, "BATCH", 4)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile in use, for the test to change."""
    file = tmp_path / "mine.yaml"
    monkeypatch.setenv("SCOUT_PROFILE", str(file))
    file.write_text(BAKERS % "")
    return file


class Queue:
    """Stands for the queue, and is its own worker."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: list[int] = []

    def rescore(self, scoring_id: int, number: int) -> bool:
        self.asked.append(number)
        rescoring.score_part(self.world.db, scoring_id, number, seconds=60)
        return True


def drive(world: World) -> list[int]:
    """Let the scheduler look as often as it takes; the parts that were worked on."""
    queue = Queue(world)
    for _ in range(6):
        rescoring.drive(world.db, queue)  # type: ignore[arg-type]
    return queue.asked


def keep(world: World, *titles: str, **fields: Any) -> list[int]:
    with world.db.session() as session:
        return [
            kept.job(session, title, **({"first_seen_at": kept.DAY - dt.timedelta(days=9)} | fields)).id
            for title in titles
        ]


def scores(world: World) -> dict[str, int]:
    with world.db.reading() as session:
        return {row.title: row.score for row in session.execute(select(Job.title, Job.score))}


def progress(world: World) -> Progress:
    with world.db.reading() as session:
        found = rescoring.progress(session)
    assert found is not None
    return found


def test_a_changed_profile_scores_everything_again(any_world: World, profile: Path) -> None:
    world = any_world
    titles = [f"Baker {number}" if number % 3 else f"Gardener {number}" for number in range(23)]
    keep(world, *titles, description_text="A baker of bread.")
    assert set(drive(world)) == {0, 1}
    assert scores(world) == {title: 55 if "Baker" in title else 5 for title in titles}
    found = progress(world)
    assert (found.total, found.done, found.left, found.changed) == (23, 23, 0, 23)
    assert found.finished_at is not None
    assert drive(world) == [], "nothing changed since"
    profile.write_text((BAKERS % "").replace("baker", "gardener"))
    assert set(drive(world)) == {0, 1}
    assert scores(world) == {title: 50 if "Gardener" in title else 0 for title in titles}


def test_wishes_read_what_is_stored(any_world: World, profile: Path) -> None:
    world = any_world
    profile.write_text(BAKERS % ", pay: {least: 5, currency: EUR}, places: {wanted: [Lyon]}, age: {old: 9}")
    place = {"raw": "Lyon", "city": "Lyon", "region": "", "country": "FR"}
    pay = {
        "minimum": 9.0,
        "maximum": None,
        "currency": "EUR",
        "period": "year",
        "origin": "employer",
        "raw": "9",
    }
    keep(world, "Baker", salary=pay, places=[place], posted_at=kept.DAY)
    world.time = kept.DAY + dt.timedelta(days=3)
    drive(world)
    assert scores(world) == {"Baker": 70}
    world.later(days=30)
    assert drive(world) == [0], "an age is another one on another day"
    assert scores(world) == {"Baker": 50}


def test_a_stored_job_scores_as_its_posting_did(any_world: World, profile: Path) -> None:
    world = any_world
    wishes = """
places: {wanted: [Basel], otherwise: -3}
remote: {wanted: [hybrid], points: 4, from: [CH]}
pay: {least: 200000, currency: CHF, points: 5}
level: {wanted: [senior], unknown: -2}
companies: {liked: [Example AG], points: 6}
language: {wanted: [en], unknown: 1}
age: {old: 20}
"""
    profile.write_text(
        "name: x\ngroups: [{name: g, title: 20, description: 5, terms: [identity, okta, engineer]}]" + wishes
    )
    world.board.show(
        [
            posting(1),
            posting(2, title="Senior Identity Engineer", locations=("Remote - EU",), remote=Remote.REMOTE),
            posting(3, salary=None, description_text="Okta. Salary: CHF 90'000 a year.", posted_at=None),
            posting(4, company="Other", locations=(), remote=Remote.UNKNOWN, department="Identity"),
            posting(5, title="Gardener", description_text=""),
        ]
    )
    world.scan()
    with world.db.reading() as session:
        wheres = {each["where"] for reasons in session.scalars(select(Job.reasons)) for each in reasons}
    assert wheres == {
        "title", "department", "description", "place", "remote", "pay", "level", "company", "language", "age",
    }  # fmt: skip
    drive(world)
    assert (progress(world).done, progress(world).changed) == (5, 0)


def test_searches_look_at_all_jobs_once_their_scores_are_new(world: World, profile: Path) -> None:
    keep(world, "Baker")
    with world.db.session() as session:
        session.add(SavedSearch(slug="mine", name="Mine", uid="u", looked_to=world.time))
    drive(world)
    with world.db.reading() as session:
        assert session.scalars(select(SavedSearch.looked_to)).all() == [None]


def test_only_what_came_out_otherwise_is_written(any_world: World, profile: Path) -> None:
    world = any_world
    keep(world, *(f"Gardener {number}" for number in range(9)), "Baker")
    written: list[Any] = []

    @event.listens_for(world.db.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("UPDATE jobs"):
            written.append(parameters)

    drive(world)
    assert len(written) == 1
    assert progress(world).changed == 1


def test_it_goes_on_where_it_was_stopped(world: World, profile: Path) -> None:
    keep(world, *(f"Baker {number}" for number in range(20)))
    rescoring.ask(world.db, matching.load_profile())
    with world.db.reading() as session:
        scoring_id = session.scalars(select(Scoring.id)).one()
    ended = rescoring.score_part(world.db, scoring_id, 0, seconds=60, stopped=lambda: True)
    assert (ended, progress(world).done) == (Outcome.MORE, 4)
    assert rescoring.score_part(world.db, scoring_id, 0, seconds=0) is Outcome.MORE
    assert (progress(world).done, progress(world).left) == (8, 12)
    assert rescoring.score_part(world.db, scoring_id, 0, seconds=60) is Outcome.DONE
    assert rescoring.score_part(world.db, scoring_id, 1, seconds=60) is Outcome.DONE
    assert set(scores(world).values()) == {50}
    assert progress(world).finished_at is None, "the scheduler sees to the end"
    drive(world)
    assert progress(world).finished_at is not None


def test_a_round_of_an_older_profile_ends_when_there_is_a_newer_one(world: World, profile: Path) -> None:
    keep(world, *(f"Baker {number}" for number in range(8)))
    rescoring.ask(world.db, matching.load_profile())
    with world.db.reading() as session:
        older = session.scalars(select(Scoring.id)).one()
    profile.write_text((BAKERS % "").replace("50", "60"))
    assert rescoring.score_part(world.db, older, 0, seconds=60) is Outcome.OUTDATED
    assert set(scores(world).values()) == {0}
    rescoring.ask(world.db, matching.load_profile())
    assert rescoring.score_part(world.db, older, 0, seconds=60) is Outcome.OUTDATED
    drive(world)
    assert set(scores(world).values()) == {60}
    with world.db.reading() as session:
        assert len(session.scalars(select(Scoring)).all()) == 1


def test_a_profile_that_cannot_be_used_leaves_the_scores_as_they_are(world: World, profile: Path) -> None:
    keep(world, "Baker")
    drive(world)
    before = progress(world)
    profile.write_text("name: broken")
    with pytest.raises(ProfileUnusable):
        drive(world)
    assert (scores(world), progress(world)) == ({"Baker": 50}, before)


def test_without_jobs_a_profile_is_noted_and_nothing_is_to_do(world: World, profile: Path) -> None:
    assert drive(world) == []
    found = progress(world)
    assert (found.total, found.left, found.profile) == (0, 0, "bakers")
    assert found.finished_at is not None
    assert found.fingerprint == matching.fingerprint(matching.load_profile())


def test_what_a_scan_stored_with_the_older_profile_meanwhile_is_scored_at_the_end(
    any_world: World, profile: Path
) -> None:
    world = any_world
    world.board.show([posting(number, title=f"Gardener {number}") for number in range(6)])
    drive(world)
    world.scan()
    real = matching.load_profile

    def changed_after_it_was_read(*arguments: Any) -> matching.Profile:
        older = real(*arguments)
        profile.write_text((BAKERS % "").replace("baker", "gardener"))
        world.later(seconds=30)
        assert set(drive(world)) == {0, 1}
        assert progress(world).finished_at is None, "the scan may still store with the older profile"
        return older

    loads = itertools.chain([changed_after_it_was_read], itertools.repeat(real))

    def load() -> matching.Profile:
        return next(loads)()

    world.monkeypatch.setattr(matching, "load_profile", load)
    world.board.show(
        [posting(number, title=f"Gardener in town {number}") for number in range(3)]
        + [posting(number, title=f"New gardener {number}") for number in range(10, 13)]
    )
    world.scan()
    found = scores(world)
    assert [score for title, score in found.items() if "New" in title or "town" in title] == [0] * 6
    assert drive(world) == [rescoring.PARTS]
    assert set(scores(world).values()) == {50}
    assert progress(world).finished_at is not None


def test_a_job_that_a_scan_changes_between_reading_and_writing_keeps_the_scans_score(
    any_world: World, profile: Path
) -> None:
    world = any_world
    edited, other = keep(world, "Baker", "Baker")
    rescoring.ask(world.db, matching.load_profile())
    with world.db.reading() as session:
        scoring_id = session.scalars(select(Scoring.id)).one()
    real = matching.score

    def while_scoring(*arguments: Any) -> matching.Match:
        with world.db.session() as session:
            session.get_one(Job, edited).score = 77
            session.get_one(Job, edited).changed_at = clock.now()
        return real(*arguments)

    world.monkeypatch.setattr(matching, "score", while_scoring)
    for number in range(rescoring.PARTS):
        rescoring.score_part(world.db, scoring_id, number, seconds=60)
    with world.db.reading() as session:
        assert session.get_one(Job, edited).score == 77
        assert session.get_one(Job, other).score == 50


def test_two_workers_on_one_part_move_it_on_once(world: World, profile: Path) -> None:
    keep(world, *(f"Baker {number}" for number in range(4)))
    rescoring.ask(world.db, matching.load_profile())
    with world.db.reading() as session:
        scoring_id = session.scalars(select(Scoring.id)).one()
    real = rescoring.batch_of

    def overtaken(*arguments: Any, **options: Any) -> Any:
        rows = real(*arguments, **options)
        with world.db.session() as session:
            statement = update(ScoringPart).where(ScoringPart.number == 0)
            changed(session, statement.values(at_id=ScoringPart.last_id, seen=2))
        return rows

    world.monkeypatch.setattr(rescoring, "batch_of", overtaken)
    assert rescoring.score_part(world.db, scoring_id, 0, seconds=60) is Outcome.OUTDATED
    assert progress(world).done == 2
    assert set(scores(world).values()) == {0}, "who was overtaken writes nothing"


def test_a_job_that_cannot_be_scored_keeps_its_score_and_the_others_do_not(
    world: World, profile: Path, emitted: Captured
) -> None:
    keep(world, "Baker", "Baker and poison", "Baker and cook", score=3)
    real = matching.score

    def score(one: Any, profile: Any) -> matching.Match:
        if "poison" in one.title:
            raise ZeroDivisionError
        return real(one, profile)

    world.monkeypatch.setattr(matching, "score", score)
    drive(world)
    assert scores(world) == {"Baker": 50, "Baker and poison": 3, "Baker and cook": 50}
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ZeroDivisionError", place="scan")
    assert progress(world).finished_at is not None


def test_what_is_scored_again_and_what_is_left_are_measured(
    world: World, profile: Path, emitted: Captured
) -> None:
    keep(world, *(f"Gardener {number}" for number in range(5)), "Baker")
    rescoring.ask(world.db, matching.load_profile())
    sampler.sample_database(world.db, world.settings)
    emitted.assert_gauge(catalogue.JOBS_TO_RESCORE, 6)
    drive(world)
    emitted.assert_incremented(catalogue.JOBS_RESCORED, 5, result="unchanged")
    emitted.assert_incremented(catalogue.JOBS_RESCORED, 1, result="changed")
    sampler.sample_database(world.db, world.settings)
    emitted.assert_gauge(catalogue.JOBS_TO_RESCORE, 0)


# --- On a real queue ---


@pytest.fixture
def queue(world: World, redis_server: RedisServer) -> Iterator[Scans]:
    queue = Scans(world.settings, redis_server.client())
    yield queue
    queue.connection.close()


def test_a_part_is_on_the_queue_once(queue: Scans, emitted: Captured) -> None:
    assert queue.rescore(1, 0)
    assert not queue.rescore(1, 0)
    assert queue.rescore(1, 1)
    assert queue.queue.get_job_ids() == ["rescore_1_0", "rescore_1_1"]
    assert queue.waiting() == set(), "it is no scan"
    emitted.assert_incremented(catalogue.RQ_JOBS_ENQUEUED, 2, queue="scans", function="rescore")


@pytest.mark.parametrize(
    ("status", "silent", "again"),
    [
        (JobStatus.STARTED, 1, False),
        (JobStatus.STARTED, 60, True),
        (JobStatus.FAILED, 1, True),
        (JobStatus.STOPPED, 1, True),
    ],
)
def test_a_part_whose_job_died_is_put_on_the_queue_again(
    queue: Scans, redis_server: RedisServer, status: JobStatus, silent: float, *, again: bool
) -> None:
    queue.rescore(1, 0)
    queue.queue.pop_job_id()
    job = RQJob.fetch("rescore_1_0", connection=queue.connection, serializer=JSONSerializer)
    job.last_heartbeat = (clock.now() - dt.timedelta(seconds=silent)).replace(tzinfo=dt.UTC)
    job.set_status(status)
    job.save()
    assert queue.rescore(1, 0) is again
    assert queue.queue.get_job_ids() == (["rescore_1_0"] if again else [])


def test_the_workers_job_scores_a_part(world: World, profile: Path) -> None:
    keep(world, "Baker")
    rescoring.ask(world.db, matching.load_profile())
    with world.db.reading() as session:
        scoring_id = session.scalars(select(Scoring.id)).one()
    settings = dataclasses.replace(world.settings, profile=str(profile))
    world.monkeypatch.setattr("scout.settings.load", lambda: settings)
    assert worker_jobs.rescore(scoring_id, 0) == "done"
    assert scores(world) == {"Baker": 50}
