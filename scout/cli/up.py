"""`scout up`: everything on this machine, in one terminal."""

from __future__ import annotations

import click

from scout import settings
from scout.stack import start


@click.command(
    epilog="Example: SCOUT_PORT=8080 scout up. "
    "Exit codes: 0 stopped as asked, 1 could not start, or a part ended."
)
def up() -> None:
    """Start everything and stay until Ctrl-C.

    Runs the pages, the scan workers, the scheduler and what they stand on. A Redis, a statsd_exporter and a
    Pushgateway on PATH are used; where there is none, one that came with the project. The settings are told
    in docs/CONFIGURATION.md.
    """
    environ = settings.environment()
    chosen = settings.load(environ)
    start.run(start.Plan(chosen, start.environment(chosen, environ)))
