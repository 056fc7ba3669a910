"""The pipeline: jobs by the stage they are in, what is due, appointments, and how it goes."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from flask import Response
from pydantic import Field

from scout import account, agenda, appointments, calendars, clock, funnel, jobs, pipeline
from scout.agenda import Entry
from scout.appointments import LONGEST, LONGEST_NOTE, LONGEST_PLACE, LONGEST_WHAT, USUAL, Wish
from scout.errors import ScoutError
from scout.models import Account, Status
from scout.pipeline import Order, Stage
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Asked, Day, Given, Id, JobPath, Taken
from webapp.parts import parts

api = Resource("pipeline", "The pipeline: jobs by stage, what is due, appointments, and how it goes.")


class NextAppointment(Given):
    """The next appointment of a job."""

    id: int
    what: str
    starts_at: shapes.Time


class Card(Given):
    """A job that is followed."""

    id: int
    title: str
    company: str
    status: Status
    version: int
    stage: Stage
    since: shapes.Time = Field(description="Since when it has its status.")
    next_action: str
    next_action_on: Day | None
    overdue: bool = Field(description="Whether the day of the next action is over.")
    next_day: Day | None = Field(description="Of what comes next, planned or agreed.")
    appointment: NextAppointment | None
    note: str = Field(description="The first words of its newest note.")
    closed_at: shapes.Time | None
    moves: dict[str, str] = Field(description="Where it can be taken: stages, and the status that it gets.")


class Cards(Given):
    """Jobs that are followed."""

    items: list[Card]
    counts: dict[str, int] = Field(description="How many there are in each stage.")


class WantedCards(Asked):
    """In which order."""

    sort: Order = Field("stage", description="`since`: longest in its stage first; `next`: earliest first.")
    limit: int = Field(50, ge=1, le=500, description="How many of each stage at the most.")


@api.operation("GET", "/pipeline", scope=Scope.JOBS_READ, answer=Cards)
def list_pipeline(query: WantedCards) -> Response:
    """List the jobs that are followed: saved, applied, interviewing, offer and ended."""
    with parts().database.reading() as db:
        cards = pipeline.every(db, parts().settings.time_zone, query.sort, limit=query.limit)
        counts = pipeline.counts(db)
        items = [pipeline.as_dict(card) for card in cards]
    return answers.say({"items": items, "counts": {stage.value: count for stage, count in counts.items()}})


class Due(Given):
    """Something that is due."""

    kind: Literal["action", "appointment"]
    job_id: int
    title: str
    company: str
    day: Day
    what: str
    appointment_id: int | None


class Agenda(Given):
    """What is due, each the earliest first."""

    day: Day = Field(description="Today, by the owner's calendar.")
    overdue: list[Due]
    today: list[Due]
    soon: list[Due] = Field(description="Of the seven days after.")


def _due(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "job_id": entry.job.id,
        "title": entry.job.title,
        "company": entry.job.company,
        "day": entry.day.isoformat(),
        "what": entry.what,
        "appointment_id": entry.appointment.id if entry.appointment else None,
    }


@api.operation("GET", "/agenda", scope=Scope.JOBS_READ, answer=Agenda)
def get_agenda() -> Response:
    """Read what is due: next actions and appointments."""
    with parts().database.reading() as db:
        found = agenda.due(db, parts().settings.time_zone)
        told = {
            "day": found.day.isoformat(),
            "overdue": [_due(each) for each in found.overdue],
            "today": [_due(each) for each in found.today],
            "soon": [_due(each) for each in found.soon],
        }
    return answers.say(told)


class Stay(Given):
    """How long jobs stay in a stage, of the stays that have ended."""

    stage: Status
    ended: int = Field(description="How many stays have ended.")
    still: int = Field(description="How many are in it now.")
    days: list[float] | None = Field(
        description="A quarter of the stays was shorter than the first, half, three quarters; or null."
    )


class Answered(Given):
    """How many applications were answered."""

    name: str
    applied: int
    answered: int
    share: float = Field(ge=0, le=1)


class Week(Given):
    """The applications of a week."""

    monday: Day
    applied: int


class Insights(Given):
    """How the search for a job goes."""

    since: shapes.Time | None
    jobs: int = Field(description="How many were taken up.")
    reached: dict[str, int] = Field(description="How many reached each stage or a later one.")
    stays: list[Stay]
    weeks: list[Week]
    answered: Answered
    by_board: list[Answered]
    by_score: list[Answered]


class WantedPeriod(Asked):
    """Of which time."""

    days: funnel.Period = Field("all", description="Jobs that were taken up within so many days.")


@api.operation("GET", "/insights", scope=Scope.JOBS_READ, answer=Insights)
def get_insights(query: WantedPeriod) -> Response:
    """Read how it goes: how many jobs reach each stage, how long they stay, and who answers."""
    with parts().database.reading() as db:
        return answers.say(funnel.as_dict(funnel.of(db, parts().settings.time_zone, query.days)))


# --- Appointments -----------------------------------------------------------------------------------------


class Appointments(Given):
    """Appointments, the earliest first."""

    items: list[shapes.Appointment]


class WantedAppointment(Taken):
    """An appointment as it is to be."""

    what: str = Field(min_length=1, max_length=LONGEST_WHAT, examples=["Interview with Dana"])
    begins: dt.datetime = Field(
        description="When, by the clock of `timezone`: without an offset.", examples=["2026-06-12T10:30"]
    )
    timezone: str = Field("", max_length=64, description="Empty is the owner's.", examples=["Europe/Zurich"])
    minutes: int = Field(USUAL, ge=1, le=LONGEST)
    place: str = Field("", max_length=LONGEST_PLACE, description="Where, or the address of a call.")
    note: str = Field("", max_length=LONGEST_NOTE)

    @property
    def wish(self) -> Wish:
        """The same for `scout.appointments`."""
        return Wish(
            what=self.what,
            begins=self.begins.replace(tzinfo=None),
            timezone=self.timezone or parts().settings.time_zone,
            minutes=self.minutes,
            place=self.place,
            note=self.note,
        )


class AppointmentPath(JobPath):
    """An appointment of a job."""

    appointment_id: Id = Field(description="The appointment's number.")


@api.operation("GET", "/appointments", scope=Scope.JOBS_READ, answer=Appointments)
def list_appointments() -> Response:
    """List the appointments that are not over."""
    with parts().database.reading() as db:
        return answers.say({"items": [agenda.told(each) for each in agenda.coming(db, since=clock.now())]})


@api.operation(
    "GET",
    "/jobs/<int:job_id>/appointments",
    scope=Scope.JOBS_READ,
    answer=Appointments,
    refuses=("not-found",),
)
def list_job_appointments(path: JobPath) -> Response:
    """List a job's appointments."""
    with parts().database.reading() as db:
        found = sorted(jobs.get(db, path.job_id).appointments, key=lambda each: each.starts_at)
        return answers.say({"items": [agenda.told(each) for each in found]})


@api.operation(
    "POST",
    "/jobs/<int:job_id>/appointments",
    scope=Scope.JOBS_WRITE,
    answer=shapes.Appointment,
    status=201,
    refuses=("not-found", "unusable"),
    does="Noted an appointment",
)
def add_appointment(path: JobPath, body: WantedAppointment) -> Response:
    """Note an appointment about a job."""
    with parts().database.session() as db:
        told = agenda.told(appointments.add(db, path.job_id, body.wish))
    return answers.created(told, f"/api/v1/jobs/{path.job_id}/appointments/{told['id']}")


class ChangedAppointment(WantedAppointment):
    """An appointment as it is to be."""

    sequence: int | None = Field(
        None, ge=0, le=2**31 - 1, description="The one that was seen; changed since, it is not overwritten."
    )


@api.operation(
    "PUT",
    "/jobs/<int:job_id>/appointments/<int:appointment_id>",
    scope=Scope.JOBS_WRITE,
    answer=shapes.Appointment,
    refuses=("not-found", "changed-meanwhile", "unusable"),
    does="Changed an appointment",
)
def change_appointment(path: AppointmentPath, body: ChangedAppointment) -> Response:
    """Change an appointment. Calendars that read it follow."""
    with parts().database.session() as db:
        found = appointments.change(db, path.job_id, path.appointment_id, body.wish, sequence=body.sequence)
        return answers.say(agenda.told(found))


@api.operation(
    "DELETE",
    "/jobs/<int:job_id>/appointments/<int:appointment_id>",
    scope=Scope.JOBS_WRITE,
    answer=None,
    status=204,
    does="Took an appointment away",
)
def remove_appointment(path: AppointmentPath) -> Response:
    """Take an appointment away. One that is gone already is no error."""
    with parts().database.session() as db:
        appointments.remove(db, path.job_id, path.appointment_id)
    return answers.nothing()


class Calendar(Given):
    """The calendar of appointments and next actions."""

    url: str = Field(description="Its secret address (iCalendar): who has it reads it.")


def _calendar(owner: Account | None) -> Response:
    if owner is None:
        raise ScoutError("There is no account yet, so there is no calendar. `scout up` makes one.")
    secret = calendars.token(owner, account.secret_key(parts().settings))
    return answers.say({"url": f"{parts().settings.pages}/feeds/calendar/{secret}.ics"})


@api.operation("GET", "/calendar", scope=Scope.JOBS_READ, answer=Calendar)
def get_calendar() -> Response:
    """Read the calendar's secret address."""
    with parts().database.reading() as db:
        return _calendar(db.get(Account, 1))


@api.operation(
    "POST",
    "/calendar",
    scope=Scope.JOBS_WRITE,
    answer=Calendar,
    keeps_answer=False,
    does="Renewed the calendar's address",
)
def renew_calendar() -> Response:
    """Give the calendar another secret address. The one before ends."""
    with parts().database.session() as db:
        return _calendar(calendars.renew(db))
