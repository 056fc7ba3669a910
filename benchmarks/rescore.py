"""How long it takes until a changed profile has reached every job kept, and what the workers take for it.

100,000 jobs on SQLite, descriptions of the simulator's openings at the length of real ones, one in twenty of
the trade. The real path: the scheduler notices the changed file, two workers take the parts from a real
Redis. Then the same work in this process, phase by phase, over a tenth of the jobs: reading, scoring with and
without wishes. There is no peer that does the same: the figures stand by themselves.

`JOBS` changes how many there are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import insert, select

from benchmarks.measure import table, write
from demo.openings import mix, opening
from demo.words import COMPANIES
from scout import matching, rescoring
from scout.database import Database, migrate
from scout.matching.stored import posting_of
from scout.models import Description, Job, ScoringPart
from scout.settings import PROJECT, load
from tests.redis_server import RedisServer

JOBS = int(os.environ.get("JOBS", "100000"))
SHORT = {"jobs": 600}

_WISHES = """
places: {wanted: [DE, Zürich], otherwise: -5}
remote: {wanted: [remote], from: [EU]}
level: {wanted: [senior], unwanted: [intern]}
language: {wanted: [en, de]}
"""
#: Characters of a description, by the median of recorded postings whose texts were not cut.
_LENGTH = 5_000
_DAY = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
_BATCH = 2_000


def run(jobs: int = JOBS) -> dict[str, Any]:
    """Measure once, print the tables, and write `results/rescore.json`."""
    profile = (PROJECT / "scout/profiles/iam.yaml").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="scout-rescore-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        file = folder / "mine.yaml"
        file.write_text(profile, encoding="utf-8")
        server = RedisServer(folder)
        server.start()
        stack.callback(server.stop)
        environ = {
            "SCOUT_DATA_DIR": str(folder / "data"),
            "REDIS_URL": server.url,
            "SCOUT_PROFILE": str(file),
            "STATSD_URL": "udp://127.0.0.1:1",
            "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        }
        settings = load(environ)
        migrate(settings)
        db = Database.open(settings)
        stack.callback(db.dispose)
        _fill(db, jobs)
        rounds = []
        with _stack(environ) as watched:
            for what, text in (
                ("first scores", profile),
                ("points of one group changed", profile.replace("title: 60", "title: 59", 1)),
                ("wishes added", profile.replace("title: 60", "title: 59", 1) + _WISHES),
            ):
                file.write_text(text, encoding="utf-8")
                rounds.append({"round": what, **_round(db, matching.load_profile(file), watched)})
        phases = _phases(db, matching.load_profile("iam"), matching.load_profile(file), jobs)
    result = {"jobs": jobs, "rounds": rounds, "phases": phases}
    print(
        table(
            ["a round", "seconds", "of processor", "changed", "jobs/s", "largest process MB"],
            [
                [
                    each["round"],
                    f"{each['seconds']:.1f}",
                    f"{each['processor seconds']:.1f}",
                    f"{each['changed']:,}",
                    f"{each['jobs per second']:,.0f}",
                    f"{each['largest process mb']:.0f}",
                ]
                for each in rounds
            ],
        )
    )
    print(table(["a phase, one process", "µs a job"], [[each, f"{us:.0f}"] for each, us in phases.items()]))
    write("rescore", result)
    return result


def _fill(db: Database, jobs: int) -> None:
    """Keep jobs; a description is an opening's, and another one's below it until it is long enough."""
    for first in range(0, jobs, _BATCH):
        made = [_job(number) for number in range(first, min(first + _BATCH, jobs))]
        with db.session() as session:
            ids = session.scalars(insert(Job).returning(Job.id), [row for row, _ in made]).all()
            session.execute(
                insert(Description),
                [
                    {"job_id": each, "text": text, "html": f"<p>{text}</p>"}
                    for each, (_, text) in zip(ids, made, strict=True)
                ],
            )


#: The simulator's companies, with fewer openings of the trade than they have there.
_COMPANIES = [dataclasses.replace(each, identity=0.05) for each in COMPANIES]


def _job(number: int) -> tuple[dict[str, Any], str]:
    key = mix(7, number)
    company = _COMPANIES[number % len(_COMPANIES)]
    found = opening(key=key, number=number, version=1, company=company, published=_DAY, updated=_DAY)
    title, text, more = found.title, _text(found), 0
    while len(text) < _LENGTH:
        more += 1
        other = opening(
            key=mix(key, more), number=0, version=1, company=found.company, published=_DAY, updated=_DAY
        )
        text += "\n" + _text(other)
    return {
        "title": title,
        "company": found.company.name,
        "url": f"https://example.com/{number}",
        "department": found.family.department,
        "first_seen_at": _DAY,
        "posted_at": _DAY,
        "level": ("senior", "mid", "")[number % 3],
        "language": "en",
    }, text


def _text(found: Any) -> str:
    lines = []
    for section in found.sections:
        lines += [section.heading, *section.paragraphs, *section.bullets]
    return "\n".join(line for line in lines if line)


# --- The whole path ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Watched:
    """The started processes, and the most that one of them took."""

    processes: list[psutil.Process]
    most: float = 0.0

    def processor(self) -> float:
        """Seconds of processor time that they and their ended children have taken."""
        total = 0.0
        for root in self.processes:
            for each in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = each.cpu_times()
                    total += times.user + times.system + times.children_user + times.children_system
        return total

    def look(self) -> None:
        """Take the resident size of each of their processes."""
        for root in self.processes:
            for each in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    self.most = max(self.most, each.memory_info().rss / 2**20)


@contextlib.contextmanager
def _stack(environ: dict[str, str]) -> Iterator[_Watched]:
    programs = [
        subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=PROJECT,
            env={**os.environ, **environ},
            stderr=subprocess.DEVNULL,
        )
        for module in ("workers", "workers.schedule")
    ]
    try:
        yield _Watched([psutil.Process(each.pid) for each in programs])
    finally:
        for each in programs:
            each.send_signal(signal.SIGTERM)
        for each in programs:
            each.wait(30)


def _round(db: Database, profile: matching.Profile, watched: _Watched) -> dict[str, Any]:
    """Wait until all jobs are scored with a profile; the time counts from its change."""
    began = time.monotonic()
    wanted = matching.fingerprint(profile)
    watched.most, before = 0.0, watched.processor()
    while True:
        watched.look()
        with db.reading() as session:
            found = rescoring.progress(session)
        if found is not None and found.fingerprint == wanted and found.finished_at is not None:
            break
        time.sleep(0.1)
    seconds = time.monotonic() - began
    return {
        "seconds": round(seconds, 2),
        "processor seconds": round(watched.processor() - before, 2),
        "changed": found.changed,
        "jobs per second": round(found.total / seconds),
        "largest process mb": round(watched.most, 1),
    }


# --- Phase by phase ---------------------------------------------------------------------------------------


def _phases(db: Database, plain: matching.Profile, wishing: matching.Profile, jobs: int) -> dict[str, float]:
    """Processor time of each phase, in microseconds a job."""
    some = min(jobs, 10_000)
    with db.reading() as session:
        bound = session.scalars(select(Job.id).order_by(Job.id).offset(some - 1).limit(1)).one()
        rescoring.ask(db, plain)
        part = ScoringPart(at_id=0, last_id=bound, late=False)
        rows: list[Any] = []

        def read() -> None:
            while part.at_id < bound:
                batch = rescoring.batch_of(session, part, wishes=True)
                rows.extend(batch)
                part.at_id = batch[-1].id

        phases = {"read": _timed(read, some)}
    phases["score"] = _timed(lambda: [_score(row, plain) for row in rows], some)
    phases["score with wishes"] = _timed(lambda: [_score(row, wishing) for row in rows], some)
    return phases


def _score(row: Any, profile: matching.Profile) -> matching.Match:
    return matching.score(posting_of(row, row.text, wishes=bool(profile.wishes)), profile)


def _timed(work: Callable[[], object], count: int) -> float:
    began = time.process_time()
    work()
    return round((time.process_time() - began) / count * 1e6, 1)
