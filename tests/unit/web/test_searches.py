from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from scout import account, searches
from scout.database import Database
from scout.models import SavedSearch, Tells
from scout.searches import Wish
from scout.settings import Settings
from tests.unit.web.browser import Browser

AddJob = Callable[..., int]
FORM: dict[str, Any] = {
    "name": "Remote IAM", "q": "identity", "tells": "feed", "every": "daily", "hour": "8", "weekday": "0",
    "quiet": "", "timezone": "UTC",
}  # fmt: skip


@pytest.fixture
def channels(settings: Settings) -> None:
    settings.channels_file.touch(mode=0o600)
    settings.channels_file.write_text("phone = json://127.0.0.1:1/x\n")


def saved(db: Database, slug: str = "remote-iam") -> SavedSearch:
    with db.reading() as session:
        return searches.get(session, slug)


def told(browser: Browser, path: str = "/searches") -> str:
    return html.unescape(browser.get(path).text)


def test_a_search_is_made_of_what_the_list_was_asked_for(owner: Browser, db: Database) -> None:
    page = told(owner, "/new-search?q=identity+okta&status=saved&min_score=60")
    assert 'name="q" value="identity okta"' in page
    assert 'value="saved" checked' in page
    assert 'name="min_score" min="0" max="100" value="60"' in page
    answer = owner.post("/searches", **FORM, status=["new", "saved"], min_score="60")
    assert (answer.status_code, answer.location) == (303, "/searches/remote-iam")
    search = saved(db)
    assert search.query == {"text": "identity", "statuses": ["new", "saved"], "min_score": 60}
    assert search.tells is Tells.FEED


def test_the_list_tells_what_matches_and_what_of_it_is_unseen(owner: Browser, add_job: AddJob) -> None:
    first, _ = add_job(), add_job()
    owner.post("/searches", **FORM)
    assert "<b>2</b> match</span> <span><b>2</b> unseen" in told(owner)
    owner.get(f"/jobs/{first}")
    assert "<b>2</b> match</span> <span><b>1</b> unseen" in told(owner)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "!"}, "with a letter or digit in it"),
        ({"tells": "instant"}, "needs a channel to tell by"),
        ({"tells": "shouting"}, "cannot be read"),
        ({"hour": "24"}, "cannot be read"),
        ({"hour": "²"}, "cannot be read"),
        ({"min_score": "x"}, "cannot be read"),
        ({"status": ["lost"]}, "cannot be read"),
        ({"quiet": "at night"}, "such as 22:00-07:00"),
        ({"timezone": "Mars"}, "There is no time zone"),
        ({"channel": ["nobody"]}, "There is no channel 'nobody'"),
    ],
)
def test_what_cannot_be_is_said_and_the_form_keeps_what_was_written(
    owner: Browser, db: Database, changes: dict[str, Any], said: str
) -> None:
    answer = owner.post("/searches", **{**FORM, **changes})
    assert answer.status_code == 400
    assert said in html.unescape(answer.text)
    assert 'name="q" value="identity"' in answer.text
    with db.reading() as session:
        assert searches.every(session) == []
    owner.post("/searches", **FORM)
    answer = owner.post(
        "/searches/remote-iam", **{**FORM, "q": "kept", **changes, "name": changes.get("name", "x")}
    )
    if "name" not in changes:
        assert answer.status_code == 400
        assert said in html.unescape(answer.text)
        assert saved(db).query == {"text": "identity"}


def test_a_change_keeps_what_the_form_does_not_show(owner: Browser, db: Database) -> None:
    with db.session() as session:
        searches.add(session, Wish(name="Remote IAM", query={"text": "x", "sort": "posted"}), ())
    owner.post("/searches/remote-iam", **FORM)
    assert saved(db).query == {"text": "identity", "sort": "posted"}


def test_its_feeds_are_shown_and_get_other_addresses(
    owner: Browser, db: Database, settings: Settings
) -> None:
    owner.post("/searches", **FORM)
    before = searches.feed_token(saved(db), account.secret_key(settings))
    assert f"/feeds/{before}.atom" in told(owner, "/searches/remote-iam")
    assert owner.get(f"/feeds/{before}.atom").status_code == 200
    owner.post("/searches/remote-iam/feed")
    assert owner.get(f"/feeds/{before}.atom").status_code == 404
    assert before not in told(owner, "/searches/remote-iam")


def test_it_is_paused_and_put_on_again(owner: Browser, db: Database) -> None:
    owner.post("/searches", **FORM)
    owner.post("/searches/remote-iam/pause")
    assert not saved(db).enabled
    assert "“Remote IAM” is paused" in told(owner)
    owner.post("/searches/remote-iam/resume")
    assert saved(db).enabled


def test_it_is_removed_after_a_question(owner: Browser, db: Database) -> None:
    owner.post("/searches", **FORM)
    assert "Remove Remote IAM?" in told(owner, "/searches/remote-iam/remove")
    owner.post("/searches/remote-iam/remove")
    with db.reading() as session:
        assert searches.every(session) == []


@pytest.mark.usefixtures("channels")
def test_a_channel_is_tried_and_what_is_wrong_is_said(owner: Browser) -> None:
    owner.post("/searches", **{**FORM, "tells": "instant"}, channel=["phone"])
    page = told(owner, "/searches/remote-iam")
    assert "Send a test by phone" in page
    assert "127.0.0.1:1" not in page
    owner.post("/searches/remote-iam/test", channel="phone")
    assert "The test by phone was not taken. The service cannot be reached" in told(owner)
    owner.post("/searches/remote-iam/test", channel="nobody")
    assert "There is no such channel" in told(owner)


@pytest.mark.usefixtures("channels")
def test_channels_that_others_can_read_are_told_of(owner: Browser, settings: Settings) -> None:
    settings.channels_file.chmod(0o644)
    assert "chmod 600" in told(owner, "/new-search")


def test_a_search_of_nobody_is_not_found(owner: Browser) -> None:
    for path in ("/searches/nobody", "/searches/nobody/remove"):
        assert owner.get(path).status_code == 404
    for path in ("", "/pause", "/resume", "/feed", "/test", "/remove"):
        assert owner.post(f"/searches/nobody{path}", **FORM).status_code == 404


def test_a_search_of_another_version_is_shown_without_its_count(owner: Browser, db: Database) -> None:
    owner.post("/searches", **FORM)
    with db.session() as session:
        searches.get(session, "remote-iam").query = {"vibe": "good"}
    assert "kept by another version" in told(owner)


def test_hostile_names_are_shown_as_text(owner: Browser) -> None:
    owner.post("/searches", **{**FORM, "name": '"><script>alert(1)</script>', "q": '"><img src=x>'})
    page = owner.get("/searches").text
    assert not re.search(r"<script>alert|<img", page)
