"""What the real programs say to the options and the health checks that containers are started with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.components import need
from tests.image import lay_out
from tests.integration.embedded_programs import ROOT, running
from tests.integration.test_stack_up import environment
from tests.ports import free_port
from tests.unit.deploying.compose import SERVICES, flags
from tests.waiting import wait_until

#: The programs of the images, by the names that they have here. Debian's are older than the images'.
PROGRAMS = {
    "statsd_exporter": "statsd_exporter",
    "pushgateway": "prometheus-pushgateway",
    "prometheus": "prometheus",
    "alertmanager": "prometheus-alertmanager",
}
#: Those that look at something else, which is not here: asked for their options alone.
EXPORTERS = {
    "node_exporter": "prometheus-node-exporter",
    "redis_exporter": "prometheus-redis-exporter",
    "postgres_exporter": "prometheus-postgres-exporter",
}


def known(program: Path) -> set[str]:
    """The options that a program says it has."""
    said = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
    option = re.compile(r"^\s*(?:-h, )?--?(\[no-\])?([a-z][\w.-]+)", re.MULTILINE)
    found = set()
    for no, name in option.findall(said.stdout + said.stderr):
        found |= {f"--{name}", f"--no-{name}"} if no else {f"--{name}"}
    return found


@pytest.mark.parametrize("service", [*PROGRAMS, *EXPORTERS])
def test_the_program_has_every_option_that_its_container_is_started_with(service: str) -> None:
    program = need({**PROGRAMS, **EXPORTERS}[service])
    assert flags(SERVICES[service]["command"]) - known(program) == set()


@pytest.mark.parametrize("service", PROGRAMS)
def test_the_health_check_finds_the_real_program_healthy(service: str, tmp_path: Path) -> None:
    port = free_port()
    # Its own options, but for those that name places and ports of its container.
    here = {
        "--config.file=/etc/prometheus/prometheus.yml": "--config.file=prometheus/prometheus.yml",
        "--config.file=/etc/alertmanager/alertmanager.yml": "--config.file=prometheus/alertmanager.yml",
        "--statsd.mapping-config=/etc/statsd-exporter-mapping.yml":
            "--statsd.mapping-config=statsd-exporter-mapping.yml",
        "--statsd.listen-udp=:9125": "--statsd.listen-udp=127.0.0.1:0",
        "--storage.tsdb.path=/prometheus": f"--storage.tsdb.path={tmp_path}/tsdb",
        "--storage.path=/alertmanager": f"--storage.path={tmp_path}/alerts",
        "--persistence.file=/pushgateway/pushgateway.data": f"--persistence.file={tmp_path}/gateway",
    }  # fmt: skip
    words = [here.get(word, word) for word in SERVICES[service]["command"]]
    words = [re.sub(r"^(--web.listen-address=):\d+$", rf"\g<1>127.0.0.1:{port}", word) for word in words]
    asked = SERVICES[service]["healthcheck"]["test"][-1]
    path = re.fullmatch(r"http://127\.0\.0\.1:\d+(/\S*)", asked)
    assert path is not None
    with running([need(PROGRAMS[service]), *words], port, ready=path[1]) as program:
        assert program.ask(path[1])[0] == 200


def test_redis_starts_as_its_container_does_and_its_health_check_finds_it(tmp_path: Path) -> None:
    program = need("redis-server")
    port = free_port()
    words = [*SERVICES["redis"]["command"][1:], "--port", str(port), "--bind", "127.0.0.1"]
    process = subprocess.Popen([program, *words], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        check = [program.parent / "redis-cli", "-p", str(port), *SERVICES["redis"]["healthcheck"]["test"][2:]]

        def pong() -> bool:
            return subprocess.run(check, capture_output=True, text=True, check=False).stdout == "PONG\n"

        wait_until(pong, what="a Redis that answers")
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.xdist_group("whole-stack")
def test_the_files_of_the_image_are_all_that_the_program_runs_on(tmp_path: Path) -> None:
    app = tmp_path / "app"
    lay_out(app)
    environ = environment(tmp_path)
    # Compiled once, as the image is, and not by each of its processes.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    scout = [sys.executable, "-c", "from scout.cli import main; main()"]

    # This Python has the checkout installed: what is found is that of the folder all the same.
    where = [sys.executable, "-c", "import webapp; print(webapp.__file__)"]
    found = subprocess.run(where, cwd=app, env=environ, capture_output=True, text=True, check=True).stdout
    assert Path(found.strip()).is_relative_to(app)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    check = re.search(r"^HEALTHCHECK [^\n]*\\\n +CMD (\[.+\])$", dockerfile, re.MULTILINE)
    assert check is not None
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([*scout, "up"], cwd=app, env=environ, stdout=output, stderr=output)
    try:

        def healthy() -> bool:
            words = [sys.executable, *json.loads(check[1])[1:]]
            assert process.poll() is None, log.read_text(encoding="utf-8")
            return subprocess.run(words, env=environ, capture_output=True, check=False).returncode == 0

        wait_until(healthy, timeout=60, what="an image that is healthy")
    finally:
        process.terminate()
        assert process.wait(20) == 0, log.read_text(encoding="utf-8")


def test_an_exporter_that_was_killed_does_not_start_over_its_old_socket_file(tmp_path: Path) -> None:
    """Why containers send by UDP: the file outlives the program, in a volume as in a pod."""
    port = free_port()
    command: list[str | Path] = [
        need("statsd_exporter"), f"--web.listen-address=127.0.0.1:{port}", "--statsd.listen-udp=",
        "--statsd.listen-tcp=", f"--statsd.listen-unixgram={tmp_path / 'statsd.sock'}",
    ]  # fmt: skip
    with running(command, port) as program:
        wait_until((tmp_path / "statsd.sock").exists, what="a socket")
        program.process.kill()
        program.process.wait(10)
    again = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert again.returncode == 1
    assert "socket already exists" in again.stderr
