"""`scout account`: the owner's password and codes, tokens for programs, and what was done."""

from __future__ import annotations

import datetime as dt
import json
import sys
from typing import Any

import click

from scout import audit, clock, settings, totp
from scout import tokens as api_tokens
from scout.account import change_password
from scout.cli import table
from scout.database import for_command
from scout.errors import ScoutError
from scout.models import ApiToken, AuditEvent
from scout.tokens import Scope


@click.group()
def account() -> None:
    """The owner's password and codes, tokens for programs, and what was done."""


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
        audit.by_command(session, "account.change_password", "Changed the password")
    click.echo("The password is set. Every browser must sign in anew.")


@account.group("totp")
def totp_() -> None:
    """One-time codes after the password."""


@totp_.command()
def off() -> None:
    """Ask for codes no longer: for an owner who has lost the authenticator and the recovery codes.

    Example: scout account totp off
    """
    with for_command(settings.load()) as database, database.session() as session:
        if was_on := totp.off(session):
            audit.by_command(session, "account.switch_codes_off", "Switched one-time codes off")
    click.echo("One-time codes are off: the password alone opens." if was_on else "They were off already.")


@account.command()
@click.option(
    "--search", "text", default="", metavar="WORDS", help="Only events that say all of these words."
)
@click.option("--by", "who", type=click.Choice(list(audit.WHO)), help="Only what these did.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, audit.MOST), help="At most.")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def log(text: str, who: str | None, limit: int, *, as_json: bool) -> None:
    """List what was done here, by whom and from where, the newest first.

    Example: scout account log --by nobody
    """
    query = audit.AuditQuery(text=text, who=who or "", per_page=limit)
    with for_command(settings.load()) as database, database.reading() as session:
        found = audit.find(session, query)
    if as_json:
        click.echo(json.dumps([_event(each) for each in found.events], indent=2, ensure_ascii=False))
    elif not found.events:
        click.echo("Nothing like that was done yet.")
    else:
        rows = [
            [
                f"{each.at:%Y-%m-%d %H:%M}",
                each.words if each.times == 1 else f"{each.words} {each.times} times",
                each.subject,
                each.by,
                each.address,
            ]
            for each in found.events
        ]
        table.show(["AT (UTC)", "WHAT", "ABOUT", "BY", "FROM"], rows, shrink=[2, 3])


def _event(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": clock.iso(event.at),
        "action": event.action,
        "words": event.words,
        "subject": event.subject,
        "by": event.by,
        "address": event.address,
        "times": event.times,
    }


@account.group()
def tokens() -> None:
    """API tokens: what lets programs in, each for the scopes that it needs."""


@tokens.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print an array for programs.")
def list_(*, as_json: bool) -> None:
    """List the tokens, valid ones first. None can be shown again.

    Example: scout account tokens list
    """
    with for_command(settings.load()) as database, database.reading() as session:
        found = api_tokens.every(session)
    if as_json:
        click.echo(json.dumps([_as_dict(each) for each in found], indent=2, ensure_ascii=False))
    elif not found:
        click.echo("There is no token yet. `scout account tokens create --help` shows how one is made.")
    else:
        rows = [
            [
                each.prefix,
                each.name,
                api_tokens.state_of(each),
                ", ".join(each.scopes),
                table.ago(each.last_used_at),
                f"{each.expires_at:%Y-%m-%d}" if each.expires_at else "",
            ]
            for each in found
        ]
        table.show(["TOKEN", "NAME", "STATE", "SCOPES", "USED", "EXPIRES"], rows, shrink=[3, 1])


@tokens.command()
@click.option("--name", required=True, help="What to call it, such as where it is used.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([each.value for each in Scope]),
    help="What it is good for; may be given several times. Who may write may read the same.",
)
@click.option("--days", type=click.IntRange(1, 3650), help="After how many days it expires; unset, never.")
@click.option("--json", "as_json", is_flag=True, help="Print an object for programs.")
def create(name: str, scopes: tuple[str, ...], days: int | None, *, as_json: bool) -> None:
    """Make a token, and print it: this once.

    Example: scout account tokens create --name prometheus --scope metrics:read
    """
    expires_at = clock.now() + dt.timedelta(days=days) if days else None
    with for_command(settings.load()) as database, database.session() as session:
        token, text = api_tokens.create(session, name, scopes, expires_at)
        subject = f"{token.name} ({', '.join(token.scopes)})"
        audit.record(session, "account.create_token", "Made an API token", by=audit.COMMAND, subject=subject)
    if as_json:
        click.echo(json.dumps({**_as_dict(token), "token": text}, indent=2, ensure_ascii=False))
        return
    click.echo(text)
    click.echo("Keep it now: it cannot be shown again.", err=True)


@tokens.command()
@click.argument("token")
def revoke(token: str) -> None:
    """End a token at once, by what `list` calls it. What uses it is refused from then on.

    Example: scout account tokens revoke k3v9x2ab
    """
    with for_command(settings.load()) as database, database.session() as session:
        ended = api_tokens.revoke(session, token)
        audit.by_command(session, "account.revoke_token", "Revoked an API token", ended.name)
    click.echo(f"{table.plain(ended.name)} is revoked.")


def _as_dict(token: ApiToken) -> dict[str, Any]:
    return {
        "prefix": token.prefix,
        "name": token.name,
        "state": api_tokens.state_of(token),
        "scopes": token.scopes,
        "created_at": clock.iso(token.created_at),
        "last_used_at": clock.iso(token.last_used_at),
        "expires_at": clock.iso(token.expires_at),
        "revoked_at": clock.iso(token.revoked_at),
    }
