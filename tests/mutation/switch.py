"""Takes one emission out of the running program, and notes which test ran which.

The code is switched while it is imported, in this process and in every Python that it starts
(`child/sitecustomize.py`); no file is changed. All emissions are there at once, each behind a question, so
that a process that has imported everything can be forked for each of them.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from tests.mutation import sites

#: The variable that names the file where runs are noted.
NOTES = "EMISSIONS_NOTED_IN"
#: The variable that names the emission that is out.
REMOVED = "EMISSION_REMOVED"
_CHILD = str(Path(__file__).with_name("child"))

_removed = ""
_notes = -1
_noted: set[tuple[str, str]] = set()


def install() -> None:
    """Switch what is imported from now on, here and in children."""
    builtins.__emission__ = _emission  # type: ignore[attr-defined]
    builtins.__around_emission__ = _Around  # type: ignore[attr-defined]
    builtins.__emission_table__ = _table  # type: ignore[attr-defined]
    original = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        path = Path(self.get_filename(fullname))
        if not sites.mine(path):
            return original(self, fullname)
        return compile(sites.read(path).switched(), str(path), "exec", dont_inherit=True)

    # The method that is put in is of this class alone, where the one before was inherited.
    SourceFileLoader.get_code = get_code  # type: ignore[assignment,method-assign]
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if _CHILD not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([_CHILD, *filter(None, paths)])
    take_out(os.environ.get(REMOVED, ""))
    note_in(os.environ.get(NOTES, ""))


def take_out(key: str) -> None:
    """Be without this emission from now on; without none when it is empty."""
    global _removed  # noqa: PLW0603 - one process, one emission
    _removed = os.environ[REMOVED] = key


def note_in(file: str) -> None:
    """Add a line to this file for each emission and each test that runs it; to none when it is empty."""
    global _notes  # noqa: PLW0603 - one process, one file
    _noted.clear()
    os.environ[NOTES] = file
    _notes = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if file else -1


def noted(file: Path) -> Iterator[tuple[str, str, bool]]:
    """The emissions that were run, each with the test that was under way, and whether it was being set up."""
    for line in file.read_text(encoding="utf-8").splitlines():
        key, _, test = line.partition(" ")
        name, _, stage = test.rpartition(" ")
        yield key, name, stage == "(setup)"


def _emission(key: str) -> bool:
    if _notes >= 0:
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        if (key, test) not in _noted:
            _noted.add((key, test))
            os.write(_notes, f"{key} {test}\n".encode())
    return key != _removed


def _table(table: Any, where: dict[int, str]) -> Any:
    gone = [place for place, key in where.items() if not _emission(key)]
    if isinstance(table, dict):
        names = list(table)
        return {name: table[name] for place, name in enumerate(names) if place not in gone}
    return type(table)(each for place, each in enumerate(table) if place not in gone)


class _Around:
    """Stands for what measures a block or a function, and does so unless it is out."""

    def __init__(self, key: str, real: Any) -> None:
        self._key, self._real = key, real
        self._entered: list[bool] = []

    def __enter__(self) -> Any:
        there = _emission(self._key)
        self._entered.append(there)
        return self._real.__enter__() if there else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Any:
        return self._real.__exit__(kind, error, trace) if self._entered.pop() else None

    def enter(self) -> Any:
        """As the instruments' own: a token, for blocks that end elsewhere."""
        return (self._real.enter(),) if _emission(self._key) else ()

    def leave(self, token: tuple[Any, ...], error: BaseException | None) -> None:
        for entered in token:
            self._real.leave(entered, error)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        measured = self._real(function)
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                return await (measured if _emission(self._key) else function)(*args, **kwargs)

            return awaiting

        @functools.wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            return (measured if _emission(self._key) else function)(*args, **kwargs)

        return calling


@contextlib.contextmanager
def quiet(file: Path) -> Iterator[None]:
    """Have this process, a fork that is about to end, write into a file what it would print."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    yield
    sys.stdout.flush()
    sys.stderr.flush()
