"""How a note is shown: Markdown, made HTML without any of its own, and then made safe as that of boards."""

from __future__ import annotations

from markdown_it import MarkdownIt

from scout import html

# A line that was broken stays broken: notes are jotted down.
_READER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["strikethrough", "table"])


def shown(body: str) -> str:
    """A note as HTML that is safe to show: what Markdown makes, without images, with links outward alone."""
    return html.sanitise(_READER.render(body))
