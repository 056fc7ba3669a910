"""What the pages do, programs can do: each unsafe page route has its operation, or a reason for none."""

from __future__ import annotations

from flask import Flask

from webapp.api.operation import OPERATIONS
from webapp.security import SAFE_METHODS

BY_BROWSER = "of a browser alone"

#: For each unsafe route of the pages, the operation that does the same; words with a space say why there is none.
SAME = {
    "jobs.change_status": "set_job_status",
}


def test_whatever_pages_do_programs_can_do(app: Flask) -> None:
    unsafe = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (rule.methods or set()) - SAFE_METHODS and not rule.endpoint.startswith("api_")
    }
    assert unsafe == set(SAME)
    operations = {each for each in SAME.values() if " " not in each}
    assert operations <= set(OPERATIONS)
