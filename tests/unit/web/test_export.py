"""The list as a file."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable

from tests.unit.web.browser import Browser

AddJob = Callable[..., int]


def test_the_list_can_be_taken_along_as_it_is_filtered(owner: Browser, add_job: AddJob) -> None:
    add_job(title="Okta Engineer", score=70)
    add_job(title="Okta Baker", score=10)
    add_job(title="Data Engineer")
    page = owner.get("/?q=okta&min_score=60").text
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="(/export\.[^"]+)"', page)]
    assert links == [f"/export.{form}?q=okta+score:%3E%3D60" for form in ("csv", "json", "jsonl")]
    table, array, lines = (owner.get(link) for link in links)
    assert [row["title"] for row in csv.DictReader(io.StringIO(table.text))] == ["Okta Engineer"]
    assert [job["title"] for job in json.loads(array.text)] == ["Okta Engineer"]
    assert json.loads(lines.text)["title"] == "Okta Engineer"


def test_a_download_has_a_name_and_a_type(owner: Browser, add_job: AddJob) -> None:
    add_job()
    answer = owner.get("/export.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="jobs.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert owner.get("/export.json").headers["Content-Type"] == "application/json"


def test_nobody_takes_the_list_along_who_has_not_signed_in(visitor: Browser, add_job: AddJob) -> None:
    add_job(title="Okta Engineer")
    for form in ("csv", "json", "jsonl"):
        answer = visitor.get(f"/export.{form}")
        assert answer.status_code != 200
        assert "Okta" not in answer.text
