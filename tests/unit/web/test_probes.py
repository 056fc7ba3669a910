from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask

from scout import neighbours
from scout.settings import Settings, load
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.unit.web.browser import Browser
from webapp import create_app


def test_alive_is_said_whatever_else_is_broken(tmp_path: object, app: Flask) -> None:
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")


def test_ready_names_what_is_not(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.text) == {
        "ready": False,
        "parts": {"database": "ok", "migrations": "ok", "redis": "does not answer"},
    }


def test_ready_when_all_answer(
    settings: Settings,
    redis_server: RedisServer,  # noqa: F811 - the fixture
) -> None:
    ready = load(
        {"SCOUT_DATA_DIR": str(settings.data_dir), "SECRET_KEY": "k" * 64, "REDIS_URL": redis_server.url}
    )
    app = create_app(ready)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, json.loads(answer.text)["ready"]) == (200, True)
    app.extensions["scout"].close()


def test_not_ready_before_the_migrations(tmp_path: object, settings: Settings, app: Flask) -> None:
    (settings.data_dir / "scout.sqlite3").unlink()
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.text)["parts"]["migrations"] == "not up to date"


# --- /metrics ---------------------------------------------------------------------------------------------

ALLOWED = [
    ("127.0.0.1", {}, 200),
    ("127.9.9.9", {}, 200),
    ("::1", {}, 200),
    ("::ffff:127.0.0.1", {}, 200),
    ("192.0.2.1", {}, 404),
    ("10.0.0.1", {}, 404),
    ("::2", {}, 404),
    ("", {}, 404),
    ("not an address", {}, 404),
    ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
    ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 404),
    ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 404),
    ("192.0.2.1", {"X-Forwarded-For": "127.0.0.1"}, 404),
]


@pytest.mark.parametrize(("address", "headers", "status"), ALLOWED, ids=str)
def test_the_metrics_are_for_the_allowed_networks_by_the_sockets_address(
    app: Flask, address: str, headers: dict[str, str], status: int
) -> None:
    answer = app.test_client().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status


def test_the_owner_reads_them_from_anywhere(owner: Browser) -> None:
    owner.address = "192.0.2.1"
    assert owner.get("/metrics").status_code == 200


class Exporter(ThreadingHTTPServer):
    """Gives one page at /metrics."""

    daemon_threads = True

    def __init__(self, page: bytes, status: int = 200) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/metrics"
                self.send_response(status)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


@pytest.fixture
def exporter() -> Iterator[Exporter]:
    running = Exporter(b"# TYPE iam_jobs_total gauge\niam_jobs_total 7\n")
    yield running
    running.stop()


def page_of(settings: Settings, exporter: str, gateway: str) -> str:
    using = load(
        {
            "SCOUT_DATA_DIR": str(settings.data_dir),
            "SECRET_KEY": "k" * 64,
            "STATSD_EXPORTER_URL": exporter,
            "PUSHGATEWAY_URL": gateway,
        }
    )
    answer = create_app(using).test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


def test_both_exporters_pages_are_one(settings: Settings, exporter: Exporter) -> None:
    gateway = Exporter(b'# TYPE push_time_seconds gauge\npush_time_seconds{job="iam_scan",source="acme"} 1\n')
    page = page_of(settings, exporter.url, gateway.url)
    gateway.stop()
    assert "iam_jobs_total 7" in page
    assert 'push_time_seconds{job="iam_scan",source="acme"} 1' in page
    assert 'scout_exposition_up{part="statsd_exporter"} 1' in page
    assert 'scout_exposition_up{part="pushgateway"} 1' in page


def test_an_unreachable_one_is_a_comment_and_a_zero(settings: Settings, exporter: Exporter) -> None:
    failing = Exporter(b"no", status=500)
    for gateway in ("http://127.0.0.1:1", failing.url):
        page = page_of(settings, exporter.url, gateway)
        assert "iam_jobs_total 7" in page
        assert "# pushgateway could not be read" in page
        assert 'scout_exposition_up{part="pushgateway"} 0' in page
        assert 'scout_exposition_up{part="statsd_exporter"} 1' in page
    failing.stop()


def test_a_page_without_end_is_cut_off(
    settings: Settings, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "_MOST", 10)
    page = page_of(settings, exporter.url, "http://127.0.0.1:1")
    assert "# statsd_exporter could not be read: its page is too large" in page
