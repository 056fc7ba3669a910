"""How everything is: parts, alerts, and what a job seeker wants to know."""

from __future__ import annotations

from flask import Response
from pydantic import Field

from scout.overview import report
from scout.stack.examination import Verdict
from scout.tokens import Scope
from webapp.api import answers, shapes
from webapp.api.operation import Resource
from webapp.api.shapes import Given
from webapp.parts import parts

api = Resource("status", "How everything is: parts, alerts, and what a job seeker wants to know.")


class Check(Given):
    """How one part is."""

    part: str = Field(examples=["Database"])
    verdict: Verdict
    text: str
    advice: str = Field(description="What to do, or empty.")
    version: str
    since: shapes.Time | None = Field(description="Since when that is so, or null; `when` says which.")
    when: str = Field(description="What `since` is the time of, in a word or two.")


class Alert(Given):
    """An alert that fires."""

    name: str
    severity: str
    since: shapes.Time | None
    summary: str
    runbook: str
    dashboard: str


class Sums(Given):
    """What a job seeker wants to know."""

    last_scan: shapes.Time | None
    last_success: shapes.Time | None
    boards: int
    boards_well: int
    sent: int = Field(description="Messages of the last 24 hours.")
    waiting: int
    parked: int


class Report(Given):
    """How everything is."""

    at: shapes.Time
    verdict: Verdict
    word: str = Field(examples=["All is well"])
    checks: list[Check]
    alerts: list[Alert]
    sums: Sums | None = Field(description="Null while the database does not answer.")


@api.operation("GET", "/status", scope=Scope.METRICS_READ, answer=Report)
def get_status() -> Response:
    """Read how everything is. Takes two seconds at the most, whatever hangs."""
    found = report.make(parts().database, parts().redis, parts().settings, by_pages=True)
    return answers.say(report.as_dict(found))
