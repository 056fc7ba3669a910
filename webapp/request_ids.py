"""An id for each request: in the lines that it causes, in its answer, on the page that tells of an error.

A proxy's `X-Request-ID` is taken over where proxies are believed (SCOUT_TRUSTED_PROXIES), so that its log and
ours tell of one request by one name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import g, request

from metrics.http import UNMATCHED, template
from scout.logs import ids

if TYPE_CHECKING:
    from flask import Flask, Response

HEADER = "X-Request-ID"
#: Where in the environment the route and the id are noted, for the server's log.
ENDPOINT = "scout.endpoint"
_ID = "scout.request_id"
_TRACE = "scout.trace"


def give(app: Flask, *, trusted: bool) -> None:
    """Give each request its id, before anything else is done for it.

    Args:
        app: The application.
        trusted: Whether a proxy stands before it that is believed.
    """

    def begin() -> None:
        told = request.headers.get(HEADER, "") if trusted else ""
        request_id = told if ids.is_request_id(told) else ids.new_request_id()
        g.request_id = request.environ[_ID] = request_id
        rule = request.url_rule
        request.environ[ENDPOINT] = UNMATCHED if rule is None else template(rule.rule)
        ids.clear()  # threads serve one request after the other
        ids.bind(request_id=request_id)

    def end(response: Response) -> Response:
        response.headers[HEADER] = current()
        return response

    app.before_request(begin)
    app.after_request(end)


def current() -> str:
    """The id of the request that is answered; empty for one that failed before it had one."""
    return str(g.get("request_id", ""))


def of(environ: Mapping[str, Any]) -> dict[str, str]:
    """The ids of a request as a line of the log has them, by the server's environment."""
    own = {"request_id": environ[_ID]} if _ID in environ else {}
    return {**own, **environ.get(_TRACE, {})}


def note_trace(environ: dict[str, Any], trace: Mapping[str, str]) -> None:
    """Note the trace that a request is part of: its line is written when the span has ended."""
    environ[_TRACE] = trace
