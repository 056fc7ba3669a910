"""Gunicorn's log: through ours, and of each request one line with its route, never with its address.

Paths hold secrets here (feeds, calendars), and so do query strings everywhere.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger

from metrics.http import UNMATCHED
from scout import settings as scout_settings
from scout import traces
from scout.logs import setup
from webapp import request_ids

if TYPE_CHECKING:
    import datetime as dt

_requests = logging.getLogger("webapp.requests")

#: What is asked for every few seconds, day and night: of interest to who looks for it alone.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_SERVER_ERROR = 500


class ServerLogger(Logger):  # type: ignore[misc] # gunicorn ships no types
    """What gunicorn calls to say something, and at the end of each request."""

    def setup(self, cfg: Any) -> None:
        """Begin to write the log; gunicorn's own handlers are left out."""
        self.cfg = cfg
        self.error_log.propagate = self.access_log.propagate = True
        settings = scout_settings.load()
        setup.configure("web", settings)
        traces.prepare(settings)
        handler = logging.root.handlers[0]
        self._for_people = isinstance(handler, setup.Handler) and handler.form == "console"
        self._access_log_enabled = True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: dt.timedelta) -> None:
        """Write the line of one request, at its end.

        For people at a terminal the requests that went well would bury the rest: there they are shown with
        SCOUT_LOG_LEVEL=debug alone.
        """
        del req
        code = str(resp.status).partition(" ")[0]
        status = int(code) if code.isdecimal() else _SERVER_ERROR  # it ended before it had one
        endpoint = environ.get(request_ids.ENDPOINT, UNMATCHED)
        quiet = endpoint in _QUIET or self._for_people
        level = logging.DEBUG if quiet and status < _SERVER_ERROR else logging.INFO
        if not _requests.isEnabledFor(level):
            return
        method = environ.get("REQUEST_METHOD", "")
        _requests.log(
            level,
            "%s %s %s",
            method,
            endpoint,
            status,
            extra={
                **request_ids.of(environ),
                "method": method,
                "endpoint": endpoint,
                "status": str(status),
                "seconds": round(request_time.total_seconds(), 4),
                "bytes": getattr(resp, "sent", None) or 0,
            },
        )

    def reopen_files(self) -> None:
        """Nothing: there are no files of gunicorn's own."""

    def close_on_exec(self) -> None:
        """Nothing: likewise."""
