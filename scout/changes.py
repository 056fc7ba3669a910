"""What changed in a posting, as far as a person would care.

The order of places, white space and letters' case are no change. A description's difference is kept short
and is made in a bounded time, whatever the two texts are: by sentences, and by words within those that
changed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from scout.models import fold

#: The fields that are compared, as changes name them.
FIELDS = ("title", "pay", "places", "remote", "level", "employment_type", "department", "description")

#: A piece of a difference: text that stayed (`=`, shortened), went (`-`) or came (`+`).
Part = tuple[Literal["=", "-", "+"], str]

#: Characters that all pieces of one difference have together at most, and one of them.
LONGEST_DIFFERENCE = 4000
LONGEST_PART = 1000
#: Sentences, and words of one changed passage, past which nothing finer is looked for: time grows with the
#: cube of either at worst.
_MOST_SENTENCES = 400
_MOST_WORDS = 120
#: Words compared in all the passages of one difference.
_WORDS_IN_ALL = 2000
#: Words of what stayed that are shown on either side of a change.
_CONTEXT = 8
_MOST_PLACES = 30
_LONGEST_VALUE = 500

_LABELS = {"employment_type": "contract"}


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changed, in the order of `FIELDS`; empty where nothing that matters did.

    Args:
        old: `title`, `salary`, `locations`, `remote`, `level`, `employment_type`, `department` and `text`
            (the plain description), as `scout.models` keeps them. What is missing in either is not compared.
        new: The same, as it is now.

    Returns:
        For each change `{"field", "old", "new"}`: text; for `pay` null or `{"minimum", "maximum", "currency",
        "period", "raw"}`; for `places` a list. Of `description` instead `{"field", "removed", "added",
        "parts"}`: how many words went and came, and the pieces of `difference`.
    """
    found: list[dict[str, Any]] = []
    for name in FIELDS:
        column, read, compared = _COMPARED[name]
        if column not in old or column not in new:
            continue
        was, now = read(old[column]), read(new[column])
        if compared(was) == compared(now):
            continue
        if name == "description":
            parts, removed, added = difference(was, now)
            found.append(
                {
                    "field": name,
                    "removed": removed,
                    "added": added,
                    "parts": [list(part) for part in parts],
                }
            )
        else:
            found.append({"field": name, "old": was, "new": now})
    return found


def words(change: Mapping[str, Any]) -> str:
    """A change in one line: `pay 90,000-110,000 EUR a year became 95,000-120,000 EUR a year`."""
    name = _LABELS.get(change["field"], change["field"])
    if change["field"] == "description":
        return f"{name}: {_count(change['removed'])} out, {_count(change['added'])} in"
    show = pay if change["field"] == "pay" else _shown
    old, new = show(change["old"]), show(change["new"])
    if not old:
        return f"{name} {new} was added"
    return f"{name} {old} became {new}" if new else f"{name} {old} was taken out"


def pay(salary: Mapping[str, Any] | None) -> str:
    """Pay in a few plain words, as `words` shows it; empty where none is stated."""
    if not salary:
        return ""
    amounts = [f"{each:,.10g}" for each in (salary["minimum"], salary["maximum"]) if each is not None]
    if not amounts:
        return str(salary["raw"])
    if salary["minimum"] is None:
        amounts = [f"up to {amounts[0]}"]
    elif salary["maximum"] is None:
        amounts = [f"from {amounts[0]}"]
    period = f"{'an' if salary['period'] == 'hour' else 'a'} {salary['period']}" if salary["period"] else ""
    # dict.fromkeys: one figure is written once.
    return " ".join(filter(None, ("-".join(dict.fromkeys(amounts)), salary["currency"], period)))


def difference(old: str, new: str) -> tuple[list[Part], int, int]:
    """Two texts compared: the pieces, in reading order, and how many words went and came.

    Of long texts that have little in common, only the beginning of each is shown.
    """
    before, after = _sentences(old), _sentences(new)
    rest = _WORDS_IN_ALL
    parts: list[Part] = []
    for kind, left, right in _blocks(before, after, _MOST_SENTENCES):
        if kind == "=":
            parts.append(("=", " ".join(left)))
            continue
        gone, come = " ".join(left).split(), " ".join(right).split()
        rest -= len(gone) + len(come)
        most = _MOST_WORDS if rest >= 0 else 0
        for inner, was, now in _blocks(gone, come, most):
            if inner == "=":
                parts.append(("=", " ".join(was)))
            else:
                parts += [("-", " ".join(was))] if was else []
                parts += [("+", " ".join(now))] if now else []
    removed = sum(len(text.split()) for kind, text in parts if kind == "-")
    added = sum(len(text.split()) for kind, text in parts if kind == "+")
    return list(_shortened(parts)), removed, added


def _blocks(
    old: Sequence[str], new: Sequence[str], most: int
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """What stayed (`=`) and what was replaced (`~`), in order; all of it where it is over `most` items."""
    start = 0
    shortest = min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    end = 0
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    if start:
        yield "=", old[:start], new[:start]
    if max(len(left), len(right)) > most:
        yield "~", left, right
    elif left or right:
        for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right).get_opcodes():
            yield "=" if tag == "equal" else "~", left[a:b], right[c:d]
    if end:
        yield "=", old[len(old) - end :], new[len(new) - end :]


def _shortened(parts: Sequence[Part]) -> Iterator[Part]:
    """The same pieces within the limits: what stayed is cut to what stands beside a change."""
    room = LONGEST_DIFFERENCE
    last = len(parts) - 1
    for at, (kind, text) in enumerate(parts):
        shown = text
        if kind == "=":
            each = text.split()
            head = each[:_CONTEXT] if at > 0 else []
            tail = each[-_CONTEXT:] if at < last else []
            if len(each) > len(head) + len(tail) + 1:
                shown = " ".join([*head, "…", *tail])
        shown = _cut(shown, min(LONGEST_PART, room))
        if not shown:
            continue
        room -= len(shown)
        yield kind, shown
        if room <= 1:
            return


def _sentences(text: str) -> list[str]:
    split = re.split(r"(?<=[.!?;:])\s+|\n+", text)
    return [folded for each in split if (folded := " ".join(each.split()))]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: max(longest - 1, 0)] + "…" if longest > 0 else ""


def _text(value: Any) -> str:
    return _cut(str(value), _LONGEST_VALUE)


def _pay(salary: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not salary:
        return None
    found = {name: salary.get(name) for name in ("minimum", "maximum")}
    return {**found, **{name: _text(salary.get(name) or "") for name in ("currency", "period", "raw")}}


def _amounts(salary: Mapping[str, Any] | None) -> object:
    if salary is None:
        return None
    amounts = (salary["minimum"], salary["maximum"], salary["currency"], salary["period"])
    # What was written counts only where no amount could be read out of it.
    return amounts if amounts[:2] != (None, None) else _plain(salary["raw"])


def _places(places: Sequence[Any]) -> list[str]:
    return [_text(each) for each in places[:_MOST_PLACES]]


def _plain(text: str) -> str:
    return " ".join(fold(text).split())


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _shown(value: Any) -> str:
    return "; ".join(value) if isinstance(value, list) else str(value)


def _count(number: int) -> str:
    return f"{number:,} word" if number == 1 else f"{number:,} words"


#: Where each field is kept, how its value is told, and the form in which two values are compared.
_COMPARED: dict[str, tuple[str, Callable[[Any], Any], Callable[[Any], object]]] = {
    "title": ("title", _text, _plain),
    "pay": ("salary", _pay, _amounts),
    "places": ("locations", _places, lambda places: {_plain(each) for each in places}),
    "remote": ("remote", _text, _plain),
    "level": ("level", _text, _plain),
    "employment_type": ("employment_type", _text, _plain),
    "department": ("department", _text, _plain),
    "description": ("text", str, _squeezed),
}
