"""What a scan takes, from asking for a run until the run has ended: the whole stack on this machine.

`scout up` with the real Redis, exporter and gateway where they are, two scan workers and SQLite in a folder
of its own; the boards are those of `demo`, a process of its own that made all its answers beforehand (their
share of the processors is told). A posting's text has some 3,800 characters, as real ones have.

- `first scan`: of all boards, in two runs: as many boards as make the first of `sizes`, then the others.
- `again, 304`: of a part of the boards; nothing changed, and those whose kind can say so by ETag.
- `again, same bytes`: nothing changed, and the boards have no ETags: the whole listings come again.
- `again, one edit a board`: whole listings, of which one posting is another. (An edit of the text alone shows
  in no listing of Workday and SmartRecruiters.)
- `another N boards`: a first scan of boards that are new, with so many jobs stored already. Past the boards'
  own postings, the database is filled by copies of its rows, under sources that are never scanned.

Times of phases are the sums of what the scans say of themselves, over all workers: time on the clock,
waiting for a processor or a lock included. Processor time is that of the processes, as the kernel counts it;
that of `scanning` is of the pool, its workers and the processes of their jobs. Memory is the most that one
process was seen with; looks are half a second apart.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psutil
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from sqlalchemy import String, cast, func, insert, inspect, literal, select
from sqlalchemy.orm import Session

import demo
from benchmarks import programs
from benchmarks.measure import table, write
from metrics import catalogue
from metrics.model import Timer
from scout import clock, runs, sources, watchlist
from scout.database import Database
from scout.models import Description, Job, Listing, Mark, RunTrigger, ScanResult, ScanRun, Source
from scout.queue import Scans
from scout.settings import Settings, load
from tests.components import find

#: Boards of the first scan, and open postings of each, about.
BOARDS = 1000
POSTINGS = 100
#: Numbers of stored jobs at which further boards are scanned.
SIZES = (10_000, 100_000, 1_000_000)
#: Boards that are scanned again, in each of the ways.
AGAIN = 300
#: Boards that are scanned at each of `SIZES`.
PROBE = 20
SHORT: dict[str, Any] = {"boards": 12, "postings": 8, "sizes": (40, 80, 400), "again": 6, "probe": 3}
#: Kinds of the boards, in turn, as often as they are among 3,289 addresses of real ones: half of those are on
#: Greenhouse, a fifth on Ashby, and one in fourteen has a page for each posting (Workday, SmartRecruiters).
KINDS = (
    "greenhouse", "ashby", "greenhouse", "lever", "greenhouse", "greenhouse", "ashby", "greenhouse",
    "workday", "greenhouse", "greenhouse", "ashby", "greenhouse", "recruitee", "greenhouse", "greenhouse",
    "ashby", "pinpoint", "greenhouse", "smartrecruiters",
)  # fmt: skip
#: Seconds that one run may take.
_PATIENCE = 900.0
#: Seconds between two looks at the memory of the processes that scan; at that of others, every so many looks.
_LOOK_EVERY = 0.5
_SELDOM = 6
#: Of a board's places, this part is open at a time (see `demo.world`).
_OPEN = 0.9
#: Seconds that copying rows may take; what is there then is what is measured.
_FILLING = 180.0
#: Bytes of the disk that it leaves free. A million jobs with their texts take some fifteen gigabytes.
_LEFT = 5 * 2**30
#: Rows to copy in one transaction.
_COPIED = 20_000


@dataclass
class Step:
    """What one run, or two in a row, took.

    Attributes:
        seconds: On the clock.
        postings: How many postings the boards named.
        new: How many were new.
        updated: How many were changed.
        ended: How many sources ended in each state.
        phases: Seconds of each phase, summed over all scans.
        processor: Seconds of processor time, by part of the stack.
        kinds: Seconds that the scans of each kind took, summed.
        named: Postings that the boards of each kind named.
    """

    seconds: float = 0.0
    postings: int = 0
    new: int = 0
    updated: int = 0
    ended: dict[str, float] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, float] = field(default_factory=dict)
    named: dict[str, float] = field(default_factory=dict)

    def __add__(self, other: Step) -> Step:
        return Step(
            self.seconds + other.seconds,
            self.postings + other.postings,
            self.new + other.new,
            self.updated + other.updated,
            _sum(self.ended, other.ended),
            _sum(self.phases, other.phases),
            _sum(self.processor, other.processor),
            _sum(self.kinds, other.kinds),
            _sum(self.named, other.named),
        )

    def told(self) -> dict[str, Any]:
        """As JSON, with what follows from it."""
        counted = max(self.postings, 1)
        whole = sum(self.phases.values()) or 1.0
        return {
            "postings": self.postings,
            "new": self.new,
            "updated": self.updated,
            "sources": sum(self.ended.values()),
            "sources by state": self.ended,
            "seconds": round(self.seconds, 2),
            "postings per second": round(self.postings / self.seconds),
            "ms per posting": round(self.seconds / counted * 1e3, 3),
            "ms of a scan per posting, by kind": {
                name: round(self.kinds.get(name, 0.0) / named * 1e3, 3)
                for name, named in sorted(self.named.items())
                if named
            },
            "phase seconds": {name: round(each, 2) for name, each in self.phases.items()},
            "phase shares": {name: round(each / whole, 3) for name, each in self.phases.items()},
            "processor seconds": {name: round(each, 2) for name, each in self.processor.items()},
            "processor us per posting": {
                name: round(each / counted * 1e6, 1) for name, each in self.processor.items()
            },
        }


def _sum(one: dict[str, float], other: dict[str, float], sign: int = 1) -> dict[str, float]:
    return {name: one.get(name, 0) + sign * other.get(name, 0) for name in one | other}


# --- The stack ---


class Watch:
    """Looks at the processes of the stack: the most memory that each part had, in MB."""

    def __init__(self, stack: int) -> None:
        self._stack = psutil.Process(stack)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.most: dict[str, dict[str, float]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look_on(self) -> None:
        looks = 0
        while not self._end.wait(_LOOK_EVERY):
            for part, process in parts(self._stack):
                # A look makes a process wait; those that go on for ever need few.
                if part in _SCANNING or looks % _SELDOM == 0:
                    with contextlib.suppress(psutil.Error, OSError):  # it ended meanwhile
                        self._look(part, process)
            looks += 1

    def _look(self, part: str, process: psutil.Process) -> None:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
        most = self.most.setdefault(part, {})
        for name, size in re.findall(r"(?m)^(Pss|Rss): +(\d+) kB", rollup):
            key = f"{name.lower()} mb"
            most[key] = max(most.get(key, 0.0), round(int(size) / 1024, 1))


def parts(stack: psutil.Process) -> list[tuple[str, psutil.Process]]:
    """The processes of a stack: `scan pool`, its workers and their `horse`s, and the others by name."""
    below: dict[int, list[psutil.Process]] = {}
    for each in psutil.process_iter(["ppid"]):  # once over all of them, since asking each costs as much
        below.setdefault(each.info["ppid"], []).append(each)
    found = []
    for child in below.get(stack.pid, []):
        with contextlib.suppress(psutil.Error):  # it ended meanwhile
            name = _named(" ".join(child.cmdline()))
            within = below.get(child.pid, [])
            scanning = name == "scan pool"
            found.append((name, child))
            found += [("scan worker" if scanning else name, each) for each in within]
            for each in within:
                found += [("horse" if scanning else name, last) for last in below.get(each.pid, [])]
    return found


def _named(words: str) -> str:
    known = (part for sign, part in _PARTS.items() if re.search(sign, words))
    return next(known, Path(words.split(" ", maxsplit=1)[0]).name)


_SCANNING = frozenset({"scan pool", "scan worker", "horse"})
_PARTS = {
    r"-m workers$": "scan pool",
    r"-m workers\.schedule": "scheduler",
    r"gunicorn": "web",
    r"redis-server": "redis",
    r"exporter": "exporter",
    r"gateway": "gateway",
}


class Stack:
    """A running `scout up`, with the boards beside it.

    Attributes:
        settings: Its settings.
        process: Its process, above all others.
        boards: The process of the boards.
        url: Where they are.
        database: Its database.
        queue: Its queue.
    """

    def __init__(self, settings: Settings, process: int, boards: int, url: str) -> None:
        self.settings = settings
        self.process = psutil.Process(process)
        self.boards = psutil.Process(boards)
        self.url = url
        self.database = Database.open(settings)
        self.queue = Scans(settings)

    def watch_boards(self, boards: Sequence[demo.Board]) -> list[str]:
        """Have boards watched that the schedule leaves alone; their slugs."""
        with self.database.session() as session:
            watched = [watchlist.add(session, sources.recognise(each.url), each.company) for each in boards]
            for source in watched:
                source.next_scan_at = clock.now() + dt.timedelta(days=365)
            return [source.slug for source in watched]

    def jobs(self) -> int:
        """How many are stored."""
        with self.database.reading() as session:
            return session.scalar(select(func.count(Job.id))) or 0

    def scan(self, slugs: Sequence[str]) -> Step:
        """Ask for a run of these sources, and wait until it has ended."""
        before, used = self._page(), self._used()
        began = time.monotonic()
        run_id = runs.request(self.database, self.queue, trigger=RunTrigger.COMMAND, slugs=slugs)
        if not programs.until(lambda: self._ended(run_id), _PATIENCE):
            raise TimeoutError(f"the run had not ended after {_PATIENCE:.0f} s")
        seconds = time.monotonic() - began
        now = self._used()
        # The last scans' samples are on their way.
        counted = _scans(before) + len(slugs)
        programs.until(lambda: _scans(self._page()) >= counted, 5)
        after = self._page()
        phases = _sum(
            _seconds(after, catalogue.SCAN_PHASE_DURATION),
            _seconds(before, catalogue.SCAN_PHASE_DURATION),
            -1,
        )
        kinds = _sum(_seconds(after, catalogue.SCAN_DURATION), _seconds(before, catalogue.SCAN_DURATION), -1)
        of_run = ScanResult.run_id == run_id
        with self.database.reading() as session:
            found = session.execute(
                select(
                    func.sum(ScanResult.seen), func.sum(ScanResult.new), func.sum(ScanResult.updated)
                ).where(of_run)
            ).one()
            ended = Counter(state.value for state in session.scalars(select(ScanResult.state).where(of_run)))
            by_kind = session.execute(
                select(Source.kind, func.sum(ScanResult.seen))
                .join(Source)
                .where(of_run)
                .group_by(Source.kind)
            ).all()
        seen, new, updated = (int(each) for each in found)
        return Step(
            seconds,
            seen,
            new,
            updated,
            dict(ended),
            phases,
            _sum(now, used, -1),
            kinds,
            {kind: float(count) for kind, count in by_kind},
        )

    def _ended(self, run_id: int) -> bool:
        time.sleep(0.03)  # besides what `until` waits: each look takes a processor from the scans
        with self.database.reading() as session:
            return session.get_one(ScanRun, run_id).state.ended

    def _page(self) -> list[Sample]:
        """What the exporter has."""
        with urllib.request.urlopen(f"{self.settings.exporter}/metrics", timeout=20) as answer:  # noqa: S310 - our own
            families = text_string_to_metric_families(answer.read().decode())
            return [sample for family in families for sample in family.samples]

    def _used(self) -> dict[str, float]:
        """Seconds of processor time so far, by part. Ended horses are in their worker's."""
        used = {"boards": _processor_time(self.boards, ended=False)}
        for part, process in parts(self.process):
            with contextlib.suppress(psutil.Error):  # it ended meanwhile
                name = "scanning" if part in _SCANNING else part
                used[name] = used.get(name, 0.0) + _processor_time(process, ended=True)
        return used

    def tell_boards(self, path: str, **asked: Any) -> None:
        """Have the simulator do something."""
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(asked).encode())  # noqa: S310
        with urllib.request.urlopen(request, timeout=300):  # noqa: S310 - our own
            pass


def _seconds(page: list[Sample], timer: Timer) -> dict[str, float]:
    """What a timer has summed up so far, by its first label."""
    label = timer.labels[0]
    found = dict.fromkeys(label.values, 0.0)
    for sample in page:
        if sample.name == f"{timer.name}_sum":
            found[sample.labels[label.name]] = found.get(sample.labels[label.name], 0.0) + sample.value
    return found


def _scans(page: list[Sample]) -> float:
    """How many sources' scans have ended so far."""
    return sum(each.value for each in page if each.name == f"{catalogue.SCAN_DURATION.name}_count")


def _processor_time(process: psutil.Process, *, ended: bool) -> float:
    """Seconds that a process used, and those of its children that ended."""
    used = process.cpu_times()
    own = used.user + used.system
    return float(own + used.children_user + used.children_system if ended else own)


@contextlib.contextmanager
def running(boards: int, postings: int) -> Iterator[Stack]:
    """The boards and the stack, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="scout-bench-") as folder, contextlib.ExitStack() as stack:
        stream = socket.SOCK_STREAM
        simulator = programs.free_port(stream)
        url = f"http://127.0.0.1:{simulator}"
        places = math.ceil(postings / _OPEN)
        command = [sys.executable, "-m", "demo", "--warm", "--long", f"--port={simulator}", "--tick=0"]
        command += [f"--boards={boards}", f"--postings={places}", f"--kinds={','.join(KINDS)}"]
        playing = stack.enter_context(programs.started(command))
        if not programs.until(lambda: _answers(playing, f"{url}/"), _PATIENCE):
            raise ChildProcessError("the boards do not answer")
        found = [find(name) for name in ("redis-server", "statsd_exporter", "prometheus-pushgateway")]
        folders = {str(each.parent) for each in found if each is not None}
        environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ |= {
            "PATH": os.pathsep.join([*sorted(folders), environ.get("PATH", os.defpath)]),
            "SCOUT_DATA_DIR": f"{folder}/data",
            "SCOUT_PORT": str(programs.free_port(stream)),
            "SCOUT_STATSD_PORT": str(programs.free_port(socket.SOCK_DGRAM)),
            "SCOUT_EXPORTER_PORT": str(programs.free_port(stream)),
            "SCOUT_PUSHGATEWAY_PORT": str(programs.free_port(stream)),
            "SCOUT_STARTER_BOARDS": "0",
            "SCOUT_SCAN_WORKERS": "3",
            "SCOUT_SCAN_INTERVAL_MINUTES": "10080",  # no scan but those that are asked for
            "SCOUT_ORIGIN_OVERRIDES": demo.overrides(url),
        }
        log = stack.enter_context((Path(folder) / "log").open("wb"))
        scout = Path(sys.executable).parent / "scout"
        up = subprocess.Popen([scout, "up"], env=environ, stdout=log, stderr=log)
        stack.callback(_end, up)
        settings = load(environ)
        if not programs.until(lambda: _answers(up, f"http://127.0.0.1:{settings.port}/readyz"), 60):
            raise ChildProcessError("scout up does not answer")
        made = Stack(settings, up.pid, playing.pid, url)
        stack.callback(made.database.dispose)
        programs.until(made.queue.has_workers)
        yield made


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    if process.poll() is not None:
        raise ChildProcessError(f"{process.args!r} ended with {process.returncode}")
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - our own
            return True
    except OSError:
        return False


def _end(up: subprocess.Popen[bytes]) -> None:
    up.send_signal(signal.SIGINT)
    try:
        up.wait(30)
    except subprocess.TimeoutExpired:
        up.kill()
        up.wait()


# --- What is stored already ---


def fill(database: Database, folder: Path, size: int, seconds: float) -> None:
    """Copy jobs with their listings until there are `size` of them, or the time or the disk is used up.

    The copies' listings belong to a source that is never scanned.
    """
    deadline = time.monotonic() + seconds
    with database.session() as session:
        count = session.scalar(select(func.count(Job.id))) or 0
        first, last = session.execute(select(func.min(Job.id), func.max(Job.id))).one()
        whole = last - first + 1
        copied = Source(slug="copies", kind="lever", token="copies", name="Copies", paused=True)  # noqa: S106 - its place
        session.add(copied)
        session.flush()
        source_id = copied.id
    begin = first
    while count < size and time.monotonic() < deadline and shutil.disk_usage(folder).free > _LEFT:
        some = min(_COPIED, first + whole - begin, size - count)
        with database.session() as session:
            count += _copy(session, range(begin, begin + some), source_id)
        begin = first if begin + some >= first + whole else begin + some


def _copy(session: Session, ids: range, source_id: int) -> int:
    """Copy the jobs with these ids; how many there were."""
    step = (session.scalar(select(func.max(Job.id))) or 0) + 1 - ids.start
    jobs, listings = inspect(Job).local_table, inspect(Listing).local_table
    others = [each for each in jobs.c if each.name != "id"]
    wanted = jobs.c.id.between(ids.start, ids.stop - 1)
    session.execute(
        insert(Job).from_select(
            ["id", *(each.name for each in others)], select(jobs.c.id + step, *others).where(wanted)
        )
    )
    texts, marks = inspect(Description).local_table, inspect(Mark).local_table
    session.execute(
        insert(Description).from_select(
            ["job_id", "html", "text"],
            select(texts.c.job_id + step, texts.c.html, texts.c.text).where(
                texts.c.job_id.between(ids.start, ids.stop - 1)
            ),
        )
    )
    # What jobs are compared by is another for each copy: as many other jobs, not the same ones again.
    session.execute(
        insert(Mark).from_select(
            ["job_id", "mark"],
            select(marks.c.job_id + step, marks.c.mark / 2 + step).where(
                marks.c.job_id.between(ids.start, ids.stop - 1)
            ),
        )
    )
    new: dict[str, Any] = {
        "source_id": literal(source_id),
        "source_job_id": cast(listings.c.id, String) + literal(f"-{step}"),
        "job_id": listings.c.job_id + step,
        "address_key": listings.c.address_key / 2 + step,
        "role_key": listings.c.role_key / 2 + step,
    }
    names = [each.name for each in listings.c if each.name != "id"]
    session.execute(
        insert(Listing).from_select(
            names,
            select(*(new.get(name, listings.c[name]) for name in names)).where(
                listings.c.job_id.between(ids.start, ids.stop - 1)
            ),
        )
    )
    return session.scalar(select(func.count(Job.id)).where(Job.id >= ids.start + step)) or 0


# --- The measurement ---


def run(
    boards: int = BOARDS,
    postings: int = POSTINGS,
    sizes: Sequence[int] = SIZES,
    again: int = AGAIN,
    probe: int = PROBE,
) -> dict[str, Any]:
    """Measure once, print the tables, and write `results/scan.json`."""
    world = demo.boards(boards + probe * len(sizes), KINDS)
    steps: dict[str, Step] = {}
    grown: dict[str, dict[str, Any]] = {}
    with running(len(world), postings) as stack, Watch(stack.process.pid) as watch:
        slugs = stack.watch_boards(world[:boards])
        probes = [stack.watch_boards(world[boards + probe * at :][:probe]) for at in range(len(sizes))]

        def grow(at: int) -> None:
            stored = stack.jobs()
            step = stack.scan(probes[at])
            again = stack.scan(probes[at])
            grown[f"{sizes[at]:,}"] = {"stored": stored, "new": step.told(), "unchanged": again.told()}

        early = max(1, sizes[0] // postings)
        first = stack.scan(slugs[:early])
        grow(0)
        steps["first scan"] = first + stack.scan(slugs[early:])
        grow(1)
        # Scoring anew what is stored belongs here, once there is a way to ask for it.
        steps["again, 304"] = stack.scan(slugs[:again])
        stack.tell_boards("/demo/validators", on=False)
        steps["again, same bytes"] = stack.scan(slugs[:again])
        stack.tell_boards("/demo/edit", times=1)
        steps["again, one edit a board"] = stack.scan(slugs[:again])
        seen = watch.most
        stack.tell_boards("/demo/validators", on=True)
        for at in range(2, len(sizes)):
            fill(stack.database, stack.settings.data_dir, sizes[at], _FILLING)
            grow(at)
        result: dict[str, Any] = {
            "boards": boards,
            "kinds": dict(Counter(board.kind for board in world[:boards])),
            "workers": stack.settings.scan_workers,
            "steps": {name: step.told() for name, step in steps.items()},
            "another scan with so many stored": grown,
            "most memory of one process": seen,
            "database mb": round(
                sum(each.stat().st_size for each in stack.settings.data_dir.glob("scout.sqlite3*")) / 2**20
            ),
        }
    _show(result)
    write("scan", result)
    return result


def _show(result: dict[str, Any]) -> None:
    rows = []
    for name, step in result["steps"].items():
        shares = [f"{share:.0%}" for share in step["phase shares"].values()]
        used = step["processor us per posting"]
        rows.append(
            [
                name,
                f"{step['postings']:,}",
                f"{step['seconds']:.1f}",
                f"{step['postings per second']:,}",
                *shares,
                f"{used.get('scanning', 0):.0f}",
                f"{used.get('boards', 0):.0f}",
            ]
        )
    head = ["a run", "postings", "seconds", "a second", *catalogue.PHASE.values]
    print(table([*head, "scanning us", "boards us"], rows))
    first = result["steps"]["first scan"]["ms of a scan per posting, by kind"]
    others = [step["ms of a scan per posting, by kind"] for step in result["steps"].values()]
    rows = [[kind, *(f"{each[kind]:.2f}" if kind in each else "-" for each in others)] for kind in first]
    print(table(["ms of a scan per posting", *result["steps"]], rows))
    rows = [
        [
            f"{each['stored']:,}",
            f"{each['new']['ms per posting']:.2f}",
            f"{each['new']['phase seconds']['store'] / max(each['new']['postings'], 1) * 1e3:.2f}",
            f"{each['unchanged']['ms per posting']:.2f}",
        ]
        for each in result["another scan with so many stored"].values()
    ]
    print(table(["jobs stored already", "new, ms each", "of it storing", "unchanged, ms each"], rows))
    rows = [
        [part, f"{most['pss mb']:.1f}", f"{most['rss mb']:.1f}"]
        for part, most in result["most memory of one process"].items()
    ]
    print(table(["most memory of one process", "PSS MB", "RSS MB"], rows))
