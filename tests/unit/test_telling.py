"""Rounds of telling, in the test's own process, with servers that take messages or do not."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
import redis
from rq.exceptions import DuplicateJobError
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from metrics import catalogue
from metrics.testing import Captured
from scout import jobs, searches
from scout.models import Every, FoundJob, Message, MessageState, Status, Tells
from scout.searches import Wish
from scout.telling import asking, outbox, teller
from scout.telling.teller import Told
from tests.serving import reply
from tests.telling_world import NOON, Hook, Post, Telling, any_telling, hook, post, telling
from workers import sampler

__all__ = ["any_telling", "hook", "post", "telling"]


def titles(hook: Hook) -> list[str]:
    return [body["title"] for body in hook.bodies]


def test_a_new_job_is_told_once_and_those_before_the_search_never(
    any_telling: Telling, hook: Hook, emitted: Captured
) -> None:
    any_telling.write_channels(hook=hook.address)
    for n in range(30):
        any_telling.job(f"Old {n}")
    any_telling.add("hook", query={"min_score": 50})
    assert any_telling.tell() == Told()
    any_telling.later(minutes=5)
    any_telling.job("Weak", score=40)
    any_telling.job("IAM Engineer")
    assert any_telling.tell() == Told(found=1, sent=1)
    for _ in range(3):
        any_telling.later(minutes=10)
        assert any_telling.tell() == Told()
    assert titles(hook) == ["IAM: IAM Engineer, Acme"]
    assert hook.bodies[0]["message"].count("http://localhost:5000/jobs/32") == 1
    (message,) = any_telling.messages()
    assert (message.state, message.jobs, message.attempts) == (MessageState.SENT, 1, 1)
    emitted.assert_incremented(catalogue.MESSAGES, 1, channel="json", outcome="sent")
    emitted.assert_observed(catalogue.MESSAGE_DURATION, 1, channel="json", outcome="sent")


def test_a_job_that_comes_to_match_when_it_is_edited_is_told(any_telling: Telling, hook: Hook) -> None:
    any_telling.write_channels(hook=hook.address)
    number = any_telling.job("Engineer", score=10)
    any_telling.add("hook", query={"min_score": 50})
    any_telling.later(days=3)
    any_telling.tell()
    any_telling.later(days=3)
    any_telling.move(number, score=80, changed_at=any_telling.time)
    assert any_telling.tell().sent == 1


def test_a_job_whose_transaction_was_open_at_the_last_look_is_not_missed(
    any_telling: Telling, hook: Hook
) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook")
    any_telling.later(minutes=20)
    any_telling.tell()
    any_telling.later(minutes=1)
    any_telling.job(first_seen_at=any_telling.time - dt.timedelta(minutes=10))
    assert any_telling.tell().sent == 1


def test_scores_computed_anew_are_looked_through_on_demand(telling: Telling, hook: Hook) -> None:
    telling.write_channels(hook=hook.address)
    number = telling.job(score=10)
    telling.add("hook", query={"min_score": 50})
    telling.later(days=1)
    telling.tell()
    telling.move(number, score=80)
    assert telling.tell().sent == 0
    with telling.db.session() as session:
        searches.look_at_all(session)
    assert telling.tell().sent == 1


@pytest.mark.parametrize(
    "wish",
    [Wish(query={}), Wish(enabled=True), Wish(tells=Tells.INSTANT)],
    ids=["another query", "on again", "no longer by the feed alone"],
)
def test_a_search_that_finds_more_by_its_owner_s_change_begins_from_now(
    telling: Telling, hook: Hook, wish: Wish
) -> None:
    telling.write_channels(hook=hook.address)
    if wish.query is not None:
        telling.add("hook", query={"min_score": 90})
    elif wish.enabled:
        telling.add("hook", enabled=False)
    else:
        telling.add("hook", tells=Tells.FEED)
    telling.later(minutes=1)
    for n in range(5):
        telling.job(f"Old {n}")
    telling.tell()
    with telling.db.session() as session:
        searches.change(session, "iam", wish, ["hook"])
    telling.later(minutes=1)
    assert telling.tell() == Told()
    telling.job("New")
    assert telling.tell().sent == 1
    assert titles(hook) == ["IAM: New, Acme"]


def test_a_search_that_changes_while_it_is_looked_for_keeps_nothing_of_what_it_was(
    any_telling: Telling, hook: Hook
) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook")
    before = any_telling.search()
    any_telling.job()
    with any_telling.db.session() as session:
        searches.change(session, "iam", Wish(query={"min_score": 99}), ["hook"])
    assert outbox.look(any_telling.db, before) == 0
    assert any_telling.tell() == Told()


def test_each_channel_is_told_by_itself(telling: Telling, hook: Hook, post: Post) -> None:
    telling.write_channels(hook=hook.address, mail=post.address())
    telling.add("hook", "mail")
    telling.job()
    post.answer = "451 later"
    assert telling.tell() == Told(found=1, sent=1, failed=1)
    post.answer = "250 taken"
    telling.later(minutes=2)
    assert telling.tell() == Told(sent=1)
    assert (len(hook.bodies), len(post.taken)) == (1, 1)


def test_what_was_dismissed_or_closed_meanwhile_is_not_told(
    telling: Telling, hook: Hook, emitted: Captured
) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook", quiet="11:00-13:00")
    dismissed, closed = telling.job("Dismissed"), telling.job("Closed")
    assert telling.tell() == Told(found=2)
    with telling.db.session() as session:
        jobs.change_status(session, dismissed, Status.DISMISSED, by="owner")
        jobs.close(session, jobs.get(session, closed))
    telling.later(hours=2)
    assert telling.tell() == Told(empty=1)
    assert hook.asked == []
    assert [each.state for each in telling.messages()] == [MessageState.EMPTY]
    emitted.assert_incremented(catalogue.MESSAGES, 1, channel="json", outcome="empty")


def test_quiet_hours_hold_messages_back_and_then_bundle_them(any_telling: Telling, hook: Hook) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook", quiet="22:00-07:00", timezone="Asia/Tokyo")  # it is 21:00 there
    for hour in range(11):
        any_telling.job(f"Job {hour}", score=hour)
        any_telling.tell()
        any_telling.later(hours=1)
    assert titles(hook) == ["IAM: Job 0, Acme", "IAM: 10 new jobs"]
    shown = hook.bodies[1]["message"]
    assert shown.index("Job 10") < shown.index("Job 9") < shown.index("Job 1,"), "best first"


def test_a_failed_message_is_not_tried_again_in_quiet_hours(telling: Telling, hook: Hook) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook", quiet="12:30-14:00")
    telling.job()
    hook.answer = reply(b"no", 500)
    assert telling.tell().failed == 1
    hook.answer = reply(b"ok")
    telling.later(minutes=45)
    assert telling.tell() == Told()
    telling.later(hours=2)
    assert telling.tell() == Told(sent=1)


def test_a_digest_comes_once_at_its_hour_with_all_that_was_found(any_telling: Telling, post: Post) -> None:
    any_telling.write_channels(mail=post.address())
    any_telling.add("mail", tells=Tells.DIGEST, hour=8)
    for n in range(25):
        any_telling.job(f"Job {n}", score=n)
        any_telling.tell()
        any_telling.later(minutes=10)
    assert post.taken == []
    any_telling.later(hours=20)
    assert any_telling.tell() == Told(sent=1)
    assert any_telling.tell() == Told()
    ((_, message),) = post.taken
    text = message.get_body(("plain",))
    assert text is not None
    assert message["Subject"] == "IAM: 25 new jobs"
    assert "and 5 more" in text.get_content()
    any_telling.later(days=1)
    assert any_telling.tell() == Told(), "nothing new is no message"
    assert any_telling.search().digest_at == dt.datetime(2026, 3, 5, 8, tzinfo=dt.UTC)


def test_missed_digests_are_one(telling: Telling, post: Post) -> None:
    telling.write_channels(mail=post.address())
    telling.add("mail", tells=Tells.DIGEST, every=Every.WEEKLY, hour=8)
    telling.job()
    assert telling.tell() == Told(found=1)
    telling.later(days=30)
    assert telling.tell() == Told(sent=1)
    assert telling.tell() == Told()
    assert len(post.taken) == 1


def test_a_search_that_tells_by_its_feed_alone_or_is_off_sends_nothing(telling: Telling, hook: Hook) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook", tells=Tells.FEED)
    telling.add("hook", name="Off", enabled=False)
    telling.job()
    assert telling.tell() == Told()
    assert not outbox.wanted(telling.db)


# --- Trouble ----------------------------------------------------------------------------------------------


def test_a_channel_that_fails_is_tried_again_with_growing_pauses_and_then_parked(
    any_telling: Telling, hook: Hook, emitted: Captured
) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook")
    any_telling.job()
    hook.answer = reply(b"no", 500)
    for pause in outbox.PAUSES:
        assert any_telling.tell().failed == 1
        any_telling.later(seconds=pause - 1)
        assert any_telling.tell() == Told()
        any_telling.later(seconds=1)
    assert any_telling.tell() == Told(parked=1)
    any_telling.later(days=9)
    assert any_telling.tell() == Told()
    (message,) = any_telling.messages()
    assert message.state is MessageState.PARKED
    assert message.reason == "The service did not take the message: it answered 500."
    emitted.assert_incremented(catalogue.MESSAGES, len(outbox.PAUSES), channel="json", outcome="failed")
    emitted.assert_incremented(catalogue.MESSAGES, 1, channel="json", outcome="parked")
    emitted.assert_observed(catalogue.MESSAGE_DURATION, outbox.TRIES, channel="json", outcome="failed")
    hook.answer = reply(b"ok")
    with any_telling.db.session() as session:
        assert outbox.take_up_parked(session, any_telling.search().id) == 1
    assert any_telling.tell() == Told(sent=1)
    assert len({each.headers["idempotency-key"] for each in hook.asked}) == 1, "the same key at every try"


def test_a_channel_that_is_gone_from_the_file_is_told_and_found_when_it_is_back(
    telling: Telling, hook: Hook, emitted: Captured
) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    telling.job()
    telling.write_channels()
    assert telling.tell().failed == 1
    emitted.assert_incremented(catalogue.MESSAGES, 1, channel="unknown", outcome="failed")
    assert "There is no channel 'hook' in" in telling.messages()[0].reason
    telling.write_channels(hook=hook.address)
    telling.later(minutes=2)
    assert telling.tell() == Told(sent=1)


def test_a_file_of_channels_that_cannot_be_used_is_the_reason(
    telling: Telling, hook: Hook, emitted: Captured
) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    telling.job()
    telling.settings.channels_file.chmod(0o644)
    assert telling.tell().failed == 1
    assert "chmod 600" in telling.messages()[0].reason
    emitted.assert_incremented(catalogue.APP_ERRORS, 1, type="ChannelsUnusable", place="tell")


def test_a_teller_that_dies_while_it_sends_leaves_a_message_that_is_sent_again_with_its_key(
    any_telling: Telling, hook: Hook
) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook")
    any_telling.job()
    any_telling.write_channels()
    any_telling.tell()  # puts it together; nothing to send it by
    any_telling.write_channels(hook=hook.address)
    any_telling.later(minutes=2)
    (message,) = any_telling.messages()
    dead = outbox.claim(any_telling.db, message.id, "dies")
    assert dead is not None
    assert any_telling.tell() == Told(), "its claim still holds"
    any_telling.later(seconds=outbox.LEASE + 1)
    assert any_telling.tell() == Told(sent=1)
    assert hook.asked[0].headers["idempotency-key"] == dead.key
    assert not outbox.sent(any_telling.db, dead, 1), "a late one writes nothing"
    assert not outbox.failed(any_telling.db, dead, "late")
    assert any_telling.messages()[0].state is MessageState.SENT


def test_a_message_that_kills_every_teller_is_parked(telling: Telling, hook: Hook) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    telling.job()
    telling.settings.channels_file.unlink()
    telling.tell()
    telling.write_channels(hook=hook.address)
    for _ in range(outbox.TRIES - 1):
        telling.later(days=1)
        assert outbox.claim(telling.db, telling.messages()[0].id, "dies") is not None
    telling.later(days=1)
    assert telling.tell() == Told(parked=1)
    assert "died before it was done" in telling.messages()[0].reason
    assert hook.asked == []


def test_one_message_is_claimed_by_one_teller(any_telling: Telling, hook: Hook) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook")
    any_telling.job()
    any_telling.write_channels()
    any_telling.tell()
    any_telling.later(minutes=2)
    number = any_telling.messages()[0].id
    claims = [outbox.claim(any_telling.db, number, f"w{n}") for n in range(3)]
    assert [each is not None for each in claims] == [True, False, False]


def test_a_sent_message_is_noted_although_the_database_was_away_for_a_moment(
    telling: Telling, hook: Hook, monkeypatch: pytest.MonkeyPatch, emitted: Captured
) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    telling.job()
    monkeypatch.setattr(teller, "_DATABASE_PAUSES", (0.0, 0.0))
    tries = []
    real = outbox.sent

    def away(*arguments: object) -> bool:
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError("UPDATE", {}, Exception("database is locked"))
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "sent", away)
    assert telling.tell() == Told(found=1, sent=1)
    assert telling.messages()[0].state is MessageState.SENT
    emitted.assert_incremented(catalogue.APP_ERRORS, 2, type="OperationalError", place="tell")
    tries.clear()
    monkeypatch.setattr(teller, "_DATABASE_PAUSES", ())
    telling.job()
    with pytest.raises(OperationalError):
        telling.tell()
    monkeypatch.setattr(outbox, "sent", real)
    telling.later(seconds=outbox.LEASE + 1)
    assert telling.tell() == Told(sent=1), "sent twice rather than never"


def test_a_search_that_cannot_be_read_keeps_no_other_from_telling(
    telling: Telling, hook: Hook, emitted: Captured
) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    telling.add("hook", name="Other")
    with telling.db.session() as session:
        searches.get(session, "iam").query = {"distance": 5}
    telling.job()
    assert telling.tell() == Told(found=1, sent=1)
    emitted.assert_incremented(catalogue.APP_ERRORS, 1, type="SearchUnusable", place="tell")


def test_a_teller_that_is_told_to_stop_begins_no_further_message(telling: Telling, hook: Hook) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    telling.job()
    stop = threading.Event()
    stop.set()
    assert teller.tell(telling.db, telling.settings, worker="w", stop=stop) == Told(found=1)
    assert hook.asked == []


# --- Whether there is something to do ---------------------------------------------------------------------


def test_a_teller_is_wanted_when_it_would_find_something(any_telling: Telling, hook: Hook) -> None:
    any_telling.write_channels(hook=hook.address)
    assert not outbox.wanted(any_telling.db)
    any_telling.add("hook", quiet="13:00-14:00")
    any_telling.later(seconds=1)
    assert not outbox.wanted(any_telling.db)
    any_telling.job()
    assert outbox.wanted(any_telling.db), "a new job"
    any_telling.later(seconds=1)
    hook.answer = reply(b"no", 500)
    any_telling.tell()
    any_telling.later(seconds=1)
    assert not outbox.wanted(any_telling.db), "the failed message waits"
    any_telling.later(minutes=1)
    assert outbox.wanted(any_telling.db), "its pause is over"
    hook.answer = reply(b"ok")
    any_telling.tell()
    any_telling.later(seconds=outbox.LOOK_EVERY)
    assert outbox.wanted(any_telling.db), "a look through what a late transaction may have brought"


def test_a_teller_is_wanted_when_quiet_hours_end_or_a_digest_is_due(telling: Telling, hook: Hook) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook", quiet="11:00-12:04")
    telling.job()
    telling.later(seconds=1)
    telling.tell()
    telling.later(seconds=1)
    assert not outbox.wanted(telling.db)
    telling.later(minutes=4)
    assert outbox.wanted(telling.db)
    telling.tell()
    with telling.db.session() as session:
        searches.change(session, "iam", Wish(tells=Tells.DIGEST, hour=13), ["hook"])
    telling.later(minutes=1)
    telling.tell()
    telling.later(seconds=1)
    assert not outbox.wanted(telling.db)
    telling.time = NOON + dt.timedelta(minutes=58)
    telling.tell()
    telling.later(minutes=1)
    assert not outbox.wanted(telling.db)
    telling.later(minutes=1)
    assert outbox.wanted(telling.db)


def test_figures_tell_what_waits_for_how_long_and_what_is_parked(any_telling: Telling, hook: Hook) -> None:
    any_telling.write_channels(hook=hook.address)
    any_telling.add("hook")
    with any_telling.db.reading() as session:
        assert outbox.figures(session) == outbox.Outbox(0, 0, 0.0)
    hook.answer = reply(b"no", 500)
    any_telling.job()
    any_telling.tell()
    any_telling.later(minutes=30)
    any_telling.job()
    any_telling.tell()
    with any_telling.db.session() as session:
        session.add(
            Message(search_id=any_telling.search().id, batch="b", channel="x", state=MessageState.PARKED)
        )
    with any_telling.db.reading() as session:
        assert outbox.figures(session) == outbox.Outbox(waiting=2, parked=1, oldest=1800.0)


def test_the_sampler_tells_what_is_in_the_outbox(telling: Telling, hook: Hook, emitted: Captured) -> None:
    telling.write_channels(hook=hook.address)
    telling.add("hook")
    hook.answer = reply(b"no", 500)
    telling.job()
    telling.tell()
    with telling.db.session() as session:
        session.add(Message(search_id=telling.search().id, batch="b", channel="x", state=MessageState.PARKED))
    telling.later(seconds=90)
    sampler.sample_database(telling.db, telling.settings)
    emitted.assert_gauge(catalogue.MESSAGES_IN_OUTBOX, 1, state="waiting")
    emitted.assert_gauge(catalogue.MESSAGES_IN_OUTBOX, 1, state="parked")
    emitted.assert_gauge(catalogue.OUTBOX_OLDEST_AGE, 90)


class Queue:
    """Takes the place of a queue in Redis: what it was asked, and what it answers."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[dict[str, Any]] = []
        self.queue = self

    def enqueue_call(self, function: str, **options: Any) -> None:
        self.asked.append({"function": function, **options})
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "asked", "counted"),
    [(None, True, 1), (DuplicateJobError("there"), False, 0), (redis.ConnectionError("away"), False, 0)],
    ids=["taken", "there already", "away"],
)
def test_asking_for_a_round_counts_what_the_queue_takes(
    emitted: Captured, error: Exception | None, counted: int, *, asked: bool
) -> None:
    queue = Queue(error)
    assert asking.ask(queue) is asked  # type: ignore[arg-type]
    assert (queue.asked[0]["function"], queue.asked[0]["unique"]) == ("workers.jobs.tell", True)
    if counted:
        emitted.assert_incremented(catalogue.RQ_JOBS_ENQUEUED, 1, queue="scans", function="tell")
    else:
        emitted.assert_no_metrics(catalogue.RQ_JOBS_ENQUEUED)
    if isinstance(error, redis.ConnectionError):
        emitted.assert_incremented(catalogue.APP_ERRORS, 1, type="ConnectionError", place="queue")


def test_pairs_are_kept_once(any_telling: Telling) -> None:
    search = any_telling.add(tells=Tells.FEED)
    numbers = [any_telling.job() for _ in range(3)]
    with any_telling.db.session() as session:
        searches.keep(session, search.id, numbers[:2], batch="told")
        searches.keep(session, search.id, numbers, batch=None)
    with any_telling.db.reading() as session:
        rows = session.scalars(select(FoundJob.batch).order_by(FoundJob.job_id)).all()
    assert list(rows) == ["told", "told", None]
