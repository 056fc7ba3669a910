"""What the next page says of a change that was just made, with the way to take it back."""

from __future__ import annotations

from typing import Any, cast

from flask import flash, session

_KEPT = "undo"


def _message(words: str, address: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"words": words, "address": address, "fields": fields}


def say_with_undo(words: str, address: str, **fields: str) -> None:
    """Say once what was done, beside a button that takes it back.

    Args:
        words: What was done, a sentence.
        address: The path that the button posts to.
        fields: What it posts there.
    """
    flash(cast("str", _message(words, address, fields)), "undo")  # Flask keeps it as JSON, whatever it is


def keep_undo(words: str, address: str, **fields: str) -> None:
    """The same, said above the list of jobs until the next change."""
    session[_KEPT] = _message(words, address, fields)


def undo_at_hand() -> dict[str, Any] | None:
    """What `keep_undo` kept, or None."""
    kept: dict[str, Any] | None = session.get(_KEPT)
    return kept


def forget_undo() -> None:
    """Something else was changed: what could be undone before is history."""
    session.pop(_KEPT, None)
