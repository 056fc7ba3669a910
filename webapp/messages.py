"""What the next page says of a change that was just made, with the way to take it back."""

from __future__ import annotations

from flask import flash


def say_with_undo(words: str, address: str, **fields: str | int) -> None:
    """Say once what was done, beside a button that takes it back.

    Args:
        words: What was done, a sentence.
        address: The path that the button posts to.
        fields: What it posts there.
    """
    flash({"words": words, "address": address, "fields": fields}, "undo")  # type: ignore[arg-type] # it is kept as JSON
