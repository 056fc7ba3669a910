"""Sessions: the owner's are rows of the database, a visitor's is one short-lived signed cookie."""

from __future__ import annotations

import copy
import datetime as dt
import logging
from typing import TYPE_CHECKING, Any, cast

from flask import request as flask_request
from flask import session as flask_session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError

from metrics.instruments import count_error
from scout import sessions
from scout.errors import ScoutError
from webapp.parts import Parts

if TYPE_CHECKING:
    from flask import Flask, Request, Response

log = logging.getLogger(__name__)

#: The owner's cookie: a random token and nothing else.
COOKIE = "scout_session"
#: What stands before a cookie's name over https: browsers take it from this very host alone, and only over
#: https (RFC 6265bis, 4.1.3.2), so that nobody at a neighbouring host can plant one.
HOST_PREFIX = "__Host-"
#: A visitor's cookie: the sign-in form's CSRF token and a message or two, signed.
FORM_COOKIE = "scout_form"
#: Seconds that the sign-in form may stay open.
_FORM_AGE = 3600
#: Where a session is never asked for.
_WITHOUT = ("/static/", "/healthz", "/readyz")


class BrowserSession(dict[str, Any], SessionMixin):
    """What Flask's session holds, and whether the browser is the owner's.

    Attributes:
        token: The cookie's token when it names a living session, else None.
        unavailable: Whether the database did not answer, so that nobody can tell.
    """

    def __init__(self, data: dict[str, Any] | None = None, *, token: str | None = None) -> None:
        super().__init__(data or {})
        self.token = token
        self.unavailable = False
        self.ended = False
        self.expires_at: dt.datetime | None = None
        self._before = copy.deepcopy(dict(self))

    @property
    def signed_in(self) -> bool:
        """Whether the browser is the owner's."""
        return self.token is not None

    @property
    def changed(self) -> bool:
        """Whether something was put in or taken out since the request began."""
        return self._before != dict(self)

    def begin(self, token: str) -> None:
        """Become the owner's session. What the visitor's held is dropped: nothing planted survives."""
        self.clear()
        self.token = token
        self.expires_at = None
        self.ended = False

    def end(self) -> None:
        """Become a visitor's session."""
        self.clear()
        self.token = None
        self.ended = True


class StoredSessions(SessionInterface):
    """Flask's way to our sessions."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        """Find the session that the request's cookie names; without one, the browser is a visitor's."""
        if request.path.startswith(_WITHOUT) or _is_program(request):
            return BrowserSession()
        token = request.cookies.get(_named(COOKIE, request), "")
        if token:
            try:
                found = self._find(app, token)
            except (SQLAlchemyError, ScoutError) as error:
                log.exception("The session could not be read.")
                count_error(error, "web")
                found = BrowserSession()
                found.unavailable = True
            if found is not None:
                return found
        return self._visitor(app, request)

    def _find(self, app: Flask, token: str) -> BrowserSession | None:
        database = _parts(app).database
        with database.reading() as db:
            row = sessions.find(db, token)
            if row is None:
                return None
            found = BrowserSession(dict(row.data or {}), token=token)
            found.expires_at = row.expires_at
            idle = sessions.needs_touch(row)
        if idle:
            with database.session() as db:
                sessions.touch(db, token)
        return found

    def _visitor(self, app: Flask, request: Request) -> BrowserSession:
        try:
            return BrowserSession(
                _signer(app).loads(request.cookies.get(_named(FORM_COOKIE, request), ""), max_age=_FORM_AGE)
            )
        except (BadData, TypeError, ValueError):
            return BrowserSession()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write down what changed, and set or take back the cookies."""
        session = cast("BrowserSession", session)
        if session.unavailable:
            return
        if session.token is not None:
            self._save_row(app, session, response)
            return
        if session.ended:
            response.delete_cookie(_named(COOKIE, flask_request), **_flags())
        if session.changed or (session.ended and session):
            if session:
                value = _signer(app).dumps(dict(session))
                response.set_cookie(_named(FORM_COOKIE, flask_request), value, max_age=_FORM_AGE, **_flags())
            else:
                response.delete_cookie(_named(FORM_COOKIE, flask_request), **_flags())

    def _save_row(self, app: Flask, session: BrowserSession, response: Response) -> None:
        token = cast("str", session.token)
        begun = session.expires_at is None
        if session.changed or begun:
            with _parts(app).database.session() as db:
                row = sessions.find(db, token)
                if row is None:
                    return
                row.data = dict(session)
                session.expires_at = row.expires_at
        if begun:
            response.set_cookie(_named(COOKIE, flask_request), token, expires=session.expires_at, **_flags())
            response.delete_cookie(_named(FORM_COOKIE, flask_request), **_flags())


def browser_session() -> BrowserSession:
    """The session of this request."""
    return cast("BrowserSession", flask_session._get_current_object())  # type: ignore[attr-defined] # noqa: SLF001 - werkzeug's way to what a proxy stands for


def _parts(app: Flask) -> Parts:
    return cast("Parts", app.extensions["scout"])


def _is_program(request: Request) -> bool:
    # Who calls the API with a token of its own has no other rights than those of the token.
    return request.path.startswith("/api/") and "Authorization" in request.headers


def _signer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(cast("str", app.secret_key), salt="scout-form")


def _named(cookie: str, request: Request) -> str:
    return f"{HOST_PREFIX}{cookie}" if request.is_secure else cookie


def _flags() -> dict[str, Any]:
    # Lax, not Strict: a link to a job in one's own mail should open signed in.
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": flask_request.is_secure}
