"""`scout status`: how everything is, as the page of that name says it."""

from __future__ import annotations

import json
from contextlib import closing

import click

from scout import queue, settings
from scout.cli import FAILED, measure, table
from scout.database import Database, DatabaseUnusable, is_there
from scout.overview import report
from scout.overview.checks import Check
from scout.stack.examination import Verdict

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.BAD: "red"}


@click.command(epilog="Example: scout status --json. Exit codes: 0 nothing is broken, 1 something is.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def status(*, as_json: bool) -> None:
    """Say how everything is, in two seconds: parts, scans, messages, alerts.

    Uses the settings of this terminal: run it with the environment, or beside the .env, of `scout up`. Where
    something is not well, `scout doctor` looks closer.
    """
    chosen = settings.load()
    measure(chosen)
    if not is_there(chosen):
        raise DatabaseUnusable(
            f"There is no database in {chosen.data_dir} yet: `scout up` makes it. Where the stack runs in"
            " another folder, run this there, or set SCOUT_DATA_DIR to its data."
        )
    database = Database.open(chosen)
    try:
        with closing(queue.connect(chosen)) as connection:
            made = report.make(database, connection, chosen, by_pages=False)
    finally:
        database.dispose()
    if as_json:
        click.echo(json.dumps(report.as_dict(made), indent=2, ensure_ascii=False))
    else:
        _print(made)
    if made.verdict is Verdict.BAD:
        raise SystemExit(FAILED)


def _print(made: report.Report) -> None:
    click.echo(click.style(f"{made.word}.", fg=_COLOURS[made.verdict], bold=True))
    for check in (*made.troubles, *(each for each in made.checks if each.well)):
        _print_check(check)
    for alert in made.alerts:
        label = click.style("alert   ", fg=_COLOURS[Verdict.BAD])
        click.echo(f"{label}{table.plain(alert.name)}: {table.plain(alert.summary)}")
        if alert.runbook:
            click.echo(f"        {table.plain(alert.runbook)}")


def _print_check(check: Check) -> None:
    label = click.style(f"{check.verdict.value:<8}", fg=_COLOURS[check.verdict])
    text = table.plain(check.text)
    if check.since is not None:
        text += f" {check.when.capitalize()} {check.since:%Y-%m-%d %H:%M} UTC."
    version = f" ({table.plain(check.version)})" if check.version else ""
    click.echo(f"{label}{check.part:<18}{text}{version}")
    if check.advice:
        click.echo(f"{'':<26}{table.plain(check.advice)}")
