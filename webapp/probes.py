"""What programs ask: is it alive, is it ready, what are its metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, jsonify, request
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from metrics.instruments import count_error
from scout.database import is_current
from scout.errors import ScoutError
from scout.tokens import Scope
from webapp import bearer
from webapp.exporters import merged_page
from webapp.parts import parts
from webapp.security import may_read_metrics
from webapp.sessions import browser_session

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

log = logging.getLogger(__name__)
pages = Blueprint("probes", __name__)

#: The text format's media type (Prometheus documentation, "Exposition formats").
_TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"


@pages.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Alive: the process answers. Nothing else is looked at, so that a fault elsewhere restarts nobody."""
    return Response("ok\n", mimetype="text/plain")


@pages.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Ready: the database answers and has today's tables, and Redis answers. 503 while not.

    Who asks is not known, so the answer names the parts and nothing of their addresses or versions.
    """
    found = {"database": "ok", "migrations": "ok", "redis": "ok"}
    try:
        if not is_current(parts().database):
            found["migrations"] = "not up to date"
    except (SQLAlchemyError, ScoutError) as error:
        log.warning("The database does not answer: %s", error)
        count_error(error, "web")
        found["database"] = "does not answer"
        found["migrations"] = "not known"
    try:
        parts().redis.ping()
    except RedisError as error:
        log.warning("Redis does not answer: %s", error)
        count_error(error, "web")
        found["redis"] = "does not answer"
    ready = set(found.values()) == {"ok"}
    answer = jsonify({"ready": ready, "parts": found})
    answer.status_code = 200 if ready else 503
    return answer


@pages.get("/metrics")
def metrics() -> ResponseReturnValue:
    """What the exporters hold, in Prometheus's text format. For strangers the page does not exist.

    Programs of other networks present a token with the scope `metrics:read`.
    """
    if not (may_read_metrics(request) or bearer.may(Scope.METRICS_READ) or browser_session().signed_in):
        if bearer.is_presented():
            return bearer.refusal()
        abort(404)
    return Response(merged_page(parts().settings), content_type=_TEXT_FORMAT)
