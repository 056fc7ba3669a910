"""Appointments of a job: the forms of the panel on its page."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, abort, flash, redirect, request, session, url_for

from scout import agenda, appointments, digits, jobs
from scout.appointments import AppointmentNotFound, AppointmentUnusable, Wish
from scout.telling.hours import HoursUnusable
from webapp.parts import parts

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("appointments", __name__)

#: What was typed and could not be kept, and what was removed: shown once, on the page that comes next.
_TYPED = "appointment_typed"
_REMOVED = "appointment_removed"
_FIELDS = ("what", "day", "time", "timezone", "minutes", "place", "note")


@pages.app_template_global("appointment_form")
def form(job_id: int) -> dict[str, Any]:
    """What the panel of a job's page needs: what was typed, what was removed, the owner's zone and today."""
    typed = session.get(_TYPED, {})
    removed = session.get(_REMOVED, {})
    found: dict[str, Any] = {
        "typed": {},
        "removed": None,
        "timezone": parts().settings.time_zone,
        "today": agenda.today(parts().settings.time_zone),
        "usual": appointments.USUAL,
    }
    if typed.get("job_id") == job_id:
        found["typed"] = session.pop(_TYPED)
    if removed.get("job_id") == job_id and not removed.get("told"):
        found["removed"] = removed
        session[_REMOVED] = {**removed, "told": True}
    return found


@pages.post("/jobs/<int:job_id>/appointments")
def add(job_id: int) -> ResponseReturnValue:
    """Note an appointment."""
    with parts().database.session() as db:
        try:
            made = appointments.add(db, job_id, _wish())
        except (AppointmentUnusable, HoursUnusable) as error:
            _keep_typed(job_id, 0, str(error))
        else:
            flash(f"Noted: {made.what}.")
            session.pop(_REMOVED, None)
    return _there(job_id)


@pages.post("/jobs/<int:job_id>/appointments/<int:appointment_id>")
def change(job_id: int, appointment_id: int) -> ResponseReturnValue:
    """Change an appointment."""
    with parts().database.session() as db:
        try:
            appointments.change(
                db,
                job_id,
                appointment_id,
                _wish(),
                sequence=digits.whole(request.form.get("sequence", "")),
            )
        except (AppointmentUnusable, HoursUnusable, jobs.Edited) as error:
            _keep_typed(job_id, appointment_id, str(error))
        except AppointmentNotFound:
            flash("This appointment was removed meanwhile.", "problem")
        else:
            flash("The appointment is changed.")
    return _there(job_id)


@pages.post("/jobs/<int:job_id>/appointments/<int:appointment_id>/remove")
def remove(job_id: int, appointment_id: int) -> ResponseReturnValue:
    """Take an appointment away; one that is gone already is no error."""
    with parts().database.session() as db:
        was = appointments.remove(db, job_id, appointment_id)
    if was is not None:
        session[_REMOVED] = was
    return _there(job_id)


@pages.post("/jobs/<int:job_id>/appointments/put-back")
def put_back(job_id: int) -> ResponseReturnValue:
    """Undo the last removal."""
    was = cast("dict[str, Any]", session.get(_REMOVED, {}))
    if was.get("job_id") != job_id:
        flash("There is no removed appointment to put back.", "problem")
    else:
        with parts().database.session() as db:
            appointments.put_back(db, {name: value for name, value in was.items() if name != "told"})
        session.pop(_REMOVED)
    return _there(job_id)


def _wish() -> Wish:
    given = request.form
    try:
        day = dt.date.fromisoformat(given.get("day", ""))
        time = dt.time.fromisoformat(given.get("time", "")).replace(tzinfo=None)
    except ValueError:
        raise AppointmentUnusable(
            "Say when it is: a day such as 2026-06-12 and a time such as 10:30."
        ) from None
    minutes = digits.whole(given.get("minutes", ""))
    if minutes is None:
        raise AppointmentUnusable("Say how long it is, in minutes.")
    return Wish(
        what=given.get("what", ""),
        begins=dt.datetime.combine(day, time),
        timezone=given.get("timezone", "").strip() or parts().settings.time_zone,
        minutes=minutes,
        place=given.get("place", ""),
        note=given.get("note", ""),
    )


def _keep_typed(job_id: int, appointment_id: int, problem: str) -> None:
    given = {name: request.form.get(name, "")[: appointments.LONGEST_NOTE] for name in _FIELDS}
    session[_TYPED] = {**given, "job_id": job_id, "id": appointment_id, "problem": problem}


def _there(job_id: int) -> ResponseReturnValue:
    with parts().database.reading() as db:
        if not jobs.is_kept(db, job_id):
            abort(404)
    return redirect(url_for("jobs.detail", job_id=job_id, _anchor="appointments"), 303)
