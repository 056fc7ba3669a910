"""Which terms of a profile a posting holds, and where.

A text is cut into words once and looked up in a tree of the profile's phrases, so that the time it takes
hardly depends on how many phrases there are.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from scout.matching.boilerplate import ABOUT, ABOUT_BEGINS, ABOUT_LENGTH, HEADING_LENGTH, SELF_PRAISE
from scout.matching.profile import END, Ends, Node, Profile, Term, Where
from scout.matching.words import between_spaces, folded, split, words_of
from scout.postings import Posting

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+")


class Finding(NamedTuple):
    """A term, where it was found, and as what."""

    term: Term
    where: Where
    spelling: str

    @property
    def points(self) -> int:
        """What it gives there."""
        return self.term.points[self.where]


def _ends(tree: Node, words: list[str], start: int) -> list[tuple[int, Ends]]:
    """What ends after the words from a place on, the longest phrase first."""
    ends: list[tuple[int, Ends]] = []
    node: Node | None = tree[words[start]]
    stop = start + 1
    while node is not None:
        if END in node:
            ends.append((stop, node[END]))
        node = node.get(words[stop]) if stop < len(words) else None
        stop += 1
    ends.reverse()
    return ends


#: The terms that some words hold, each with the spelling that was found; None for boilerplate.
_Hits = list[tuple[Term, str]] | None
#: A line or a sentence, as words, and what it holds.
_Piece = tuple[list[str], _Hits]


def _hits(tree: Node, words: list[str], text: str) -> _Hits:
    """What some words, and the text that they are of, hold."""
    hits: list[tuple[Term, str]] = []
    free = 0
    for start in [place for place, word in enumerate(words) if word in tree]:
        if start < free:
            continue
        # The longest phrase counts, and uses up its words: "identity governance" is not also "identity".
        for stop, entries in _ends(tree, words, start):
            fitting = []
            for term, spelling in entries:
                if term is None:
                    return None
                if not term.written or _in_case(term, words, start, stop, text):
                    fitting.append((term, spelling))
            if fitting:
                hits += fitting
                free = stop
                break
    return hits


def _in_case(term: Term, words: list[str], start: int, stop: int, text: str) -> bool:
    found = tuple(words[start:stop])
    if all(found != tuple(word.lower() for word in written) for written in term.written):
        return True
    original = split(text)
    # Lower-casing may split a rare letter in two; then we cannot tell, and let it count.
    return len(original) != len(words) or tuple(original[start:stop]) in term.written


class Reading:
    """One posting being read: which terms it holds, and where."""

    __slots__ = ("_company", "_employer", "_kept", "_profile", "found")

    def __init__(self, profile: Profile, company: list[str]) -> None:
        self._profile = profile
        self._company = company
        self._employer = between_spaces(company)
        self._kept: list[list[str]] = []
        #: What was found, and the spelling in which it was found first.
        self.found: dict[tuple[Term, Where], str] = {}

    def heading(self, where: Where, text: str) -> None:
        """Read a title or a department."""
        words = words_of(text)
        self._kept.append(words)
        self._note(where, _hits(self._profile.heading_tree, words, text) or [])

    def description(self, text: str) -> None:
        """Read a description, leaving out what is not about the work."""
        begins = self._profile.tree.keys()
        lines = text.split("\n")
        pieces: dict[int, list[_Piece]] = {}
        words = [plain.split() for plain in folded(text).split("\n")]
        for number, line_words in enumerate(words):
            # Most lines hold no word with which any phrase begins.
            if not begins.isdisjoint(line_words):
                pieces[number] = self._pieces(lines[number], line_words)
        if not any(hits for each in pieces.values() for _, hits in each):
            # Most descriptions hold nothing: no care about sections.
            self._kept += words
            return
        about = 0
        for number, line in enumerate(lines):
            if line and len(line) <= HEADING_LENGTH and not line.rstrip().endswith((".", "!", "?")):
                begins_so = words[number] and words[number][0] in ABOUT_BEGINS
                heading = ABOUT.fullmatch(line) if begins_so else None
                about = ABOUT_LENGTH if heading and self._names_employer(heading["name"]) else 0
            if about > 0:
                about -= len(line) + 1
                continue
            for piece, hits in pieces.get(number, [(words[number], [])]):
                if hits is not None and not (hits and self._praises_employer(piece)):
                    self._kept.append(piece)
                    self._note("description", hits)

    def _pieces(self, line: str, words: list[str]) -> list[_Piece]:
        """A line, by sentences if it has something to lose: boilerplate and praise take only their own."""
        tree = self._profile.tree
        hits = _hits(tree, words, line)
        if hits == []:
            return [(words, [])]
        sentences = _SENTENCE_END.split(line)
        if len(sentences) == 1:
            return [(words, hits)]
        return [(each, _hits(tree, each, text)) for text in sentences for each in (words_of(text),)]

    def _names_employer(self, name: str | None) -> bool:
        # "About the role" is about the work.
        return name is None or (bool(self._company) and words_of(name)[:1] == self._company[:1])

    def _praises_employer(self, words: list[str]) -> bool:
        company = self._company
        if not company or company[0] not in words:
            return False
        after = words.index(company[0])
        while after < len(words) and words[after] in company:
            after += 1
        return after < len(words) and words[after] in SELF_PRAISE

    def _note(self, where: Where, hits: list[tuple[Term, str]]) -> None:
        for term, spelling in hits:
            if where in term.points and not self._is_employer(term):
                self.found.setdefault((term, where), spelling)

    def _is_employer(self, term: Term) -> bool:
        return any(phrase in self._employer for phrase in term.phrases)

    def counting(self, posting: Posting) -> list[Finding]:
        """What was found, without the terms whose surroundings say that they mean something else."""
        found = [Finding(term, where, spelling) for (term, where), spelling in self.found.items()]
        if any(each.term.needs or each.term.unless for each in found):
            kept = between_spaces(itertools.chain.from_iterable(self._kept))
            everything = between_spaces(words_of(f"{posting.title}\n{posting.description_text}"))
            found = [
                each
                for each in found
                if (not each.term.needs or any(phrase in kept for phrase in each.term.needs))
                and not any(phrase in everything for phrase in each.term.unless)
            ]
        sure = {each.term for each in found if not each.term.others and max(each.term.points.values()) > 0}
        return [each for each in found if len(sure) >= each.term.others]
