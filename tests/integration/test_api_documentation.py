"""The examples of docs/API.md do what they say, against a real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scout import tokens
from scout.database import Database
from scout.settings import load
from tests import documents, kept
from tests.app_server import app_server
from tests.databases import make_tables

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "API.md").read_text(encoding="utf-8")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The address of a server with a job, and a token."""
    settings = load({"SCOUT_DATA_DIR": str(tmp_path)})
    make_tables(settings)
    database = Database.open(settings)
    with database.session() as session:
        kept.job(session, at=kept.source(session), title="Identity Engineer", score=60)
        _, token = tokens.create(session, "docs", ["jobs:write"])
    database.dispose()
    with app_server(settings) as address:
        yield {"address": address, "token": token}


def examples(language: str, address: str) -> list[str]:
    return [each.text.replace("http://127.0.0.1:5000", address) for each in documents.blocks(PAGE, language)]


def output(command: list[str], token: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, "TOKEN": token}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_work(server: dict[str, str]) -> None:
    said = [output(["bash", "-c", each], server["token"]) for each in examples("bash", server["address"])]
    assert '"title":"Identity Engineer"' in said[0]
    assert '"body":"They pay for moving."' in said[1]
    assert len(said) == 2


def test_the_program_works_and_tells_a_problem_in_words(server: dict[str, str]) -> None:
    (program,) = examples("python", server["address"])
    said = output([sys.executable, "-c", program], server["token"])
    assert "Identity Engineer is new" in said
    assert "Now it is saved" in said
    late = program.replace('headers["ETag"]', "'\"1\"'").replace('"saved"', '"dismissed"')
    assert "is saved now" in output([sys.executable, "-c", late], server["token"])
