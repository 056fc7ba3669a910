"""What a metric of a test is declared with besides what the test is about."""

from __future__ import annotations

from typing import TypedDict

from metrics.model import Signal


class Plain(TypedDict):
    """What every metric has to say."""

    help: str
    raised_by: str
    signal: Signal


PLAIN: Plain = {"help": "A thing.", "raised_by": "this test", "signal": Signal.TRAFFIC}
