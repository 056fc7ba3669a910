from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import feedparser
import pytest
from flask import Flask

from scout import searches
from scout.database import Database
from scout.jobs import change_status
from scout.models import Status, Tells
from scout.searches import Wish
from scout.settings import Settings
from tests import kept
from tests.unit.web.browser import Browser

KEY = "k" * 64


@pytest.fixture
def db(app: Flask) -> Database:
    database: Database = app.extensions["scout"].database
    return database


@pytest.fixture
def visitor(app: Flask) -> Browser:
    """A feed reader: it has not signed in."""
    return Browser(app)


def save(db: Database, **wish: object) -> str:
    """A saved search; the secret of its feed."""
    with db.session() as session:
        usual = {"name": "Remote <IAM>", "tells": Tells.FEED, "timezone": "UTC"}
        return searches.feed_token(searches.add(session, Wish(**{**usual, **wish}), []), KEY)  # type: ignore[arg-type]


def put(db: Database, title: str = "IAM Engineer", **fields: Any) -> int:
    with db.session() as session:
        return kept.job(session, title, **fields).id


def test_a_reader_that_knows_the_secret_sees_what_the_search_matches(db: Database, visitor: Browser) -> None:
    token = save(db, query={"min_score": 50})
    put(db, "Weak", score=10)
    gone = put(db, "Gone", score=90)
    with db.session() as session:
        change_status(session, gone, Status.DISMISSED, by="owner")
    changed = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
    number = put(
        db, score=70, first_seen_at=kept.DAY, changed_at=changed, locations=["Bern"],
        reasons=[{"term": "IAM", "where": "title", "points": 60}],
    )  # fmt: skip
    answer = visitor.get(f"/feeds/{token}.atom")
    assert (answer.status_code, answer.content_type) == (200, "application/atom+xml; charset=utf-8")
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert feed.version == "atom10"
    assert feed.feed.title == "Remote <IAM>"
    assert feed.feed.updated == "2026-03-04T05:06:07Z"
    (entry,) = feed.entries
    assert entry.title == "IAM Engineer, Acme"
    assert entry.link == f"http://localhost:5000/jobs/{number}"
    assert (entry.published, entry.updated) == ("2026-03-01T12:00:00Z", "2026-03-04T05:06:07Z")
    assert "Score 70: IAM (title)" in entry.content[0].value
    assert {link.rel for link in entry.links} == {"alternate", "related"}
    (item,) = json.loads(visitor.get(f"/feeds/{token}.json").data)["items"]
    assert item["id"] == entry.id
    assert item["external_url"] == "https://example.com/1"


def test_a_json_feed_is_version_1_1(db: Database, visitor: Browser) -> None:
    token = save(db)
    answer = visitor.get(f"/feeds/{token}.json")
    assert answer.content_type == "application/feed+json; charset=utf-8"
    assert json.loads(answer.data) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Remote <IAM>",
        "home_page_url": "http://localhost:5000/",
        "feed_url": f"http://localhost:5000/feeds/{token}.json",
        "items": [],
    }


def test_ids_stay_when_the_secret_or_the_address_of_the_pages_changes(
    app: Flask, db: Database, visitor: Browser, settings: Settings
) -> None:
    token = save(db)
    put(db)
    before = feedparser.parse(visitor.get(f"/feeds/{token}.atom").data)
    with db.session() as session:
        token = searches.feed_token(searches.renew_feed(session, "remote-iam"), KEY)
    object.__setattr__(app.extensions["scout"].settings, "public_url", "https://jobs.example.com")
    after = feedparser.parse(visitor.get(f"/feeds/{token}.atom").data)
    assert (after.feed.id, after.entries[0].id) == (before.feed.id, before.entries[0].id)
    assert before.entries[0].id.startswith("tag:")
    assert after.entries[0].link.startswith("https://jobs.example.com/jobs/")


def test_a_wrong_secret_an_old_one_and_a_search_that_is_off_are_not_there(
    db: Database, visitor: Browser
) -> None:
    token = save(db)
    with db.session() as session:
        searches.renew_feed(session, "remote-iam")
    off = save(db, name="Off", enabled=False)
    for wrong in (token, token[:-1] + "x", "1", "1-", "é", off, "%00", "1-" + "0" * 40):
        for form in ("atom", "json"):
            assert visitor.get(f"/feeds/{wrong}.{form}").status_code == 404, wrong
    assert visitor.get(f"/feeds/{token}.rss").status_code == 303, "no public page: sign in"


def test_a_reader_that_has_the_feed_gets_no_second_copy(db: Database, visitor: Browser) -> None:
    token = save(db)
    put(db)
    for form in ("atom", "json"):
        first = visitor.get(f"/feeds/{token}.{form}")
        again = visitor.get(f"/feeds/{token}.{form}", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert first.headers["Cache-Control"] == "no-store"
    put(db, "Another")
    changed = visitor.get(f"/feeds/{token}.json", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_a_feed_holds_the_newest_hundred(db: Database, visitor: Browser) -> None:
    token = save(db)
    with db.session() as session:
        for n in range(120):
            kept.job(session, f"Job {n}", first_seen_at=kept.DAY + dt.timedelta(minutes=n))
    entries = feedparser.parse(visitor.get(f"/feeds/{token}.atom").data).entries
    assert [entry.title for entry in entries] == [f"Job {n}, Acme" for n in range(119, 19, -1)]


def test_what_boards_write_does_no_harm(db: Database, visitor: Browser) -> None:
    token = save(db)
    put(
        db, "<script>alert(1)</script>\x0b\ufffe & \U0001f600", company="]]>", url="javascript:alert(1)",
        locations=["<img src=x onerror=alert(1)>"], salary={"raw": "\x01<b>"},
    )  # fmt: skip
    answer = visitor.get(f"/feeds/{token}.atom")
    feed = feedparser.parse(answer.data)
    assert not feed.bozo
    assert "<script" not in answer.text
    assert "<img" not in feed.entries[0].content[0].value
    (item,) = json.loads(visitor.get(f"/feeds/{token}.json").data)["items"]
    assert item["title"] == "<script>alert(1)</script> & \U0001f600, ]]>", "a title is plain text"
    assert "<img" not in item["content_html"]
    assert "external_url" not in item


def test_a_feed_costs_few_statements(db: Database, visitor: Browser) -> None:
    from sqlalchemy import event  # noqa: PLC0415 - for this test alone

    token = save(db)
    for _ in range(30):
        put(db)
    seen: list[str] = []
    hear: Callable[..., None] = lambda *arguments: seen.append(arguments[2])  # noqa: E731 - an event's listener
    event.listen(db.engine, "before_cursor_execute", hear)
    visitor.get(f"/feeds/{token}.json")
    event.remove(db.engine, "before_cursor_execute", hear)
    assert len([each for each in seen if each.startswith("SELECT")]) <= 5
