"""The one place where label values are made safe for the wire, and kept within their budget."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The value that stands for every label value that is unsafe, not allowed, or past its label's bound.
OTHER = "__other__"

#: The longest value that is sent as it is, in characters.
LONGEST = 64

# A value travels as one segment of a dotted StatsD name. In such a name the exporter gives a meaning to
# `:` (end of the name), `|`, `@`, `#` and `,` and `[` `]` (tags of Librato, InfluxDB and SignalFX), `.` (next
# segment) and the line's end. What is left here it passes on untouched: an integration test sends every
# character through the real program.
_SAFE = re.compile(rf"[A-Za-z0-9_/{{}}-]{{1,{LONGEST}}}", re.ASCII)


def safe(value: object) -> str:
    """The value as it may travel: as it is, with dots as underscores, or `__other__`.

    Args:
        value: Anything; what is no text is taken as its `str()`.
    """
    text = str.__str__(value) if isinstance(value, str) else str(value)
    if "." in text:
        text = text.replace(".", "_")
    return text if _SAFE.fullmatch(text) else OTHER


class Domain:
    """The values that one label of one metric may take in this process.

    With declared values, only those pass. Without, the first `bound` safe values pass, whatever they are, and
    all others become `__other__`. No lock: each new value claims a number first, so that racing threads can
    only leave a number unused, never exceed the bound.
    """

    __slots__ = ("_claims", "_closed", "_known", "bound")

    def __init__(self, values: Iterable[str], bound: int) -> None:
        self._known: dict[str, None] = dict.fromkeys(values)
        self._closed = bool(self._known)
        self.bound = bound
        self._claims = itertools.count()

    def admit(self, value: Any) -> str:
        """The value as it may be sent under this label."""
        text = safe(value)
        if text in self._known or text == OTHER:
            return text
        if self._closed or next(self._claims) >= self.bound:
            return OTHER
        self._known[text] = None
        return text

    def renew(self) -> None:
        """Forget which values passed. For the test kit: no test is to use up what another needs."""
        if not self._closed:
            self._claims, self._known = itertools.count(), {}
