"""Asking parts of the stack for the overview: measured, at once, and for two seconds at most."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from metrics import catalogue
from scout.neighbours import Unreachable, fetch

#: Seconds for everything that is asked at once.
PATIENCE = 2.0
_AT_ONCE = 8

Part = Literal["exporter", "gateway", "prometheus"]
Found = TypeVar("Found")


def page(part: Part, url: str) -> str:
    """The text that a part answers.

    Raises:
        Unreachable: It did not answer in time, or not with 200.
    """
    began = time.perf_counter()
    outcome = "failed"
    try:
        text = fetch(url, accept="*/*", patience=PATIENCE, in_all=PATIENCE).decode("utf-8", "replace")
        outcome = "succeeded"
    finally:
        catalogue.STATUS_ASKED.observe(time.perf_counter() - began, part=part, outcome=outcome)
    return text


def data(url: str) -> Any:
    """What Prometheus's API answers as `data`.

    Raises:
        Unreachable: It did not answer in time, or not with what was asked for.
    """
    try:
        told = json.loads(page("prometheus", url))
        if told["status"] == "success":
            return told["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreachable("it does not answer as Prometheus does") from None
    raise Unreachable("it says that the question is wrong")


def at_once(questions: Mapping[str, Callable[[], Found]]) -> dict[str, Found | Exception]:
    """The answers of several questions, asked at once; for what failed or took too long, why.

    What takes too long is left to itself: its own time limits end it, and nobody waits for that.
    """
    pool = concurrent.futures.ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="overview")
    try:
        asked = {name: pool.submit(question) for name, question in questions.items()}
        concurrent.futures.wait(asked.values(), timeout=PATIENCE)
        answers: dict[str, Found | Exception] = {}
        for name, each in asked.items():
            answer = _answer(each)
            answers[name] = answer
        return answers
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _answer(asked: concurrent.futures.Future[Found]) -> Found | Exception:
    if not asked.done():
        return Unreachable("it did not answer in time")
    error = asked.exception()
    if error is None:
        return asked.result()
    if isinstance(error, Exception):
        return error
    raise error
