"""Runbooks asked and alerts delivered: the real programs, the committed rules, and what our client sends."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import metrics
from metrics import catalogue, push
from metrics.watch import known, promql, proofs, receiver, reference, rules
from tests import postgres_server
from tests.components import need
from tests.integration import foreign_exporters
from tests.integration.embedded_programs import ROOT, Program, exporter_flags, free_port, running, samples
from tests.integration.test_metrics_round_trip import emit
from tests.integration.watching import PROMETHEUS, alertmanager, ask, copied, prometheus
from tests.redis_server import RedisServer, redis_server
from tests.waiting import wait_until

#: Of one process, which has one Prometheus with everything in it.
pytestmark = pytest.mark.xdist_group("rules-delivered")

__all__ = ["redis_server"]

#: The runbooks, and the other documents that ask something.
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if proofs.queries(page)]
#: A query that may well have no answer while all is well: it asks for what is past some limit.
_PAST_A_LIMIT = re.compile(r"[<>=!]=|[<>]|\bunless\b")


def emit_for_ever(url: str) -> None:
    """Emit every metric with every value, again and again, until the process is ended."""
    metrics.start(url, role="web")
    while True:
        for metric in catalogue.ALL:
            emit(metric)
        # What runbooks ask for by name, of labels that may say anything.
        catalogue.HTTP_REQUESTS.inc(method="GET", endpoint="/", status="500")
        catalogue.APP_ERRORS.inc(type="ConnectionError", place="schedule")
        time.sleep(1)


@dataclass(frozen=True)
class Watched:
    """What runs."""

    exporter: Program
    gateway: Program
    prometheus: Program
    alertmanager: Program


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A Prometheus that scrapes exporter, gateway, itself and Alertmanager, while everything is emitted."""
    folder = tmp_path_factory.mktemp("watched")
    ports = {name: free_port() for name in ("exporter", "gateway", "prometheus", "alertmanager", "nobody")}
    address = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    place = copied(
        folder,
        {
            "statsd_exporter": address["exporter"],
            "pushgateway": address["gateway"],
            "prometheus": address["prometheus"],
            "alertmanager": address["alertmanager"],
        },
    )
    mapping = ROOT / "statsd-exporter-mapping.yml"
    flags = exporter_flags(mapping, ports["exporter"], udp=ports["exporter"])
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        exporter = enter(running([need("statsd_exporter"), *flags], ports["exporter"]))
        listen = f"--web.listen-address={address['gateway']}"
        kept = f"--persistence.file={folder / 'pushed'}"
        gateway = enter(running([need("prometheus-pushgateway"), listen, kept], ports["gateway"]))
        manager = enter(alertmanager(place, ports["alertmanager"], f"http://{address['nobody']}"))
        asked = enter(prometheus(place, ports["prometheus"]))
        now = time.time()
        figures = push.ScanFigures("succeeded", 2.0, now, now, 9, 1, 1, 0, 9)
        assert push.push_scan(gateway.url, "okta", figures)
        code = f"from {__name__} import emit_for_ever; emit_for_ever('udp://{address['exporter']}')"
        client = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
        stack.callback(client.wait, 10)
        stack.callback(client.terminate)
        _send_what_is_not_ours(ports["exporter"])
        wait_until(
            lambda: len(ask(asked, "rate(iam_sign_ins_total[10s])")) > 1, timeout=60, what="two scrapes"
        )
        wait_until(lambda: ask(asked, "slo:bad_share:mean3d"), timeout=60, what="the recorded shares")
        yield Watched(exporter, gateway, asked, manager)


def _send_what_is_not_ours(port: int) -> None:
    """Lines whose faults the exporter counts, each kind once."""
    lines = ("strange:1|c", "broken", f"scout.{catalogue.CLIENT_PROBES.name}:-1|c")
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for line in lines:
            sender.sendto(line.encode(), ("127.0.0.1", port))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_queries_of_a_document_are_answered(watched: Watched, page: Path) -> None:
    ours = known.ours()
    for query in proofs.queries(page):
        asked = [selector.name for selector in promql.read(query).selectors]
        found = ask(watched.prometheus, query)
        # What others tell may be away here; what is ours is there, as everything is emitted.
        if set(asked) <= set(ours) and not _PAST_A_LIMIT.search(re.sub(r"\{[^}]*\}", "", query)):
            wait_until(ask, watched.prometheus, query, timeout=20, what=query)
        assert isinstance(found, list)


def test_what_each_metric_is_asked_by_is_answered(watched: Watched) -> None:
    def unanswered() -> list[str]:
        return [each.name for each in catalogue.ALL if not ask(watched.prometheus, reference.example(each))]

    wait_until(lambda: not unanswered(), timeout=20, what="an answer of every metric")


def test_all_rules_are_evaluated_without_an_error(watched: Watched) -> None:
    def evaluated() -> list[dict[str, Any]]:
        groups = json.loads(watched.prometheus.ask("/api/v1/rules")[1])["data"]["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else []

    found = wait_until(evaluated, timeout=30, what="each rule evaluated")
    assert {rule["name"]: rule["lastError"] for rule in found if rule["health"] != "ok"} == {}
    assert len(found) == len(rules.load(PROMETHEUS / "rules").alerts) + len(_recordings())


def _recordings() -> list[rules.Recording]:
    return rules.load(PROMETHEUS / "rules").recordings


#: Those that are born only with a fault that is not made here.
_UNBORN = {
    "statsd_exporter_events_conflict_total",
    "statsd_exporter_config_reloads_total",
    "alertmanager_alerts",
}


@pytest.mark.parametrize(
    ("program", "field"),
    [
        ("statsd_exporter", "exporter"),
        ("pushgateway", "gateway"),
        ("prometheus", "prometheus"),
        ("alertmanager", "alertmanager"),
    ],
)
def test_what_the_rules_believe_of_others_is_on_their_pages(
    watched: Watched, program: str, field: str
) -> None:
    names = {name for name, series in known.OTHERS.items() if series.program == program} - _UNBORN

    def missing() -> set[str]:
        page = getattr(watched, field).page()
        return {name for name in names if not re.search(rf"^{name}[ {{]", page, re.MULTILINE)}

    assert names
    wait_until(lambda: not missing(), timeout=20, what=f"all names on the page of {program}")


@pytest.mark.parametrize("program", ["node_exporter", "redis_exporter", "postgres_exporter"])
def test_what_the_rules_believe_of_the_machine_redis_and_postgresql_is_on_the_exporters_pages(
    program: str, redis_server: RedisServer
) -> None:
    with contextlib.ExitStack() as stack:
        if program == "node_exporter":
            exporter = stack.enter_context(foreign_exporters.node())
        elif program == "redis_exporter":
            exporter = stack.enter_context(foreign_exporters.redis(redis_server.socket))
        else:
            folder = stack.enter_context(postgres_server.running())
            exporter = stack.enter_context(foreign_exporters.postgres(folder))
        there = {
            (name, label) for name, labels in samples(exporter.page()) for label, _ in (("", ""), *labels)
        }
    believed = {name: each for name, each in known.OTHERS.items() if each.program == program}
    wanted = {(name, label) for name, each in believed.items() for label in ("", *each.labels)}
    assert wanted
    assert wanted - there == set()


def test_an_alert_arrives_with_its_words_silences_what_follows_from_it_and_is_taken_back(
    tmp_path: Path,
) -> None:
    taken: list[dict[str, Any]] = []
    ports = {name: free_port() for name in ("exporter", "prometheus", "alertmanager")}
    address = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    place = copied(
        tmp_path, {"statsd_exporter": address["exporter"], "alertmanager": address["alertmanager"]}
    )
    command: list[str | Path] = [
        need("statsd_exporter"),
        *exporter_flags(None, ports["exporter"], udp=ports["exporter"]),
    ]

    def told(name: str, status: str) -> list[dict[str, Any]]:
        alerts = [alert for notification in list(taken) for alert in notification["alerts"]]
        return [a for a in alerts if a["labels"]["alertname"] == name and a["status"] == status]

    with (
        receiver.Receiver(("127.0.0.1", 0), lambda said: taken.append(dict(said))) as server,
        contextlib.ExitStack() as stack,
    ):
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}"
        manager = stack.enter_context(alertmanager(place, ports["alertmanager"], url))
        with running(command, ports["exporter"]) as exporter:
            asked = stack.enter_context(prometheus(place, ports["prometheus"]))
            wait_until(lambda: ask(asked, 'up{job="statsd_exporter"} == 1'), what="a scrape")
            wait_until(lambda: told("ScoutWatchdog", "firing"), timeout=30, what="the watchdog")
            assert told("ScoutExporterDown", "firing") == []
            exporter.process.send_signal(signal.SIGKILL)
            wait_until(lambda: told("ScoutExporterDown", "firing"), timeout=30, what="the alert")
        (first, *_) = told("ScoutExporterDown", "firing")
        assert first["annotations"]["summary"] == "statsd_exporter does not answer, so nothing is measured."
        assert address["exporter"] in first["annotations"]["description"]
        assert first["labels"]["severity"] == "page"

        def inhibited() -> bool:
            found = json.loads(manager.ask("/api/v2/alerts?filter=alertname%3DScoutWebSilent")[1])
            return bool(found) and all(each["status"]["state"] == "suppressed" for each in found)

        wait_until(inhibited, timeout=30, what="the silence of the web workers held back")
        with running(command, ports["exporter"]):
            wait_until(lambda: told("ScoutExporterDown", "resolved"), timeout=60, what="its end")
