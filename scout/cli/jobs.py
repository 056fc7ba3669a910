"""`scout jobs`: look through the jobs, and say what becomes of one."""

from __future__ import annotations

import itertools
import json
from typing import Any, get_args

import click

from scout import settings
from scout.cli import measure, table
from scout.database import for_command
from scout.identity import duplicates as look_alike
from scout.identity import merging, reposts, resemblance
from scout.jobs import MOST_PER_PAGE, JobQuery, Sort, as_dict, change_status, find, get, in_full
from scout.models import Job, Listing, Status
from scout.sources import KINDS
from scout.watchlist import get as get_source

_STATUS = click.Choice([status.value for status in Status])


@click.group()
def jobs() -> None:
    """Look through the jobs, and say what becomes of one."""


@jobs.command("list")
@click.option(
    "--status", "statuses", type=_STATUS, multiple=True, help="Only these; may be given several times."
)
@click.option("--source", default="", metavar="SLUG", help="Only jobs of this source.")
@click.option("--search", default="", metavar="WORDS", help="Only jobs with all of these words.")
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

    Example: scout jobs list --status new --search "okta remote" --sort score
    """
    with for_command(settings.load()) as database, database.reading() as session:
        if source:
            get_source(session, source)  # an unknown one is an error, not an empty list
        found: list[Job] = []
        page = 1
        while True:
            part = find(
                session,
                JobQuery(
                    text=search,
                    statuses=tuple(Status(status) for status in statuses),
                    source=source,
                    min_score=min_score,
                    sort=sort,
                    page=page,
                    per_page=min(limit, MOST_PER_PAGE),
                ),
            )
            found += part.jobs
            page += 1
            if page > part.pages or len(found) >= limit:
                break
        found = found[:limit]
        if as_json:
            click.echo(json.dumps([as_dict(job) for job in found], indent=2, ensure_ascii=False))
            return
        _show_list(found, part.total)


def _show_list(found: list[Job], total: int) -> None:
    if not found:
        click.echo("No job fits. `scout scan` looks for new ones.")
        return
    rows = [
        [
            str(job.id),
            str(job.score),
            job.status.value,
            job.title,
            job.company,
            "; ".join(job.locations) or ("remote" if job.remote.value == "remote" else ""),
            table.ago(job.first_seen_at),
        ]
        for job in found
    ]
    table.show(["ID", "SCORE", "STATUS", "TITLE", "COMPANY", "PLACE", "FOUND"], rows, shrink=[3, 4, 5])
    if len(found) < total:
        click.echo(f"{len(found)} of {total} jobs; --limit shows more.", err=True)


@jobs.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def show(job_id: int, *, as_json: bool) -> None:
    """Show one job, with why it matches and what happened to it.

    Example: scout jobs show 17
    """
    with for_command(settings.load()) as database, database.reading() as session:
        job = get(session, job_id)
        if as_json:
            click.echo(json.dumps(in_full(job), indent=2, ensure_ascii=False))
            return
        _show(job)


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
    for change in job.history:
        click.echo(f"{change.at:%Y-%m-%d %H:%M} {change.from_status} -> {change.to_status} ({change.by})")
    for note in job.notes:
        click.echo(f"{note.created_at:%Y-%m-%d %H:%M} {table.paragraphs(note.body)}")
    if job.description_text:
        click.echo(f"\n{table.paragraphs(job.description_text)}")


@jobs.command()
@click.argument("job_id", type=click.IntRange(1), metavar="ID")
@click.argument("status", type=_STATUS, metavar="STATUS")
def status(job_id: int, status: str) -> None:
    """Set a job's status.

    STATUS is new, saved, applied, interviewing, offer, rejected or dismissed. What is allowed depends on the
    status it has; new undoes.

    Example: scout jobs status 17 applied
    """
    chosen = settings.load()
    measure(chosen)
    with for_command(chosen) as database, database.session() as session:
        job = change_status(session, job_id, Status(status), by="command")
    click.echo(f"Job {job.id} is {job.status} now: {table.plain(job.title)}")


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
