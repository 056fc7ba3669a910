"""Mail addresses and phone numbers in texts that people wrote themselves: they are not kept."""

from __future__ import annotations

import re

from scout.html import LONGEST

_AT = r"\s*(?:@|[\[({<]\s*at\s*[\])}>]|\s(?:at|AT)\s(?=[\w-]+\s*(?:[\[({]|\s(?:dot|DOT)\s)))\s*"
_DOT = r"\s*(?:\.|[\[({<]\s*dot\s*[\])}>]|\s(?:dot|DOT)\s)\s*"
_MAIL = re.compile(
    rf"(?:mailto:)?[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,4}}{_DOT}[A-Za-z]{{2,24}}\b"
)
_PHONE = re.compile(
    r"(?<![\w/=.-])(?:(?:\+\d{1,3}[\s.-]?)?\(\d{2,4}\)[\s.-]?\d{3,4}[\s.-]?\d{3,4}"
    r"|\d{3}([.-])\d{3,4}\1\d{4}|\d{3} \d{3} \d{4})(?![\w/-])"
)
_INTERNATIONAL = re.compile(r"(?<![\w/=])\+\d(?:[\s.-]?\d){7,13}(?![\w/])")
#: What stands where one was.
LEFT_OUT = "[contact left out]"
_LINK = re.compile(
    r"<a\b[^<>]{0,500}?\bhref=[\"']?(?:mailto|tel):[^<>]{0,500}>([^<>]{0,500})</a>", re.IGNORECASE
)


def without_contacts(html: str) -> str:
    """HTML or plain text without mail addresses, also those written as words, and without phone numbers."""
    html = _LINK.sub(r"\1", html[:LONGEST])
    for pattern in (_MAIL, _INTERNATIONAL, _PHONE):
        html = pattern.sub(LEFT_OUT, html)
    return html
