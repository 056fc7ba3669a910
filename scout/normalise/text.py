"""Lines of text, identifiers and links out of what boards send."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

from scout.html import legible

_LONGEST_LINE = 500


def line(value: Any, longest: int = _LONGEST_LINE) -> str:
    """One line of text: entities resolved, spaces folded, cut to `longest` characters; empty if not text."""
    if not isinstance(value, str):
        return ""
    text = value[: longest * 8]
    if "&" in text:
        text = html.unescape(text)
    folded = " ".join(legible(text).split())
    return folded if len(folded) <= longest else folded[: longest - 1].rstrip() + "…"


def identifier(value: Any) -> str:
    """A board's id of something as text; empty if it is neither text nor a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return line(value)


def public_url(value: Any) -> str:
    """A link that a page may show: http or https with a host, nothing invisible in it; empty otherwise."""
    if not isinstance(value, str):
        return ""
    url = value.strip()
    if len(url) > 2000 or legible(url) != url or re.search(r"[\s\\<>\"`]", url):  # noqa: PLR2004 - what browsers take
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return ""
    return url
