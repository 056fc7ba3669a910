"""Prometheus's text format 0.0.4: what the programs' pages are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PIECE = 32768


def head(name: str, kind: str, help_text: str) -> str:
    """The two lines that open a family."""
    escaped = help_text.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {name} {escaped}\n# TYPE {name} {kind}\n"


def labels(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels as they stand between braces, in the given order."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in pairs)


def escape(value: str) -> str:
    """A label value as it stands between quotes."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def pieces(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts gathered into pieces of some 32 KB, so that a page is never held as a whole."""
    gathered: list[str] = []
    size = 0
    for text in texts:
        gathered.append(text)
        size += len(text)
        if size >= _PIECE:
            yield "".join(gathered).encode()
            gathered.clear()
            size = 0
    if gathered:
        yield "".join(gathered).encode()
