"""`scout metrics docs`: what the documents say of metrics, rules and alerts, made from what declares them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from metrics.watch import proofs, reference, rules, slo
from metrics.watch.errors import WatchError
from scout import settings as scout_settings
from scout.cli import table
from scout.errors import ScoutError

_RULES = scout_settings.PROJECT / "prometheus" / "rules"
_SLOS = scout_settings.PROJECT / "prometheus" / "slos.yml"
_DOCS = scout_settings.PROJECT / "docs"
#: The document whose tables are made.
_FILLED = "MONITORING.md"


class DocumentsError(ScoutError):
    """A document says what is not so."""


@click.command("docs")
@click.option("--write", "action", flag_value="write", help="Make the tables of docs/MONITORING.md anew.")
@click.option(
    "--check",
    "action",
    flag_value="check",
    help="Fail when a table is old, or a query asks for what is not there.",
)
def docs(action: str | None) -> None:
    """Print, write or check the document of all metrics, rules, objectives and alerts.

    The check also reads the PromQL in all of docs/.

    Example: scout metrics docs --write
    """
    path = _DOCS / _FILLED
    try:
        told = reference.Told(rules.load(_RULES), slo.load(_SLOS))
        if action == "check":
            found = list(_stale_or_wrong(path, told))
            if found:
                raise DocumentsError("\n".join(table.plain(each) for each in found))
            click.echo("The documents say what the catalogue and the rules say, and ask for what there is.")
            return
        text = reference.filled(reference.read(path), told)
    except WatchError as error:
        raise DocumentsError(str(error)) from None
    if action == "write":
        path.write_text(text, encoding="utf-8")
        click.echo(f"Wrote {path.name}.")
    else:
        click.echo(text, nl=False)


def _stale_or_wrong(path: Path, told: reference.Told) -> Iterator[str]:
    yield from reference.stale([path], told)
    for folder in (_DOCS, _DOCS / "howto"):
        yield from proofs.mistakes(folder, told.rules.known())
