"""Requests, counted and timed without a thought: `instrument(app)` and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from metrics import catalogue
from metrics.labels import OTHER

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask

#: The `endpoint` of a request that no route matched.
UNMATCHED = "__unmatched__"

#: What a request is counted, timed and measured with.
_Handles = tuple[Callable[[], object], Callable[[float], None], Callable[[float], None]]
# Where in the environment it is noted that an exception was counted, and on which route.
_UNCAUGHT = "metrics.uncaught"
# The most combinations of method, route and status whose handles are kept at hand.
_MOST_KEPT = 4_000
_METHODS = frozenset(catalogue.METHOD.values)
# A variable part of a Werkzeug rule: `<name>`, `<int:name>`, `<any(a, b):name>`.
_VARIABLE = re.compile(r"<(?:[^<>:(]+(?:\([^)]*\))?:)?([^<>:]+)>")


def template(rule: str) -> str:
    """A route as the metrics name it: `/jobs/<int:job_id>` becomes `/jobs/{job_id}`."""
    return _VARIABLE.sub(r"{\1}", rule)


def instrument(app: Flask) -> None:
    """Measure every request of an application: count, duration, bytes of the body, and exceptions.

    The duration runs from the request's arrival until the server closes the response, streaming included. An
    exception counts under its class; the answer that it leads to counts as any other (500 for one that leaves
    the application).

    Args:
        app: Instrumented once, however often this is called.
    """
    if "metrics" in app.extensions:
        return
    app.extensions["metrics"] = _Middleware(app)


class _Middleware:
    def __init__(self, app: Flask) -> None:
        from flask import got_request_exception  # noqa: PLC0415 - metrics must not need Flask where none is

        self._app: WSGIApplication = app.wsgi_app
        self._kept: dict[tuple[str, str, str], _Handles] = {}
        # The attribute is there to be wrapped (Flask's documentation, "Hooking in WSGI Middleware").
        app.wsgi_app = self  # type: ignore[method-assign]
        got_request_exception.connect(self._uncaught, app, weak=False)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Every call of a function counts here: this is on the way of each request.
        exchange = _Exchange()
        exchange.begun = perf_counter()
        exchange.environ = environ
        exchange.start = start_response
        exchange.route = UNMATCHED
        exchange.status = "500"
        exchange.headers = []
        try:
            exchange.body = body = self._app(environ, exchange.start_response)
        except BaseException as error:
            self._failed(exchange, error)
            raise
        status = exchange.status
        method = environ["REQUEST_METHOD"]
        handles = self._kept.get((method, exchange.route, status))
        if handles is None:
            handles = self._handles(method, exchange.route, status)
        count, exchange.took, exchange.sent = handles
        count()
        exchange.length = length = _length(exchange.headers)
        if length and method != "HEAD" and status != "304":
            exchange.sent(length)
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and type(body) is wrapper and _closes(body, exchange):
            return body  # by its type the server knows that it may use sendfile()
        return exchange

    def _failed(self, exchange: _Exchange, error: BaseException) -> None:
        """Count a request whose application raised: it becomes the server's 500."""
        environ = exchange.environ
        if _UNCAUGHT in environ:
            exchange.route = environ[_UNCAUGHT]
        elif isinstance(error, Exception):
            _count(error, exchange.route)
        count, took, _ = self._handles(environ["REQUEST_METHOD"], exchange.route, "500")
        count()
        took(perf_counter() - exchange.begun)

    def _handles(self, method: str, route: str, status: str) -> _Handles:
        """What to count a request with: kept for the next one, unless its method is an odd one."""
        known = method in _METHODS
        shown = method if known else OTHER
        endpoint = template(route)
        handles = (
            catalogue.HTTP_REQUESTS.bind(shown, endpoint, status).one,
            catalogue.HTTP_REQUEST_DURATION.bind(shown, endpoint, status).observe,
            catalogue.HTTP_RESPONSE_BYTES.bind(endpoint).inc,
        )
        if known and len(self._kept) < _MOST_KEPT:
            self._kept[(method, route, status)] = handles
        return handles

    def _uncaught(self, sender: Flask, exception: BaseException, **_: Any) -> None:
        from flask import request  # noqa: PLC0415 - metrics must not need Flask where none is

        del sender
        route = _route(request.environ)
        _count(exception, route)
        request.environ[_UNCAUGHT] = route


def _route(environ: WSGIEnvironment) -> str:
    # Werkzeug's Request leaves itself here when it is made, and Flask takes it away when the request is over.
    request = environ.get("werkzeug.request")
    rule = request.url_rule if request is not None else None
    return rule.rule if rule is not None else UNMATCHED


def _count(error: BaseException, route: str) -> None:
    catalogue.HTTP_EXCEPTIONS.inc(type=type(error).__name__, endpoint=template(route))


def _closes(body: Any, exchange: _Exchange) -> bool:
    """Make a server's file wrapper tell the exchange when it is closed; False if it cannot be made to."""
    own = getattr(body, "close", None)

    def close() -> None:
        try:
            if own is not None:
                own()
        finally:
            exchange.done()

    try:
        body.close = close
    except AttributeError:
        return False
    return True


def _length(headers: list[tuple[str, str]]) -> int | None:
    """What Content-Length says; None where it says nothing."""
    for name, value in headers:
        if name == "Content-Length":  # as Werkzeug writes it
            return int(value)
    for name, value in headers:
        if name.lower() == "content-length" and value.isdigit():
            return int(value)
    return None


class _Exchange:
    """One request and its answer, until the server closes the body. The middleware fills it in."""

    __slots__ = (
        "begun", "body", "environ", "headers", "length", "route", "sent", "start", "status", "took",
    )  # fmt: skip

    begun: float
    body: Any
    environ: WSGIEnvironment
    headers: list[tuple[str, str]]
    length: int | None
    route: str
    sent: Callable[[float], None]
    start: StartResponse
    status: str
    took: Callable[[float], None] | None

    def start_response(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        """Note the answer's status and headers on their way out, and the route while it is known."""
        self.status = status[:3]
        self.headers = headers
        # As in _route(), which would be one call more.
        request = self.environ.get("werkzeug.request")
        if request is not None:
            rule = request.url_rule
            if rule is not None:
                self.route = rule.rule
        return self.start(status, headers, *more)

    def __iter__(self) -> Iterator[bytes]:
        # A body of known length runs by without us; only a stream is counted piece by piece.
        return iter(self.body) if self.length is not None else self._streamed()

    def _streamed(self) -> Iterator[bytes]:
        size = 0
        try:
            for piece in self.body:
                size += len(piece)
                yield piece
        except Exception as error:
            _count(error, self.route)
            raise
        finally:
            self.sent(size)

    def close(self) -> None:
        """Called by the server at the end of the answer, also when the client has gone."""
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        finally:
            self.done()

    def done(self) -> None:
        """Record the duration, once."""
        took, self.took = self.took, None
        if took is not None:
            took(perf_counter() - self.begun)
