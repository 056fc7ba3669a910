"""Errors as programs read them: problem details (RFC 9457), each of a kind that /api/docs explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, request
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException

from scout import (
    appointments,
    cancelling,
    chosen_profile,
    discovery,
    jobs,
    queue,
    replays,
    runs,
    searches,
    sessions,
    tokens,
    watchlist,
)
from scout.database import DatabaseUnusable
from scout.errors import ScoutError
from scout.identity import merging
from scout.telling import channels
from webapp import request_ids
from webapp.api.answers import PREFIX, as_json

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem.

    Attributes:
        name: Its short name: `/api/docs#problem-NAME` explains it, and is its `type`.
        status: The status of its answers.
        title: What it is, the same each time.
        meaning: What it means and what to do, for the documentation.
    """

    name: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        """The reference that stands for it."""
        return f"/api/docs#problem-{self.name}"


_ALL = (
    Kind("malformed", 400, "The request cannot be read",
         "The body is no JSON, or a header does not have the form that it must have. Mend the request."),
    Kind("not-signed-in", 401, "No valid token",
         "Send `Authorization: Bearer` with a token of the account page, neither revoked nor expired."),
    Kind("missing-scope", 403, "The token may not do this",
         "The token lacks the scope that `detail` names. Make another token that has it."),
    Kind("foreign-request", 403, "Not from our own pages",
         "With a browser's session, writes need its CSRF token as `X-CSRFToken` and our own origin. Tokens"
         " need neither."),
    Kind("refused", 403, "Refused", "`detail` says why."),
    Kind("not-found", 404, "There is no such thing", "It was never there, or it was removed."),
    Kind("method-not-allowed", 405, "Not with this method", "`Allow` names the methods that there are."),
    Kind("conflict", 409, "It does not go together with what is there",
         "`detail` says what stands against it. Read the thing again, then decide."),
    Kind("still-running", 409, "The first request still runs",
         "A request with this `Idempotency-Key` is being carried out. Send it again in a moment."),
    Kind("changed-meanwhile", 412, "It was changed meanwhile",
         "`If-Match` names another version than there is now. Read it again, then decide."),
    Kind("too-large", 413, "The request is too large", "Send less at a time."),
    Kind("not-json", 415, "The body is not JSON", "Send it as `Content-Type: application/json`."),
    Kind("invalid", 422, "The request says something that cannot be",
         "`errors` names each field and what is wrong with it. Fields that do not exist are refused too."),
    Kind("unusable", 422, "That cannot be used", "`detail` says why, and what to do."),
    Kind("key-reused", 422, "The Idempotency-Key came with another request",
         "Take a new key for each request, and the same only to send the same request again."),
    Kind("too-many-requests", 429, "Too many requests",
         "Wait as many seconds as `Retry-After` says. `RateLimit` tells what is left."),
    Kind("fault", 500, "Something broke here", "The fault is in the log. Nothing was changed by halves."),
    Kind("unavailable", 503, "Not available right now",
         "The database or the queue does not answer. Try again in a moment."),
)  # fmt: skip
KINDS: Mapping[str, Kind] = {each.name: each for each in _ALL}

#: What a status means where nobody said more.
_BY_STATUS = {
    400: "malformed", 401: "not-signed-in", 403: "refused", 404: "not-found", 405: "method-not-allowed",
    409: "conflict", 412: "changed-meanwhile", 413: "too-large", 415: "not-json", 422: "invalid",
    429: "too-many-requests", 500: "fault", 503: "unavailable",
}  # fmt: skip

#: Errors of services, by kind. A class that is not here is `unusable`: its text says why.
_OF_SCOUT: tuple[tuple[str, tuple[type[ScoutError], ...]], ...] = (
    (
        "not-found",
        (
            jobs.JobNotFound,
            jobs.NoteNotFound,
            appointments.AppointmentNotFound,
            jobs.BatchNotFound,
            sessions.SessionNotFound,
            tokens.TokenNotFound,
            runs.RunNotFound,
            searches.SearchNotFound,
            watchlist.UnknownSource,
        ),
    ),
    ("changed-meanwhile", (jobs.Conflict, jobs.Edited)),
    (
        "conflict",
        (
            jobs.IllegalChange,
            jobs.NothingToUndo,
            merging.CannotMerge,
            merging.CannotSplit,
            runs.NothingToScan,
            watchlist.AlreadyWatched,
            cancelling.RunEnded,
            channels.ChannelsUnusable,
            chosen_profile.SettingWins,
        ),
    ),
    ("still-running", (replays.StillRunning,)),
    ("key-reused", (replays.KeyReused,)),
    ("unusable", (discovery.NothingToLookAt,)),
    ("unavailable", (queue.QueueAway, DatabaseUnusable)),
)


class Problem(HTTPException):
    """A request of the API that is refused.

    Args:
        kind: One of `KINDS`.
        detail: What is wrong in this case, in a sentence or two.
        errors: Where a field is wrong: `in` (`body`, `query`, `path` or `header`), `pointer` and `detail`.
        headers: More headers of the answer.
    """

    def __init__(
        self,
        kind: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = KINDS[kind]
        self.code = self.kind.status
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})


def wanted() -> bool:
    """Whether the request that runs is one of the API, so that its errors are told as problems."""
    return request.path.startswith(PREFIX)


def of_scout(error: ScoutError) -> Problem:
    """A service's error as a problem, in its own words."""
    kind = next((name for name, classes in _OF_SCOUT if isinstance(error, classes)), "unusable")
    return Problem(kind, str(error))


def invalid(found: Sequence[ErrorDetails], where: str) -> Problem:
    """What pydantic found wrong, field by field."""
    if any(each["type"] == "json_invalid" for each in found):
        return Problem("malformed", f"The body is no JSON: {found[0]['ctx']['error']}.")
    errors = [
        {
            "in": where,
            "pointer": "".join(f"/{_escaped(part)}" for part in each["loc"]),
            "detail": _words(each),
        }
        for each in found[:20]
    ]
    return Problem("invalid", "See `errors`: each names a field and what is wrong with it.", errors=errors)


def _escaped(part: str | int) -> str:
    return str(part)[:100].replace("~", "~0").replace("/", "~1")


def _words(each: ErrorDetails) -> str:
    match each["type"]:
        case "extra_forbidden":
            return "There is no such field."
        case "missing":
            return "This is needed."
        case "value_error":
            return str(each["msg"]).removeprefix("Value error, ")
        case _:
            return f"{each['msg']}."


def answer(error: HTTPException, text: str = "") -> Response:
    """The answer that tells of an error.

    Args:
        error: What was raised.
        text: What to say of it, where it is not a `Problem` that says so itself.
    """
    if isinstance(error, Problem):
        kind, detail, errors, headers = error.kind, error.detail, error.errors, error.headers
    else:
        code = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
        kind = KINDS[_BY_STATUS.get(code, "fault" if code >= HTTPStatus.INTERNAL_SERVER_ERROR else "refused")]
        detail, errors = text, ()
        headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
        if code not in _BY_STATUS:
            kind = Kind(kind.name, code, kind.title, kind.meaning)
    told: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail or kind.meaning,
        "request_id": request_ids.current(),
    }
    if errors:
        told["errors"] = list(errors)
    return Response(as_json(told), kind.status, headers, content_type=MEDIA_TYPE)
