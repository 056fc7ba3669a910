"""What each dashboard shows: one module for each."""

from __future__ import annotations

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
