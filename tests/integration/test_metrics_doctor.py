"""`scout metrics doctor` against the real parts: where the probe arrives, and where it is lost, and why."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from metrics import catalogue, kernel, mapping
from scout import probe
from scout.cli import cli
from scout.probe import Step, Verdict
from scout.settings import Settings
from tests.components import need
from tests.integration.embedded_programs import (
    EXPORTER,
    GATEWAY,
    Program,
    exporter_flags,
    free_port,
    running,
)
from tests.serving import Asked, reply, serving
from tests.waiting import wait_until

QUICK = 0.5


@contextlib.contextmanager
def exporter(folder: Path, text: str, *, real: bool = True) -> Iterator[tuple[Program, str]]:
    """A running exporter with that mapping, and the address that feeds it."""
    rules, web, udp = folder / "mapping.yml", free_port(), free_port()
    rules.write_text(text, encoding="utf-8")
    command = [need("statsd_exporter")] if real else list(EXPORTER)
    with running([*command, *exporter_flags(rules, web, udp=udp)], web) as program:
        yield program, f"udp://127.0.0.1:{udp}"


def pushgateway(folder: Path) -> contextlib.AbstractContextManager[Program]:
    port = free_port()
    # Debian's keeps its groups in a file of the machine unless it is told otherwise.
    flags = [f"--web.listen-address=127.0.0.1:{port}", "--persistence.file="]
    return running([need("prometheus-pushgateway"), *flags], port)


@contextlib.contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Program]:
    """A running Prometheus that has read its list of targets."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        f"- {{job_name: anything, honor_labels: true, static_configs: [{{targets: ['{target}']}}]}}\n",
        encoding="utf-8",
    )
    command: list[str | Path] = [
        need("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, port) as server:
        wait_until(lambda: target in server.ask("/api/v1/targets")[1], timeout=20, what="the target")
        yield server


def app_page(program: Program) -> Callable[[Asked], bytes]:
    """The application's page: the exporter's, and that it could be had."""

    def answer(asked: Asked) -> bytes:
        return reply(f'{program.page()}scout_exposition_up{{part="statsd_exporter"}} 1\n'.encode())

    return answer


def verdicts(steps: list[Step]) -> dict[str, Verdict]:
    return {step.name: step.verdict for step in steps}


def the_last(steps: Iterator[Step]) -> Step:
    return list(steps)[-1]


def test_both_probes_arrive_everywhere(tmp_path: Path) -> None:
    with (
        exporter(tmp_path, mapping.render()) as (program, statsd),
        pushgateway(tmp_path) as gateway,
        prometheus(tmp_path, program.url.removeprefix("http://")) as server,
        serving(app_page(program)) as app,
    ):
        settings = Settings(
            port=app.port,
            statsd_url=statsd,
            statsd_exporter_url=program.url,
            pushgateway_url=gateway.url,
            prometheus_url=server.url,
        )
        steps = list(probe.examine(settings))
        assert verdicts(steps) == dict.fromkeys(
            [
                *("address", "socket", "exporter", "parsed", "mapped", "page", "app", "prometheus"),
                *("stored", "gateway", "gateway page", "gateway delete"),
            ],
            Verdict.OK,
        )
        assert probe.JOB not in gateway.page()
        assert program.figure("statsd_loaded_mapping_version") == mapping.version()
        assert program.figure("statsd_exporter_events_actions_total", action="drop") == 0


def test_the_embedded_parts_are_followed_too(tmp_path: Path) -> None:
    port = free_port()
    with (
        exporter(tmp_path, mapping.render(), real=False) as (program, statsd),
        running([*GATEWAY, f"--web.listen-address=127.0.0.1:{port}"], port) as gateway,
    ):
        steps = [*probe.statsd_path(statsd, program.url), *probe.gateway_path(gateway.url)]
    assert set(verdicts(steps).values()) == {Verdict.OK}
    assert len(steps) == 9


def test_where_the_probe_is_lost_before_the_exporter_is_told(tmp_path: Path) -> None:
    with exporter(tmp_path, mapping.render()) as (program, statsd):
        nobody = probe.statsd_path(f"udp://127.0.0.1:{free_port()}", program.url, QUICK)
        assert (step := the_last(nobody)).name == "socket"
        assert "nobody listens there" in step.text
        nowhere = probe.statsd_path("udp://nowhere.invalid:9125", program.url, QUICK)
        assert (step := the_last(nowhere)).name == "address"
        assert "has no address" in step.text
        with socket.socket(type=socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            elsewhere = f"udp://127.0.0.1:{stranger.getsockname()[1]}"
            step = the_last(probe.statsd_path(elsewhere, program.url, QUICK))
        assert (step.name, step.verdict) == ("exporter", Verdict.LOST)
        assert "received nothing" in step.text
        with serving(lambda _: reply(b"gone\n", 404)) as other:
            step = the_last(probe.statsd_path(statsd, other.origin, QUICK))
        assert "it answers 404: gone" in step.text
        step = the_last(probe.statsd_path(statsd, f"http://127.0.0.1:{free_port()}", QUICK))
        assert "cannot be read" in step.text
        with serving(lambda _: None) as broken:
            step = the_last(probe.statsd_path(statsd, broken.origin, QUICK))
        assert "cannot be read" in step.text


LAST = "- {match: ., match_type: regex, action: drop, name: dropped}\n"
#: A mapping file that is not ours of today, and what the step `mapped` says of it.
OLD_FILES = {
    "one that drops what it does not know": (f"mappings:\n{LAST}", Verdict.LOST, "last rule dropped it"),
    "one from before that rule": ("mappings: []\n", Verdict.LOST, "older than the rule that drops"),
    "one of another version": (
        mapping.render().replace(f"scale: {mapping.version()}", "scale: 7"),
        Verdict.WARNING,
        "has the rules of version 7",
    ),
    "one that does not know its version": (
        f"mappings:\n- {{match: scout.statsd_client_probes_total, name: statsd_client_probes_total}}\n{LAST}",
        Verdict.WARNING,
        "does not know its own version",
    ),
}


@pytest.mark.parametrize("file", OLD_FILES)
def test_an_exporter_with_another_mapping_file_is_told(tmp_path: Path, file: str) -> None:
    text, verdict, sentence = OLD_FILES[file]
    with exporter(tmp_path, text) as (program, statsd):
        found = {step.name: step for step in probe.statsd_path(statsd, program.url, QUICK)}
    assert found["mapped"].verdict is verdict
    assert sentence in found["mapped"].text
    assert "statsd-exporter-mapping.yml" in found["mapped"].advice
    assert ("page" in found) == (verdict is not Verdict.LOST)


def test_a_name_that_has_another_kind_is_told(tmp_path: Path) -> None:
    text = mapping.render() + "  - {match: other, name: statsd_client_probes_total}\n"
    with exporter(tmp_path, text) as (program, statsd):
        port = int(statsd.rpartition(":")[2])
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"other:1|g", ("127.0.0.1", port))
        wait_until(lambda: program.figure(catalogue.CLIENT_PROBES.name) == 1, what="the gauge")
        step = the_last(probe.statsd_path(statsd, program.url, QUICK))
    assert (step.name, step.verdict) == ("mapped", Verdict.LOST)
    assert "Restart the exporter" in step.advice


def app_step(settings: Settings, port: int, host: str = "127.0.0.1") -> Step:
    changed = replace(settings, host=host, port=port)
    return next(step for step in probe.examine(changed, QUICK) if step.name == "app")


def test_an_application_that_shows_another_exporter_loses_it_and_one_that_is_not_there_does_not(
    tmp_path: Path,
) -> None:
    with exporter(tmp_path, mapping.render()) as (program, statsd), pushgateway(tmp_path) as gateway:
        settings = Settings(statsd_url=statsd, statsd_exporter_url=program.url, pushgateway_url=gateway.url)
        with serving(lambda _: reply(b"scout_exposition_up 1\n")) as other:
            assert app_step(settings, other.port).verdict is Verdict.LOST
        with serving(lambda _: reply(b"some 1\n")) as stranger:
            step = app_step(settings, stranger.port, "0.0.0.0")
            assert (step.verdict, "not our web process" in step.text) == (Verdict.NOT_ASKED, True)
        with serving(lambda _: reply(b"no\n", 403)) as closed:
            assert "SCOUT_METRICS_ALLOW" in app_step(settings, closed.port).advice
        assert app_step(settings, free_port()).verdict is Verdict.NOT_ASKED


def test_a_prometheus_without_the_exporter_loses_it(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9102"
    other = f"127.0.0.1:{free_port()}"
    with prometheus(tmp_path, other) as server:
        step = the_last(probe.prometheus_path(server.url, url, 1, QUICK))
        assert (step.verdict, "not among the 1 targets" in step.text) == (Verdict.LOST, True)
        step = the_last(probe.prometheus_path(server.url, f"http://{other}", 1, QUICK))
        assert step.verdict is Verdict.LOST
        assert "is down" in step.text or "did not have the probe" in step.text
    step = the_last(probe.prometheus_path(f"http://127.0.0.1:{free_port()}", url, 1, QUICK))
    assert "does not tell its targets" in step.text


def test_a_prometheus_that_never_gets_the_probe_is_given_up_after_two_scrapes(tmp_path: Path) -> None:
    with exporter(tmp_path, mapping.render()) as (program, _):
        target = program.url.removeprefix("http://")
        with prometheus(tmp_path, target) as server:
            steps = list(probe.prometheus_path(server.url, program.url, 5, QUICK))
    assert [(step.name, step.verdict) for step in steps] == [
        ("prometheus", Verdict.OK),
        ("stored", Verdict.LOST),
    ]
    assert "within 2 seconds" in steps[1].text


def test_a_gateway_that_is_not_there_or_refuses_or_forgets_loses_its_probe(tmp_path: Path) -> None:
    (step,) = probe.gateway_path(f"http://127.0.0.1:{free_port()}", QUICK)
    assert (step.name, step.verdict) == ("gateway", Verdict.LOST)
    assert step.text.endswith("does not take a push (Connection refused)")
    with serving(lambda _: reply(b"no\n", 405)) as refusing:
        (step,) = probe.gateway_path(refusing.origin, QUICK)
        assert "it answers 405: no" in step.text
    with serving(lambda _: reply(b"", 200)) as forgetful:
        steps = list(probe.gateway_path(forgetful.origin, QUICK))
    assert verdicts(steps) == {
        "gateway": Verdict.OK,
        "gateway page": Verdict.LOST,
        "gateway delete": Verdict.OK,
    }


def test_a_group_that_stays_is_told_with_the_command_that_deletes_it() -> None:
    pushed: list[str] = []

    def keeping(asked: Asked) -> bytes:
        if asked.path != "/metrics":
            pushed.append(asked.path)
        name = pushed[0].rpartition("/")[2]
        return reply(f'push_time_seconds{{instance="",job="scout_doctor",probe="{name}"}} 1\n'.encode())

    with serving(keeping) as gateway:
        step = the_last(probe.gateway_path(gateway.origin, QUICK))
    assert (step.name, step.verdict) == ("gateway delete", Verdict.LOST)
    assert f"curl -X DELETE {gateway.origin}{pushed[0]}" in step.advice


def test_what_the_kernel_dropped_or_holds_is_named() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as slow, socket.socket(type=socket.SOCK_DGRAM) as client:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.bind(("127.0.0.1", 0))
        port = slow.getsockname()[1]
        assert list(probe.kernel_drops(f"udp://127.0.0.1:{port}")) == []
        if not kernel.TABLES[0].exists():
            pytest.skip("this kernel has no table of UDP sockets")
        client.sendto(b"x", ("127.0.0.1", port))
        (step,) = probe.kernel_drops(f"udp://127.0.0.1:{port}")
        assert "bytes wait at port" in step.text
        assert "none was dropped" in step.text
        for _ in range(200):
            client.sendto(b"x" * 1000, ("127.0.0.1", port))
        (step,) = probe.kernel_drops(f"udp://localhost:{port}")
        assert step.verdict is Verdict.WARNING
        assert f"datagrams at port {port}" in step.text
        assert list(probe.kernel_drops(f"udp://elsewhere.example:{port}")) == []
    assert list(probe.kernel_drops("unixgram:///somewhere")) == []


def test_the_command_prints_a_line_for_each_step_and_ends_with_1_when_one_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with exporter(tmp_path, mapping.render()) as (program, statsd), pushgateway(tmp_path) as gateway:
        for variable, value in {
            "STATSD_URL": statsd,
            "STATSD_EXPORTER_URL": program.url,
            "PUSHGATEWAY_URL": gateway.url,
            "SCOUT_PORT": str(free_port()),
        }.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.delenv("PROMETHEUS_URL", raising=False)
        well = CliRunner().invoke(cli, ["metrics", "doctor"])
        assert well.exit_code == 0, well.output
        lines = [line.split() for line in well.output.splitlines()]
        assert lines[0][:2] == ["ok", "address"]
        assert ["ok", "page", catalogue.CLIENT_PROBES.name] in [line[:3] for line in lines]
        monkeypatch.setenv("PUSHGATEWAY_URL", f"http://127.0.0.1:{free_port()}")
        lost = CliRunner().invoke(cli, ["metrics", "doctor", "--json"])
        assert lost.exit_code == 1
        told = json.loads(lost.output)
        assert told["arrived"] is False
        assert told["lost"].startswith("gateway: ")
        assert [step["name"] for step in told["steps"]][-2:] == ["app", "gateway"]
