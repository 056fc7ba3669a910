"""`scout scan`: ask for a scan, and wait for it if wanted."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence

import click
import redis

from scout import cancelling, cli, runs
from scout import settings as scout_settings
from scout.database import Database, explained
from scout.models import RunTrigger, ScanResult, ScanRun, ScanState
from scout.queue import Scans

#: Seconds between two looks at a run.
_LOOK = 0.25
#: Seconds after which a run that nobody works on is remarked upon.
_PATIENCE = 5.0

_EXIT = {
    ScanState.SUCCEEDED: cli.DONE,
    ScanState.PARTIAL: cli.PARTIAL,
    ScanState.FAILED: cli.FAILED,
    ScanState.CANCELLED: cli.FAILED,
}


@click.group(
    invoke_without_command=True,
    epilog="Example: scout scan --source okta --wait. Exit codes: 0 done, 1 failed or cancelled, 2 wrong"
    " usage, 3 partial.",
)
@click.option(
    "--source", "slugs", multiple=True, metavar="SLUG", help="Scan only this source; may be repeated."
)
@click.option("--wait", is_flag=True, help="Wait until the scan has ended, and say what it found.")
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
@click.pass_context
def scan(context: click.Context, slugs: Sequence[str], *, wait: bool, as_json: bool) -> None:
    """Scan the boards now: all that are not paused, or those that are named.

    Prints the number of the scan run. The scan itself is done by the workers that `make run` starts.
    """
    if context.invoked_subcommand:
        return
    settings = scout_settings.load()
    cli.measure(settings)
    queue = Scans(settings)
    queue.check()
    db = Database.open(settings)
    with explained():
        run_id = runs.request(db, queue, trigger=RunTrigger.COMMAND, slugs=slugs or None)
        try:
            run = _follow(db, queue, run_id, quiet=as_json) if wait else _look(db, run_id)
        except KeyboardInterrupt:
            click.echo(
                f"\nNo longer waiting. Scan run {run_id} goes on: the workers end it, and the pages show it.",
                err=True,
            )
            sys.exit(cli.FAILED)
    if as_json:
        click.echo(json.dumps(runs.as_dict(run), indent=2, ensure_ascii=False))
    elif wait:
        _tell(run)
    else:
        click.echo(run_id)
    if wait:
        sys.exit(_EXIT[run.state])


@scan.command()
@click.argument("run_id", type=click.IntRange(1, 2**31 - 1))
@click.option("--json", "as_json", is_flag=True, help="Print the run as JSON.")
def cancel(run_id: int, *, as_json: bool) -> None:
    """Cancel a scan run: what waits ends at once, what is read stops at its board's next page.

    What was stored stays, and no job is closed. Example: scout scan cancel 12
    """
    settings = scout_settings.load()
    cli.measure(settings)
    db = Database.open(settings)
    with explained():
        done = cancelling.cancel(db, settings, run_id)
        run = _look(db, run_id)
    if as_json:
        click.echo(json.dumps(runs.as_dict(run), indent=2, ensure_ascii=False))
    else:
        click.echo(f"Scan run {run_id} {cancelling.told(done)}")


def _look(db: Database, run_id: int) -> ScanRun:
    with db.reading() as session:
        return runs.get(session, run_id)


def _follow(db: Database, queue: Scans, run_id: int, *, quiet: bool) -> ScanRun:
    run = _look(db, run_id)
    remark_at = time.monotonic() + _PATIENCE
    bar = click.progressbar(
        length=len(run.results),
        label=f"Scan run {run_id}",
        file=sys.stderr,
        item_show_func=lambda current: current,
        show_eta=False,
    )
    if quiet or not sys.stderr.isatty():
        bar.hidden = True
    with bar:
        while not run.state.ended:
            time.sleep(_LOOK)
            if remark_at and time.monotonic() > remark_at and run.state is ScanState.QUEUED:
                remark_at = 0.0
                _remark(queue)
            run = _look(db, run_id)
            bar.update(_ended(run) - bar.pos, _under_way(run))
    return run


def _remark(queue: Scans) -> None:
    try:
        working = queue.has_workers()
    except redis.RedisError:
        working = False
    if not working:
        click.echo("No worker is there to scan: `make run` starts them. Waiting.", err=True)


def _ended(run: ScanRun) -> int:
    return sum(result.state.ended for result in run.results)


def _under_way(run: ScanRun) -> str:
    return ", ".join(
        f"{result.source.slug} {result.phase}".strip()
        for result in run.results
        if result.state is ScanState.RUNNING
    )


def _tell(run: ScanRun) -> None:
    for result in sorted(run.results, key=lambda each: each.source.slug):
        click.echo(_line(result))
    click.echo(f"Scan run {run.id} {run.state.value}.")


def _line(result: ScanResult) -> str:
    line = f"{result.source.slug}: {result.state.value}, {result.seen} seen, {result.new} new"
    line += f", {result.updated} updated, {result.closed} closed"
    return f"{line}. {result.error}" if result.error else line
