"""Every request is measured, by its route and never by its path."""

from __future__ import annotations

import gc
import io
import os
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

import pytest
from flask import Flask, Response, abort, redirect, render_template, render_template_string, send_file
from jinja2 import DictLoader, TemplateNotFound
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response as PlainResponse

from metrics import catalogue, http, process
from metrics.labels import OTHER
from metrics.model import Timer
from metrics.testing import Captured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask.testing import FlaskClient

    from metrics.series import TimerSeries


@pytest.fixture(params=["as Flask 3.1", "as any other"])
def app(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Flask:  # noqa: C901 - one view after another
    """An application of Flask's own, measured as such, and as another version of Flask is."""
    if request.param == "as any other":
        monkeypatch.setattr(http, "_WRITTEN_OUT", "0.")
    made = Flask("measured")

    @made.get("/")
    def index() -> str:
        return "hello"

    @made.route("/jobs/<int:job_id>", methods=["GET", "POST"])
    def job(job_id: int) -> str:
        return f"job {job_id}"

    @made.get("/api/v1/openapi.json")
    def openapi() -> dict[str, str]:
        return {}

    @made.get("/boom")
    def boom() -> str:
        raise LookupError("nobody expected this")

    @made.get("/gone")
    def gone() -> str:
        abort(410)

    @made.get("/away")
    def away() -> PlainResponse:
        return redirect("/")

    @made.get("/stream")
    def stream() -> Response:
        return Response(iter([b"a" * 10, b"b" * 5]))

    @made.get("/broken-stream")
    def broken_stream() -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"abc"
            raise BrokenPipeError

        return Response(pieces())

    @made.get("/file")
    def file() -> Response:
        return send_file(io.BytesIO(b"x" * 100), mimetype="text/plain")

    made.logger.disabled = True
    http.instrument(made)
    http.instrument(made)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_an_exception_that_flask_never_saw_is_counted(emitted: Captured) -> None:
    def broken(environ: WSGIEnvironment, start_response: object) -> list[bytes]:
        raise KeyError(environ["PATH_INFO"])

    app = Flask("broken")
    app.wsgi_app = broken  # type: ignore[method-assign]  # as Flask tells to wrap it
    http.instrument(app)
    with pytest.raises(KeyError):
        app.test_client().get("/jobs/7")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="KeyError", endpoint=http.UNMATCHED)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, status="500")


def environ_of(path: str, method: str = "GET", /, **more: Any) -> WSGIEnvironment:
    return {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), **more,
    }  # fmt: skip


def ask(app: Flask, path: str, method: str = "GET", /, **more: Any) -> Iterable[bytes]:
    """What the application gives a server, not yet read and not yet closed."""
    return app(environ_of(path, method, **more), lambda *_: lambda _: None)


def close(body: Any) -> None:
    if hasattr(body, "close"):
        body.close()


def counted_once(emitted: Captured, **labels: str) -> None:
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 1, **labels)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 1)
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 1, **labels)
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 1)


@pytest.mark.parametrize(
    ("method", "path", "shown", "endpoint", "status"),
    [
        ("GET", "/", "GET", "/", "200"),
        ("HEAD", "/", "HEAD", "/", "200"),
        ("GET", "/jobs/7", "GET", "/jobs/{job_id}", "200"),
        ("POST", "/jobs/8", "POST", "/jobs/{job_id}", "200"),
        ("GET", "/api/v1/openapi.json", "GET", "/api/v1/openapi_json", "200"),
        ("GET", "/boom", "GET", "/boom", "500"),
        ("GET", "/gone", "GET", "/gone", "410"),
        ("GET", "/away", "GET", "/away", "302"),
        ("GET", "/stream", "GET", "/stream", "200"),
        ("GET", "/file", "GET", "/file", "200"),
        ("GET", "/static/no.css", "GET", "/static/{filename}", "404"),
        ("GET", "/wp-admin.php", "GET", "__unmatched__", "404"),
        ("BREW", "/", OTHER, "__unmatched__", "405"),
    ],
)
def test_a_request_is_counted_and_timed_once(  # noqa: PLR0917 - a table's columns
    client: FlaskClient, emitted: Captured, method: str, path: str, shown: str, endpoint: str, status: str
) -> None:
    client.open(path, method=method, buffered=True)
    counted_once(emitted, method=shown, endpoint=endpoint, status=status)
    assert http.in_progress() == 0


@pytest.mark.parametrize(
    ("method", "path", "endpoint", "size"),
    [
        ("GET", "/", "/", 5),
        ("GET", "/stream", "/stream", 15),
        ("GET", "/file", "/file", 100),
        ("HEAD", "/", "/", 0),
    ],
)
def test_the_bytes_of_the_body_are_counted(  # noqa: PLR0917 - a table's columns
    client: FlaskClient, emitted: Captured, method: str, path: str, endpoint: str, size: int
) -> None:
    client.open(path, method=method, buffered=True)
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, size, endpoint=endpoint)


def test_a_stream_is_counted_when_it_ends_and_once(client: FlaskClient, emitted: Captured) -> None:
    answer = client.get("/stream")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 0)
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 0)
    answer.close()
    answer.close()
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, endpoint="/stream")
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, endpoint="/stream")


@pytest.mark.parametrize("app", ["as Flask 3.1"], indirect=True)  # whoever is in front may change it yet
def test_an_answer_in_memory_is_counted_when_it_is_handed_over(app: Flask, emitted: Captured) -> None:
    body = ask(app, "/")
    counted_once(emitted, endpoint="/", status="200")
    close(body)
    counted_once(emitted, endpoint="/", status="200")


def test_a_client_that_goes_away_ends_a_stream(app: Flask, emitted: Captured) -> None:
    body = ask(app, "/stream")
    assert http.in_progress() == 1
    assert next(iter(body)) == b"a" * 10
    close(body)
    assert http.in_progress() == 0
    counted_once(emitted, endpoint="/stream", status="200")
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, 10, endpoint="/stream")


@pytest.mark.parametrize("how", ["exhausted", "dropped"])
def test_a_server_need_not_close_what_it_is_given(app: Flask, emitted: Captured, how: str) -> None:
    body = ask(app, "/stream")
    if how == "exhausted":
        assert b"".join(body) == b"a" * 10 + b"b" * 5
    del body
    gc.collect()
    assert http.in_progress() == 0
    counted_once(emitted, endpoint="/stream", status="200")


def test_an_exception_is_counted_by_class_and_route(client: FlaskClient, emitted: Captured) -> None:
    client.get("/boom", buffered=True)
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="LookupError", endpoint="/boom")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS)


def test_an_exception_that_leaves_the_application_is_counted_once_too(app: Flask, emitted: Captured) -> None:
    app.testing = True  # lets it out
    with pytest.raises(LookupError):
        app.test_client().get("/boom", buffered=True)
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="LookupError", endpoint="/boom")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, endpoint="/boom", status="500")
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, endpoint="/boom", status="500")


def test_a_stream_that_breaks_off_is_counted(client: FlaskClient, emitted: Captured) -> None:
    with pytest.raises(BrokenPipeError):
        client.get("/broken-stream", buffered=True)
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="BrokenPipeError", endpoint="/broken-stream")
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, 3, endpoint="/broken-stream")


def test_an_answer_that_a_view_meant_is_no_exception(client: FlaskClient, emitted: Captured) -> None:
    client.get("/gone", buffered=True)
    emitted.assert_no_metrics(catalogue.HTTP_EXCEPTIONS)


def test_a_servers_file_wrapper_reaches_the_server(app: Flask, emitted: Captured) -> None:
    body = ask(app, "/file", **{"wsgi.file_wrapper": FileWrapper})
    assert type(body) is FileWrapper, "gunicorn uses sendfile() only for its own type"
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 0)
    assert http.in_progress() == 1
    body.close()
    body.close()
    assert http.in_progress() == 0
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, endpoint="/file")
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, 100, endpoint="/file")


def test_ten_thousand_unknown_paths_and_odd_methods_make_one_series_each(
    app: Flask, emitted: Captured
) -> None:
    for number in range(10_000):
        run_wsgi_app(app, environ_of(f"/wp/{number}", f"ODD{number}"), buffered=True)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 10_000, method=OTHER, endpoint="__unmatched__")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 10_000)


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ("/", "/"),
        ("/jobs/<job_id>", "/jobs/{job_id}"),
        ("/a/<int:one>/<path:two>", "/a/{one}/{two}"),
        ("/<any(a, b):which>/x", "/{which}/x"),
        ("/<string(length=2):code>", "/{code}"),
    ],
)
def test_routes_are_shown_as_templates(rule: str, shown: str) -> None:
    assert http.template(rule) == shown


# --- Answers of every kind ----------------------------------------------------------------------------------


class Own(Response):
    """A response class of a view's own."""


class Slotted:
    """A server's file wrapper that takes no attribute."""

    __slots__ = ("_file",)

    def __init__(self, file: Any, _size: int = 0) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._file)


def passed_through() -> Response:
    return Response(iter([b"ab", b"c"]), direct_passthrough=True)


KINDS: dict[str, tuple[Callable[[], Any], str, int]] = {
    "a text": (lambda: "häuser", "200", 7),
    "nothing": (lambda: "", "200", 0),
    "json": (lambda: [1, 2], "200", 6),
    "several pieces": (lambda: Response([b"ab", b"c"]), "200", 3),
    "a tuple of pieces": (lambda: Response((b"ab", b"c")), "200", 3),
    "a piece of text": (lambda: Response(["ä"]), "200", 2),
    "a stream of text": (lambda: Response(iter(["ä", "b"])), "200", 3),
    "a generator": (lambda: (each for each in ("ä", "b")), "200", 3),
    "passed through": (passed_through, "200", 3),
    "no content": (lambda: ("never sent", 204), "204", 0),
    "not modified": (lambda: ("never sent", 304), "304", 0),
    "a stream never sent": (lambda: (Response(iter([b"never"])), 304), "304", 0),
    "a class of its own": (lambda: Own("abc"), "200", 3),
    "Werkzeug's own": (lambda: PlainResponse("abc", 201), "201", 3),
    "an application": (lambda: lambda _, start: (start("202 Accepted", []), [b"abc"])[1], "202", 3),
    "a status without a number": (lambda: ("abc", "whatever"), "0", 3),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("place", ["bare", "behind middleware"])
def test_every_kind_of_answer_is_counted_once_and_measured(
    emitted: Captured, kind: str, method: str, place: str
) -> None:
    give, status, size = KINDS[kind]
    made = Flask("kinds")
    made.add_url_rule("/it", view_func=give)
    if place == "behind middleware":
        put_in_front(made, lambda wsgi_app: wsgi_app)
    http.instrument(made)
    body, _, _ = run_wsgi_app(made, environ_of("/it", method), buffered=True)
    sent = sum(len(piece) for piece in body)
    assert sent == (size if method == "GET" else 0)
    counted_once(emitted, method=method, endpoint="/it", status=status)
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, sent)
    assert http.in_progress() == 0


def test_a_view_keeps_its_class_of_response(emitted: Captured) -> None:
    made = Flask("own")
    seen: list[Response] = []
    made.add_url_rule("/it", view_func=lambda: Own("abc"))
    http.instrument(made)

    @made.after_request
    def see(response: Response) -> Response:
        seen.append(response)
        return response

    made.test_client().get("/it", buffered=True)
    assert [type(each) for each in seen] == [Own]
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, endpoint="/it")


def test_a_file_wrapper_that_takes_no_attribute_is_read_through_us(app: Flask, emitted: Captured) -> None:
    body = ask(app, "/file", **{"wsgi.file_wrapper": Slotted})
    assert b"".join(body) == b"x" * 100
    close(body)
    counted_once(emitted, endpoint="/file", status="200")
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, 100, endpoint="/file")


# --- Exceptions off the beaten track ------------------------------------------------------------------------


def test_an_answer_that_could_not_be_finished_counts_as_the_one_that_was(
    app: Flask, client: FlaskClient, emitted: Captured
) -> None:
    broken = [ValueError("only once")]

    def after(response: Response) -> Response:
        if broken:
            raise broken.pop()
        return response

    app.after_request(after)
    client.get("/", buffered=True)
    counted_once(emitted, endpoint="/", status="500")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="ValueError", endpoint="/")
    assert http.in_progress() == 0


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_an_exception_after_the_answer_makes_it_a_500(app: Flask, emitted: Captured, path: str) -> None:
    @app.teardown_request
    def teardown(_: BaseException | None) -> None:
        raise KeyError("late")

    with pytest.raises(KeyError):
        ask(app, path)
    counted_once(emitted, endpoint=path, status="500")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="KeyError", endpoint=path)
    assert http.in_progress() == 0


def test_two_exceptions_of_one_request_count_as_two(app: Flask, emitted: Captured) -> None:
    @app.teardown_request
    def teardown(_: BaseException | None) -> None:
        raise KeyError("late")

    with pytest.raises(KeyError):
        ask(app, "/boom")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="LookupError", endpoint="/boom")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="KeyError", endpoint="/boom")
    counted_once(emitted, endpoint="/boom", status="500")


def test_a_worker_that_is_told_to_end_leaves_no_request_under_way(app: Flask, emitted: Captured) -> None:
    @app.get("/exit")
    def leave() -> str:
        raise SystemExit

    with pytest.raises(SystemExit):
        ask(app, "/exit")
    assert http.in_progress() == 0
    counted_once(emitted, status="500")
    emitted.assert_no_metrics(catalogue.HTTP_EXCEPTIONS)


# --- In progress --------------------------------------------------------------------------------------------


def test_a_request_is_in_progress_while_its_view_runs(app: Flask, emitted: Captured) -> None:
    @app.get("/busy")
    def busy() -> str:
        return str(http.in_progress())

    assert app.test_client().get("/busy", buffered=True).text == "1"
    assert http.in_progress() == 0
    app.test_client().get("/boom", buffered=True)
    assert http.in_progress() == 0
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 2)


def test_what_is_in_progress_is_told_with_each_sample_of_the_process(app: Flask, emitted: Captured) -> None:
    assert http.sample in process._samplers
    body = ask(app, "/stream")
    http.sample("web", "3")
    emitted.assert_gauge(catalogue.HTTP_IN_PROGRESS, 1, role="web", slot="3")
    close(body)
    http.sample("web", "3")
    emitted.assert_gauge(catalogue.HTTP_IN_PROGRESS, 0, role="web", slot="3")


def test_a_forked_child_begins_at_zero_and_may_finish_the_request(app: Flask, emitted: Captured) -> None:
    @app.get("/fork")
    def fork() -> str:
        return str(os.fork())

    reading, writing = os.pipe()
    body = ask(app, "/fork")
    [said] = list(body)
    if said == b"0":  # the child, which came out of the view too
        os.write(writing, str(http.in_progress()).encode())
        os._exit(0)
    os.waitpid(int(said), 0)
    assert os.read(reading, 10) == b"0"
    os.close(reading)
    os.close(writing)
    assert http.in_progress() == 0
    counted_once(emitted, endpoint="/fork")


# --- Middleware in front ------------------------------------------------------------------------------------


def put_in_front(app: Flask, make: Callable[[WSGIApplication], WSGIApplication]) -> None:
    wsgi_app = make(app.wsgi_app)

    def front(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return wsgi_app(environ, start_response)

    app.wsgi_app = front  # type: ignore[method-assign]  # as Flask tells to wrap it


def closed_for_today(_: WSGIApplication) -> WSGIApplication:
    def answer(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("503 Closed", [("content-length", "6")])
        yield b"closed"  # and start_response was not called before it is asked for

    return answer


def doubled(wsgi_app: WSGIApplication) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return [b"".join(wsgi_app(environ, start_response)) * 2]

    return answer


def failing(_: WSGIApplication) -> WSGIApplication:
    def answer(_: WSGIEnvironment, __: StartResponse) -> Iterable[bytes]:
        raise OSError

    return answer


@pytest.mark.parametrize(
    ("make", "endpoint", "status", "size"),
    [(closed_for_today, http.UNMATCHED, "503", 6), (doubled, "/", "200", 10)],
)
def test_what_middleware_answers_is_what_counts(
    emitted: Captured,
    make: Callable[[WSGIApplication], WSGIApplication],
    endpoint: str,
    status: str,
    size: int,
) -> None:
    made = Flask("fronted")
    made.add_url_rule("/", view_func=lambda: "hello")
    put_in_front(made, make)
    http.instrument(made)
    run_wsgi_app(made, environ_of("/", CONTENT_LENGTH="4"), buffered=True)
    counted_once(emitted, endpoint=endpoint, status=status)
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, size, endpoint=endpoint)
    emitted.assert_incremented(catalogue.HTTP_REQUEST_BYTES, 4, endpoint=endpoint)
    assert http.in_progress() == 0


def test_middleware_that_raises_is_counted(emitted: Captured) -> None:
    made = Flask("fronted")
    put_in_front(made, failing)
    http.instrument(made)
    with pytest.raises(OSError):  # noqa: PT011 - it says nothing
        ask(made, "/")
    gc.collect()
    counted_once(emitted, endpoint=http.UNMATCHED, status="500")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="OSError", endpoint=http.UNMATCHED)
    assert http.in_progress() == 0


# --- Bytes of requests, exclusions, API calls ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "counted"),
    [
        ("12", 12),
        ("0", 0),
        ("", 0),
        ("-5", 0),
        ("²", 0),
        ("many", 0),
        ("9" * 12, 999_999_999_999),
        ("9" * 13, 0),
    ],
)
def test_the_bytes_of_a_request_are_those_that_it_announces(
    app: Flask, emitted: Captured, length: str, counted: int
) -> None:
    run_wsgi_app(app, environ_of("/jobs/7", "POST", CONTENT_LENGTH=length), buffered=True)
    emitted.assert_incremented(catalogue.HTTP_REQUEST_BYTES, counted, endpoint="/jobs/{job_id}")
    emitted.assert_incremented(catalogue.HTTP_REQUEST_BYTES, counted)


def test_the_bytes_of_a_request_that_fails_count_too(app: Flask, emitted: Captured) -> None:
    app.testing = True
    with pytest.raises(LookupError):
        ask(app, "/boom", CONTENT_LENGTH="12")
    emitted.assert_incremented(catalogue.HTTP_REQUEST_BYTES, 12, endpoint="/boom")


def test_an_excluded_route_is_not_counted_but_its_exceptions_are_and_it_is_in_progress(
    emitted: Captured,
) -> None:
    made = Flask("excluding")

    @made.route("/alive/<int:part>", methods=["GET", "POST"])
    def alive(part: int) -> Any:
        if part:
            raise LookupError
        return Response(iter([b"ok"]))

    made.logger.disabled = True
    http.instrument(made, exclude={"/alive/{part}"})
    body = ask(made, "/alive/0", "POST", CONTENT_LENGTH="3")
    assert http.in_progress() == 1
    assert list(body) == [b"ok"]
    close(body)
    assert http.in_progress() == 0
    emitted.assert_no_metrics()
    close(ask(made, "/alive/1"))
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="LookupError", endpoint="/alive/{part}")
    emitted.assert_no_metrics(catalogue.HTTP_REQUESTS, catalogue.HTTP_REQUEST_DURATION)
    run_wsgi_app(made, environ_of("/elsewhere"), buffered=True)
    counted_once(emitted, endpoint=http.UNMATCHED, status="404")


@pytest.mark.parametrize(("status", "outcome"), [(200, "succeeded"), (404, "refused"), (503, "failed")])
def test_calls_of_programs_are_counted_by_route_and_outcome(
    emitted: Captured, status: int, outcome: str
) -> None:
    made = Flask("for programs")
    made.add_url_rule("/api/v1/<name>", "api", view_func=lambda name: (name, status))
    made.add_url_rule("/page", "page", view_func=lambda: "page")
    http.instrument(made)
    for path in ("/api/v1/jobs", "/page", "/api/nowhere/at/all"):
        run_wsgi_app(made, environ_of(path), buffered=True)
    emitted.assert_incremented(catalogue.API_CALLS, endpoint="/api/v1/{name}", outcome=outcome)
    emitted.assert_incremented(catalogue.API_CALLS)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 3)


def test_the_installed_flask_is_the_one_whose_steps_are_written_out(app: Flask) -> None:
    assert version("flask").startswith("3.1."), "read Flask.wsgi_app again, and follow it in metrics/http.py"
    assert app.wsgi_app.__qualname__.split(".")[0] in {"_flask", "_around_any"}


def test_past_a_labels_bound_counts_and_durations_that_met_it_in_another_order_are_both_right(
    app: Flask, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads may bind the count of one route and the duration of another at the same moment."""
    bind = Timer.bind

    def late(timer: Timer, *values: str, **labels: str) -> TimerSeries:
        if timer is catalogue.HTTP_REQUEST_DURATION:
            values = (values[0], OTHER, values[2])
        return bind(timer, *values, **labels)

    monkeypatch.setattr(Timer, "bind", late)
    for _ in range(2):
        body = ask(app, "/jobs/7")
        assert b"".join(body) == b"job 7"
        close(body)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 2, endpoint="/jobs/{job_id}")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 2)
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 2, endpoint=OTHER)


# --- Pages ------------------------------------------------------------------------------------------------

TEMPLATES = {
    "base.html": "<p>{% block it %}{% endblock %}</p>",
    "part.html": "part",
    "jobs/page.html": "{% extends 'base.html' %}{% block it %}{% include 'part.html' %}{% endblock %}",
    "broken.html": "{{ 1 // 0 }}",
}


@pytest.fixture(params=["early", "late"])
def paged(request: pytest.FixtureRequest) -> Flask:
    """An application with templates, measured before its templates' environment is made, and after."""
    made = Flask("paged")
    if request.param == "early":
        http.instrument(made)
    made.jinja_env.loader = DictLoader(TEMPLATES)
    if request.param == "late":
        http.instrument(made)
    made.add_url_rule("/page", "page", view_func=lambda: render_template("jobs/page.html"))
    made.add_url_rule("/broken", "broken", view_func=lambda: render_template("broken.html"))
    made.add_url_rule("/inline", "inline", view_func=lambda: render_template_string("{{ 1 }}"))
    made.add_url_rule("/missing", "missing", view_func=lambda: render_template("missing.html"))
    made.testing = True
    return made


def test_a_page_is_timed_as_a_whole_by_its_template(paged: Flask, emitted: Captured) -> None:
    assert paged.test_client().get("/page", buffered=True).text == "<p>part</p>"
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION, template="jobs/page_html")
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION)


def test_a_page_from_a_string_has_one_name(paged: Flask, emitted: Captured) -> None:
    paged.test_client().get("/inline", buffered=True)
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION, template="__inline__")


def test_a_page_that_cannot_be_rendered_is_timed_and_one_that_is_missing_is_not(
    paged: Flask, emitted: Captured
) -> None:
    with pytest.raises(ZeroDivisionError):
        paged.test_client().get("/broken", buffered=True)
    with pytest.raises(TemplateNotFound):
        paged.test_client().get("/missing", buffered=True)
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION, template="broken_html")
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION)
