"""What the whole stack takes when idle, and how soon the first page is there.

`scout up` runs in a folder of its own with nothing real on PATH and no boards. After the first page it
settles, and then the process tree is summed: PSS counts a page that several processes share once in all, RSS
counts it once for each. There is no peer that does the same: the figures stand by themselves.

`REST` changes the seconds of rest before the measurement.
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
from typing import Any

import psutil

from benchmarks import programs
from benchmarks.measure import table, write

#: Seconds of rest before the measurement: one round of the 30-second sampler and the workers' heartbeats.
REST = float(os.environ.get("REST", "40"))
SHORT = {"rest": 0.0}


def run(rest: float = REST) -> dict[str, Any]:
    """Measure once, print the table, and write `results/memory.json`."""
    scout = Path(sys.executable).parent / "scout"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bin").mkdir()
        stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
        port = programs.free_port(stream)
        environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ |= {
            # An empty folder: no real exporter, gateway or Redis is found.
            "PATH": f"{folder}/bin",
            "SCOUT_DATA_DIR": f"{folder}/data",
            "SCOUT_PORT": str(port),
            "SCOUT_STATSD_PORT": str(programs.free_port(datagram)),
            "SCOUT_EXPORTER_PORT": str(programs.free_port(stream)),
            "SCOUT_PUSHGATEWAY_PORT": str(programs.free_port(stream)),
            "SCOUT_STARTER_BOARDS": "0",
        }
        began = time.monotonic()
        stack = subprocess.Popen([scout, "up"], env=environ, stdout=subprocess.PIPE, text=True)
        try:
            first_page = _await_page(f"http://127.0.0.1:{port}/readyz", began, stack)
            time.sleep(rest)
            rows = [_figures(each) for each in _tree(stack.pid)]
        finally:
            asked = time.monotonic()
            stack.send_signal(signal.SIGINT)
            stack.communicate(timeout=30)
    result: dict[str, Any] = {
        "seconds to first page": round(first_page, 2),
        "seconds to stop": round(time.monotonic() - asked, 2),
        "processes": len(rows),
        "pss mb": round(sum(row[1] for row in rows), 1),
        "rss mb": round(sum(row[2] for row in rows), 1),
        "each": [
            {"process": name, "pss mb": round(pss, 1), "rss mb": round(rss, 1)} for name, pss, rss in rows
        ],
    }
    print(
        table(["a process", "PSS MB", "RSS MB"], [[row[0], f"{row[1]:.1f}", f"{row[2]:.1f}"] for row in rows])
    )
    print(json.dumps({name: value for name, value in result.items() if name != "each"}))
    write("memory", result)
    return result


def _await_page(url: str, began: float, stack: subprocess.Popen[str]) -> float:
    while stack.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own page
                return time.monotonic() - began
        except OSError:
            time.sleep(0.02)
    raise ChildProcessError(f"scout up ended:\n{stack.communicate()[0]}")


def _tree(root: int) -> list[psutil.Process]:
    return [psutil.Process(root), *psutil.Process(root).children(recursive=True)]


def _figures(process: psutil.Process) -> tuple[str, float, float]:
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    sizes = dict(re.findall(r"(?m)^(Pss|Rss): +(\d+) kB", rollup))
    return _name(process.cmdline()), int(sizes["Pss"]) / 1024, int(sizes["Rss"]) / 1024


def _name(words: list[str]) -> str:
    """A command without its options and folders, which are this machine's own."""
    kept = [word.partition(":/")[0] for word in words if not word.startswith("--")]
    return " ".join(Path(word).name if word.startswith("/") else word for word in kept)
