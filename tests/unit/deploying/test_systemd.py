"""The units: systemd takes them, they are locked up well, and they run what the Procfile runs."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from scout.settings import Settings, in_file
from scout.stack import start
from tests.unit.deploying.compose import DOCUMENT, ROOT, flags

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
OURS = [path for path in UNITS if "-m scout" in path.read_text() or "-m workers" in path.read_text()]
OURS += [FOLDER / "scout-web.service"]
ONE = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)


def said(unit: Path, name: str) -> list[str]:
    """What a unit says under a name, each line of it."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)


def analyze(tmp_path: Path, *words: str) -> str:
    """What systemd-analyze says of the units, with a program in the place of those that are not here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: it comes with systemd")
    folder = tmp_path / "units"
    shutil.copytree(FOLDER, folder)
    for path in folder.glob("*.service"):
        text = re.sub(
            r"^(Exec\w+=)/(opt|usr/local)/\S+",
            rf"\g<1>{sys.executable}",
            path.read_text(),
            flags=re.MULTILINE,
        )
        path.write_text(text)
    units = sorted(map(str, folder.glob("*.service")))
    # The colon at the end has the system's own units found, too.
    environ = {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    command = ["systemd-analyze", *words, *units]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    assert analyze(tmp_path, "verify", "--man=no", "--recursive-errors=no") == ""


def test_every_unit_is_locked_up(tmp_path: Path) -> None:
    told = analyze(tmp_path, "security", "--offline=yes")
    # Of 10 for a unit that may do anything.
    exposed = dict(re.findall(r"exposure level for (\S+): (\d+\.\d)", told))
    assert {name.replace("@i", "@") for name in exposed} == {path.name for path in UNITS}
    assert {name: level for name, level in exposed.items() if float(level) > 2.0} == {}


@ONE
def test_every_unit_ends_with_the_target_and_is_kept_within_bounds(unit: Path) -> None:
    if unit.name != "scout-prepare.service":
        assert said(unit, "Restart") == ["always"]
        assert len(said(unit, "MemoryMax")) == len(said(unit, "TasksMax")) == 1
    common = FOLDER / "scout-.service.d" / "10-common.conf"
    assert said(common, "PartOf") == ["scout.target"]
    wanted = " ".join(said(FOLDER / "scout.target", "Wants") + said(FOLDER / "scout-web.service", "Wants"))
    assert unit.name.replace("@", "@1") in wanted


@pytest.mark.parametrize("unit", OURS, ids=lambda path: path.name)
def test_our_units_hear_settings_and_every_secret_by_its_file(unit: Path) -> None:
    variables = dict(pair.split("=", 1) for line in said(unit, "Environment") for pair in line.split())
    secret = {in_file(each.metadata["variable"]) for each in fields(Settings) if each.metadata["secret"]}
    plain = {each.metadata["variable"] for each in fields(Settings) if not each.metadata["secret"]}
    assert set(variables) - {"TMPDIR", "PYTHONUNBUFFERED"} <= plain | secret
    assert secret <= set(variables)
    credentials = dict(line.split(":") for line in said(unit, "LoadCredential"))
    assert {f"%d/{name}" for name in credentials} == {variables[name] for name in secret}
    # The folder of secrets to try out has each of them.
    assert set(credentials) == set(DOCUMENT["secrets"]) - {"postgres_password", "grafana_password"}
    # What processes of one exporter share outlives each of them.
    assert variables["TMPDIR"] == f"/run/{said(unit, 'RuntimeDirectory')[0]}"
    assert said(unit, "RuntimeDirectoryPreserve") == ["yes"]
    assert variables["SCOUT_DATA_DIR"] == f"/var/lib/{said(unit, 'StateDirectory')[0]}"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("web", "web"),
        ("worker@", "workers"),
        ("scheduler", "scheduler"),
        ("exporter", "exporter"),
        ("gateway", "gateway"),
    ],
)
def test_units_run_what_the_procfile_runs(name: str, line: str) -> None:
    (command,) = said(FOLDER / f"scout-{name}.service", "ExecStart")
    words, theirs = shlex.split(command), shlex.split(start.procfile()[line])
    if name in {"exporter", "gateway"}:
        assert flags(words) == flags(theirs)
    else:
        assert words[1:] == theirs[2:]  # `exec` and the program go by other names
