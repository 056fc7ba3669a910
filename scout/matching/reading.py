"""Which terms of a profile a posting holds, and where.

A text is cut into words once and looked up in a tree of the profile's phrases, so that the time it takes
hardly depends on how many phrases there are.
"""

from __future__ import annotations

import itertools
import re
from typing import NamedTuple

from scout.matching.boilerplate import ABOUT, ABOUT_LENGTH, HEADING_LENGTH, SELF_PRAISE
from scout.matching.profile import END, Ends, Node, Profile, Term, Where
from scout.matching.words import between_spaces, split, words_of
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


def _holds(tree: Node, words: list[str]) -> bool:
    """Whether any term's phrase stands in the words. Boilerplate is none."""
    for position in [place for place, word in enumerate(words) if word in tree]:
        node: Node | None = tree
        for word in itertools.islice(words, position, None):
            node = node.get(word) if node else None
            if node is None:
                break
            if any(term is not None for term, _ in node.get(END, ())):
                return True
    return False


def _hits(tree: Node, words: list[str], text: str) -> list[tuple[Term, str]] | None:
    """The terms in some words, each with the spelling that was found; None when the words are boilerplate."""
    hits: list[tuple[Term, str]] = []
    position = 0
    while position < len(words):
        step = 1
        node = tree.get(words[position])
        if node is not None:
            ends: list[tuple[int, Ends]] = []
            end = position + 1
            while node is not None:
                if END in node:
                    ends.append((end, node[END]))
                node = node.get(words[end]) if end < len(words) else None
                end += 1
            # The longest phrase counts, and uses up its words: "identity governance" is not also "identity".
            for stop, entries in reversed(ends):
                fitting = []
                for term, spelling in entries:
                    if term is None:
                        return None
                    if not term.written or _in_case(term, words, position, stop, text):
                        fitting.append((term, spelling))
                if fitting:
                    hits += fitting
                    step = stop - position
                    break
        position += step
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

    __slots__ = ("_company", "_kept", "_profile", "found")

    def __init__(self, profile: Profile, company: list[str]) -> None:
        self._profile = profile
        self._company = company
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
        tree = self._profile.tree
        words = words_of(text)
        # Most descriptions hold nothing: one look over all words, before any care about lines and sentences.
        if not _holds(tree, words):
            self._kept.append(words)
            return
        about = 0
        for line in text.split("\n"):
            if line and len(line) <= HEADING_LENGTH and not line.rstrip().endswith((".", "!", "?")):
                heading = ABOUT.fullmatch(line)
                about = ABOUT_LENGTH if heading and self._names_employer(heading["name"]) else 0
            if about > 0:
                about -= len(line) + 1
                continue
            self._line(line)

    def _names_employer(self, name: str | None) -> bool:
        # "About the role" is about the work.
        return name is None or (bool(self._company) and words_of(name)[:1] == self._company[:1])

    def _line(self, line: str) -> None:
        words = words_of(line)
        tree = self._profile.tree
        hits = [] if tree.keys().isdisjoint(words) else _hits(tree, words, line)
        if hits == []:
            self._kept.append(words)
            return
        # There is something to lose: boilerplate and self-praise take only their own sentence with them.
        sentences = _SENTENCE_END.split(line)
        for sentence in sentences:
            if len(sentences) > 1:
                words = words_of(sentence)
                hits = _hits(tree, words, sentence)
            if hits is not None and not self._praises_employer(words):
                self._kept.append(words)
                self._note("description", hits)

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
        company = self._company
        return any(
            list(phrase) == company[start : start + len(phrase)]
            for phrase in term.words
            for start in range(len(company) - len(phrase) + 1)
        )

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
