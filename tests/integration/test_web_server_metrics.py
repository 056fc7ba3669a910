"""What gunicorn's processes tell of themselves: the real server, its metrics as datagrams."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from metrics import catalogue
from scout.settings import PROJECT
from tests.ports import free_port
from tests.statsd_listener import Listener, statsd
from tests.waiting import wait_until

__all__ = ["statsd"]

EXITS = catalogue.GUNICORN_WORKER_EXITS
REASONS = EXITS.labels[0].values

#: The real configuration, and what a test needs besides.
CONFIGURATION = """
import signal
import time
from pathlib import Path
exec(Path("webapp/gunicorn.conf.py").read_text())
timeout = 6
"""


class Served:
    """A running gunicorn."""

    def __init__(self, folder: Path, statsd: Listener, more: str, workers: int) -> None:
        self.port = free_port()
        configuration = folder / "conf.py"
        configuration.write_text(CONFIGURATION + more)
        environ = {
            "SCOUT_DATA_DIR": str(folder / "data"),
            "SCOUT_PORT": str(self.port),
            "SCOUT_WEB_WORKERS": str(workers),
            "SECRET_KEY": "k" * 64,
            "REDIS_URL": f"unix://{folder}/nobody.sock",
            "STATSD_URL": statsd.url,
            "STATSD_EXPORTER_URL": "http://127.0.0.1:1",
            "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", str(configuration), "webapp:create_app()"],
            cwd=PROJECT,
            env={**{k: v for k, v in os.environ.items() if not k.startswith("SCOUT_")}, **environ},
        )

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/static/app.css")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def workers(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children()
        return found

    def send(self, beginning: bytes) -> socket.socket:
        """A connection whose request never ends."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(beginning)
        return connection

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path, statsd: Listener) -> Iterator[Serve]:
    """Starts gunicorn with some lines more in its configuration, and waits until it answers."""
    started: list[Served] = []

    def start(more: str = "", *, workers: int = 1, answers: bool = True) -> Served:
        served = Served(tmp_path, statsd, more, workers)
        started.append(served)
        if answers:
            wait_until(served.answers, timeout=30, what="gunicorn's answer")
            wait_until(lambda: len(served.workers()) == workers, timeout=30, what="its processes")
        return served

    yield start
    for served in started:
        served.end()


def counted(statsd: Listener) -> dict[str, int]:
    return {reason: statsd.count(EXITS, reason) for reason in REASONS}


def only(**counts: int) -> dict[str, int]:
    return dict.fromkeys(REASONS, 0) | counts


def test_workers_are_counted_when_they_start_and_when_they_are_stopped(
    serve: Serve, statsd: Listener
) -> None:
    served = serve(workers=2)
    wait_until(lambda: statsd.count(catalogue.GUNICORN_WORKERS_STARTED) == 2, what="two starts")
    assert counted(statsd) == only()
    assert served.end() == 0
    assert counted(statsd) == only(stopped=2)


def test_a_killed_worker_is_counted_as_killed_and_its_successor_as_started(
    serve: Serve, statsd: Listener
) -> None:
    served = serve()
    served.workers()[0].kill()
    wait_until(lambda: statsd.count(EXITS, "killed") == 1, what="the killed worker")
    wait_until(lambda: statsd.count(catalogue.GUNICORN_WORKERS_STARTED) == 2, what="its successor")
    assert counted(statsd) == only(killed=1)


def test_a_worker_that_has_answered_enough_is_counted_as_recycled(serve: Serve, statsd: Listener) -> None:
    served = serve("max_requests = 5\nmax_requests_jitter = 0\n")

    def recycled() -> bool:
        served.answers()
        return statsd.count(EXITS, "recycled") > 0

    wait_until(recycled, timeout=30, what="a recycled worker")
    assert counted(statsd) == only(recycled=statsd.count(EXITS, "recycled"))


HANGS = """
def _hang(*_):
    try:
        time.sleep(600)
    except SystemExit:  # so that the end of the process comes without its last word
        time.sleep(600)

def post_worker_init(worker):
    signal.signal(signal.SIGUSR2, _hang)

metrics.client.FLUSH_EVERY = 600.0  # nothing is sent but at the end
"""


def test_a_worker_without_a_sign_of_life_is_counted_as_timed_out_and_what_it_had_is_sent(
    serve: Serve, statsd: Listener
) -> None:
    served = serve(HANGS)
    (worker,) = served.workers()
    worker.send_signal(signal.SIGUSR2)
    worker.wait(timeout=30)
    wait_until(
        lambda: statsd.count(catalogue.HTTP_REQUESTS, "GET", "/static/{filename}", "200") > 0,
        what="its requests",
    )
    wait_until(served.answers, timeout=30, what="its successor")
    assert served.end() == 0
    assert counted(statsd) == only(timeout=1, stopped=1)
    assert statsd.count(catalogue.GUNICORN_WORKERS_STARTED) == 2


def test_a_worker_that_ends_by_an_error_of_its_own_is_counted_as_crashed(
    serve: Serve, statsd: Listener
) -> None:
    served = serve(
        "def _fail(*_):\n    raise RuntimeError('told to')\n"
        "def post_worker_init(worker):\n    signal.signal(signal.SIGUSR2, _fail)\n"
    )
    served.workers()[0].send_signal(signal.SIGUSR2)
    wait_until(lambda: statsd.count(EXITS, "crashed") == 1, what="the crashed worker")
    assert counted(statsd) == only(crashed=1)


def test_workers_that_cannot_start_are_counted_though_they_end_the_server(
    serve: Serve, statsd: Listener
) -> None:
    served = serve("def post_worker_init(worker):\n    raise RuntimeError('told to')\n", answers=False)
    assert served.process.wait(timeout=30) != 0
    assert counted(statsd) == only(crashed=1)
    assert statsd.count(catalogue.GUNICORN_WORKERS_STARTED) == 1


def test_a_worker_says_whether_it_is_busy_and_how_its_threads_are(serve: Serve, statsd: Listener) -> None:
    served = serve()

    def says(**wanted: float) -> Callable[[], bool]:
        def look() -> bool:
            workers = statsd.gauges(catalogue.GUNICORN_WORKERS)
            threads = statsd.gauges(catalogue.GUNICORN_THREADS)
            return wanted == {
                "busy": _of(workers, "busy.web."),
                "idle": _of(workers, "idle.web."),
                "busy_threads": _of(threads, "busy.web."),
                "idle_threads": _of(threads, "idle.web."),
                "waiting": _of(statsd.gauges(catalogue.GUNICORN_WAITING), "web."),
            }

        return look

    idle = says(busy=0, idle=1, busy_threads=0, idle_threads=4, waiting=0)
    wait_until(idle, timeout=30, what="an idle worker")
    # One whose body does not come is in progress; of the others not even the head is there.
    held = [served.send(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
                        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")]  # fmt: skip
    held += [served.send(b"GET / HTTP/1.1\r\n") for _ in range(5)]
    full = says(busy=1, idle=0, busy_threads=4, idle_threads=0, waiting=2)
    wait_until(full, timeout=30, what="a busy worker")
    for connection in held:
        connection.close()
    wait_until(idle, timeout=30, what="an idle worker again")


def _of(series: dict[str, float], beginning: str) -> float | None:
    found = [value for name, value in series.items() if name.startswith(beginning)]
    return found[0] if len(found) == 1 else None


def test_the_arbiter_tells_of_itself_as_a_process(serve: Serve, statsd: Listener) -> None:
    serve()

    def roles() -> set[str]:
        return {name.partition(".")[0] for name in statsd.gauges(catalogue.PROCESS_MEMORY)}

    wait_until(lambda: roles() == {"arbiter", "web"}, timeout=30, what="both processes")
