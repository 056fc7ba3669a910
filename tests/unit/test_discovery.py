"""Looking once at a page for boards, over a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scout import discovery
from scout.settings import Settings
from tests.serving import Asked, Server, reply, serving

POSTING = {"@type": "JobPosting", "title": "IAM Engineer", "hiringOrganization": {"name": "Acme"}}


def look(page: str | bytes, path: str = "/careers", **files: bytes) -> tuple[discovery.Look, Server]:
    """What a look at `page` finds. `files` are others of its site: `robots` and `sitemap`."""
    others = {"/robots.txt": files.get("robots"), "/sitemap.xml": files.get("sitemap")}

    def answer(asked: Asked) -> bytes:
        if asked.path == path:
            return reply(
                page if isinstance(page, bytes) else page.encode(), Content_Type="text/html; charset=utf-8"
            )
        body = others.get(asked.path)
        return reply(b"", 404) if body is None else reply(body)

    with serving(answer) as server:
        origins = ("https://acme.example", "https://boards-api.greenhouse.io")
        play = Settings(origin_overrides=dict.fromkeys(origins, server.origin))
        return discovery.look(f"acme.example{path}", play), server


def boards(seen: discovery.Look) -> list[tuple[str, str]]:
    return [(find.board.kind, find.board.token) for find in seen.finds]


@pytest.mark.parametrize(
    ("page", "board", "how"),
    [
        ("<a href='https://jobs.lever.co/acme/123'>Job</a>", ("lever", "acme"), "a link to"),
        (
            "<script src='https://boards.greenhouse.io/embed/job_board/js?for=acme'></script>",
            ("greenhouse", "acme"),
            "a script of",
        ),
        ("<iframe src='https://jobs.ashbyhq.com/Acme?embed=js'></iframe>", ("ashby", "Acme"), "a frame of"),
        (
            "<script>fetch('https://api.lever.co/v0/postings/acme?mode=json')</script>",
            ("lever", "acme"),
            "a mention of",
        ),
        (
            '<script>x={"u":"https:\\/\\/boards-api.greenhouse.io\\/v1\\/boards\\/acme\\/jobs"}</script>',
            ("greenhouse", "acme"),
            "a mention of",
        ),
        (
            "<div data-url='//job-boards.eu.greenhouse.io/acme/jobs/1'></div>",
            ("greenhouse", "acme"),
            "a link to",
        ),
        ("<base href='https://jobs.lever.co/'><a href='acme'>Jobs</a>", ("lever", "acme"), "a link to"),
        (
            "<link rel='alternate' type='application/rss+xml' title='Jobs' href='/odd?x=1'>",
            ("feed", "https://acme.example/odd?x=1"),
            "“Jobs”",
        ),
        (
            f"<script type='application/ld+json'>{json.dumps(POSTING)}</script>",
            ("jobposting", "https://acme.example/careers"),
            "1 posting described",
        ),
    ],
)
def test_a_board_that_a_page_leads_to_is_found(page: str, board: tuple[str, str], how: str) -> None:
    seen, server = look(f"<html><body>{page}</body></html>")
    assert boards(seen) == [board]
    assert how in seen.finds[0].how
    assert [asked.path for asked in server.asked].count("/careers") == 1, "a page is asked for once"


def test_each_board_is_told_once_by_what_is_surest() -> None:
    seen, _ = look(
        "<a href='https://jobs.lever.co/acme/1'>a</a><a href='https://jobs.lever.co/acme/2'>b</a>"
        "<a href='https://jobs.lever.co/other'>c</a><p>https://jobs.lever.co/acme</p>"
    )
    assert boards(seen) == [("lever", "acme"), ("lever", "other")]


def test_sites_of_many_companies_are_no_find_unless_they_are_the_page() -> None:
    seen, _ = look(
        "<a href='https://remotive.com/'>as seen on</a><a href='https://www.themuse.com/companies/acme'>x</a>"
    )
    assert seen.finds == ()


def test_a_sitemap_is_found_at_its_usual_place_or_where_the_robots_file_says() -> None:
    entries = b"<urlset><url><loc>https://acme.example/jobs/1</loc></url></urlset>"
    seen, _ = look("<p>x</p>", sitemap=entries)
    assert boards(seen) == [("sitemap", "https://acme.example/sitemap.xml")]
    assert "1 addresses" in seen.finds[0].how
    seen, _ = look("<p>x</p>", robots=b"Sitemap: https://acme.example/sitemap.xml\n", sitemap=entries)
    assert boards(seen) == [("sitemap", "https://acme.example/sitemap.xml")]
    seen, _ = look("<p>x</p>", sitemap=b"<urlset><url><loc>https://acme.example/about</loc></url></urlset>")
    assert seen.finds == ()


def test_a_greenhouse_job_on_the_companys_page_names_its_board_where_that_lists_it() -> None:
    def greenhouse(asked: Asked) -> bytes:
        return reply(b'{"id": 4001}') if asked.path == "/v1/boards/acme/jobs/4001" else reply(b"", 404)

    with (
        serving(
            lambda asked: reply(b"<a href='?gh_jid=4001'>x</a>") if asked.path == "/" else reply(b"", 404)
        ) as site,
        serving(greenhouse) as board,
    ):
        origins = {"https://boards-api.greenhouse.io": board.origin}
        named = Settings(origin_overrides={"https://careers.acme.example": site.origin, **origins})
        seen = discovery.look("https://careers.acme.example/", named)
        assert boards(seen) == [("greenhouse", "acme")]
        assert "4001" in seen.finds[0].how
        assert seen.hint == ""
        other = Settings(origin_overrides={"https://other.example": site.origin, **origins})
        seen = discovery.look("https://other.example/", other)
        assert seen.finds == ()
        assert "Greenhouse" in seen.hint


def test_greenhouse_links_without_a_name_are_told_as_a_hint() -> None:
    seen, _ = look("<a href='/careers/job?gh_jid=4001'>IAM Engineer</a>")
    assert seen.finds == ()
    assert "Greenhouse" in seen.hint
    seen, _ = look(
        "<a href='?gh_jid=4001'>x</a><script src='https://boards.greenhouse.io/embed/job_board/js?for=acme'></script>"
    )
    assert boards(seen) == [("greenhouse", "acme")]
    assert seen.hint == ""


def test_what_is_found_can_be_added_by_what_is_told() -> None:
    seen, _ = look(
        "<a href='https://jobs.lever.co/acme/1'>a</a>"
        "<link rel=alternate type=application/rss+xml href='/odd'>"
    )
    assert [find.address for find in seen.finds] == ["https://jobs.lever.co/acme", "https://acme.example/odd"]


@pytest.mark.parametrize(
    "address", ["", "file:///etc/passwd", "http://127.0.0.1:1/", "https://user@acme.example/"]
)
def test_an_address_that_cannot_be_looked_at_says_why(address: str) -> None:
    with pytest.raises(discovery.NothingToLookAt):
        discovery.look(address, Settings())


def test_a_site_that_answers_slowly_is_looked_at_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_BUDGET", 0.5)

    def answer(asked: Asked) -> Iterator[bytes]:
        if asked.path == "/careers":
            yield reply(b"<a href='https://jobs.lever.co/acme'>x</a>")
            return
        server.stop.wait(20)  # the robots file never comes
        yield b""

    with serving(answer) as server:
        seen = discovery.look(
            "https://acme.example/careers", Settings(origin_overrides={"https://acme.example": server.origin})
        )
    assert boards(seen) == [("lever", "acme")]


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=300), st.text(max_size=30))
def test_no_page_of_whatever_makes_an_exception(text: str, address: str) -> None:
    noise = f"{text}<a href='{address}'><base href='//[{address}'><a href='https://jobs.lever.co/acme'><script>{text}"
    look(noise.encode("utf-8", "replace"))
