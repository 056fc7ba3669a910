"""HTML from boards: made safe once, on the way in, and turned into plain text for matching and search."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator

import nh3

#: Descriptions longer than this, in characters, are cut before they are read. The longest honest one seen is
#: a tenth of it.
LONGEST = 200_000

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "li", "ol", "p", "pre", "s", "small", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
#: Elements that go with all they hold: code, other languages inside HTML, and the parts of forms.
_DROPPED = {
    "applet", "audio", "canvas", "embed", "form", "frame", "frameset", "iframe", "math", "noembed",
    "noframes", "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title",
    "video", "xmp",
}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_DROPPED,
    attributes={"a": {"href"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow noopener noreferrer",
)

# What no reader may see and some stores cannot keep: control characters, lone surrogates, marks that reverse
# the direction of text, and noncharacters.
_UNWANTED = re.compile(
    ""
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_UNWANTED_ASCII = bytes(code for code in range(0x80) if _UNWANTED.match(chr(code)))
_BREAK = re.compile(
    r"<(?:br|hr|p|div|[uod]l|table|pre|blockquote|h[1-6])>|</(?:p|div|li|h[1-6]|tr|[uod]l|d[dt]|blockquote|pre|table)>"
)
_TAG = re.compile(r"<[^<>\"]*(?:\"[^\"]*\"[^<>\"]*)*>")
#: How many elements may be open at once. Browsers stop near 512; deeper text is an attack on the parser.
_DEEPEST = 256
_OPENING = re.compile(r"<(/?)[A-Za-z]")


# The ampersand is last: what it uncovers is not looked at again.
_ESCAPED = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&#x27;", "'"), ("&amp;", "&"))


def legible(text: str) -> str:
    """Text without what no reader may see: control characters, lone surrogates, direction overrides."""
    if text.isascii():
        # Most texts; and bytes are cleared several times as fast as a pattern is tried at each of them.
        return text.encode("ascii").translate(None, _UNWANTED_ASCII).decode("ascii")
    return _UNWANTED.sub("", text)


def unescaped(html: str) -> str:
    """HTML whose characters were escaped once more, as it was before.

    Only the five characters that escaping touches are undone: any other entity is the HTML's own, and stays.
    """
    for entity, character in _ESCAPED:
        html = html.replace(entity, character)
    return html


def sanitise(html: str) -> str:
    """HTML that is safe to show: an allow-list of elements, no attributes but links' addresses, no images.

    Links go to http, https and mailto only, and carry `nofollow noopener noreferrer`.
    """
    html = legible(html[:LONGEST])
    if _too_deep(html):
        return entities.escape(text_of_tags(html), quote=False)
    return _CLEANER.clean(html).strip()


def text(html: str) -> str:
    """The plain text of any HTML: one line for each block, a dash before list items, entities resolved."""
    return plain(sanitise(html))


def plain(sanitised: str) -> str:
    """The plain text of HTML that `sanitise` made."""
    lines = _BREAK.sub("\n", sanitised.replace("\n", " "))
    lines = lines.replace("<li>", "\n- ").replace("</td>", " ").replace("</th>", " ")
    lines = entities.unescape(_TAG.sub("", lines))
    return "\n".join([line for each in lines.split("\n") if (line := " ".join(each.split()))])


def text_of_tags(html: str) -> str:
    """The text between tags, for HTML that no parser should be given."""
    return " ".join(entities.unescape(_TAG.sub(" ", html)).split())


_ELEMENT = re.compile(r"<([a-z][a-z0-9]{0,15})\b([^<>]{0,4000})", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"([a-z][\w:-]{0,40})\s{0,20}=\s{0,20}(?:\"([^\"]{0,2000})\"|'([^']{0,2000})'|([^\s\"'<>]{1,2000}))",
    re.IGNORECASE,
)


def elements(markup: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each opening tag of a page or an XML document, with its attributes; names are in lower case.

    It is read by its tags alone, in a time that grows with its length and nothing else. What stands in
    comments and scripts counts too.
    """
    for found in _ELEMENT.finditer(markup):
        attributes: dict[str, str] = {}
        for name, *values in _ATTRIBUTE.findall(found[2]):
            attributes.setdefault(name.lower(), entities.unescape("".join(values)).strip())
        yield found[1].lower(), attributes


def _too_deep(html: str) -> bool:
    if html.count("<") <= _DEEPEST:
        return False
    depth = 0
    for closing in _OPENING.findall(html):
        depth = max(0, depth - 1) if closing else depth + 1
        if depth > _DEEPEST * 16:
            return True
    return False
