"""What a line of the log looks like: an object of JSON for programs, or a sentence and its ids for people.

Loaded with structlog, when the first line is to be written.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from structlog.processors import ExceptionRenderer
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict

from metrics import client
from scout import traces
from scout.logs import ids
from scout.logs.redacting import Redactor

#: The fields of every line, in this order, and what each says; docs/LOGS.md has the same table.
ALWAYS = {
    "timestamp": "When, in UTC (RFC 3339).",
    "level": "`debug`, `info`, `warning`, `error` or `critical`.",
    "event": "What happened, in a sentence.",
    "logger": "Which module says so; its first part is the `logger` of `iam_log_lines_total`.",
    "role": "What the process is, as in the `role` label: `web`, `arbiter`, `worker`, `scheduler`, `command`;"
    " and `prepare`, which migrates at start.",
    "slot": "Which of them it is, as in the `slot` label; absent before it has a number.",
    "host": "The machine, or the container.",
    "pid": "The process.",
}
#: Fields of some lines.
SOMETIMES = {
    "request_id": "The request that it belongs to, also in the queue's jobs that it asked for."
    " The answer has it as `X-Request-ID`, and pages that tell of an error show it.",
    "trace_id": "Its trace, where traces are on.",
    "span_id": "The part of the trace.",
    "job_id": "The queue's job.",
    "function": "What that job does, as in the `function` label.",
    "run_id": "The scan's run, as at `/scans/<run_id>`.",
    "source": "The board, by its short name, as in the Pushgateway's `source`.",
    "kind": "The board's kind, as in the `kind` label.",
    "status": "How it ended, as in the `status` label: a scan (`succeeded`) or an answer (`404`).",
    "trigger": "What asked for a scan: `owner`, `command`, `schedule` or `first`.",
    "reason": "Why a scan failed, as in the `reason` label.",
    "method": "A request's method, as in the `method` label.",
    "endpoint": "Its route, as in the `endpoint` label: never its address, which may hold secrets.",
    "seconds": "How long it took.",
    "bytes": "How long the answer's body was.",
    "exception": "What was raised: a list of errors, each with `exc_type`, `exc_value` and `frames`.",
}

#: What a line for people says of all that, where nothing is wrong.
_FOLLOWED = ("request_id", "run_id")

_HOST = os.uname().nodename
#: Characters that would end a line or tell a terminal what to do: C0, DEL and C1, the line ends of Unicode,
#: and those that turn the direction of what follows.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: Of a longer text the rest is cut off: a board's answer is not to fill the log.
_LONGEST = 2_000
#: What of it is looked through for secrets before that: with room for one that begins just before the cut.
_READ = 8_000
_MOST_FRAMES = 20
#: What a record has by itself, or its line has anyway, and what gunicorn puts there for a StatsD of its own.
_OWN = frozenset(
    {*vars(logging.LogRecord("", 0, "", 0, "", None, None)), "message", "asctime", *ALWAYS, "exception"}
    | {"metric", "value", "mtype"}
)

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_exceptions = ExceptionRenderer(
    ExceptionDictTransformer(show_locals=False, max_frames=_MOST_FRAMES, use_rich=False)
)


def formatter(*, form: str, role: str, redactor: Redactor, timed: bool) -> logging.Formatter:
    """What makes lines of records.

    Args:
        form: `json` or `console`.
        role: What the process is, as long as its metrics do not say so.
        redactor: Takes secrets out.
        timed: Whether a line for people begins with the time; what collects lines adds it by itself.
    """
    render: Callable[[Any, str, EventDict], str] = _json if form == "json" else _Sentence(timed=timed)
    return ProcessorFormatter(processors=[_exceptions, _Fields(role, redactor), render])


class _Fields:
    """A line's fields, as it is told: in order, without secrets, none too long."""

    def __init__(self, role: str, redactor: Redactor) -> None:
        self._role = role
        self._redactor = redactor

    def __call__(self, _logger: Any, _name: str, event_dict: EventDict) -> EventDict:
        record: logging.LogRecord = event_dict["_record"]
        role, slot = client.place() or (self._role, None)
        fields: dict[str, Any] = {
            "timestamp": dt.datetime.fromtimestamp(record.created, dt.UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": _told_of(event_dict["event"], self._redactor),
            "logger": record.name,
            "role": role,
        }
        if slot is not None:
            fields["slot"] = slot
        fields |= {"host": _HOST, "pid": record.process}
        own = {key: value for key, value in vars(record).items() if key not in _OWN}
        for key, value in {**ids.bound(), **traces.ids(), **own}.items():
            told = self._redactor.value(key, value[:_READ] if isinstance(value, str) else value)
            fields[key] = _cut(told) if isinstance(told, str) else told
        if "exception" in event_dict:
            fields["exception"] = [_raised(each, self._redactor) for each in event_dict["exception"]]
        return fields


def _raised(error: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    told: dict[str, Any] = {
        "exc_type": error["exc_type"],
        "exc_value": _told_of(str(error["exc_value"]), redactor),
        "frames": [f"{each['filename']}:{each['lineno']} {each['name']}" for each in error["frames"]],
    }
    if error.get("exc_notes"):
        told["exc_notes"] = [_told_of(str(each), redactor) for each in error["exc_notes"]]
    if error.get("exceptions"):
        told["exceptions"] = [[_raised(each, redactor) for each in group] for group in error["exceptions"]]
    return told


def _told_of(text: str, redactor: Redactor) -> str:
    return _cut(redactor.text(text[:_READ]), len(text))


def _cut(text: str, length: int = 0) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... ({max(length, len(text)) - _LONGEST} more)"


def _json(_logger: Any, _name: str, fields: EventDict) -> str:
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", _encode(fields))


class _Sentence:
    """A line for people: what happened, what it belongs to, and below it what was raised."""

    def __init__(self, *, timed: bool) -> None:
        self._timed = timed

    def __call__(self, _logger: Any, _name: str, fields: EventDict) -> str:
        words = []
        if self._timed:
            at = dt.datetime.fromisoformat(fields["timestamp"]).astimezone()
            words.append(f"{at:%H:%M:%S}")
        if fields["level"] != "info":
            words.append(f"{fields['level']}:")
        words.append(_safe(fields["event"]))
        if fields["level"] == "info":
            rest = {key: fields[key] for key in _FOLLOWED if key in fields}
        else:
            rest = {key: value for key, value in fields.items() if key not in ALWAYS and key != "exception"}
        words += [f"{key}={_shown(value)}" for key, value in rest.items()]
        return "\n".join([" ".join(words), *_told(fields.get("exception", ()), "    ")])


def _told(raised: Sequence[Mapping[str, Any]], indent: str) -> list[str]:
    lines = []
    for each in raised:
        lines += [f"{indent}{_safe(frame)}" for frame in each["frames"]]
        lines.append(f"{indent}{each['exc_type']}: {_safe(each['exc_value'])}")
        lines += [f"{indent}{_safe(note)}" for note in each.get("exc_notes", ())]
        for group in each.get("exceptions", ()):
            lines += _told(group, f"{indent}    ")
    return lines


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _safe(text if text and not re.search(r"[\s\"=]", text) else json.dumps(text, ensure_ascii=False))


def _safe(text: str) -> str:
    return _UNSAFE.sub(
        lambda match: repr(match[0])[1:-1] if match[0].isascii() else f"\\u{ord(match[0]):04x}", text
    )
