"""What to do about an alert: the runbooks of `docs/runbooks`, at the addresses that alerts name."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from scout.settings import PROJECT

pages = Blueprint("runbooks", __name__)

FOLDER = PROJECT / "docs" / "runbooks"
#: Our own files: no HTML of theirs is taken for HTML all the same.
_MARKDOWN = MarkdownIt("commonmark", {"html": False})


@pages.get("/runbooks")
def index() -> ResponseReturnValue:
    """Every runbook, by the alert's name."""
    return render_template("runbooks.html", names=[path.stem for path in _files()])


@pages.get("/runbooks/<name>")
def show(name: str) -> ResponseReturnValue:
    """One alert's runbook; 404 where no alert is called so."""
    found = next((path for path in _files() if path.stem == name), None)
    if found is None:
        abort(404)
    return render_template("runbook.html", name=name, text=_html(found.read_text(encoding="utf-8")))


def _files() -> list[Path]:
    return sorted(FOLDER.glob("*.md"))


def _html(text: str) -> Markup:
    """A page of Markdown, its links between runbooks leading to these pages."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        for inner in token.children or ():
            _lead(inner)
    made = str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))
    # What scrolls sideways is reached by the keyboard too.
    return Markup(made.replace("<pre>", '<pre tabindex="0">'))  # noqa: S704 - of our own files, HTML escaped


def _lead(token: Token) -> None:
    href = token.attrs.get("href")
    if isinstance(href, str) and href.endswith(".md") and "/" not in href:
        token.attrs["href"] = f"/runbooks/{href.removesuffix('.md')}"
