"""A look at a board before it is watched, and boards that are added by many lines."""

from __future__ import annotations

import pytest

import scout.sources
from scout import adding, lists, matching, remedies, runs, trial, watchlist, welcome
from scout.fetch import Reason
from scout.models import RunTrigger
from scout.sources.about import About
from scout.trial import Trial
from tests.boards_in_folders import FolderKind, posting
from tests.scan_world import NoQueue, World, world

__all__ = ["world"]

IAM = matching.load_profile("iam")


def look(world: World, **more: float) -> Trial:
    return trial.look(world.db, world.settings, world.board.board, IAM, **more)


def test_a_look_tells_what_is_there_and_keeps_nothing(world: World) -> None:
    dull = posting(3, title="Gardener", description_text="Roses.", description_html="<p>Roses.</p>")
    world.board.show([dull, posting(1), posting(2, salary=None)], [posting(2, salary=None)])
    found = look(world)
    assert (found.postings, found.matching, found.good, found.cut) == (3, 2, True, False)
    assert [each.posting.title for each in found.best] == [
        "Identity Engineer 1", "Identity Engineer 2", "Gardener",
    ]  # fmt: skip
    assert found.best[0].match.score > found.best[2].match.score == 0
    told = dict(found.fills)
    assert (told["locations"], told["salary"]) == (3, 2)
    assert "title" not in told
    assert "tags" not in told
    assert world.jobs() == {}


def test_a_board_that_fails_is_named_with_a_remedy(world: World) -> None:
    world.board.show(then="denied")
    found = look(world)
    assert (found.good, found.reason, found.error) == (False, "denied", "The board failed: denied.")
    assert found.remedy == remedies.REMEDY[Reason.DENIED]


def test_one_that_fails_after_some_pages_is_told_of_in_part(world: World) -> None:
    world.board.show([posting(1)], then="too_large")
    found = look(world)
    assert (found.good, found.cut, found.postings) == (True, True, 1)


def test_one_that_takes_long_is_read_in_part(world: World) -> None:
    world.board.show([posting(1)], [posting(2)])
    found = look(world, budget=0.0)
    assert (found.cut, found.postings) == (True, 1)


def test_a_listing_that_is_empty_or_cannot_be_read(world: World) -> None:
    world.board.show([])
    assert (look(world).postings, look(world).good) == (0, True)
    world.board.show([], unparsed=["no title"])
    found = look(world)
    assert (found.good, found.reason, found.unparsed) == (False, "unparsed", 1)
    assert found.error == "None of its 1 postings could be read."


def test_a_kind_without_its_key_is_not_asked(world: World) -> None:
    class Keyed(FolderKind):
        about = About(settings=("SCOUT_USAJOBS_KEY",))

    world.monkeypatch.setattr(scout.sources, "KINDS", {"folder": Keyed()})
    found = look(world)
    assert (found.good, found.reason) == (False, "no_key")
    assert "SCOUT_USAJOBS_KEY" in found.error
    assert not world.board.reached(0)


def test_a_kind_that_may_be_asked_so_often_a_day_counts_the_look(world: World) -> None:
    class Limited(FolderKind):
        about = About(daily=1)

    world.monkeypatch.setattr(scout.sources, "KINDS", {"folder": Limited()})
    world.board.show([posting(1)])
    assert look(world).postings == 1
    assert look(world).reason == "daily_limit"


def test_every_reason_has_a_remedy() -> None:
    assert set(remedies.REMEDY) == set(runs.REASON_TEXT)


# --- Many lines, and the first run ------------------------------------------------------------------------


@pytest.fixture
def plain(world: World) -> World:
    """The world with the real kinds of boards."""
    with world.db.session() as session:
        watchlist.remove(session, world.slug)
    world.monkeypatch.undo()
    return world


def test_each_line_is_added_by_itself(plain: World) -> None:
    text = "https://jobs.lever.co/veeva\nnonsense\n\nhttps://jobs.lever.co/veeva/1\nhttps://www.usajobs.gov/"
    report = adding.add(plain.db, plain.settings, lists.entries(text))
    assert [(each.line, each.slug, each.added) for each in report[:3]] == [
        (1, "veeva", True), (2, "", False), (4, "veeva", False),
    ]  # fmt: skip
    assert report[0].said == "veeva is watched now."
    assert report[2].said == "It is watched already, as veeva."
    assert "is off until" in report[3].said


def begin(world: World, *keys: str, pasted: str = "") -> welcome.Begun:
    return welcome.begin(world.db, NoQueue(), world.settings, keys=keys, pasted=pasted)


def slugs(world: World) -> set[str]:
    with world.db.reading() as session:
        return {source.slug for source in watchlist.every(session)}


def test_the_first_choices_are_watched_and_scanned(plain: World) -> None:
    begun = begin(plain, "greenhouse/okta", pasted="https://jobs.lever.co/acme\nnonsense")
    assert slugs(plain) == {"okta", "acme"}
    assert [bool(line.slug) for line in begun.report] == [True, False]
    assert begun.run_id is not None
    with plain.db.reading() as session:
        run = runs.get(session, begun.run_id)
        assert run.trigger is RunTrigger.FIRST
        assert {each.source.slug for each in run.results} == {"okta", "acme"}
    # Choosing otherwise before it is over: what lost its tick goes, what was pasted stays.
    begun = begin(plain, "lever/veeva")
    assert slugs(plain) == {"veeva", "acme"}
    with plain.db.session() as session:
        for source in watchlist.every(session):
            source.last_scan_at = plain.time
    assert begin(plain, "lever/veeva").run_id == begun.run_id, "what was scanned is not asked again"


def test_nothing_chosen_is_nothing_to_scan(plain: World) -> None:
    assert begin(plain) == welcome.Begun((), None)


def test_the_offers_say_which_are_watched(plain: World) -> None:
    begin(plain, "greenhouse/okta")
    with plain.db.reading() as session:
        offers = welcome.offers(session)
    assert [each.slug for each in offers["Greenhouse"] if each.slug] == ["okta"]
    assert [each.name for each in offers["Boards of many companies"]] == ["We Work Remotely"]


def test_a_brief_look_gives_no_request_more_than_is_left(world: World) -> None:
    door = trial._BriefDoor(world.settings, until=0.0, kind="folder")
    assert door._brief(None).total == trial._LEAST
    assert door._brief(None).tries == 1
