"""What a process knows of itself: memory, processor time, open files, threads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from metrics import catalogue, losses

#: Seconds between two samples. The gauges of a process that died are gone after `catalogue.LIFETIME`.
SAMPLE_EVERY = 5.0
#: The most processes of one machine and user that get a number of their own; the rest share the next one.
MOST_SLOTS = 63

#: Called with the role and the slot of this process whenever it is sampled.
Sampler = Callable[[str, str], None]

_samplers: list[Sampler] = []
_slot: tuple[int, int] | None = None  # the number, and the descriptor that holds its lock
_cpu_reported = 0.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


def folder() -> Path:
    """Where the slots' lock files are: a folder of this user only, in the machine's temporary folder."""
    return Path(tempfile.gettempdir()) / f"scout-{os.getuid()}"


def slot() -> int:
    """The smallest number that no other living process of this user holds.

    It is held by a lock that the kernel gives back when the process ends, however it ends. So a restarted
    process continues its predecessor's series, and a crash loop makes no new ones.
    """
    global _slot  # noqa: PLW0603 - one process, one slot
    if _slot is None:
        _slot = _claim()
    return _slot[0]


def _claim() -> tuple[int, int]:
    try:
        folder().mkdir(mode=0o700, exist_ok=True)
        for number in range(MOST_SLOTS):
            descriptor = os.open(
                folder() / f"slot-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
            else:
                return number, descriptor
    except OSError:
        pass  # no place for lock files: better one shared number than no figures
    return MOST_SLOTS, -1


def release() -> None:
    """Give the number back."""
    global _slot
    held, _slot = _slot, None
    if held is not None and held[1] >= 0:
        with contextlib.suppress(OSError):
            os.close(held[1])


def after_fork() -> None:
    """In a forked child: leave the parent's number to the parent, and count processor time from zero."""
    global _cpu_reported  # noqa: PLW0603 - one process, one count
    release()  # closes the child's descriptor; the parent's keeps the lock
    _cpu_reported = 0.0


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


def sample(role: str) -> None:
    """Set the gauges. Where there is no /proc, what needs it is left out."""
    number = str(slot())
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        catalogue.PROCESS_MEMORY.set(pages * _PAGE, role=role, slot=number)
    with contextlib.suppress(OSError):
        # One of them is the descriptor that lists the others.
        catalogue.PROCESS_OPEN_FILES.set(
            len(list(Path("/proc/self/fd").iterdir())) - 1, role=role, slot=number
        )
    catalogue.PROCESS_THREADS.set(threading.active_count(), role=role, slot=number)
    count_cpu(role)
    for sampler in tuple(_samplers):
        try:
            sampler(role, number)
        except Exception as error:  # noqa: BLE001 - one part's figures must not cost the others theirs
            losses.mistake(f"a sampler failed: {type(error).__name__}: {error}")


def count_cpu(role: str) -> None:
    """Add the processor time since the last call."""
    global _cpu_reported  # noqa: PLW0603 - one process, one count
    used = os.times()
    total = (used.user + used.system) * 1000.0
    spent = int(total - _cpu_reported)
    if spent > 0:
        _cpu_reported += spent
        catalogue.PROCESS_CPU.inc(spent, role=role)
