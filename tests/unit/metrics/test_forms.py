"""The questions asked of the metrics: their PromQL, and the same by arithmetic on two looks at a page."""

from __future__ import annotations

import re

import pytest

from metrics import catalogue, forms, queries
from metrics.forms import SEPARATOR, Age, Form, Keyed, Level, Quantile, Rate, Share
from metrics.model import Metric, Signal
from metrics.quantities import Quantity

REQUESTS = Rate(metric=catalogue.HTTP_REQUESTS)
FAILED = Rate(metric=catalogue.HTTP_REQUESTS, where={"status": "5.."})


def page(text: str) -> forms.Page:
    return forms.read(text, {line.partition("{")[0].partition(" ")[0] for line in text.splitlines()})


def between(form: Form, before: str, now: str, seconds: float = 10.0) -> Keyed:
    return form.between(form.totals(page(before), 0.0), form.totals(page(now), seconds), seconds)


def test_a_rate_is_what_a_total_rose_by_in_a_second() -> None:
    before = 'http_requests_total{status="200"} 100\nhttp_requests_total{status="500"} 4\n'
    now = 'http_requests_total{status="200"} 150\nhttp_requests_total{status="500"} 5\n'
    assert between(REQUESTS, before, now) == {"": 5.1}
    assert between(FAILED, before, now) == {"": 0.1}
    by = Rate(metric=catalogue.HTTP_REQUESTS, by=("status",), times=3600)
    assert between(by, before, now) == {"200": 18_000, "500": 360}


def test_a_counter_that_fell_began_anew() -> None:
    assert between(REQUESTS, "http_requests_total 100", "http_requests_total 20") == {"": 2}


def test_a_total_that_a_gauge_tells_for_the_first_time_may_have_risen_long_ago() -> None:
    sent = Rate(metric=catalogue.CLIENT_SENT)
    before = 'statsd_client_sent_samples{role="web",slot="0"} 100\n'
    now = (
        'statsd_client_sent_samples{role="web",slot="0"} 150\n'
        'statsd_client_sent_samples{role="command",slot="0"} 9000000\n'
    )
    assert between(sent, before, now) == {"": 5}
    by_role = Rate(metric=catalogue.CLIENT_SENT, by=("role",))
    assert between(by_role, before, now) == {"web": 5, "command": 0}
    # As Prometheus has it, also where one of several began anew.
    assert between(sent, now, 'statsd_client_sent_samples{role="command",slot="0"} 20\n') == {"": 2}


def test_a_timer_has_runs_and_seconds() -> None:
    before = "db_query_duration_seconds_count 10\ndb_query_duration_seconds_sum 1\n"
    now = "db_query_duration_seconds_count 30\ndb_query_duration_seconds_sum 6\n"
    assert between(Rate(metric=catalogue.DB_QUERY_DURATION), before, now) == {"": 2}
    assert between(Rate(metric=catalogue.DB_QUERY_DURATION, spent=True), before, now) == {"": 0.5}


def test_quantiles_and_ages_are_kept_apart_by_labels() -> None:
    by_outcome = Quantile(rank=0.5, metric=catalogue.SCAN_DURATION, by=("status",))
    assert by_outcome.promql().startswith("histogram_quantile(0.5, sum by (status, le) (rate(")
    before = "".join(
        f'iam_scan_duration_seconds_bucket{{status="{status}",le="{bound}"}} 0\n'
        for status in ("failed", "partial", "succeeded")
        for bound in ("1.0", "2.5", "+Inf")
    )
    now = before.replace('failed",le="2.5"} 0', 'failed",le="2.5"} 4').replace(
        'failed",le="+Inf"} 0', 'failed",le="+Inf"} 4'
    )
    now = re.sub(r'(succeeded",le="[^"]+"}) 0', r"\1 10", now)
    assert between(by_outcome, before, now) == {"failed": 1.75, "succeeded": 0.5}
    some = Age(metric=catalogue.SAMPLED, where={"part": "queue"}, by=("part",))
    stamps = (
        'iam_sampled_timestamp_seconds{part="queue"} 4\niam_sampled_timestamp_seconds{part="database"} 9\n'
    )
    assert between(some, stamps, stamps) == {"queue": 6}
    assert some.promql() == 'time() - max by (part) (iam_sampled_timestamp_seconds{part=~"queue"})'


def test_a_share_is_none_while_the_whole_stands_still() -> None:
    share = Share(part=FAILED, whole=REQUESTS)
    before = 'http_requests_total{status="200"} 100'
    assert between(share, before, 'http_requests_total{status="200"} 150') == {"": 0}
    now = 'http_requests_total{status="200"} 130\nhttp_requests_total{status="503"} 10\n'
    assert between(share, before, now) == {"": 0.25}
    assert between(share, before, before) == {}
    assert between(share, "", "") == {}


def test_a_quantile_lies_evenly_within_its_bucket() -> None:
    def buckets(*counts: int) -> str:
        bounds = ("0.1", "0.2", "+Inf")
        name = catalogue.HTTP_REQUEST_DURATION.name
        return "".join(
            f'{name}_bucket{{le="{bound}"}} {count}\n' for bound, count in zip(bounds, counts, strict=True)
        )

    half = Quantile(rank=0.5, metric=catalogue.HTTP_REQUEST_DURATION)
    assert between(half, buckets(0, 0, 0), buckets(0, 10, 10)) == {"": pytest.approx(0.15)}
    assert between(half, buckets(5, 5, 5), buckets(15, 15, 15)) == {"": pytest.approx(0.05)}
    assert between(half, buckets(0, 0, 0), buckets(0, 0, 10)) == {"": 0.2}
    assert between(half, buckets(5, 5, 5), buckets(5, 5, 5)) == {}
    assert between(half, "", "") == {}


def test_a_level_is_that_of_the_later_look() -> None:
    text = 'rq_queue_jobs{queue="scans",state="queued"} 7\nrq_queue_jobs{queue="scans",state="failed"} 2\n'
    by_state = Level(metric=catalogue.RQ_QUEUE_JOBS, by=("state",))
    assert between(by_state, "", text) == {"queued": 7, "failed": 2}
    assert between(Level(metric=catalogue.RQ_QUEUE_JOBS), "", text) == {"": 9}
    assert between(Level(metric=catalogue.RQ_QUEUE_JOBS, how="max"), "", text) == {"": 7}


def test_an_age_counts_from_the_latest_time() -> None:
    text = (
        'iam_sampled_timestamp_seconds{part="queue"} 90\niam_sampled_timestamp_seconds{part="database"} 40\n'
    )
    age = Age(metric=catalogue.SAMPLED, by=("part",))
    assert age.totals(page(text), 100.0) == {"queue": 10, "database": 60}


def test_a_page_is_read_with_its_escapes_and_without_what_is_wrong() -> None:
    text = (
        'up{job="a \\"b\\" \\\\ {c} d"} 1\nup{job="x"} NaN\nup{job="y"} +Inf\nup{job="z"} many\n'
        "up 3 1700000000\nupper 9\n# HELP up Is it?\nup{broken 4"
    )
    assert forms.read(text, {"up"})["up"][:2] == [({"job": 'a "b" \\ {c} d'}, 1.0), ({}, 3.0)]
    assert "upper" not in forms.read(text, {"up"})


@pytest.mark.parametrize("question", queries.ALL, ids=lambda question: question.name)
def test_every_question_is_put_whole(question: queries.Question) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", question.name)
    assert question.help.endswith(".")
    assert question.curves
    assert question.signal in queries.SIGNALS
    for curve in question.curves:
        asked = curve.promql("5m")
        assert forms.INTERVAL not in asked
        assert forms.INTERVAL in curve.promql() or "rate(" not in asked
        shown = re.findall(r"\{\{(\w+)\}\}", curve.legend)
        assert tuple(shown) == curve.labels
    for metric in question.about():
        assert metric.name in " ".join(curve.promql() for curve in question.curves)
        if isinstance(metric, Metric):
            assert metric in catalogue.ALL


def test_questions_ask_only_for_labels_that_the_metrics_have() -> None:
    own = {queries.UP: {"job"}, queries.EXPORTER_ACTIONS: {"action"}}
    for question in queries.ALL:
        for curve in question.curves:
            rates = [curve.form.part, curve.form.whole] if isinstance(curve.form, Share) else [curve.form]
            for form in rates:
                [metric] = form.about()
                has = (
                    {label.name for label in metric.labels}
                    if isinstance(metric, Metric)
                    else own.get(metric, set())
                )
                assert set(getattr(form, "where", {})) | set(getattr(form, "by", ())) <= has, question.name


def test_names_are_unique_and_every_signal_has_a_question() -> None:
    assert len(queries.BY_NAME) == len(queries.ALL)
    assert {question.signal for question in queries.ALL} == set(Signal)


def test_labels_are_matched_as_text_whatever_they_hold() -> None:
    form = Level(metric=catalogue.RQ_QUEUE_JOBS, where={"state": 'a"b\\d'})
    assert form.promql() == 'sum(rq_queue_jobs{state=~"a\\"b\\\\d"})'


def test_a_line_is_named_by_its_labels() -> None:
    [curve] = queries.BY_NAME["memory"].curves
    assert curve.named({"role": "web", "slot": "1"}) == "web 1"
    assert curve.named_by_key(f"web{SEPARATOR}1") == "web 1"
    assert curve.named({}) == " "


def test_quantities_know_their_unit_for_prometheus() -> None:
    assert Quantity.SECONDS.unit == "seconds"
    assert Quantity.RATIO.unit == ""
