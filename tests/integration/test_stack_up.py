"""`scout up` for real: embedded parts, one terminal, one Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
SCOUT = [sys.executable, "-c", "from scout.cli import main; main()"]

pytestmark = pytest.mark.xdist_group("whole-stack")


@dataclass
class Started:
    """A `scout up` or `scout demo`, and what it said."""

    process: subprocess.Popen[bytes]
    environ: dict[str, str]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environ['SCOUT_PORT']}"

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_words(self, words: str, timeout: float = 60) -> None:
        def heard() -> bool:
            assert self.process.poll() is None or words in self.said, self.said
            return words in self.said

        wait_until(heard, timeout=timeout, what=f"the line {words!r}")

    def await_running(self) -> dict[str, int]:
        """The process ids of all parts by name, when all run."""
        self.await_words("ready at http")
        wanted = {"redis-server ": "redis", "-m gunicorn ": "web", "-m workers.schedule ": "scheduler"}
        wanted |= {"-m workers ": "workers", "embedded.exporter ": "exporter", "embedded.gateway ": "gateway"}

        def parts() -> dict[str, int] | None:
            found: dict[str, int] = {}
            for child in psutil.Process(self.process.pid).children():
                line = " ".join(child.cmdline()) + " "
                found |= {name: child.pid for words, name in wanted.items() if words in line}
            return found if len(found) == len(wanted) else None

        return wait_until(parts, timeout=30, what="six parts")

    def family(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def ended(self, timeout: float = 15) -> int:
        return self.process.wait(timeout)


def environment(folder: Path, **further: str) -> dict[str, str]:
    # Python's own folder and the system's: what runs here is what came along, wherever the suite runs.
    kept = ("HOME", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "SYSTEMROOT")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}/nowhere",
        "SCOUT_DATA_DIR": str(folder / "data"),
        "SCOUT_PORT": str(free_port()),
        "SCOUT_STATSD_PORT": str(free_port()),
        "SCOUT_EXPORTER_PORT": str(free_port()),
        "SCOUT_PUSHGATEWAY_PORT": str(free_port()),
        "SCOUT_STARTER_BOARDS": "0",
        **further,
    }


def scout(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SCOUT, *arguments], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    started: list[Started] = []

    def start(command: str = "up", **further: str) -> Started:
        environ = environment(tmp_path, **further)
        log = tmp_path / f"{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*SCOUT, command], env=environ, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )
        started.append(Started(process, environ, log))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.send_signal(signal.SIGINT)
            each.process.wait(20)


def assert_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=5)
    assert [each.cmdline() for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def test_the_whole_stack_starts_answers_is_well_and_ends_with_one_ctrl_c(up: Callable[..., Started]) -> None:
    stack = up()
    stack.await_running()
    assert stack.said.count("embedded") >= 4
    password = re.search(r"Password  (\S+)", stack.said)
    assert password is not None
    with urllib.request.urlopen(f"{stack.url}/readyz", timeout=30) as answer:
        assert answer.status == 200

    def well() -> bool:
        return scout(stack.environ, "doctor").returncode == 0

    wait_until(well, timeout=30, what="a doctor that finds all well")
    found = json.loads(scout(stack.environ, "doctor", "--json").stdout)
    assert {each["part"] for each in found} >= {
        "database",
        "Redis",
        "scan workers",
        "scheduler",
        "StatsD path",
    }

    second = scout(stack.environ, "up")
    assert (second.returncode, second.stdout) == (1, "")
    assert re.fullmatch(
        rf"scout: Another `scout up` runs on .* \(pid {stack.process.pid}\): stop it, .*\n", second.stderr
    )

    family = stack.family()
    stack.process.send_signal(signal.SIGINT)
    assert stack.ended() == 0
    assert_gone(family)
    assert "Traceback" not in stack.said
    assert "killing" not in stack.said
    assert scout(stack.environ, "doctor").returncode == 1

    again = up(SCOUT_DATA_DIR=stack.environ["SCOUT_DATA_DIR"])
    again.await_words("ready at http")
    assert "Password" not in again.said  # it is shown once
    again.process.send_signal(signal.SIGTERM)
    assert again.ended() == 0


@pytest.mark.parametrize("part", ["redis", "web", "workers", "scheduler", "exporter"])
def test_a_part_that_dies_stops_the_rest_and_is_named(up: Callable[..., Started], part: str) -> None:
    stack = up()
    pids = stack.await_running()
    family = stack.family()
    os.kill(pids[part], signal.SIGKILL)
    assert stack.ended() == 1
    assert re.search(rf"scout: {part}(-embedded)? ended by itself \(killed by SIGKILL\)", stack.said)
    assert "Traceback" not in stack.said
    assert_gone(family)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel tells children only on Linux")
def test_nothing_stays_when_scout_up_itself_is_killed(up: Callable[..., Started]) -> None:
    stack = up()
    stack.await_running()
    family = stack.family()
    stack.process.kill()
    _, alive = psutil.wait_procs(family, timeout=15)
    assert [each.cmdline() for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


def test_ctrl_c_while_it_starts_stops_it_as_well(up: Callable[..., Started]) -> None:
    stack = up()
    stack.await_words("part ")
    wait_until(stack.family, what="the first part")
    family = stack.family()
    stack.process.send_signal(signal.SIGINT)
    assert stack.ended() == 0
    assert_gone(family)
    assert "Traceback" not in stack.said


@pytest.mark.parametrize(
    ("variable", "purpose", "kind"),
    [
        ("SCOUT_PORT", "the pages", socket.SOCK_STREAM),
        ("SCOUT_STATSD_PORT", "StatsD samples, UDP", socket.SOCK_DGRAM),
        ("SCOUT_EXPORTER_PORT", "the StatsD exporter", socket.SOCK_STREAM),
        ("SCOUT_PUSHGATEWAY_PORT", "the Pushgateway", socket.SOCK_STREAM),
    ],
)
def test_a_taken_port_is_one_clear_sentence(tmp_path: Path, variable: str, purpose: str, kind: int) -> None:
    environ = environment(tmp_path)
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", int(environ[variable])))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        ended = scout(environ, "up")
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"scout: Port {environ[variable]} ({purpose}) is taken")
    assert f"set {variable} to a free port" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SCOUT_PORT", "http", "SCOUT_PORT='http': write a whole number from 1 to 65535."),
        ("SCOUT_DATA_DIR", "/dev/null/data", "Cannot write to the data directory /dev/null/data: "),
        ("STATSD_EXPORTER_URL", "http://127.0.0.1:1", "STATSD_EXPORTER_URL is set and STATSD_URL is not"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "The Redis of REDIS_URL does not answer"),
        ("REDIS_URL", "nonsense", "REDIS_URL"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/none", "database"),
        ("DATABASE_URL", "mysql://127.0.0.1/none", "DATABASE_URL"),
    ],
)
def test_what_cannot_be_used_is_one_clear_sentence(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    ended = scout(environment(tmp_path, **{variable: value}), "up")
    last = ended.stderr.strip().splitlines()[-1]
    assert ended.returncode == 1
    assert last.startswith("scout: ")
    assert words in last
    assert "Traceback" not in ended.stdout + ended.stderr


def test_the_demo_shows_jobs_and_moving_metrics_within_a_minute(up: Callable[..., Started]) -> None:
    stack = up("demo")

    def figures() -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"{stack.url}/metrics", timeout=30) as answer:
                page = answer.read().decode()
        except OSError:
            return {}
        lines = re.findall(r"(?m)^([a-z]\w*(?:\{[^}]*\})?) (\S+)$", page)
        return {name: float(value) for name, value in lines}

    def jobs() -> bool:
        return figures().get("iam_jobs_total", 0) > 50

    wait_until(jobs, timeout=60, what="more than 50 jobs")
    wait_until(
        lambda: figures().get('iam_scan_runs_total{status="succeeded"}', 0) >= 2,
        timeout=60,
        what="a second scan run",
    )
    now = figures()
    assert any(name.startswith("http_requests_total") for name in now)
    assert any(name.startswith("iam_scan_last_new{") for name in now)
    assert now["statsd_exporter_events_unmapped_total"] == 0
    assert now.get('statsd_exporter_events_actions_total{action="drop"}', 0) == 0
    family = stack.family()
    stack.process.send_signal(signal.SIGINT)
    assert stack.ended() == 0
    assert_gone(family)
    assert "Traceback" not in stack.said
