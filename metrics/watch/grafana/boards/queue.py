"""The queue: what waits and for how long, who works, what fails, and Redis beneath."""

from __future__ import annotations

from metrics import catalogue
from metrics.forms import Rate, Share
from metrics.quantities import Quantity
from metrics.watch.grafana import others
from metrics.watch.grafana.asking import As, Ratio
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Line,
    Look,
    Panel,
    Row,
    Variable,
    alerts,
    asked,
    heat,
    hourly,
    level,
    quantile,
)

_GLANCE = Row(
    title="The queue",
    panels=(
        alerts(wide=12, tall=8),
        Panel(
            title="Workers",
            help="Those that give a sign of life, and those that the pools keep. Fewer live while one hangs.",
            unit=Quantity.COUNT,
            lines=(
                Line(As(metric=others.WORKERS), "alive"),
                level(catalogue.RQ_WORKERS_KEPT, name="kept"),
            ),
            look=Look.FIGURE,
            wide=4,
        ),
        Panel(
            title="Waiting now",
            help="Jobs that no worker has taken.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.RQ_QUEUE_JOBS, "queue", most=True, where={"state": "queued"}),),
            look=Look.FIGURE,
            wide=4,
            limits=(Limit("ScoutQueueGrows"),),
        ),
        Panel(
            title="Oldest sign of life",
            help="Of the registered workers. Redis forgets one after 80 seconds.",
            unit=Quantity.SECONDS,
            lines=(level(catalogue.RQ_WORKER_HEARTBEAT_AGE, most=True, name="oldest"),),
            look=Look.FIGURE,
            wide=4,
        ),
    ),
)

_LATENCY = Row(
    title="Latency",
    panels=(
        Panel(
            title="Waiting for a worker",
            help="From being put on the queue to the start, also of jobs that hang then.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.5, catalogue.RQ_JOB_WAIT), quantile(0.95, catalogue.RQ_JOB_WAIT)),
        ),
        Panel(
            title="How long jobs run",
            help="A scan's job scans up to fifty boards: p95 by function.",
            unit=Quantity.SECONDS,
            lines=(quantile(0.95, catalogue.RQ_JOB_DURATION, "function"),),
        ),
        Panel(
            title="How jobs' durations spread",
            help="Each column is a moment, each cell a span of durations: the brighter, the more jobs.",
            unit=Quantity.SECONDS,
            lines=(heat(catalogue.RQ_JOB_DURATION),),
            look=Look.HEAT,
        ),
    ),
)

_TRAFFIC = Row(
    title="Traffic",
    panels=(
        Panel(
            title="Jobs put on the queue",
            help="By function: scans, scoring after a new profile, messages.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.RQ_JOBS_ENQUEUED, "function"),),
            wide=12,
        ),
        asked("queue_jobs", wide=12),
    ),
)

_ERRORS = Row(
    title="Errors",
    panels=(
        Panel(
            title="Jobs that failed or were killed",
            help="The share of all that ended. A board that does not answer is no failed job.",
            unit=Quantity.RATIO,
            lines=tuple(
                Line(
                    Share(
                        part=Rate(metric=catalogue.RQ_JOBS_FINISHED, where={"outcome": outcome}),
                        whole=Rate(metric=catalogue.RQ_JOBS_FINISHED),
                    ),
                    outcome,
                )
                for outcome in ("failed", "killed")
            ),
            wide=12,
        ),
        Panel(
            title="Jobs tried again",
            help="Since the try before came to nothing.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.RQ_JOBS_RETRIED, "function"),),
            wide=12,
        ),
    ),
)

_SATURATION = Row(
    title="Saturation",
    panels=(
        asked("queue_oldest", limits=(Limit("ScoutQueueStuck"),)),
        asked("queue_length"),
        asked("workers"),
    ),
)

_REDIS = Row(
    title="Redis, where a redis_exporter tells of it",
    panels=(
        Panel(
            title="Memory of Redis",
            help="The share of its limit. At the limit it refuses what is new.",
            unit=Quantity.RATIO,
            lines=(
                Line(
                    Ratio(part=As(metric=others.REDIS_MEMORY), whole=As(metric=others.REDIS_MEMORY_MOST)),
                    "{{instance}}",
                ),
            ),
            limits=(Limit("ScoutRedisMemoryHigh", 1),),
            empty="No redis_exporter.",
        ),
        Panel(
            title="Connections to Redis",
            help="Ours and others'.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.REDIS_CLIENTS), "{{instance}}"),),
            empty="No redis_exporter.",
        ),
        Panel(
            title="Connections that Redis refused",
            help="It had as many as it allows. Well is none.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(others.REDIS_REFUSED, name="refused"),),
            empty="No redis_exporter.",
        ),
    ),
)

BOARD = Board(
    uid="scout-queue",
    rows=(_GLANCE, _LATENCY, _TRAFFIC, _ERRORS, _SATURATION, _REDIS),
    variables=(
        Variable(name="queue", title="Queue", source=catalogue.RQ_QUEUE_JOBS),
        Variable(name="function", title="Function", source=catalogue.RQ_JOBS_FINISHED),
    ),
)
