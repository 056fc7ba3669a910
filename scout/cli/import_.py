"""`scout import`: jobs out of a file, ours or another tracker's."""

from __future__ import annotations

from pathlib import Path

import click

from scout import settings
from scout.cli import PARTIAL, measure, table
from scout.database import for_command
from scout.importing import TOLD, Outcome, Report, bring_in, look
from scout.trackers import FIELDS


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--map",
    "mapped",
    default="",
    metavar="HEADING=FIELD,...",
    help=f"What columns are, where their headings do not say it. Fields: {', '.join(FIELDS)}.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would be made of the first rows.")
@click.option("--strict", is_flag=True, help="Bring nothing in if one row cannot be read.")
@click.option("--encoding", default="", metavar="NAME", help="How the letters are written, such as latin-1.")
def import_(file: Path, *, mapped: str, dry_run: bool, strict: bool, encoding: str) -> None:
    """Bring jobs in from CSV, JSON or JSON Lines: a file of `scout export`, or another tracker's.

    Columns are told by their headings and by what stands in them, other trackers' words for a status become
    ours. What is here already is not doubled, and what you decided here stays: importing twice adds nothing.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some rows could not be read; the others were brought in.

    Example: scout import tracker.csv --map "Role=title,Stage=status" --dry-run
    """
    chosen = _pairs(mapped)
    if dry_run:
        report = look(file, chosen, encoding)
        _preview(report)
    else:
        known = settings.load()
        measure(known)
        with for_command(known) as database:
            report = bring_in(database, file, chosen, encoding=encoding, strict=strict)
        click.echo(", ".join(f"{report.outcomes[each]:,} {each.value}" for each in Outcome) + ".")
    _remarks(report)
    if report.outcomes[Outcome.REFUSED]:
        raise SystemExit(PARTIAL)


def _pairs(mapped: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in mapped.split(","))):
        heading, equals, field = pair.rpartition("=")
        if not equals or not heading.strip():
            raise click.UsageError(f'--map takes HEADING=FIELD, and got {pair!r}: --map "Role=title".')
        pairs[heading.strip()] = field.strip()
    return pairs


def _preview(report: Report) -> None:
    if report.columns is None:
        click.echo("An export of this program.")
    else:
        for field, headings in report.columns.fields.items():
            if headings:
                click.echo(f"{field + ':':<18}{', '.join(map(table.plain, headings))}")
    rows = [
        [
            job.status.value,
            job.posting.title,
            job.posting.company,
            "; ".join(job.posting.locations),
            job.applied_at.date().isoformat() if job.applied_at else "",
            job.posting.salary.raw if job.posting.salary else "",
            job.posting.url,
        ]
        for job in report.first
    ]
    table.show(
        ["STATUS", "TITLE", "COMPANY", "PLACE", "APPLIED", "PAY", "ADDRESS"], rows, shrink=[1, 2, 3, 6]
    )


def _remarks(report: Report) -> None:
    for number, why in report.faults:
        click.echo(f"Row {number} is left out: {table.plain(why)}.", err=True)
    more = report.outcomes[Outcome.REFUSED] - TOLD
    if more > 0:
        click.echo(f"And {more:,} more rows.", err=True)
    told = report.columns
    if told is not None and told.unknown:
        names = ", ".join(map(table.plain, told.unknown))
        click.echo(f"Nothing is read from: {names}. --map says what a column is.", err=True)
    if told is not None and told.ambiguous:
        click.echo(
            "Dates such as 03/04/2026 are read month first: nothing in the file says otherwise.", err=True
        )
    for word, count in report.unknown_statuses.most_common(TOLD):
        click.echo(
            f"The status {table.plain(word)!r} ({count:,}) is kept as saved, with a note of it.", err=True
        )
    if report.unwatched:
        names = ", ".join(slug for slug, _ in report.unwatched.most_common(TOLD))
        click.echo(
            f"Some jobs were listed by boards that are not watched here: {names}. Watch them, and import the "
            "file again before their first scan, and they are not found twice.",
            err=True,
        )
