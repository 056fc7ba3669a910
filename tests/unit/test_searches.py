from __future__ import annotations

from typing import Any

import pytest

from scout import searches
from scout.errors import ScoutError
from scout.jobs import JobQuery
from scout.models import Every, FoundJob, Status, Tells
from scout.searches import LIVE, SearchNotFound, SearchUnusable, Wish
from scout.telling.hours import HoursUnusable
from scout.watchlist import UnknownSource
from tests import kept
from tests.telling_world import NOON, Telling, any_telling, telling

__all__ = ["any_telling", "telling"]

KEY = "k" * 64


def test_a_search_is_kept_with_what_it_looks_for_and_how_it_tells(any_telling: Telling) -> None:
    any_telling.write_channels(phone="ntfys://topic")
    with any_telling.db.session() as session:
        kept.source(session, "acme")
        searches.add(
            session,
            Wish(
                name="  Remote   IAM ",
                query={"text": " okta  remote\x00 ", "statuses": ("new", "saved"), "min_score": 60,
                       "source": "acme", "sort": "newest"},
                tells=Tells.DIGEST, every=Every.WEEKLY, hour=7, weekday=4, channels=("phone", "phone"),
                quiet="22:00-07:00", timezone="Europe/Zurich",
            ),
            ["phone"],
        )  # fmt: skip
    search = any_telling.search("remote-iam")
    assert search.name == "Remote IAM"
    assert search.query == {
        "text": "okta remote", "statuses": ["new", "saved"], "min_score": 60, "source": "acme"
    }  # fmt: skip
    assert searches.query_of(search, per_page=5) == JobQuery(
        text="okta remote", statuses=(Status.NEW, Status.SAVED), min_score=60, source="acme", per_page=5
    )
    assert search.channels == ["phone"]
    assert search.digest_at is not None
    assert search.digest_at.isoformat() == "2026-03-06T06:00:00+00:00"


def test_a_search_without_statuses_looks_at_what_the_owner_has_not_done_with(telling: Telling) -> None:
    assert searches.query_of(telling.add(tells=Tells.FEED)).statuses == LIVE
    assert not {Status.DISMISSED, Status.REJECTED, Status.CLOSED} & set(LIVE)


@pytest.mark.parametrize(
    ("wish", "error", "said"),
    [
        ({"name": ""}, SearchUnusable, "Name the search"),
        ({"name": "!"}, SearchUnusable, "Name the search"),
        ({"channels": ("pager",)}, SearchUnusable, "no channel 'pager'. There are: phone"),
        ({"channels": ()}, SearchUnusable, "needs a channel"),
        ({"query": {"colour": "red"}}, SearchUnusable, "'colour'"),
        ({"query": {"page": 2}}, SearchUnusable, "'page'"),
        ({"query": {"sort": "random"}}, SearchUnusable, "newest, score, posted"),
        ({"query": {"source": "nobody"}}, UnknownSource, "nobody"),
        ({"quiet": "late"}, HoursUnusable, "22:00-07:00"),
        ({"timezone": "Mars"}, HoursUnusable, "Europe/Zurich"),
    ],
)
def test_a_search_that_cannot_be_is_refused_in_a_sentence_and_not_kept(
    telling: Telling, wish: dict[str, Any], error: type[ScoutError], said: str
) -> None:
    telling.write_channels(phone="ntfys://topic")
    with pytest.raises(error, match=said):
        telling.add(**{"channels": ("phone",), **wish})
    with telling.db.reading() as session:
        assert searches.every(session) == []


def test_a_name_that_is_taken_is_refused_with_the_way_to_change_that_search(telling: Telling) -> None:
    telling.add(tells=Tells.FEED)
    with pytest.raises(SearchUnusable, match="change that one"):
        telling.add(name="iam", tells=Tells.FEED)


@pytest.mark.parametrize("slug", ["nobody", "", "x\x00", "é", "\ud800"])
def test_a_search_that_is_not_there_is_named(any_telling: Telling, slug: str) -> None:
    with any_telling.db.session() as session:
        for ask in (searches.get, searches.remove, searches.renew_feed):
            with pytest.raises(SearchNotFound, match="There is no saved search"):
                ask(session, slug)


def test_a_change_leaves_what_it_does_not_name(telling: Telling) -> None:
    telling.write_channels(phone="ntfys://topic")
    before = telling.add("phone", quiet="22:00-07:00", query={"min_score": 5})
    with telling.db.session() as session:
        searches.change(session, "iam", Wish(name="Other", timezone="Asia/Tokyo"), [])
    after = telling.search()
    assert (after.name, after.timezone, after.slug) == ("Other", "Asia/Tokyo", "iam")
    assert (after.quiet, after.query, after.tells) == ("22:00-07:00", {"min_score": 5}, Tells.INSTANT)
    assert after.revision == before.revision + 1


def test_removing_a_search_takes_what_it_found_along(any_telling: Telling) -> None:
    any_telling.write_channels(phone="ntfys://topic")
    any_telling.job()
    any_telling.add("phone")
    with any_telling.db.session() as session:
        assert session.query(FoundJob).count() == 1
        searches.remove(session, "iam")
    with any_telling.db.reading() as session:
        assert session.query(FoundJob).count() == 0
        assert searches.every(session) == []


def test_a_search_of_another_version_is_told_rather_than_misread(telling: Telling) -> None:
    search = telling.add(tells=Tells.FEED)
    search.query = {"distance": 5}
    with pytest.raises(SearchUnusable, match="'distance'"):
        searches.query_of(search)


# --- The feed's secret ------------------------------------------------------------------------------------


def test_a_feed_is_found_by_its_secret_and_by_no_other(any_telling: Telling) -> None:
    first = any_telling.add(tells=Tells.FEED)
    second = any_telling.add(name="Other", tells=Tells.FEED)
    token = searches.feed_token(first, KEY)
    swapped = f"{second.id}-{token.partition('-')[2]}"
    wrong = ["", "1", token[:-1], token + "0", token.upper(), swapped, "0" + token, "99" + token,
             f"{2**31}-{'0' * 40}", "1-" + "é" * 40]  # fmt: skip
    with any_telling.db.reading() as session:
        found = searches.by_feed_token(session, token, KEY)
        assert found is not None
        assert found.id == first.id
        assert [searches.by_feed_token(session, each, KEY) for each in wrong] == [None] * len(wrong)
        assert searches.by_feed_token(session, token, "other key") is None


def test_renewing_a_feed_ends_the_address_before(telling: Telling) -> None:
    before = searches.feed_token(telling.add(tells=Tells.FEED), KEY)
    with telling.db.session() as session:
        after = searches.feed_token(searches.renew_feed(session, "iam"), KEY)
        assert searches.by_feed_token(session, before, KEY) is None
        assert searches.by_feed_token(session, after, KEY) is not None


def test_no_secret_of_a_feed_is_in_the_database(telling: Telling) -> None:
    search = telling.add(tells=Tells.FEED)
    secret = searches.feed_token(search, KEY).partition("-")[2]
    with telling.db.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM searches").fetchall()
    assert secret not in repr(rows)
    assert search.created_at == NOON
