"""Light, dark, or as the system has it: a cookie that the server reads, so that no page flashes."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request
from flask.typing import ResponseReturnValue

from webapp.sign_in import safe_next

pages = Blueprint("appearance", __name__)

COOKIE = "scout_theme"
THEMES = ("system", "light", "dark")
_YEAR = 365 * 24 * 3600


def theme() -> str:
    """What this browser chose, `system` where it chose nothing."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else "system"


@pages.post("/theme")
def choose() -> ResponseReturnValue:
    """Remember the choice."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        abort(400, "There is no such appearance.")
    answer = redirect(safe_next(request.form.get("back", "")), 303)
    # Not HttpOnly: app.js changes it too, without loading the page again.
    answer.set_cookie(COOKIE, chosen, max_age=_YEAR, samesite="Lax", secure=request.is_secure, path="/")
    return answer
