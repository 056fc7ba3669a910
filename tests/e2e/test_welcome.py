"""The first run and the page of the profile, in a real browser; and the whole way on a real stack."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from scout import chosen_profile, watchlist, welcome
from scout.database import Database
from scout.models import Setup
from tests.components import need
from tests.e2e.pages import LOOKS, PASSWORD, Open, fill, look_at
from tests.e2e.test_whole_path import answers, fetch, program
from tests.ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
OWN = """
name: gardens
title: Gardens
about: Roses and what grows beside them.
groups:
  - name: words
    title: 60
    description: 10
    terms: [gardener, identity]
"""


@pytest.fixture
def new(database: Database) -> None:
    """A new installation: no boards, and nobody was welcomed."""
    with database.session() as session:
        session.query(Setup).delete()
        for each in watchlist.every(session):
            session.delete(each)


@pytest.fixture
def settled(database: Database) -> Iterator[None]:
    """Some boards and jobs, and the first run is over."""
    fill(database)

    def as_at_first() -> None:
        with database.session() as session:
            session.query(Setup).delete()
            welcome.over(session)

    as_at_first()
    yield
    as_at_first()


@pytest.mark.usefixtures("new")
@pytest.mark.parametrize("look", LOOKS)
def test_the_first_run_looks_right(opened: Open, database: Database, look: str) -> None:
    faults: list[str] = []
    with database.session() as session:
        welcome.over(session)
    with opened(**LOOKS[look]) as page:
        faults += look_at(page, f"{look}-welcome", "/welcome")
        page.get_by_label("My own").check()
        page.get_by_text("Write it, or begin with the one in use").click()
        faults += look_at(page, f"{look}-welcome-own")
        page.get_by_label("Nursing").check()
        page.get_by_role("button", name="Start the first scan").click()
        page.get_by_role("heading", name="The first scan is on its way").wait_for()
        faults += look_at(page, f"{look}-welcome-scan")
        faults += look_at(page, f"{look}-welcome-later", "/welcome")
    assert faults == []


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("look", LOOKS)
def test_the_page_of_the_profile_looks_right(opened: Open, look: str) -> None:
    faults: list[str] = []
    with opened(**LOOKS[look]) as page:
        faults += look_at(page, f"{look}-profile", "/profile")
        page.get_by_label("Nursing").check()
        page.get_by_role("button", name="See what would change").click()
        page.get_by_text("would match no longer").wait_for()
        faults += look_at(page, f"{look}-profile-preview")
        page.fill("#title", "Senior Identity Engineer")
        page.get_by_role("button", name="What does it score?").click()
        page.locator(".tried").wait_for()
        faults += look_at(page, f"{look}-profile-tried")
    assert faults == []


@pytest.mark.usefixtures("new")
def test_after_the_first_sign_in_the_choices_are_made_without_scripts(
    chromium: Browser, address: str, database: Database
) -> None:
    browser = chromium.new_context(base_url=address, java_script_enabled=False)
    page = browser.new_page()
    page.goto("/")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    expect(page).to_have_url("/welcome")
    for tick in page.locator("[name=starter]").all():
        tick.uncheck()
    page.get_by_label("Okta", exact=True).check()
    page.get_by_label("My own").check()
    page.get_by_text("Write it, or begin with the one in use").click()
    page.fill("#text", "name: gardens")
    page.fill("#url", "https://jobs.lever.co/veeva\nhttps://example.com/careers")
    page.get_by_role("button", name="Start the first scan").click()
    expect(page.locator("[role=alert]").first).to_contain_text("lacks 'groups'", use_inner_text=True)
    expect(page.get_by_label("Okta", exact=True), "what was chosen is not lost").to_be_checked()
    expect(page.locator("[name=starter]:checked")).to_have_count(1)
    page.fill("#text", OWN)
    page.get_by_role("button", name="Start the first scan").click()
    page.wait_for_url("**/welcome/*")
    expect(page.locator("main")).to_contain_text("example.com is no job board", use_inner_text=True)
    page.get_by_role("link", name="Go to the jobs").click()
    expect(page).to_have_url("/")
    with database.reading() as session:
        assert {source.slug for source in watchlist.every(session)} == {"okta", "veeva"}
        assert chosen_profile.in_use(session).title == "Gardens"
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    expect(page, "it is never shown again").to_have_url("/")
    browser.close()


@pytest.mark.usefixtures("new")
def test_it_can_be_left_out(chromium: Browser, address: str, database: Database) -> None:
    browser = chromium.new_context(base_url=address)
    page = browser.new_page()
    page.goto("/")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.get_by_role("button", name="Skip this").click()
    page.wait_for_url(f"{address}/")
    browser.close()
    with database.reading() as session:
        assert not welcome.is_wanted(session)


@pytest.mark.usefixtures("settled")
def test_another_profile_is_chosen_on_its_page(opened: Open, database: Database) -> None:
    with opened() as page:
        page.goto("/profile")
        page.get_by_label("My own").check()
        page.get_by_text("Write it, or begin with the one in use").click()
        expect(page.locator("#text"), "one begins with what is in use").to_have_value(re.compile("name: iam"))
        page.fill("#text", OWN)
        page.get_by_role("button", name="See what would change").click()
        page.get_by_text("Nothing is changed yet.").wait_for()
        page.get_by_role("button", name="Use it").click()
        page.get_by_text("The profile in use is Gardens now.").wait_for()
        page.fill("#title", "Gardener")
        page.get_by_role("button", name="What does it score?").click()
        page.locator(".tried").wait_for()
        expect(page.locator(".tried")).to_have_text("60", use_inner_text=True)
    with database.reading() as session:
        assert chosen_profile.in_use(session).name == "gardens"


# --- The whole way, on real parts -------------------------------------------------------------------------


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A new `scout up` beside the simulator of boards: its address, and addresses of boards there."""
    need("redis-server")
    web, statsd, exporter, gateway, simulator = (free_port() for _ in range(5))
    world = f"http://127.0.0.1:{simulator}"
    told = json.loads(
        subprocess.run(
            [sys.executable, "-m", "demo", "describe", "--url", world],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
    )
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCOUT_")},
        "SCOUT_DATA_DIR": str(tmp_path / "data"),
        "SCOUT_PORT": str(web),
        "SCOUT_STATSD_PORT": str(statsd),
        "SCOUT_EXPORTER_PORT": str(exporter),
        "SCOUT_PUSHGATEWAY_PORT": str(gateway),
        "SCOUT_PASSWORD": PASSWORD,
        "SCOUT_STARTER_BOARDS": "0",
        "SCOUT_ORIGIN_OVERRIDES": told["overrides"],
    }
    with (tmp_path / "stack.log").open("w+") as log, contextlib.ExitStack() as running:
        running.enter_context(
            program([sys.executable, "-m", "demo", "--port", str(simulator), "--tick", "0"], environ, log)
        )
        running.enter_context(
            program([sys.executable, "-c", "from scout.cli import main; main()", "up"], environ, log)
        )
        try:
            address = f"http://127.0.0.1:{web}"
            wait_until(lambda: answers(f"{address}/readyz"), timeout=90, what="the stack being ready")
            wait_until(lambda: answers(f"{world}/demo/state?brief=1"), timeout=30, what="the simulator")
            yield address, told["boards"]
        finally:
            log.seek(0)
            print(log.read()[-6000:])  # pytest shows it when something failed


@pytest.mark.xdist_group("whole-stack")
def test_a_new_owner_chooses_watches_the_first_scan_and_lands_on_its_results(
    chromium: Browser, new_stack: tuple[str, list[str]]
) -> None:
    address, boards = new_stack
    fetch(f"{address}/sign-in")
    began = time.monotonic()
    browser = chromium.new_context(base_url=address)
    page = browser.new_page()
    page.set_default_timeout(60_000)
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    page.goto("/")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/welcome")
    page.get_by_label("Identity and access").check()
    page.get_by_role("button", name="Tick none").click()
    page.fill("#url", "\n".join(boards[:3]))
    page.get_by_role("button", name="Start the first scan").click()
    page.get_by_text("3 of 3 boards done").wait_for()
    page.get_by_role("link", name="Go to the jobs").click()
    page.locator("[data-job]").nth(5).wait_for()
    assert time.monotonic() - began < 120, "under two minutes"
    page.goto("/sources")
    expect(page.locator(".health.ok")).to_have_count(3)
    # Another profile is heard of by the workers, and what is kept is scored with it.
    page.goto("/profile")
    page.get_by_label("Nursing").check()
    page.get_by_role("button", name="Use it").click()

    def scored_again() -> bool:
        page.goto("/profile")
        return "jobs kept were scored with nursing" in page.inner_text("main")

    wait_until(scored_again, timeout=60, what="the jobs being scored again")
    browser.close()
    assert troubles == []
