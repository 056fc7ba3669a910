"""The `scout` command. Each subcommand is a module here, imported only when it is asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from metrics import client
from metrics.instruments import count_error
from scout.errors import ScoutError
from scout.logs import setup
from scout.settings import Settings

#: Exit codes, as `scout --help` tells them.
DONE, FAILED, USAGE, PARTIAL = 0, 1, 2, 3

_COMMANDS = {
    "up": "scout.cli.up:up",
    "demo": "scout.cli.demo:demo",
    "scan": "scout.cli.scan:scan",
    "sources": "scout.cli.sources:sources",
    "jobs": "scout.cli.jobs:jobs",
    "searches": "scout.cli.searches:searches",
    "profile": "scout.cli.profile:profile",
    "export": "scout.cli.export:export",
    "import": "scout.cli.import_:import_",
    "backup": "scout.cli.backup:backup",
    "restore": "scout.cli.backup:restore",
    "normalise": "scout.cli.normalise:normalise",
    "status": "scout.cli.status:status",
    "doctor": "scout.cli.doctor:doctor",
    "metrics": "scout.cli.metrics:metrics",
    "account": "scout.cli.account:account",
    "migrate": "scout.cli.migrate:migrate",
}


class _LazyGroup(click.Group):
    """Imports a subcommand's module on use: `scout metrics` need not load the database layer."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands in the order in which people meet them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand's own object, or None for an unknown name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{_COMMANDS[cmd_name]} is not a command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; an error meant for people is counted, while its metrics are still sent."""
        try:
            return super().invoke(ctx)
        except ScoutError as error:
            count_error(error, "cli")
            raise


def measure(settings: Settings) -> None:
    """Send what the running command emits, and write its log, from here to its very end."""
    client.start(settings.statsd, role="command")
    root = click.get_current_context().find_root()
    root.call_on_close(client.stop)
    root.call_on_close(setup.configure("command", settings))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="iam-job-scout", prog_name="scout")
def cli() -> None:
    """IAM Job Scout: finds jobs on public boards, says why they match, and follows them.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partial.
    """


def main() -> None:
    """Run the command; an error meant for people becomes one line on stderr and exit code 1."""
    try:
        cli.main(prog_name="scout", standalone_mode=True)
    except ScoutError as error:
        click.echo(f"scout: {error}", err=True)
        sys.exit(FAILED)
