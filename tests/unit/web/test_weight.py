"""What pages weigh on the way to a browser, compressed: a phone far from a mast loads them too."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.web.browser import Browser

#: Bytes of a page, compressed: of the list with all the jobs that fit on one, and of any other.
HEAVIEST_PAGE = 20_000
#: Bytes of all style sheets, scripts and pictures that there are; no page loads all of them.
HEAVIEST_ASSETS = 150_000
STATIC = Path(__file__).parents[3] / "webapp" / "static"
LINKED = re.compile(r'(?:src|href)="/static/([^"?]+\.(?:css|js|svg|png))')


def packed(content: bytes) -> int:
    """Bytes that are left of them as servers compress them: gzip, level 6."""
    return len(gzip.compress(content, 6))


@pytest.mark.parametrize("path", ["/", "/pipeline", "/sources", "/scans", "/status", "/jobs/1", "/account"])
def test_a_page_is_light(owner: Browser, add_job: Callable[..., int], path: str) -> None:
    for number in range(60):
        add_job(
            title=f"Senior Identity Engineer number {number}, Access Management and Federation",
            company=f"Company {number * 7919}",
            locations=[f"City {number}", "Berlin", "Remote"],
            salary={
                "minimum": 90_000 + 1000 * number,
                "maximum": 150_000,
                "currency": "EUR",
                "period": "year",
            },
            status="saved" if path == "/pipeline" else "new",
            looked_at=None,
        )
    answer = owner.get(path)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert packed(answer.data) < HEAVIEST_PAGE


def test_all_assets_together_are_light(owner: Browser) -> None:
    files = [each for each in STATIC.rglob("*") if each.suffix in {".css", ".js", ".svg", ".png"}]
    linked = LINKED.findall(owner.get("/").text)
    assert {"app.css", "app.js"} <= set(linked) <= {each.relative_to(STATIC).as_posix() for each in files}
    assert sum(packed(each.read_bytes()) for each in files) < HEAVIEST_ASSETS
