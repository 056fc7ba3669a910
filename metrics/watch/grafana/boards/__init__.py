"""What each dashboard shows: one module for each."""

from __future__ import annotations

from metrics.model import Metric
from metrics.watch.grafana.boards import business, database, objectives, overview, pipeline, queue, scans, web
from metrics.watch.grafana.panels import Board

ALL: tuple[Board, ...] = (
    overview.BOARD,
    web.BOARD,
    scans.BOARD,
    queue.BOARD,
    database.BOARD,
    business.BOARD,
    pipeline.BOARD,
    objectives.BOARD,
)
"""Every dashboard, in the order of `metrics.watch.dashboards`."""


def showing(question: str) -> str:
    """The uid of the dashboard that shows a question of the status page: rather one that looks closer.

    Args:
        question: The question's name in `metrics.queries`.
    """
    found = [board.uid for board in ALL if any(panel.question == question for panel in board.panels())]
    return found[-1]


def holding(metric: Metric) -> list[str]:
    """The uids of the dashboards that have a metric on a panel; none for those that are internal."""
    return [board.uid for board in ALL if any(metric in panel.about() for panel in board.panels())]
