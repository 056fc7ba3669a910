"""Where the words of a search stand: titles with the hits marked, and the piece of a text around the first.

Everything is escaped first and only then marked, by the folding that finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from scout.searching.conditions import SHORTEST_BEGINNING
from scout.searching.language import Key, Query
from scout.searching.words import folded

_RUN = re.compile(r"[^\W_]+")
#: Characters of a piece of text, about, and how many of them stand before the first hit.
_PIECE, _BEFORE = 220, 60
_BREAK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing to mark: words in a row, of which the last may be a beginning."""

    words: tuple[str, ...]
    begins: bool


def wanted(query: Query, *keys: Key) -> list[Wanted]:
    """What a search looks for under some keys, and under none."""
    found = []
    for term in query.terms:
        if term.negated or term.key not in {Key.WORDS, Key.PHRASE, *keys}:
            continue
        for value in term.values:
            words = tuple(value.split())
            found.append(Wanted(words, not term.exact and len(words[-1]) >= SHORTEST_BEGINNING))
    return found


def marked(text: str, query: Query, *keys: Key) -> Markup:
    """A text, escaped, with what the search looks for in `<mark>`.

    Args:
        text: Plain text.
        query: The search.
        keys: Whose terms count besides words and phrases: `title` for a title.
    """
    return _marked(text, wanted(query, *keys))


def snippet(text: str, query: Query) -> Markup | None:
    """The piece of a text around the first hit, marked and escaped; None where the text has none."""
    sought = wanted(query)
    first = _first(text, sought) if sought else None
    if first is None:
        return None
    start, end = max(first - _BEFORE, 0), min(first - _BEFORE + _PIECE, len(text))
    if start:
        # From the beginning of a word on, if there is one before the hit.
        space = text.find(" ", start, first)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", first, end)
        end = space if space > first else end
    piece = _marked(_BREAK.sub(" ", text[start:end]).strip(), sought)
    return (Markup("… ") if start else Markup()) + piece + (Markup(" …") if end < len(text) else Markup())


def _marked(text: str, sought: Sequence[Wanted]) -> Markup:
    if not sought:
        return escape(text)
    pieces: list[str] = []
    at = 0
    for start, end in _together(_hits(text, sought)):
        pieces += [str(escape(text[at:start])), "<mark>", str(escape(text[start:end])), "</mark>"]
        at = end
    # All of it is escaped above, but for our own mark.
    return Markup("".join(pieces)) + escape(text[at:])  # noqa: S704


def _together(hits: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Hits in order, those that overlap as one."""
    begun: tuple[int, int] | None = None
    for start, end in sorted(hits):
        if begun is not None and start <= begun[1]:
            begun = begun[0], max(begun[1], end)
            continue
        if begun is not None:
            yield begun
        begun = start, end
    if begun is not None:
        yield begun


def _first(text: str, sought: Sequence[Wanted]) -> int | None:
    """Where the first hit begins. Plain letters are looked for as they are, which is quick in a long text."""
    plain = text.lower()
    if len(plain) == len(text):
        found = _pattern(sought).search(plain)
        if found is not None:
            return found.start()
        if text.isascii():
            return None
    return min((start for start, _ in _hits(text, sought)), default=None)


def _pattern(sought: Sequence[Wanted]) -> re.Pattern[str]:
    # `re` keeps what it compiled.
    said = [
        r"[\W_]+".join(map(re.escape, each.words)) + ("" if each.begins else r"(?![^\W_])") for each in sought
    ]
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(said)})")


def _hits(text: str, sought: Sequence[Wanted]) -> Iterator[tuple[int, int]]:
    runs: list[tuple[str, int, int]] = []
    for match in _RUN.finditer(text):
        # One run may be several words once it is folded.
        runs += [(each, match.start(), match.end()) for each in _RUN.findall(folded(match[0]))]
    for each in sought:
        length = len(each.words)
        first = each.words[0]
        for at in range(len(runs) - length + 1):
            # The last word, which may be a beginning, is compared below.
            if length > 1 and runs[at][0] != first:
                continue
            there = [word for word, _, _ in runs[at : at + length]]
            last = there.pop()
            fits = last.startswith(each.words[-1]) if each.begins else last == each.words[-1]
            if fits and there == list(each.words[:-1]):
                yield runs[at][1], runs[at + length - 1][2]
