"""Following jobs: stages, what is due, appointments, and how it goes, on both databases."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from metrics import catalogue
from metrics.testing import Captured
from scout import agenda, appointments, clock, funnel, jobs, pipeline, watchlist
from scout.appointments import AppointmentNotFound, AppointmentUnusable, Wish
from scout.database import Database
from scout.identity import merging
from scout.jobs import Edited, JobNotFound
from scout.models import Appointment, Job, Status, StatusChange
from scout.pipeline import Stage
from scout.telling.hours import HoursUnusable
from tests import kept

#: A Wednesday.
NOON = dt.datetime(2026, 6, 10, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def at(self, days: float) -> None:
        """So many days before or after that Wednesday."""
        self.time = NOON + dt.timedelta(days=days)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(clock, "now", lambda: moved.time)
    return moved


def follow(db: Database, time: Clock, *steps: tuple[Status, float], title: str = "IAM Engineer") -> int:
    """A job that is taken through steps, each so many days from that Wednesday."""
    with db.session() as session:
        number = kept.job(session, title, first_seen_at=NOON - 400 * DAY).id
    go(db, time, number, *steps)
    return number


def go(db: Database, time: Clock, job_id: int, *steps: tuple[Status, float]) -> None:
    for status, days in steps:
        time.at(days)
        with db.session() as session:
            jobs.change_status(session, job_id, status, "owner")
    time.at(0)


def wish(**changes: object) -> Wish:
    usual = {"what": "Interview", "begins": dt.datetime(2026, 6, 12, 10, 30), "timezone": "Europe/Zurich"}  # noqa: DTZ001 - the clock on the wall
    return Wish(**{**usual, **changes})  # type: ignore[arg-type]


def column(db: Database, stage: Stage) -> list[pipeline.Card]:
    with db.reading() as session:
        found = next(each for each in pipeline.board(session, "UTC") if each.stage is stage)
        return list(found.cards)


# --- Stages -----------------------------------------------------------------------------------------------


def test_each_job_stands_in_its_stage_and_what_was_never_applied_for_has_not_ended(
    any_database: Database, time: Clock
) -> None:
    db = any_database
    saved = follow(db, time, (Status.SAVED, -5))
    applied = follow(db, time, (Status.SAVED, -9), (Status.APPLIED, -3))
    offered = follow(db, time, (Status.APPLIED, -9), (Status.OFFER, -1))
    rejected = follow(db, time, (Status.APPLIED, -9), (Status.REJECTED, -2))
    given_up = follow(db, time, (Status.APPLIED, -9), (Status.DISMISSED, -2.5))
    follow(db, time, (Status.SAVED, -9), (Status.DISMISSED, -2))
    follow(db, time, (Status.DISMISSED, -2))
    follow(db, time)
    mistaken = follow(db, time, (Status.APPLIED, -4))
    with db.session() as session:
        jobs.undo(session, mistaken, "owner")
        jobs.change_status(session, mistaken, Status.DISMISSED, "owner")
    with db.reading() as session:
        found = {each.stage: [card.job.id for card in each.cards] for each in pipeline.board(session, "UTC")}
        assert found == {
            Stage.SAVED: [saved],
            Stage.APPLIED: [applied],
            Stage.INTERVIEWING: [],
            Stage.OFFER: [offered],
            Stage.ENDED: [rejected, given_up],
        }
        assert pipeline.counts(session) == {stage: len(ids) for stage, ids in found.items()}
    (card,) = column(db, Stage.APPLIED)
    assert card.since == NOON - 3 * DAY


def test_the_time_in_a_stage_is_since_the_step_that_led_there_though_a_later_one_was_undone(
    any_database: Database, time: Clock
) -> None:
    number = follow(any_database, time, (Status.SAVED, -8), (Status.APPLIED, -2))
    with any_database.session() as session:
        jobs.undo(session, number, "owner")
    (card,) = column(any_database, Stage.SAVED)
    assert card.since == NOON - 8 * DAY


def test_cards_come_by_their_next_date_and_then_the_newest_first_and_all_only_when_asked_for(
    any_database: Database, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = any_database
    old, new, planned, met, overdue = (
        follow(db, time, (Status.SAVED, days)) for days in (-30, -2, -20, -25, -28)
    )
    with db.session() as session:
        jobs.plan(session, planned, NOON.date() + 3 * DAY, "Apply")
        jobs.plan(session, overdue, NOON.date() - DAY, "Apply")
        appointments.add(session, met, wish())
        appointments.add(session, old, wish(begins=dt.datetime(2026, 6, 9, 10, 30)))  # noqa: DTZ001 - see above
        jobs.add_note(session, new, "First")
        jobs.add_note(session, new, "**Dana** " + "leads the team " * 20)
    cards = column(db, Stage.SAVED)
    assert [card.job.id for card in cards] == [overdue, met, planned, new, old]
    assert [card.overdue for card in cards] == [True, False, False, False, False]
    assert cards[1].meets is not None
    assert (cards[1].meets.hour, cards[1].meets.minute) == (8, 30)
    assert cards[4].appointment is None
    assert cards[3].note.startswith("Dana leads the team")
    assert cards[3].note.endswith("…")
    monkeypatch.setattr(pipeline, "FIRST", 2)
    with db.reading() as session:
        shown = pipeline.board(session, "UTC")[0]
        assert (len(shown.cards), shown.total, shown.more) == (2, 5, 3)
        assert len(pipeline.board(session, "UTC", whole=Stage.SAVED)[0].cards) == 5


@pytest.mark.parametrize(
    ("order", "titles"),
    [
        ("stage", ["b", "a", "c"]),
        ("-stage", ["c", "a", "b"]),
        ("next", ["c", "a", "b"]),
        ("-next", ["a", "c", "b"]),
        ("since", ["a", "b", "c"]),
        ("company", ["b", "c", "a"]),
    ],
)
def test_the_list_is_sorted_as_asked_and_what_has_no_date_stays_last(
    database: Database, time: Clock, order: Any, titles: list[str]
) -> None:
    a = follow(database, time, (Status.APPLIED, -9), title="a")
    b = follow(database, time, (Status.SAVED, -5), title="b")
    c = follow(database, time, (Status.APPLIED, -3), (Status.INTERVIEWING, -1), title="c")
    with database.session() as session:
        for number, company in ((a, "zeta"), (b, "Alpha"), (c, "beta")):
            session.get_one(Job, number).company = company
        jobs.plan(session, a, NOON.date() + 5 * DAY, "Write")
        jobs.plan(session, c, NOON.date() + DAY, "Write")
    with database.reading() as session:
        found = pipeline.every(session, "UTC", order.strip("-"), descending=order.startswith("-"))
        assert [card.job.title for card in found] == titles


@pytest.mark.parametrize(
    ("status", "moves"),
    [
        (Status.SAVED, {Stage.APPLIED: Status.APPLIED, Stage.ENDED: Status.DISMISSED}),
        (
            Status.APPLIED,
            {
                Stage.INTERVIEWING: Status.INTERVIEWING,
                Stage.OFFER: Status.OFFER,
                Stage.ENDED: Status.REJECTED,
            },
        ),
        (Status.REJECTED, {Stage.APPLIED: Status.APPLIED, Stage.INTERVIEWING: Status.INTERVIEWING}),
    ],
)
def test_a_card_may_go_where_its_status_may(status: Status, moves: dict[Stage, Status]) -> None:
    assert pipeline.moves(status) == moves


def test_a_card_is_told_as_json(database: Database, time: Clock) -> None:
    number = follow(database, time, (Status.APPLIED, -3))
    with database.session() as session:
        jobs.plan(session, number, NOON.date() - DAY, "Write")
        made = appointments.add(session, number, wish())
    (card,) = column(database, Stage.APPLIED)
    assert pipeline.as_dict(card) == {
        "id": number, "title": "IAM Engineer", "company": "Acme", "status": "applied", "version": 2,
        "stage": "applied", "since": "2026-06-07T12:00:00Z", "next_action": "Write",
        "next_action_on": "2026-06-09", "overdue": True, "next_day": "2026-06-09",
        "appointment": {"id": made.id, "what": "Interview", "starts_at": "2026-06-12T08:30:00Z"}, "note": "",
        "closed_at": None, "moves": {"interviewing": "interviewing", "offer": "offer", "ended": "rejected"},
    }  # fmt: skip


# --- Appointments -----------------------------------------------------------------------------------------


def test_an_appointment_keeps_the_time_that_was_agreed_in_its_zone(
    any_database: Database, time: Clock, emitted: Captured
) -> None:
    number = follow(any_database, time)
    with any_database.session() as session:
        made = appointments.add(session, number, wish(what=" Call\u202e  with Dana ", place="Room 5"))
    with any_database.reading() as session:
        found = appointments.get(session, number, made.id)
        assert found.what == "Call with Dana"
        assert found.starts_at == dt.datetime(2026, 6, 12, 8, 30, tzinfo=dt.UTC)
        assert found.ends_at - found.starts_at == dt.timedelta(hours=1)
        told = jobs.in_full(jobs.get(session, number))["appointments"]
        assert [(each["begins"], each["timezone"]) for each in told] == [
            ("2026-06-12T10:30", "Europe/Zurich")
        ]
    emitted.assert_incremented(catalogue.APPOINTMENT_CHANGES, change="added")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"what": " \n "}, "Say what"),
        ({"what": "x" * 201}, "200 characters, and has 201"),
        ({"place": "x" * 1001}, "1,000 characters"),
        ({"note": "x" * 20_001}, "20,000 characters"),
        ({"minutes": 0}, "1 to 1,440 minutes"),
        ({"minutes": 1441}, "1 to 1,440 minutes"),
        ({"begins": dt.datetime(1, 1, 1)}, "year 1 cannot"),  # noqa: DTZ001 - see above
        ({"begins": dt.datetime(9999, 12, 31, 23)}, "year 9999"),  # noqa: DTZ001 - see above
    ],
)
def test_an_appointment_that_cannot_be_is_refused_in_words(
    database: Database, time: Clock, changes: dict[str, object], words: str
) -> None:
    number = follow(database, time)
    with database.session() as session, pytest.raises(AppointmentUnusable, match=words):
        appointments.add(session, number, wish(**changes))


def test_an_unknown_zone_job_or_number_is_refused(database: Database, time: Clock) -> None:
    number = follow(database, time)
    with database.session() as session:
        with pytest.raises(HoursUnusable, match="no time zone 'Nowhere'"):
            appointments.add(session, number, wish(timezone="Nowhere"))
        with pytest.raises(JobNotFound):
            appointments.add(session, 99, wish())
        made = appointments.add(session, number, wish())
        for job_id, appointment_id in ((99, made.id), (number, 99), (number, 2**40)):
            with pytest.raises(AppointmentNotFound):
                appointments.get(session, job_id, appointment_id)


def test_a_change_is_counted_up_and_one_that_changes_nothing_is_not(
    any_database: Database, time: Clock, emitted: Captured
) -> None:
    number = follow(any_database, time)
    with any_database.session() as session:
        made = appointments.add(session, number, wish())
    time.at(1)
    with any_database.session() as session:
        assert appointments.change(session, number, made.id, wish(), sequence=7).sequence == 0
        changed = appointments.change(session, number, made.id, wish(minutes=30), sequence=0)
        assert (changed.sequence, changed.updated_at) == (1, NOON + DAY)
        with pytest.raises(Edited, match="changed meanwhile"):
            appointments.change(session, number, made.id, wish(minutes=45), sequence=0)
    emitted.assert_incremented(catalogue.APPOINTMENT_CHANGES, change="changed")


def test_a_removed_appointment_comes_back_as_the_same_one(
    any_database: Database, time: Clock, emitted: Captured
) -> None:
    number = follow(any_database, time)
    with any_database.session() as session:
        made = appointments.add(session, number, wish(note="Bring the keys"))
        was = appointments.remove(session, number, made.id)
        assert was is not None
        assert appointments.remove(session, number, made.id) is None
    with any_database.session() as session:
        back = appointments.put_back(session, was)
        assert appointments.put_back(session, was).id == back.id
        assert (back.uid, back.note, back.starts_at, back.sequence) == (
            made.uid, "Bring the keys", made.starts_at, 1,
        )  # fmt: skip
    with any_database.session() as session:
        session.delete(session.get_one(Job, number))
        session.flush()
        with pytest.raises(JobNotFound):
            appointments.put_back(session, was)
    emitted.assert_incremented(catalogue.APPOINTMENT_CHANGES, change="removed")
    emitted.assert_incremented(catalogue.APPOINTMENT_CHANGES, 2, change="added")


def test_appointments_go_along_when_jobs_are_merged_and_split_again(database: Database, time: Clock) -> None:
    with database.session() as session:
        first = kept.job(session, at=kept.source(session))
        other = kept.job(session, at=kept.source(session, "globex"))
        appointments.add(session, other.id, wish())
    with database.session() as session:
        merging.merge(session, first.id, other.id, by="owner")
    with database.session() as session:
        assert [each.job_id for each in session.scalars(select(Appointment))] == [first.id]
        listing = next(each for each in jobs.get(session, first.id).listings if each.merged)
        merging.split(session, first.id, listing.id, by="owner")
    with database.reading() as session:
        assert [each.job_id for each in session.scalars(select(Appointment))] == [other.id]


def test_a_job_with_an_appointment_outlives_its_board(database: Database, time: Clock) -> None:
    with database.session() as session:
        source = kept.source(session)
        number = kept.job(session, at=source).id
        kept.job(session, "Another", at=source)
        appointments.add(session, number, wish())
    with database.session() as session:
        watchlist.remove(session, "acme")
    with database.reading() as session:
        assert session.scalars(select(Job.id)).all() == [number]


# --- What is due ------------------------------------------------------------------------------------------


def test_what_is_due_is_told_by_the_days_of_the_owner(any_database: Database, time: Clock) -> None:
    db = any_database
    late, today, soon, far, gone, met = (follow(db, time, (Status.SAVED, -9), title=f"{n}") for n in range(6))
    with db.session() as session:
        for number, days in ((late, -2), (today, 0), (soon, 7), (far, 8), (gone, 0)):
            jobs.plan(session, number, NOON.date() + days * DAY, "Write")
        jobs.change_status(session, gone, Status.DISMISSED, "owner")
        appointments.add(session, met, wish(begins=dt.datetime(2026, 6, 11, 0, 30)))  # noqa: DTZ001 - see above
        appointments.add(session, met, wish(begins=dt.datetime(2026, 6, 10, 13, 30), minutes=30))  # noqa: DTZ001
        appointments.add(session, gone, wish())
    with db.reading() as session:
        found = agenda.due(session, "Europe/Zurich")
        # It is 14:00 in Zurich: the one of 13:30 has just ended.
        assert [each.job.id for each in found.overdue] == [late]
        assert [each.job.id for each in found.today] == [today]
        assert [(each.job.id, each.words) for each in found.soon] == [
            (met, "00:30 Interview"),
            (soon, "Write"),
        ]
        assert len(found) == 4
        elsewhere = agenda.due(session, "America/New_York")
        assert [each.words for each in elsewhere.today] == ["18:30 Interview", "Write"]


# --- How it goes ------------------------------------------------------------------------------------------


def test_the_funnel_counts_jobs_by_what_they_reached_and_what_was_taken_back_does_not_count(
    any_database: Database, time: Clock
) -> None:
    db = any_database
    follow(
        db, time, (Status.SAVED, -40), (Status.APPLIED, -30), (Status.INTERVIEWING, -20), (Status.OFFER, -10)
    )
    follow(db, time, (Status.APPLIED, -30), (Status.REJECTED, -26))
    follow(db, time, (Status.SAVED, -5))
    follow(db, time, (Status.DISMISSED, -5))
    undone = follow(db, time, (Status.SAVED, -8), (Status.APPLIED, -7))
    with db.session() as session:
        jobs.undo(session, undone, "owner")
    follow(db, time, (Status.SAVED, -8), (Status.APPLIED, -7), (Status.NEW, -6))
    again = follow(db, time, (Status.SAVED, -80), (Status.NEW, -70), (Status.APPLIED, -3))
    with db.reading() as session:
        found = funnel.of(session, "UTC")
        assert list(found.reached.values()) == [5, 3, 1, 1]
        assert (found.answered.applied, found.answered.answered) == (3, 2)
        stays = {stay.stage: stay for stay in found.stays}
        assert stays[Status.APPLIED].quartiles == pytest.approx((5.5, 7.0, 8.5))
        assert stays[Status.SAVED].quartiles == pytest.approx((10, 10, 10))
        assert (stays[Status.SAVED].still, stays[Status.APPLIED].still) == (2, 1)
        assert stays[Status.OFFER].quartiles is None
        within = funnel.of(session, "UTC", "30")
        # Exactly thirty days ago counts; the one that was taken up anew counts from then.
        assert within.reached[Status.SAVED] == 4
        assert again
    assert funnel.as_dict(found)["stays"][1]["days"] == [5.5, 7.0, 8.5]


def test_applications_are_told_by_week_board_and_score(any_database: Database, time: Clock) -> None:
    db = any_database
    with db.session() as session:
        boards = [kept.source(session, f"board-{number:02}") for number in range(12)]
        ids = [
            kept.job(session, f"{number}", at=board, score=70 if number else 10).id
            for number, board in enumerate(boards)
        ]
        kept.listed(session, session.get_one(Job, ids[0]), boards[1])
    for number in ids:
        go(db, time, number, (Status.APPLIED, -15 if number == ids[0] else -1))
    go(db, time, ids[0], (Status.INTERVIEWING, -2))
    with db.reading() as session:
        found = funnel.of(session, "UTC", "all")
    assert found.weeks == [
        (dt.date(2026, 5, 25), 1), (dt.date(2026, 6, 1), 0), (dt.date(2026, 6, 8), 11),
    ]  # fmt: skip
    assert [(each.name, each.applied, each.answered) for each in found.by_score] == [
        ("60 and more", 11, 0),
        ("below 30", 1, 1),
    ]
    assert [(each.name, each.applied, each.answered) for each in found.by_board][:2] == [
        ("Board-01", 2, 1),
        ("Board-00", 1, 1),
    ]
    assert (found.by_board[-1].name, found.by_board[-1].applied) == ("2 other boards", 2)
    assert found.by_board[0].share == pytest.approx(0.5)


def test_nothing_taken_up_is_told_as_nothing(database: Database, time: Clock) -> None:
    with database.reading() as session:
        found = funnel.of(session, "UTC", "90")
    assert (found.jobs, found.weeks, found.answered.share) == (0, [], 0.0)
    assert funnel.as_dict(found)["since"] == "2026-03-12T12:00:00Z"


def test_steps_that_a_merge_brought_out_of_order_do_no_harm(database: Database, time: Clock) -> None:
    number = follow(database, time, (Status.SAVED, -3), (Status.APPLIED, -2))
    with database.session() as session:
        session.add(
            StatusChange(
                job_id=number, from_status=Status.SAVED, to_status=Status.INTERVIEWING, at=NOON - 90 * DAY,
                by="owner",
            )
        )  # fmt: skip
    with database.reading() as session:
        stays = {stay.stage: stay.seconds for stay in funnel.of(session, "UTC").stays}
    assert stays[Status.APPLIED] == [0.0]
