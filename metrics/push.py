"""A scan's result, pushed to the Pushgateway once, at its end.

By the book (Prometheus documentation, "When to use the Pushgateway"): gauges only, one group per source,
every push a PUT of the same set of families, a short timeout, and groups of removed sources are deleted.
"""

from __future__ import annotations

import contextlib
import http.client
import math
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, delete_from_gateway, push_to_gateway
from prometheus_client import Gauge as Family
from prometheus_client.parser import text_string_to_metric_families

from metrics import catalogue
from metrics.instruments import count_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from metrics.model import PushedGauge

#: The `job` of every group.
JOB = "iam_scan"
#: Seconds that a push may take.
TIMEOUT = 2.0
#: Seconds that the gateway's whole page may take.
_PAGE_TIMEOUT = 5.0
# The family that the gateway itself keeps for each group.
_PUSHED = b"push_time_seconds{"


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """What the scan of one source came to.

    Attributes:
        state: `succeeded`, `partial` or `failed`.
        duration: Seconds from claim to end.
        finished_at: Unix time of the end.
        last_success_at: Unix time of the source's last success, this scan included; None when it never
            succeeded.
        seen: Postings seen.
        new: Postings seen for the first time.
        updated: Postings that had changed.
        closed: Postings that were gone.
        listed: Postings that the source has open now, as far as we know.
    """

    state: str
    duration: float
    finished_at: float
    last_success_at: float | None
    seen: int
    new: int
    updated: int
    closed: int
    listed: int


def push_scan(url: str, source: str, figures: ScanFigures) -> bool:
    """Replace the group of a source with these figures. Never raises, and takes two seconds at most per step.

    Args:
        url: Address of the Pushgateway, such as `http://127.0.0.1:9091`.
        source: The source's slug.
        figures: What the scan came to.

    Returns:
        Whether the gateway took it. Counted as `iam_scan_pushes_total` either way: `refused` when it
        answered with an error, as for a family that another group has with another type.
    """
    outcome = "failed"
    try:
        registry = CollectorRegistry(auto_describe=False)
        for metric, value in _values(figures).items():
            Family(metric.name, metric.help, registry=registry).set(value)
        push_to_gateway(url, JOB, registry, {"source": source}, timeout=TIMEOUT, handler=_deliver)
        outcome = "succeeded"
    except urllib.error.HTTPError as error:
        outcome = "refused"
        count_error(error, "push")
    except (OSError, http.client.HTTPException) as error:
        outcome = "unreachable"
        count_error(error, "push")
    except Exception as error:  # noqa: BLE001 - a scan must not fail on the gateway, whatever the reason
        count_error(error, "push")
    catalogue.SCAN_PUSHES.inc(outcome=outcome)
    return outcome == "succeeded"


def forget_source(url: str, source: str) -> bool:
    """Delete the group of a removed source. Never raises.

    Returns:
        Whether the gateway took the request; a group that it does not know is fine with it.
    """
    try:
        delete_from_gateway(url, JOB, {"source": source}, timeout=TIMEOUT, handler=_deliver)
    except Exception as error:  # noqa: BLE001 - removing a source must not fail on the gateway, whatever the reason
        count_error(error, "push")
        return False
    return True


def pushed_sources(url: str) -> set[str]:
    """The sources that have a group at the gateway.

    Raises:
        OSError: It does not answer, or not with its page.
    """
    deadline = time.monotonic() + _PAGE_TIMEOUT
    lines = []
    try:
        with _asked(urllib.request.Request(f"{url}/metrics"), TIMEOUT) as page:  # noqa: S310 - as below
            for line in page:
                if time.monotonic() > deadline:
                    raise TimeoutError("the gateway's page took too long")
                if line.startswith(_PUSHED):
                    lines.append(line.decode())
        groups = [
            sample.labels
            for family in text_string_to_metric_families("".join(lines))
            for sample in family.samples
        ]
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"the gateway's page cannot be read: {error}") from error
    # Exactly our grouping key. The gateway adds an empty `instance` to every group.
    told = ({name: value for name, value in labels.items() if value} for labels in groups)
    return {own["source"] for own in told if own.keys() == {"job", "source"} and own["job"] == JOB}


def _values(figures: ScanFigures) -> dict[PushedGauge, float]:
    values: dict[PushedGauge, float] = {
        catalogue.SCAN_LAST_SUCCESS: figures.last_success_at or 0.0,
        catalogue.SCAN_LAST_RUN: figures.finished_at,
        catalogue.SCAN_LAST_DURATION: figures.duration,
        catalogue.SCAN_LAST_SUCCEEDED: figures.state in {"succeeded", "partial"},
        catalogue.SCAN_LAST_COMPLETE: figures.state == "succeeded",
        catalogue.SCAN_LAST_SEEN: figures.seen,
        catalogue.SCAN_LAST_NEW: figures.new,
        catalogue.SCAN_LAST_UPDATED: figures.updated,
        catalogue.SCAN_LAST_CLOSED: figures.closed,
        catalogue.SCAN_LISTED: figures.listed,
    }
    if not all(math.isfinite(value) for value in values.values()):
        raise ValueError("a figure is not finite")
    return values


def _deliver(
    url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
) -> Callable[[], None]:
    """prometheus_client's way of sending, past the environment's proxies: the gateway is one of ours."""

    def send() -> None:
        request = urllib.request.Request(url, data=data, headers=dict(headers), method=method)  # noqa: S310 - the address is the owner's setting
        with _asked(request, timeout) as answer:
            answer.read(65_536)

    return send


@contextlib.contextmanager
def _asked(request: urllib.request.Request, timeout: float | None) -> Iterator[Any]:
    """The gateway's answer; one of 400 or more raises."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            yield answer
    except urllib.error.HTTPError as error:
        error.close()
        raise
