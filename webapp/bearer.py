"""What a program presents: `Authorization: Bearer scout_...` (RFC 6750), and what it may do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Response, g, request

from metrics import catalogue
from scout import tokens
from webapp.parts import parts

if TYPE_CHECKING:
    from scout.models import ApiToken
    from scout.tokens import Scope

_SCHEME = "bearer "


def is_presented() -> bool:
    """Whether the request presents a token, good or bad."""
    return request.headers.get("Authorization", "").lower().startswith(_SCHEME)


def presented() -> ApiToken | None:
    """The valid token that the request presents; None if it presents none, or one that is not valid.

    It is looked for once in a request, and its use is noted.
    """
    if "scout_token" not in g:
        g.scout_token = _find() if is_presented() else None
    return cast("ApiToken | None", g.scout_token)


def may(scope: Scope) -> bool:
    """Whether the request presents a token that is good for this; one that is not is counted."""
    token = presented()
    if token is None:
        return False
    if tokens.allows(token, scope):
        return True
    catalogue.API_TOKENS_PRESENTED.inc(outcome="scope")
    return False


def refusal() -> Response:
    """What a request is told whose token will not do: 401 if it is not valid, 403 if it lacks the scope."""
    if presented() is None:
        text = (
            "This token is not valid: it is unknown, revoked or expired. `scout account tokens list` tells.\n"
        )
        code, error = 401, "invalid_token"
    else:
        text, code, error = (
            "This token was not made for that: it lacks the scope.\n",
            403,
            "insufficient_scope",
        )
    return Response(text, code, {"WWW-Authenticate": f'Bearer error="{error}"'}, mimetype="text/plain")


def _find() -> ApiToken | None:
    text = request.headers["Authorization"][len(_SCHEME) :].strip()
    database = parts().database
    with database.reading() as db:
        token = tokens.find(db, text)
    if token is not None and tokens.needs_touch(token):
        with database.session() as db:
            tokens.touch(db, token.id)
    return token
