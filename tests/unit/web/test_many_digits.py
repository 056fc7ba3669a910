"""Numbers with more digits than anything holds: in addresses, searches and forms."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.unit.web.browser import Browser
from tests.unit.web.test_gate import VALUES

#: More than an integer of a database, than 64 bits, than a float, and than `int` reads.
LENGTHS = (10, 20, 400, 4301)


@pytest.mark.parametrize("length", LENGTHS)
def test_no_number_of_a_page_is_too_long(app: Flask, owner: Browser, length: int) -> None:
    number = "9" * length
    numbers = {name for name, value in VALUES.items() if isinstance(value, int)}
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.arguments & numbers or rule.rule.startswith("/api/"):
            continue
        address = rule.rule
        for name in rule.arguments:
            value = number if name in numbers else str(VALUES[name])
            for kind in ("", "int:", "path:"):
                address = address.replace(f"<{kind}{name}>", value)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            form = {"csrf_token": owner.token} if method == "POST" else None
            answer = owner.ask(method, address, data=form)
            assert answer.status_code in {303, 400, 404, 405}, (method, rule.rule)
            asked += 1
    assert asked > 20


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    "address",
    [
        "/?page={}",
        "/?q=score:%3E{}",
        "/?q=score:{}..{}",
        "/?q=salary:%3C{}k-eur",
        "/?q=new:{}d",
        "/account/log?page={}",
        "/scans?before={}",
        "/pipeline/list?page={}",
    ],
)
def test_no_number_of_a_query_is_too_long(owner: Browser, address: str, length: int) -> None:
    assert owner.get(address.replace("{}", "9" * length)).status_code == 200


@pytest.mark.parametrize("length", LENGTHS)
def test_no_number_of_a_form_is_too_long(owner: Browser, length: int) -> None:
    number = "9" * length
    chosen = owner.post("/jobs/status", job=f"{number}.{number}", to="rejected", back="/")
    unseen = owner.post("/jobs/unseen", jobs=f"1,{number}", back="/")
    tried = owner.post("/profile/try", job=number)
    assert {chosen.status_code, unseen.status_code, tried.status_code} == {400}
