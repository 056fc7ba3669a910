"""What the overview looks at, played: an exporter's page as time goes on, a gateway, and a Prometheus."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from redis import Redis

from metrics import catalogue, forms, mapping, queries
from scout.overview import asking, recollection
from tests.serving import Asked, Reply, reply

#: What somebody who can write labels or annotations may try.
HOSTILE = """<script>document.title='taken'</script><img src=x onerror="document.title='taken'">"""
STARTED = 1_790_000_000
#: Seconds for which an answer that hangs does: whoever is back before has not waited for its end.
HANGS = 30.0


@contextlib.contextmanager
def patiently() -> Iterator[None]:
    """What answers is waited for, however busy the machine is: two seconds are for people who look."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asking, "PATIENCE", 30.0)
        yield


def page_at(seconds: float) -> str:
    """The exporter's page when it has run for so many seconds: a request a second, a scan in a minute."""
    now, wave = STARTED + seconds, math.sin(seconds / 900)
    lines = [
        'statsd_exporter_build_info{version="0.30.0"} 1',
        f"process_start_time_seconds {STARTED}",
        f"{queries.EXPORTER_SAMPLES.name} {20 * seconds:.0f}",
        f'{queries.EXPORTER_ACTIONS.name}{{action="drop"}} 0',
        f'{catalogue.CLIENT_SENT.name}{{role="web",slot="0"}} {20 * seconds:.0f}',
        f"{catalogue.LOADED_MAPPING_VERSION.name} {mapping.version()}",
        f'{catalogue.RQ_QUEUE_JOBS.name}{{queue="scans",state="queued"}} {10 + 9 * wave:.0f}',
        f'{catalogue.RQ_QUEUE_JOBS.name}{{queue="scans",state="started"}} 2',
        f'{catalogue.RQ_OLDEST_JOB_AGE.name}{{queue="scans"}} {30 + 25 * wave:.1f}',
        f"{catalogue.DATA_DISK_FREE.name} {5e10 - 1e4 * seconds:.0f}",
        f'{catalogue.SAMPLED.name}{{part="database"}} {now - 12:.0f}',
        f'{catalogue.SAMPLED.name}{{part="queue"}} {now - 5:.0f}',
    ]
    for status, each in (("200", 0.9), ("302", 0.06), ("404", 0.03), ("500", 0.01)):
        labels = f'method="GET",endpoint="/",status="{status}"'
        count = each * (seconds + 200 * math.sin(seconds / 600))
        lines.append(f"{catalogue.HTTP_REQUESTS.name}{{{labels}}} {count:.6f}")
        for bound, share in (("0.05", 0.5), ("0.1", 0.9), ("0.25", 0.97), ("1", 1.0), ("+Inf", 1.0)):
            name = f"{catalogue.HTTP_REQUEST_DURATION.name}_bucket"
            lines.append(f'{name}{{{labels},le="{bound}"}} {count * share:.6f}')
    for status, each in (("succeeded", 50), ("partial", 6), ("failed", 4)):
        labels = f'kind="lever",status="{status}"'
        lines.append(f"{catalogue.SCAN_DURATION.name}_count{{{labels}}} {seconds / 3600 * each:.6f}")
    for role, slot, size in (("web", 0, 9e7), ("web", 1, 8.5e7), ("worker", 0, 1.1e8), ("scheduler", 0, 7e7)):
        labels = f'role="{role}",slot="{slot}"'
        lines.append(f"{catalogue.PROCESS_MEMORY.name}{{{labels}}} {size + 500 * seconds:.0f}")
        lines.append(f"{catalogue.PROCESS_START.name}{{{labels}}} {STARTED}")
    return "\n".join(lines) + "\n"


def remember(connection: Redis, now: dt.datetime, hours: float = 1.0) -> None:
    """Keep what the sampler would have kept in the last hours; the exporter was away for a few minutes."""
    steps = int(hours * 120)
    for number in range(steps + 1):
        at = now - dt.timedelta(seconds=30 * (steps - number))
        read = forms.read(page_at(86_400 + 30 * number), queries.NEEDED)
        away = steps // 2 <= number < steps // 2 + 8
        up = {"statsd_exporter": float(not away), "pushgateway": 1.0}
        recollection.keep(connection, None if away else read, up, at)


def exporter(asked: Asked) -> Reply:
    """The exporter's page now."""
    del asked
    return reply(page_at(time.time() - STARTED).encode())


def gateway(asked: Asked) -> Reply:
    """The gateway's page."""
    del asked
    return reply(
        b'pushgateway_build_info{version="1.11.1"} 1\n'
        b"process_start_time_seconds 1790000000\n"
        b'iam_scan_last_run_timestamp_seconds{job="iam_scan",source="okta"} 1\n'
    )


def hanging(asked: Asked) -> Iterator[bytes]:
    """Begins an answer, and goes on with a byte now and then."""
    del asked
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    for _ in range(int(HANGS / 0.3)):
        time.sleep(0.3)
        yield b" "


def prometheus(alerts: list[dict[str, object]] | None = None) -> Callable[[Asked], Reply]:
    """Answers as Prometheus does: two series for each question, one with hostile labels."""

    def answer(asked: Asked) -> Reply:
        split = urlsplit(asked.path)
        given = {name: values[0] for name, values in parse_qs(split.query).items()}
        if split.path == "/api/v1/status/buildinfo":
            return _data({"version": "3.5.0"})
        if split.path == "/api/v1/status/runtimeinfo":
            return _data({"startTime": "2026-11-01T08:00:00.123456789Z"})
        if split.path == "/api/v1/alerts":
            return _data({"alerts": alerts or []})
        start, end, step = (float(given[name]) for name in ("start", "end", "step"))
        times = [start + step * number for number in range(int((end - start) / step) + 1)]
        labels = dict.fromkeys(("role", "slot", "reason", "place", "outcome", "job", "part"), HOSTILE)
        values = [[at, str(1 + math.sin(at / 700))] for at in times]
        values[5][1] = "NaN"
        values[6][1] = "+Inf"
        result = [{"metric": {}, "values": values}, {"metric": labels, "values": values[::3]}]
        return _data({"resultType": "matrix", "result": result})

    return answer


#: Alerts as Prometheus tells them: one that fires, with traps in it, one that only pends.
ALERTS: list[dict[str, object]] = [
    {
        "labels": {"alertname": "ScansFail", "severity": "warning"},
        "annotations": {
            "summary": f"Scans fail {HOSTILE}",
            "runbook_url": "https://runbooks.example/scans",
            "dashboard_url": "javascript:document.title='taken'",
        },
        "state": "firing",
        "activeAt": "2026-11-25T08:00:00.5Z",
        "value": "1e+00",
    },
    {"labels": {"alertname": "Soon"}, "annotations": {}, "state": "pending", "activeAt": "", "value": "1"},
]


def answered(body: object) -> bytes:
    """An answer in JSON."""
    return reply(json.dumps(body).encode())


def _data(data: object) -> bytes:
    return answered({"status": "success", "data": data})
