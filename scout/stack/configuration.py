"""The settings as a page for readers (docs/CONFIGURATION.md) and as a file to copy (.env.example).

`python -m scout.stack.configuration` writes both; with `--check` it only says whether they are up to date.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from scout.settings import PROJECT, Settings

_HEAD = """\
# Configuration

Every setting is an environment variable, or a line of a file `.env` in the folder from which `scout` is
started; the environment wins. They are read and checked in one place, `scout/settings.py`, from which this
page is written (`python -m scout.stack.configuration`). A value that cannot be used is one sentence at start,
and exit code 1.

None needs to be set: `make run` works without.

| variable | unset means | meaning |
|---|---|---|
"""

_TAIL = """
Settings marked with * hold secrets; they are never shown or logged. Each may stand in a file instead, which
its variable with `_FILE` names: `SCOUT_PASSWORD_FILE=/run/secrets/scout_password` for `SCOUT_PASSWORD`, as
secrets of containers and credentials of systemd are handed over. The file holds one line, whose end does not
count; an empty one leaves the setting unset. Setting both variables is an error.

A second stack on the same machine needs its own `SCOUT_DATA_DIR`, `SCOUT_PORT`, `SCOUT_STATSD_PORT`,
`SCOUT_EXPORTER_PORT` and `SCOUT_PUSHGATEWAY_PORT`. Parts that run elsewhere (`DATABASE_URL`, `REDIS_URL`,
`STATSD_URL` with `STATSD_EXPORTER_URL`, `PUSHGATEWAY_URL`) are not started here, and take no ports here.
"""

_EXAMPLE_HEAD = """\
# Copy this to `.env` and uncomment what you change. Nothing here needs to be set.
# Written by `python -m scout.stack.configuration`; docs/CONFIGURATION.md says the same as a page.
# A secret may stand in a file instead: NAME_FILE=/path for NAME. Those are marked with *.
"""


def page() -> str:
    """The text of docs/CONFIGURATION.md."""
    rows = []
    for each in fields(Settings):
        mark = "*" if each.metadata["secret"] else ""
        unset = _default(each)
        shown = f"`{unset}`" if unset else ""
        meaning = each.metadata["meaning"].replace("|", "\\|")
        rows.append(f"| `{each.metadata['variable']}`{mark} | {shown} | {meaning} |\n")
    return _HEAD + "".join(rows) + _TAIL


def example() -> str:
    """The text of .env.example."""
    blocks = []
    for each in fields(Settings):
        mark = " *" if each.metadata["secret"] else ""
        meaning = textwrap.fill(
            each.metadata["meaning"] + mark, 100, initial_indent="# ", subsequent_indent="# "
        )
        blocks.append(f"\n{meaning}\n#{each.metadata['variable']}={_default(each)}\n")
    return _EXAMPLE_HEAD + "".join(blocks)


def _default(each: Field[Any]) -> str:
    value = each.default if each.default is not MISSING else ""
    match value:
        case bool():
            return "1" if value else "0"
        case Path():
            return str(value.relative_to(PROJECT))
        case float():
            return f"{value:g}"
        case tuple() | frozenset():
            return ",".join(str(part) for part in value)
        case _:
            return str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both files, or with `--check` compare them; 1 when they differ."""
    parser = argparse.ArgumentParser(prog="python -m scout.stack.configuration", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file is old")
    check = parser.parse_args(arguments).check
    old = []
    for name, text in (("docs/CONFIGURATION.md", page()), (".env.example", example())):
        path = PROJECT / name
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                old.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if old:
        sys.stderr.write(f"Old: {', '.join(old)}. Run python -m scout.stack.configuration\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
