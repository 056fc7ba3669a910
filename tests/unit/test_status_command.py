"""`scout status`: the same as the page says, for a terminal and for programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import metrics
from scout.cli import cli
from scout.database import DatabaseUnusable
from scout.settings import load
from tests import overview_world
from tests.databases import make_tables
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.serving import serving


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    for name in list(os.environ):
        if name.startswith("SCOUT_") or name.endswith("_URL"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    found = {
        "SCOUT_DATA_DIR": str(tmp_path / "data"),
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "STATSD_URL": "udp://127.0.0.1:1",
        "STATSD_EXPORTER_URL": "http://127.0.0.1:1",
        "PUSHGATEWAY_URL": "http://127.0.0.1:1",
        "SCOUT_PORT": "1",
    }
    make_tables(load(found))
    yield found
    metrics.stop()


def run(environ: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(cli, ["status", *words], env=environ)


def test_what_is_broken_is_said_first_and_is_exit_code_1(environ: dict[str, str]) -> None:
    found = run(environ)
    assert found.exit_code == 1
    first, second, *_ = found.output.splitlines()
    assert first == "6 things need a look."
    assert " ".join(second.split()).startswith("bad Pages They do not answer.")


def test_a_folder_without_a_database_stays_as_it_is(environ: dict[str, str], tmp_path: Path) -> None:
    found = run({**environ, "SCOUT_DATA_DIR": str(tmp_path / "elsewhere")})
    assert found.exit_code == 1
    assert isinstance(found.exception, DatabaseUnusable)
    assert "`scout up` makes it" in str(found.exception)
    assert not (tmp_path / "elsewhere").exists()


def test_programs_get_json(environ: dict[str, str]) -> None:
    found = run(environ, "--json")
    assert found.exit_code == 1
    assert json.loads(found.output)["verdict"] == "bad"


def test_alerts_are_told_without_control_characters(
    environ: dict[str, str],
    redis_server: RedisServer,  # noqa: F811 - the fixture
) -> None:
    alert = {
        **overview_world.ALERTS[0],
        "annotations": {"summary": "x\x1b[2J", "runbook_url": "https://r.example/a"},
    }
    with (
        serving(overview_world.exporter) as exporter,
        serving(overview_world.gateway) as gateway,
        serving(overview_world.prometheus([alert])) as server,
    ):
        found = run(
            {
                **environ,
                "REDIS_URL": redis_server.url,
                "STATSD_EXPORTER_URL": exporter.origin,
                "PUSHGATEWAY_URL": gateway.origin,
                "PROMETHEUS_URL": server.origin,
            }
        )
    assert "alert   ScansFail: x" in found.output
    assert "\x1b[2J" not in found.output
    assert "https://r.example/a" in found.output


def test_a_setting_that_cannot_be_used_is_said_in_a_line(environ: dict[str, str]) -> None:
    found = run({**environ, "GRAFANA_URL": "nonsense"})
    assert found.exit_code == 1
    assert "GRAFANA_URL='nonsense': write an address" in str(found.exception)
