"""The how-tos: what they show works, with the real programs where there are some."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from metrics import catalogue, mapping, model
from metrics.testing import Captured
from metrics.watch import rules
from scout.sources.registry import fault
from tests import documents
from tests.components import need
from tests.integration.embedded_programs import ROOT

HOWTO = ROOT / "docs" / "howto"


def page(name: str) -> str:
    return (HOWTO / f"{name}.md").read_text(encoding="utf-8")


def run_blocks(name: str, **known: object) -> ModuleType:
    """A module made of a page's blocks of Python."""
    made = ModuleType("scout_howto")
    made.__dict__.update(known)
    sys.modules[made.__name__] = made
    for block in documents.blocks(page(name), "python"):
        exec(block.text, made.__dict__)  # noqa: S102 - our own document
    return made


def test_the_metric_is_declared_emitted_and_mapped(emitted: Captured) -> None:
    made = run_blocks(
        "add-a-metric", Counter=model.Counter, Signal=model.Signal, Label=model.Label, Captured=Captured
    )
    made.test_what_is_put_off_is_counted(emitted)
    assert made.REMINDERS_SNOOZED.name in mapping.render([*catalogue.ALL, made.REMINDERS_SNOOZED])


def test_the_kind_of_board_has_all_that_a_kind_needs_and_reads_its_board() -> None:
    made = run_blocks("add-a-board", urlsplit=urlsplit)
    made.test_a_board_of_acme_is_read()
    assert made.Acme.interval >= dt.timedelta(minutes=1)
    assert fault(made.Acme()) == ""


def test_the_alert_passes_its_tests_and_our_rules(tmp_path: Path) -> None:
    for block in documents.blocks(page("add-an-alert"), "yaml"):
        file = tmp_path / block.title
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    (command,) = (each for each in documents.blocks(page("add-an-alert"), "sh") if "promtool" in each.text)
    words = command.text.split()
    done = subprocess.run(
        [need(words[0]), *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "SUCCESS" in done.stdout, done.stdout + done.stderr
    assert list(rules.mistakes(rules.load(tmp_path / "prometheus" / "rules"))) == []


@pytest.mark.parametrize("name", ["back-up-and-restore", "upgrade"])
def test_the_commands_for_backups_print_what_they_promise(tmp_path: Path, name: str) -> None:
    command = tmp_path / ".venv" / "bin" / "scout"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!{sys.executable}\nfrom scout.cli import main\nmain()\n", encoding="utf-8")
    command.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SCOUT_DATA_DIR": "data"}
    subprocess.run(
        [command, "migrate"], cwd=tmp_path, env=environ, check=True, timeout=60, capture_output=True
    )
    with documents.reader(tmp_path, environ, str, tell=lambda _: None) as somebody:
        somebody.follow(page(name))
