"""`python -m metrics.embedded.gateway`: runs the gateway, with the real program's flags."""

from __future__ import annotations

import argparse
import binascii
import contextlib
import json
import sys
import time
import zlib
from base64 import urlsafe_b64decode
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from metrics.embedded import text, web
from metrics.embedded.errors import StartError
from metrics.embedded.gateway.families import Family, Metric, ParseError, is_label_name, parse
from metrics.embedded.gateway.store import MOST_GROUPS, Full, Inconsistent, Store
from metrics.embedded.loop import Loop
from metrics.embedded.process import families as process_families

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LARGEST_BODY = 4 * 1024 * 1024
_BASE64 = "@base64"
_PUSH_PATH = "/metrics/job"
_PUSHERS = ("PUT", "POST", "DELETE")
_READERS = ("GET", "HEAD")
_WIPE = "/api/v1/admin/wipe"
_QUIT = "/-/quit"
_ORDERS = {_WIPE: ("PUT",), _QUIT: ("PUT", "POST")}
#: What a path's requests are counted as, under the real program's names.
_COUNTED = {
    "/": "status",
    "/-/healthy": "healthy",
    "/-/ready": "ready",
    "/api/v1/metrics": "api/v1/metrics",
    "/api/v1/status": "api/v1/status",
}
_PATHS = ("/", "/-/healthy", "/-/ready", _QUIT, "/api/v1/metrics", "/api/v1/status")


class _Refused(Exception):  # noqa: N818  # an answer to a request
    """A request that is not taken."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gateway:
    """The running program: pushes in, page out.

    Raises:
        StartError: The address or the persistence file cannot be had.
    """

    def __init__(self, flags: argparse.Namespace) -> None:
        self._flags = flags
        self._started = time.time()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._persist_trouble = ""
        self.store = Store(self._own_families, Path(flags.file) if flags.file else None)
        self.loop = Loop()
        self._web = web.Server(self.loop.selector, flags.web, self._answer, _LARGEST_BODY)
        self.address = self._web.address

    def run(self) -> None:
        """Work until a signal ends it, and write down what is kept."""
        self.loop.catch_signals()
        self.loop.run(self._sweep)
        self._persist()

    def _sweep(self) -> None:
        self._web.sweep()
        self._persist()

    def _persist(self) -> None:
        try:
            self.store.persist()
            self._persist_trouble = ""
        except OSError as error:
            trouble = f"The groups cannot be written down: {error}. We try again every second."
            if trouble != self._persist_trouble:
                _say(trouble)
            self._persist_trouble = trouble

    def _answer(self, request: web.Request) -> web.Response:
        path = web.decoded(request.path)
        handler = _handler(path)
        if handler == "push":
            if request.method not in _PUSHERS:
                return _not_allowed(_PUSHERS)
            handler = "delete" if request.method == "DELETE" else "push"
            response = self._group(request, path)
        elif request.method in _READERS:
            response = self._read(path)
        else:
            return self._order(request.method, path)
        if handler:
            self._requests[str(response.status), handler, request.method.lower()] += 1
        return response

    def _read(self, path: str) -> web.Response:
        answers = {
            "/": self._index,
            "/-/healthy": _well,
            "/-/ready": _well,
            "/api/v1/metrics": self._groups,
            "/api/v1/status": self._status,
            self._flags.path: self._page,
        }
        if path in answers:
            return answers[path]()
        return _not_allowed(_ORDERS[path]) if self._knows(path) else _nothing_here()

    def _index(self) -> web.Response:
        return web.Response(200, f"The embedded Pushgateway. Its page is at {self._flags.path}\n")

    def _page(self) -> web.Response:
        return web.Response(200, text.pieces(self.store.families()), text.CONTENT_TYPE)

    def _status(self) -> web.Response:
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started))
        flags = {
            "persistence.file": self._flags.file,
            "web.enable-admin-api": str(self._flags.admin).lower(),
            "web.enable-lifecycle": str(self._flags.lifecycle).lower(),
            "web.listen-address": self._flags.web,
            "web.telemetry-path": self._flags.path,
        }
        data = {"build_information": {"version": "embedded"}, "flags": flags, "start_time": started}
        return web.Response(200, json.dumps({"status": "success", "data": data}), "application/json")

    def _groups(self) -> web.Response:
        def told() -> Iterator[str]:
            yield '{"status":"success","data":['
            for place, group in enumerate(self.store.groups()):
                yield ("," if place else "") + json.dumps(group, separators=(",", ":"))
            yield "]}"

        return web.Response(200, text.pieces(told()), "application/json")

    def _order(self, method: str, path: str) -> web.Response:
        """What neither reads nor pushes."""
        if not self._knows(path):
            return _nothing_here()
        if method not in _ORDERS.get(path, _READERS):
            return _not_allowed(_ORDERS.get(path, _READERS))
        if path == _WIPE:
            self.store.wipe()
            self._requests["202", "wipe", "put"] += 1
            return web.Response(202, b"")
        if not self._flags.lifecycle:
            return web.Response(403, "Lifecycle API is not enabled: start with --web.enable-lifecycle.\n")
        self.loop.stop()
        return web.Response(200, "Requesting termination... Goodbye!")

    def _knows(self, path: str) -> bool:
        # As in the real program, the admin paths are not there at all unless they are switched on.
        return path in (self._flags.path, *_PATHS) or (path == _WIPE and self._flags.admin)

    def _group(self, request: web.Request, path: str) -> web.Response:
        try:
            labels = _grouping(path)
            if request.method == "DELETE":
                self.store.delete(labels)
                return web.Response(202, b"")
            families = parse(_body(request))
            self.store.push(labels, families, replace=request.method == "PUT")
        except _Refused as refused:
            return web.Response(refused.status, f"{refused}\n")
        except ParseError as error:
            return web.Response(400, f"The body cannot be read: {error}.\n")
        except Inconsistent as error:
            return web.Response(
                400, f"The pushed metrics are invalid or inconsistent with what is there: {error}.\n"
            )
        except Full:
            return web.Response(
                413, f"There are {MOST_GROUPS} groups already, which is the most kept here.\n"
            )
        return web.Response(200, b"")

    def _own_families(self) -> dict[str, Family]:
        families = parse("".join(process_families().values()))
        build = Family("pushgateway_build_info", "gauge", "What this is: always 1.")
        build.metrics.append(Metric((("version", "embedded"),), 1.0))
        families[build.name] = build
        requests = Family(
            "pushgateway_http_requests_total", "counter", "Requests by handler, method and answer."
        )
        for (code, handler, method), count in self._requests.items():
            labels = (("code", code), ("handler", handler), ("method", method))
            requests.metrics.append(Metric(labels, float(count)))
        if requests.metrics:
            families[requests.name] = requests
        return families


def _not_allowed(methods: tuple[str, ...]) -> web.Response:
    allowed = ", ".join(methods)
    return web.Response(405, f"Only {allowed} are answered here.\n", headers={"Allow": allowed})


def _well() -> web.Response:
    return web.Response(200, "OK")


def _nothing_here() -> web.Response:
    return web.Response(404, "There is nothing here.\n")


def _handler(path: str) -> str:
    """What counts a request, under the real program's names; empty for those that are not counted."""
    if path.startswith((f"{_PUSH_PATH}/", f"{_PUSH_PATH}{_BASE64}/")):
        return "push"
    return _COUNTED.get(path, "")


def _grouping(path: str) -> dict[str, str]:
    """The grouping key in a path: `job`, and pairs of label names and values."""
    _, _, job_name, job, *rest = path.split("/")
    labels = {}
    if rest and rest != [""]:
        if len(rest) % 2:
            raise _Refused(400, "The path has a label name without a value.")
        for name, value in zip(rest[::2], rest[1::2], strict=True):
            plain = name.removesuffix(_BASE64)
            if not is_label_name(plain):
                raise _Refused(400, f"{plain!r} is no label name.")
            if plain == name and not value:
                raise _Refused(400, f"The label {name} has no value; write {name}@base64/= for an empty one.")
            labels[plain] = value if plain == name else _base64(plain, value)
    labels["job"] = _base64("job", job) if job_name.endswith(_BASE64) else job
    if not labels["job"]:
        raise _Refused(400, "The job's name is missing.")
    return labels


def _base64(name: str, value: str) -> str:
    bare = value.rstrip("=")
    try:
        return _strict_base64(bare)
    except (ValueError, binascii.Error):
        raise _Refused(400, f"The value of {name} is not in URL-safe base64 of UTF-8 text.") from None


def _strict_base64(bare: str) -> str:
    if bare and not (bare.isascii() and bare.replace("-", "0").replace("_", "0").isalnum()):
        raise ValueError(bare)
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode()


def _body(request: web.Request) -> str:
    if "application/vnd.google.protobuf" in request.headers.get("content-type", ""):
        raise _Refused(415, "Protocol buffers are not read here: push the text format.")
    body = request.body
    encoding = request.headers.get("content-encoding", "").lower()
    if encoding == "gzip":
        body = _gunzipped(body)
    elif encoding not in ("", "identity"):
        raise _Refused(415, f"The encoding {encoding!r} is not read here: push plain text, or gzip.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _Refused(400, "The body is not UTF-8 text.") from None


def _gunzipped(body: bytes) -> bytes:
    unzipped = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        plain = unzipped.decompress(body, _LARGEST_BODY + 1)
    except zlib.error:
        raise _Refused(400, "The body is not in gzip, as its header says.") from None
    if len(plain) > _LARGEST_BODY:
        raise _Refused(
            413, f"The body unpacks to more than {_LARGEST_BODY} bytes, which is the most taken here."
        )
    if not unzipped.eof:
        raise _Refused(400, "The gzip body breaks off.")
    return plain


def _flags() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m metrics.embedded.gateway",
        description="A small Pushgateway with the flags of prometheus/pushgateway.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--web.listen-address", dest="web", default="127.0.0.1:9091", help="where to listen")
    add("--web.telemetry-path", dest="path", default="/metrics", help="the page's path")
    add(
        "--persistence.file",
        dest="file",
        default="",
        help="the file that keeps what was pushed; none without it",
    )
    add("--web.enable-admin-api", dest="admin", action="store_true", help=f"answer PUT {_WIPE}")
    add("--web.enable-lifecycle", dest="lifecycle", action="store_true", help=f"end at PUT {_QUIT}")
    for ignored in ("persistence.interval", "log.level", "log.format"):
        add(f"--{ignored}", help="taken and not used: what changed is written within a second")
    return parser


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(f"gateway: {line}", file=sys.stderr, flush=True)  # noqa: T201  # a program's own log


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gateway; the exit code is 0 after a signal and 1 where it cannot start."""
    flags = _flags().parse_args(arguments)
    try:
        gateway = Gateway(flags)
    except StartError as error:
        _say(str(error))
        return 1
    if gateway.store.trouble:
        _say(gateway.store.trouble)
    _say(f"Listening at http {gateway.address}.")
    gateway.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
