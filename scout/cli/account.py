"""`scout account`: the owner's password."""

from __future__ import annotations

import sys

import click

from scout import settings
from scout.account import change_password
from scout.database import for_command
from scout.errors import ScoutError


@click.group()
def account() -> None:
    """The owner's password."""


@account.command()
def password() -> None:
    """Set a new password, and sign out everywhere.

    Asks for it on a terminal; reads one line from standard input otherwise.
    Example: scout account password < password.txt
    """
    chosen = settings.load()
    if chosen.password:
        raise ScoutError(
            "SCOUT_PASSWORD is set and decides: change it there, then start anew, or unset it first."
        )
    if sys.stdin.isatty():
        new = click.prompt("New password", hide_input=True, confirmation_prompt="The same again")
    else:
        new = sys.stdin.readline().rstrip("\r\n")
    with for_command(chosen) as database, database.session() as session:
        change_password(session, new)
    click.echo("The password is set. Every browser must sign in anew.")
