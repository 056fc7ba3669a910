"""The documentation of the API, in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import LOOKS, Open, look_at

pytestmark = pytest.mark.usefixtures("rows")


@pytest.mark.parametrize("look", LOOKS)
def test_the_documentation_looks_right(opened: Open, look: str) -> None:
    with opened(**LOOKS[look]) as page:
        faults = look_at(page, f"{look}-api", "/api/docs#problem-conflict")
        page.goto("/api/docs/scans#start_scan")
        page.click("#start_scan summary >> nth=0")
        faults += look_at(page, f"{look}-api-group")
    assert faults == []


def test_it_is_read_without_scripts(opened: Open) -> None:
    with opened(java_script_enabled=False) as page:
        page.goto("/api/docs")
        page.click("a[href='/api/docs/jobs#list_jobs']")
        expect(page.locator("#list_jobs pre")).to_be_visible()
        page.click("#list_jobs a[href='#schema-ListedJobs']")
        expect(page.locator("#schema-ListedJobs")).to_be_visible()
