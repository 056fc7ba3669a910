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
_Handles = tuple[Callable[[], None], Callable[[float], None], Callable[[float], None]]
# Where in the environment a request's exchange is found.
_EXCHANGE = "metrics.exchange"
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
        exchange = _Exchange(environ, start_response)
        try:
            body = self._app(environ, exchange.start_response)
        except BaseException as error:
            exchange.failed(self, error)
            raise
        exchange.answered(self, body)
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is not None and type(body) is wrapper and _closes(body, exchange):
            return body  # by its type the server knows that it may use sendfile()
        return exchange

    def handles(self, method: str, route: str, status: str) -> _Handles:
        """What to count a request with."""
        if method not in _METHODS:
            method = OTHER
        key = (method, route, status)
        kept = self._kept.get(key)
        if kept is None:
            endpoint = template(route)
            kept = (
                catalogue.HTTP_REQUESTS.bind(method, endpoint, status).inc,
                catalogue.HTTP_REQUEST_DURATION.bind(method, endpoint, status).observe,
                catalogue.HTTP_RESPONSE_BYTES.bind(endpoint).inc,
            )
            if len(self._kept) < _MOST_KEPT:
                self._kept[key] = kept
        return kept

    def _uncaught(self, sender: Flask, exception: BaseException, **_: Any) -> None:
        from flask import request  # noqa: PLC0415 - metrics must not need Flask where none is

        del sender
        exchange = request.environ.get(_EXCHANGE)
        if exchange is not None:
            exchange.route = _route(request.environ)
            exchange.count(exception)


def _route(environ: WSGIEnvironment) -> str:
    # Werkzeug's Request leaves itself here when it is made, and Flask takes it away when the request is over.
    request = environ.get("werkzeug.request")
    rule = request.url_rule if request is not None else None
    return rule.rule if rule is not None else UNMATCHED


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


class _Exchange:
    """One request and its answer, from the call of the application until the server closes the body."""

    __slots__ = (
        "_begun",
        "_body",
        "_counted",
        "_environ",
        "_headers",
        "_length",
        "_send",
        "_start",
        "_status",
        "_took",
        "route",
    )

    def __init__(self, environ: WSGIEnvironment, start: StartResponse) -> None:
        self._begun = perf_counter()
        self._environ = environ
        self._start = start
        self._status = "500"
        self._headers: list[tuple[str, str]] = []
        self._took: Callable[[float], None] | None = None
        self._counted: BaseException | None = None
        self.route = UNMATCHED
        environ[_EXCHANGE] = self

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        """Note the answer's status and headers on their way out, and the route while it is known."""
        self._status = status[:3]
        self._headers = headers
        self.route = _route(self._environ)
        return self._start(status, headers) if exc_info is None else self._start(status, headers, exc_info)

    def answered(self, middleware: _Middleware, body: Iterable[bytes]) -> None:
        """Count the request: the application has answered, only the body's way to the client is left."""
        self._body = body
        method = self._environ["REQUEST_METHOD"]
        count, self._took, self._send = middleware.handles(method, self.route, self._status)
        count()
        self._length = None
        for name, value in self._headers:
            if name == "Content-Length" or name.lower() == "content-length":
                self._length = int(value) if value.isdigit() else None
                if self._length and method != "HEAD" and self._status != "304":
                    self._send(self._length)
                break

    def failed(self, middleware: _Middleware, error: BaseException) -> None:
        """Count a request whose application raised: it becomes the server's 500."""
        if isinstance(error, Exception):
            self.count(error)
        count, self._took, _ = middleware.handles(self._environ["REQUEST_METHOD"], self.route, "500")
        count()
        self.done()

    def count(self, error: BaseException) -> None:
        """Count an exception under its class and route, once, on however many ways it is noticed."""
        if self._counted is not error:
            self._counted = error
            catalogue.HTTP_EXCEPTIONS.inc(type=type(error).__name__, endpoint=template(self.route))

    def __iter__(self) -> Iterator[bytes]:
        # A body of known length runs by without us; only a stream is counted piece by piece.
        return iter(self._body) if self._length is not None else self._streamed()

    def _streamed(self) -> Iterator[bytes]:
        sent = 0
        try:
            for piece in self._body:
                sent += len(piece)
                yield piece
        except Exception as error:
            self.count(error)
            raise
        finally:
            if sent:
                self._send(sent)

    def close(self) -> None:
        """Called by the server at the end of the answer, also when the client has gone."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self.done()

    def done(self) -> None:
        """Record the duration, once."""
        took, self._took = self._took, None
        if took is not None:
            took(perf_counter() - self._begun)
