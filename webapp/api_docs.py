"""The documentation of the API, made from its description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template
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
    """Every operation with an example, every form, every kind of problem; each has an address."""
    told = reference.read(document.document(), parts().settings.pages)
    return render_template("api_docs.html", told=told, scopes=MEANINGS)
