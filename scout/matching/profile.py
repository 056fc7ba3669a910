"""A profile, ready for matching: its terms in trees of words, and its wishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from scout.errors import ScoutError
from scout.matching.wishes import Wish
from scout.matching.words import words_of

#: Where a term is looked for.
Where = Literal["title", "department", "description"]

PLACES: tuple[Where, ...] = ("title", "department", "description")

Node = dict[str, Any]
Ends = list[tuple["Term | None", str]]
#: Where a node of a tree keeps what ends there. No word is empty.
END = ""


class ProfileUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A profile cannot be found or used. The text says where in it and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One thing that a profile looks for.

    Attributes:
        label: Its words as the profile has them.
        group: The group of the profile it belongs to.
        points: What it gives, by place. Below 0 it takes away.
        written: The spellings whose upper and lower case count, as words; empty when none does.
        words: Every phrase that means it, as its folded words, and how reasons name it.
        needs: Phrases of which one must stand somewhere in the posting.
        unless: Phrases of which none may stand anywhere in the posting, boilerplate included.
        others: How many other terms must be found for this one to count.
        phrases: Those of `words`, as they are looked for in other words.
    """

    label: str
    group: str
    points: dict[Where, int]
    written: frozenset[tuple[str, ...]]
    words: dict[tuple[str, ...], str]
    needs: tuple[str, ...]
    unless: tuple[str, ...]
    others: int
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """What the owner looks for, ready for matching.

    Attributes:
        name: Its short name.
        title: Its name for people.
        about: A sentence or two about it.
        limits: The most that the terms of one place give together.
        terms: All terms.
        wishes: What is wanted of the job besides its work, in the order of `scout.matching.wishes`.
        content: Fingerprint of the text that it was read from.
        heading_tree: The phrases to look for in titles and departments, word by word.
        tree: Those to look for in descriptions, boilerplate among them.
    """

    name: str
    title: str
    about: str
    limits: dict[Where, int]
    terms: tuple[Term, ...] = field(repr=False)
    wishes: tuple[Wish, ...]
    content: str
    heading_tree: Node = field(repr=False)
    tree: Node = field(repr=False)


def tree_of(terms: Sequence[Term], ignored: Sequence[str]) -> Node:
    """The phrases of terms, word by word; where an ignored one ends, there is None in place of a term."""
    root: Node = {}
    phrases: list[tuple[Sequence[str], Term | None, str]] = [(words_of(each), None, "") for each in ignored]
    phrases += [(phrase, term, spelling) for term in terms for phrase, spelling in term.words.items()]
    for phrase, term, spelling in phrases:
        node = root
        for word in phrase:
            node = node.setdefault(word, {})
        node.setdefault(END, []).append((term, spelling))
    return root
