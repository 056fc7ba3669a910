"""Marking words in a description that is HTML: in its texts alone, never in a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape

from markupsafe import Markup

from scout.searching import marking
from scout.searching.language import Key, Query, Term
from scout.searching.words import words_of

# A tag as the sanitiser writes it: its attributes are in double quotes, which may hold what ends a tag.
_TAG = re.compile(r"(<[^<>\"]*(?:\"[^\"]*\"[^<>\"]*)*>)")
#: Texts longer than this stay unmarked: every word of them is looked at.
_LONGEST = 60_000


def marked(html: str, terms: Iterable[str], query: Query | None = None) -> Markup:
    """A description with words in `<mark>`.

    Args:
        html: The description, as `scout.html.sanitise` made it.
        terms: What made it match: words or phrases.
        query: A search whose words are marked too, or None.
    """
    phrases = [" ".join(words_of(each)) for each in terms]
    wanted = Query(
        tuple(Term(Key.PHRASE, each, values=(each,), exact=True) for each in dict.fromkeys(phrases) if each)
        + (query.terms if query else ())
    )
    if not marking.wanted(wanted) or len(html) > _LONGEST:
        return Markup(html)  # noqa: S704 - safe as it is
    pieces = [
        piece if _TAG.fullmatch(piece) else str(marking.marked(unescape(piece), wanted))
        for piece in _TAG.split(html)
    ]
    return Markup("".join(pieces))  # noqa: S704 - its tags are the sanitiser's, its texts escaped anew
