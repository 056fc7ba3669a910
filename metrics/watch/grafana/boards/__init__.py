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
