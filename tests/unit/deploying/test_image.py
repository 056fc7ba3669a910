"""The image: what a build is sent, and what the Dockerfile promises."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.image import context, patterns
from tests.unit.deploying.compose import ROOT

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LAST = TEXT.rpartition("\nFROM ")[2]


@pytest.mark.parametrize(
    ("rules", "path", "becomes"),
    [
        ("*", "a", "left out"),
        ("*\n!a", "a/b/c.py", "sent"),
        ("*\n!docs/runbooks", "docs/runbooks/X.md", "sent"),
        ("*\n!docs/runbooks", "docs/API.md", "left out"),
        ("*\n!a\n**/__pycache__", "a/b/__pycache__/c.pyc", "left out"),
        ("*\n!a\n**/__pycache__", "__pycache__/c.pyc", "left out"),
        ("# a\n\n*.md", "README.md", "left out"),
        ("*.md", "docs/README.md", "sent"),
        ("**/*.md\n!README.md", "README.md", "sent"),
    ],
)
def test_the_last_line_of_a_dockerignore_that_matches_decides(rules: str, path: str, becomes: str) -> None:
    found = [lets_in for lets_in, pattern in patterns(rules) if pattern.fullmatch(path)]
    assert ("sent" if not found or found[-1] else "left out") == becomes


def test_what_a_build_is_sent_is_what_the_program_runs_on() -> None:
    files = {path.as_posix() for path in context()}
    tops = {path.partition("/")[0] for path in files}
    assert tops == {
        "LICENSE", "NOTICE", "Procfile", "README.md", "demo", "docs", "metrics", "prometheus",
        "prometheus-alerts.yml.example", "pyproject.toml", "requirements.txt", "scout",
        "statsd-exporter-mapping.yml", "webapp", "workers",
    }  # fmt: skip
    assert [path for path in files if "__pycache__" in path or path.startswith("docs/API")] == []
    assert "docs/runbooks/ScoutWebDown.md" in files
    # All of it is in the repository: nothing of this machine goes along.
    if shutil.which("git") and (ROOT / ".git").exists():
        known = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        new = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert files <= {*known.splitlines(), *new.splitlines()}


def test_the_image_runs_as_nobody_of_this_machine_and_says_how_it_is_asked_and_stopped() -> None:
    assert re.search(r"^ARG PYTHON=3\.\d+\.\d+-slim-\w+$", TEXT, re.MULTILINE)
    assert TEXT.count("FROM python:${PYTHON}") == 2
    for line in ("USER 10001:10001", "STOPSIGNAL SIGTERM", "VOLUME /data", "EXPOSE 5000", "HEALTHCHECK "):
        assert f"\n{line}" in LAST
    assert "pip install" not in LAST
    assert set(re.findall(r"org\.opencontainers\.image\.(\w+)=", LAST)) == {
        "title", "description", "licenses", "version", "revision",
    }  # fmt: skip


def test_the_version_of_the_image_is_that_of_the_program() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    assert f"ARG VERSION={version}\n" in TEXT
    assert f"image: iam-job-scout:{version}\n" in (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout + done.stderr == ""
