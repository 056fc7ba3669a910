"""Is all well? The golden signals first, then the processes and the machine."""

from __future__ import annotations

from dataclasses import replace

from metrics import catalogue
from metrics.forms import Level, Rate
from metrics.quantities import Quantity
from metrics.watch.grafana import others
from metrics.watch.grafana.asking import As, Ratio
from metrics.watch.grafana.boards import business, objectives, scans
from metrics.watch.grafana.panels import (
    Board,
    Limit,
    Line,
    Panel,
    Row,
    Variable,
    age,
    alerts,
    asked,
    hourly,
    level,
)

_GLANCE = Row(
    title="Is all well?",
    panels=(
        alerts(wide=12, tall=8),
        replace(objectives.BUDGETS, wide=4),
        business.KEPT,
        scans.LAST_SUCCESS,
    ),
)

_LATENCY = Row(
    title="Latency: how long does it take?",
    panels=(
        asked("http_duration", limits=(Limit("ScoutPagesSlow"),)),
        asked("scan_duration", limits=(Limit("ScoutScansSlow"),)),
        asked("outbound_duration", limits=(Limit("ScoutBoardsAnswerSlowly"),)),
    ),
)
_TRAFFIC = Row(
    title="Traffic: how much is asked?",
    panels=(asked("http_requests"), asked("outbound_requests"), asked("queue_jobs")),
)
_ERRORS = Row(
    title="Errors: what goes wrong?",
    panels=(
        asked("http_error_ratio", limits=(Limit("ScoutServerErrorBurst", 1),)),
        asked("scan_success_ratio"),
        asked("errors"),
    ),
)
_SATURATION = Row(
    title="Saturation: how full is it?",
    panels=(
        asked("web_threads", wide=6),
        asked("workers", wide=6),
        asked("queue_length", wide=6),
        asked("disk_free", wide=6, limits=(Limit("ScoutDiskNearlyFull"),)),
    ),
)
_OUTCOME = Row(
    title="What comes of it, and can these figures be trusted?",
    panels=(
        asked("new_jobs", wide=6),
        asked("scans", wide=6),
        asked("messages", wide=6, empty="No message yet."),
        asked("exporters_up", wide=6),
    ),
)

_PROCESSES = Row(
    title="Our processes",
    panels=(
        asked("memory", limits=(Limit("ScoutMemoryHigh"),)),
        Panel(
            title="Processors in use",
            help="Processor seconds in a second: 1 is one processor, busy all the time.",
            unit=Quantity.COUNT,
            lines=(Line(Rate(metric=catalogue.PROCESS_CPU, by=("role",)), "{{role}}"),),
            stacked=True,
        ),
        Panel(
            title="Open files",
            help="The share of what each process may hold open. At 100 % it can open nothing more.",
            unit=Quantity.RATIO,
            lines=(
                Line(
                    Ratio(
                        part=Level(metric=catalogue.PROCESS_OPEN_FILES, by=("role", "slot"), how="max"),
                        whole=Level(metric=catalogue.PROCESS_MOST_FILES, by=("role", "slot"), how="max"),
                    ),
                    "{{role}} {{slot}}",
                ),
            ),
            limits=(Limit("ScoutFilesRunOut"),),
        ),
        Panel(
            title="Threads",
            help="Of each process. A number that keeps rising is a leak.",
            unit=Quantity.COUNT,
            lines=(level(catalogue.PROCESS_THREADS, "role", "slot"),),
        ),
        Panel(
            title="Garbage collections",
            help="Runs of Python's collector. Those of the last generation stop a process the longest.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.PROCESS_COLLECTIONS, "role", "generation"),),
        ),
        Panel(
            title="Up since",
            help="How long ago each process began. What falls back to 0 was restarted.",
            unit=Quantity.SECONDS,
            lines=(age(catalogue.PROCESS_START, "role", "slot"),),
        ),
    ),
)

_WORDS = Row(
    title="Logs and traces",
    panels=(
        Panel(
            title="Lines of the log, from a warning on",
            help="By level and who wrote them. The lines themselves say what it was.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.LOG_LINES, "level", "logger"),),
        ),
        Panel(
            title="Lines of the log that were lost",
            help="Nobody read the pipe, or it could not be written. Well is 0.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.LOG_LINES_LOST, "reason"),),
            limits=(Limit("ScoutLogLost"),),
        ),
        Panel(
            title="Spans that were lost",
            help="The collector of traces did not take them, or was away. Well is 0.",
            unit=Quantity.PER_HOUR,
            lines=(hourly(catalogue.SPANS_LOST, name="lost"),),
        ),
    ),
)

_HOST = Row(
    title="The machine, where a node_exporter tells of it",
    panels=(
        Panel(
            title="Memory that the machine has left",
            help="The share that is available.",
            unit=Quantity.RATIO,
            lines=(
                Line(
                    Ratio(part=As(metric=others.HOST_MEMORY_FREE), whole=As(metric=others.HOST_MEMORY)),
                    "{{instance}}",
                ),
            ),
            limits=(Limit("ScoutHostMemoryLow"),),
            empty="No node_exporter.",
        ),
        Panel(
            title="Load of the machine",
            help="Processes that run or wait to run. More than the processors means that they wait.",
            unit=Quantity.COUNT,
            lines=(Line(As(metric=others.HOST_LOAD), "{{instance}}"),),
            empty="No node_exporter.",
        ),
        Panel(
            title="Disks of the machine",
            help="Free space.",
            unit=Quantity.BYTES,
            lines=(Line(As(metric=others.HOST_DISK_FREE), "{{instance}} {{mountpoint}}"),),
            empty="No node_exporter.",
        ),
    ),
)

BOARD = Board(
    uid="scout-overview",
    rows=(_GLANCE, _LATENCY, _TRAFFIC, _ERRORS, _SATURATION, _OUTCOME, _PROCESSES, _WORDS, _HOST),
    variables=(Variable(name="role", title="Process", source=catalogue.PROCESS_MEMORY),),
)
