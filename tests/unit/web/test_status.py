"""The status page as text: what stands there with and without the parts that it asks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from flask import Flask

from metrics import queries
from metrics.watch.dashboards import APPLICATION, DASHBOARDS
from scout import clock
from scout.settings import PROJECT, Settings, load
from tests import overview_world
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.serving import Asked, Reply, serving
from tests.unit.web.browser import Browser
from webapp import create_app
from webapp.status import with_code

Start = Callable[..., Browser]


@pytest.fixture
def start(settings: Settings, redis_server: RedisServer) -> Iterator[Start]:  # noqa: F811 - the fixture
    """A signed-in browser of an application whose parts answer."""
    with ExitStack() as stack:
        stack.enter_context(overview_world.patiently())

        def begin(prometheus: Callable[[Asked], Reply] | None = None, **environ: str) -> Browser:
            environ = {
                "SCOUT_DATA_DIR": str(settings.data_dir),
                "SECRET_KEY": "k" * 64,
                "REDIS_URL": redis_server.url,
                "STATSD_EXPORTER_URL": stack.enter_context(serving(overview_world.exporter)).origin,
                "PUSHGATEWAY_URL": stack.enter_context(serving(overview_world.gateway)).origin,
                **environ,
            }
            if prometheus is not None:
                environ["PROMETHEUS_URL"] = stack.enter_context(serving(prometheus)).origin
            app: Flask = create_app(load(environ))
            stack.callback(app.extensions["scout"].close)
            browser = Browser(app)
            browser.sign_in()
            return browser

        yield begin


def test_visitors_are_sent_to_the_door(visitor: Browser) -> None:
    for path in ("/status", "/status/figures"):
        assert visitor.get(path).status_code in {302, 303}


def test_with_everything_away_the_page_says_so(owner: Browser) -> None:
    answer = owner.get("/status")
    assert answer.status_code == 200
    assert "things need a look" in answer.text
    assert "It does not answer, so nothing can be scanned." in answer.text
    assert "Redis, which keeps figures for that case, does not answer." in answer.text
    assert "<code>scout up</code>" in answer.text


def test_without_prometheus_what_is_kept_is_drawn_at_once(start: Start, redis_server: RedisServer) -> None:  # noqa: F811
    with closing(redis_server.client()) as client:
        overview_world.remember(client, clock.now(), hours=0.2)
    answer = start().get("/status")
    assert "Drawn from what this program keeps by itself" in answer.text
    assert answer.text.count('class="plot-drawing"') == len(queries.ALL)
    # Numbers stand only behind plots that have some.
    assert 10 < answer.text.count('class="plot-table over-time"') < len(queries.ALL)
    assert 'hx-trigger="load"' not in answer.text


def test_prometheus_is_asked_after_the_page_or_when_a_window_is_asked_for(start: Start) -> None:
    browser = start(overview_world.prometheus(overview_world.ALERTS), GRAFANA_URL="https://grafana.example")
    answer = browser.get("/status")
    assert 'hx-get="/status/figures" hx-trigger="load"' in answer.text
    assert 'class="plot-drawing"' not in answer.text
    assert "https://grafana.example" in answer.text
    for path in ("/status?window=6h", "/status/figures?window=6h"):
        answer = browser.get(path)
        assert "Drawn from Prometheus." in answer.text
        assert 'aria-current="true" hx-get="/status/figures?window=6h"' in answer.text
        # Each group leads to the dashboards that look closer at its plots.
        closer = re.findall(r'href="https://grafana.example/d/([\w-]+)"', answer.text)
        assert {"scout-web", "scout-scans", "scout-queue", "scout-database", "scout-pipeline"} <= set(closer)
        assert set(closer) <= set(DASHBOARDS)


def test_without_a_grafana_no_link_leads_there(start: Start) -> None:
    answer = start(overview_world.prometheus()).get("/status?window=1h")
    assert 'class="plot-drawing"' in answer.text
    assert "Grafana" not in answer.text


def test_a_window_that_is_none_is_the_usual_one(owner: Browser) -> None:
    for window in ("", "99y", "<script>"):
        answer = owner.get("/status/figures", query_string={"window": window})
        assert 'aria-current="true" hx-get="/status/figures?window=1h"' in answer.text


def test_hostile_labels_and_alerts_are_words(start: Start) -> None:
    browser = start(overview_world.prometheus(overview_world.ALERTS))
    answer = browser.get("/status?window=1h")
    assert "&lt;script&gt;" in answer.text
    assert "<script>document" not in answer.text
    assert "<img" not in answer.text
    assert "javascript:" not in answer.text
    assert "https://runbooks.example/scans" in answer.text
    assert "ScansFail" in answer.text
    assert "Soon" not in answer.text


def test_a_plot_with_many_lines_says_how_many_are_left_out(start: Start) -> None:
    good = overview_world.prometheus()

    def answer(asked: Asked) -> Reply:
        told = good(asked)
        if "query_range" not in asked.path:
            return told
        assert isinstance(told, bytes)
        body = json.loads(told.partition(b"\r\n\r\n")[2])
        first = body["data"]["result"][0]
        body["data"]["result"] = [{**first, "metric": {"role": f"r{number}"}} for number in range(12)]
        return overview_world.answered(body)

    text = start(answer).get("/status/figures").text
    assert "4 more are not drawn." in text


def test_commands_stand_out_and_nothing_else_is_markup() -> None:
    assert with_code("Run `scout <up>` & look") == "Run <code>scout &lt;up&gt;</code> &amp; look"


def test_where_dashboards_lead_there_are_pages(app: Flask) -> None:
    addresses = {
        address
        for path in sorted((PROJECT / "prometheus" / "grafana" / "dashboards").glob("*.json"))
        for address in re.findall(rf"{APPLICATION}(/[^\")]*)", path.read_text(encoding="utf-8"))
    }
    assert {"/status", "/runbooks", "/runbooks/${__value.text}", "/sources/${__value.text}"} < addresses
    pages = app.url_map.bind("localhost")
    for address in addresses:
        assert pages.test(address, method="GET"), address
