"""The server: every board of the world on one port, told apart by path."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import gzip
import hashlib
import ipaddress
import json
import select
import socket
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from demo.boards import boards as all_boards
from demo.faults import Fault, Faults, UnknownFaultError
from demo.kinds import KINDS, Ask, Board
from demo.ready import InFile, InMemory, Ready
from demo.world import Entry, World

#: Listings of more postings than this are made while they are sent, and never kept.
_KEEP = 2000
#: Entries of boards to remember: some sixty boards of a hundred.
_KEEP_ENTRIES = 6400
_CONTROLS = ("/demo/tick", "/demo/edit", "/demo/validators", "/demo/faults")
_PAGE = (
    b"<!doctype html><title>One moment</title><h1>Checking your browser</h1><p>This takes a few seconds.</p>"
)


class Simulator:
    """A running simulator of boards.

    Args:
        host: The address to listen on.
        port: The port; 0 takes a free one.
        seed: Another seed is another world.
        tick: Seconds between two ticks; 0 means that the world moves by hand only.
        boards: How many boards there are.
        postings: Postings per board; about nine tenths of them are open at a time.
        churn: The average life of a posting, in ticks.
        mild: Whether boards misbehave a little by themselves.
        epoch: The time of tick 0; by default the last full hour.
        cache_bytes: How many bytes of ready answers are kept.
        warm: Whether every board's answer is made before it is asked for, and kept in a file.
        validators: Whether answers carry an ETag.
        kinds: The kinds of the boards in turn, if not those of the demo.
        long: Whether texts are as long as those of real postings are.

    Raises:
        OSError: The port cannot be had.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 7,
        tick: float = 0,
        boards: int = 12,
        postings: int = 40,
        churn: int = 120,
        mild: bool = False,
        epoch: dt.datetime | None = None,
        cache_bytes: int = 256 * 1024 * 1024,
        warm: bool = False,
        validators: bool = True,
        kinds: Sequence[str] = (),
        long: bool = False,
    ) -> None:
        self.boards: tuple[Board, ...] = all_boards(boards, kinds)
        hour = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
        self.world = World(
            boards=self.boards, seed=seed, slots=postings, churn=churn, epoch=epoch or hour, long=long
        )
        self.faults = Faults([board.key for board in self.boards], mild=mild, seed=seed)
        self.tick_seconds = tick
        self.tick = 0
        self.requests: collections.Counter[str] = collections.Counter()
        self.numbers = {board.key: number for number, board in enumerate(self.boards)}
        self.validators = validators
        self.ready: InMemory | InFile = InFile() if warm else InMemory(cache_bytes)
        self._warm = warm
        self._entries: collections.OrderedDict[tuple[int, int], list[Entry]] = collections.OrderedDict()
        self._kept = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._server = _Server((host, port), _Handler)
        self._server.simulator = self
        self.faults.tick(0)
        self.make_ready()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._server.server_address[:2]
        name = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    @property
    def stopping(self) -> threading.Event:
        """Set when the simulator is to end: slow answers stop waiting."""
        return self._stopping

    def start(self) -> Self:
        """Begin to serve, and to tick where a tick is set."""
        serve = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="boards")
        self._threads = [serve]
        if self.tick_seconds > 0:
            self._threads.append(threading.Thread(target=self._run_ticks, daemon=True, name="ticks"))
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """End all of it and close the port."""
        self._stopping.set()
        if self._threads:
            self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(5)
        self.ready.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def advance(self, ticks: int = 1) -> int:
        """Move the world on, and return the tick that it is then."""
        for _ in range(ticks):
            with self._lock:
                self.tick += 1
                now = self.tick
            self.faults.tick(now)
        self.make_ready()
        return self.tick

    def edit(self, times: int = 1) -> int:
        """Edit the first open posting of every board so often, and return how often that was done so far."""
        before = self.world
        self.world = dataclasses.replace(before, edits=before.edits + times)
        if not self._warm:
            self.make_ready()
            return self.world.edits
        with self._lock:
            self._entries.clear()
            self._kept = 0
        for number in range(len(self.boards)):
            self._edit_ready(number, before)
        return self.world.edits

    def _edit_ready(self, number: int, before: World) -> None:
        """Put an edited posting in place of itself in the answers of a board, and leave the others alone."""
        board, tick, now = self.boards[number], self.tick, self.entries(number, self.tick)
        kind = KINDS[board.kind]
        for was, entry in zip(before.entries(number, tick), now, strict=True):
            if was == entry:
                continue
            old = before.render(number, was, full=True).encode()
            new = self.world.render(number, entry, full=True).encode()
            for ask in kind.reads(len(now)):
                ready = self.ready.get((number, tick, ask))
                body = gzip.decompress(ready.packed) if ready is not None else b""
                if old in body:
                    self.ready.put((number, tick, ask), _packed(body.replace(old, new, 1)))
            if kind.detailed:
                self._make_detail(number, entry)

    def streams(self, ask: Ask) -> bool:
        """Whether an answer is so long that it is made while it is sent."""
        large = self.world.slots > _KEEP and not ask.job
        return large and (ask.limit is None or ask.limit > _KEEP)

    def make_ready(self) -> None:
        """Make every board's answers, where they are to be warm."""
        with self._lock:
            self._entries.clear()
            self._kept = 0
            self.ready.clear()
        if not self._warm:
            return
        for number, board in enumerate(self.boards):
            entries = self.entries(number, self.tick)
            kind = KINDS[board.kind]
            for ask in kind.reads(len(entries)):
                if self.streams(ask):
                    continue
                made = _packed(b"".join(self.world.listing(number, entries, len(entries), ask=ask)))
                self.ready.put((number, self.tick, ask), made)
            if kind.detailed:
                for entry in entries:
                    self._make_detail(number, entry)

    def _make_detail(self, number: int, entry: Entry) -> None:
        board = self.boards[number]
        ask = Ask(job=KINDS[board.kind].asked_by(board, entry.key, entry.number))
        body = self.world.render(number, entry, full=True, alone=True).encode()
        self.ready.put((number, self.tick, ask), _packed(body))

    def answer(self, board: int, tick: int, ask: Ask) -> Ready | None:
        """A board's whole answer, made if it is not ready; None where a job is asked for that it has not."""
        found = self.ready.get((board, tick, ask))
        if found is not None:
            return found
        if ask.job:
            entry = self.entry(board, tick, ask.job)
            if entry is None:
                return None
            body = self.world.render(board, entry, full=True, alone=True).encode()
        else:
            entries = self.entries(board, tick)
            body = b"".join(self.world.listing(board, entries, len(entries), ask=ask))
        made = _packed(body)
        if not self._warm:
            self.ready.put((board, tick, ask), made)
        return made

    def entry(self, board: int, tick: int, job: str) -> Entry | None:
        """The published posting with an id, if the board has it."""
        place = self.boards[board]
        asked_by = KINDS[place.kind].asked_by
        large = self.world.slots > _KEEP
        for entry in self.world.each(board, tick) if large else self.entries(board, tick):
            if entry.listed and asked_by(place, entry.key, entry.number) == job:
                return entry
        return None

    def _run_ticks(self) -> None:
        while not self._stopping.wait(self.tick_seconds):
            self.advance()

    def entries(self, board: int, tick: int) -> list[Entry]:
        """What a board carries at a tick; the boards last asked for are remembered."""
        with self._lock:
            found = self._entries.get((board, tick))
        if found is None:
            found = self.world.entries(board, tick)
            with self._lock:
                if (board, tick) in self._entries:
                    return found
                self._entries[board, tick] = found
                self._kept += len(found)
                # The boards that are paged through just now, or one that is huge.
                while self._kept > _KEEP_ENTRIES and len(self._entries) > 1:
                    self._kept -= len(self._entries.popitem(last=False)[1])
        return found

    def state(self, only: str = "", *, brief: bool = False) -> dict[str, Any]:
        """The truth about the world, as tests and benchmarks compare it.

        Args:
            only: One board's key, or empty for all of them.
            brief: Counts instead of ids.
        """
        tick = self.tick
        told: dict[str, Any] = {}
        for board, number in ((board, self.numbers[board.key]) for board in self.boards):
            if only and board.key != only:
                continue
            truth: dict[str, Any] = dict(self.world.truth(number, tick)) if not brief else {}
            if brief:
                listed = [entry.listed for entry in self.world.each(number, tick)]
                truth = {"open": sum(listed), "drafts": len(listed) - sum(listed)}
            told[board.key] = {**board._asdict(), **truth, "requests": self.requests[board.key]}
        return {
            "seed": self.world.seed,
            "tick": tick,
            "tick_seconds": self.tick_seconds,
            "faults": self.faults.told(tick),
            "boards": told,
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    simulator: Simulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up: that is what the faults make them do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "BoardSimulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 75
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the state counts the requests."""

    def do_HEAD(self) -> None:
        """Answer as GET does, without the body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer for a board, or tell the state."""
        split = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        if split.path.startswith("/demo/"):
            self._control(split.path, query)
        elif split.path == "/":
            self._send(
                200, b"A simulator of job boards. GET /demo/state tells what is on them.\n", "text/plain"
            )
        else:
            self._board(split.path, query, {})

    def do_POST(self) -> None:
        """Answer for a board that is asked by POST, or change the world."""
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(min(length, 1 << 20)) if length else b"{}"
        split = urlsplit(self.path)
        try:
            document = json.loads(data)
            asked = document if isinstance(document, dict) else {}
            if split.path.startswith("/demo/"):
                self._control(split.path, {}, asked)
            else:
                self._board(split.path, {}, asked)
        except (TypeError, ValueError) as error:
            self._send_json(400, {"error": str(error)})

    def _board(self, path: str, query: dict[str, str], document: dict[str, Any]) -> None:
        """Answer for the board that a request means."""
        simulator = self.server.simulator
        key, ask = self._find(path, query, document)
        number = simulator.numbers.get(key)
        if number is None:
            self._send_json(404, {"status": 404, "error": "Job not found"})
            return
        simulator.requests[key] += 1
        board = simulator.boards[number]
        kind = KINDS[board.kind]
        fault = simulator.faults.take(key, simulator.tick)
        if fault is not None and self._spoil_early(fault, board):
            return
        refused = kind.refusal(query, {name.lower(): value for name, value in self.headers.items()})
        if refused:
            self._send_json(refused, {"status": refused, "error": "A key is missing, or not understood."})
        else:
            self._answer(number, ask, fault)

    def _find(self, path: str, query: dict[str, str], document: dict[str, Any]) -> tuple[str, Ask]:
        """The board's key, and what is asked of it; an empty key if no board has such a path."""
        asked = f"{self.headers.get('X-Forwarded-Host', '')}{path}"
        known = self.server.simulator.numbers
        for kind in KINDS.values():
            for route in kind.routes:
                match = route.fullmatch(asked)
                if match is None:
                    continue
                named = match.groupdict()
                key = f"{kind.name}/{named.get('token') or kind.tokens[0]}"
                if key in known:
                    job = named.get("job") or ""
                    return key, Ask(job=job) if job else kind.ask(named.get("what") or "", query, document)
        return "", Ask()

    def _control(self, path: str, query: dict[str, str], asked: dict[str, Any] | None = None) -> None:
        if not _near(self.client_address[0]):
            self._send_json(403, {"error": "Control paths answer to this machine only."})
            return
        simulator = self.server.simulator
        if path == "/demo/state" and asked is None:
            self._send_json(200, simulator.state(query.get("board", ""), brief="brief" in query))
        elif path == "/demo/tick" and asked is not None:
            self._send_json(200, {"tick": simulator.advance(int(asked.get("ticks", 1)))})
        elif path == "/demo/edit" and asked is not None:
            self._send_json(200, {"edits": simulator.edit(int(asked.get("times", 1)))})
        elif path == "/demo/validators" and asked is not None:
            simulator.validators = bool(asked.get("on"))
            self._send_json(200, {"validators": simulator.validators})
        elif path == "/demo/faults" and asked is not None:
            board = str(asked.get("board", ""))
            if board != "*" and board not in simulator.numbers:
                raise UnknownFaultError(f"{board!r} is no board here. GET /demo/state lists them.")
            simulator.faults.set(board, Fault.from_json(asked))
            self._send_json(200, {"faults": simulator.faults.told(simulator.tick)})
        else:
            self._send_json(404, {"error": f"There are GET /demo/state, and POST {', '.join(_CONTROLS)}."})

    # Answers that are as they should be.

    def _answer(self, board: int, ask: Ask, fault: Fault | None) -> None:
        simulator = self.server.simulator
        tick = simulator.tick
        place = simulator.boards[board]
        kind = KINDS[place.kind]
        content_type = kind.type_of(place, ask)
        if simulator.streams(ask) and fault is None:
            self._send_large(board, tick, ask, content_type)
            return
        ready = simulator.answer(board, tick, ask)
        if ready is None:
            self._send_json(404, {"status": 404, "error": "Job not found"})
            return
        told = kind.validators and simulator.validators
        if fault is not None:
            self._spoil_body(fault, gzip.decompress(ready.packed), content_type)
        elif told and self._has(ready.tag):
            self._send(304, b"", content_type, {"ETag": ready.tag})
        else:
            headers = {"Vary": "Accept-Encoding"} | ({"ETag": ready.tag} if told else {})
            if self._takes_gzip():
                self._send(200, ready.packed, content_type, headers | {"Content-Encoding": "gzip"})
            else:
                self._send(200, gzip.decompress(ready.packed), content_type, headers)

    def _send_large(self, board: int, tick: int, ask: Ask, content_type: str) -> None:
        """A listing that is made while it is sent."""
        simulator = self.server.simulator
        world = simulator.world
        tag, total = tag_of(world, board, tick, ask)
        told = KINDS[simulator.boards[board].kind].validators and simulator.validators
        if told and self._has(tag):
            self._send(304, b"", content_type, {"ETag": tag})
            return
        pieces = world.listing(board, world.each(board, tick), total, ask=ask)
        self._stream(pieces, content_type, {"ETag": tag} if told else {})

    def _has(self, tag: str) -> bool:
        """Whether the client says that it has this version."""
        return tag in (self.headers.get("If-None-Match") or "")

    def _takes_gzip(self) -> bool:
        return "gzip" in (self.headers.get("Accept-Encoding") or "")

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8")

    def _send(
        self, status: int, body: bytes, content_type: str, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _stream(self, pieces: Iterable[bytes], content_type: str, headers: dict[str, str]) -> None:
        """Send pieces as they come, in chunks (RFC 9112, section 7.1), gzipped where that is accepted."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Transfer-Encoding", "chunked")
        if self._takes_gzip():
            self.send_header("Content-Encoding", "gzip")
            pieces = _packed_stream(pieces)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        for piece in pieces:
            if piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    # Answers that are not.

    def _spoil_early(self, fault: Fault, board: Board) -> bool:
        """Give the bad answers for which no listing is needed; False when `fault` is none of them."""
        json_type = "application/json; charset=utf-8"
        bodies = {
            "html": (_PAGE, "text/html; charset=utf-8"),
            "empty": (KINDS[board.kind].empty(board).encode(), KINDS[board.kind].type_of(board, Ask())),
            "blank": (b"", json_type),
            "garbage": (b'{"jobs": [\x00\xff\xfe <<<' + bytes(range(256)), json_type),
        }
        places = {"redirect_inside": fault.location, "redirect_loop": self.path}
        if fault.name.isdigit():
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            body = json.dumps({"status": int(fault.name), "error": "The simulator was told to fail."})
            self._send(int(fault.name), body.encode(), json_type, headers)
        elif fault.name in bodies:
            self._send(200, *bodies[fault.name])
        elif fault.name in places:
            self._send(302, b"", "text/plain", {"Location": places[fault.name]})
        elif fault.name in {"hang", "disconnect"}:
            if fault.name == "hang":
                self._wait(fault.seconds)
            self.close_connection = True
        elif fault.name == "endless":
            self._stream(self._never_ending(), json_type, {})
        else:
            return False
        return True

    def _spoil_body(self, fault: Fault, body: bytes, content_type: str) -> None:
        """Give the bad answers that begin as a good one: `truncated` and `slow`."""
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault.name == "truncated":
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        steps = 40
        size = len(body) // steps + 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            self.wfile.flush()
            if self._wait(fault.seconds / steps):
                self.close_connection = True
                return

    def _never_ending(self) -> Iterator[bytes]:
        filler = b'{"jobs":[' + b" " * 65_536
        while not self.server.simulator.stopping.is_set():
            yield filler

    def _wait(self, seconds: float) -> bool:
        """Wait; True when the simulator ends or the client has gone before the time is up."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.server.simulator.stopping.wait(min(left, 0.2)):
                return True
            poll = select.poll()
            poll.register(self.connection, select.POLLIN)
            try:
                if poll.poll(0) and not self.connection.recv(1, socket.MSG_PEEK):
                    return True
            except OSError:
                return True
        return False


def _near(address: str) -> bool:
    """Whether a client is on this machine."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def tag_of(world: World, board: int, tick: int, ask: Ask) -> tuple[str, int]:
    """The version of a listing that is not made yet, and how many postings it counts.

    The version changes whenever a byte of the listing does.
    """
    digest = hashlib.blake2b(digest_size=12)
    digest.update(f"{world.seed} {world.epoch} {world.long} {board} {ask}".encode())
    total = 0
    for entry in world.each(board, tick):
        digest.update(repr(entry).encode())
        total += 1
    return f'"{digest.hexdigest()}"', total


def _packed(body: bytes) -> Ready:
    """An answer as it is kept."""
    return Ready(f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', gzip.compress(body, 1, mtime=0))


def _packed_stream(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Gzip a stream piece by piece."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
