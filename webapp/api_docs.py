"""The documentation of the API, made from its description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template
from markupsafe import Markup, escape

from scout.tokens import MEANINGS
from webapp.api import document, reference
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("api_docs", __name__)


@pages.app_template_filter("ticked")
def ticked(text: str) -> Markup:
    """A sentence in which what stands between backticks is code. Everything else is escaped."""
    pieces = str(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if at % 2 else escape(each) for at, each in enumerate(pieces)
    )


@pages.get("/api/docs")
def index() -> ResponseReturnValue:
    """How to begin, every operation in a line, and every kind of problem."""
    return render_template("api_docs.html", told=_told(), scopes=MEANINGS)


@pages.get("/api/docs/<name>")
def group(name: str) -> ResponseReturnValue:
    """The operations about one thing, each with an example, and the forms that they take and give."""
    told = _told()
    found = told.group(name)
    if found is None:
        abort(404)
    return render_template("api_group.html", told=told, group=found, schemas=told.used_by(found))


def _told() -> reference.Reference:
    return reference.read(document.document(), parts().settings.pages)
