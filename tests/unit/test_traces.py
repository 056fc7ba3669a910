from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from metrics import catalogue
from metrics.testing import Captured
from scout import traces
from scout.logs import redacting
from scout.settings import PROJECT, Settings
from scout.traces import on


class Deaf(SpanExporter):
    """An exporter whose collector never answers."""

    def __init__(self) -> None:
        self.tries = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.tries += 1
        return SpanExportResult.FAILURE


def finished(name: str = "scan", **attributes: Any) -> ReadableSpan:
    """A span that has ended, by an exception that tells a secret."""
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with pytest.raises(ValueError, match="hunter2"), provider.get_tracer("test").start_as_current_span(
        name, attributes=attributes
    ):  # fmt: skip
        raise ValueError("password=hunter2")
    (span,) = kept.get_finished_spans()
    return span


def test_with_no_collector_named_nothing_is_loaded_that_makes_or_sends_traces(tmp_path: Path) -> None:
    # The Redis client loads OpenTelemetry's metrics wherever they are installed.
    program = (
        "import sys, workers.worker\n"
        "from webapp import create_app\nfrom scout import settings, traces\nfrom scout.logs import lines\n"
        "chosen = settings.load({'SCOUT_DATA_DIR': sys.argv[1]})\n"
        "traces.prepare(chosen); traces.start('worker')\n"
        "with traces.span('scan', scout__run_id=1): traces.describe(scout__source='acme')\n"
        "assert traces.ids() == traces.carrier() == {}\n"
        "create_app(chosen)\n"
        "made = ('sdk.trace', 'exporter', 'instrumentation', 'proto')\n"
        "print([name for name in made if f'opentelemetry.{name}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_collector_that_is_away_is_left_alone_by_all_processes_and_spans_are_counted(
    emitted: Captured,
) -> None:
    away, first, second = on.Away(), Deaf(), Deaf()
    for exporter in (first, first, second):  # two jobs, each a process of its own
        careful = on.Careful(exporter, redacting.Redactor(), away)
        assert careful.export([finished(), finished()]) is SpanExportResult.FAILURE
    assert (first.tries, second.tries) == (1, 0)
    emitted.assert_incremented(catalogue.SPANS_LOST, 6)


def test_only_what_is_on_the_list_leaves_and_without_secrets() -> None:
    kept = InMemorySpanExporter()
    span = finished(
        **{
            "http.url": "http://x/feeds/secret", "http.target": "/feeds/secret", "http.user_agent": "me",
            "http.route": "/feeds/<token>.atom", "scout.source": "acme",
            "db.statement": "SELECT 'token=hunter2'",
        }
    )  # fmt: skip
    on.Careful(kept, redacting.Redactor(), on.Away()).export([span])
    (told,) = kept.get_finished_spans()
    assert told.attributes == {
        "http.route": "/feeds/{token}.atom", "scout.source": "acme",
        "db.statement": "SELECT 'token=[redacted]'",
    }  # fmt: skip
    assert "hunter2" not in told.to_json()
    assert told.events[0].attributes is not None
    assert told.events[0].attributes["exception.message"] == "password=[redacted]"
    assert (told.name, told.context, told.parent) == (span.name, span.context, span.parent)


def test_statements_begin_no_trace_but_are_part_of_one() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.sampler = on.Begun(provider.sampler)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("SELECT", kind=trace.SpanKind.CLIENT):
        pass
    with (
        tracer.start_as_current_span("scan"),
        tracer.start_as_current_span("UPDATE", kind=trace.SpanKind.CLIENT),
    ):
        pass
    assert [each.name for each in kept.get_finished_spans()] == ["UPDATE", "scan"]


@pytest.mark.parametrize(
    "told", [None, 1, "", "00-" + "0" * 32, "00-" + "g" * 32 + "-" + "a" * 16 + "-01", {"traceparent": "x"}]
)
def test_not_everything_on_the_queue_is_taken_for_a_trace(told: object) -> None:
    assert traces.of_queue({"traceparent": told}) == {}


@pytest.fixture
def tracing() -> Iterator[None]:
    """Traces that are on, with a collector that nobody listens as."""
    traces.prepare(Settings(otlp_endpoint="http://127.0.0.1:1"))
    traces.start("worker")
    started = traces._tracing
    yield
    traces.prepare(Settings())
    assert started is not None
    assert started._provider is not None
    started._provider.shutdown()


def test_an_exception_marks_a_span_as_failed_unless_it_is_fine(
    tracing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(traces._tracing, "_tracer", provider.get_tracer("test"))
    for error in (KeyError("fine"), ValueError("not fine")):
        with pytest.raises(type(error)), traces.span("parse", fine=(KeyError,)):
            raise error
    fine, failed = kept.get_finished_spans()
    assert (fine.status.is_ok, fine.events) == (True, ())
    assert (failed.status.is_ok, [each.name for each in failed.events]) == (False, ["exception"])


def test_a_job_on_the_queue_carries_the_trace_on(tracing: None) -> None:
    with traces.span("scan run", kind="producer"):
        begun = traces.ids()
        carried = traces.of_queue(traces.carrier())
    assert carried["traceparent"].split("-")[1:3] == [begun["trace_id"], begun["span_id"]]
    with traces.span("process scan_sources", kind="consumer", carried=carried):
        assert traces.ids()["trace_id"] == begun["trace_id"]
        assert traces.ids()["span_id"] != begun["span_id"]
    assert traces.ids() == {}
