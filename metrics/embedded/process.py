"""What a program tells about its own process, under the names of Prometheus's clients."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from metrics.embedded import text
from metrics.embedded.floats import render

_STARTED = time.time()
_FAMILIES = (
    ("process_cpu_seconds_total", "counter", "Processor time used, in seconds."),
    ("process_max_fds", "gauge", "Files that may be open at once."),
    ("process_open_fds", "gauge", "Files that are open."),
    ("process_resident_memory_bytes", "gauge", "Resident memory in bytes."),
    ("process_start_time_seconds", "gauge", "When the process started, in seconds since 1970."),
)


def names() -> frozenset[str]:
    """The names of the families."""
    return frozenset(name for name, _, _ in _FAMILIES)


def families() -> dict[str, str]:
    """Each family as text, by its name; those that the system does not tell are left out."""
    figures = {
        "process_cpu_seconds_total": time.process_time(),
        "process_max_fds": float(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "process_start_time_seconds": _STARTED,
    }
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        figures["process_resident_memory_bytes"] = float(pages * os.sysconf("SC_PAGE_SIZE"))
        figures["process_open_fds"] = float(len(os.listdir("/proc/self/fd")))  # noqa: PTH208  # only counted
    except OSError:
        pass  # No /proc on this system.
    return {
        name: f"{text.head(name, kind, help_text)}{name} {render(figures[name])}\n"
        for name, kind, help_text in _FAMILIES
        if name in figures
    }
