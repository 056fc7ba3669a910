"""Measuring by hand: a context manager or a decorator where the automatic instruments do not reach."""

from __future__ import annotations

import contextlib
import functools
import inspect
from time import perf_counter
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from metrics import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from metrics.model import Counter, Timer

P = ParamSpec("P")
R = TypeVar("R")


@contextlib.contextmanager
def track_query(table: str, operation: str) -> Iterator[None]:
    """Time a database call by hand, and count it as an error when it raises.

    For calls that do not go through an instrumented engine; those that do are measured already.

    Args:
        table: The main table.
        operation: `select`, `insert`, `update`, `delete`, `begin`, `commit` or `other`.
    """
    begun = perf_counter()
    try:
        yield
    except Exception as error:
        catalogue.DB_ERRORS.inc(operation=operation, type=type(error).__name__)
        raise
    finally:
        catalogue.DB_QUERY_DURATION.observe(perf_counter() - begun, operation=operation, table=table)


def count_error(error: BaseException, place: str) -> None:
    """Count an error that was met and dealt with, under its class.

    Args:
        error: What was caught.
        place: `web`, `scan`, `schedule`, `sampler`, `queue`, `push` or `cli`.
    """
    catalogue.APP_ERRORS.inc(type=type(error).__name__, place=place)


class _Around:
    """A context manager and a decorator, for functions and coroutine functions."""

    def enter(self) -> float:
        return perf_counter()

    def leave(self, begun: float) -> None:
        raise NotImplementedError

    def __enter__(self) -> None:
        # One object may be entered again inside its own block; the innermost ends first.
        self.__dict__.setdefault("_begun", []).append(self.enter())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave(self.__dict__["_begun"].pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaiting(*args: Any, **kwargs: Any) -> Any:
                begun = self.enter()
                try:
                    return await function(*args, **kwargs)
                finally:
                    self.leave(begun)

            return cast("Callable[P, R]", awaiting)

        @functools.wraps(function)
        def calling(*args: P.args, **kwargs: P.kwargs) -> R:
            begun = self.enter()
            try:
                return function(*args, **kwargs)
            finally:
                self.leave(begun)

        return calling


class timed(_Around):  # noqa: N801 - it reads as a decorator
    """Records how long a block or each call of a function takes, also when it raises.

    `with timed(catalogue.SCAN_PHASE_DURATION, phase="fetch"): ...`, or `@timed(...)` above a function, async
    or not. A `with` belongs to one thread; the decorator does not care.
    """

    def __init__(self, timer: Timer, /, **labels: str) -> None:
        self._series = timer.bind(**labels)

    def leave(self, begun: float) -> None:
        """Record the time since then."""
        self._series.observe(perf_counter() - begun)


class counted(_Around):  # noqa: N801 - it reads as a decorator
    """Counts a block, or each call of a function, when it ends, also when it raises."""

    def __init__(self, counter: Counter, /, **labels: str) -> None:
        self._series = counter.bind(**labels)

    def leave(self, begun: float) -> None:
        """Count one."""
        del begun
        self._series.inc()
