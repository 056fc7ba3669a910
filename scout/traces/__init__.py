"""Traces: off, and nothing loaded that makes or sends them, unless a collector is named.

Every process calls `prepare`, and after its last fork `start`. What is traced asks for a `span`, which is
nothing while traces are off.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal

from scout.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from scout.traces.on import Tracing

_NOTHING: AbstractContextManager[None] = contextlib.nullcontext()
#: W3C Trace Context, section 3.2: version, trace, parent, flags.
_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

_tracing: Tracing | None = None


def prepare(settings: Settings) -> None:
    """Load what traces need, if a collector is named: before forks, whose children then share it."""
    global _tracing  # noqa: PLW0603 - one process, one tracer
    _tracing = None
    if settings.otlp_endpoint:
        from scout.traces.on import Tracing  # noqa: PLC0415 - half a second, and only where it is wanted

        _tracing = Tracing(settings)


def start(role: str) -> None:
    """Begin to send spans from this process, which forks no more.

    Args:
        role: What the process is, as in its log.
    """
    if _tracing is not None:
        _tracing.start(role)


def flush() -> None:
    """Send what there is, for a process that ends by `os._exit`."""
    if _tracing is not None:
        _tracing.flush()


def span(
    name: str,
    *,
    kind: Literal["internal", "producer", "consumer", "client"] = "internal",
    carried: Mapping[str, str] | None = None,
    fine: tuple[type[Exception], ...] = (),
    **attributes: str | float,
) -> AbstractContextManager[None]:
    """A part of a trace, until the end of the block.

    Args:
        name: What is done; few different ones.
        kind: Whether it hands something on, takes it, or asks another program.
        carried: What `carrier` gave where this was asked for; the span becomes part of that trace.
        fine: Exceptions that are no failure; any other one marks the span as failed.
        attributes: What is known of it; `__` stands for a dot, and names of our own begin with `scout`.
    """
    if _tracing is None:
        return _NOTHING
    dotted = {key.replace("__", "."): each for key, each in attributes.items()}
    return _tracing.span(name, kind, carried, fine, dotted)


def describe(**attributes: str | float) -> None:
    """Add attributes to the span that runs now, named as for `span`."""
    if _tracing is not None:
        _tracing.describe({key.replace("__", "."): each for key, each in attributes.items()})


def carrier() -> dict[str, str]:
    """What a job on the queue carries on: `{"traceparent": ...}` (W3C Trace Context), or nothing."""
    return _tracing.carrier() if _tracing is not None else {}


def of_queue(meta: Mapping[str, object]) -> dict[str, str]:
    """The trace that a queue's job carries. Who can write to Redis decides what is there: it is checked."""
    traceparent = meta.get("traceparent")
    if isinstance(traceparent, str) and _TRACEPARENT.fullmatch(traceparent):
        return {"traceparent": traceparent}
    return {}


def ids() -> dict[str, str]:
    """The `trace_id` and `span_id` that a line of the log has now, or nothing."""
    return _tracing.ids() if _tracing is not None else {}


def instrument(engine: Engine) -> None:
    """Make spans of a database's statements, where they are part of a trace."""
    if _tracing is not None:
        _tracing.instrument(engine)
