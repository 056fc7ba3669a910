"""What boards send to hurt their readers: XML that reads files or grows, text that hides or breaks."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from scout import html, lists
from scout.fetch import Answer, FetchError, Reason
from scout.sources import KINDS, contacts, hackernews, jobposting, sitemap
from scout.sources.board import Board, Page
from tests.serving import reply, serving

FEED = Board(kind="feed", token="https://jobs.example/feed.rss")
ITEM = "<item><title>{}</title><link>https://jobs.example/1</link><description>{}</description></item>"


def rss(prolog: str, item: str) -> str:
    return f"{prolog}<rss version='2.0'><channel><title>T</title>{item}</channel></rss>"


@pytest.fixture
def sentinel(tmp_path: Path) -> Path:
    path = tmp_path / "sentinel"
    path.write_text("SENTINEL")
    return path


LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)
) + "]>"  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-7", "utf-8-sig"])
@pytest.mark.parametrize(
    ("prolog", "text"),
    [
        ("<!DOCTYPE x [<!ENTITY xxe SYSTEM 'file://{path}'>]>", "&xxe;"),
        ("<!DOCTYPE x [<!ENTITY % p SYSTEM 'file://{path}'>%p;]>", "x"),
        ("<!-- c --><?pi x?>\n<!doctype x [<!entity xxe SYSTEM '{path}'>]>", "&xxe;"),
        ("<!DOCTYPE x SYSTEM 'file://{path}'>", "&xxe;"),
        (LAUGHS, "&a11;"),
        ("", "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' parse='text' href='file://{path}'/>"),
    ],
    ids=["external", "parameter", "lower case", "external dtd", "laughs", "xinclude"],
)
def test_16_xml_reads_no_file_and_does_not_grow(
    prolog: str, text: str, encoding: str, sentinel: Path
) -> None:
    declaration = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>"
    document = rss(
        declaration + prolog.replace("{path}", str(sentinel)),
        ITEM.format("A title", text.replace("{path}", str(sentinel))),
    )
    page: Page | None = None
    with contextlib.suppress(FetchError):
        page = KINDS["feed"].parse(document.encode(encoding), FEED)
    assert "SENTINEL" not in repr(page)
    assert len(repr(page)) < 5000


def test_16_an_external_entity_reaches_no_server() -> None:
    with serving(lambda _: reply(b"<!ENTITY a 'SENTINEL'>")) as server:
        for prolog in (
            f"<!DOCTYPE rss SYSTEM '{server.origin}/a.dtd'>",
            f"<!DOCTYPE rss PUBLIC 'x' '{server.origin}/a.dtd'>",
            f"<?xml-stylesheet href='{server.origin}/a.xsl' type='text/xsl'?>",
        ):
            (posting,) = KINDS["feed"].parse(rss(prolog, ITEM.format("x", "&a;")).encode(), FEED).postings
            assert "SENTINEL" not in repr(posting)
        assert server.connections == 0


def test_16_a_body_that_is_the_name_of_a_file_or_a_server_is_not_opened(sentinel: Path) -> None:
    with serving(lambda _: reply(rss("", ITEM.format("x", "y")).encode())) as server:
        for body in (str(sentinel), f"file://{sentinel}", f"{server.origin}/feed.rss"):
            with pytest.raises(FetchError) as caught:
                KINDS["feed"].parse(body.encode(), FEED)
            assert caught.value.reason is Reason.NOT_A_LISTING
        assert server.connections == 0


def test_16_a_feed_of_a_million_tags_is_not_given_to_the_parser() -> None:
    with pytest.raises(FetchError) as caught:
        KINDS["feed"].parse(rss("", "<a>" * 1_000_000).encode(), FEED)
    assert caught.value.reason is Reason.TOO_LARGE


HOSTILE = [
    "Engineer \u202egnp.exe", "nul\x00nul", "lone \ud800 surrogate", "x" * 1_000_000,
    "👩‍💻 Identity 🔐", "\u2066isolate\u2069",
    "a\r\nSet-Cookie: x", "bell\x07 escape\x1b[31m", "=cmd|'/c calc'!A0", "zero\u200bwidth",
    "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "{{ 7*7 }}", "'; DROP TABLE jobs; --",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_18_hostile_text_is_one_legible_line_that_every_store_takes(text: str) -> None:
    job = {
        "id": 1,
        "title": text,
        "absolute_url": "https://job-boards.greenhouse.io/a/jobs/1",
        "location": {"name": text},
        "company_name": text,
        "content": text,
        "departments": [{"name": text}],
        "requisition_id": text,
    }
    board = Board(kind="greenhouse", token="a")
    (posting,) = KINDS["greenhouse"].parse(json.dumps({"jobs": [job]}).encode(), board).postings
    for line in (
        posting.title,
        posting.company,
        posting.department,
        posting.requisition_id,
        *posting.locations,
    ):
        assert "\n" not in line
        assert len(line) <= 500
    everything = repr(posting)
    everything.encode("utf-8")
    assert not set(everything) & set("\x00\x07\x1b\u202e\u2066\u2069\ud800")
    assert "<script" not in posting.description_html


@pytest.mark.parametrize(
    "body", [b'{"jobs": [{"id": 1, "title": "a\xff\xfeb", "absolute_url": "https://a.example/"}]}']
)
def test_18_bytes_that_are_not_utf_8_are_replaced(body: bytes) -> None:
    (posting,) = KINDS["greenhouse"].parse(body, Board(kind="greenhouse", token="a")).postings
    assert posting.title == "a\ufffd\ufffdb"


@pytest.mark.parametrize("field", ["content", "descriptionHtml"])
def test_17_html_is_safe_whichever_board_it_came_from(field: str) -> None:
    attack = "<p onclick=alert(1)>x<script>alert(1)</script><img src=https://t.example/p.gif></p>"
    escaped = "&lt;p onclick=alert(1)&gt;x&lt;script&gt;alert(1)&lt;/script&gt;&lt;svg onload=alert(1)&gt;"
    listings = {
        "greenhouse": {"jobs": [{"id": 1, "title": "t", "absolute_url": "https://a.example/",
                                 "content": escaped}]},
        "lever": [{"id": "1", "text": "t", "hostedUrl": "https://a.example/", "description": attack,
                   "lists": [{"text": "<b onclick=x>", "content": attack}], "additional": attack}],
        "ashby": {"jobs": [{"id": "1", "title": "t", "jobUrl": "https://a.example/",
                            "descriptionHtml": attack}]},
    }  # fmt: skip
    for kind, listing in listings.items():
        (posting,) = KINDS[kind].parse(json.dumps(listing).encode(), Board(kind=kind, token="a")).postings
        for danger in ("<script", "onclick=alert", "<img", "<svg", "alert(1)"):
            assert danger not in posting.description_html


_LD = '<script type="application/ld+json">'
BUILT_TO_HURT = {
    "spaces": " ", "a word": "a", "open tags": "<a ", "mail links": "<a href=mailto:>", "scripts": _LD,
    "escaped quotes": f'{_LD}{{"a":' + '\\"' * 100, "commas": f"{_LD}[" + ", " * 100, "brackets": f"{_LD}[",
    "numbers": "123 456 ", "dots": "a.", "words for addresses": "a dot b at ", "quotes": "<a x='", "links": "http://",
    "entries": "<url>", "places": "<url><loc>", "bars": "a | ", "requests": "please mention the word ",
}  # fmt: skip


@pytest.mark.parametrize("part", BUILT_TO_HURT.values(), ids=BUILT_TO_HURT)
@pytest.mark.parametrize("end", ["", "x</script>"])
def test_a_page_that_is_built_to_hurt_its_reader_is_read(part: str, end: str) -> None:
    # A reader whose time grows with the square of the length would need hours for this.
    page = part * (500_000 // len(part)) + end
    jobposting.postings_of(Answer(url="https://acme.example/", status=200, body=page.encode()), "Acme")
    sitemap.entries_of(page)
    hackernews.first_line(page)
    contacts.without_contacts(page)
    list(html.elements(page))
    with contextlib.suppress(lists.UnreadableList):
        lists.entries(page)
