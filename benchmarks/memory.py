"""How much memory the whole embedded stack takes when idle, and how soon the first page is there.

`python -m benchmarks.memory` starts `scout up` in a folder of its own with nothing real on PATH and no boards,
waits for the first page, lets it settle, and sums over the process tree: PSS counts a page that several processes
share once in all, RSS counts it once for each.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

#: Seconds of rest before the measurement: one round of the 30-second sampler and the workers' heartbeats.
_REST = float(os.environ.get("REST", "40"))


def main() -> None:
    """Measure once and print the figures as JSON."""
    scout = Path(sys.executable).parent / "scout"
    with tempfile.TemporaryDirectory() as folder:
        port, statsd, exporter, gateway = _free(4)
        environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ |= {
            # Python and the shell alone: no real exporter, gateway or Redis is found.
            "PATH": "/usr/bin:/bin",
            "SCOUT_DATA_DIR": f"{folder}/data",
            "SCOUT_PORT": str(port),
            "SCOUT_STATSD_PORT": str(statsd),
            "SCOUT_EXPORTER_PORT": str(exporter),
            "SCOUT_PUSHGATEWAY_PORT": str(gateway),
            "SCOUT_STARTER_BOARDS": "0",
        }
        began = time.monotonic()
        stack = subprocess.Popen([scout, "up"], env=environ, stdout=subprocess.PIPE, text=True)
        try:
            first_page = _await_page(f"http://127.0.0.1:{port}/readyz", began, stack)
            time.sleep(_REST)
            rows = [_figures(each) for each in _tree(stack.pid)]
        finally:
            asked = time.monotonic()
            stack.send_signal(signal.SIGINT)
            stack.communicate(timeout=30)
    figures = {
        "seconds_to_first_page": round(first_page, 2),
        "seconds_to_stop": round(time.monotonic() - asked, 2),
        "processes": len(rows),
        "pss_mb": round(sum(row[1] for row in rows), 1),
        "rss_mb": round(sum(row[2] for row in rows), 1),
    }
    for name, pss, rss in rows:
        print(f"{pss:7.1f} MB PSS {rss:7.1f} MB RSS  {name}")
    print(json.dumps(figures))


def _await_page(url: str, began: float, stack: subprocess.Popen[str]) -> float:
    while stack.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own page
                return time.monotonic() - began
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"scout up ended:\n{stack.communicate()[0]}")


def _tree(root: int) -> list[psutil.Process]:
    return [psutil.Process(root), *psutil.Process(root).children(recursive=True)]


def _figures(process: psutil.Process) -> tuple[str, float, float]:
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    pss, rss = (int(re.search(rf"(?m)^{name}: +(\d+) kB", rollup)[1]) / 1024 for name in ("Pss", "Rss"))
    return " ".join(process.cmdline())[-90:], pss, rss


def _free(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return numbers


if __name__ == "__main__":
    main()
