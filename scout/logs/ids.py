"""What a line of the log belongs to: the request, the queue's job, the run, the board.

structlog has the same (`structlog.contextvars`), but it takes 50 ms to load, and what binds ids is loaded by
every command. Threads begin with none.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType

from scout import traces

#: Whether a request's id is one that we take from a proxy, or from the queue.
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_NONE: Mapping[str, str | int] = MappingProxyType({})

_bound: ContextVar[Mapping[str, str | int]] = ContextVar("scout_logs_ids", default=_NONE)


def bound() -> Mapping[str, str | int]:
    """The ids that lines of the log have now."""
    return _bound.get()


def bind(**ids: str | int) -> Token[Mapping[str, str | int]]:
    """Add ids to what the lines of this thread say from here on; give what comes to `reset` at the end."""
    return _bound.set({**_bound.get(), **ids})


def reset(token: Token[Mapping[str, str | int]]) -> None:
    """What was bound before, again."""
    _bound.reset(token)


def clear() -> None:
    """Forget all ids of this thread: it begins with something new."""
    _bound.set(_NONE)


@contextlib.contextmanager
def binding(**ids: str | int) -> Iterator[None]:
    """Add ids until the end of the block."""
    token = bind(**ids)
    try:
        yield
    finally:
        reset(token)


def new_request_id() -> str:
    """An id for a request that came without one."""
    return secrets.token_hex(8)


def is_request_id(text: object) -> bool:
    """Whether a text from outside can be a request's id: 8 to 64 letters, digits, dots, `_` and `-`."""
    return isinstance(text, str) and _REQUEST_ID.fullmatch(text) is not None


def for_queue() -> dict[str, str]:
    """What a job that is put on the queue carries on, for `scout.logs.ids.of_queue`."""
    request_id = _bound.get().get("request_id")
    own = {"request_id": str(request_id)} if request_id is not None else {}
    return {**own, **traces.carrier()}


def of_queue(meta: Mapping[str, object]) -> dict[str, str]:
    """The ids that a queue's job carries. Who can write to Redis decides what is there: it is checked."""
    request_id = meta.get("request_id")
    return {"request_id": str(request_id)} if is_request_id(request_id) else {}
