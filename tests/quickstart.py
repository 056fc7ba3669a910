"""docs/MONITORING_QUICKSTART.md, followed as a new user would: in a copy of the checkout, block by block.

`make quickstart` follows it with all its waits, the install included, and prints what each step took.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path

from tests.components import need
from tests.documents import reader
from tests.integration.watching import hurry
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
PAGE = "docs/MONITORING_QUICKSTART.md"
#: What a clone of the repository has not.
_NOT_CLONED = shutil.ignore_patterns(
    ".git", ".venv", ".env", ".components", ".*_cache", "__pycache__", "*.egg-info",
    "data", "demo-data", "test-output", "site",
)  # fmt: skip
#: The ports that the page names, and the settings that move some of them.
_PORTS = {
    "5000": "SCOUT_PORT", "9125": "SCOUT_STATSD_PORT", "9102": "SCOUT_EXPORTER_PORT",
    "9091": "SCOUT_PUSHGATEWAY_PORT", "9090": "", "9093": "", "9099": "",
}  # fmt: skip
_PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "statsd_exporter", "prometheus-pushgateway")


def follow(folder: Path, *, hurried: bool = False, tell: Callable[[str], None] = print) -> float:
    """Follow the page in a copy of the checkout, on ports of its own.

    Args:
        folder: Where the copy goes.
        hurried: Whether Prometheus and Alertmanager wait seconds where they wait minutes otherwise, and what
            is installed here is used: `make setup` finds that nothing is to be done.
        tell: Who hears of each step.

    Returns:
        The seconds that it took.

    Raises:
        AssertionError: A command failed, or what the page promises did not come.
    """
    place = folder / "iam-job-scout"
    shutil.copytree(ROOT, place, ignore=_NOT_CLONED)
    ports = {usual: str(free_port()) for usual in _PORTS}
    addresses = re.compile(rf"\b({'|'.join(_PORTS)})\b")

    def on_own_ports(text: str) -> str:
        return addresses.sub(lambda usual: ports[usual[1]], text)

    for path in (
        *(place / "prometheus" / "targets").glob("*.yml"),
        place / "prometheus" / "alertmanager.yml",
    ):
        path.write_text(on_own_ports(path.read_text(encoding="utf-8")), encoding="utf-8")
    if hurried:
        hurry(place / "prometheus")
        _installed(place)
    environ = {
        **{
            name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "LANG", "HOME"))
        },
        "PATH": os.pathsep.join([str(_programs(folder, hurried=hurried)), *_outside_of_environments()]),
        **{setting: ports[usual] for usual, setting in _PORTS.items() if setting},
    }
    with reader(place, environ, on_own_ports, tell) as somebody:
        return somebody.follow((place / PAGE).read_text(encoding="utf-8"))


def _installed(place: Path) -> None:
    """Make the copy's `.venv` with the packages of the one that runs this, and the copy's own code."""
    venv.create(place / ".venv", with_pip=False, symlinks=True)
    (packages,) = (place / ".venv").glob("lib/python*/site-packages")
    (packages / "copy.pth").write_text(f"{place}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    command = place / ".venv" / "bin" / "scout"
    command.write_text(
        f"#!{command.parent / 'python'}\nfrom scout.cli import main\nmain()\n", encoding="utf-8"
    )
    command.chmod(0o755)
    (place / ".venv" / ".installed").touch()


def _programs(folder: Path, *, hurried: bool) -> Path:
    """A folder with the programs that the page asks for."""
    programs = folder / "bin"
    programs.mkdir()
    for name in _PROGRAMS:
        (programs / name).symlink_to(need(name))
    if hurried:
        # What fired before the Alertmanager was found is sent again after this, not after a minute.
        wrapped = programs / "prometheus"
        wrapped.unlink()
        text = f'#!/bin/sh\nexec "{need("prometheus")}" "$@" --rules.alert.resend-delay=1s\n'
        wrapped.write_text(text, encoding="utf-8")
        wrapped.chmod(0o755)
    return programs


def _outside_of_environments() -> list[str]:
    """The places of PATH that are those of the machine, not of a virtual environment."""
    places = os.environ["PATH"].split(os.pathsep)
    return [each for each in places if not (Path(each).parent / "pyvenv.cfg").is_file()]


def main() -> int:
    """Follow the page with all its waits; 1 when it does not hold."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            took = follow(Path(folder))
        except AssertionError as error:
            sys.stderr.write(f"{PAGE} does not hold: {error}\n")
            return 1
    print(f"{PAGE} took {took / 60:.1f} minutes, the install included.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
