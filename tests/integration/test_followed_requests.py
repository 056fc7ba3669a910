"""One request followed through real processes into its scan, in log and trace, and no secret in either."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from scout import account, calendars, searches, watchlist
from scout.logs import lines
from scout.models import Account, Tells
from scout.settings import PROJECT, load
from scout.sources.board import Board
from scout.telling import asking, channels
from tests.ports import free_port
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.scan_stack import Stack, stack  # noqa: F401 - a fixture
from tests.serving import Asked, reply, serving
from tests.waiting import wait_until

pytestmark = pytest.mark.xdist_group("followed-requests")

PASSWORD = "correct-horse-battery"
MISTYPED = "correct-hoarse-buttery"
REQUEST_ID = "browser.request-1"
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Acme</title><link>http://acme.example</link>
<item><title>IAM Engineer\x0a\xe2\x80\xa8error: forged</title><link>http://acme.example/1</link><guid>1</guid>
<description>Identity and access.</description></item></channel></rss>"""


@dataclass(frozen=True)
class Span:
    """A span as it reached the collector."""

    name: str
    trace_id: str
    parent: str
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    resource: dict[str, Any]


@dataclass
class Collector:
    """A collector that takes OTLP over HTTP, and the spans that reached it by their ids."""

    origin: str = ""
    spans: dict[str, Span] = field(default_factory=dict)

    def take(self, asked: Asked) -> bytes:
        assert asked.path == "/v1/traces"
        for each in ExportTraceServiceRequest.FromString(asked.body).resource_spans:
            resource = values(each.resource.attributes)
            for span in (span for scope in each.scope_spans for span in scope.spans):
                self.spans[span.span_id.hex()] = Span(
                    span.name, span.trace_id.hex(), span.parent_span_id.hex(), values(span.attributes),
                    [values(event.attributes) for event in span.events], resource,
                )  # fmt: skip
        return reply(Content_Type="application/x-protobuf")


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    taken = Collector()
    with serving(taken.take) as server:
        taken.origin = server.origin
        yield taken


class Browser:
    """A browser that is signed in, behind a proxy that names its requests."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self.jar = jar.cookiejar
        self.token = ""

    def ask(self, path: str, **fields: str) -> str:
        return self.answer(path, {}, **fields)

    def answer(self, path: str, headers: dict[str, str], **fields: str) -> str:
        data = urllib.parse.urlencode({"csrf_token": self.token, **fields}).encode() if fields else None
        request = urllib.request.Request(
            f"{self.origin}{path}", data, {"Accept": "text/html", "X-Forwarded-For": "192.0.2.1", **headers}
        )
        try:
            with self._opener.open(request, timeout=20) as answer:
                text = str(answer.read().decode())
        except urllib.error.HTTPError as error:
            text = error.read().decode()
        if found := re.search(r'name="csrf_token" value="([^"]+)"', text):
            self.token = found[1]
        return text


class Processes:
    """What runs, and what it said."""

    def __init__(self, stack: Stack, folder: Path) -> None:  # noqa: F811 - the fixture's
        self._stack = stack
        self.log = folder / "log"

    def start(self, *module: str, **environ: str) -> None:
        with self.log.open("ab") as log:
            self._stack.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", *module], cwd=PROJECT, stdout=log, stderr=log,
                    start_new_session=True, env={**os.environ, **self._stack.environ, **environ},
                )
            )  # fmt: skip

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


def prepare(stack: Stack, board: str) -> dict[str, str]:  # noqa: F811 - the fixture's
    """Watch two boards, one with a password in its address, save a search, and give the secrets so far."""
    key, walled, hook = "board-key-3f9a", "board-password-3f9a", "hook-secret-3f9a"
    settings = load(stack.environ)
    settings.channels_file.write_text(f"hook = json://user:{hook}@127.0.0.1:1/{hook}\n")
    settings.channels_file.chmod(0o600)
    addresses = {
        "Acme": f"http://{board}?api_key={key}",
        "Walled": f"http://me:{walled}@{board}?api_key={key}",
    }
    with stack.db.session() as session:
        account.ensure(session, PASSWORD)
        for name, url in addresses.items():
            watchlist.add(session, Board(kind="feed", token=url, company=name, url=url))
        wish = searches.Wish(name="All", query={}, tells=Tells.INSTANT, timezone="UTC", channels=("hook",))
        search = searches.add(session, wish, channels.load(settings))
        return {
            "the password": PASSWORD, "a mistyped password": MISTYPED, "a board's key": key,
            "a board's password": walled, "a channel's secret": hook, "the signing key": settings.secret_key,
            "a key of a setting": settings.usajobs_key,
            "a feed": searches.feed_token(search, settings.secret_key),
            "the calendar": calendars.token(session.query(Account).one(), settings.secret_key),
        }  # fmt: skip


def look_around(browser: Browser, secrets: dict[str, str]) -> None:
    """Sign in, make and use a token, open what is secret, go astray; adds the secrets that were made."""
    browser.ask("/sign-in")
    browser.ask("/sign-in", password=MISTYPED)
    browser.ask("/sign-in", password=PASSWORD)
    browser.ask("/account")
    made = re.search(
        r"scout_[a-z0-9]{8}_[\w-]{43}", browser.ask("/account/tokens", name="robot", scope="jobs:read")
    )
    assert made
    secrets["a token"] = made[0].rpartition("_")[2]
    secrets["the session"] = next(each.value or "" for each in browser.jar if each.name == "scout_session")
    browser.answer("/api/v1/jobs", {"Authorization": f"Bearer {made[0]}"})
    browser.answer("/api/v1/jobs?token=" + made[0], {"Authorization": f"Bearer {made[0]}x"})
    feed = secrets["a feed"]
    for path in (
        f"/feeds/{feed}.atom", f"/feeds/{feed}.json", f"/feeds/calendar/{secrets['the calendar']}.ics",
        f"/feeds/{feed}/nothing", f"/?q={feed}", "/jobs/not-a-number\x7f", "/sources",
    ):  # fmt: skip
        browser.ask(urllib.parse.quote(path, safe="/?=&"))


@dataclass(frozen=True)
class Story:
    """What came of one round: the log as text and as lines, the secrets that were used, and the spans."""

    text: str
    said: list[dict[str, Any]]
    secrets: dict[str, str]
    spans: dict[str, Span]
    asked: list[Asked]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Everything once: signing in, tokens, feeds, a scan asked for, and a message that nobody takes."""
    folder = tmp_path_factory.mktemp("story")
    with tempfile.TemporaryDirectory(prefix="scout-redis-") as near:  # a short path, as sockets need it
        server = RedisServer(Path(near))
        server.start()
        whole = Stack(folder, server)
        try:
            yield played(whole, folder)
        finally:
            whole.close()
            server.stop()


def played(whole: Stack, folder: Path) -> Story:
    with (
        serving(lambda _: reply(FEED, Content_Type="application/rss+xml")) as board,
        collector() as spans,
    ):
        port = free_port()
        whole.environ |= {
            "SCOUT_PORT": str(port), "SCOUT_PASSWORD": PASSWORD, "SCOUT_WEB_WORKERS": "1",
            "SCOUT_LOG_LEVEL": "debug", "SCOUT_LOG_FORMAT": "json", "SCOUT_TRUSTED_PROXIES": "1",
            "SCOUT_ALLOW_PRIVATE": f"127.0.0.1:{board.port}", "SCOUT_SCAN_WORKERS": "1",
            "SCOUT_USAJOBS_KEY": "usajobs-key-3f9a", "SECRET_KEY": "signing-key-3f9a" * 4,
            "OTEL_EXPORTER_OTLP_ENDPOINT": spans.origin,
        }  # fmt: skip
        secrets = prepare(whole, f"127.0.0.1:{board.port}/feed")
        processes = Processes(whole, folder)
        processes.start("gunicorn", "-c", "webapp/gunicorn.conf.py", "webapp:create_app()")
        processes.start("workers")
        browser = Browser(port)
        wait_until(lambda: answers(browser), timeout=60, what="gunicorn's answer")
        look_around(browser, secrets)
        browser.answer("/scans", {"X-Request-ID": REQUEST_ID}, now="1")
        whole.finished(1, timeout=60)
        assert asking.ask(whole.queue)
        wait_until(
            lambda: any("hook" in each["event"] and each["level"] == "warning" for each in processes.said()),
            timeout=60,
            what="the message that nobody took",
        )
        wait_until(
            lambda: (
                [each.name for each in spans.spans.values()].count("scan") == 2
                and any(each.name == "POST /scans" for each in spans.spans.values())
            ),
            what="the scans' spans",
        )
        text = processes.log.read_text(encoding="utf-8")
        return Story(text, processes.said(), secrets, dict(spans.spans), board.asked)


def test_no_secret_is_written_and_no_field_is_unknown(story: Story) -> None:
    assert [name for name, secret in story.secrets.items() if secret in story.text] == []
    assert {key for each in story.said for key in each} <= {*lines.ALWAYS, *lines.SOMETIMES}


def test_one_request_is_followed_through_the_queue_into_its_scans(story: Story) -> None:
    followed = [each for each in story.said if each.get("request_id") == REQUEST_ID]
    told = {(each["role"], each["logger"]) for each in followed}
    assert {("web", "webapp.requests"), ("web", "scout.runs"), ("worker", "scout.scanning")} <= told
    scans = [each for each in followed if each["logger"] == "scout.scanning" and "status" in each]
    assert {(each["run_id"], each["source"], each["kind"], each["status"]) for each in scans} == {
        (1, "acme", "feed", "succeeded"), (1, "walled", "feed", "failed"),
    }  # fmt: skip


def test_each_request_has_a_line_with_its_route(story: Story) -> None:
    requests = [each for each in story.said if each["logger"] == "webapp.requests"]
    levels = {(each["endpoint"], each["level"]) for each in requests}
    assert {("/healthz", "debug"), ("/feeds/{token}.atom", "info"), ("__unmatched__", "info")} <= levels
    post = next(each for each in requests if each["request_id"] == REQUEST_ID)
    assert (post["method"], post["endpoint"], post["status"]) == ("POST", "/scans", "303")
    assert post["seconds"] > 0
    assert post["bytes"] > 0


def test_one_trace_goes_from_the_request_through_the_queue_into_the_scans_phases(story: Story) -> None:
    (post,) = [each for each in story.spans.values() if each.name == "POST /scans"]
    trace = [each for each in story.spans.values() if each.trace_id == post.trace_id]

    def path(span: Span) -> tuple[str, ...]:
        return (*path(story.spans[span.parent]), span.name) if span.parent else (span.name,)

    paths = {path(each) for each in trace}
    scan = ("POST /scans", "scan run", "process scan_sources", "scan")
    assert {
        scan, (*scan, "parse"), (*scan, "parse", "fetch"), (*scan, "match"), (*scan, "match", "store"),
        (*scan, "store"),
    } <= paths  # fmt: skip
    assert any(each[-1].startswith("INSERT") and each[:4] == scan for each in paths)
    boards = {each.attributes["scout.source"] for each in trace if each.name == "scan"}
    assert boards == {"acme", "walled"}
    roles = {(each.name, each.resource["scout.role"]) for each in trace}
    assert {("POST /scans", "web"), ("process scan_sources", "worker")} <= roles
    assert {each.resource["service.name"] for each in trace} == {"iam-job-scout"}


def test_lines_of_the_log_name_their_trace(story: Story) -> None:
    (post,) = [each for each in story.spans.values() if each.name == "POST /scans"]
    mine = [each for each in story.said if each.get("trace_id") == post.trace_id]
    assert {"webapp.requests", "scout.runs", "scout.scanning"} <= {each["logger"] for each in mine}
    assert all(each["span_id"] in story.spans for each in mine)


def test_traces_tell_no_secret_leave_probes_out_and_begin_with_no_statement(story: Story) -> None:
    told = repr(list(story.spans.values()))
    assert [name for name, secret in story.secrets.items() if secret in told] == []
    roots = {each.name for each in story.spans.values() if not each.parent}
    assert "GET /feeds/{token}.atom" in roots
    assert roots & {"GET /healthz", "GET /readyz", "GET /metrics"} == set()
    assert {name for name in roots if re.match("SELECT|INSERT|UPDATE|DELETE|connect", name)} == set()


def test_boards_are_told_of_no_trace(story: Story) -> None:
    assert story.asked
    sent = {name for each in story.asked for name in each.headers}
    assert sent & {"traceparent", "tracestate", "baggage", "x-request-id"} == set()


def answers(browser: Browser) -> bool:
    try:
        return bool(browser.ask("/healthz"))
    except OSError:
        return False


def test_a_server_whose_log_nobody_reads_and_whose_collector_is_deaf_goes_on_answering(
    stack: Stack,  # noqa: F811 - the fixture
) -> None:
    port = free_port()
    deaf = socket.create_server(("127.0.0.1", 0))
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "webapp/gunicorn.conf.py", "webapp:create_app()"],
        cwd=PROJECT,
        env={
            **os.environ, **stack.environ, "SCOUT_PORT": str(port), "SCOUT_WEB_WORKERS": "1",
            "SCOUT_LOG_LEVEL": "debug", "SCOUT_LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{deaf.getsockname()[1]}",
        },
        stderr=writing,
        start_new_session=True,
    )  # fmt: skip
    stack.processes.append(process)
    os.close(writing)
    browser = Browser(port)
    wait_until(lambda: answers(browser), timeout=60, what="gunicorn's answer")
    for _ in range(200):  # a pipe holds 64 KiB: some 250 lines, and each look at the pages has one more
        browser.ask("/healthz")
        browser.ask("/sign-in")
    os.set_blocking(reading, False)
    kept = os.read(reading, 1_000_000)
    assert len(kept) > 60_000
    assert kept.endswith(b"}\n")
    os.close(reading)
    assert browser.ask("/healthz")
    process.terminate()
    assert process.wait(20) == 0
    deaf.close()
