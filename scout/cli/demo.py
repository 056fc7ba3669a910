"""`scout demo`: everything on this machine, against invented boards."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import click

from scout import settings
from scout.stack import ports, start
from scout.stack.problems import CannotStart

#: The port of the board simulator where it is free; any other does as well.
_BOARDS_PORT = 8800
_HOST = "127.0.0.1"
#: The demo listens on this machine alone and its jobs are invented: its password is no secret.
_PASSWORD = "look-around"  # noqa: S105
#: In minutes: a scan every 20 seconds, so that changes of the boards are seen while one looks.
_SCAN_INTERVAL = "0.333"


@click.command(
    epilog="Example: scout demo. Exit codes: 0 stopped as asked, 1 could not start, or a part ended."
)
def demo() -> None:
    """Start everything against a simulator of job boards; needs no network.

    The boards' companies and postings are invented and change while you look; a visitor browses a little,
    so that the metrics move. The data lies in demo-data/, unless SCOUT_DATA_DIR says otherwise.
    """
    environ = settings.environment()
    port = ports.free(_HOST, _BOARDS_PORT)
    told = _described(f"http://{_HOST}:{port}")
    environ["SCOUT_DATA_DIR"] = environ.get("SCOUT_DATA_DIR") or str(settings.PROJECT / "demo-data")
    if not environ.get(settings.in_file("SCOUT_PASSWORD")):
        environ["SCOUT_PASSWORD"] = environ.get("SCOUT_PASSWORD") or _PASSWORD
    environ["SCOUT_SCAN_INTERVAL_MINUTES"] = environ.get("SCOUT_SCAN_INTERVAL_MINUTES") or _SCAN_INTERVAL
    environ["SCOUT_ORIGIN_OVERRIDES"] = told.overrides
    environ["SCOUT_STARTER_BOARDS"] = "0"
    chosen = settings.load(environ)
    environ = start.environment(chosen, environ)
    environ["SCOUT_DEMO_PORT"] = str(port)
    environ["SCOUT_DEMO_URL"] = start.address(chosen)
    start.run(
        start.Plan(
            chosen,
            environ,
            beneath=["boards"],
            beside=["visitor"],
            ports=[ports.Port("the board simulator", "SCOUT_DEMO_PORT", _HOST, port)],
            boards=told.boards,
            notes=[("Password", chosen.password), ("Simulator", f"http://{_HOST}:{port}")],
            files={"demo-password": chosen.password},
        )
    )


@dataclass(frozen=True, slots=True)
class _World:
    overrides: str
    boards: list[str]


def _described(url: str) -> _World:
    # Asked for by a process: the simulator is no part of the product, which may not import it.
    answer = subprocess.run(
        [sys.executable, "-m", "demo", "describe", "--url", url],
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.PROJECT,
    )
    if answer.returncode != 0:
        raise CannotStart(f"The board simulator cannot run: {answer.stderr.strip().rpartition(chr(10))[2]}")
    return _World(**json.loads(answer.stdout))
