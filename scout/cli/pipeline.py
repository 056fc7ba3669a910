"""`scout jobs pipeline`, `due`, `progress`, `calendar` and `appointment`: following what was taken up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import click

from scout import account, agenda, appointments, calendars, clock, settings
from scout import funnel as course
from scout import pipeline as followed
from scout.agenda import Entry
from scout.appointments import LONGEST, USUAL, Wish
from scout.cli import measure, table
from scout.database import for_command
from scout.errors import ScoutError
from scout.models import Account, Appointment
from scout.pipeline import Card, Order, Stage
from scout.telling import hours

_DAY = click.DateTime(["%Y-%m-%d"])
_TIME = click.DateTime(["%H:%M"])


@click.command()
@click.option(
    "--stage",
    "stages",
    type=click.Choice([each.value for each in Stage]),
    multiple=True,
    help="Only this; may be given several times.",
)
@click.option("--sort", type=click.Choice(followed.ORDERS), default="stage", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def pipeline(stages: tuple[str, ...], sort: Order, *, as_json: bool) -> None:
    """List the jobs that you follow, by stage, with what is next.

    `ended` holds what was rejected, and what was dismissed or closed after you had applied.

    Example: scout jobs pipeline --stage applied --stage interviewing --sort next
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        cards = [
            card
            for card in followed.every(session, chosen.time_zone, sort)
            if not stages or card.stage.value in stages
        ]
        if as_json:
            click.echo(json.dumps([followed.as_dict(card) for card in cards], indent=2, ensure_ascii=False))
            return
        if not cards:
            click.echo("No job is followed there. `scout jobs set ID saved` begins to follow one.")
            return
        rows = [
            [
                str(card.job.id),
                card.job.status.value,
                table.ago(card.since),
                card.job.title,
                card.job.company,
                _next(card),
            ]
            for card in cards
        ]
        table.show(["ID", "STATUS", "FOR", "TITLE", "COMPANY", "NEXT"], rows, shrink=[3, 4, 5])


def _next(card: Card) -> str:
    parts = []
    job = card.job
    if job.next_action or job.next_action_on:
        day = f" on {job.next_action_on}" if job.next_action_on else ""
        parts.append(f"{'overdue: ' if card.overdue else ''}{job.next_action or 'planned'}{day}")
    if card.appointment is not None and card.meets is not None:
        parts.append(f"{card.appointment.what} on {card.meets:%Y-%m-%d %H:%M}")
    return "; ".join(parts)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def due(*, as_json: bool) -> None:
    """Show what is overdue, due today and in the next seven days.

    Example: scout jobs due
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        found = agenda.due(session, chosen.time_zone)
        groups = {"overdue": found.overdue, "today": found.today, "soon": found.soon}
        if as_json:
            told = {name: [_entry(each) for each in entries] for name, entries in groups.items()}
            click.echo(json.dumps({"day": found.day.isoformat(), **told}, indent=2, ensure_ascii=False))
            return
        if not len(found):
            click.echo(f"Nothing is due in the next {agenda.AHEAD} days.")
            return
        rows = [
            [
                "overdue" if name == "overdue" else each.day.isoformat(),
                str(each.job.id),
                each.words,
                each.job.title,
                each.job.company,
            ]
            for name, entries in groups.items()
            for each in entries
        ]
        table.show(["DAY", "ID", "WHAT", "TITLE", "COMPANY"], rows, shrink=[2, 3, 4])


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "day": entry.day.isoformat(),
        "what": entry.what,
        "job_id": entry.job.id,
        "title": entry.job.title,
        "company": entry.job.company,
        "appointment": agenda.told(entry.appointment) if entry.appointment else None,
    }


@click.command()
@click.option(
    "--period", type=click.Choice(course.PERIODS), default="all", show_default=True, help="Days up to now."
)
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def progress(period: course.Period, *, as_json: bool) -> None:
    """Tell how far jobs come, how long they stay in each stage, and who answers.

    Of the jobs that were saved or applied for within the period; what was taken back does not count.

    Example: scout jobs progress --period 90
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        found = course.of(session, chosen.time_zone, period)
    if as_json:
        click.echo(json.dumps(course.as_dict(found), indent=2, ensure_ascii=False))
        return
    if not found.jobs:
        click.echo("No job was saved or applied for in this time.")
        return
    rows = [
        [stay.stage.value, str(found.reached[stay.stage]), str(stay.still), _days(stay.quartiles)]
        for stay in found.stays
    ]
    table.show(["STAGE", "REACHED", "NOW", "DAYS (MEDIAN, QUARTILES)"], rows)
    groups = [found.answered, *found.by_score, *found.by_board]
    if found.answered.applied:
        click.echo()
        shares = [[each.name, str(each.applied), str(each.answered), f"{each.share:.0%}"] for each in groups]
        table.show(["APPLICATIONS", "SENT", "ANSWERED", "SHARE"], shares, shrink=[0])


def _days(quartiles: tuple[float, float, float] | None) -> str:
    if quartiles is None:
        return ""
    lower, median, upper = quartiles
    return f"{median:.1f} ({lower:.1f} to {upper:.1f})"


@click.command()
@click.option("--renew", is_flag=True, help="Give it another address; the one before ends.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def calendar(*, renew: bool, as_json: bool) -> None:
    """Show the secret address of your calendar: appointments and next actions, for a calendar program.

    Example: scout jobs calendar --renew
    """
    chosen = settings.load()
    with for_command(chosen) as database:
        if renew:
            with database.session() as session:
                _owner(session.get(Account, 1))
                calendars.renew(session)
        with database.reading() as session:
            secret = calendars.token(_owner(session.get(Account, 1)), account.secret_key(chosen))
    address = f"{chosen.pages}/feeds/calendar/{secret}.ics"
    click.echo(json.dumps({"address": address}) if as_json else address)


def _owner(account: Account | None) -> Account:
    if account is None:
        raise ScoutError("There is no account yet, and so no calendar: `scout account password` makes one.")
    return account


@click.group()
def appointment() -> None:
    """Note interviews and calls about a job."""


@appointment.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("day", type=_DAY, metavar="DAY")
@click.argument("time", type=_TIME, metavar="TIME")
@click.argument("what")
@click.option("--minutes", type=click.IntRange(1, LONGEST), default=USUAL, show_default=True)
@click.option("--place", default="", help="Where, or the address of a call.")
@click.option("--note", default="", help="What to bring, whom to ask for.")
@click.option("--timezone", default=None, help="Of DAY and TIME; unset, SCOUT_TIME_ZONE.")
def add(
    *,
    job_id: int,
    day: dt.datetime,
    time: dt.datetime,
    what: str,
    minutes: int,
    place: str,
    note: str,
    timezone: str | None,
) -> None:
    """Note an appointment.

    Example: scout jobs appointment add 17 2026-06-12 10:30 "Interview with Dana" --timezone Europe/Zurich
    """
    chosen = settings.load()
    measure(chosen)
    wish = Wish(
        what=what,
        begins=dt.datetime.combine(day.date(), time.time()),
        timezone=timezone or chosen.time_zone,
        minutes=minutes,
        place=place,
        note=note,
    )
    with for_command(chosen) as database, database.session() as session:
        made = appointments.add(session, job_id, wish)
    click.echo(f"Job {job_id} has the appointment {made.id} now: {said(made)}")


@appointment.command("set")
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("appointment_id", type=click.IntRange(1), metavar="APPOINTMENT")
@click.option("--day", type=_DAY, help="Such as 2026-06-12.")
@click.option("--time", type=_TIME, help="Such as 10:30.")
@click.option("--what", default=None)
@click.option("--minutes", type=click.IntRange(1, LONGEST))
@click.option("--place", default=None)
@click.option("--note", default=None)
@click.option("--timezone", default=None, help="Of the day and the time.")
def set_(
    *, job_id: int, appointment_id: int, day: dt.datetime | None, time: dt.datetime | None, **named: Any
) -> None:
    """Change an appointment; what is not named stays. `scout jobs show` tells the appointments' numbers.

    Example: scout jobs appointment set 17 3 --time 14:00
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        found = appointments.get(session, job_id, appointment_id, lock=True)
        begins = found.starts_at.astimezone(hours.zone(found.timezone)).replace(tzinfo=None)
        fields = {name: getattr(found, name) for name in ("what", "minutes", "place", "note", "timezone")}
        fields |= {name: value for name, value in named.items() if value is not None}
        wish = Wish(
            begins=dt.datetime.combine((day or begins).date(), (time or begins).time()),
            **fields,
        )
        made = appointments.change(session, job_id, appointment_id, wish)
    click.echo(f"Appointment {made.id} of job {job_id} is: {said(made)}")


@appointment.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("appointment_id", type=click.IntRange(1), metavar="APPOINTMENT")
def remove(job_id: int, appointment_id: int) -> None:
    """Take an appointment away. One that is gone already is no error.

    Example: scout jobs appointment remove 17 3
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        was = appointments.remove(session, job_id, appointment_id)
    gone = f"Job {job_id} has no appointment {appointment_id}."
    click.echo(gone if was is None else f"Removed: {table.plain(was['what'])}.")


@appointment.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def list_(*, as_json: bool) -> None:
    """List the appointments that are not over, the next first.

    Example: scout jobs appointment list
    """
    chosen = settings.load()
    with for_command(chosen) as database, database.reading() as session:
        found = agenda.coming(session, since=clock.now())
        if as_json:
            click.echo(json.dumps([agenda.told(each) for each in found], indent=2, ensure_ascii=False))
            return
        _show(found)


def _show(found: Sequence[Appointment]) -> None:
    if not found:
        click.echo("There are no appointments to come.")
        return
    rows = [[str(each.job_id), str(each.id), said(each), each.job.title, each.job.company] for each in found]
    table.show(["ID", "APPOINTMENT", "WHAT", "TITLE", "COMPANY"], rows, shrink=[2, 3, 4])


def said(each: Appointment) -> str:
    """An appointment in one line, by the clock that it was agreed by."""
    begins = each.starts_at.astimezone(hours.zone(each.timezone))
    where = f", {each.place}" if each.place else ""
    return table.plain(
        f"{each.what}, {begins:%Y-%m-%d %H:%M} ({each.timezone}), {each.minutes} minutes{where}"
    )


#: What `scout jobs` has of these.
COMMANDS = (pipeline, due, progress, calendar, appointment)
