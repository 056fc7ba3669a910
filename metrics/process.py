"""What a process knows of itself: memory, processor time, files, threads, garbage collection, its start."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

from metrics import catalogue, losses

#: Seconds between two samples. The gauges of a process that died are gone after `catalogue.LIFETIME`.
SAMPLE_EVERY = 5.0
#: Called with the role and the slot of this process whenever it is sampled.
Sampler = Callable[[str, str], None]

_samplers: list[Sampler] = []
_cpu_reported = 0.0
_collections_reported = [0, 0, 0]
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


def also(sampler: Sampler) -> None:
    """Have gauges of a part of this process (a pool, requests in progress) set with each sample.

    Args:
        sampler: Called from the client's thread with the values of the `role` and `slot` labels. What it
            raises is counted as an invalid sample. Adding one twice changes nothing; forked children keep it.
    """
    if sampler not in _samplers:
        _samplers.append(sampler)


def no_longer(sampler: Sampler) -> None:
    """Forget a sampler; one that is not known is fine."""
    with contextlib.suppress(ValueError):
        _samplers.remove(sampler)


def after_fork() -> None:
    """In a forked child: count processor time and collections from zero."""
    global _cpu_reported  # noqa: PLW0603 - one process, one count
    _cpu_reported = 0.0
    _collections_reported[:] = _collections()


def sample(role: str, slot: str) -> None:
    """Set the gauges. Where there is no /proc, what needs it is left out."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        catalogue.PROCESS_MEMORY.set(pages * _PAGE, role=role, slot=slot)
    with contextlib.suppress(OSError):
        # One of them is the descriptor that lists the others.
        catalogue.PROCESS_OPEN_FILES.set(len(os.listdir("/proc/self/fd")) - 1, role=role, slot=slot)  # noqa: PTH208 - half the price of Path.iterdir, and names are not wanted
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    catalogue.PROCESS_MOST_FILES.set(limit, role=role, slot=slot)
    catalogue.PROCESS_THREADS.set(threading.active_count(), role=role, slot=slot)
    with contextlib.suppress(OSError, ValueError, IndexError):
        catalogue.PROCESS_START.set(started(), role=role, slot=slot)
    count(role)
    for sampler in tuple(_samplers):
        try:
            sampler(role, slot)
        except Exception as error:  # noqa: BLE001 - one part's figures must not cost the others theirs
            losses.mistake(f"a sampler failed: {type(error).__name__}: {error}")


def started() -> int:
    """When this process began, in Unix time, to the second.

    Raises:
        OSError: There is no /proc.
    """
    # proc_pid_stat(5): the 22nd field, counted behind the name, which may hold anything.
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / _TICKS
    return round(time.time() - age)


def count(role: str) -> None:
    """Add the processor time and the collections since the last call."""
    global _cpu_reported  # noqa: PLW0603 - one process, one count
    used = os.times()
    spent = used.user + used.system - _cpu_reported
    if spent > 0:
        _cpu_reported += spent
        catalogue.PROCESS_CPU.inc(spent, role=role)
    for generation, runs in enumerate(_collections()):
        new = runs - _collections_reported[generation]
        if new > 0:
            _collections_reported[generation] = runs
            catalogue.PROCESS_COLLECTIONS.inc(new, role=role, generation=str(generation))


def _collections() -> list[int]:
    return [each["collections"] for each in gc.get_stats()]
