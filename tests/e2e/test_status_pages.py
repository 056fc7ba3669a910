"""The status page in a real browser: with figures of our own, with Prometheus, and with everything away."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scout import clock
from scout.settings import Settings, load
from tests import overview_world
from tests.e2e.pages import LOOKS, SHOTS, Open, look_at, picture
from tests.redis_server import RedisServer
from tests.serving import serving

pytestmark = pytest.mark.usefixtures("rows")


@pytest.fixture(scope="module", params=["remembered", "prometheus", "hanging", "away"])
def world(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def settings(world: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    environ = {"SCOUT_DATA_DIR": str(tmp_path_factory.mktemp("status"))}
    nobody = "http://127.0.0.1:1"
    with contextlib.ExitStack() as stack:
        if world == "away":
            folder = tmp_path_factory.mktemp("nobody")
            environ |= {"REDIS_URL": f"unix://{folder}/nobody.sock", "PROMETHEUS_URL": nobody}
            environ |= {"STATSD_EXPORTER_URL": nobody, "PUSHGATEWAY_URL": nobody}
        else:
            # A path of its own: pytest's are too long for a socket's 107 bytes (unix(7)).
            redis = RedisServer(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scout-redis-"))))
            redis.start()
            stack.callback(redis.stop)
            with contextlib.closing(redis.client()) as client:
                overview_world.remember(client, clock.now(), hours=2)
            environ |= {
                "REDIS_URL": redis.url,
                "STATSD_EXPORTER_URL": stack.enter_context(serving(overview_world.exporter)).origin,
                "PUSHGATEWAY_URL": stack.enter_context(serving(overview_world.gateway)).origin,
            }
        if world != "hanging":
            stack.enter_context(overview_world.patiently())
        if world in {"prometheus", "hanging"}:
            answer = overview_world.prometheus(overview_world.ALERTS)
            answering = serving(answer if world == "prometheus" else overview_world.hanging)
            environ |= {
                "PROMETHEUS_URL": stack.enter_context(answering).origin,
                "GRAFANA_URL": "https://grafana.example",
            }
        yield load(environ)


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_looks_right(opened: Open, world: str, look: str) -> None:
    with opened(**LOOKS[look]) as page:
        page.goto("/status")
        page.wait_for_selector("#figures:not(.coming)")
        SHOTS.mkdir(parents=True, exist_ok=True)
        picture(page, f"{look}-status-{world}")
        if world in {"remembered", "prometheus"}:
            page.locator(".numbers summary").first.click()
            expect(page.locator("svg.plot-drawing").nth(19)).to_be_attached()
        faults = look_at(page, f"{look}-status-{world}-figures")
        assert page.title() != "taken"
    assert faults == []


def test_with_scripts_off_figures_are_links_away(opened: Open, world: str) -> None:
    with opened(java_script_enabled=False) as page:
        page.goto("/status")
        if world != "remembered":  # Prometheus is to be asked, so they come later
            page.click("text=Show them here")
        page.get_by_role("link", name="6 hours").click()
        expect(page).to_have_url("/status?window=6h#figures")
        expect(page.locator(".windows [aria-current]")).to_have_text("6 hours", use_inner_text=True)
        if world == "away":
            expect(page.locator("main")).to_contain_text(
                "Redis, which keeps figures for that case, does not answer.",
                use_inner_text=True,
            )
            return
        expect(page.locator("svg.plot-drawing").nth(19)).to_be_attached()
        page.locator(".numbers summary").first.click()
        expect(page.locator(".plot-table").first).to_be_visible()


def test_another_time_is_shown_without_loading_the_page_again(opened: Open, world: str) -> None:
    with opened() as page:
        page.goto("/status")
        page.wait_for_selector("#figures:not(.coming)")
        page.evaluate("document.body.dataset.same = 'yes'")
        link = page.get_by_role("link", name="24 hours")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".windows [aria-current]:has-text('24 hours')")
        expect(page).to_have_url("/status?window=24h")
        assert page.evaluate("document.body.dataset.same") == "yes"
        page.reload()
        expect(page.locator(".windows [aria-current]")).to_have_text("24 hours", use_inner_text=True)
