"""Where alerts lead: the dashboards by their uid in Grafana, and the runbooks."""

from __future__ import annotations

#: Grafana, the pages and the runbooks on the machine of the stack. `scout metrics rules` and `scout metrics
#: dashboards` take others.
GRAFANA = "http://127.0.0.1:3000"
APPLICATION = "http://127.0.0.1:5000"
RUNBOOKS = f"{APPLICATION}/runbooks"

#: What each dashboard shows, by its uid. Its address is `/d/<uid>`.
DASHBOARDS = {
    "scout-overview": "Overview: is all well?",
    "scout-web": "Pages: requests, errors, times, workers",
    "scout-scans": "Scans: boards, phases, what they bring",
    "scout-queue": "Queue: what waits, who works",
    "scout-database": "Database: calls, locks, size, disk, backups",
    "scout-business": "Jobs: new ones, matches, messages",
    "scout-pipeline": "Pipeline: does what is measured arrive?",
    "scout-slo": "Objectives: what is left of the error budgets",
}


def dashboard(uid: str) -> str:
    """The address of a dashboard."""
    return f"{GRAFANA}/d/{uid}"


def runbook(alert: str) -> str:
    """The address of an alert's runbook."""
    return f"{RUNBOOKS}/{alert}"
