"""A receiver of alerts that prints them: what stands at the end of the path until a real one does.

It takes what Alertmanager posts to a webhook (Alertmanager documentation, "webhook_config", version 4), and
notices when the watchdog stays away.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

#: The most that a notification may carry.
_LARGEST = 4 * 1024 * 1024
#: The alert that always fires.
WATCHDOG = "ScoutWatchdog"


def told(notification: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a notification says: lines, each with how bad it is, which is empty where a line goes on."""
    for alert in notification.get("alerts", ()):
        labels, notes = alert.get("labels", {}), alert.get("annotations", {})
        name = labels.get("alertname", "")
        if alert.get("status") == "resolved":
            yield "over", f"{name} {_where(labels)}".strip()
            continue
        yield labels.get("severity", ""), f"{name} {_where(labels)}".strip()
        for line in (notes.get("summary"), notes.get("description"), notes.get("runbook_url")):
            if line:
                yield "", line


def _where(labels: Mapping[str, str]) -> str:
    """The labels that tell one such alert from another."""
    known = {"alertname", "severity", "group", "slo"}
    return " ".join(f"{name}={value}" for name, value in sorted(labels.items()) if name not in known).strip()


class Receiver(http.server.ThreadingHTTPServer):
    """Takes notifications on every path, and hands each on.

    Attributes:
        heard: When the watchdog came last, by the monotonic clock; the start at first.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], take: Callable[[Mapping[str, Any]], None]) -> None:
        super().__init__(address, _Webhook)
        self._take = take
        self._taking = threading.Lock()
        self.heard = time.monotonic()

    def take(self, notification: Mapping[str, Any]) -> None:
        """Hand a notification on, one at a time."""
        with self._taking:
            if any(
                each.get("labels", {}).get("alertname") == WATCHDOG for each in notification.get("alerts", ())
            ):
                self.heard = time.monotonic()
            self._take(notification)


def _is_notification(said: Any) -> bool:
    alerts = said.get("alerts") if isinstance(said, dict) else None
    return isinstance(alerts, list) and all(
        isinstance(each, dict) and isinstance(each.get("labels", {}), dict) for each in alerts
    )


class _Webhook(http.server.BaseHTTPRequestHandler):
    server: Receiver
    timeout = 10

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST:
            self.send_error(413)
            return
        try:
            notification = json.loads(self.rfile.read(length))
        except ValueError:
            notification = None
        if not _is_notification(notification):
            self.send_error(400, "This is no notification of an Alertmanager")
            return
        self.server.take(notification)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's names
        """Nothing: what arrives is what is printed."""
