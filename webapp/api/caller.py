"""Who calls the API: a program with a token, or the owner's browser. Nobody else gets past the gate."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import cast

from flask import Flask, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect

from metrics import catalogue
from scout.tokens import Scope
from webapp import bearer
from webapp.api import pace
from webapp.api.problems import Problem
from webapp.sessions import browser_session

_CHALLENGE = 'Bearer realm="IAM Job Scout"'


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: What its requests are counted and its keys are kept under; no secret.
        by: Who that is in a job's history: `owner` for pages and programs alike.
        scopes: What it may do.
    """

    name: str
    scopes: frozenset[Scope]
    by: str = "owner"

    def may(self, scope: Scope) -> bool:
        """Whether it may do what needs this scope. Who may write may read the same."""
        return scope in self.scopes or scope.replace(":read", ":write") in self.scopes


def presents_token() -> bool:
    """Whether the request comes with a token: then no cookie of it is believed, nor needed."""
    return "Authorization" in request.headers


def caller() -> Caller:
    """Who asks this request."""
    return cast("Caller", g.api_caller)


def admit(*, own_origin: bool) -> None:
    """Find out who asks, and how often; refuse everybody else.

    Args:
        own_origin: Whether the request comes from our own pages, as far as its headers tell.

    Raises:
        Problem: Nobody that is known asks, the token of a form is missing, or it asks too often.
    """
    g.api_caller = _by_token() if presents_token() else _by_session(own_origin=own_origin)
    pace.keep(g.api_caller.name)


def _by_token() -> Caller:
    token = bearer.presented()
    if token is None:
        said = (
            "This token is not known, or it is revoked or expired."
            if bearer.is_presented()
            else "The only way to sign in here is `Authorization: Bearer` with a token."
        )
        raise Problem(
            "not-signed-in",
            said,
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'},
        )
    return Caller(f"token {token.prefix}", frozenset(Scope(each) for each in token.scopes))


def _by_session(*, own_origin: bool) -> Caller:
    session = browser_session()
    if session.unavailable:
        abort(503)
    if session.token is None:
        raise Problem("not-signed-in", headers={"WWW-Authenticate": _CHALLENGE})
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        if not own_origin:
            catalogue.CSRF_REJECTED.inc(reason="origin")
            raise Problem("foreign-request")
        _csrf(current_app).protect()
    name = hashlib.sha256(session.token.encode()).hexdigest()[:16]
    return Caller(f"session {name}", frozenset(Scope))


def _csrf(app: Flask) -> CSRFProtect:
    return cast("CSRFProtect", app.extensions["csrf"])


def needs(scope: Scope) -> None:
    """See that the caller may do what needs this scope.

    Raises:
        Problem: It may not.
    """
    if not caller().may(scope):
        catalogue.API_TOKENS_PRESENTED.inc(outcome="scope")
        raise Problem(
            "missing-scope",
            f"This needs the scope `{scope}`, which the token does not have.",
            headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{scope}"'},
        )
