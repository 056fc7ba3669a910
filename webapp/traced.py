"""Requests as parts of traces, where traces are on: named by their route, never by their address."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from metrics.http import UNMATCHED
from webapp import request_ids

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flask import Flask

#: What is asked for every few seconds, and files: no trace is made of them.
_LEFT_OUT = r"^[a-z]+://[^/]+/(healthz|readyz|metrics|static/)"
#: What a browser or a proxy says of a trace that it began.
_TOLD = ("HTTP_TRACEPARENT", "HTTP_TRACESTATE", "HTTP_BAGGAGE")


def instrument(app: Flask, *, trusted: bool) -> None:
    """Make a span of each request.

    Args:
        app: The application, whole.
        trusted: Whether a proxy stands before it that is believed: then a trace may begin there.
    """
    from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415 - only where traces are on

    FlaskInstrumentor.instrument_app(app, request_hook=_name, excluded_urls=_LEFT_OUT, enable_commenter=False)
    if not trusted:
        app.wsgi_app = _alone(app.wsgi_app)  # type: ignore[method-assign] # Flask's way to put something around it


def _name(span: Any, environ: dict[str, Any]) -> None:
    from scout.traces.on import ids_of  # noqa: PLC0415 - likewise

    endpoint = environ.get(request_ids.ENDPOINT, UNMATCHED)
    span.update_name(f"{environ['REQUEST_METHOD']} {endpoint}")
    request_ids.note_trace(environ, ids_of(span))


def _alone(wsgi_app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def begun_here(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        for name in _TOLD:
            environ.pop(name, None)
        return wsgi_app(environ, start_response)

    return begun_here
