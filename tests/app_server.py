"""The application on a port of its own, in this process: a test may reach into what it serves."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

from scout.settings import Settings
from webapp import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        pass


def _closing(app: WSGIApplication) -> WSGIApplication:
    """The application, whose answers are closed even where the browser has left.

    Werkzeug reads what is left of the request before it closes the answer, and a connection that was reset
    ends it there: the file it sent stays open, which fails whatever test runs when it is collected.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with contextlib.ExitStack() as at_the_end:
            parts = app(environ, start_response)
            if (close := getattr(parts, "close", None)) is not None:
                at_the_end.callback(close)
            yield from parts

    return answer


@contextlib.contextmanager
def app_server(settings: Settings) -> Iterator[str]:
    """Serve the application with these settings; its address."""
    app = create_app(settings)
    server = make_server("127.0.0.1", 0, _closing(app), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["scout"].close()
