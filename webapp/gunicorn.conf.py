"""How gunicorn serves the pages: `gunicorn -c webapp/gunicorn.conf.py 'webapp:create_app()'`."""

# ruff: noqa: N999 - the name that gunicorn gives its configuration
from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from pathlib import Path
from typing import Any

import metrics.gunicorn
import metrics.http
from scout import settings as scout_settings
from scout import traces
from scout.logs import ids
from webapp import streams
from webapp.logger import ServerLogger

_settings = scout_settings.load()

#: malloc.h's names for what mallopt(3) sets.
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8

bind = (
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
)
workers = _settings.web_workers
worker_class = "gthread"
threads = 4
# Loaded once, before the fork: the workers share what the libraries fill, some 40 MB each. Safe, as the
# application opens nothing before its first request (webapp/parts.py).
preload_app = True

timeout = 30
graceful_timeout = 10
keepalive = 5
# A worker ends and is replaced now and then, whatever it may leak; never all at once.
max_requests = 20_000
max_requests_jitter = 2_000
# The heartbeat is a file: on a disk that stalls it would read as a dead worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() and os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of the system, not a guessed file name

# Which proxies are believed, and how far, SCOUT_TRUSTED_PROXIES alone says (webapp/factory.py): by default
# gunicorn would take a scheme from any process of this machine.
forwarded_allow_ips = ""

# Requests are counted by our own middleware, by route; gunicorn's own StatsD would double that.
statsd_host = None
logger_class = ServerLogger
# A second door that nobody here uses, and a file that it would write at start.
control_socket_disable = True


def when_ready(_server: Any) -> None:
    """Begin emitting, and keep the collector away from what all workers share: touching a page copies it."""
    metrics.gunicorn.when_ready(_settings.statsd)
    gc.collect()
    gc.freeze()


def pre_fork(_server: Any, worker: Any) -> None:
    """Count a process that is about to start."""
    metrics.gunicorn.pre_fork(worker)


def post_fork(_server: Any, worker: Any) -> None:
    """Begin emitting, from the process that will serve, and have it give back memory that it is done with."""
    # glibc keeps what was freed, an arena for each thread, and after one password's 19 MiB it keeps that size
    # too; fixed bounds (mallopt(3)) spare some 20 MB a process. Other C libraries have no such function.
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)
        libc.mallopt(_M_ARENA_MAX, 2)
    traces.start("web")
    metrics.gunicorn.post_fork(worker, _settings.statsd, metrics.http.in_progress)
    # A worker that was told to stop waits for the answers that are under way, and a stream would never end.
    streams.end_when(lambda: not worker.alive)


def pre_request(_worker: Any, _request: Any) -> None:
    """Forget what the thread's last request bound: what is said now is said of another."""
    ids.clear()


def worker_abort(_worker: Any) -> None:
    """Send what there is, before the process is killed for giving no sign of life."""
    metrics.gunicorn.worker_abort()


def worker_exit(_server: Any, worker: Any) -> None:
    """Say why the process ends, and send what is still pending."""
    traces.flush()
    metrics.gunicorn.worker_exit(worker)


def child_exit(_server: Any, worker: Any) -> None:
    """Count a process that has ended."""
    metrics.gunicorn.child_exit(worker)


def on_exit(_server: Any) -> None:
    """Send what is still pending of the first process."""
    metrics.gunicorn.on_exit()
