from __future__ import annotations

import pytest

from metrics import catalogue
from metrics.watch import known, promql

SERIES = {**known.ours(), **known.OTHERS}


def mistakes(text: str) -> list[str]:
    return list(known.mistakes(promql.read(text), SERIES))


@pytest.mark.parametrize(
    "text",
    [
        'sum by (endpoint) (rate(http_requests_total{status=~"5..", job="x"}[5m]))',
        'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{le="0.5"}[5m])))',
        "time() - iam_scan_last_success_timestamp_seconds",
        'rq_queue_jobs{state=~"queued|failed"}',
        'sum(increase(iam_messages_total{outcome=~"fail.*"}[1h]))',
        "absent(iam_sign_ins_total)",
        "rate(statsd_receive_drops[5m])",
        'topk(5, count by (__name__) ({job="statsd_exporter"}))',
    ],
)
def test_what_there_is_may_be_asked_for(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("iam_jobs_totals", "no metric iam_jobs_totals"),
        ('http_requests_total{code="500"}', "no label code"),
        ('rq_queue_jobs{state="queuing"}', "never has state='queuing'"),
        ('rq_queue_jobs{state=~"queued|faild"}', "never has state='faild'"),
        ('rq_queue_jobs{state=~"q.+x"}', "never has state='q.+x'"),
        ("rate(iam_jobs_total[5m])", "does not only rise"),
        ("increase(iam_sign_ins_total[30s])", "fewer than 4 scrapes"),
        ("sum(iam_sign_ins_total) > 3", "without rate or increase"),
        ('rate(http_request_duration_seconds_bucket{le="0.6"}[5m])', "no bucket up to 0.6"),
        ("sum by (colour) (iam_jobs_total)", "no metric here has the label colour"),
        ('{colour="red"}', "no metric without a name"),
    ],
)
def test_what_there_is_not_is_named(text: str, told: str) -> None:
    assert any(told in each for each in mistakes(text)), mistakes(text)


def test_a_timer_has_its_three_series_and_a_pushed_gauge_its_source() -> None:
    ours = known.ours((catalogue.SCAN_DURATION, catalogue.SCAN_LAST_SEEN))
    timer = catalogue.SCAN_DURATION.name
    assert set(ours) == {
        f"{timer}_bucket", f"{timer}_sum", f"{timer}_count", catalogue.SCAN_LAST_SEEN.name
    }  # fmt: skip
    assert set(ours[f"{timer}_bucket"].labels) == {"kind", "status", "le"}
    assert set(ours[catalogue.SCAN_LAST_SEEN.name].labels) == {"source"}
