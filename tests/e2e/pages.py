"""What the tests in a browser share: rows to show, looks to show them in, and what to find fault with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from axe_playwright_python.sync_playwright import Axe

from scout import clock, html, jobs, watchlist
from scout.database import Database
from scout.models import Job, Listing, RunTrigger, ScanResult, ScanRun, ScanState
from scout.postings import Remote
from scout.settings import PROJECT
from scout.sources.board import Board
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

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


#: Opens a signed-in page: `with opened(**LOOKS["phone"]) as page:`.
Open = Callable[..., AbstractContextManager["Page"]]


def fill(database: Database) -> None:
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


class Look(TypedDict, total=False):
    """What a browser's context is made with, of that which Playwright takes."""

    color_scheme: Literal["light", "dark"]
    viewport: ViewportSize
    has_touch: bool


LOOKS: dict[str, Look] = {
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

#: The rules of WCAG 2.2 A and AA, and what axe-core's authors call best practice besides.
_RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}
_SHIFT = """
() => new Promise((done) => {
  let sum = 0;
  const watch = new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) sum += each.value;
  });
  watch.observe({ type: "layout-shift", buffered: true });
  const painted = performance.getEntriesByName("first-contentful-paint").length;
  requestAnimationFrame(() => setTimeout(() => { watch.disconnect(); done([sum, painted]); }));
})
"""


def faults(page: Page) -> list[str]:
    """All that is wrong with the open page, a sentence each: by axe-core, our own eyes, and its loading."""
    found: list[str] = list(page.evaluate(FAULTS))
    # What is under a bar that stays in sight can be scrolled out from there, which axe-core does not know.
    page.evaluate("scrollTo(0, 0)")
    for violation in Axe().run(page, options=_RULES).response["violations"]:
        where = "; ".join(str(node["html"])[:120] for node in violation["nodes"][:3])
        found.append(f"{violation['id']}: {violation['help']} ({where})")
    shift, painted = page.evaluate(_SHIFT)
    if shift > 0.02:
        found.append(f"the layout shifts by {shift:.3f}")
    if not painted:
        found.append("nothing was painted")
    return found


def look_at(page: Page, name: str, path: str = "") -> list[str]:
    """Go to a path (or stay), keep a picture under the name, and say what is wrong there."""
    if path:
        page.goto(path)
    SHOTS.mkdir(parents=True, exist_ok=True)
    picture(page, name)
    return [f"{name}: {fault}" for fault in faults(page)]
