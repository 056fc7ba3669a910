"""The questions that are asked of the metrics, each once: what the status page draws, and dashboards show.

Metrics are named by the catalogue's objects, so a question about a metric that is gone does not even load.
Each question has a title and a help for people, a unit, a golden signal, and a curve or a few; the legend of
a curve is written as Grafana reads it (`{{role}}` is that label's value).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from metrics import catalogue
from metrics.forms import INTERVAL, SEPARATOR, Age, Asked, Foreign, Form, Level, Quantile, Rate, Share, names
from metrics.model import Signal, Timer
from metrics.quantities import Quantity

#: The golden signals, in the order in which people look at them, and what each asks.
SIGNALS = {
    Signal.LATENCY: "How long does it take?",
    Signal.TRAFFIC: "How much is asked?",
    Signal.ERRORS: "What goes wrong?",
    Signal.SATURATION: "How full is it?",
    Signal.BUSINESS: "What comes of it?",
    Signal.PIPELINE: "Can these figures be trusted?",
}

EXPORTER_SAMPLES = Foreign("statsd_exporter_samples_total", "Samples that the exporter took.", rises=True)
EXPORTER_UNMAPPED = Foreign(
    "statsd_exporter_events_unmapped_total", "Samples that no rule of the mapping file knew.", rises=True
)
EXPORTER_ACTIONS = Foreign(
    "statsd_exporter_events_actions_total", "Samples by what their rule did with them.", rises=True
)
EXPORTER_MALFORMED = Foreign(
    "statsd_exporter_sample_errors_total", "Lines that the exporter could not read.", rises=True
)
#: Of a scrape: Prometheus says it of each target, and the sampler of its own looks at the exporter's page.
UP = Foreign("up", "Whether the last look at an exporter's page succeeded.", rises=False)

_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One of the lines of a question.

    Attributes:
        form: What is asked.
        legend: What the line is called; `{{label}}` stands for the value of that label.
    """

    form: Form
    legend: str

    def promql(self, interval: str = INTERVAL) -> str:
        """The PromQL, with rates taken over that time, such as `5m`."""
        return self.form.promql().replace(INTERVAL, interval)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels by which it splits into several lines."""
        return self.form.by if isinstance(self.form, (Rate, Level, Age, Quantile)) else ()

    def named(self, labels: Mapping[str, str]) -> str:
        """The name of one line, by its labels."""
        return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), self.legend)

    def named_by_key(self, key: str) -> str:
        """The name of one line, by the key that its form gave it."""
        return self.named(dict(zip(self.labels, key.split(SEPARATOR), strict=False)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A panel: one thing that people want to know.

    Attributes:
        name: For programs: letters, digits and `_`.
        title: What it shows, in a few plain words.
        help: How to read it, and what is well, in a sentence or two.
        unit: What its figures count.
        signal: The golden signal that it belongs to.
        curves: Its lines.
        stacked: Whether they are parts of a whole.
    """

    name: str
    title: str
    help: str
    unit: Quantity
    signal: Signal
    curves: tuple[Curve, ...]
    stacked: bool = False

    def about(self) -> tuple[Asked, ...]:
        """The metrics that it asks about, each once."""
        return tuple(dict.fromkeys(metric for curve in self.curves for metric in curve.form.about()))


def _quantiles(*ranks: float, of: Timer) -> tuple[Curve, ...]:
    words = {0.5: "half (p50)", 0.95: "95 of 100 (p95)", 0.99: "99 of 100 (p99)"}
    return tuple(Curve(form=Quantile(rank=rank, metric=of), legend=words[rank]) for rank in ranks)


def _answers(status: str = ".*") -> Rate:
    return Rate(metric=catalogue.HTTP_REQUESTS, where={"status": status})


def _scans(status: str = ".*") -> Rate:
    return Rate(metric=catalogue.SCAN_DURATION, where={"status": status})


ALL: tuple[Question, ...] = (
    Question(
        name="http_duration",
        title="How long pages take",
        help="Half of all pages were ready within the first figure, 99 of 100 within the last.",
        unit=Quantity.SECONDS,
        signal=Signal.LATENCY,
        curves=_quantiles(0.5, 0.95, 0.99, of=catalogue.HTTP_REQUEST_DURATION),
    ),
    Question(
        name="database_duration",
        title="How long the database takes",
        help="For one statement. On SQLite, waiting for another writer is in it.",
        unit=Quantity.SECONDS,
        signal=Signal.LATENCY,
        curves=_quantiles(0.5, 0.95, 0.99, of=catalogue.DB_QUERY_DURATION),
    ),
    Question(
        name="scan_duration",
        title="How long the scan of a board takes",
        help="From its beginning to what is stored; large boards and polite pauses take minutes.",
        unit=Quantity.SECONDS,
        signal=Signal.LATENCY,
        curves=_quantiles(0.5, 0.95, of=catalogue.SCAN_DURATION),
    ),
    Question(
        name="outbound_duration",
        title="How long boards take to answer",
        help="For one request, repeated tries included.",
        unit=Quantity.SECONDS,
        signal=Signal.LATENCY,
        curves=_quantiles(0.5, 0.95, of=catalogue.OUTBOUND_DURATION),
    ),
    Question(
        name="http_requests",
        title="Pages asked for",
        help="By the kind of answer: 2xx and 3xx are well, 4xx is a mistake of who asks, 5xx is ours.",
        unit=Quantity.PER_SECOND,
        signal=Signal.TRAFFIC,
        curves=tuple(
            Curve(form=_answers(f"{digit}.."), legend=words)
            for digit, words in (
                ("2", "2xx shown"),
                ("3", "3xx sent on"),
                ("4", "4xx refused"),
                ("5", "5xx failed"),
            )
        ),
        stacked=True,
    ),
    Question(
        name="outbound_requests",
        title="Requests to boards",
        help="By how they ended; not modified means that a board had nothing new to send.",
        unit=Quantity.PER_HOUR,
        signal=Signal.TRAFFIC,
        curves=(
            Curve(
                form=Rate(metric=catalogue.OUTBOUND_REQUESTS, by=("outcome",), times=_HOUR),
                legend="{{outcome}}",
            ),
        ),
    ),
    Question(
        name="queue_jobs",
        title="Work of the scan workers",
        help="Jobs of the queue that ended, by how: each scans up to fifty boards, scores or sends messages.",
        unit=Quantity.PER_HOUR,
        signal=Signal.TRAFFIC,
        curves=(
            Curve(
                form=Rate(metric=catalogue.RQ_JOBS_FINISHED, by=("outcome",), times=_HOUR),
                legend="{{outcome}}",
            ),
        ),
    ),
    Question(
        name="http_error_ratio",
        title="Pages that failed",
        help="The share of pages that ended with an error of ours (5xx). Well is 0.",
        unit=Quantity.RATIO,
        signal=Signal.ERRORS,
        curves=(Curve(form=Share(part=_answers("5.."), whole=_answers()), legend="failed"),),
    ),
    Question(
        name="scan_success_ratio",
        title="Scans that succeeded",
        help="The share of boards' scans that brought jobs; partial ones are among them. Well is near 100 %.",
        unit=Quantity.RATIO,
        signal=Signal.ERRORS,
        curves=(Curve(form=Share(part=_scans("succeeded|partial"), whole=_scans()), legend="succeeded"),),
    ),
    Question(
        name="scan_errors",
        title="Why scans failed",
        help="Boards' scans that ended partial or failed, by reason.",
        unit=Quantity.PER_HOUR,
        signal=Signal.ERRORS,
        curves=(
            Curve(form=Rate(metric=catalogue.SCAN_ERRORS, by=("reason",), times=_HOUR), legend="{{reason}}"),
        ),
    ),
    Question(
        name="errors",
        title="Errors met",
        help="Errors that the program met and dealt with, by place, and those of the database. Well is 0.",
        unit=Quantity.PER_HOUR,
        signal=Signal.ERRORS,
        curves=(
            Curve(form=Rate(metric=catalogue.APP_ERRORS, by=("place",), times=_HOUR), legend="{{place}}"),
            Curve(form=Rate(metric=catalogue.DB_ERRORS, times=_HOUR), legend="database"),
        ),
    ),
    Question(
        name="queue_length",
        title="Jobs in the queue",
        help="Waiting jobs are worked off in order; failed ones are kept for a day, for who wants to look.",
        unit=Quantity.COUNT,
        signal=Signal.SATURATION,
        curves=tuple(
            Curve(form=Level(metric=catalogue.RQ_QUEUE_JOBS, where={"state": state}), legend=words)
            for state, words in (("queued", "waiting"), ("started", "under way"), ("failed", "failed"))
        ),
    ),
    Question(
        name="queue_oldest",
        title="Longest wait in the queue",
        help="How long the oldest waiting job has waited. If it keeps rising, scan workers are too few.",
        unit=Quantity.SECONDS,
        signal=Signal.SATURATION,
        curves=(Curve(form=Level(metric=catalogue.RQ_OLDEST_JOB_AGE, how="max"), legend="oldest"),),
    ),
    Question(
        name="workers",
        title="Scan workers",
        help="Busy and idle ones. If all are busy for long, raise SCOUT_SCAN_WORKERS.",
        unit=Quantity.COUNT,
        signal=Signal.SATURATION,
        curves=tuple(
            Curve(form=Level(metric=catalogue.RQ_WORKERS, where={"state": state}), legend=state)
            for state in ("busy", "idle")
        ),
        stacked=True,
    ),
    Question(
        name="web_threads",
        title="Threads of the web server",
        help="Busy and idle ones. If all are busy for long, raise SCOUT_WEB_WORKERS.",
        unit=Quantity.COUNT,
        signal=Signal.SATURATION,
        curves=tuple(
            Curve(form=Level(metric=catalogue.GUNICORN_THREADS, where={"state": state}), legend=state)
            for state in ("busy", "idle")
        ),
        stacked=True,
    ),
    Question(
        name="memory",
        title="Memory",
        help="Resident memory of the program's processes, by what they do.",
        unit=Quantity.BYTES,
        signal=Signal.SATURATION,
        curves=(
            Curve(
                form=Level(metric=catalogue.PROCESS_MEMORY, by=("role", "slot")), legend="{{role}} {{slot}}"
            ),
        ),
    ),
    Question(
        name="disk_free",
        title="Free disk",
        help="On the disk of the data directory. Nothing is stored any more when it is full.",
        unit=Quantity.BYTES,
        signal=Signal.SATURATION,
        curves=(Curve(form=Level(metric=catalogue.DATA_DISK_FREE, how="max"), legend="free"),),
    ),
    Question(
        name="scans",
        title="Boards scanned",
        help="By how their scans ended.",
        unit=Quantity.PER_HOUR,
        signal=Signal.BUSINESS,
        curves=tuple(
            Curve(
                form=Rate(metric=catalogue.SCAN_DURATION, where={"status": status}, times=_HOUR),
                legend=status,
            )
            for status in ("succeeded", "partial", "failed")
        ),
        stacked=True,
    ),
    Question(
        name="new_jobs",
        title="Jobs found and gone",
        help="Listings that scans saw for the first time, and those that boards closed.",
        unit=Quantity.PER_HOUR,
        signal=Signal.BUSINESS,
        curves=tuple(
            Curve(
                form=Rate(metric=catalogue.SCAN_LISTINGS, where={"change": change}, times=_HOUR),
                legend=change,
            )
            for change in ("new", "updated", "closed")
        ),
    ),
    Question(
        name="messages",
        title="Messages to you",
        help="By what came of them. Parked ones failed too often, and wait for you.",
        unit=Quantity.PER_HOUR,
        signal=Signal.BUSINESS,
        curves=(
            Curve(form=Rate(metric=catalogue.MESSAGES, by=("outcome",), times=_HOUR), legend="{{outcome}}"),
        ),
    ),
    Question(
        name="samples",
        title="Samples sent and taken",
        help="What our processes sent, and what the exporter took. Where they part, samples were lost.",
        unit=Quantity.PER_SECOND,
        signal=Signal.PIPELINE,
        curves=(
            Curve(form=Rate(metric=catalogue.CLIENT_SENT), legend="sent"),
            Curve(form=Rate(metric=EXPORTER_SAMPLES), legend="taken"),
        ),
    ),
    Question(
        name="samples_lost",
        title="Samples lost",
        help="Not sent, not read in time, unknown to the mapping file, malformed; failed pushes. Well is 0.",
        unit=Quantity.PER_HOUR,
        signal=Signal.PIPELINE,
        curves=(
            Curve(form=Rate(metric=catalogue.CLIENT_DROPPED, times=_HOUR), legend="not sent"),
            Curve(
                form=Rate(metric=EXPORTER_ACTIONS, where={"action": "drop"}, times=_HOUR), legend="unknown"
            ),
            Curve(form=Rate(metric=EXPORTER_UNMAPPED, times=_HOUR), legend="unmapped"),
            Curve(form=Rate(metric=EXPORTER_MALFORMED, times=_HOUR), legend="malformed"),
            Curve(
                form=Rate(
                    metric=catalogue.SCAN_PUSHES, where={"outcome": "refused|unreachable|failed"}, times=_HOUR
                ),
                legend="pushes failed",
            ),
        ),
    ),
    Question(
        name="exporters_up",
        title="Exporters that answer",
        help="1 while an exporter's page can be read, 0 while not.",
        unit=Quantity.COUNT,
        signal=Signal.PIPELINE,
        curves=(
            Curve(
                form=Level(metric=UP, where={"job": "statsd_exporter|pushgateway"}, by=("job",), how="max"),
                legend="{{job}}",
            ),
        ),
    ),
    Question(
        name="sample_age",
        title="Age of what was sampled",
        help="The scheduler samples every 30 seconds. If this keeps rising, it is not at work.",
        unit=Quantity.SECONDS,
        signal=Signal.PIPELINE,
        curves=(Curve(form=Age(metric=catalogue.SAMPLED, by=("part",)), legend="{{part}}"),),
    ),
)
"""Every question, in the order of the page."""

BY_NAME: dict[str, Question] = {question.name: question for question in ALL}

#: The names of all samples that the questions need.
NEEDED = frozenset(names(curve.form for question in ALL for curve in question.curves))
