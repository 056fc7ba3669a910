"""`scout migrate`: bring the database's tables up to date."""

from __future__ import annotations

import click

from scout import settings
from scout.cli import FAILED
from scout.database import differences
from scout.database import migrate as bring_up_to_date


@click.command()
@click.option(
    "--check", is_flag=True, help="Change nothing; exit code 1 if the tables differ from the models."
)
def migrate(*, check: bool) -> None:
    """Bring the database's tables up to date. Does nothing where they are.

    Example: scout migrate --check
    """
    chosen = settings.load()
    if not check:
        bring_up_to_date(chosen)
        click.echo("The database is up to date.")
        return
    found = differences(chosen)
    for each in found:
        click.echo(f"differs: {each}")
    if found:
        click.echo("The tables are not those of the models: run `scout migrate`.", err=True)
        raise SystemExit(FAILED)
    click.echo("The tables are those of the models.")
