"""The pages as gunicorn serves them: several processes, a real Redis, metrics as datagrams."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest

from scout import account
from scout.database import Database
from scout.settings import PROJECT, load
from tests.databases import make_tables
from tests.ports import free_port
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.waiting import wait_until

PASSWORD = "correct horse battery staple"


@dataclass
class Served:
    """A running gunicorn."""

    process: subprocess.Popen[bytes]
    port: int
    statsd: socket.socket
    folder: Path

    def ask(
        self, path: str, *, cookie: str = "", data: dict[str, str] | None = None, page: bool = True
    ) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Accept": "text/html" if page else "*/*"}
        if cookie:
            headers["Cookie"] = cookie
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if data is None else "POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def workers(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return found

    def sign_in(self, password: str = PASSWORD) -> tuple[int, str]:
        _, headers, form = self.ask("/sign-in")
        token = re.search(r'name="csrf_token" value="([^"]+)"', form)
        assert token
        visitor = headers["Set-Cookie"].split(";")[0]
        status, headers, _ = self.ask(
            "/sign-in", cookie=visitor, data={"csrf_token": token[1], "password": password}
        )
        cookies = headers.get_all("Set-Cookie") or []
        return status, next((each.split(";")[0] for each in cookies if "scout_session=" in each), "")


@pytest.fixture
def served(tmp_path: Path, redis_server: RedisServer) -> Iterator[Served]:  # noqa: F811 - the fixture
    statsd = socket.socket(type=socket.SOCK_DGRAM)
    statsd.bind(("127.0.0.1", 0))
    statsd.settimeout(0.1)
    port = free_port()
    environ = {
        "SCOUT_DATA_DIR": str(tmp_path / "data"),
        "SCOUT_PORT": str(port),
        "SCOUT_WEB_WORKERS": "2",
        "REDIS_URL": redis_server.url,
        "STATSD_URL": f"udp://127.0.0.1:{statsd.getsockname()[1]}",
        "STATSD_EXPORTER_URL": "http://127.0.0.1:1",
        "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        "HOME": str(tmp_path / "home"),
    }
    (tmp_path / "home").mkdir()
    settings = load(environ)
    make_tables(settings)
    database = Database.open(settings)
    with database.session() as session:
        account.ensure(session, PASSWORD)
    database.dispose()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "webapp/gunicorn.conf.py", "webapp:create_app()"],
        cwd=PROJECT,
        env={**{k: v for k, v in os.environ.items() if not k.startswith("SCOUT_")}, **environ},
    )
    running = Served(process, port, statsd, tmp_path)
    try:
        wait_until(lambda: answers(running), timeout=30, what="gunicorn's answer")
        wait_until(lambda: len(running.workers()) == 2, what="both processes")
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        statsd.close()


def answers(served: Served) -> bool:
    try:
        return served.ask("/healthz")[0] == 200
    except OSError:
        return False


def test_it_is_ready_and_every_process_answers_for_the_same_session(served: Served) -> None:
    status, _, text = served.ask("/readyz")
    assert (status, json.loads(text)["ready"]) == (200, True)
    status, cookie = served.sign_in()
    assert status == 303
    for _ in range(20):
        assert served.ask("/", cookie=cookie)[0] == 200


def test_processes_limit_guessing_together(served: Served) -> None:
    tries = [served.sign_in("guess")[0] for _ in range(12)]
    assert tries == [401] * 10 + [429] * 2


def test_nothing_that_claims_to_come_through_a_proxy_is_believed(served: Served) -> None:
    """Gunicorn itself would take https from any process of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    claims = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "X-Forwarded-For": "198.51.100.1"}
    connection.request("GET", "/sign-in", headers={"Accept": "text/html", **claims})
    cookie = connection.getresponse().headers["Set-Cookie"]
    connection.close()
    assert cookie.startswith("scout_form=")
    assert "Secure" not in cookie


def test_requests_arrive_as_metrics_from_every_process(served: Served) -> None:
    served.ask("/sign-in")
    seen = b""

    def told() -> bool:
        nonlocal seen
        try:
            seen += served.statsd.recv(65536) + b"\n"
        except TimeoutError:
            return False
        return b"http_requests_total" in seen and b"http_request_duration_seconds" in seen

    wait_until(told, timeout=15, what="the requests' metrics")
    # Gunicorn's own StatsD, which would count requests once more, is off: all names are the catalogue's.
    assert all(line.startswith(b"scout.") for line in seen.splitlines())


def test_it_opens_no_second_door_and_writes_nothing_at_home(served: Served) -> None:
    processes = [psutil.Process(served.process.pid), *served.workers()]
    listening = {
        (each.laddr.ip, each.laddr.port)
        for process in processes
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", served.port)}
    assert not [
        each.laddr
        for process in processes
        for each in process.net_connections("unix")
        if "gunicorn" in str(each.laddr)
    ]
    assert list((served.folder / "home").iterdir()) == []


def test_a_killed_process_is_replaced_and_the_session_lives_on(served: Served) -> None:
    _, cookie = served.sign_in()
    for worker in served.workers():
        worker.kill()
        worker.wait(10)
        wait_until(lambda: len(served.workers()) == 2, what="the new process")
    wait_until(lambda: served.ask("/", cookie=cookie)[0] == 200, what="an answer")


def test_it_ends_at_once_when_asked(served: Served) -> None:
    served.sign_in()
    workers = served.workers()
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(timeout=15) == 0
    assert not any(worker.is_running() for worker in workers)


def test_without_a_database_pages_say_so_and_come_back(served: Served) -> None:
    _, cookie = served.sign_in()
    path = served.folder / "data" / "scout.sqlite3"
    away = path.with_suffix(".away")
    shutil.copytree(path.parent, away, ignore=shutil.ignore_patterns("*.sock"))
    for each in path.parent.glob("scout.sqlite3*"):
        each.unlink()
    path.mkdir()
    # Connections that are open keep the deleted file; new ones do not find it.
    for worker in served.workers():
        worker.kill()
        worker.wait(10)
    wait_until(lambda: answers(served), what="the new processes")
    status, _, text = served.ask("/", cookie=cookie)
    assert status == 503
    assert "The database does not answer" in text
    assert served.ask("/healthz")[0] == 200
    path.rmdir()
    for each in away.glob("scout.sqlite3*"):
        shutil.copy(each, path.parent)
    wait_until(lambda: served.ask("/", cookie=cookie)[0] == 200, what="the page again")
