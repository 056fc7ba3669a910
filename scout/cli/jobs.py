"""`scout jobs`: look through the jobs, and say what becomes of one."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import Any, get_args

import click

from scout import digits, history, settings
from scout.cli import FAILED, PARTIAL, measure, pipeline, table
from scout.database import for_command
from scout.identity import duplicates as look_alike
from scout.identity import merging, reposts, resemblance
from scout.jobs import (
    MOST_PER_PAGE,
    Bulk,
    JobPage,
    JobQuery,
    Sort,
    add_note,
    as_dict,
    change_many,
    change_status,
    delete_note,
    edit_note,
    find,
    get,
    in_full,
    looked,
    plan,
)
from scout.jobs import undo as undo_decision
from scout.models import Job, Listing, Status
from scout.searching import language
from scout.sources import KINDS
from scout.watchlist import get as get_source

_STATUS = click.Choice([status.value for status in Status])


@click.group()
def jobs() -> None:
    """Look through the jobs, and say what becomes of one."""


for _command in pipeline.COMMANDS:
    jobs.add_command(_command)


@jobs.command("list")
@click.option(
    "--status", "statuses", type=_STATUS, multiple=True, help="Only these; may be given several times."
)
@click.option("--source", default="", metavar="SLUG", help="Only jobs of this source.")
@click.option("--search", default="", metavar="WORDS", help="Only jobs that this finds: docs/SEARCHING.md.")
@click.option("--min-score", type=click.IntRange(0, 100), default=0, help="Only jobs that match this well.")
@click.option("--sort", type=click.Choice(get_args(Sort)), default="newest", show_default=True)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def list_(
    *,
    statuses: tuple[str, ...],
    source: str,
    search: str,
    min_score: int,
    sort: Sort,
    limit: int,
    as_json: bool,
) -> None:
    """List jobs.

    Example: scout jobs list --status new --search "okta remote:yes new:7d" --sort score
    """
    with for_command(settings.load()) as database, database.reading() as session:
        if source:
            get_source(session, source)  # an unknown one is an error, not an empty list
        found: list[Job] = []
        after = ""
        while True:
            part = find(
                session,
                JobQuery(
                    text=search,
                    statuses=tuple(Status(status) for status in statuses),
                    source=source,
                    min_score=min_score,
                    sort=sort,
                    after=after,
                    per_page=min(limit, MOST_PER_PAGE),
                ),
            )
            found += part.jobs
            after = part.next
            if not after or len(found) >= limit:
                break
        found = found[:limit]
        if as_json:
            click.echo(json.dumps([as_dict(job) for job in found], indent=2, ensure_ascii=False))
            return
        for problem in language.parse(search).problems:
            click.echo(problem, err=True)
        _show_list(found, part)


def _show_list(found: list[Job], page: JobPage[Job]) -> None:
    if not found:
        click.echo("No job fits. `scout scan` looks for new ones.")
        return
    rows = [
        [
            str(job.id),
            str(job.score),
            job.status.value + (", changed" if job.edit_unseen else ""),
            job.title,
            job.company,
            "; ".join(job.locations) or ("remote" if job.remote.value == "remote" else ""),
            table.ago(job.first_seen_at),
        ]
        for job in found
    ]
    table.show(["ID", "SCORE", "STATUS", "TITLE", "COMPANY", "PLACE", "FOUND"], rows, shrink=[3, 4, 5])
    if len(found) < page.total or page.more:
        of = f"{page.total:,}+" if page.more else str(page.total)
        click.echo(f"{len(found)} of {of} jobs; --limit shows more.", err=True)


@jobs.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def show(job_id: int, *, as_json: bool) -> None:
    """Show one job, with why it matches and what happened to it.

    Example: scout jobs show 17
    """
    with for_command(settings.load()) as database:
        with database.reading() as session:
            job = get(session, job_id)
            if as_json:
                click.echo(json.dumps(in_full(job), indent=2, ensure_ascii=False))
                return
            _show(job)
        if job.edit_unseen:
            with database.session() as session:
                looked(session, job_id)


def _event(event: dict[str, Any]) -> list[str]:
    """What happened at one moment, in one line or several."""
    if event["what"] == "edited":
        return [f"changed by {event['source']}: {change['words']}" for change in event["changes"]]
    if "to" not in event:
        return [event["what"]]
    how = "undone" if event.get("undo") else event["by"]
    return [f"{event['from']} -> {event['to']} ({how})"]


def _pay(salary: dict[str, Any] | None) -> str:
    """The pay as it was written, and whether it was read from the text."""
    words = str((salary or {}).get("raw") or "")
    return f"{words} (read from the text)" if words and (salary or {}).get("origin") == "parsed" else words


def _show(job: Job) -> None:
    click.secho(table.plain(job.title), bold=True)
    facts = [
        ("Company", job.company),
        ("Places", "; ".join(job.locations)),
        ("Remote", " from ".join(filter(None, (job.remote.value, ", ".join(job.remote_regions))))),
        ("Level", job.level),
        ("Pay", _pay(job.salary)),
        ("Status", job.status.value + (", no longer listed" if job.closed_at else "")),
        ("Next", _planned(job)),
        ("Before", f"{reposts.words(job.earlier)} (job {job.earlier.job_id})" if job.earlier else ""),
        ("Posted", job.posted_at.date().isoformat() if job.posted_at else ""),
        ("Found", job.first_seen_at.date().isoformat()),
        ("Address", job.url),
        ("Listed by", ", ".join(_listed_by(listing) for listing in job.listings)),
        ("Credit", "; ".join(sorted({credit for listing in job.listings if (credit := _credit(listing))}))),
        ("Score", str(job.score)),
    ]
    for name, value in facts:
        if value:
            click.echo(f"{name + ':':<11}{table.plain(value)}")
    for reason in job.reasons:
        click.echo(f"{reason['points']:>+13} {table.plain(str(reason['term']))} ({reason['where']})")
    for event in history.of(job):
        for line in _event(event):
            click.echo(f"{event['at'][:10]} {event['at'][11:16]} {table.plain(line)}")
    for meeting in job.appointments:
        note = f": {table.paragraphs(meeting.note)}" if meeting.note else ""
        click.echo(
            f"{meeting.starts_at:%Y-%m-%d %H:%M} appointment {meeting.id}: {pipeline.said(meeting)}{note}"
        )
    for each in job.notes:
        click.echo(f"{each.created_at:%Y-%m-%d %H:%M} note {each.id}: {table.paragraphs(each.body)}")
    if job.description_text:
        click.echo(f"\n{table.paragraphs(job.description_text)}")


@jobs.command("set")
@click.argument("words", nargs=-1, required=True, metavar="[ID]... STATUS")
@click.option("--matching", metavar="WORDS", help="In place of ids: all jobs with these words.")
@click.option("--status", "statuses", type=_STATUS, multiple=True, help="Of those, only these.")
@click.option("--source", default="", metavar="SLUG", help="Of those, only jobs of this source.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def set_(
    *,
    words: tuple[str, ...],
    matching: str | None,
    statuses: tuple[str, ...],
    source: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set the status of one job or of many.

    STATUS is new, saved, applied, interviewing, offer, rejected or dismissed. What is allowed depends on the
    status that a job has; those that cannot be changed are named, the others are. Then the exit code is 3,
    or 1 if nothing could be.

    Example: scout jobs set 17 applied

    Example: scout jobs set --matching intern --status new dismissed --dry-run
    """
    *ids, last = words
    to = _chosen(last)
    which: list[int] | JobQuery
    if matching is None and not statuses and not source:
        which = [_number(each) for each in ids]
        if not which:
            raise click.UsageError("Name jobs by their ids, or by --matching, --status or --source.")
    elif ids:
        raise click.UsageError("Name jobs by their ids or by --matching, --status and --source, not by both.")
    else:
        which = JobQuery(
            text=matching or "", statuses=tuple(Status(status) for status in statuses), source=source
        )
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database:
        if isinstance(which, list) and len(which) == 1 and not dry_run and not as_json:
            with database.session() as session:
                job = change_status(session, which[0], to, by="command")
            click.echo(f"Job {job.id} is {job.status} now: {table.plain(job.title)}")
            return
        with database.reading() if dry_run else database.session() as session:
            if source:
                get_source(session, source)
            bulk = change_many(session, which, to, "command", dry_run=dry_run)
    _tell(bulk, to, dry_run=dry_run, as_json=as_json)


def _chosen(word: str) -> Status:
    try:
        return Status(word)
    except ValueError:
        names = ", ".join(status.value for status in Status if status is not Status.CLOSED)
        raise click.UsageError(f"The last word must be a status, and {word!r} is none of {names}.") from None


def _number(word: str) -> int:
    number = digits.whole(word)
    if not number:
        raise click.UsageError(f"{word!r} is no job's id. `scout jobs list` shows them.")
    return number


def _tell(bulk: Bulk, to: Status, *, dry_run: bool, as_json: bool) -> None:
    """Print what a bulk change did, and end with its exit code."""
    if as_json:
        told = {
            "to": to.value,
            "dry_run": dry_run,
            "changed": bulk.changed,
            "unchanged": bulk.unchanged,
            "illegal": {status.value: count for status, count in bulk.illegal.items()},
            "missing": bulk.missing,
            "named": {str(job_id): why for job_id, why in bulk.named.items()},
        }
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"{_jobs(bulk.changed)} {'would become' if dry_run else 'became'} {to}.")
        if bulk.unchanged:
            click.echo(f"{_jobs(bulk.unchanged)} {'was' if bulk.unchanged == 1 else 'were'} {to} already.")
        for job_id, why in bulk.named.items():
            click.echo(f"Job {job_id} {why}.", err=True)
        if bulk.refused > len(bulk.named):
            click.echo(f"{bulk.refused - len(bulk.named):,} more were refused.", err=True)
    if bulk.refused:
        raise SystemExit(PARTIAL if bulk.changed or bulk.unchanged else FAILED)


def _jobs(count: int) -> str:
    return f"{count:,} job" if count == 1 else f"{count:,} jobs"


@jobs.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
def undo(job_id: int) -> None:
    """Take your last decision about a job back; again, the one before it.

    Example: scout jobs undo 17
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        job = undo_decision(session, job_id, by="command")
    click.echo(f"Job {job.id} is {job.status} again: {table.plain(job.title)}")


@jobs.command("next")
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("day", required=False, type=click.DateTime(["%Y-%m-%d"]), metavar="[DAY]")
@click.argument("action", required=False, default="", metavar="[ACTION]")
@click.option("--clear", is_flag=True, help="Take the plan away.")
def next_(job_id: int, day: dt.datetime | None, action: str, *, clear: bool) -> None:
    """Say what you mean to do next about a job, and when.

    Example: scout jobs next 17 2026-06-12 "Call Dana"
    """
    if clear == (day is not None):
        raise click.UsageError("Give a day such as 2026-06-12 and what to do then, or --clear.")
    with for_command(settings.load()) as database, database.session() as session:
        job = plan(session, job_id, day.date() if day else None, action)
    click.echo(f"Job {job.id}: {_planned(job) or 'nothing is planned'}.")


def _planned(job: Job) -> str:
    day = job.next_action_on.isoformat() if job.next_action_on else ""
    return " on ".join(filter(None, (table.plain(job.next_action), day)))


@jobs.group()
def note() -> None:
    """Write about a job."""


@note.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("text")
def add(job_id: int, text: str) -> None:
    """Add a note to a job.

    Example: scout jobs note add 17 "Dana knows the team"
    """
    with for_command(settings.load()) as database, database.session() as session:
        made = add_note(session, job_id, text)
    click.echo(f"Job {job_id} has the note {made.id} now.")


@note.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("note_id", type=click.IntRange(1), metavar="NOTE")
@click.argument("text")
def edit(job_id: int, note_id: int, text: str) -> None:
    """Write a note anew. `scout jobs show` tells the notes' numbers.

    Example: scout jobs note edit 17 3 "Dana leads the team"
    """
    with for_command(settings.load()) as database, database.session() as session:
        edit_note(session, job_id, note_id, text)
    click.echo(f"Note {note_id} is written anew.")


@note.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("note_id", type=click.IntRange(1), metavar="NOTE")
def delete(job_id: int, note_id: int) -> None:
    """Throw a note away. One that is gone already is no error.

    Example: scout jobs note delete 17 3
    """
    with for_command(settings.load()) as database, database.session() as session:
        get(session, job_id)
        there = delete_note(session, job_id, note_id)
    click.echo(f"Note {note_id} is deleted." if there else f"Job {job_id} has no note {note_id}.")


@jobs.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("other_id", type=click.IntRange(1), metavar="OTHER")
def merge(job_id: int, other_id: int) -> None:
    """Make one job of two.

    ID stays; what OTHER has, its notes and history too, goes over to it. `scout jobs split` undoes it.

    Example: scout jobs merge 17 42
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        job = merging.merge(session, job_id, other_id, by="command", why="you said so on the command line")
        listings = ", ".join(str(listing.id) for listing in job.listings)
    click.echo(f"Job {other_id} is part of job {job_id} now, which has the listings {listings}.")


@jobs.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("listing_id", type=click.IntRange(1), metavar="LISTING")
def split(job_id: int, listing_id: int) -> None:
    """Say that a listing is not the same job.

    It is a job of its own again, and stays one. `scout jobs show ID` shows the numbers of a job's listings.

    Example: scout jobs split 17 203
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        new = merging.split(session, job_id, listing_id, by="command")
    click.echo(f"Listing {listing_id} is job {new.id} now: {table.plain(new.title)}")


@jobs.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most this many.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def duplicates(limit: int, *, as_json: bool) -> None:
    """List jobs that look like one and were not merged.

    Where the company is another, it may be an agency's copy: such jobs are never merged by themselves.
    `scout jobs merge` makes one of two.

    Example: scout jobs duplicates
    """
    with for_command(settings.load()) as database:
        with database.session() as session:
            resemblance.mark_missing(session)
        with database.reading() as session:
            pairs = list(itertools.islice(look_alike.found(session), limit))
    if as_json:
        told = [
            {"job_id": pair.job.id, "other_id": pair.other.id, "tier": pair.tier, "evidence": pair.why}
            for pair in pairs
        ]
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    if not pairs:
        click.echo("No two jobs look like one.")
        return
    rows = [
        [str(pair.job.id), str(pair.other.id), pair.job.title, pair.job.company, pair.other.company, pair.why]
        for pair in pairs
    ]
    table.show(["ID", "OTHER", "TITLE", "COMPANY", "OTHER COMPANY", "WHY"], rows, shrink=[2, 3, 4, 5])


def _listed_by(listing: Listing) -> str:
    """A listing's source and number, and why it is this job's."""
    merged = listing.merged
    return f"{listing.source.slug} ({listing.id}{f': {merged.evidence}' if merged else ''})"


def _credit(listing: Listing) -> str:
    """The words that a board's terms want shown beside its jobs, or empty."""
    kind = KINDS.get(listing.source.kind)
    return kind.attribution if kind is not None else ""
