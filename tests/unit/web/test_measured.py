"""What the pages tell, each figure by a test that misses it."""

from __future__ import annotations

import pytest

from metrics import catalogue
from metrics.testing import ANY, Captured
from scout.models import Source
from tests.unit.web.browser import Browser


def test_a_request_is_counted_under_its_route(owner: Browser, emitted: Captured) -> None:
    owner.get("/jobs/7")
    emitted.assert_incremented(
        catalogue.HTTP_REQUESTS, ANY, method="GET", endpoint="/jobs/{job_id}", status="404"
    )


def test_the_gateway_forgets_a_board_that_is_removed(
    owner: Browser, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[tuple[str, str]] = []
    monkeypatch.setattr("metrics.push.forget_source", lambda url, slug: forgotten.append((url, slug)))
    owner.post("/sources/acme/remove")
    assert forgotten == [("http://127.0.0.1:1", source.slug)]
