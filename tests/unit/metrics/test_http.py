"""Every request is measured, by its route and never by its path."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from wsgiref.util import FileWrapper

import pytest
from flask import Flask, Response, abort, redirect, send_file
from werkzeug.test import run_wsgi_app

from metrics import catalogue, http
from metrics.labels import OTHER
from metrics.testing import Captured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flask.testing import FlaskClient


@pytest.fixture
def app() -> Flask:  # noqa: C901 - one view after another
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
    def away() -> object:
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
    app.wsgi_app = broken  # type: ignore[method-assign,assignment]
    http.instrument(app)
    with pytest.raises(KeyError):
        app.test_client().get("/jobs/7")
    emitted.assert_incremented(catalogue.HTTP_EXCEPTIONS, type="KeyError", endpoint=http.UNMATCHED)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, status="500")


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
    labels = {"method": shown, "endpoint": endpoint, "status": status}
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, **labels)
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, **labels)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS)
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION)


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


def test_the_duration_waits_for_the_end_of_the_body(client: FlaskClient, emitted: Captured) -> None:
    answer = client.get("/stream")
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, endpoint="/stream")
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 0)
    answer.close()
    answer.close()
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, endpoint="/stream")


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
    def asking(environ: WSGIEnvironment, start_response: StartResponse) -> object:
        environ["wsgi.file_wrapper"] = FileWrapper
        return app(environ, start_response)

    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/file", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(),
    }  # fmt: skip
    body = asking(environ, lambda *_: lambda _: None)  # type: ignore[arg-type,return-value]
    assert type(body) is FileWrapper, "gunicorn uses sendfile() only for its own type"
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 0)
    body.close()
    emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, endpoint="/file")
    emitted.assert_incremented(catalogue.HTTP_RESPONSE_BYTES, 100, endpoint="/file")


def test_ten_thousand_unknown_paths_and_odd_methods_make_one_series_each(
    app: Flask, emitted: Captured
) -> None:
    for number in range(10_000):
        environ = {
            "REQUEST_METHOD": f"ODD{number}", "PATH_INFO": f"/wp/{number}",
            "SERVER_NAME": "x", "SERVER_PORT": "80",
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(),
        }  # fmt: skip
        run_wsgi_app(app, environ, buffered=True)
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
