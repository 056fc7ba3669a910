"""From a text to the words that are compared: without case, compatibility-normalised, in one way for all."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

_CHOICE = re.compile(r"\(([^()]*)\)")
_PLURAL_LENGTH = 4
#: Makes spaces of what is no letter or digit, but keeps new lines and the bytes of other letters.
_TO_SPACES = bytes(
    byte if byte > 127 or byte == 10 or chr(byte).isalnum() else 32  # noqa: PLR2004 - ASCII, and its new line
    for byte in range(256)
)
#: The same, and makes capitals small.
_TO_SMALL = _TO_SPACES.lower()
_ASCII = bytes(range(128))


def words_of(text: str) -> list[str]:
    """The words of a text, lower-cased and compatibility-normalised (NFKC), `&` as `and`.

    `C++`, `C#` and `Security+` are words of their own.
    """
    return folded(text).split()


def folded(text: str) -> str:
    """A text of which `split()` makes its words: theirs are the only letters, and new lines stay.

    It does what a regular expression for runs of letters and digits would, in less than half of the time.
    Most texts are ASCII but for some punctuation. Once that is gone, everything is done by one translation.
    """
    if "+" in text:
        text = text.lower().replace("c++", "cplusplus").replace("security+", "securityplus")
    if "#" in text:
        text = text.replace("c#", "csharp").replace("C#", "csharp")
    return _translated(text, _small, _TO_SMALL)


def split(text: str) -> list[str]:
    """The words of a text in the case that they have."""
    return _translated(text, _plain, _TO_SPACES).split()


def _translated(text: str, each: Callable[[str], str], table: bytes) -> str:
    if not text.isascii():
        strange = text.encode("utf-8", "replace").translate(None, _ASCII).decode()
        letters = set(strange)
        if any(map(unicodedata.combining, letters)) or not unicodedata.is_normalized("NFC", strange):
            text = unicodedata.normalize("NFC", text)
            letters = set(text)
        for letter in letters:
            plain = each(letter)
            if plain != letter:
                text = text.replace(letter, plain)
    if "&" in text:
        text = text.replace("&", " and ")
    return text.encode("utf-8", "replace").translate(table).decode()


@functools.lru_cache(maxsize=10_000)
def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    return "".join(each if each.isalnum() else " " for each in unicodedata.normalize("NFKC", letter))


@functools.lru_cache(maxsize=10_000)
def _small(letter: str) -> str:
    # Sigma has a second small form at the end of words.
    return letter if letter.isascii() else _plain(letter.lower()).replace("\u03c2", "\u03c3")


def each_spelling(term: str) -> Iterator[str]:
    """Every choice of a term: `PAM (engineer|analyst)` is two phrases."""
    choice = _CHOICE.search(term)
    if choice is None:
        yield term
        return
    for each in choice[1].split("|"):
        yield from each_spelling(f"{term[: choice.start()]}{each}{term[choice.end() :]}")


def forms(written: Iterable[str], *, plural: bool) -> Iterator[tuple[str, ...]]:
    """The words of each spelling, and with `plural` those of its plural."""
    for spelling in written:
        *front, last = words_of(spelling)
        yield (*front, last)
        if plural and len(last) >= _PLURAL_LENGTH and last.isalpha() and not last.endswith("s"):
            yield (*front, f"{last[:-1]}ies" if last.endswith("y") else f"{last}s")


def between_spaces(found: Iterable[str]) -> str:
    """Words as one text in which whole words can be looked for."""
    return f" {' '.join(found)} "
