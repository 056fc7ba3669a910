"""Requests, counted and timed without a thought: `instrument(app)` and nothing else.

A clock goes around what Flask does, and what each request is recorded in is found by its method, route and
status, and kept at hand. The count follows the durations (`CounterSeries.follow`): one is recorded, and both
are right.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Any

from metrics import catalogue, pages, process
from metrics.labels import OTHER
from metrics.series import SOFT_LIMIT

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask

    from metrics.series import CounterSeries, TimerSeries

#: The `endpoint` of a request that no route matched.
UNMATCHED = "__unmatched__"

#: What a request's duration and the bytes of its answer are recorded in.
_Handles = tuple["TimerSeries | _Scattered", Callable[[float], object]]
# Where in the environment the route is noted, for middleware that sees no more of Flask.
_ROUTE = "metrics.route"
# Where in the environment it is noted that an exception was counted, and on which route.
_UNCAUGHT = "metrics.uncaught"
# The most combinations of method, route and status whose handles are kept at hand.
_MOST_KEPT = 4_000
# The longest Content-Length that is believed, in digits: a terabyte.
_LONGEST_LENGTH = 12
#: The versions of Flask whose `wsgi_app` is written out here. Any other one goes the way of applications with
#: middleware, some calls longer.
_WRITTEN_OUT = "3.1."
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
    # `wsgi_app` is there to be replaced (Flask's documentation, "Hooking in WSGI Middleware").
    own = getattr(app.wsgi_app, "__func__", None) is Flask.wsgi_app
    if own and version("flask").startswith(_WRITTEN_OUT):
        app.wsgi_app = _flask(app, kept)  # type: ignore[assignment, method-assign]
    else:
        app.finalize_request = _noting_routes(app)  # type: ignore[method-assign]
        app.wsgi_app = _around_any(app.wsgi_app, kept)  # type: ignore[assignment, method-assign]
    got_request_exception.connect(_uncaught, app, weak=False)
    pages.instrument(app)
    process.also(sample)


def _flask(app: Flask, kept: _Kept) -> WSGIApplication:  # noqa: C901, PLR0915 - see below
    """Flask 3.1 answering a request, measured: what `Flask.wsgi_app` does, with a clock around it.

    This is on the way of each request, where a function that stands around another costs as much as counting
    does. So Flask's steps (`Flask.wsgi_app`) are written out again, and with them what is usual. Everything
    else is elsewhere.
    """
    enter, leave = _under_way.append, _under_way.pop
    handles = kept.handles

    def measured(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:  # noqa: C901, PLR0912 - see above
        begun = perf_counter()
        enter(None)
        context = None
        try:
            context = app.request_context(environ)
            error: BaseException | None = None
            try:
                try:
                    context.push()
                    response: Any = app.full_dispatch_request()
                except Exception as raised:  # noqa: BLE001 - Flask decides what becomes of it
                    error = raised
                    response = app.handle_exception(raised)
                except BaseException as raised:
                    error = raised
                    raise
                body: Iterable[bytes] = response(environ, start_response)
            finally:
                if "werkzeug.debug.preserve_context" in environ:  # the test client, and the debugger
                    _preserve(environ)
                if error is not None and app.should_ignore_error(error):
                    error = None
                context.pop(error)
        except BaseException as raised:
            kept.failed(environ, _route(context.request) if context is not None else None, raised, begun)
            raise
        request = context.request
        try:
            # The attribute behind `status_code`, which would be a call.
            timer, sent = handles[request.method, request.url_rule.rule, response._status_code]  # type: ignore[union-attr]  # noqa: SLF001 - see above
        except (AttributeError, KeyError):  # no route, or the first of its kind
            timer, sent = kept.of(request.method, _route(request), response.status_code)
        if "CONTENT_LENGTH" in environ:
            kept.receive(environ, _route(request))
        pieces = response.response
        if type(pieces) is list and len(pieces) == 1 and type(pieces[0]) is bytes:
            sent(len(pieces[0]))
        elif response.is_sequence:
            sent(response.calculate_content_length())
        elif not _is_bodiless(request.method, response.status_code):  # its end is yet to come
            exchange = _Exchange(kept, environ, begun, _route(request), response.status_code)
            return exchange.watch(body, response.content_length or 0)
        pending = timer.pending
        pending.append(perf_counter() - begun)
        if len(pending) > SOFT_LIMIT:
            kept.overfull(timer)
        try:  # noqa: SIM105 - a call and a context manager, for what never is
            leave()
        except IndexError:
            pass  # the view forked, and this is the child, which began at zero
        return body

    return measured


def _preserve(environ: WSGIEnvironment) -> None:
    from flask.globals import _cv_app, _cv_request  # noqa: PLC0415 - metrics must not need Flask where none is

    environ["werkzeug.debug.preserve_context"](_cv_app.get())
    environ["werkzeug.debug.preserve_context"](_cv_request.get())


def _noting_routes(app: Flask) -> Callable[..., Any]:
    """`finalize_request`, which every answer of Flask passes, noting the route."""
    from flask import request  # noqa: PLC0415 - metrics must not need Flask where none is

    finalize = app.finalize_request

    def finalize_request(rv: Any, from_error_handler: bool = False) -> Any:  # noqa: FBT001, FBT002 - Flask's signature
        request.environ[_ROUTE] = _route(request)
        return finalize(rv, from_error_handler)

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
            kept.failed(environ, environ.get(_ROUTE), error, exchange.begun)
            raise
        exchange.route = environ.get(_ROUTE)
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


class _Scattered:
    """What stands in for one timer's series where there are none or several: each duration is told to all.

    It is used as `TimerSeries.pending` and the series itself are.
    """

    __slots__ = ("_tell",)

    def __init__(self, *tell: Callable[[float], object]) -> None:
        self._tell = tell

    @property
    def pending(self) -> _Scattered:
        """Nothing waits here."""
        return self

    def __len__(self) -> int:
        return 0

    def append(self, seconds: float) -> None:
        """Record a duration."""
        for tell in self._tell:
            tell(seconds)

    observe = append

    def overfull(self) -> None:
        """Never."""


def sample(role: str, slot: str) -> None:
    """Set the gauge of requests in progress: done for every instrumented process by `metrics.process`."""
    catalogue.HTTP_IN_PROGRESS.set(in_progress(), role=role, slot=slot)


class _Kept:
    """What the requests of one application are recorded in."""

    def __init__(self, exclude: Collection[str], api: tuple[str, ...]) -> None:
        self.handles: dict[tuple[str, str | None, int], _Handles] = {}
        self._excluded = frozenset(template(route) for route in exclude)
        self._api = api
        self._sizes: dict[str, CounterSeries] = {}

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
            return _Scattered(), _nothing
        sizes = self._sizes[endpoint] = catalogue.HTTP_RESPONSE_BYTES.bind(endpoint)
        return self._timer(method, endpoint, str(status)), _nothing if bodiless else sizes.add

    def _timer(self, method: str, endpoint: str, status: str) -> TimerSeries | _Scattered:
        timer = catalogue.HTTP_REQUEST_DURATION.bind(method, endpoint, status)
        counters = [catalogue.HTTP_REQUESTS.bind(method, endpoint, status)]
        if endpoint.startswith(self._api):
            counters = [*counters, catalogue.API_CALLS.bind(endpoint, _outcome(int(status)))]
        if counters[0].labels != timer.labels:
            # Past a label's bound the two may have met the values in another order.
            return _Scattered(timer.observe, *(_counting(counter) for counter in counters))
        for counter in counters:
            counter.follow(timer)
        return timer

    def overfull(self, timer: TimerSeries | _Scattered) -> None:
        """Make room: so many requests came since the last flush."""
        for sizes in list(self._sizes.values()):
            sizes.fold()
        timer.overfull()

    def receive(self, environ: WSGIEnvironment, route: str | None) -> None:
        """Count the bytes of a request's body."""
        length = _announced(environ.get("CONTENT_LENGTH", ""))
        endpoint = _endpoint(route)
        if length and endpoint not in self._excluded:
            catalogue.HTTP_REQUEST_BYTES.inc(length, endpoint=endpoint)

    def failed(self, environ: WSGIEnvironment, route: str | None, error: BaseException, begun: float) -> None:
        """Count a request whose application raised: it becomes the server's 500."""
        noted, number = environ.get(_UNCAUGHT, (None, None))
        route = noted or route
        self.receive(environ, route)
        if isinstance(error, Exception) and number != id(error):
            _count(error, route)
        self.end(environ, route, 500, begun)

    def end(self, environ: WSGIEnvironment, route: str | None, status: int, begun: float) -> None:
        """Count and time a request that is over."""
        timer, _ = self.of(environ["REQUEST_METHOD"], route, status)
        timer.observe(perf_counter() - begun)
        with contextlib.suppress(IndexError):  # the view forked, and this is the child, which began at zero
            _under_way.pop()


def _counting(counter: CounterSeries) -> Callable[[float], object]:
    return lambda _: counter.one()


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
        sent: Callable[[float], object] | None = None
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

    def _sent(self) -> Callable[[float], object]:
        return self._kept.of(self._environ["REQUEST_METHOD"], self.route, self.status)[1]

    def done(self) -> None:
        """Count the request, once."""
        if not self.ended:
            self.ended = True
            self._kept.end(self._environ, self.route, self.status, self.begun)

    #: For a server that lets go of the answer without closing it.
    __del__ = done
