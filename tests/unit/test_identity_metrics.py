"""What is counted of merges, splits and reposts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from metrics import catalogue
from metrics.testing import Captured
from scout import storing
from scout.identity import merging
from scout.matching import Match
from scout.models import Job, Listing, Source
from scout.normalise import completed
from tests.boards_in_folders import posting
from tests.scan_world import World, world

__all__ = ["world"]


def stored(world: World, source_id: int, number: int, **changes: Any) -> int:
    """Store a posting as a scan does; the id of its job."""
    given = completed(posting(number, **({"title": "Okta Engineer", "locations": ("Basel",)} | changes)))
    with world.db.session() as session:
        storing.write(session, source_id, [storing.Entry(given, storing.digest(given), Match(0, []))], {})
        found = select(Listing.job_id).where(
            Listing.source_id == source_id, Listing.source_job_id == str(number)
        )
        return session.scalars(found).one()


def another_board(world: World) -> int:
    with world.db.session() as session:
        source = Source(slug="other", kind="folder", token="other", name="Other")
        session.add(source)
        session.flush()
        return source.id


def test_a_listing_that_a_scan_attaches_is_counted_by_what_told_it(world: World, emitted: Captured) -> None:
    own, other = world.source().id, another_board(world)
    first = stored(world, own, 1)
    emitted.assert_no_metrics(catalogue.MERGES)
    assert stored(world, other, 2) == first
    emitted.assert_incremented(catalogue.MERGES, 1, tier="role")
    assert stored(world, other, 3, url="https://jobs.example/1", title="Okta Engineer wanted") == first
    emitted.assert_incremented(catalogue.MERGES, 1, tier="address")


def test_merges_by_the_owner_and_their_undoing_are_counted(world: World, emitted: Captured) -> None:
    own, other = world.source().id, another_board(world)
    first, second = stored(world, own, 1), stored(world, other, 2, title="Vault Engineer")
    with world.db.session() as session:
        merging.merge(session, first, second, by="owner")
    emitted.assert_incremented(catalogue.MERGES, 1, tier="owner")
    with world.db.session() as session:
        listing = session.scalars(select(Listing.id).where(Listing.source_id == other)).one()
        merging.split(session, first, listing, by="owner")
    emitted.assert_incremented(catalogue.SPLITS, 1, tier="owner")


def test_jobs_that_were_posted_anew_are_counted(world: World, emitted: Captured) -> None:
    rest = [posting(number, title=f"Role {number}") for number in range(20, 24)]
    for shown in ([posting(1, title="Okta Engineer")], [], [], [posting(2, title="Okta Engineer")]):
        world.board.show([*shown, *rest])
        world.scan()
    emitted.assert_incremented(catalogue.REPOSTS, 1)
    with world.db.reading() as session:
        assert session.scalars(select(Job.repost_of_id).where(Job.repost_of_id.is_not(None))).one()
