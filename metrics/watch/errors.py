"""What is wrong with what watches us, for people."""

from __future__ import annotations


class WatchError(Exception):
    """A rule, an objective or a page about them cannot be used. The text says which, why and what to do."""
