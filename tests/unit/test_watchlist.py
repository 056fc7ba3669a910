from __future__ import annotations

import pytest
from redis import Redis
from sqlalchemy import func, select

from scout import clock, courtesy, jobs, watchlist
from scout.courtesy import CircuitState, Standing
from scout.database import Database
from scout.models import Job, Listing, Note, ScanState, Source, Status
from scout.sources.board import Board
from scout.watchlist import AlreadyWatched, UnknownSource, slugify
from tests import kept

VEEVA = Board(kind="lever", token="veeva", company="Veeva", url="https://jobs.lever.co/veeva")


def test_a_board_is_watched_under_a_short_name(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: kept.DAY)
    with any_database.session() as session:
        watchlist.add(session, VEEVA)
    with any_database.reading() as session:
        source = watchlist.get(session, "veeva")
        assert (source.kind, source.token, source.name, source.url) == (
            "lever",
            "veeva",
            "Veeva",
            "https://jobs.lever.co/veeva",
        )
        assert source.next_scan_at == kept.DAY
        assert watchlist.health(source) == "new"


def test_a_board_is_watched_once(any_database: Database) -> None:
    with any_database.session() as session:
        watchlist.add(session, VEEVA)
        with pytest.raises(AlreadyWatched, match="as veeva") as refused:
            watchlist.add(session, VEEVA, "Another name")
        assert refused.value.slug == "veeva"


def test_boards_that_would_share_a_name_get_one_each(database: Database) -> None:
    boards = [
        Board(kind=kind, token=token)
        for kind, token in (("lever", "okta"), ("ashby", "okta"), ("ashby", "Okta"), ("ashby", "okta!"))
    ]
    with database.session() as session:
        found = [watchlist.add(session, board).slug for board in boards]
    assert found == ["okta", "okta-ashby", "okta-ashby-2", "okta-ashby-3"]


def test_a_feed_is_named_after_its_company_or_host(database: Database) -> None:
    with database.session() as session:
        feed = watchlist.add(session, Board(kind="feed", token="https://www.example.com/jobs.xml?a=1"))
        named = watchlist.add(session, Board(kind="feed", token="https://example.com/b", company="Zürich AG"))
    assert (feed.slug, feed.name) == ("example-com", "example.com")
    assert (named.slug, named.name) == ("zurich-ag", "Zürich AG")


@pytest.mark.parametrize(
    ("text", "slug"),
    [("Müller & Söhne", "muller-sohne"), ("日本", ""), ("a" * 200, "a" * 60), ("--A_b--", "a-b")],
)
def test_slugs_are_of_plain_letters(text: str, slug: str) -> None:
    assert slugify(text) == slug


def test_a_name_without_plain_letters_becomes_the_kinds(database: Database) -> None:
    with database.session() as session:
        assert watchlist.add(session, Board(kind="lever", token="日本")).slug == "lever"


def test_an_unknown_source_is_named(any_database: Database) -> None:
    with any_database.session() as session:
        for act in (watchlist.get, watchlist.pause, watchlist.resume, watchlist.remove):
            with pytest.raises(UnknownSource, match="'nobody'"):
                act(session, "nobody")
            with pytest.raises(UnknownSource):
                act(session, "\x00 \ud800")


def test_a_source_is_paused_and_resumed(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.session() as session:
        watchlist.add(session, VEEVA)
    monkeypatch.setattr(clock, "now", lambda: kept.DAY)
    with database.session() as session:
        assert watchlist.health(watchlist.pause(session, "veeva")) == "paused"
        resumed = watchlist.resume(session, "veeva")
        assert (resumed.paused, resumed.next_scan_at) == (False, kept.DAY)


def test_sources_are_listed_by_name(database: Database) -> None:
    with database.session() as session:
        for name in ("beta", "Alpha", "gamma"):
            watchlist.add(session, Board(kind="lever", token=name))
        assert [source.name for source in watchlist.every(session)] == ["Alpha", "beta", "gamma"]


@pytest.mark.parametrize(
    ("state", "suspicious", "health"),
    [
        (None, False, "new"),
        (ScanState.SUCCEEDED, False, "ok"),
        (ScanState.SUCCEEDED, True, "partial"),
        (ScanState.PARTIAL, False, "partial"),
        (ScanState.FAILED, False, "failing"),
    ],
)
def test_health_is_how_the_last_scan_ended(
    database: Database,
    state: ScanState | None,
    *,
    suspicious: bool,
    health: str,
) -> None:
    with database.session() as session:
        source = kept.source(session, last_state=state, suspicious=suspicious)
        assert watchlist.health(source) == health
        assert watchlist.as_dict(source)["health"] == health


def test_removing_a_source_keeps_what_the_owner_decided(any_database: Database) -> None:
    with any_database.session() as session:
        acme, globex = kept.source(session), kept.source(session, "globex")
        kept.job(session, "untouched", at=acme)
        kept.job(session, "long closed", at=acme, status=Status.CLOSED, closed_at=kept.DAY)
        kept.job(session, "applied", at=acme, status=Status.APPLIED)
        kept.job(session, "dismissed", at=acme, status=Status.DISMISSED)
        session.add(Note(job=kept.job(session, "noted", at=acme), body="x"))
        kept.job(session, "planned", at=acme, next_action="Call Dana")
        kept.job(session, "dated", at=acme, next_action_on=kept.DAY.date())
        kept.listed(session, kept.job(session, "elsewhere", at=acme), globex)
        kept.listed(session, kept.job(session, "closed elsewhere", at=acme), globex, closed_at=kept.DAY)
        kept.job(session, "not concerned", at=globex)
    with any_database.session() as session:
        watchlist.remove(session, "acme")
    with any_database.reading() as session:
        left = {
            job.title: (job.status.value, job.closed_at is not None) for job in session.scalars(select(Job))
        }
        assert session.scalar(select(func.count()).select_from(Listing)) == 3
        assert [source.slug for source in watchlist.every(session)] == ["globex"]
    assert left == {
        "applied": ("applied", True),
        "dismissed": ("dismissed", True),
        "noted": ("closed", True),
        "planned": ("closed", True),
        "dated": ("closed", True),
        "elsewhere": ("new", False),
        "closed elsewhere": ("closed", True),
        "not concerned": ("new", False),
    }


def test_a_removed_source_can_be_watched_again(database: Database) -> None:
    with database.session() as session:
        watchlist.add(session, VEEVA)
    with database.session() as session:
        watchlist.remove(session, "veeva")
        assert watchlist.add(session, VEEVA).slug == "veeva"
    with database.reading() as session:
        assert jobs.find(session, jobs.JobQuery(source="veeva")).total == 0


def test_starter_boards_are_added_once(database: Database) -> None:
    with database.session() as session:
        added = watchlist.add_starters(session)
        assert added > 20
        assert watchlist.add_starters(session) == 0
        assert len(watchlist.every(session)) == added
        # Slugs are shown and typed: a token that names no board does not do for one.
        assert watchlist.get(session, "we-work-remotely").name == "We Work Remotely"


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (Standing("https://a.example", CircuitState.OPEN, 1500.0),
         "Scans of a.example kept failing, so it is left alone for another 25 minutes."),
        (Standing("https://a.example", CircuitState.HALF_OPEN),
         "Scans of a.example kept failing; the next one tries it again."),
        (Standing("https://a.example", CircuitState.CLOSED, 40.0),
         "a.example asked to be left alone for another 40 seconds."),
    ],
)  # fmt: skip
def test_it_is_told_how_a_host_stands_that_is_not_asked_as_usual(standing: Standing, said: str) -> None:
    assert standing.unusual
    assert watchlist.told(standing) == said


def test_of_two_hosts_of_a_board_the_one_that_is_not_asked_as_usual_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {
        "https://api.lever.co": Standing("https://api.lever.co"),
        "https://api.eu.lever.co": Standing("https://api.eu.lever.co", CircuitState.HALF_OPEN),
    }
    monkeypatch.setattr(courtesy, "standings", lambda _, origins: {each: known[each] for each in origins})
    board = Source(id=7, kind="lever", token="acme", url="https://jobs.lever.co/acme")
    odd = Source(id=8, kind="nothing known", token="x", url="")
    nobody = Redis()
    found = watchlist.left_alone(nobody, [board, odd])
    nobody.close()
    assert found == {7: known["https://api.eu.lever.co"]}
