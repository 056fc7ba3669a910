"""The live drills: `python -m tests.drills [FAULT...] [--short] [--list]`; `make drill` runs all of them.

Starts the real stack and those who watch it, a few times beside each other, makes every fault of
`prometheus/drills.yml`, and waits until its alerts have arrived at the receiver and are over. Prints how long
each took. Exit codes: 0 all came and went, 1 one did not, 2 an unknown fault.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.drills import plan, postgres
from tests.drills.drill import Drill, Row, stopping
from tests.drills.faults import FAULTS
from tests.drills.plan import Course
from tests.drills.stack import Stack

#: What a small disk holds: with it empty all is well, and its filling takes little memory.
_SMALL_DISK = "size=720m,mode=700"
_NO_ROOT = "only root may mount a small disk"

_printing = threading.Lock()


def main(given: Sequence[str] | None = None) -> int:
    """Drill, and print what became of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=__doc__.splitlines()[0])
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="kinds of faults; all if none is named")
    parser.add_argument("--short", action="store_true", help="the ten that every change has to pass")
    parser.add_argument("--list", action="store_true", help="say what there is, and do nothing")
    options = parser.parse_args(given)
    raised = plan.raised()
    if options.list:
        for fault, alerts in raised.items():
            print(f"{fault:<20} {FAULTS[fault].__doc__ or ''}\n{'':<20} {', '.join(alerts)}")
        return 0
    unknown = set(options.faults) - set(FAULTS)
    if unknown:
        print(f"There is no {', '.join(sorted(unknown))}. There are {', '.join(FAULTS)}.", file=sys.stderr)
        return 2
    wanted = plan.SOON if options.short else raised
    faults = options.faults or list(wanted)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    courses = [course.only(faults) for course in (plan.SHORT if options.short else plan.FULL)]
    return judged(drilled([course for course in courses if course.rounds], wanted))


def drilled(courses: Sequence[Course], wanted: Mapping[str, Sequence[str]]) -> list[Row]:
    """What became of all alerts, each course on a stack of its own, beside each other."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(courses)) as pool:
        rows = [row for each in pool.map(lambda course: _drilled(course, wanted), courses) for row in each]
    print(f"\n{table(rows)}\n\n{time.monotonic() - began:.0f} seconds in all.")
    return rows


def _drilled(course: Course, wanted: Mapping[str, Sequence[str]]) -> list[Row]:
    rows: list[Row] = []
    folder = Path(tempfile.mkdtemp(prefix=f"scout-drill-{course.name}-"))
    with contextlib.ExitStack() as entered:
        data = folder / "data"
        small = course.small_disk and entered.enter_context(_small_disk(data))
        database = (
            entered.enter_context(postgres.running(folder / "postgres.log")) if course.postgres else None
        )
        stack = Stack(folder, data, database)
        try:
            entered.enter_context(stack.running())
        except AssertionError as error:
            _say(f"{course.name} stack: {error}")
            faults = [fault for each in course.rounds for fault in each]
            return [Row(fault, alert, why="no stack") for fault in faults for alert in wanted[fault]]
        _say(f"{course.name} stack: up")
        for together in course.rounds:
            drills = []
            for fault in () if stopping.is_set() else together:
                if fault == "disk_nearly_full" and not small:
                    rows += [Row(fault, alert, why=_NO_ROOT) for alert in wanted[fault]]
                else:
                    drills.append(Drill(stack, fault, wanted[fault]))
            if drills:
                with ThreadPoolExecutor(len(drills)) as pool:
                    rows += [row for each in pool.map(_run, drills) for row in each]
    if all(not row.why for row in rows):
        shutil.rmtree(folder)
    else:
        _say(f"{course.name} stack: what its parts said is in {folder}")
    return rows


def _run(drill: Drill) -> list[Row]:
    _say(f"{drill.fault}: begins")
    rows = drill.run(FAULTS[drill.fault])
    for row in rows:
        _say(f"{drill.fault}: {_line(row)}")
    return rows


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """A small disk at a folder; False where only root may do that."""
    folder.mkdir(mode=0o700)
    if os.geteuid() != 0:
        yield False
        return
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", _SMALL_DISK, "scout-drill", folder], check=False, capture_output=True
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", folder], check=False, capture_output=True)


def judged(rows: Sequence[Row]) -> int:
    """0 when every alert came and went, or could not be tried here; 1 otherwise."""
    failed = any(row.why and row.why != _NO_ROOT for row in rows)
    return int(failed or not rows or stopping.is_set())


def table(rows: Sequence[Row]) -> str:
    """Fault, alert, seconds to arrive, seconds to be over."""
    head = f"{'fault':<20}{'alert':<40}{'fires':>8}{'over':>8}"
    return "\n".join([head, *(f"{row.fault:<20}{_line(row)}" for row in rows)])


def _line(row: Row) -> str:
    fired, over = (f"{each:.1f} s" if each is not None else "-" for each in (row.fired, row.over))
    return f"{row.alert:<40}{fired:>8}{over:>8}{f'  {row.why}' if row.why else ''}".rstrip()


def _say(text: str) -> None:
    with _printing:
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
