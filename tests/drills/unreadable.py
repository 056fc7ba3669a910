"""A board whose postings lost their titles, in place of the simulator: `-m tests.drills.unreadable PORT`."""

from __future__ import annotations

import itertools
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_JOBS = 20
_answers = itertools.count()


def _body() -> bytes:
    """A list that differs from the one before it: an answer that did not change is not read again."""
    answer = next(_answers)
    jobs = [{"id": number, "name": f"It was called a title {answer} {number}"} for number in range(_JOBS)]
    return json.dumps({"jobs": jobs, "meta": {"total": _JOBS}}).encode()


class _Board(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        listing = self.path.startswith("/v1/boards/")
        body = _body() if listing else b""
        self.send_response(200 if listing else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's names
        """Nothing: what it answers is of no interest."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Board).serve_forever()
