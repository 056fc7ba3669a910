"""Our own command in the documents: each subcommand and option that they name is there."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from scout.cli import cli
from tests.unit.test_links import PAGES

_COMMAND = re.compile(r"(?:^|`|\* |/bin/)(scout [^`\n|>#]+)", re.MULTILINE)
#: History, whose commands may be gone.
_LEFT_OUT = ("CHANGELOG.md",)


def commands() -> list[str]:
    """What documents say of our own command, in blocks and in sentences."""
    texts = (page.read_text(encoding="utf-8") for page in PAGES if page.name not in _LEFT_OUT)
    return sorted({found.strip() for text in texts for found in _COMMAND.findall(text.replace("\\\n", " "))})


@pytest.mark.parametrize("line", commands())
def test_a_command_of_a_document_is_there_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    group: click.Command = cli
    while isinstance(group, click.Group) and words and not words[0].startswith("-"):
        found = group.get_command(click.Context(group), words.pop(0))
        assert found is not None, line
        group = found
    known = {option for each in group.params for option in (*each.opts, *each.secondary_opts)}
    asked = {word.split("=")[0] for word in words if word.startswith("--")}
    assert asked - {"--help", "--version"} <= known, line
