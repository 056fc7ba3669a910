"""docs/DEPLOYING.md names files, services, units and settings that there are."""

from __future__ import annotations

import re
from dataclasses import fields

from scout.cli.demo import _PASSWORD
from scout.settings import Settings
from tests.unit.deploying.compose import FILE, ROOT, SERVICES

TEXT = (ROOT / "docs" / "DEPLOYING.md").read_text(encoding="utf-8")


def test_files_that_it_names_are_there() -> None:
    named = set(re.findall(r"(?<![\w/])(?:deploy|prometheus|docs)/[\w./*-]*[\w*/]", TEXT))
    assert len(named) >= 8
    assert [each for each in sorted(named) if not list(ROOT.glob(each))] == []
    linked = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert [each for each in linked if not (ROOT / "docs" / each).exists()] == []


def test_services_that_its_commands_name_are_there() -> None:
    named = set(re.findall(r"--scale (\w+)=", TEXT))
    for line in re.findall(r"docker compose (?:--profile \w+ )?([^`\n#]+)", TEXT):
        words = [word for word in line.split() if not word.startswith("-")]
        verb = next(number for number, word in enumerate(words) if word in {"up", "exec", "logs"})
        named |= set(words[verb + 1 : verb + 2 if words[verb] == "exec" else None])
    assert named <= set(SERVICES)
    assert {"web", "worker_replica", "alerts"} <= named


def test_variables_that_it_names_are_settings_or_variables_of_compose() -> None:
    settings = {each.metadata["variable"] for each in fields(Settings)}
    of_compose = set(re.findall(r"\$\{(\w+)", FILE.read_text(encoding="utf-8")))
    named = set(
        re.findall(r"\b(?:SCOUT|PROXY|SECRETS|STATSD|PROMETHEUS|PUSHGATEWAY|DATABASE|REDIS)_[A-Z_]+\b", TEXT)
    )
    assert {each.removesuffix("_FILE") for each in named} <= settings | of_compose


def test_the_password_of_the_demo_is_the_one_that_it_tells() -> None:
    assert f"`{_PASSWORD}`" in TEXT
