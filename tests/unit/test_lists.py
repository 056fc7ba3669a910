from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout import lists
from scout.lists import Entry, UnreadableList, entries


def test_lines_are_addresses_and_comments_and_empty_lines_are_not() -> None:
    text = "\ufeff# my boards\n\nhttps://jobs.lever.co/a\r\n  jobs.lever.co/b, c \n"
    assert entries(text) == [Entry(3, "https://jobs.lever.co/a"), Entry(4, "jobs.lever.co/b, c")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_has_a_column_of_addresses_and_perhaps_one_of_names(separator: str) -> None:
    text = "Company,URL,x\nAcme,https://jobs.lever.co/acme,1\n\n,https://jobs.lever.co/b\nNobody,,\n"
    assert entries(text.replace(",", separator)) == [
        Entry(2, "https://jobs.lever.co/acme", "Acme"),
        Entry(4, "https://jobs.lever.co/b"),
    ]


def test_quoted_cells_may_hold_the_separator() -> None:
    assert entries('url,name\n"https://a.example/?x=1,2","Acme, Inc"\n') == [
        Entry(2, "https://a.example/?x=1,2", "Acme, Inc")
    ]


def test_an_outline_of_a_feed_reader_is_read() -> None:
    text = (
        "<?xml version='1.0'?>\n<opml version='2.0'><body>\n<outline text='Jobs'>\n"
        "<outline type='rss' text='Acme &amp; Sons' xmlUrl='https://a.example/feed.rss' htmlUrl='https://a.example'/>\n"
        "<outline title='B' htmlUrl='https://b.example/rss'/></outline></body></opml>"
    )
    assert entries(text) == [
        Entry(1, "https://a.example/feed.rss", "Acme & Sons"),
        Entry(2, "https://b.example/rss", "B"),
    ]


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "<opml></opml>", "url\n", "url,name\n,\n"])
def test_a_list_of_nothing_says_so(text: str) -> None:
    with pytest.raises(UnreadableList, match="no address"):
        entries(text)


def test_a_table_that_is_broken_names_its_line() -> None:
    with pytest.raises(UnreadableList, match="Line 2"):
        entries("url,name\nhttps://a.example," + "x" * 200_000)


@given(st.text(max_size=200))
def test_no_list_of_whatever_makes_another_exception(text: str) -> None:
    for written in (text, f"url,name\n{text}", f"<opml>{text}<outline xmlurl='{text}'>"):
        try:
            found = lists.entries(written)
        except UnreadableList:
            continue
        assert found
