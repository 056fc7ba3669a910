"""A server with a few rows, and a browser, for the tests of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scout import account, welcome
from scout.database import Database
from scout.settings import Settings, load
from tests.app_server import app_server
from tests.components import need
from tests.databases import make_tables
from tests.e2e.pages import ARGUMENTS, PASSWORD, Open, fill
from tests.waiting import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import APIRequestContext, Browser, Page

HERE = Path(__file__).parent

#: Said in the console, where the tests listen: a policy that blocks without a word is none.
_TELL_BLOCKED = """
document.addEventListener("securitypolicyviolation", (blocked) => {
  const what = `${blocked.violatedDirective} ${blocked.blockedURI} ${blocked.sample}`;
  console.error(`blocked by the policy: ${what}`);
});
"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process run all tests of a module of pages: its server and its browser start once."""
    for item in items:
        if item.path.parent == HERE and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load({"SCOUT_DATA_DIR": str(tmp_path_factory.mktemp("pages"))})


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    make_tables(settings)
    opened = Database.open(settings)
    with opened.session() as session:
        account.ensure(session, PASSWORD)
        welcome.over(session)
    yield opened
    opened.dispose()


@pytest.fixture
def rows(database: Database) -> None:
    """A few boards, jobs and runs, as they were at the beginning."""
    fill(database)


@pytest.fixture(scope="module")
def address(settings: Settings, database: Database) -> Iterator[str]:
    with app_server(settings) as served:
        yield served


# Not for the whole session: Playwright keeps a loop of asyncio running, where later tests would begin one.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - slow to import, needed here alone

    program = need("chromium-headless-shell")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=ARGUMENTS)
        yield browser
        browser.close()


def _sign_in(asking: APIRequestContext) -> None:
    """By the form, without drawing it: the browser has the same cookies. tests/e2e/test_pages.py draws it."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', asking.get("/sign-in").text())
    assert found
    answer = asking.post("/sign-in", form={"csrf_token": found[1], "password": PASSWORD})
    assert answer.ok, answer.text()


@pytest.fixture
def opened(chromium: Browser, address: str) -> Open:
    """Opens a signed-in page; at its end nothing may have been said in the browser's console."""

    @contextmanager
    def open_page(expected: str = "", **context: Any) -> Iterator[Page]:
        troubles: list[str] = []
        browser = chromium.new_context(base_url=address, **context)
        browser.add_init_script(_TELL_BLOCKED)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on(
            "console",
            lambda said: (
                troubles.append(f"{page.url}: {said.text}") if said.type in {"error", "warning"} else None
            ),
        )
        page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
        page.on(
            "request", lambda asked: troubles.append(asked.url) if not asked.url.startswith(address) else None
        )
        _sign_in(browser.request)
        yield page
        browser.close()
        assert [each for each in troubles if not expected or expected not in each] == []

    return open_page
