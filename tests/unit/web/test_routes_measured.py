"""Every route of the pages is measured under its own name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from metrics import catalogue
from metrics.testing import Captured, captured
from tests.unit.web.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

#: What is asked day and night, and what lasts as long as a page is open.
PROBES = {"/healthz", "/readyz", "/scans/{run_id}/events"}


def _asked(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Each method and rule, the path that asks for it, and the template that it is to be shown as."""
    for rule in app.url_map.iter_rules():
        shown = re.sub(r"<(?:int:|path:)?(\w+)>", r"{\1}", rule.rule)
        path = shown.replace("{filename}", "no.css").replace("{slug}", "nobody")
        for method in sorted(rule.methods or ()):
            yield method, re.sub(r"{\w+}", "7", path), shown


def test_every_route_and_method_has_its_own_endpoint(app: Flask, owner: Browser) -> None:
    for method, path, shown in list(_asked(app)):
        with captured() as emitted:
            status = str(owner.ask(method, path).status_code)
        if shown in PROBES:
            emitted.assert_no_metrics(
                catalogue.HTTP_REQUESTS, catalogue.HTTP_REQUEST_DURATION, catalogue.HTTP_RESPONSE_BYTES
            )
            continue
        labels = {"method": method, "endpoint": shown.replace(".", "_"), "status": status}
        emitted.assert_incremented(catalogue.HTTP_REQUESTS, 1, **labels)
        emitted.assert_observed(catalogue.HTTP_REQUEST_DURATION, 1, **labels)
        emitted.assert_incremented(catalogue.HTTP_REQUESTS)
        emitted.assert_incremented(catalogue.API_CALLS, float(shown.startswith(("/metrics", "/api/v1/"))))


def test_a_path_of_nobody_is_one_endpoint(owner: Browser, emitted: Captured) -> None:
    for path in ("/wp-admin", "/jobs/seven", "/api/v1/nothing"):
        owner.get(path)
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 3, endpoint="__unmatched__", status="404")
    emitted.assert_no_metrics(catalogue.API_CALLS)


def test_whom_the_metrics_page_refuses_is_counted(visitor: Browser, emitted: Captured) -> None:
    visitor.address = "192.0.2.1"
    visitor.get("/metrics")
    emitted.assert_incremented(catalogue.API_CALLS, endpoint="/metrics", outcome="refused")


def test_pages_are_timed_by_their_templates(owner: Browser, emitted: Captured) -> None:
    owner.get("/sources")
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION)
    owner.get("/healthz")
    emitted.assert_observed(catalogue.PAGE_RENDER_DURATION)
