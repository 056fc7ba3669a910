"""The owner's dates for calendar programs: at a secret address, and one by one as files."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from sqlalchemy.exc import OperationalError

from metrics.instruments import count_error
from scout import account, appointments, calendars, jobs
from scout.models import Account
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("calendars", __name__)
logger = logging.getLogger(__name__)


@pages.get("/feeds/calendar/<token>.ics")
def whole(token: str) -> ResponseReturnValue:
    """The calendar, for whoever knows its secret address."""
    settings = parts().settings
    with parts().database.reading() as db:
        owner = db.get(Account, 1)
        if owner is None or not calendars.opens(owner, token, account.secret_key(settings)):
            abort(404)
        body = calendars.whole(db, settings.pages)
        since = owner.calendar_changed_at
    if since is None or calendars.changed(owner, body):
        since = _note_change(body)
    answer = Response(body, content_type=calendars.MEDIA_TYPE)
    if since is not None:
        answer.last_modified = since
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _note_change(body: bytes) -> dt.datetime | None:
    try:
        with parts().database.session() as db:
            return calendars.note_change(db, body)
    except OperationalError as error:
        # The calendar is there to be read all the same; it is noted at the next reading.
        logger.warning("A change of the calendar was not noted: %s", error.orig)
        count_error(error, "web")
        return None


@pages.get("/jobs/<int:job_id>/appointments/<int:appointment_id>.ics")
def one(job_id: int, appointment_id: int) -> ResponseReturnValue:
    """One appointment as a file that a calendar opens."""
    with parts().database.reading() as db:
        body = calendars.one(appointments.get(db, job_id, appointment_id), parts().settings.pages)
    return _file(body, f"appointment-{appointment_id}.ics")


@pages.get("/jobs/<int:job_id>/next.ics")
def next_action(job_id: int) -> ResponseReturnValue:
    """What is to be done next about a job, likewise."""
    with parts().database.reading() as db:
        body = calendars.next_action(jobs.get(db, job_id), parts().settings.pages)
    if body is None:
        abort(404, "Nothing with a day is planned for this job.")
    return _file(body, f"job-{job_id}-next.ics")


def _file(body: bytes, name: str) -> Response:
    answer = Response(body, content_type=calendars.MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@pages.post("/pipeline/calendar/renew")
def renew() -> ResponseReturnValue:
    """Give the calendar another address; programs that know the one before are shut out."""
    with parts().database.session() as db:
        calendars.renew(db)
    flash("The calendar has a new address. The one before shows nothing any more.")
    return redirect(url_for("pipeline.board", _anchor="calendar"), 303)
