"""Many boards, runs and choices as the pages ask for them, on each database."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from scout import boards, chosen_profile, clock, progress, watchlist, welcome
from scout.boards import BoardQuery
from scout.database import Database
from scout.matching import ProfileUnusable
from scout.models import Job, Listing, RunTrigger, ScanResult, ScanRun, ScanState, Setup, Source
from scout.runs import RunNotFound
from scout.sources.board import Board

NAMES = ("Okta", "veeva", "Äpfel", "1Password", "Delinea", "acme", "Zscaler")


@pytest.fixture
def db(any_database: Database) -> Database:
    """Seven boards in every state."""
    now = clock.now()
    with any_database.session() as session:
        sources = [
            watchlist.add(
                session,
                Board(
                    kind="lever" if number % 2 else "greenhouse",
                    token=name,
                    company=name,
                    url=f"https://x.example/{number}",
                ),
            )
            for number, name in enumerate(NAMES)
        ]
        session.flush()
        states = (
            ScanState.SUCCEEDED, ScanState.FAILED, ScanState.PARTIAL, None, ScanState.SUCCEEDED,
            ScanState.SUCCEEDED, None,
        )  # fmt: skip
        for number, (source, state) in enumerate(zip(sources, states, strict=True)):
            source.last_state = state
            source.last_success_at = now - dt.timedelta(days=number) if state is ScanState.SUCCEEDED else None
            source.next_scan_at = now + dt.timedelta(hours=7 - number)
        sources[5].suspicious = True
        sources[6].paused = True
    return any_database


def names(db: Database, **query: object) -> list[str]:
    with db.reading() as session:
        return [source.name for source in boards.find(session, BoardQuery(**query)).boards]  # type: ignore[arg-type]


def test_what_needs_a_look_comes_first(db: Database) -> None:
    assert names(db) == ["veeva", "acme", "Äpfel", "1Password", "Delinea", "Okta", "Zscaler"]
    with db.reading() as session:
        assert boards.healths(session) == {"failing": 1, "partial": 2, "new": 1, "ok": 2, "paused": 1}
        for source in watchlist.every(session):
            found = names(db, health=watchlist.health(source))
            assert source.name in found, "the database's health is the program's"


def test_boards_are_found_by_words_kind_and_health(db: Database) -> None:
    assert names(db, text="OKT") == ["Okta"]
    assert names(db, text="x.example/4 del") == ["Delinea"]
    assert names(db, text="100%_") == []
    assert names(db, kind="lever", order="name") == ["1Password", "acme", "veeva"]
    assert names(db, health="ok") == ["Delinea", "Okta"]
    assert names(db, starts="o", order="name")[0] == "Okta"


@pytest.mark.parametrize("order", boards.ORDERS)
def test_pages_follow_each_other_without_gap_or_repetition(db: Database, order: boards.Order) -> None:
    whole = names(db, order=order, limit=0)
    assert sorted(whole) == sorted(NAMES)
    found: list[str] = []
    after = ""
    with db.reading() as session:
        while True:
            page = boards.find(session, BoardQuery(order=order, after=after, limit=2))
            found += [source.name for source in page.boards]
            assert page.total == len(NAMES)
            after = page.next
            if not after:
                break
    assert found == whole


def test_a_page_after_a_board_that_is_gone_is_the_first(db: Database) -> None:
    assert names(db, after="gone", limit=2) == names(db, limit=2)


def test_orders(db: Database) -> None:
    with db.session() as session:
        source = watchlist.get(session, "acme")
        for number in range(2):
            job = Job(title="x", company="x", url="x")
            session.add(job)
            session.flush()
            session.add(
                Listing(source_id=source.id, source_job_id=str(number), job_id=job.id, url="x", digest="x")
            )
    assert names(db, order="jobs")[0] == "acme"
    assert names(db, order="next")[0] == "acme"
    assert names(db, order="next")[-1] == "Zscaler", "a paused one is not due"
    assert names(db, order="success")[-1] == "Okta"
    with db.reading() as session:
        assert boards.open_jobs(session, [watchlist.get(session, "acme").id]) == {
            watchlist.get(session, "acme").id: 2
        }
        assert boards.kinds(session) == {"greenhouse": 4, "lever": 3}
        assert boards.letters(session) == ["#", "A", "D", "O", "V", "Z"]


def test_many_are_paused_and_resumed_and_only_those_that_changed_are_told(db: Database) -> None:
    with db.session() as session:
        assert sorted(boards.pause(session, ["okta", "zscaler", "nobody"])) == ["okta"]
    with db.session() as session:
        assert sorted(boards.resume(session, ["okta", "zscaler", "veeva"])) == ["okta", "zscaler"]
        assert watchlist.get(session, "zscaler").next_scan_why == "resumed"
    with db.session() as session:
        assert boards.remove(session, ["okta", "nobody", "okta"]) == ["okta"]
        assert boards.slugs(session, BoardQuery(text="okta")) == []


def test_what_the_last_scans_saw(db: Database) -> None:
    now = clock.now()
    with db.session() as session:
        okta, veeva = watchlist.get(session, "okta"), watchlist.get(session, "veeva")
        for number in range(20):
            run = ScanRun(trigger=RunTrigger.SCHEDULE)
            session.add(run)
            session.flush()
            failed = number == 19
            session.add(
                ScanResult(
                    run_id=run.id,
                    source_id=okta.id,
                    state=ScanState.FAILED if failed else ScanState.SUCCEEDED,
                    seen=number,
                    finished_at=now,
                )
            )
        session.add(ScanResult(run_id=run.id, source_id=veeva.id, state=ScanState.RUNNING, seen=3))
        session.flush()
        told = boards.yields(session, [okta.id, veeva.id], 4)
        assert [each.seen for each in told[okta.id]] == [16, 17, 18, None]
        assert told[veeva.id] == []
        assert boards.yields(session, []) == {}


# --- Runs ---------------------------------------------------------------------------------------------------


def test_a_run_is_summed_up_and_its_boards_are_in_order(db: Database) -> None:
    now = clock.now()
    states = (
        ScanState.SUCCEEDED, ScanState.FAILED, ScanState.QUEUED, ScanState.RUNNING, ScanState.CANCELLED,
        ScanState.PARTIAL,
    )  # fmt: skip
    with db.session() as session:
        started = now - dt.timedelta(seconds=40)
        run = ScanRun(trigger=RunTrigger.OWNER, state=ScanState.RUNNING, started_at=started)
        session.add(run)
        session.flush()
        for source, state in zip(session.scalars(select(Source).order_by(Source.id)), states, strict=False):
            session.add(ScanResult(run_id=run.id, source_id=source.id, state=state, seen=10, new=2))
        run_id = run.id
    with db.reading() as session:
        known = progress.of(session, run_id)
        assert (known.ended, known.all, known.failed, known.seen, known.new) == (4, 6, 1, 60, 12)
        assert known.quarter == 2
        assert known.left is not None
        assert known.left.total_seconds() == pytest.approx(20, abs=5)
        found = [each.state for each in progress.boards(session, run_id, limit=10)]
        assert found == sorted(found, key=progress.ORDER.index)
        assert len(progress.boards(session, run_id, limit=2, offset=5)) == 1
        assert [each.run.id for each in progress.recent(session, 5)] == [run_id]
        assert progress.recent(session, 5, before=run_id) == []
        with pytest.raises(RunNotFound):
            progress.of(session, 99)
    with db.session() as session:
        session.get_one(ScanRun, run_id).cancel_asked_at = now
    with db.reading() as session:
        known = progress.of(session, run_id)
        assert (known.cancelling, known.left) == (True, None)


def test_nothing_is_guessed_before_there_is_much_to_go_by(db: Database) -> None:
    with db.session() as session:
        run = ScanRun(trigger=RunTrigger.OWNER, state=ScanState.RUNNING, started_at=clock.now())
        session.add(run)
        session.flush()
        assert progress.of(session, run.id).left is None
        assert progress.of(session, run.id).quarter == 4


# --- Choices ------------------------------------------------------------------------------------------------


OWN = "{name: mine, groups: [{name: g, title: 50, terms: [rose]}]}"


def test_the_profile_is_chosen_for_every_process(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCOUT_PROFILE", raising=False)
    with db.session() as session:
        told = chosen_profile.told(session)
        assert (told.origin, told.name, told.text) == ("default", "iam", "")
        assert chosen_profile.choose(session, "nursing").name == "nursing"
    with db.session() as session:
        assert chosen_profile.in_use(session).name == "nursing"
        chosen_profile.choose(session, "nursing", OWN)
    with db.session() as session:
        told = chosen_profile.told(session)
        assert (told.origin, told.name, told.text) == ("choice", "", OWN)
        assert told.profile is not None
        assert told.profile.name == "mine"
        for name, text, words in (
            ("../../etc/passwd", "", "There is no profile"),
            ("", "name: x", "lacks 'groups'"),
            ("", "x" * 200_001, "may have 200,000 letters"),
        ):
            with pytest.raises(ProfileUnusable, match=words):
                chosen_profile.choose(session, name, text)
        assert chosen_profile.in_use(session).name == "mine"
        monkeypatch.setenv("SCOUT_PROFILE", "iam")
        assert chosen_profile.in_use(session).name == "iam"
        assert chosen_profile.told(session).origin == "setting"
        with pytest.raises(chosen_profile.SettingWins):
            chosen_profile.choose(session, "nursing")
        monkeypatch.setenv("SCOUT_PROFILE", "nowhere")
        told = chosen_profile.told(session)
        assert told.profile is None
        assert "There is no profile 'nowhere'" in told.problem


def test_the_first_run_is_wanted_once(db: Database) -> None:
    with db.session() as session:
        assert welcome.is_wanted(session)
        chosen_profile.choose(session, "iam")
        assert welcome.is_wanted(session), "a choice alone is not the end of it"
        welcome.over(session)
        assert not welcome.is_wanted(session)
        first = session.get_one(Setup, 1).welcomed_at
        welcome.over(session)
        assert session.get_one(Setup, 1).welcomed_at == first
