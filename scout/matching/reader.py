"""The terms of a profile's file, and the checks that all its parts share: each error says where it is."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from scout.matching.profile import PLACES, ProfileUnusable, Term, Where
from scout.matching.words import between_spaces, each_spelling, forms, split, words_of

_NONE: frozenset[tuple[str, ...]] = frozenset()
_TERM_KEYS = frozenset({"also", "case", "needs", "unless", "others", *PLACES})


class Reader:
    """Reads a profile's parts, and says where one is wrong."""

    def __init__(self, source: str) -> None:
        self._source = source

    def fail(self, where: str, why: str) -> ProfileUnusable:
        """An error that says where and why."""
        return ProfileUnusable(f"The profile {self._source} cannot be used: {where} {why}.")

    def keys(self, where: str, value: Any, needed: Iterable[str], allowed: Iterable[str]) -> None:
        """See that names with values are there, all that are needed and none that mean nothing."""
        if not isinstance(value, dict):
            raise self.fail(where, "must be names with values")
        for key in needed:
            if not value.get(key):
                raise self.fail(where, f"lacks {key!r}")
        for key in value:
            if key not in {*needed, *allowed}:
                raise self.fail(where, f"has {key!r}, which means nothing here")

    def entries(self, where: str, value: Any) -> list[Any]:
        """A list of anything."""
        if not isinstance(value, list):
            raise self.fail(where, "must be a list")
        return value

    def phrases(self, where: str, value: Any) -> tuple[str, ...]:
        """A list of words, each choice of `(a|b)` by itself."""
        for each in self.entries(where, value):
            if not isinstance(each, str) or not words_of(each):
                raise self.fail(where, f"has {each!r}, which is no word (numbers need quotes)")
        return tuple(itertools.chain.from_iterable(each_spelling(each) for each in value))

    def points(self, where: str, value: Any, least: int = -100) -> dict[Where, int]:
        """Points by place."""
        if not isinstance(value, dict):
            raise self.fail(where, "must be names with values")
        found: dict[Where, int] = {}
        for place in PLACES:
            if (points := value.get(place)) is not None:
                if isinstance(points, bool) or not isinstance(points, int) or not least <= points <= 100:  # noqa: PLR2004 - a score's end
                    raise self.fail(where, f"has {place}: {points!r}, where {least} to 100 is meant")
                found[place] = points
        return found

    def part(
        self, name: str, data: Mapping[str, Any], needed: Collection[str], allowed: Iterable[str]
    ) -> Mapping[str, Any]:
        """One wish of the profile; it must say at least one of what is needed."""
        said: Mapping[str, Any] = data[name]
        self.keys(name, said, (), (*needed, *allowed))
        if not any(said.get(key) for key in needed):
            raise self.fail(name, f"says nothing: give {' or '.join(sorted(needed))}")
        return said

    def texts(self, where: str, value: Any) -> list[str]:
        """A list of names."""
        for each in self.entries(where, value):
            if not isinstance(each, str) or not each.strip():
                # YAML reads a bare NO as false, and so on.
                raise self.fail(where, f"has {each!r}, which is no text (put it in quotes)")
        return list(value)

    def choices(self, where: str, value: Any, known: Sequence[str]) -> list[str]:
        """A list of some of the known names."""
        for each in self.texts(where, value):
            if each not in known:
                raise self.fail(where, f"has {each!r}, where one of {', '.join(known)} is meant")
        return list(value)

    def one_of_points(self, where: str, name: str, said: Mapping[str, Any], default: int) -> int:
        """The points under a name, from -100 to 100."""
        value = said.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not -100 <= value <= 100:  # noqa: PLR2004 - a score's end
            raise self.fail(where, f"has {name}: {value!r}, where -100 to 100 is meant")
        return value

    def group(self, group: Any) -> Iterator[Term]:
        """The terms of one group."""
        self.keys("a group", group, ("name", "terms"), PLACES)
        name = str(group["name"])
        where = f"group {name!r}"
        points = self.points(where, group)
        if "department" not in points and "title" in points:
            points["department"] = int(points["title"] / 4)
        for entry in self.entries(f"the terms of {where}", group["terms"]):
            yield self.term(name, points, {"term": entry} if isinstance(entry, str) else entry)

    def term(self, group: str, points: dict[Where, int], entry: Any) -> Term:
        """One term, with its group's points unless it has its own."""
        self.keys(f"a term of group {group!r}", entry, ("term",), _TERM_KEYS)
        label = entry["term"]
        where = f"term {label!r} of group {group!r}"
        spellings = self.phrases(where, [label, *self.entries(where, entry.get("also", []))])
        exact = entry.get("case", False)
        others = entry.get("others", 0)
        if not isinstance(exact, bool) or isinstance(others, bool) or not isinstance(others, int):
            raise self.fail(where, "has case: or others: that is neither true nor false, or no number")
        points = {place: value for place, value in {**points, **self.points(where, entry)}.items() if value}
        if not points:
            raise self.fail(where, "gives no points anywhere")
        words = {
            # A term of choices is named by the one that was found.
            phrase: spelling if "(" in label else label
            for spelling in reversed(spellings)
            for phrase in forms([spelling], plural=not exact)
        }
        return Term(
            label=label,
            group=group,
            points=points,
            written=frozenset(tuple(split(each)) for each in each_spelling(label)) if exact else _NONE,
            words=words,
            needs=self.context(f"needs of {where}", entry.get("needs", [])),
            unless=self.context(f"unless of {where}", entry.get("unless", [])),
            others=others,
            phrases=tuple(map(between_spaces, words)),
        )

    def context(self, where: str, value: Any) -> tuple[str, ...]:
        """Phrases that must or must not be there."""
        # As they are searched for: whole words between spaces.
        return tuple(map(between_spaces, forms(self.phrases(where, value), plural=True)))
