from __future__ import annotations

import pytest

from metrics.watch import rules
from scout.settings import PROJECT
from tests.unit.web.browser import Browser

ALERTS = rules.load(PROJECT / "prometheus" / "rules").alerts


def test_each_alert_leads_to_its_runbook(owner: Browser) -> None:
    for alert in ALERTS:
        path = "/" + alert.annotations["runbook_url"].split("/", 3)[3]
        answer = owner.get(path)
        assert answer.status_code == 200, path
        assert f"<h1>{alert.name}</h1>" in answer.text
        assert "<h2>Mitigation</h2>" in answer.text


def test_runbooks_lead_to_each_other_and_what_scrolls_takes_the_focus(owner: Browser) -> None:
    text = owner.get("/runbooks/ScoutWebSilent").text
    assert '<a href="/runbooks/ScoutWebDown">ScoutWebDown</a>' in text
    assert text.count('<pre tabindex="0">') == text.count("<pre") > 0


def test_all_of_them_are_listed(owner: Browser) -> None:
    text = owner.get("/runbooks").text
    assert [alert.name for alert in ALERTS if f'"/runbooks/{alert.name}"' not in text] == []


@pytest.mark.parametrize("path", ["Other", "..%2f..%2fREADME", "ScoutWebDown.md", "%2e%2e", "scoutwebdown"])
def test_what_is_no_alert_has_no_runbook(owner: Browser, path: str) -> None:
    assert owner.get(f"/runbooks/{path}").status_code == 404
