"""`scout doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import dataclasses
import json

import click

from scout import settings
from scout.cli import FAILED, table
from scout.stack.examination import Finding, Verdict, examine

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.BAD: "red"}


@click.command(epilog="Example: scout doctor --json. Exit codes: 0 all is well, 1 something is not.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def doctor(*, as_json: bool) -> None:
    """Look at every part: where it is, whether it answers, and what to do if not.

    Uses the settings of this terminal: run it with the environment, or beside the .env, of `scout up`.
    """
    found: list[Finding] = []
    try:
        chosen = settings.load()
    except settings.SettingError as error:
        found = [Finding("settings", Verdict.BAD, "environment and .env", "cannot be used", str(error))]
        if not as_json:
            _print(found[0])
    else:
        for finding in examine(chosen):
            found.append(finding)
            if not as_json:
                _print(finding)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(each) for each in found], indent=2, ensure_ascii=False))
    if any(each.verdict is Verdict.BAD for each in found):
        raise SystemExit(FAILED)


def _print(finding: Finding) -> None:
    verdict = click.style(f"{finding.verdict.value:<8}", fg=_COLOURS[finding.verdict])
    click.echo(f"{verdict}{finding.part:<15} {table.plain(finding.text)}  ({table.plain(finding.where)})")
    if finding.advice:
        click.echo(f"{'':<24}{table.plain(finding.advice)}")
