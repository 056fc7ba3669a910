"""A server that plays the recorded boards: the files of the samples, as their origins would serve them."""

from __future__ import annotations

import collections
import hashlib
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from tests.samples import SAMPLES

ORIGINS = (
    "https://boards-api.greenhouse.io",
    "https://api.lever.co",
    "https://api.ashbyhq.com",
    "https://weworkremotely.com",
)
_FEED = "https://weworkremotely.com/remote-jobs.rss"
_PUBLIC = {
    "greenhouse": "https://boards.greenhouse.io/{}",
    "lever": "https://jobs.lever.co/{}",
    "ashby": "https://jobs.ashbyhq.com/{}",
}
_API = {
    "greenhouse": "/v1/boards/{}/jobs",
    "lever": "/v0/postings/{}",
    "ashby": "/posting-api/job-board/{}",
}


@dataclass(frozen=True)
class SampleBoard:
    """A recorded board: what to add as a source, and what a scan of it must then store.

    `token` is the file's stem, except for We Work Remotely, whose feed is of all its jobs. `path` is
    where the server answers for it. `expected_ids` are the ids of the published postings, in the order of
    the file.
    """

    kind: str
    token: str
    url: str
    path: str
    expected_ids: tuple[str, ...]

    @property
    def expected_count(self) -> int:
        return len(self.expected_ids)


class SampleBoards:
    """The server, as a context manager.

    Args:
        chunk_delay: Seconds to wait before each piece of `chunk_size` bytes of a body, so that a scan can be
            killed in the middle of an answer. May be changed while it serves.
        chunk_size: Bytes of a piece.
        etags: Whether answers carry an ETag and `If-None-Match` is honoured. Off by default, so that a second
            scan has to read everything again and find that nothing changed.
    """

    def __init__(self, *, chunk_delay: float = 0.0, chunk_size: int = 512, etags: bool = False) -> None:
        self.chunk_delay = chunk_delay
        self.chunk_size = chunk_size
        self.etags = etags
        #: Path without query to the number of requests for it.
        self.requests: collections.Counter[str] = collections.Counter()
        self.stopping = threading.Event()
        #: Path to the part of its body (0 to 1) after which the answer stops until `let_go` is set.
        self.holds: dict[str, float] = {}
        #: The paths whose answers have stopped there.
        self.held: set[str] = set()
        self.let_go = threading.Event()
        self.answers: dict[str, tuple[str, bytes | list[Any]]] = {}
        self.boards: tuple[SampleBoard, ...] = tuple(self._load())
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.playing = self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def overrides(self) -> str:
        """The value for SCOUT_ORIGIN_OVERRIDES."""
        return ",".join(f"{origin}={self.url}" for origin in ORIGINS)

    @property
    def expected_count(self) -> int:
        """The published postings of all boards together."""
        return sum(board.expected_count for board in self.boards)

    def board(self, kind: str, token: str) -> SampleBoard:
        return next(board for board in self.boards if (board.kind, board.token) == (kind, token))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()

    def _load(self) -> list[SampleBoard]:
        found = []
        for kind in ("greenhouse", "lever", "ashby"):
            for file in sorted((SAMPLES / kind).glob("*.json")):
                recorded = json.loads(file.read_text(encoding="utf-8"))
                token, _, detail = file.stem.partition("-")
                path = _API[kind].format(token)
                if detail:  # one job of a board, as its own page of the API
                    self.answers[f"{path}/{recorded['id']}"] = ("application/json", file.read_bytes())
                    continue
                postings = recorded if kind == "lever" else recorded["jobs"]
                ids = tuple(str(each["id"]) for each in postings if each.get("isListed") is not False)
                found.append(SampleBoard(kind, token, _PUBLIC[kind].format(token), path, ids))
                body = postings if kind == "lever" else file.read_bytes()
                self.answers[path] = ("application/json", body)
        feed = (SAMPLES / "weworkremotely" / "all.xml").read_bytes()
        guids = tuple(str(guid.text) for guid in ET.fromstring(feed).iter("guid"))  # noqa: S314 - our own file
        path = urlsplit(_FEED).path
        found.append(SampleBoard("weworkremotely", "all", _FEED, path, guids))
        self.answers[path] = ("application/rss+xml", feed)
        return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    playing: SampleBoards

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that were killed hang up; that is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing."""

    def do_GET(self) -> None:
        playing = self.server.playing
        split = urlsplit(self.path)
        playing.requests[split.path] += 1
        content_type, recorded = playing.answers.get(split.path, ("", b""))
        if not content_type:
            self._send(404, "application/json", b'{"status":404,"error":"Job not found"}')
            return
        if isinstance(recorded, list):
            query = parse_qs(split.query)
            skip = int(query.get("skip", ["0"])[0])
            limit = int(query.get("limit", [str(len(recorded))])[0])
            recorded = json.dumps(recorded[skip : skip + limit], ensure_ascii=False).encode()
        tag = f'"{hashlib.sha256(recorded).hexdigest()[:16]}"' if playing.etags else ""
        if tag and tag in self.headers.get("If-None-Match", ""):
            self._send(304, content_type, b"", tag)
        else:
            self._send(200, content_type, recorded, tag)

    def _send(self, status: int, content_type: str, body: bytes, tag: str = "") -> None:
        playing = self.server.playing
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        path = urlsplit(self.path).path
        if path in playing.holds:
            first = int(len(body) * playing.holds[path])
            self.wfile.write(body[:first])
            playing.held.add(path)
            playing.let_go.wait()
            body = body[first:]
        size = playing.chunk_size if playing.chunk_delay else max(1, len(body))
        for start in range(0, len(body), size):
            if playing.chunk_delay and playing.stopping.wait(playing.chunk_delay):
                self.close_connection = True
                return
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
