"""The mutation check: takes out each emission in turn, and says which ones no test misses.

    python -m tests.mutation                    # all: `make mutants`
    python -m tests.mutation webapp metrics/http.py
    python -m tests.mutation --list

Every emission (`tests.mutation.sites`) is taken out by itself, in a forked process, and the tests that run it
are run until one fails, those first that speak of it. First come the unit tests that speak of metrics, then
the other unit tests, then all others, file by file, for as long as something is left. Prints a line for each
emission that can go unnoticed.

Exit codes: 0 when every emission is missed by a test, 1 when one is not or a test fails by itself, 2 when
the tests cannot be collected.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import inspect
import itertools
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from tests import waiting
from tests.mutation import sites, switch
from tests.mutation.sites import Site

T = TypeVar("T")

#: How many processes run at a time.
AT_ONCE = 2
#: Seconds after which no further test is begun for one emission.
_ENOUGH = 45.0
#: Seconds after which a process hangs: without the emission, a test waits for ever.
_HANGS = 240.0
_UNIT = "tests/unit/"
#: So many that are left are named on the way.
_FEW = 10


@dataclass(slots=True)
class Verdict:
    """What became of the tests without one emission."""

    site: Site
    missed_by: str = ""
    run: int = 0


@dataclass(slots=True)
class Known:
    """What runs with every emission in place taught.

    Attributes:
        tests: The tests that run an emission, by its key.
        served: The files of tests whose fixtures run it, maybe once for all of their tests.
        took: Seconds by test.
        failed: Tests that fail by themselves.
    """

    tests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    served: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    took: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Check:
    """A pytest plugin that runs the collected tests in its own way."""

    def __init__(self, wanted: list[Site], folder: Path, *, unit_only: bool) -> None:
        self.wanted = wanted
        self.folder = folder
        self.unit_only = unit_only
        self.known = Known()
        self.verdicts = {site.key: Verdict(site) for site in wanted}
        self.collected = False
        self._forks = 0
        self._said: dict[object, str] = {}
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line, with the seconds since the beginning."""
        print(f"{time.monotonic() - self._begun:5.0f} s  {text}", flush=True)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own loop."""
        if session.testsfailed:
            return True
        self.collected = True
        unit = [item for item in session.items if item.nodeid.startswith(_UNIT)]
        speaking = {item for item in unit if "metrics" in self._text(item.path)}
        self._further("The unit tests that speak of metrics", [item for item in unit if item in speaking])
        self._further("The other unit tests", [item for item in unit if item not in speaking])
        if self.unit_only:
            return True
        files: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in session.items:
            if not item.nodeid.startswith(_UNIT):
                files[item.nodeid.split("::")[0]].append(item)
        for file in sorted(files, key=lambda name: self._nearness(files[name][0])):
            self._further(file, files[file])
        return True

    def _left(self) -> list[Site]:
        return [verdict.site for verdict in self.verdicts.values() if not verdict.missed_by]

    def _further(self, name: str, items: list[pytest.Item]) -> None:
        """Let some more tests miss what is left."""
        left = self._left()
        if not left:
            return
        self._learn(items)
        self._try([(site, chosen) for site in left if (chosen := self._chosen(site, items))])
        still = self._left()
        self.say(f"{name} miss {len(left) - len(still)} emissions of {len(left)}")
        if len(still) <= _FEW:
            print(*(f"         left: {site}" for site in still), sep="\n", end="\n" if still else "")

    # --- Which tests ---

    def _chosen(self, site: Site, items: list[pytest.Item]) -> list[pytest.Item]:
        running, served = self.known.tests[site.key], self.known.served[site.key]
        found = [
            item
            for item in items
            if item.nodeid in running or _file(item.nodeid) in served
            if item.nodeid not in self.known.failed
        ]
        return sorted(found, key=lambda item: self._distance(site, item))

    def _distance(self, site: Site, item: pytest.Item) -> tuple[object, ...]:
        """How far a test is from an emission: the near ones speak of it, and run little else."""
        function = getattr(item, "function", None)
        return (
            not any(hint in self._text(function) for hint in site.hints),
            not any(hint in self._text(item.path) for hint in site.hints),
            Path(site.file).stem not in item.path.stem,
            self.known.took.get(item.nodeid, 0.0),
        )

    def _nearness(self, item: pytest.Item) -> float:
        """How far a file of tests is from what is left: the near ones name its modules and metrics."""
        text = self._text(item.path)

        def near(site: Site) -> float:
            names = [*Path(site.file).parent.parts, Path(site.file).stem.partition(".")[0].strip("_")]
            named = sum(re.search(rf"\b{name}\b", text) is not None for name in names) / len(names)
            return named**2 + any(hint in text for hint in site.hints)

        return -sum(near(site) for site in self._left())

    def _text(self, of: object) -> str:
        if of not in self._said:
            self._said[of] = of.read_text("utf-8") if isinstance(of, Path) else inspect.getsource(of)  # type: ignore[arg-type]
        return self._said[of]

    # --- Running ---

    def _learn(self, items: list[pytest.Item]) -> None:
        """Run the tests with everything in place; note what each runs, and how long it takes."""
        notes = self.folder / f"notes-{self._forks}"

        def work(share: list[pytest.Item]) -> Callable[[], list[tuple[str, bool, float]]]:
            def run() -> list[tuple[str, bool, float]]:
                switch.note_in(str(notes))
                return list(_outcomes(share))

            return run

        answers = self._forked([work(share) for share in _shares(items)], patience=_HANGS * 5)
        for answer in answers:
            if answer is None:
                raise RuntimeError("the tests do not end by themselves")
            for test, failed, took in answer:
                self.known.took[test] = took
                if failed:
                    self.known.failed.append(test)
        if notes.exists():
            for key, test, early in switch.noted(notes):
                self.known.tests[key].add(test)
                if early:
                    self.known.served[key].add(_file(test))

    def _try(self, tasks: list[tuple[Site, list[pytest.Item]]]) -> None:
        """Take out each emission, and run its tests until one fails."""

        def work(site: Site, items: list[pytest.Item]) -> Callable[[], tuple[str, int]]:
            def run() -> tuple[str, int]:
                switch.take_out(site.key)
                # What does not come for want of the emission is waited for in vain.
                waiting.PATIENCE = 10.0
                begun, count = time.monotonic(), 0
                for test, failed, _ in _outcomes(items, first=True):
                    count += 1
                    if failed:
                        return test, count
                    if time.monotonic() - begun > _ENOUGH:
                        break
                return "", count

            return run

        tasks = [(site, items) for site, items in tasks if items]
        answers = self._forked([work(site, items) for site, items in tasks], patience=_HANGS)
        for (site, items), answer in zip(tasks, answers, strict=True):
            verdict = self.verdicts[site.key]
            verdict.missed_by, count = answer if answer is not None else ("a test that hangs", len(items))
            verdict.run += count
        self._doubt(tasks)

    def _doubt(self, tasks: list[tuple[Site, list[pytest.Item]]]) -> None:
        """Try again where the test that failed speaks of something else, and fails by itself now and then."""
        strange = {
            item.nodeid: item
            for site, items in tasks
            for item in items
            if item.nodeid == self.verdicts[site.key].missed_by
            and not any(hint in self._text(item.path) for hint in site.hints)
        }
        answers = self._forked(
            [functools.partial(_whether, item) for item in strange.values()], patience=_HANGS
        )
        unsteady = {test for test, failed in zip(strange, answers, strict=True) if failed != [False]}
        self.known.failed += unsteady
        again = []
        for site, items in tasks:
            if self.verdicts[site.key].missed_by in unsteady:
                self.verdicts[site.key].missed_by = ""
                again.append((site, [item for item in items if item.nodeid not in unsteady]))
        if again:
            self._try(again)

    def _forked(self, works: Sequence[Callable[[], T]], *, patience: float) -> list[T | None]:
        """Do each work in a process of its own, some at a time; None for one that does not end."""
        answers: list[T | None] = [None] * len(works)
        running: dict[int, tuple[int, float, Path]] = {}
        waiting = list(enumerate(works))
        try:
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    place, work = waiting.pop(0)
                    self._forks += 1
                    folder = self.folder / str(self._forks)
                    running[self._fork(work, folder)] = (place, time.monotonic(), folder)
                for process, (place, begun, folder) in list(running.items()):
                    ended = os.waitpid(process, os.WNOHANG)[0] == process
                    hangs = not ended and time.monotonic() - begun > patience
                    if not ended and not hangs:
                        continue
                    _end(process, reap=hangs)
                    del running[process]
                    answer = folder / "answer"
                    if ended and not answer.exists():
                        raise RuntimeError((folder / "output").read_text("utf-8", errors="replace")[-4000:])
                    answers[place] = None if hangs else json.loads(answer.read_text("utf-8"))
                    shutil.rmtree(folder, ignore_errors=True)
                time.sleep(0.005)
        finally:
            for process in running:
                _end(process, reap=True)
        return answers

    @staticmethod
    def _fork(work: Callable[[], object], folder: Path) -> int:
        folder.mkdir()
        process = os.fork()
        if process:
            return process
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
        with switch.quiet(folder / "output"):
            answer = json.dumps(work())
            (folder / "unfinished").write_text(answer, "utf-8")
            (folder / "unfinished").rename(folder / "answer")
        os._exit(0)  # the exit hooks are the parent's


def _end(process: int, *, reap: bool) -> None:
    """End a fork and whatever its tests left behind: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    if reap:
        os.waitpid(process, 0)


def _outcomes(items: Sequence[pytest.Item], *, first: bool = False) -> Iterator[tuple[str, bool, float]]:
    """Run tests, and tell of each whether it failed and how long it took.

    Args:
        items: The tests.
        first: Stop, and clean up, after the first one that fails.
    """
    from _pytest.runner import runtestprotocol  # noqa: PLC0415 - pytest has no other name for it

    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        reports = runtestprotocol(item, log=False, nextitem=following)
        failed = [report for report in reports if report.failed]
        for report in failed:
            print(item.nodeid, report.longreprtext)
        yield item.nodeid, bool(failed), sum(report.duration for report in reports)
        if failed and first:
            return


def _shares(items: Sequence[pytest.Item]) -> list[list[pytest.Item]]:
    """Some shares for each process, of whole files that stand together: they use the same fixtures."""
    shares: list[list[pytest.Item]] = [[]]
    for _, together in itertools.groupby(items, key=lambda item: _file(item.nodeid)):
        if len(shares[-1]) > len(items) / (3 * AT_ONCE):
            shares.append([])
        shares[-1] += together
    return shares


def _whether(item: pytest.Item) -> list[bool]:
    return [failed for _, failed, _ in _outcomes([item])]


def _file(test: str) -> str:
    return test.split("::", maxsplit=1)[0]


def say(text: str) -> None:
    print(text, flush=True)


def _asked_for(site: Site, places: Iterable[str]) -> bool:
    return any(site.key.startswith(place) for place in places)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.partition("\n")[0])
    parser.add_argument("places", nargs="*", default=[""], help="folders, files or file:line to check")
    parser.add_argument("--list", action="store_true", help="only list the emissions")
    parser.add_argument("--unit", action="store_true", help="ask no tests but the unit tests")
    asked = parser.parse_args(arguments)
    found = [site for site in sites.everywhere() if _asked_for(site, asked.places)]
    if asked.list:
        say("\n".join(map(str, found)))
        return 0
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="m-"))
    switch.install()
    check = Check(found, folder, unit_only=asked.unit)
    try:
        code = pytest.main(["-q", "-q", "-s", "-p", "no:cacheprovider", "-p", "no:terminalreporter"], [check])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not check.collected:
        say(f"The tests could not be collected: {code!r}")
        return 2
    return report(check, time.monotonic() - begun)


def report(check: Check, took: float) -> int:
    """Print what was found; the exit code."""
    for test in check.known.failed:
        say(f"{test} fails by itself, now and then at least")
    never = survived = 0
    for verdict in check.verdicts.values():
        if verdict.missed_by:
            continue
        if verdict.run:
            survived += 1
            say(f"{verdict.site}: no test misses it, of {verdict.run} that were run")
        else:
            never += 1
            say(f"{verdict.site}: no test runs it")
    say(
        f"{len(check.verdicts)} emissions taken out in {took:.0f} s: {survived} that no test misses, "
        f"{never} that no test runs"
    )
    return 1 if survived or never or check.known.failed else 0


if __name__ == "__main__":
    sys.exit(main())
