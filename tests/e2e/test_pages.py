"""The pages in a real browser: light, dark and on a phone, by mouse, by keys, and with scripts off."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update
from werkzeug.serving import WSGIRequestHandler, make_server

from scout import account, clock, html, jobs, sessions, watchlist
from scout.database import Database, migrate
from scout.models import Description, Job, Listing, RunTrigger, ScanResult, ScanRun, ScanState, Status
from scout.postings import Remote
from scout.settings import PROJECT, Settings, load
from scout.sources.board import Board
from tests.components import need
from tests.waiting import wait_until
from webapp import create_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "correct horse battery staple"
SHOTS = PROJECT / "test-output" / "pages"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: What a hostile board may send in a description.
HOSTILE = """
<p>Keep the keys of the house.</p><script>document.title = "taken"</script>
<img src=x onerror="document.title = 'taken'"><svg onload="document.title='taken'"></svg>
<a href="javascript:document.title='taken'" onclick="document.title='taken'">apply</a>
<iframe srcdoc="<script>parent.document.title='taken'</script>"></iframe>
<math><mtext><table><mglyph><style><!--</style>
<img title="--&gt;&lt;img src=1 onerror=document.title='taken'&gt;">
<form action="https://evil.example"><input name=password></form><p style="position:fixed;inset:0">cover</p>
"""
TITLES = (
    "Senior Identity and Access Management Engineer",
    "Staff Software Engineer, Authentication",
    "Privileged Access Management Consultant",
    "Identity Governance Analyst",
    "Site Reliability Engineer",
    "<b>Security</b> <script>alert(1)</script> Engineer",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load({"SCOUT_DATA_DIR": str(tmp_path_factory.mktemp("pages"))})


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    migrate(settings)
    opened = Database.open(settings)
    with opened.session() as session:
        account.ensure(session, PASSWORD)
    yield opened
    opened.dispose()


@pytest.fixture(autouse=True)
def rows(database: Database) -> None:
    """A few boards, jobs and runs, as they were at the beginning."""
    now = clock.now()
    with database.session() as session:
        for each in watchlist.every(session):
            session.delete(each)
        for table in (ScanRun, Job):
            session.query(table).delete()
        sources = [
            watchlist.add(
                session, Board(kind=kind, token=token, company=company, url=f"https://x.example/{token}")
            )
            for kind, token, company in (
                ("greenhouse", "okta", "Okta"),
                ("lever", "veeva", "Veeva"),
                ("ashby", "1password", "1Password"),
            )
        ]
        for number in range(24):
            title = TITLES[number % len(TITLES)]
            job = Job(
                title=title,
                company=sources[number % 3].name,
                url=f"https://x.example/jobs/{number}",
                locations=[["San Francisco, CA"], ["Berlin, Germany", "London, UK"], ["Remote, US"]][
                    number % 3
                ],
                remote=list(Remote)[number % 4],
                salary=None
                if number % 2
                else {"minimum": 142000, "maximum": 196000, "currency": "USD", "period": "year"},
                department="Security",
                description_html=html.sanitise(HOSTILE * 3),
                description_text="Keep the keys.",
                posted_at=now - dt.timedelta(hours=5 * number),
                first_seen_at=now - dt.timedelta(hours=number),
                score=max(88 - 4 * number, 0),
                reasons=[
                    {"term": "identity", "where": "title", "points": 40},
                    {"term": "SCIM", "where": "description", "points": 8},
                ],
            )
            session.add(job)
            session.flush()
            session.add(
                Listing(
                    source_id=sources[number % 3].id,
                    source_job_id=str(number),
                    job_id=job.id,
                    url=job.url,
                    digest="-",
                )
            )
        run = ScanRun(trigger=RunTrigger.OWNER, state=ScanState.RUNNING, created_at=now, started_at=now)
        session.add(run)
        session.flush()
        states = (ScanState.SUCCEEDED, ScanState.FAILED, ScanState.RUNNING)
        for source, state in zip(sources, states, strict=True):
            session.add(
                ScanResult(
                    run_id=run.id,
                    source_id=source.id,
                    state=state,
                    phase="parse" if state is ScanState.RUNNING else "",
                    seen=24,
                    new=8,
                    reason="denied" if state is ScanState.FAILED else "",
                    error="It answered 403: it refuses automated readers."
                    if state is ScanState.FAILED
                    else "",
                )
            )
        sources[1].last_state, sources[1].last_reason = ScanState.FAILED, "denied"
        sources[1].last_error = "It answered 403: it refuses automated readers."


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        pass


@pytest.fixture(scope="module")
def address(settings: Settings, database: Database) -> Iterator[str]:
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["scout"].close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, needed here alone

    program = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(program), args=ARGUMENTS)
        yield browser
        browser.close()


Open = Callable[..., AbstractContextManager["Page"]]


@pytest.fixture
def opened(chromium: Browser, address: str) -> Open:
    """Opens a signed-in page; at its end nothing may have been said in the browser's console."""

    @contextmanager
    def open_page(expected: str = "", **context: Any) -> Iterator[Page]:
        troubles: list[str] = []
        browser = chromium.new_context(base_url=address, **context)
        page = browser.new_page()
        page.set_default_timeout(10_000)
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
        page.goto("/")
        page.fill("input[type=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(f"{address}/")
        yield page
        browser.close()
        assert [each for each in troubles if not expected or expected not in each] == []

    return open_page


def first_job(database: Database) -> int:
    with database.reading() as session:
        return jobs.find(session, jobs.JobQuery(sort="score")).jobs[0].id


def picture(page: Page, name: str) -> None:
    """Keep a picture. On a busy machine Chromium cannot take one now and then, and can a moment later."""
    from playwright.sync_api import Error  # noqa: PLC0415 - slow to import, needed here alone

    def taken() -> bool:
        try:
            page.screenshot(path=SHOTS / f"{name}.png")
        except Error as error:
            if "Unable to capture screenshot" not in str(error):
                raise
            return False
        return True

    wait_until(taken, what=f"the picture {name}")


LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1200, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1200, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
    "small-dark-phone": {
        "color_scheme": "dark",
        "viewport": {"width": 320, "height": 640},
        "has_touch": True,
    },
}

#: What is wrong with a page for somebody who sees little, uses a thumb, or zooms in: a list of sentences.
FAULTS = (Path(__file__).parent / "page_faults.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_looks_right(opened: Open, database: Database, address: str, look: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    job_id = first_job(database)
    with database.reading() as session:
        run_id = session.query(ScanRun).one().id
    faults = {}
    with opened(**LOOKS[look]) as page:
        for name, path in {
            "jobs": "/",
            "no-match": "/?q=nothing+at+all",
            "job": f"/jobs/{job_id}",
            "boards": "/sources",
            "remove": "/sources/veeva/remove",
            "scans": "/scans",
            "scan": f"/scans/{run_id}",
        }.items():
            page.goto(path)
            picture(page, f"{look}-{name}")
            if found := page.evaluate(FAULTS):
                faults[name] = found
            assert page.title() != "taken"
        page.click("text=Sign out")
        picture(page, f"{look}-sign-in")
        if found := page.evaluate(FAULTS):
            faults["sign-in"] = found
    assert faults == {}


def test_hostile_descriptions_do_nothing_even_under_the_sanitiser(
    chromium: Browser, address: str, database: Database, opened: Open
) -> None:
    """With the first wall taken away the second one still stands: the policy."""
    job_id = first_job(database)
    with database.session() as session:
        session.execute(update(Description).where(Description.job_id == job_id).values(html=HOSTILE))
    browser = chromium.new_context(base_url=address)
    page = browser.new_page()
    page.goto("/")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.goto(f"/jobs/{job_id}")
    page.click("text=apply", force=True)
    assert page.title() != "taken"
    assert page.evaluate("getComputedStyle(document.querySelector('p[style]')).position") == "static"
    browser.close()


def test_saving_and_undoing_swap_the_card_in_place(opened: Open, database: Database) -> None:
    job_id = first_job(database)
    with opened() as page:
        card = page.locator(f"#job-{job_id}")
        card.get_by_role("button", name="Save").click()
        card.get_by_role("button", name="Undo").wait_for()
        assert "saved" in card.inner_text()
        assert page.url.endswith("/")
        wait_until(lambda: "saved" in (page.text_content("#announcer") or ""), what="the announcement")
        with database.reading() as session:
            assert jobs.get(session, job_id).status is Status.SAVED
        card.get_by_role("button", name="Undo").click()
        card.get_by_role("button", name="Save").wait_for()
    with database.reading() as session:
        assert jobs.get(session, job_id).status is Status.NEW


def test_it_is_driven_by_keys(opened: Open, database: Database, address: str) -> None:
    job_id = first_job(database)
    with opened() as page:
        page.keyboard.press("j")
        assert page.locator(".job.current").get_attribute("id") == f"job-{job_id}"
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("s")
        page.locator(f"#job-{job_id}").get_by_role("button", name="Undo").wait_for()
        page.keyboard.press("u")
        page.locator(f"#job-{job_id}").get_by_role("button", name="Save").wait_for()
        page.keyboard.press("Control+s")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.name") == "q"
        page.keyboard.type("sjx?")
        assert page.input_value("[name=q]") == "sjx?"
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        assert page.locator("dialog[open] h2").inner_text() == "Keyboard"
        page.uncheck("[data-keys-on]")
        page.get_by_role("button", name="Close").click()
        page.keyboard.press("o")
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.keyboard.press("?")
        page.check("[data-keys-on]")
        page.get_by_role("button", name="Close").click()
        assert page.url == f"{address}/"
        page.keyboard.press("o")
        page.wait_for_url(f"{address}/jobs/{job_id}")
        page.keyboard.press("s")
        page.get_by_role("button", name="Undo").wait_for()
        page.keyboard.press("g")
        page.keyboard.press("b")
        page.wait_for_url(f"{address}/sources")


def test_everything_works_without_scripts(opened: Open, database: Database, address: str) -> None:
    job_id = first_job(database)
    with opened(java_script_enabled=False) as page:
        page.locator(f"#job-{job_id}").get_by_role("button", name="Save").click()
        page.get_by_role("link", name="Saved 1").click()
        assert page.locator("[data-job]").count() == 1
        page.get_by_role("link", name=TITLES[0]).click()
        page.get_by_role("button", name="Applied").click()
        assert page.locator(".job-head .badge").first.inner_text() == "applied"
        page.fill("textarea", "Spoke to Dana.")
        page.get_by_role("button", name="Add note").click()
        assert page.locator(".note").inner_text().startswith("Spoke to Dana.")
        page.goto("/")
        page.select_option("[name=min_score]", "60")
        page.get_by_role("button", name="Search").click()
        assert "min_score=60" in page.url
        page.get_by_role("button", name="Dark").click()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        page.goto("/sources")
        page.locator("#veeva").get_by_role("button", name="Pause").click()
        assert "Veeva is paused" in page.inner_text("main")
    with database.reading() as session:
        assert jobs.get(session, job_id).status is Status.APPLIED


def test_the_appearance_changes_at_once_and_stays(opened: Open) -> None:
    with opened(color_scheme="light") as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(ground)
        page.get_by_role("button", name="Dark").click()
        wait_until(lambda: page.evaluate(ground) != light, what="the dark ground")
        dark = page.evaluate(ground)
        page.reload()
        assert page.evaluate(ground) == dark
        page.get_by_role("button", name="System").click()
        wait_until(lambda: page.evaluate(ground) == light, what="the light ground")


def test_filters_act_when_they_are_chosen(opened: Open, address: str) -> None:
    with opened() as page:
        page.select_option("[name=source]", "veeva")
        page.wait_for_url(f"{address}/?source=veeva")
        assert page.locator("[data-job]").count() == 8


def test_a_scan_is_followed_live_until_it_ends(opened: Open, database: Database) -> None:
    with database.reading() as session:
        run_id = session.query(ScanRun).one().id
    with opened() as page:
        page.goto(f"/scans/{run_id}")
        assert "2 of 3 boards done" in page.inner_text("main")
        assert "reading" in page.inner_text("main")
        with database.session() as session:
            session.execute(
                update(ScanResult).where(ScanResult.run_id == run_id).values(state=ScanState.SUCCEEDED)
            )
            session.execute(
                update(ScanRun)
                .where(ScanRun.id == run_id)
                .values(state=ScanState.SUCCEEDED, finished_at=clock.now())
            )
        page.get_by_text("3 of 3 boards done").wait_for()
        wait_until(lambda: "has ended" in (page.text_content("#announcer") or ""), what="the announcement")
        polls: list[str] = []
        page.on("request", lambda asked: polls.append(asked.url))
        page.wait_for_timeout(2000)
        assert polls == []


def ended(database: Database) -> None:
    """The run that `rows` left running has ended: the pages have nothing to ask for by themselves."""
    with database.session() as session:
        session.execute(update(ScanRun).values(state=ScanState.SUCCEEDED, finished_at=clock.now()))


def test_a_click_after_the_session_ended_elsewhere_leads_to_the_form(
    opened: Open, database: Database, address: str
) -> None:
    ended(database)
    job_id = first_job(database)
    with opened(expected="401") as page:
        with database.session() as session:
            sessions.end_all(session)
        page.locator(f"#job-{job_id}").get_by_role("button", name="Save").click()
        page.wait_for_url(f"{address}/sign-in")


def test_a_page_that_follows_a_scan_leads_to_the_form_by_itself_when_the_session_ended_elsewhere(
    opened: Open, database: Database, address: str
) -> None:
    with opened(expected="401") as page:
        with database.session() as session:
            sessions.end_all(session)
        page.wait_for_url(f"{address}/sign-in")
