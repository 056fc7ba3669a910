"""The pages of saved searches in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from scout import searches
from scout.database import Database
from scout.models import Message, MessageState, SavedSearch, Tells
from scout.searches import Wish
from scout.settings import Settings
from tests.e2e.pages import LOOKS, Open, look_at

pytestmark = pytest.mark.usefixtures("rows", "saved")


@pytest.fixture
def channels(settings: Settings) -> Path:
    path = settings.channels_file
    path.touch(mode=0o600)
    path.write_text("phone = json://127.0.0.1:1/phone\n")
    return path


@pytest.fixture
def saved(database: Database, channels: Path) -> None:
    with database.session() as session:
        session.query(SavedSearch).delete()
        searches.add(session, Wish(name="Everything"), ())
        paused = Wish(name="Quiet", query={"min_score": 60}, enabled=False)
        searches.add(session, paused, ())
        remote = Wish(
            name="Remote identity", query={"text": "identity", "statuses": ("new", "saved")},
            tells=Tells.INSTANT, channels=("phone",), quiet="22:00-07:00", timezone="Europe/Zurich",
        )  # fmt: skip
        search = searches.add(session, remote, ("phone",))
        session.add(
            Message(
                search=search, batch="b", channel="phone", state=MessageState.PARKED, jobs=3, attempts=6,
                reason="The service cannot be reached, or did not answer in time.",
            )
        )  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_of_searches_look_right(opened: Open, database: Database, look: str) -> None:
    with opened(expected="400", **LOOKS[look]) as page:
        faults = look_at(page, f"{look}-searches", "/searches")
        faults += look_at(page, f"{look}-search", "/searches/remote-identity")
        faults += look_at(page, f"{look}-search-remove", "/searches/quiet/remove")
        faults += look_at(page, f"{look}-search-new", "/new-search?q=okta")
        page.fill("[name=name]", "Everything")
        page.get_by_role("button", name="Save the search").click()
        page.get_by_role("alert").wait_for()
        faults += look_at(page, f"{look}-search-problem")
        with database.session() as session:
            session.query(SavedSearch).delete()
        faults += look_at(page, f"{look}-searches-none", "/searches")
    assert faults == []


def test_a_search_is_saved_tried_paused_and_removed_without_scripts(opened: Open, database: Database) -> None:
    with opened(java_script_enabled=False) as page:
        page.goto("/new-search")
        page.fill("[name=name]", "Passwordless")
        page.fill("main [name=q]", "passkeys")
        page.check("[name=tells][value=instant]")
        page.check("[name=channel][value=phone]")
        page.get_by_role("button", name="Save the search").click()
        expect(page.locator("main")).to_contain_text("“Passwordless” is saved", use_inner_text=True)
        before = page.input_value("#feed-atom")
        page.get_by_role("button", name="Give them other addresses").click()
        expect(page.locator("#feed-atom")).not_to_have_value(before)
        page.get_by_role("button", name="Send a test by phone").click()
        expect(page.locator("main")).to_contain_text("cannot be reached", use_inner_text=True)
        page.goto("/searches")
        row = page.locator("li", has_text="Passwordless")
        row.get_by_role("button", name="Pause").click()
        row.get_by_role("button", name="Resume").click()
        row.get_by_role("link", name="Remove").click()
        page.get_by_role("button", name="Remove the search").click()
        expect(page.locator("main")).to_contain_text("“Passwordless” is removed", use_inner_text=True)
    with database.reading() as session:
        assert {each.slug for each in searches.every(session)} == {"everything", "quiet", "remote-identity"}


def test_the_address_of_a_feed_is_copied(opened: Open) -> None:
    with opened(permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/searches/everything")
        page.get_by_role("button", name="Copy the address of the Atom feed").click()
        page.locator("[data-done]").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == page.input_value("#feed-atom")
