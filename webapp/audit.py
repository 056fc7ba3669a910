"""Keeping what was done by pages and by programs, in one place: every unsafe request that succeeded.

A request's words are in `WORDS`, or its operation says them itself (`keep`); a new unsafe route needs some,
or a reason in `NOT_KEPT`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from metrics.instruments import count_error
from scout import audit, devices
from scout.errors import ScoutError
from scout.models import Job, SavedSearch, Source
from webapp import bearer
from webapp.parts import parts
from webapp.security import SAFE_METHODS
from webapp.sessions import browser_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

#: What each unsafe request did, by its endpoint.
WORDS = {
    "jobs.change_status": "Moved a job",
    "jobs.change_many": "Moved several jobs",
    "jobs.plan": "Planned what is next",
    "jobs.undo_many": "Took a change of several jobs back",
    "jobs.merge": "Made one job of two",
    "jobs.split": "Split a job",
    "jobs.add_note": "Wrote a note",
    "jobs.edit_note": "Changed a note",
    "jobs.delete_note": "Deleted a note",
    "pipeline.move": "Moved a job",
    "pipeline.finish": "Did what was next",
    "appointments.add": "Noted an appointment",
    "appointments.change": "Changed an appointment",
    "appointments.remove": "Removed an appointment",
    "appointments.put_back": "Put an appointment back",
    "calendars.renew": "Renewed the calendar's address",
    "searches.create": "Saved a search",
    "searches.change": "Changed a saved search",
    "searches.pause": "Paused a saved search",
    "searches.resume": "Resumed a saved search",
    "searches.renew_feed": "Renewed the addresses of a search's feeds",
    "searches.test": "Tried a channel of a saved search",
    "searches.remove": "Removed a saved search",
    "profile.choose": "Chose a profile",
    "welcome.begin": "Began with a first choice of boards",
    "welcome.skip": "Left the welcome out",
    "sources.add": "Added a board",
    "sources.add_starters": "Added the starter boards",
    "sources.pause": "Paused a board",
    "sources.resume": "Resumed a board",
    "sources.scan": "Scanned a board",
    "sources.set_schedule": "Changed a board's schedule",
    "sources.remove": "Removed a board",
    "sources.change_many": "Changed several boards",
    "sources.remove_many": "Removed several boards",
    "sources.undo": "Took a change of boards back",
    "scans.scan_everything": "Scanned everything",
    "scans.cancel": "Cancelled a scan",
    "sign_in.leave": "Signed out",
    "account.change_password": "Changed the password",
    "account.begin_codes": "Began to set up one-time codes",
    "account.confirm_codes": "Switched one-time codes on",
    "account.renew_recovery_codes": "Made new recovery codes",
    "account.switch_codes_off": "Switched one-time codes off",
    "account.end_session": "Signed a browser out",
    "account.end_other_sessions": "Signed all other browsers out",
    "account.create_token": "Made an API token",
    "account.revoke_token": "Revoked an API token",
}

#: Unsafe requests that leave no event, and why.
NOT_KEPT = {
    "sign_in.enter": "told as a sign-in that succeeded or failed, with more than a request knows",
    "sign_in.enter_code": "likewise",
    "appearance.choose": "sets a cookie of one browser",
    "jobs.mark_seen": "says what was looked at, with each page of the list",
    "jobs.mark_unseen": "likewise",
    "sources.discover": "looks at a page and changes nothing",
    "sources.try_": "reads a board once and changes nothing",
    "profile.would_change": "tells what would change",
    "profile.try_": "scores a text and changes nothing",
    "api_boards.discover_sources": "looks at a page and changes nothing",
    "api_boards.try_source": "reads a board once and changes nothing",
    "api_jobs.look_at_job": "says what was looked at",
    "api_jobs.mark_jobs_seen": "likewise",
    "api_jobs.mark_jobs_unseen": "likewise",
    "api_profile.check_profile": "reads a profile and changes nothing",
    "api_profile.preview_profile": "tells what would change",
    "api_profile.try_profile": "scores a text and changes nothing",
}


def keep(app: Flask, described: Callable[[str], str] = lambda _: "") -> None:
    """Keep what requests do. Called after `webapp.security.protect`, so that refused ones end before.

    Args:
        app: The application.
        described: What an endpoint does that is not in `WORDS`, in words; empty where it changes nothing.
    """
    app.extensions["scout_audit_words"] = described
    app.before_request(_look)
    app.after_request(_write)


def words(endpoint: str | None) -> str:
    """What an unsafe request of this endpoint does, in words; empty where no event is kept of it."""
    if endpoint is None or endpoint in NOT_KEPT:
        return ""
    described: Callable[[str], str] = current_app.extensions["scout_audit_words"]
    return WORDS.get(endpoint) or described(endpoint)


def about(subject: str) -> None:
    """Say what the request is about, where its address does not: called by views. Never a secret."""
    g.audit_subject = subject


def _look() -> None:
    """Before anything is changed: a board that is removed has no name afterwards, nor a browser a session."""
    if request.method in SAFE_METHODS or not words(request.endpoint):
        return
    token = bearer.presented()
    if token is not None:
        g.audit_by = f"token: {token.name}"
    elif browser_session().signed_in:
        g.audit_by = f"browser: {devices.told(request.headers.get('User-Agent', ''))}"
    else:
        return
    arguments = request.view_args or {}
    if arguments:
        with parts().database.reading() as db:
            g.audit_subject = _subject(db, arguments, request.path)


def _subject(db: Session, arguments: dict[str, Any], path: str) -> str:
    if "job_id" in arguments:
        # A number that the database's integers cannot hold is no job's.
        job = db.get(Job, arguments["job_id"]) if arguments["job_id"] < 2**31 else None
        return f"{job.title}, {job.company}" if job else ""
    if "slug" in arguments:
        slug = str(arguments["slug"])
        model = SavedSearch if "/searches" in path else Source
        return db.query(model.name).filter_by(slug=slug).scalar() or slug
    if "run_id" in arguments:
        return f"scan {arguments['run_id']}"
    return ", ".join(str(each) for each in arguments.values())


def _write(response: Response) -> Response:
    by = g.get("audit_by")
    if by is None or response.status_code >= 400:  # noqa: PLR2004 - the errors of HTTP
        return response
    endpoint = request.endpoint or ""
    try:
        with parts().database.session() as db:
            audit.record(
                db,
                endpoint,
                words(endpoint),
                by=by,
                subject=g.get("audit_subject", ""),
                address=request.remote_addr or "",
            )
    except (SQLAlchemyError, ScoutError) as error:
        # What was asked for is done: the answer stays, and the log tells of the gap.
        log.exception("What was done could not be kept: %s", endpoint)
        count_error(error, "web")
    return response
