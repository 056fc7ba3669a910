"""Finding the rule whose glob fits a dotted name, in the order and with the quirks of the real exporter.

The real one walks a tree of segments (`pkg/mapper/fsm`). The same tree here keeps its pitfalls: a shorter
rule declared after a longer one that passes through its last segment is never found (rule M8), and the later
of two equal rules gives its place in the order to the earlier (rule M9).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

Rule = TypeVar("Rule")
KINDS = ("counter", "gauge", "observer")


class _Node(Generic[Rule]):
    __slots__ = ("children", "longest", "order", "rule", "shortest")

    def __init__(self, remaining: int) -> None:
        self.children: dict[str, _Node[Rule]] = {}
        #: How many segments may follow this one, over all rules that pass here.
        self.shortest = self.longest = remaining
        self.rule: Rule | None = None
        self.order = 0

    def fits(self, remaining: int) -> bool:
        return self.shortest <= remaining <= self.longest


class Globs(Generic[Rule]):
    """A tree of glob rules.

    Args:
        ordered: True where the first rule of the file wins; False where the most specific one does
            (`glob_disable_ordering`).
    """

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._backtracks = ordered
        self._roots: dict[str, _Node[Rule]] = {kind: _Node(0) for kind in KINDS}
        self._matches: list[str] = []

    def add(self, match: str, kind: str, rule: Rule) -> int:
        """Add a rule for one kind of event, or for all where `kind` is empty; answers its captures."""
        segments = match.split(".")
        for root_kind in (kind,) if kind else KINDS:
            node = self._roots[root_kind]
            for index, segment in enumerate(segments):
                remaining = len(segments) - index - 1
                child = node.children.get(segment)
                if child is None:
                    child = node.children[segment] = _Node(remaining)
                    if not remaining:
                        child.rule = rule
                else:
                    child.longest = max(child.longest, remaining)
                    child.shortest = min(child.shortest, remaining)
                node = child
            node.order = len(self._matches)
        self._matches.append(match)
        return segments.count("*")

    def close(self) -> None:
        """Say that all rules are there. Unordered trees look back only where a rule needs it."""
        self._backtracks = self._ordered or _needs_backtracking(self._matches)

    def find(self, name: str, kind: str) -> tuple[Rule, list[str]] | None:
        """The rule for a name, and what its stars stand for."""
        segments = name.split(".")
        last = len(segments) - 1
        best: tuple[Rule, list[str]] | None = None
        best_order = -1
        # What is still to be tried: a node, the index of the segment to take, what was captured so far.
        open_paths: list[tuple[_Node[Rule], int, list[str]]] = [(self._roots[kind], 0, [])]
        while open_paths:
            node, index, captures = open_paths.pop()
            if index > last:
                if node.rule is None:
                    continue
                if not self._ordered:
                    return node.rule, captures + [""] * (len(segments) - len(captures))
                if best is None or node.order < best_order:
                    best, best_order = (node.rule, captures), node.order
                continue
            remaining = last - index
            literal = node.children.get(segments[index])
            star = node.children.get("*")
            take_literal = literal is not None and literal.fits(remaining)
            if star is not None and star.fits(remaining) and (self._backtracks or not take_literal):
                open_paths.append((star, index + 1, [*captures, segments[index]]))
            if literal is not None and take_literal:
                # A star in the name itself goes this way too, and is not captured.
                open_paths.append((literal, index + 1, captures))
        if best is None:
            return None
        return best[0], best[1] + [""] * (len(segments) - len(best[1]))


def _needs_backtracking(matches: Sequence[str]) -> bool:
    """Whether the real exporter would look back, in a tree where the most specific rule wins.

    A rule with a star needs it where a rule of the same length begins with the same segments up to that star,
    unless one of the two covers the other.
    """
    for match in matches:
        peers = [other for other in matches if other.count(".") == match.count(".")]
        peers.remove(match)
        stars = [index for index, character in enumerate(match) if character == "*"]
        shares = any(peer.startswith(match[:star]) for star in stars for peer in peers)
        covered = any(_covers(match, peer) or _covers(peer, match) for peer in peers)
        if shares and not covered:
            return True
    return False


def _covers(wide: str, narrow: str) -> bool:
    return re.fullmatch(re.escape(wide).replace(r"\*", "[^.]*"), narrow) is not None
