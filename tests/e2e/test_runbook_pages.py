"""The runbooks in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import LOOKS, Open, look_at

pytestmark = pytest.mark.usefixtures("rows")


@pytest.mark.parametrize("look", LOOKS)
def test_a_runbook_looks_right(opened: Open, look: str) -> None:
    with opened(**LOOKS[look]) as page:
        faults = look_at(page, f"{look}-runbooks", "/runbooks")
        faults += look_at(page, f"{look}-runbook", "/runbooks/ScoutMappingMiss")
    assert faults == []


def test_without_scripts_one_runbook_leads_to_the_next(opened: Open) -> None:
    with opened(java_script_enabled=False) as page:
        page.goto("/runbooks/ScoutMappingMiss")
        page.click("text=ScoutMappingOld")
        expect(page.locator("h1")).to_have_text("ScoutMappingOld", use_inner_text=True)
