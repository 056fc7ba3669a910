"""Words, as they are compared: folded alike in what is stored and in what is typed, on every database."""

from __future__ import annotations

import re
import unicodedata

#: Letters that do not decompose into a plain one and a mark.
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}  # noqa: RUF001 - a letter of its own
)
_MARKS = re.compile("[\u0300-\u036f]+")
#: A word of a folded text.
WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """A text without case and accents, compatible letters made one: `Zürich` and `ZURICH` are `zurich`."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold().translate(_PLAIN)


def words_of(text: str) -> list[str]:
    """The words of a text, folded, in its order: runs of letters and digits."""
    return WORD.findall(folded(text))
