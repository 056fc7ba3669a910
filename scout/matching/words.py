"""From a text to the words that are compared: without case, compatibility-normalised, in one way for all."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator

_CHOICE = re.compile(r"\(([^()]*)\)")
_PLURAL_LENGTH = 4
_ASCII = frozenset(map(chr, range(128)))
#: Keeps letters, digits and the bytes of other letters; makes spaces of the rest.
_TO_SPACES = bytes(byte if byte > 127 or chr(byte).isalnum() else 32 for byte in range(256))  # noqa: PLR2004 - ASCII


def words_of(text: str) -> list[str]:
    """The words of a text, lower-cased and compatibility-normalised (NFKC), `&` as `and`.

    `C++`, `C#` and `Security+` are words of their own. It does what a regular expression for runs of letters
    and digits would, in less than half of the time.
    """
    text = text.lower()
    if "+" in text:
        text = text.replace("c++", "cplusplus").replace("security+", "securityplus")
    if "#" in text:
        text = text.replace("c#", "csharp")
    return split(text)


def split(text: str) -> list[str]:
    """The words of a text in the case that they have."""
    if not text.isascii():
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        for letter in set(text) - _ASCII:
            plain = _plain(letter)
            if plain != letter:
                text = text.replace(letter, plain)
    if "&" in text:
        text = text.replace("&", " and ")
    return text.encode("utf-8", "replace").translate(_TO_SPACES).decode().split()


@functools.lru_cache(maxsize=10_000)
def _plain(letter: str) -> str:
    return "".join(each if each.isalnum() else " " for each in unicodedata.normalize("NFKC", letter))


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
