"""Errors as people meet them: one page for all, and plain text for programs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Response, render_template, request
from flask_wtf.csrf import CSRFError
from redis import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, NotFound, ServiceUnavailable

from metrics import catalogue
from metrics.instruments import count_error
from scout.appointments import AppointmentNotFound
from scout.database import DatabaseUnusable
from scout.errors import ScoutError
from scout.jobs import BatchNotFound, JobNotFound
from scout.runs import RunNotFound
from scout.searches import SearchNotFound
from scout.sessions import SessionNotFound
from scout.tokens import TokenNotFound
from scout.watchlist import UnknownSource
from webapp import request_ids
from webapp.api import problems
from webapp.security import wants_page
from webapp.sessions import browser_session

if TYPE_CHECKING:
    from flask import Flask
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)

#: What each status means here, in a title and a sentence or two. An exception's own words win over these.
_WORDS = {
    400: ("That could not be understood", "Something in the address or the form is not as it should be."),
    403: ("Not allowed", "This is refused."),
    404: ("Nothing is here", "The page does not exist, or what it showed was removed."),
    405: ("Not this way", "This address is not opened like that. Use the buttons of the pages."),
    409: ("It changed meanwhile", "Somebody else, or a scan, was faster."),
    413: ("Too large", "What was sent is larger than this page takes. Shorten it and try again."),
    429: ("Too many tries", "Signing in was tried too often. Wait ten minutes, then try again."),
    500: ("Something broke", "An error happened here and is in the log. Nothing was changed by halves."),
    503: ("Not available right now", "The database does not answer. `scout doctor` says what is wrong."),
}  # fmt: skip


def handle(app: Flask) -> None:
    """Show every error as a page, never as a traceback, and log what nobody expected."""
    app.log_exception = _log  # type: ignore[method-assign] # Flask's line has the path: it may be secret
    app.register_error_handler(HTTPException, show)
    app.register_error_handler(CSRFError, _on_bad_token)
    app.register_error_handler(ScoutError, _on_scout_error)
    for missing in (
        JobNotFound,
        AppointmentNotFound,
        RunNotFound,
        SessionNotFound,
        TokenNotFound,
        UnknownSource,
        BatchNotFound,
        SearchNotFound,
    ):
        app.register_error_handler(missing, _on_missing)
    for away in (OperationalError, InterfaceError, PoolTimeout, DatabaseUnusable):
        app.register_error_handler(away, _on_database_away)
    app.register_error_handler(RedisError, _on_redis_away)


def show(error: HTTPException) -> ResponseReturnValue:
    """The page of one error, or its text for a program."""
    if error.response is not None:
        return error.response
    if problems.wanted():
        return _problem(error)
    code = error.code or 500
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, Exception):
        count_error(cause, "web")
    title, text = _WORDS.get(code, (error.name, ""))
    # Werkzeug's own descriptions speak to developers; ours are set on the instance or by our classes.
    if "description" in vars(error) and error.description and cause is None:
        text = error.description
    elif type(error).__module__.startswith("webapp"):
        text = error.description or text
    headers = [(name, value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"}]
    if not wants_page(request):
        return Response(f"{title}. {text}\n", code, headers, mimetype="text/plain")
    return Response(
        render_template(
            "error.html", code=code, title=title, text=text, signed_in=browser_session().signed_in
        ),
        code,
        headers,
    )


def _problem(error: HTTPException) -> ResponseReturnValue:
    """The same for a program that calls the API."""
    cause = getattr(error, "original_exception", None)
    if isinstance(cause, Exception):
        count_error(cause, "web")
    own = "description" in vars(error) and cause is None
    return problems.answer(error, (error.description or "") if own else "")


def _log(exc_info: Any) -> None:
    endpoint = request.environ.get(request_ids.ENDPOINT, "")
    log.error(
        "An error ended a request",
        exc_info=exc_info,
        extra={"method": request.method, "endpoint": endpoint},
    )


def _on_scout_error(error: ScoutError) -> ResponseReturnValue:
    if problems.wanted():
        return problems.answer(problems.of_scout(error))
    told = HTTPException(str(error))
    told.code = 400
    return show(told)


def _on_missing(error: ScoutError) -> ResponseReturnValue:
    if problems.wanted():
        return problems.answer(problems.of_scout(error))
    return show(NotFound())


def _on_database_away(error: Exception) -> ResponseReturnValue:
    log.error("The database does not answer: %s", error)
    count_error(error, "web")
    return show(ServiceUnavailable())


def _on_redis_away(error: RedisError) -> ResponseReturnValue:
    log.error("Redis does not answer: %s", error)
    count_error(error, "web")
    return show(
        ServiceUnavailable(
            "The queue (Redis) does not answer, so nothing could be started. Wait a moment and try again;"
            " `scout doctor` says what is wrong."
        )
    )


def _on_bad_token(error: CSRFError) -> ResponseReturnValue:
    catalogue.CSRF_REJECTED.inc(reason="token")
    if problems.wanted():
        return problems.answer(problems.Problem("foreign-request"))
    error.description = (
        "This page was open for too long, so nothing was changed. Go back, reload it and try again."
    )
    return show(error)
