"""Traces where they are on: spans are made, kept few and harmless, and sent in batches from a thread.

What leaves is a short list of attributes: no address that was asked for, no search, no name of a browser.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes
from sqlalchemy import Engine

from metrics import catalogue
from metrics.http import template
from scout.logs import redacting
from scout.settings import Settings

SERVICE = "iam-job-scout"
#: Seconds that a batch may take to be sent. The collector is to be near.
_PATIENCE = 1.0
#: Seconds for which a collector that did not answer is not asked again, by any process of the same family.
_LEFT_ALONE = 30.0
#: Spans that wait at most; more are dropped.
_MOST_WAITING = 2_048
#: Seconds between two batches.
_EVERY = 1.0
#: Attributes that may leave, in the words of the semantic conventions and of those before them.
_TOLD = frozenset(
    {
        "http.request.method", "http.method", "http.route", "http.response.status_code", "http.status_code",
        "url.scheme", "http.scheme", "server.address", "error.type",
        "db.system", "db.system.name", "db.statement", "db.query.text", "db.operation.name",
        "messaging.system", "messaging.destination.name", "messaging.operation.type", "messaging.message.id",
        "exception.type", "exception.message", "exception.stacktrace",
    }
)  # fmt: skip
_OWN = "scout."
_KINDS = {
    "internal": SpanKind.INTERNAL,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "client": SpanKind.CLIENT,
}

_propagator = TraceContextTextMapPropagator()


class Tracing:
    """What makes and sends this process's spans.

    Args:
        settings: The settings: the collector's address, and which values are secrets.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer = trace.NoOpTracer()
        self._away = Away()

    def start(self, role: str) -> None:
        """Begin to send. How much is sampled, and how to sign in at the collector, say standard variables."""
        own = {
            "service.name": SERVICE,
            "service.version": version("iam-job-scout"),
            "service.instance.id": f"{os.uname().nodename}:{os.getpid()}",
            "scout.role": role,
        }
        provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        provider.sampler = Begun(provider.sampler)
        exporter = OTLPSpanExporter(
            endpoint=f"{self._settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=_PATIENCE
        )
        provider.add_span_processor(
            BatchSpanProcessor(
                Careful(exporter, redacting.of_settings(self._settings), self._away),
                max_queue_size=_MOST_WAITING,
                schedule_delay_millis=_EVERY * 1000,
            )
        )
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)
        trace.set_tracer_provider(provider)

    def flush(self) -> None:
        """Send what there is."""
        if self._provider is not None:
            self._provider.force_flush(int(_PATIENCE * 1000))

    @contextlib.contextmanager
    def span(
        self,
        name: str,
        kind: str,
        carried: Mapping[str, str] | None,
        fine: tuple[type[Exception], ...],
        attributes: Mapping[str, str | float],
    ) -> Iterator[None]:
        """A span until the end of the block; an exception that is not fine marks it as failed."""
        context = _propagator.extract(carried) if carried else None
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=_KINDS[kind],
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except fine:
                raise
            except Exception as error:
                span.record_exception(error)
                span.set_status(trace.StatusCode.ERROR)
                raise

    def describe(self, attributes: Mapping[str, str | float]) -> None:
        """Add attributes to the span that runs now."""
        trace.get_current_span().set_attributes(attributes)

    def carrier(self) -> dict[str, str]:
        """The span that runs now, as W3C Trace Context has it."""
        carried: dict[str, str] = {}
        _propagator.inject(carried)
        return {name: carried[name] for name in ("traceparent",) if name in carried}

    def ids(self) -> dict[str, str]:
        """The span that runs now, as lines of the log name it."""
        return ids_of(trace.get_current_span())

    def instrument(self, engine: Engine) -> None:
        """Make spans of the statements of an engine."""
        unused = NoOpMeter(SERVICE).create_up_down_counter("unused")
        EngineTracer(trace.get_tracer(SERVICE), engine, unused)


def ids_of(span: trace.Span) -> dict[str, str]:
    """A span, as lines of the log name it."""
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {
        "trace_id": trace.format_trace_id(context.trace_id),
        "span_id": trace.format_span_id(context.span_id),
    }


class Begun(Sampler):
    """Lets statements begin no trace: the scheduler asks the database a dozen things each second.

    Args:
        wanted: What decides on all others.
    """

    def __init__(self, wanted: Sampler) -> None:
        self._wanted = wanted

    def should_sample(  # noqa: PLR0917 - the signature of OpenTelemetry
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Whether a span is kept."""
        parent = trace.get_current_span(parent_context).get_span_context()
        if kind is SpanKind.CLIENT and not parent.is_valid:
            return SamplingResult(Decision.DROP)
        return self._wanted.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """What it is called."""
        return f"Begun({self._wanted.get_description()})"


class Away:
    """When the collector is asked again, in a byte of memory that forks share: each job is a process."""

    def __init__(self) -> None:
        self._until = mmap.mmap(-1, 8)

    def is_now(self) -> bool:
        """Whether it is left alone."""
        (until,) = struct.unpack("d", self._until[:8])
        return bool(time.monotonic() < until)

    def note(self) -> None:
        """It did not answer."""
        self._until[:8] = struct.pack("d", time.monotonic() + _LEFT_ALONE)


class Careful(SpanExporter):
    """Sends only what may leave, leaves alone a collector that is away, and counts what is lost.

    Args:
        exporter: What sends.
        redactor: Takes secrets out of texts.
        away: Whether the collector is away.
    """

    def __init__(self, exporter: SpanExporter, redactor: redacting.Redactor, away: Away) -> None:
        self._exporter = exporter
        self._redactor = redactor
        self._away = away

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch."""
        if self._away.is_now():
            result = SpanExportResult.FAILURE
        else:
            result = self._exporter.export([self._told(span) for span in spans])
            if result is not SpanExportResult.SUCCESS:
                self._away.note()
        if result is not SpanExportResult.SUCCESS:
            catalogue.SPANS_LOST.inc(len(spans))
        return result

    def shutdown(self) -> None:
        """Send nothing more."""
        self._exporter.shutdown()

    def _told(self, span: ReadableSpan) -> ReadableSpan:
        events = [Event(each.name, self._attributes(each.attributes), each.timestamp) for each in span.events]
        return ReadableSpan(
            name=span.name,
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=self._attributes(span.attributes),
            events=events,
            kind=span.kind,
            status=trace.Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _attributes(self, attributes: Attributes) -> dict[str, Any]:
        told = {
            name: self._redactor.text(value) if isinstance(value, str) else value
            for name, value in (attributes or {}).items()
            if name in _TOLD or name.startswith(_OWN)
        }
        if "http.route" in told:  # as the metrics' label `endpoint` has it
            told["http.route"] = template(str(told["http.route"]))
        return told
