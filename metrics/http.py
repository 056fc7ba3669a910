"""Requests, counted and timed without a thought: `instrument(app)` and nothing else.

Two thin functions go around what Flask does. One stands around `finalize_request`, which every answer of
Flask passes, and notes what the answer is to be counted with; the other stands around the application and has
the clock. The handles are bound once per method, route and status, and kept.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any

from metrics import catalogue, pages, process
from metrics.labels import OTHER
from metrics.series import SOFT_LIMIT

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask

    from metrics.series import TimerSeries

#: The `endpoint` of a request that no route matched.
UNMATCHED = "__unmatched__"

#: What the bytes of an answer are counted with, and what its request is counted and timed with.
_Handles = tuple[Callable[[float], None], tuple[Callable[[], object], "TimerSeries | _Untimed"]]
# Where in the environment it is noted what Flask answered: the two handles to count the request with, or,
# when the answer's end is yet to come, its route, status and Content-Length.
_ANSWER = "metrics.answer"
# Where in the environment it is noted that an exception was counted, and on which route.
_UNCAUGHT = "metrics.uncaught"
# The most combinations of method, route and status whose handles are kept at hand.
_MOST_KEPT = 4_000
# The longest Content-Length that is believed, in digits: a terabyte.
_LONGEST_LENGTH = 12
_METHODS = frozenset(catalogue.METHOD.values)
# A variable part of a Werkzeug rule: `<name>`, `<int:name>`, `<any(a, b):name>`.
_VARIABLE = re.compile(r"<(?:[^<>:(]+(?:\([^)]*\))?:)?([^<>:]+)>")

# One entry per request under way in this process. A list: its length is read without a lock and without a
# trace, and entering and leaving are single steps for threads.
_under_way: list[None] = []
os.register_at_fork(after_in_child=_under_way.clear)


def in_progress() -> int:
    """How many requests this process is answering now, in all instrumented applications together.

    Excluded routes are among them: who answers a probe is busy too. A forked child begins at zero.
    """
    return len(_under_way)


def template(rule: str) -> str:
    """A route as the metrics name it: `/jobs/<int:job_id>` becomes `/jobs/{job_id}`."""
    return _VARIABLE.sub(r"{\1}", rule)


def instrument(app: Flask, *, exclude: Collection[str] = (), api: tuple[str, ...] = ("/api/",)) -> None:
    """Measure every request of an application: count, duration, bytes both ways, exceptions, and pages.

    A request is counted and timed once, when its answer ends. An answer in memory ends when the application
    hands it to the server; what is slow from there on is the network, not the application. A stream ends when
    it is exhausted or breaks or is closed, whichever is first; a file, which the server may send by itself,
    when the server closes it.

    An exception counts under its class; the answer that it leads to counts as any other (500 for one that
    leaves the application). The bytes of requests are those that Content-Length announces: chunked bodies are
    not counted, as only who reads them knows their length. Middleware that is in front of Flask already is
    measured with it, at the price of a few calls more; middleware put there later is not.

    Args:
        app: Instrumented once, however often this is called.
        exclude: Routes, as the metrics name them, whose requests are neither counted nor timed nor measured.
            Their exceptions count, and they are in progress like any other.
        api: How the routes begin that programs call. Their requests count as API calls too.
    """
    if "metrics" in app.extensions:
        return
    from flask import Flask, got_request_exception  # noqa: PLC0415 - metrics must not need Flask where none is

    app.extensions["metrics"] = kept = _Kept(exclude, api)
    # `wsgi_app` is there to be wrapped (Flask's documentation, "Hooking in WSGI Middleware").
    if getattr(app.wsgi_app, "__func__", None) is Flask.wsgi_app:
        app.finalize_request = _noting(app, kept)  # type: ignore[method-assign]
        app.wsgi_app = _around_flask(app.wsgi_app, kept)  # type: ignore[assignment, method-assign]
    else:
        app.finalize_request = _noting_routes(app)  # type: ignore[method-assign]
        app.wsgi_app = _around_any(app.wsgi_app, kept)  # type: ignore[assignment, method-assign]
    got_request_exception.connect(_uncaught, app, weak=False)
    pages.instrument(app)
    process.also(sample)


def _context() -> Callable[[], Any]:
    """What gives Flask's context of the request under way."""
    try:
        from flask.globals import _cv_request  # noqa: PLC0415 - metrics must not need Flask where none is
    except ImportError:  # it is Flask's own affair; this is the way round, some calls longer
        from flask.globals import request_ctx  # noqa: PLC0415 - metrics must not need Flask where none is

        return request_ctx._get_current_object  # type: ignore[attr-defined, no-any-return]  # noqa: SLF001 - Werkzeug documents it
    return _cv_request.get  # a C function


# The next two functions are on the way of each request. Each step costs there, and a call is many steps; so
# what is usual is written out in them, and everything else is elsewhere.


def _noting(app: Flask, kept: _Kept) -> Callable[..., Any]:
    """`finalize_request`, noting what the request is to be counted with."""
    finalize = app.finalize_request
    context = _context()
    handles = kept.handles

    def finalize_request(rv: Any, from_error_handler: bool = False) -> Any:  # noqa: FBT001, FBT002 - Flask's signature
        response = finalize(rv, from_error_handler)
        request = context().request
        environ = request.environ
        try:
            # The attribute behind `status_code`, which would be a call.
            sent, environ[_ANSWER] = handles[request.method, request.url_rule.rule, response._status_code]  # noqa: SLF001 - see above
        except (AttributeError, KeyError):  # no route, or the first of its kind
            sent, environ[_ANSWER] = kept.of(request.method, _route(request), response.status_code)
        pieces = response.response
        if type(pieces) is list and len(pieces) == 1 and type(pieces[0]) is bytes:
            sent(len(pieces[0]))
        else:
            kept.unusual(request, response)
        if "CONTENT_LENGTH" in environ:
            kept.receive(environ, _route(request))
        return response

    return finalize_request


def _around_flask(wsgi_app: WSGIApplication, kept: _Kept) -> WSGIApplication:
    """An application that is Flask's own, measured."""
    enter, leave = _under_way.append, _under_way.pop

    def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begun = perf_counter()
        enter(None)
        try:
            body = wsgi_app(environ, start_response)
        except BaseException as error:
            kept.failed(environ, error, begun)
            raise
        try:
            one, timer = environ[_ANSWER]
        except (KeyError, ValueError):
            route, status, length = environ.get(_ANSWER, (None, 0, 0))
            return _Exchange(kept, environ, begun, route, status).watch(body, length)
        one()
        # As TimerSeries.observe does, which would be a call.
        pending = timer.pending
        pending.append(perf_counter() - begun)
        if len(pending) > SOFT_LIMIT:
            timer.overfull()
        try:  # noqa: SIM105 - a call and a context manager, for what never is
            leave()
        except IndexError:
            pass  # the view forked, and this is the child, which began at zero
        return body

    return measured


def _noting_routes(app: Flask) -> Callable[..., Any]:
    """`finalize_request`, noting the route alone: the middleware may change the answer yet."""
    finalize = app.finalize_request
    context = _context()

    def finalize_request(rv: Any, from_error_handler: bool = False) -> Any:  # noqa: FBT001, FBT002 - Flask's signature
        response = finalize(rv, from_error_handler)
        request = context().request
        request.environ[_ANSWER] = _route(request), 0, 0
        return response

    return finalize_request


def _around_any(wsgi_app: WSGIApplication, kept: _Kept) -> WSGIApplication:
    """An application with middleware of its own, which may change Flask's answers, measured."""

    def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = _Exchange(kept, environ, perf_counter())
        length = 0

        def noting(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal length
            code = status.partition(" ")[0]
            exchange.status = int(code) if code.isdecimal() else 0  # as Werkzeug has it
            length = next((_announced(text) for name, text in headers if name.lower() == "content-length"), 0)
            return start_response(status, headers, *more)

        _under_way.append(None)
        try:
            body = wsgi_app(environ, noting)
        except BaseException as error:
            exchange.ended = True
            kept.failed(environ, error, exchange.begun)
            raise
        exchange.route, _, _ = environ.get(_ANSWER, (None, 0, 0))
        kept.receive(environ, exchange.route)
        return exchange.watch(body, length)

    return measured


def _route(request: Any) -> str | None:
    rule = request.url_rule
    return None if rule is None else rule.rule


def _endpoint(route: str | None) -> str:
    return UNMATCHED if route is None else template(route)


def _uncaught(sender: Flask, exception: BaseException, **_: Any) -> None:
    from flask import request  # noqa: PLC0415 - metrics must not need Flask where none is

    del sender
    route = _route(request)
    _count(exception, route)
    # Its number: the exception itself would make a circle with the environment.
    request.environ[_UNCAUGHT] = route, id(exception)


def _count(error: BaseException, route: str | None) -> None:
    catalogue.HTTP_EXCEPTIONS.inc(type=type(error).__name__, endpoint=_endpoint(route))


def _is_bodiless(method: str, status: int) -> bool:
    """Whether an answer goes without a body, whatever the view gave (as Werkzeug's `get_app_iter` has it)."""
    return method == "HEAD" or 100 <= status < 200 or status in {204, 304}  # noqa: PLR2004 - statuses


def _announced(length: str) -> int:
    """What a Content-Length says; 0 where it says nothing that can be believed."""
    return int(length) if length.isdecimal() and len(length) <= _LONGEST_LENGTH else 0


def _nothing(_: float = 0) -> None:
    """What a request is not counted with."""


class _Untimed:
    """What a request is not timed with: the part of a timer's series that is used here."""

    __slots__ = ()

    @property
    def pending(self) -> list[float]:
        """A list that nobody keeps."""
        return []

    def overfull(self) -> None:
        """Nothing, as it never is."""

    def observe(self, seconds: float, /) -> None:
        """Nothing either."""


def sample(role: str, slot: str) -> None:
    """Set the gauge of requests in progress: done for every instrumented process by `metrics.process`."""
    catalogue.HTTP_IN_PROGRESS.set(in_progress(), role=role, slot=slot)


class _Kept:
    """What the requests of one application are counted with."""

    def __init__(self, exclude: Collection[str], api: tuple[str, ...]) -> None:
        self.handles: dict[tuple[str, str | None, int], _Handles] = {}
        self._excluded = frozenset(template(route) for route in exclude)
        self._api = api

    def of(self, method: str, route: str | None, status: int) -> _Handles:
        """The handles of one kind of request: kept for the next one, unless its method is an odd one."""
        found = self.handles.get((method, route, status))
        if found is not None:
            return found
        shown = method if method in _METHODS else OTHER
        made = self._bind(shown, _endpoint(route), status, bodiless=_is_bodiless(method, status))
        if shown == method and len(self.handles) < _MOST_KEPT:
            self.handles[method, route, status] = made
        return made

    def _bind(self, method: str, endpoint: str, status: int, *, bodiless: bool) -> _Handles:
        if endpoint in self._excluded:
            return _nothing, (_nothing, _Untimed())
        one: Callable[[], object] = catalogue.HTTP_REQUESTS.bind(method, endpoint, str(status)).one
        if endpoint.startswith(self._api):
            one = _both(one, catalogue.API_CALLS.bind(endpoint, _outcome(status)).one)
        timer = catalogue.HTTP_REQUEST_DURATION.bind(method, endpoint, str(status))
        sent = _nothing if bodiless else catalogue.HTTP_RESPONSE_BYTES.bind(endpoint).inc
        return sent, (one, timer)

    def unusual(self, request: Any, response: Any) -> None:
        """Count the bytes of an answer that is not one piece; note one whose end is yet to come."""
        method, route, status = request.method, _route(request), response.status_code
        if response.is_sequence:
            self.of(method, route, status)[0](response.calculate_content_length())
        elif not _is_bodiless(method, status):
            request.environ[_ANSWER] = route, status, response.content_length or 0

    def receive(self, environ: WSGIEnvironment, route: str | None) -> None:
        """Count the bytes of a request's body."""
        length = _announced(environ.get("CONTENT_LENGTH", ""))
        endpoint = _endpoint(route)
        if length and endpoint not in self._excluded:
            catalogue.HTTP_REQUEST_BYTES.inc(length, endpoint=endpoint)

    def failed(self, environ: WSGIEnvironment, error: BaseException, begun: float) -> None:
        """Count a request whose application raised: it becomes the server's 500."""
        answer = environ.get(_ANSWER)
        noted, number = environ.get(_UNCAUGHT, (None, None))
        if answer is None:
            self.receive(environ, noted)
        route = noted or self._route_of(answer)
        if isinstance(error, Exception) and number != id(error):
            _count(error, route)
        self.end(environ, route, 500, begun)

    def _route_of(self, answer: tuple[Any, ...] | None) -> str | None:
        if answer is not None and len(answer) > 2:  # noqa: PLR2004 - a route, a status and a length
            route: str | None = answer[0]
            return route
        return next((route for (_, route, _), (_, pair) in self.handles.items() if pair is answer), None)

    def end(self, environ: WSGIEnvironment, route: str | None, status: int, begun: float) -> None:
        """Count and time a request that is over."""
        one, timer = self.of(environ["REQUEST_METHOD"], route, status)[1]
        one()
        timer.observe(perf_counter() - begun)
        with contextlib.suppress(IndexError):  # the view forked, and this is the child, which began at zero
            _under_way.pop()


def _both(one: Callable[[], object], other: Callable[[], object]) -> Callable[[], object]:
    def both() -> None:
        one()
        other()

    return both


def _outcome(status: int) -> str:
    return "succeeded" if status < 400 else "refused" if status < 500 else "failed"  # noqa: PLR2004 - RFC 9110's classes


class _Exchange:
    """A request whose answer the server is still fetching."""

    __slots__ = ("_body", "_environ", "_kept", "begun", "ended", "route", "status")

    def __init__(
        self,
        kept: _Kept,
        environ: WSGIEnvironment,
        begun: float,
        route: str | None = None,
        status: int = 500,
    ) -> None:
        self._kept = kept
        self._environ = environ
        self._body: Any = ()
        self.begun = begun
        self.route = route
        self.status = status
        self.ended = False

    def watch(self, body: Iterable[bytes], length: int) -> Iterable[bytes]:
        """What to give the server for this body, so that it tells when the answer has ended.

        Args:
            body: What the application gave.
            length: What Content-Length says, for a file: of what the server sends by itself no piece is seen.
        """
        wrapper = self._environ.get("wsgi.file_wrapper")
        if wrapper is not None and type(body) is wrapper and self._hear_close(body, length):
            return body  # by its type the server knows that it may use sendfile()
        self._body = body
        return self

    def __iter__(self) -> Iterator[bytes]:
        sent: Callable[[float], None] | None = None
        try:
            for piece in self._body:
                if sent is None:  # only now is the status sure to be known
                    sent = self._sent()
                sent(len(piece))
                yield piece
        except Exception as error:
            _count(error, self.route)
            raise
        finally:
            self.done()

    def close(self) -> None:
        """Called by the server at the end of the answer, also when the client has gone."""
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self.done()

    def _hear_close(self, body: Any, length: int) -> bool:
        """Have a server's file wrapper tell when it is closed; False if it cannot be made to."""
        own = getattr(body, "close", None)

        def close() -> None:
            try:
                if own is not None:
                    own()
            finally:
                if not self.ended:
                    self._sent()(length)
                self.done()

        try:
            body.close = close
        except AttributeError:
            return False
        return True

    def _sent(self) -> Callable[[float], None]:
        return self._kept.of(self._environ["REQUEST_METHOD"], self.route, self.status)[0]

    def done(self) -> None:
        """Count the request, once."""
        if not self.ended:
            self.ended = True
            self._kept.end(self._environ, self.route, self.status, self.begun)

    #: For a server that lets go of the answer without closing it.
    __del__ = done
