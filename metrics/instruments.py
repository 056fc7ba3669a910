"""Measuring by hand, where the automatic instruments do not reach.

Each of these is a context manager and a decorator of functions, coroutine functions and generator functions:

    with track_query("jobs", "select"): ...         @track_query("jobs", "select")
    with timed(catalogue.X, phase="parse"): ...     @timed(catalogue.X, phase="parse")
    with counted(catalogue.X): ...                  @counted(catalogue.X)
    with in_progress(catalogue.X): ...              @in_progress(catalogue.X)

A generator is measured from its first value to its end, or to where it is closed or thrown away. Asynchronous
generators are refused: whether one that nobody finishes ends soon is not known; write the `with` into them.
"""

from __future__ import annotations

import functools
import inspect
import os
from time import perf_counter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, overload

from metrics import catalogue, client, process
from metrics.labels import OTHER

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import TracebackType

    from metrics.model import Counter, Gauge, Timer

P = ParamSpec("P")
R = TypeVar("R")
N = TypeVar("N", bound="float | None")


def count_error(error: BaseException, place: str) -> None:
    """Count an error that was met and dealt with, under its class.

    Args:
        error: What was caught.
        place: `web`, `scan`, `schedule`, `sampler`, `queue`, `push` or `cli`.
    """
    catalogue.APP_ERRORS.inc(type=type(error).__name__, place=place)


class _Around:
    """A context manager and a decorator. A `with` belongs to one thread; the decorator does not care."""

    def enter(self) -> Any:
        """Begin; what is returned here is given to `leave`."""
        return perf_counter()

    def leave(self, begun: Any, error: BaseException | None) -> None:
        """End, also by an exception."""
        raise NotImplementedError

    def __enter__(self) -> None:
        # One object may be entered again inside its own block; the innermost ends first.
        self.__dict__.setdefault("_begun", []).append(self.enter())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave(self.__dict__["_begun"].pop(), error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is an asynchronous generator: write the `with` into it")
        if inspect.iscoroutinefunction(function):
            return cast("Callable[P, R]", self._awaiting(function))
        if inspect.isgeneratorfunction(function):
            return cast("Callable[P, R]", self._generating(function))

        @functools.wraps(function)
        def calling(*args: P.args, **kwargs: P.kwargs) -> R:
            begun = self.enter()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                self.leave(begun, error)
                raise
            self.leave(begun, None)
            return result

        return calling

    def _awaiting(self, function: Callable[P, Any]) -> Callable[P, Any]:
        @functools.wraps(function)
        async def awaiting(*args: P.args, **kwargs: P.kwargs) -> Any:
            begun = self.enter()
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                self.leave(begun, error)
                raise
            self.leave(begun, None)
            return result

        return awaiting

    def _generating(self, function: Callable[P, Generator[Any, Any, Any]]) -> Callable[P, Any]:
        @functools.wraps(function)
        def generating(*args: P.args, **kwargs: P.kwargs) -> Generator[Any, Any, Any]:
            begun = self.enter()
            try:
                result = yield from function(*args, **kwargs)
            except BaseException as error:
                self.leave(begun, error)
                raise
            self.leave(begun, None)
            return result

        return generating


class track_query(_Around):  # noqa: N801 - it reads as a decorator
    """Times a database call by hand, and counts it as an error when it raises.

    For calls that do not go through an instrumented engine; those that do are measured already.

    Args:
        table: The main table.
        operation: `select`, `insert`, `update`, `delete`, `begin`, `commit` or `other`.
    """

    def __init__(self, table: str, operation: str) -> None:
        self._operation = operation
        self._series = catalogue.DB_QUERY_DURATION.bind(operation=operation, table=table)

    def leave(self, begun: float, error: BaseException | None) -> None:
        """Record the time since then, and the error."""
        self._series.observe(perf_counter() - begun)
        if isinstance(error, Exception):  # not GeneratorExit, CancelledError and the like: nothing failed
            catalogue.DB_ERRORS.inc(operation=self._operation, type=type(error).__name__)


class timed(_Around):  # noqa: N801 - it reads as a decorator
    """Records how long a block or each call of a function takes, also when it raises."""

    def __init__(self, timer: Timer, /, **labels: str) -> None:
        self._series = timer.bind(**labels)

    def leave(self, begun: float, error: BaseException | None) -> None:
        """Record the time since then."""
        del error
        self._series.observe(perf_counter() - begun)


class counted(_Around):  # noqa: N801 - it reads as a decorator
    """Counts a block, or each call of a function, when it ends, also when it raises."""

    def __init__(self, counter: Counter, /, **labels: str) -> None:
        self._series = counter.bind(**labels)

    def leave(self, begun: float, error: BaseException | None) -> None:
        """Count one."""
        del begun, error
        self._series.inc()


class in_progress(_Around):  # noqa: N801 - it reads as a decorator
    """Tells how many such blocks or calls run in this process now.

    The gauge is set when one begins and ends, and again with each sample of the process, so that it is right
    after lost datagrams and while nothing changes. A forked child begins at 0: what ran in its parent still
    runs there. Threads need no lock; where two end in the same instant, the next sample sets what they said
    right.

    Args:
        gauge: A gauge with the labels `role` and `slot`, which are filled in here, and a `ttl`. Without them
            processes would overwrite each other, and one that was killed would never be forgotten.
        **labels: The gauge's other labels.

    Raises:
        ValueError: The gauge has no `role`, no `slot` or no `ttl`.
    """

    def __init__(self, gauge: Gauge, /, **labels: str) -> None:
        if not gauge.ttl or not {catalogue.ROLE.name, catalogue.SLOT.name} <= {
            label.name for label in gauge.labels
        }:
            raise ValueError(f"{gauge.name} needs a role, a slot and a ttl to tell of one process")
        self._running = _running(gauge, labels)

    def enter(self) -> object:
        """One more."""
        token = object()
        self._running.tokens.add(token)
        self._running.set()
        return token

    def leave(self, begun: object, error: BaseException | None) -> None:
        """One fewer. What was begun before a fork is its parent's."""
        del error
        if begun in self._running.tokens:
            self._running.tokens.discard(begun)
            self._running.set()


class gauged:  # noqa: N801 - it reads as a decorator
    """A decorator: sets a gauge to what each call of a function or a coroutine function returns.

    None leaves the gauge alone, and so does an exception. `@gauged(catalogue.DATABASE_SIZE)`.
    """

    def __init__(self, gauge: Gauge, /, **labels: str) -> None:
        self._series = gauge.bind(**labels)

    @overload
    def __call__(self, function: Callable[P, N]) -> Callable[P, N]: ...
    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, N]]
    ) -> Callable[P, Coroutine[Any, Any, N]]: ...
    def __call__(self, function: Callable[P, Any]) -> Callable[P, Any]:
        """The function, gauged."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaiting(*args: P.args, **kwargs: P.kwargs) -> Any:
                return self._set(await function(*args, **kwargs))

            return awaiting

        @functools.wraps(function)
        def calling(*args: P.args, **kwargs: P.kwargs) -> Any:
            return self._set(function(*args, **kwargs))

        return calling

    def _set(self, value: float | None) -> float | None:
        if value is not None:
            self._series.set(value)
        return value


class _Running:
    """What runs in this process under one combination of a gauge's labels."""

    __slots__ = ("_gauge", "_labels", "tokens")

    def __init__(self, gauge: Gauge, labels: dict[str, str]) -> None:
        self._gauge = gauge
        self._labels = labels
        #: One for each block that runs. Sets add, discard and count in one step.
        self.tokens: set[object] = set()

    def set(self) -> None:
        """Say how many there are."""
        role, slot = client.place() or (OTHER, OTHER)
        self.sample(role, slot)

    def sample(self, role: str, slot: str) -> None:
        """Say how many there are, as the process with this role and slot."""
        self._gauge.set(len(self.tokens), **self._labels, role=role, slot=slot)


_all_running: dict[str, _Running] = {}


def _running(gauge: Gauge, labels: dict[str, str]) -> _Running:
    # Under the labels as they are sent, so that what shares a series is counted together.
    bound = gauge.bind(**labels, role=OTHER, slot=OTHER)
    sent = dict(zip((label.name for label in gauge.labels), bound.labels, strict=False))
    for name in ("role", "slot"):
        sent.pop(name, None)
    found = _all_running.get(bound.wire)
    if found is None:
        found = _all_running.setdefault(bound.wire, _Running(gauge, sent))
        process.also(_sample)
    return found


def _sample(role: str, slot: str) -> None:
    for running in list(_all_running.values()):
        running.sample(role, slot)


def _after_fork() -> None:
    for running in list(_all_running.values()):
        running.tokens = set()


os.register_at_fork(after_in_child=_after_fork)
