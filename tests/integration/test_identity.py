"""Every job once, whatever the number of boards that post it: on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, func, select, text, update

from metrics import catalogue
from metrics.testing import Captured
from scout import jobs, scanning, storing, watchlist
from scout.identity import joining, keys, merging, reposts
from scout.matching import Match
from scout.models import Job, Listing, Merge, Separation, Source, Status
from scout.normalise import completed
from scout.postings import Posting, Remote, Salary
from scout.sources.about import About
from tests.boards_in_folders import Folder, FolderKind
from tests.boards_in_folders import posting as plain
from tests.scan_world import World, any_world, world

__all__ = ["any_world", "world"]

WORDS = " ".join(f"word{number}" for number in range(80))


class Gathering(FolderKind):
    """A site that gathers many companies' jobs, for tests."""

    name = "gathering"
    about = About(gathers=True)


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    # Before `World` sets its own, which knows folders only: that one is patched in `two`.
    monkeypatch.setattr("tests.boards_in_folders.KINDS", {"folder": FolderKind(), "gathering": Gathering()})
    monkeypatch.setattr("tests.scan_world.KINDS", {"folder": FolderKind(), "gathering": Gathering()})


class Site:
    """Another watched board beside the world's own."""

    def __init__(self, world: World, name: str, kind: str = "gathering") -> None:
        self.world = world
        self.folder = Folder(world.board.path.parent / name)
        self.folder.show([])
        with world.db.session() as session:
            source = Source(slug=name, kind=kind, token=f"folder://{self.folder.path}", name=name, url="")
            session.add(source)
            session.flush()
            self.id = source.id
        self.slug = name

    def scan(self, *postings: Posting) -> None:
        self.folder.show(list(postings))
        _, (result_id,) = self.world.ask(self.slug)
        scanning.scan(self.world.db, self.world.settings, result_id, worker="test")

    def listing(self) -> Listing:
        with self.world.db.reading() as session:
            return session.scalars(select(Listing).where(Listing.source_id == self.id)).one()


def posting(number: int | str, **changes: Any) -> Posting:
    """A posting of the employer."""
    given: dict[str, Any] = {
        "title": "Okta Engineer",
        "company": "Acme GmbH",
        "url": f"https://acme.example/jobs/{number}",
        "locations": ("Berlin, Germany",),
        "remote": Remote.UNKNOWN,
        "description_html": f"<p>{WORDS}</p>",
        "description_text": WORDS,
        "salary": None,
        "posted_at": None,
    }
    return plain(number, **{**given, **changes})


def copy(number: int | str, **changes: Any) -> Posting:
    """The same of a site that gathers jobs, as such sites write."""
    given: dict[str, Any] = {
        "title": "Okta Engineer (m/w/d)",
        "company": "Acme",
        "url": f"https://gather.example/{number}",
        "locations": ("Berlin",),
        "description_html": f"<p>{WORDS} found here</p>",
        "description_text": f"{WORDS} found here",
    }
    return posting(number, **{**given, **changes})


def all_jobs(world: World) -> list[Job]:
    with world.db.reading() as session:
        found = session.scalars(select(Job.id).order_by(Job.id)).all()
        return [jobs.get(session, each) for each in found]


def only(world: World) -> Job:
    (job,) = all_jobs(world)
    return job


def scan(world: World, *postings: Posting) -> None:
    world.board.show(list(postings))
    world.scan()


# --- Attaching --------------------------------------------------------------------------------------------


def test_a_copy_on_another_board_is_another_listing_of_one_job(any_world: World, emitted: Captured) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    job = only(world)
    assert len(job.listings) == 2
    assert (job.title, job.url) == ("Okta Engineer", "https://acme.example/jobs/1"), "the employer's words"
    emitted.assert_incremented(catalogue.MERGES, tier="role")
    with world.db.reading() as session:
        (record,) = session.scalars(select(Merge))
        assert (record.by, record.tier, record.at) == ("scan", "role", world.time)
        assert "company" in record.evidence
        assert "Berlin" in record.evidence


def test_one_address_is_one_job_though_the_words_differ(any_world: World, emitted: Captured) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1, url="https://boards.greenhouse.io/acme/jobs/4012345"))
    site.scan(
        copy(77, title="Great role!", company="A.", url="https://acme.example/c?gh_jid=4012345&utm_source=x")
    )
    assert len(only(world).listings) == 2
    emitted.assert_incremented(catalogue.MERGES, tier="address")


def test_whoever_comes_first_the_employers_words_lead_and_gaps_are_filled(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    pay = Salary(minimum=70_000, maximum=90_000, currency="EUR", period="year")
    site.scan(copy(77, salary=pay, locations=("Berlin", "Hamburg")))
    first = only(world)
    with world.db.session() as session:
        jobs.change_status(session, first.id, Status.SAVED, by="owner")
        jobs.add_note(session, first.id, "Ask Ruth.")
    scan(world, posting(1))
    job = only(world)
    assert job.id == first.id
    assert (job.title, job.company) == ("Okta Engineer", "Acme GmbH")
    assert job.description_text == WORDS
    assert job.salary is not None
    assert job.salary["minimum"] == 70_000
    assert job.locations == ["Berlin, Germany", "Hamburg"], "whoever may work in Hamburg finds it"
    assert (job.status, [note.body for note in job.notes]) == (Status.SAVED, ["Ask Ruth."])


def test_scanning_again_changes_nothing(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    before = jobs.in_full(only(world))
    scan(world, posting(1))
    site.scan(copy(77))
    after = jobs.in_full(only(world))
    for shown in (before, after):
        shown.pop("last_seen_at")
    assert before == after


@pytest.mark.parametrize(
    "other",
    [
        {"locations": ("Munich",)},
        {"title": "Senior Okta Engineer"},
        {"company": "Globex"},
        {"requisition_id": "R-200"},
        {"title": "Okta Administrator"},
    ],
)
def test_another_place_level_company_or_requisition_is_another_job(
    any_world: World, other: dict[str, Any]
) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1, requisition_id="R-100"))
    site.scan(copy(77, **other))
    assert len(all_jobs(world)) == 2


def test_general_titles_are_one_job_only_with_one_text(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1, title="Software Engineer"))
    site.scan(
        copy(76, title="Software Engineer", description_text=" ".join(f"other{n}" for n in range(80))),
        copy(77, title="Software Engineer"),
    )
    assert sorted(len(job.listings) for job in all_jobs(world)) == [1, 2]


def test_two_that_one_board_lists_are_two_unless_they_have_one_id(any_world: World) -> None:
    world = any_world
    scan(world, posting(1), posting(2))
    assert len(all_jobs(world)) == 2
    workday = "https://acme.wd5.myworkdayjobs.com/Ext/job/Berlin/Directory-Engineer_R0045678"
    scan(
        world,
        posting(1),
        posting(2),
        posting(3, title="Directory Engineer", url=workday),
        posting(4, title="Directory Engineer", url=f"{workday}-1"),
    )
    assert sorted(len(job.listings) for job in all_jobs(world)) == [1, 1, 2]


def test_what_has_one_id_goes_together_to_the_job_of_another_board(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    site.scan(copy(77))
    workday = "https://acme.wd5.myworkdayjobs.com/Ext/job/Berlin/Okta-Engineer_R0045678"
    scan(world, posting(3, url=workday), posting(4, url=f"{workday}-1"))
    assert len(only(world).listings) == 3


def test_copies_of_two_equal_postings_go_to_one_each(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1), posting(2))
    site.scan(copy(76), copy(77))
    assert [len(job.listings) for job in all_jobs(world)] == [2, 2]


def test_a_place_that_only_may_be_the_same_is_not_enough_where_two_fit(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1), posting(2, locations=("Munich, Germany",)))
    site.scan(copy(77, locations=("Germany",), description_text="", description_html=""))
    assert len(all_jobs(world)) == 3
    scan(world, posting(1), posting(2, locations=("Munich, Germany",)), posting(3, title="Vault Engineer"))
    site.scan(
        copy(77, locations=("Germany",), description_text="", description_html=""),
        copy(78, title="Vault Engineer", locations=("Germany",), description_text="", description_html=""),
    )
    assert sorted(len(job.listings) for job in all_jobs(world)) == [1, 1, 1, 2]


# --- What a job says ------------------------------------------------------------------------------------


def test_a_change_of_the_copy_leaves_the_employers_words_and_one_of_the_employer_counts(
    any_world: World,
) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    site.scan(copy(77, title="Okta Engineer wanted", description_text=f"{WORDS} and more"))
    job = only(world)
    assert (job.title, job.description_text, job.changed_at) == ("Okta Engineer", WORDS, None)
    scan(world, posting(1, title="Okta Engineer II", description_text=f"{WORDS} anew"))
    job = only(world)
    assert (job.title, job.description_text) == ("Okta Engineer II", f"{WORDS} anew")
    assert job.changed_at == world.time


def test_a_job_closes_with_its_last_listing_and_says_what_is_still_open(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    scan(world)
    scan(world)
    world.later(days=8)
    scan(world)  # a board that names nothing any more is believed after a week
    job = only(world)
    assert (job.status, job.closed_at) == (Status.NEW, None)
    assert (job.title, job.company) == ("Okta Engineer (m/w/d)", "Acme")
    site.scan()
    world.later(days=8)
    site.scan()
    assert only(world).status is Status.CLOSED
    scan(world, posting(1))
    job = only(world)
    assert (job.status, job.title) == (Status.NEW, "Okta Engineer")


def test_a_posting_whose_own_page_is_gone_leaves_the_job_to_the_other_board(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    source_id = world.source().id
    with world.db.session() as session:
        known = storing.known_listings(session, source_id)["1"]
        assert storing.close_gone(session, source_id, [known]) == 1
        assert storing.close_gone(session, source_id, [known]) == 0
    job = only(world)
    assert (job.title, job.status, job.closed_at) == ("Okta Engineer (m/w/d)", Status.NEW, None)


def test_removing_the_leading_board_leaves_the_others_words(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    with world.db.session() as session:
        watchlist.remove(session, world.slug)
    job = only(world)
    assert (job.title, len(job.listings)) == ("Okta Engineer (m/w/d)", 1)


# --- Undoing --------------------------------------------------------------------------------------------


def test_a_listing_that_is_split_off_is_as_it_was_and_stays_apart(
    any_world: World, emitted: Captured
) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    before = only(world)
    with world.db.session() as session:
        jobs.change_status(session, before.id, Status.APPLIED, by="owner")
        new = merging.split(session, before.id, site.listing().id, by="owner")
        new_id = new.id
    old, new = all_jobs(world)
    assert (old.id, new.id) == (before.id, new_id)
    assert (old.title, old.status, len(old.listings)) == ("Okta Engineer", Status.APPLIED, 1)
    assert (new.title, new.company, new.status) == ("Okta Engineer (m/w/d)", "Acme", Status.NEW)
    assert new.description_text == f"{WORDS} found here"
    assert [listing.content for job in (old, new) for listing in job.listings] == [None, None]
    emitted.assert_incremented(catalogue.SPLITS, tier="role")
    with world.db.reading() as session:
        (record,) = session.scalars(select(Merge))
        assert (record.undone_by, record.undone_at) == ("owner", world.time)
        assert session.scalar(select(func.count()).select_from(Separation)) == 1
    scan(world, posting(1, description_text=f"{WORDS} anew"))
    site.scan(copy(77, description_text=f"{WORDS} anew"))
    assert len(all_jobs(world)) == 2


def test_merging_by_hand_keeps_what_the_owner_wrote_and_can_be_undone(
    any_world: World, emitted: Captured
) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77, title="Somebody for Okta"))
    one, other = all_jobs(world)
    with world.db.session() as session:
        jobs.change_status(session, one.id, Status.SAVED, by="owner")
        jobs.add_note(session, one.id, "First.")
    world.later(hours=1)
    with world.db.session() as session:
        jobs.change_status(session, other.id, Status.APPLIED, by="owner")
        jobs.add_note(session, other.id, "Second.")
    with world.db.session() as session:
        merging.merge(session, one.id, other.id, by="owner", why="the owner says so")
    job = only(world)
    assert (job.id, job.status) == (one.id, Status.APPLIED), "what was decided last"
    assert [note.body for note in job.notes] == ["First.", "Second."]
    assert [change.to_status for change in job.history] == [Status.SAVED, Status.APPLIED]
    emitted.assert_incremented(catalogue.MERGES, tier="owner")
    with world.db.reading() as session:
        assert merging.kept_instead(session, other.id) == one.id
    with world.db.session() as session:
        assert merging.split(session, one.id, site.listing().id, by="command").id == other.id
    old, new = all_jobs(world)
    assert (old.id, old.status, [note.body for note in old.notes]) == (one.id, Status.SAVED, ["First."])
    assert (new.id, new.status, [note.body for note in new.notes]) == (other.id, Status.APPLIED, ["Second."])
    assert new.title == "Somebody for Okta"
    with world.db.reading() as session:
        assert merging.kept_instead(session, other.id) is None


def test_what_cannot_be_merged_or_split_is_told(world: World) -> None:
    scan(world, posting(1), posting(2, title="Vault Engineer"))
    one, other = all_jobs(world)
    with world.db.session() as session:
        with pytest.raises(merging.CannotMerge, match="one job already"):
            merging.merge(session, one.id, one.id, by="command")
        with pytest.raises(jobs.JobNotFound):
            merging.merge(session, one.id, 999, by="command")
        with pytest.raises(merging.CannotSplit, match="one listing only"):
            merging.split(session, one.id, one.listings[0].id, by="command")
        with pytest.raises(merging.CannotSplit, match="no listing 999"):
            merging.split(session, one.id, 999, by="command")
        with pytest.raises(jobs.JobNotFound):
            merging.split(session, 999, 1, by="command")
        jobs.change_status(session, other.id, Status.SAVED, by="owner")
    with world.db.session() as session:
        watchlist.remove(session, world.slug)
    with world.db.session() as session, pytest.raises(merging.CannotMerge, match="no board"):
        merging.merge(session, other.id, _kept(session), by="command")


def _kept(session: Any) -> int:
    job = Job(title="x", company="y", url="")
    session.add(job)
    session.flush()
    return job.id


# --- Posted anew ------------------------------------------------------------------------------------------


def test_a_posting_that_is_put_up_anew_tells_what_became_of_the_old_one(
    any_world: World, emitted: Captured
) -> None:
    world = any_world
    rest = [posting(n, title=f"Role {n}") for n in range(20, 24)]
    scan(world, posting(1), *rest)
    with world.db.session() as session:
        jobs.change_status(session, world.jobs()["1"].id, Status.DISMISSED, by="owner")
    decided = world.time
    scan(world, posting(2), *rest)  # taken down and put up again at once
    scan(world, posting(2), *rest)
    old, new = world.jobs()["1"], world.jobs()["2"]
    assert (new.status, new.repost_of_id) == (Status.NEW, old.id)
    emitted.assert_incremented(catalogue.REPOSTS)
    scan(world, *rest)
    scan(world, *rest)
    scan(world, posting(3), *rest)  # and again, when the second is known to be gone
    third = world.jobs()["3"]
    assert third.repost_of_id == new.id
    with world.db.reading() as session:
        shown = jobs.in_full(jobs.get(session, third.id))["earlier"]
        (listed,) = (job for job in jobs.find(session, jobs.JobQuery()).jobs if job.id == third.id)
    assert listed.earlier is not None
    assert (listed.earlier.job_id, listed.earlier.status, listed.earlier.at) == (
        old.id,
        Status.DISMISSED,
        decided,
    )
    assert shown["status"] == "dismissed"
    emitted.assert_incremented(catalogue.REPOSTS, 2)


def test_in_a_chain_the_last_decision_counts_and_an_undone_one_does_not(any_world: World) -> None:
    world = any_world
    with world.db.session() as session:
        chain: list[Job] = []
        for status in (Status.DISMISSED, Status.SAVED, None):
            job = Job(title="x", company="y", url="", repost_of_id=chain[-1].id if chain else None)
            session.add(job)
            session.flush()
            chain.append(job)
            if status is not None:
                jobs.change_status(session, job.id, status, by="owner")
            world.later(hours=1)
        reposts.told(session, chain)
        assert chain[2].earlier is not None
        assert (chain[2].earlier.job_id, chain[2].earlier.status) == (chain[1].id, Status.SAVED)
        jobs.change_status(session, chain[1].id, Status.NEW, by="owner")
        reposts.told(session, chain)
        assert chain[2].earlier is not None
        assert (chain[2].earlier.job_id, chain[2].earlier.decided) == (chain[0].id, True)
        assert chain[0].earlier is None


def test_two_that_a_board_listed_side_by_side_are_no_reposts_of_each_other(any_world: World) -> None:
    world = any_world
    rest = [posting(n, title=f"Role {n}") for n in range(20, 24)]
    scan(world, posting(1), *rest)
    scan(world, posting(1), posting(2), *rest)
    for _ in range(3):
        scan(world, posting(1), posting(2), *rest)
    scan(world, posting(2), *rest)
    scan(world, posting(2), *rest)
    assert world.jobs()["1"].closed_at is not None
    assert world.jobs()["2"].repost_of_id is None


def test_a_merge_and_a_split_while_a_scan_runs_send_its_changes_to_the_right_job(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    scan(world, posting(1))
    site.scan(copy(77))
    job = only(world)
    with world.db.reading() as session:
        known = storing.known_listings(session, site.id)
    with world.db.session() as session:
        new_id = merging.split(session, job.id, site.listing().id, by="owner").id
    changed = completed(copy(77, title="Okta Person"))
    entry = storing.Entry(changed, storing.digest(changed), Match(5, []))
    with world.db.session() as session:
        storing.write(session, site.id, [entry], known)
    assert {each.id: each.title for each in all_jobs(world)} == {
        job.id: "Okta Engineer",
        new_id: "Okta Person",
    }
    with world.db.reading() as session:
        known = storing.known_listings(session, site.id)
    with world.db.session() as session:
        merging.merge(session, job.id, new_id, by="owner")
    changed = completed(copy(77, title="Okta Human", locations=("Berlin", "Ulm")))
    with world.db.session() as session:
        storing.write(
            session, site.id, [storing.Entry(changed, storing.digest(changed), Match(5, []))], known
        )
    assert (only(world).title, only(world).locations) == ("Okta Engineer", ["Berlin, Germany", "Ulm"])


def test_a_copy_of_a_closed_job_with_the_same_address_opens_it_again(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    rest = [posting(n, title=f"Role {n}") for n in range(20, 24)]
    scan(world, posting(1), *rest)
    scan(world, *rest)
    scan(world, *rest)
    assert world.jobs()["1"].status is Status.CLOSED
    site.scan(copy(77, url="https://acme.example/jobs/1?ref=gather"))
    job = world.jobs()["77"]
    assert (job.id, job.status, job.closed_at) == (world.jobs()["1"].id, Status.NEW, None)


# --- At once ----------------------------------------------------------------------------------------------


def test_two_workers_that_store_one_job_of_two_boards_at_once_end_with_one(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    count = 12
    world.board.show(
        [posting(n, title=f"Okta Engineer {n}x", url=f"https://acme.example/jobs/{n}") for n in range(count)]
    )
    site.folder.show([copy(n, title=f"Okta Engineer {n}x") for n in range(count)])
    _, results = world.ask()
    together = threading.Barrier(2)
    states: list[str] = []

    def run(result_id: int) -> None:
        together.wait()
        states.append(scanning.scan(world.db, world.settings, result_id, worker="w").value)

    threads = [threading.Thread(target=run, args=(each,)) for each in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == ["succeeded", "succeeded"]
    found = all_jobs(world)
    assert [len(job.listings) for job in found] == [2] * count


# SQLite has one writer at a time: there each sees what is there.
@pytest.mark.parametrize("any_settings", ["postgresql"], indirect=True)
def test_jobs_stored_side_by_side_are_joined_when_the_scan_ends(any_world: World) -> None:
    world = any_world
    site = Site(world, "site")
    source_id = world.source().id

    def entry(given: Posting) -> storing.Entry:
        return storing.Entry(completed(given), storing.digest(given), Match(5, []))

    with world.db.session() as one, world.db.session() as two:
        storing.write(one, source_id, [entry(posting(1))], {})
        storing.write(two, site.id, [entry(copy(77))], {})
    assert len(all_jobs(world)) == 2
    with world.db.session() as session:
        joining.join_stored_at_once(session, site.id, world.time)
    job = only(world)
    assert (job.title, len(job.listings)) == ("Okta Engineer", 2)


# --- What it costs ----------------------------------------------------------------------------------------


def _fill(world: World, count: int) -> None:
    """Many jobs with their listings."""
    with world.db.session() as session:
        source_id = world.source().id
        for start in range(0, count, 1000):
            entries = [
                storing.Entry(
                    completed(
                        plain(
                            f"old{n}",
                            title=f"Role {n}",
                            company=f"Firm {n % 50}",
                            url=f"https://x.example/{n}",
                        )
                    ),
                    "d",
                    Match(0, []),
                )
                for n in range(start, min(start + 1000, count))
            ]
            storing.write(session, source_id, entries, {})


def _statements(world: World, act: Callable[[], object]) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(_c: object, _cur: object, statement: str, parameters: Any, *_: object) -> None:
        seen.append((statement, parameters))

    event.listen(world.db.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(world.db.engine, "before_cursor_execute", note)
    return seen


def test_a_batch_is_looked_up_by_indexes_in_a_few_statements(any_world: World) -> None:
    world = any_world
    _fill(world, 6000)
    site = Site(world, "site")
    fresh = [
        completed(plain(n, title=f"Role {n}", company=f"Firm {n % 50}", url=f"https://y.example/{n}"))
        for n in range(200)
    ]
    entries = [storing.Entry(each, storing.digest(each), Match(0, [])) for each in fresh]
    with world.db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()

    def look(count: int) -> list[tuple[str, Any]]:
        def act() -> None:
            with world.db.reading() as session:
                found = joining.belonging(
                    session, site.id, fresh[:count], [keys.of(each) for each in fresh[:count]], world.time
                )
                assert all(each is not None for each in found)

        return [each for each in _statements(world, act) if each[0].startswith("SELECT")]

    assert len(look(200)) == len(look(2)) <= 5
    statements = look(200)
    with world.db.session() as session:
        statements += [
            each
            for each in _statements(world, lambda: storing.write(session, site.id, entries, {}))
            if each[0].startswith("SELECT")
        ]
    assert len(statements) < 40

    def end() -> None:
        with world.db.session() as session:
            session.execute(update(Source).values(last_scan_at=world.time))
            closed = session.scalars(select(Listing.job_id).limit(50)).all()
            session.execute(update(Job).where(Job.id.in_(closed)).values(closed_at=world.time))
            reposts.link_closed(session, site.id, closed)
            joining.join_stored_at_once(session, site.id, world.time)

    statements += [each for each in _statements(world, end) if "role_key" in each[0]]
    sqlite = world.db.engine.dialect.name == "sqlite"
    with world.db.engine.connect() as connection:
        if not sqlite:
            # So small a table is read faster than an index of it: asked is whether each could be spared.
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        for statement, parameters in statements:
            if "FOR UPDATE" in statement:
                statement = statement.replace("FOR UPDATE", "")  # noqa: PLW2901 - a plan of a read
            explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
            plan = [str(row) for row in connection.exec_driver_sql(explain + statement, parameters)]
            for table in ("listings", "jobs", "descriptions"):
                scans = f"SCAN {table}" if sqlite else f"Seq Scan on {table}"
                assert not any(scans in line for line in plan), (statement, plan)
