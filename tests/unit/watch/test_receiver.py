from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from metrics.watch import receiver
from scout.cli import metrics as commands
from scout.cli import watch
from tests.waiting import wait_until


def notification(status: str = "firing", **labels: str) -> dict[str, Any]:
    """What an Alertmanager posts, with one alert."""
    alert = {
        "status": status,
        "labels": {"alertname": "ScoutTried", "severity": "page", "group": "tried", **labels},
        "annotations": {
            "summary": "It is tried.",
            "description": "Now.",
            "runbook_url": "http://x/ScoutTried",
        },
    }
    return {"version": "4", "status": status, "alerts": [alert]}


def post(port: int, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/page", body)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture
def taken() -> Iterator[tuple[receiver.Receiver, list[Any]]]:
    found: list[Any] = []
    with receiver.Receiver(("127.0.0.1", 0), found.append) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server, found
        server.shutdown()
        thread.join()


def test_a_notification_is_handed_on_as_it_came(taken: tuple[receiver.Receiver, list[Any]]) -> None:
    server, found = taken
    assert post(server.server_port, json.dumps(notification()).encode()) == 200
    assert found == [notification()]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"alerts": 3}', b'{"alerts": ["x"]}', b'{"alerts": [{"labels": 3}]}']
)
def test_what_is_no_notification_is_refused(taken: tuple[receiver.Receiver, list[Any]], body: bytes) -> None:
    server, found = taken
    assert post(server.server_port, body) == 400
    assert found == []


def test_only_the_watchdog_is_a_sign_of_life(taken: tuple[receiver.Receiver, list[Any]]) -> None:
    server, _ = taken
    server.heard = before = 0.0
    post(server.server_port, json.dumps(notification()).encode())
    assert server.heard == before
    post(server.server_port, json.dumps(notification(alertname=receiver.WATCHDOG)).encode())
    assert server.heard > before


def test_an_alert_is_told_with_what_tells_it_apart_and_what_to_do() -> None:
    assert list(receiver.told(notification(source="okta", instance="127.0.0.1:9102"))) == [
        ("page", "ScoutTried instance=127.0.0.1:9102 source=okta"),
        ("", "It is tried."),
        ("", "Now."),
        ("", "http://x/ScoutTried"),
    ]
    assert list(receiver.told(notification("resolved"))) == [("over", "ScoutTried")]


def test_the_command_prints_what_arrives_and_notices_silence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Ctrl-C, as the loop that serves would meet it.
    def serve(server: receiver.Receiver, poll_interval: float) -> None:
        server.take(notification(source="okta"))
        wait_until(lambda: "SILENCE" in written(), what="a word on the watchdog")
        raise KeyboardInterrupt

    def written() -> str:
        seen.append(capsys.readouterr().out)
        return "".join(seen)

    seen: list[str] = []
    monkeypatch.setattr(receiver.Receiver, "serve_forever", serve)
    watch.receive_alerts.main(["--port", "0", "--expect", "0.001"], standalone_mode=False)
    out = written()
    assert re.search(r"^\d\d:\d\d:\d\d  page      ScoutTried source=okta$", out, re.MULTILINE)
    assert "SILENCE   no ScoutWatchdog for 0.001 minutes" in out


def test_a_port_that_is_taken_is_said_in_a_sentence(taken: tuple[receiver.Receiver, list[Any]]) -> None:
    server, _ = taken
    result = CliRunner().invoke(commands.metrics, ["receive-alerts", "--port", str(server.server_port)])
    assert isinstance(result.exception, watch.RulesError)
    assert "cannot be listened on" in str(result.exception)


def test_the_silence_is_told_once_until_the_watchdog_comes_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    over = threading.Event()
    with receiver.Receiver(("127.0.0.1", 0), lambda _: None) as server:
        server.heard = time.monotonic() - 60
        thread = threading.Thread(target=watch._expect, args=(server, 0.05, over))
        thread.start()
        seen: list[str] = []

        def told() -> int:
            seen.append(capsys.readouterr().out)
            return "".join(seen).count("SILENCE")

        wait_until(lambda: told() == 1, what="the first word")
        server.take(notification(alertname=receiver.WATCHDOG))
        wait_until(lambda: told() == 2, what="the second word, after it came and stayed away again")
        over.set()
        thread.join()
