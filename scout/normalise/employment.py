"""The kind of employment."""

from __future__ import annotations

import re
from typing import Any

_EMPLOYMENT = (
    ("intern", "internship"),
    ("werkstudent", "internship"),
    ("parttime", "part_time"),
    ("fulltime", "full_time"),
    ("contract", "contract"),
    ("freelance", "contract"),
    ("temporary", "temporary"),
    ("temp", "temporary"),
    ("fixedterm", "temporary"),
    ("seasonal", "temporary"),
    ("permanent", "full_time"),
)


def employment_type(value: Any) -> str:
    """`full_time`, `part_time`, `contract`, `temporary`, `internship`, or empty when the words say none."""
    if not isinstance(value, str):
        return ""
    squeezed = re.sub(r"[^a-z]", "", value[:80].lower())
    return next((name for words, name in _EMPLOYMENT if words in squeezed), "")
