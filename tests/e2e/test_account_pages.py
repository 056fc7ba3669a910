"""The account's pages in a real browser: codes, browsers, tokens, what was done; with scripts and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from scout import account, audit, sessions, tokens, totp
from scout.database import Database
from scout.models import Account, ApiToken, AuditEvent, Session
from scout.settings import Settings
from tests.e2e.pages import LOOKS, PASSWORD, Open, look_at

WITH_AND_WITHOUT = pytest.mark.parametrize(
    "context",
    [{"java_script_enabled": True}, {"java_script_enabled": False}],
    ids=["with scripts", "without scripts"],
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/20.1 Mobile/15E148 Safari/604.1"
)


@pytest.fixture(autouse=True)
def as_at_first(database: Database) -> Iterator[None]:
    """An account without codes, tokens and events, before each test and after it."""

    def clear() -> None:
        with database.session() as session:
            totp.off(session)
            for table in (ApiToken, AuditEvent, Session):
                session.execute(delete(table))

    clear()
    yield
    clear()


def furnish(database: Database) -> None:
    with database.session() as session:
        sessions.begin(session, FIREFOX, "192.0.2.14")
        sessions.begin(session, IPHONE, "2001:db8:1234:5678:9abc:def0:1234:5678")
        tokens.create(session, "Prometheus in the cellar", ["metrics:read"])
        old, _ = tokens.create(session, "spreadsheet", ["jobs:read", "jobs:write", "searches:read"])
        tokens.revoke(session, old.prefix)
        by = "browser: Firefox on Linux"
        for number in range(60):
            subject = f"Senior Identity and Access Management Engineer {number}, Okta"
            audit.record(
                session, "jobs.change_status", "Moved a job", by=by, subject=subject, address="192.0.2.14"
            )
        for _ in range(12):
            audit.failed_sign_in(session, address="198.51.100.7", subject="wrong password")
        audit.record(session, "account.create_token", "Made an API token", by=audit.COMMAND, subject="x")


def secret(page: Page) -> str:
    return page.input_value("#secret").replace(" ", "")


def ask_again(page: Page, section: str, summary: str, button: str) -> None:
    """Open a part of a section, give the password and press its button."""
    part = page.locator(f"#{section} details", has_text=summary)
    part.locator("summary").click()
    part.locator("input[type=password]").first.fill(PASSWORD)
    part.get_by_role("button", name=button).click()


def enrol(page: Page) -> tuple[str, list[str]]:
    """Switch codes on; the secret and the recovery codes."""
    page.goto("/account")
    ask_again(page, "codes", "Set codes up", "Show the secret")
    page.wait_for_url("**/account/codes")
    shared = secret(page)
    page.fill("#code", pyotp.TOTP(shared).now())
    page.click("text=Switch codes on")
    page.wait_for_selector("#recovery-codes")
    return shared, page.locator("#recovery-codes code").all_inner_texts()


def give_the_password_anew(page: Page) -> None:
    page.context.clear_cookies()
    page.goto("/sign-in")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/sign-in/code")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_of_the_account_looks_right(opened: Open, database: Database, look: str) -> None:
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        faults += look_at(page, f"{look}-account-empty", "/account")
        faults += look_at(page, f"{look}-account-log-empty", "/account/log?q=nothing-like-it")
        furnish(database)
        faults += look_at(page, f"{look}-account", "/account")
        for each in page.locator("main summary").all():
            each.click()
        faults += look_at(page, f"{look}-account-open")
        faults += look_at(page, f"{look}-account-log", "/account/log?page=2")
        page.goto("/account")
        page.click("text=New token")
        page.fill("#token-name", "backup script")
        page.check("input[value='jobs:read']")
        page.click("text=Make the token")
        faults += look_at(page, f"{look}-account-token")
        page.goto("/account")
        ask_again(page, "codes", "Set codes up", "Show the secret")
        page.wait_for_selector("#secret")
        faults += look_at(page, f"{look}-account-codes")
        page.fill("#code", pyotp.TOTP(secret(page)).now())
        page.click("text=Switch codes on")
        page.wait_for_selector("#recovery-codes")
        faults += look_at(page, f"{look}-account-recovery")
        faults += look_at(page, f"{look}-account-codes-on", "/account#codes")
        give_the_password_anew(page)
        page.click("text=I do not have it here")
        faults += look_at(page, f"{look}-account-second-step")
    assert faults == []


@WITH_AND_WITHOUT
def test_codes_are_set_up_asked_for_and_switched_off(
    opened: Open, database: Database, settings: Settings, context: dict[str, Any]
) -> None:
    with opened(expected="40", **context) as page:
        shared, recovery = enrol(page)
        assert len(set(recovery)) == totp.RECOVERY_CODES
        give_the_password_anew(page)
        page.fill("#code", pyotp.TOTP(shared).now())
        page.click("main button[type=submit] >> nth=0")
        expect(page.locator("[role=alert]").first).to_contain_text("used already", use_inner_text=True)
        with database.session() as session:  # half a minute later, the next code is there
            session.get_one(Account, 1).totp_last_step -= 1
        page.fill("#code", pyotp.TOTP(shared).now())
        page.click("main button[type=submit] >> nth=0")
        page.wait_for_url(lambda url: url.endswith("/"))
        expect(page.locator("main")).to_contain_text("Last sign-in: just now", use_inner_text=True)
        give_the_password_anew(page)
        page.click("text=I do not have it here")
        page.fill("#recovery", recovery[3].upper())
        page.click("text=Sign in with it")
        page.wait_for_url(lambda url: url.endswith("/"))
        expect(page.locator("main")).to_contain_text("9 are left", use_inner_text=True)
        page.goto("/account")
        part = page.locator("#codes details", has_text="Switch codes off")
        part.locator("summary").click()
        part.locator("#off-password").fill(PASSWORD)
        part.locator("#off-code").fill(recovery[4])
        part.get_by_role("button", name="Switch them off").click()
        expect(page.locator("main")).to_contain_text("One-time codes are off", use_inner_text=True)
    with database.reading() as session:
        assert totp.standing(session) == totp.Standing(None, 0)
        assert account.secret_key(settings) not in str(session.query(AuditEvent).all())


@WITH_AND_WITHOUT
def test_a_token_is_shown_once_works_and_is_revoked(
    opened: Open, address: str, context: dict[str, Any]
) -> None:
    with opened(**context, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/account")
        page.click("text=New token")
        page.fill("#token-name", "cellar")
        page.check("input[value='metrics:read']")
        page.click("text=Make the token")
        text = page.input_value("#made-token")
        assert text.startswith("scout_")
        if context["java_script_enabled"]:
            page.get_by_role("button", name="Copy").click()
            page.get_by_role("button", name="Copied").wait_for()
            assert page.evaluate("navigator.clipboard.readText()") == text
        else:
            expect(page.locator("[data-copy]")).not_to_be_visible()
        page.goto("/account")
        assert text not in page.content()
        expect(page.locator("#tokens")).to_contain_text("not used yet", use_inner_text=True)
        page.locator("#tokens").get_by_role("button", name="Revoke").click()
        expect(page.locator("main")).to_contain_text("cellar is revoked", use_inner_text=True)
        expect(page.locator("#tokens .badge").first).to_contain_text("revoked", use_inner_text=True)
        page.goto("/account/log")
        told = page.inner_text("main")
        assert "Made an API token: cellar (metrics:read)" in told
        assert "Revoked an API token: cellar" in told
        assert text not in told


@WITH_AND_WITHOUT
def test_other_browsers_are_signed_out_one_by_one_and_all_at_once(
    opened: Open, database: Database, context: dict[str, Any]
) -> None:
    with database.session() as session:
        for agent in (FIREFOX, IPHONE, "curl/8.9"):
            sessions.begin(session, agent, "192.0.2.9")
    with opened(**context) as page:
        page.goto("/account")
        browsers = page.locator("#browsers .entries li")
        expect(browsers).to_have_count(4)
        expect(browsers.first).to_contain_text("this one", use_inner_text=True)
        page.locator("#browsers").get_by_role("button", name="Safari on an iPhone").click()
        expect(page.locator("main")).to_contain_text("Safari on an iPhone is signed out", use_inner_text=True)
        expect(browsers).to_have_count(3)
        page.click("text=Sign out all others")
        expect(page.locator("main")).to_contain_text("2 other browsers are signed out", use_inner_text=True)
        expect(browsers).to_have_count(1)
        answer = page.goto("/account")
        assert answer is not None
        assert answer.ok


@WITH_AND_WITHOUT
def test_the_password_is_changed(opened: Open, database: Database, context: dict[str, Any]) -> None:
    new = "four unrelated words"
    with opened(expected="403", **context) as page:
        page.goto("/account")
        page.click("text=Change the password")
        page.fill("#old", "not this one")
        page.fill("#new", new)
        page.fill("#again", new)
        if context["java_script_enabled"]:
            expect(page.locator("#strength")).to_have_text("Strong.", use_inner_text=True)
        page.click("text=Change it")
        expect(page.locator("[role=alert]").first).to_contain_text("not the password", use_inner_text=True)
        page.fill("#old", PASSWORD)
        page.fill("#new", new)
        page.fill("#again", new)
        page.click("text=Change it")
        expect(page.locator("main")).to_contain_text(
            "The password is changed. It is strong.", use_inner_text=True
        )
        answer = page.goto("/account")
        assert answer is not None
        assert answer.ok
    with database.session() as session:
        assert account.verify(session, new)
        account.change_password(session, PASSWORD)


def test_the_list_is_searched_by_words_and_by_who_did_it(opened: Open, database: Database) -> None:
    furnish(database)
    with opened() as page:
        page.goto("/account/log")
        page.fill("#q", "engineer 17")
        page.click("main button >> text=Show")
        page.wait_for_url("**q=engineer*")
        expect(page.locator(".entries li")).to_have_count(1)
        page.goto("/account/log")
        page.select_option("#who", "nobody")
        page.wait_for_url("**who=nobody*")
        expect(page.locator("main")).to_contain_text(
            "Failed to sign in 12 times: wrong password", use_inner_text=True
        )
        expect(page.locator(".entries li")).to_have_count(1)
        page.goto("/account/log")
        page.click("text=Older")
        page.wait_for_url("**page=2*")
        expect(page.locator("main")).to_contain_text("Page 2 of 2", use_inner_text=True)
