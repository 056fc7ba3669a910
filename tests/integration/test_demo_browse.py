"""The visitor, against a small site with a door, forms with tokens, and pages that are not there."""

from __future__ import annotations

import collections
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.browse import Page, Visitor
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse"
TOKEN = "token-of-this-form"
QUICK = (0.0, 0.002)


class Site:
    """What the small site has seen."""

    def __init__(self) -> None:
        self.visits: collections.Counter[str] = collections.Counter()
        self.statuses: list[tuple[str, str]] = []
        self.searches: list[str] = []
        self.wrong: list[str] = []
        self.attempts = 0
        self.sessions: set[str] = set()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.site = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    site: Site


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass

    def do_GET(self) -> None:
        site, split = self.server.site, urlsplit(self.path)
        site.visits[split.path] += 1
        if split.path == "/healthz":
            self.answer(200, "ok")
        elif not self.signed_in():
            self.answer(200, self.door())
        elif split.path == "/":
            site.searches += parse_qs(split.query).get("q", [])
            self.answer(200, self.list_of_jobs())
        elif split.path.startswith("/jobs/"):
            self.answer(200, self.job(split.path))
        elif split.path in {"/sources", "/scans"}:
            self.answer(200, "<a href='/'>Jobs</a>")
        else:
            self.answer(404, "<h1>Not here</h1><a href='/'>Jobs</a>")

    def do_POST(self) -> None:
        site = self.server.site
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if asked.get("csrf_token") != [TOKEN]:
            site.wrong.append(f"{self.path} without its token")
            self.answer(400, "no")
        elif self.path == "/sign-in":
            site.attempts += 1
            if asked["password"] != [PASSWORD]:
                self.answer(200, self.door())
                return
            session = f"session-{len(site.sessions)}"
            site.sessions.add(session)
            self.answer(303, "", ("Location", "/"), ("Set-Cookie", f"id={session}; HttpOnly; SameSite=Lax"))
        elif self.path.endswith("/status") and self.signed_in():
            site.statuses.append((self.path.split("/")[2], asked["to"][0]))
            self.answer(303, "", ("Location", self.path.removesuffix("/status")))
        else:
            site.wrong.append(self.path)
            self.answer(400, "no")

    def signed_in(self) -> bool:
        return self.headers.get("Cookie", "").partition("id=")[2] in self.server.site.sessions

    def door(self) -> str:
        return (
            f"<form method=post action=/sign-in><input type=hidden name=csrf_token value={TOKEN}>"
            "<input type=password name=password><button>Sign in</button></form>"
        )

    def list_of_jobs(self) -> str:
        return (
            "<a href='https://elsewhere.example/jobs/9'>out</a>"
            "<form method=get action='/'><input type=search name=q><button>Search</button></form>"
            "<a href='/jobs/1'>One</a> <a href='/jobs/2?back=x'>Two</a>"
        )

    def job(self, path: str) -> str:
        hidden = f"<input type=hidden name=csrf_token value={TOKEN}>"
        return (
            f"<form method=post action='{path}/status'>{hidden}"
            "<button name=to value=saved>Save</button><button name=to value=dismissed>Dismiss</button>"
            "<button name=to value=rejected>Rejected</button></form>"
            f"<form method=post action='{path}/forget'>{hidden}<button>Forget</button></form>"
            f"<form method=post action='/leave'>{hidden}<button name=leave value=now>Sign out</button></form>"
        )

    def answer(self, status: int, text: str, *headers: tuple[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return file


@pytest.fixture
def visit(site: Site, password: Path) -> Iterator[threading.Event]:
    """A quick visitor in a thread, until the test ends."""
    stop = threading.Event()
    visitor = Visitor(site.url, password, stop=stop, pause=QUICK)
    thread = threading.Thread(target=visitor.run, daemon=True)
    thread.start()
    yield stop
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_visitor_signs_in_reads_searches_saves_and_gets_lost(site: Site, visit: threading.Event) -> None:
    wait_until(lambda: site.visits["/jobs/1"] and site.visits["/jobs/2"], what="both jobs opened")
    wait_until(lambda: site.searches, what="a search")
    wait_until(
        lambda: {"saved", "dismissed"} <= {to for _, to in site.statuses}, what="a status of each kind"
    )
    wait_until(lambda: any("not-here" in path for path in site.visits), what="a page that is missing")
    assert site.attempts == 1
    assert site.wrong == []
    assert {to for _, to in site.statuses} <= {"saved", "dismissed", "applied"}


def test_a_visitor_whose_session_ends_signs_in_again(site: Site, visit: threading.Event) -> None:
    wait_until(lambda: site.visits["/jobs/1"], what="a job opened")
    site.sessions.clear()
    wait_until(lambda: site.attempts == 2, what="a second sign-in")
    assert site.wrong == []


def test_a_visitor_waits_for_the_password_and_ends_after_its_time(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "later"
    visitor = Visitor(site.url, file, pause=QUICK)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(visitor.run(0.3)))
    thread.start()
    wait_until(lambda: site.visits["/healthz"], what="a first knock")
    file.write_text(PASSWORD, encoding="utf-8")
    thread.join(20)
    assert codes == [0]
    assert site.attempts == 1


def test_a_refused_password_is_tried_once(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong"
    file.write_text("guess", encoding="utf-8")
    assert Visitor(site.url, file, pause=QUICK).run(20) == 1
    assert site.attempts == 1
    assert "refused" in capsys.readouterr().err


def test_a_visitor_gives_up_on_pages_that_never_come(
    password: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Visitor("http://127.0.0.1:9", password).run(patience=0.5) == 1
    assert "Start `scout up` first" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_cleanly_when_told_to(site: Site, password: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "demo", "browse", "--url", site.url, "--password-file", str(password)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: site.attempts, what="a sign-in")
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_page_is_read_as_forms_fields_and_buttons() -> None:
    page = Page(
        "http://here.example/a/b",
        "<a href='../jobs/3'>x</a><form action='/c' method=POST><input name=one value=1>"
        "<input type=checkbox name=two value=2><input type=submit name=go value=on></form>"
        "<input name=stray value=3>",
    )
    assert page.links == ["http://here.example/jobs/3"]
    assert page.jobs() == page.links
    (form,) = page.forms
    assert (form.action, form.method) == ("http://here.example/c", "post")
    assert (form.fields, form.buttons) == ({"one": "1"}, [("go", "on")])
