"""What a test captures, asked by PromQL: a real Prometheus scrapes the capture in place of an exporter."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from metrics import catalogue
from metrics.testing import Captured
from tests.components import need
from tests.ports import free_port
from tests.waiting import wait_until


def test_prometheus_reads_a_capture_as_it_reads_the_exporter(emitted: Captured, tmp_path: Path) -> None:
    for seconds in (0.02, 0.02, 0.02, 3):
        catalogue.SCAN_PHASE_DURATION.observe(seconds, phase="fetch")
    catalogue.SIGN_INS.inc(3, outcome="failed")
    catalogue.SIGN_INS.inc(outcome="succeeded")
    port = free_port()

    def value(query: str) -> float | None:
        asked = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                found = json.load(answer)["data"]["result"]
        except OSError:
            return None
        return float(found[0]["value"][1]) if found else None

    def quantile(rank: float) -> float:
        buckets = "sum by (le) (iam_scan_phase_duration_seconds_bucket)"
        found = value(f"histogram_quantile({rank}, {buckets})")
        assert found is not None
        return found

    with emitted.served() as url, (tmp_path / "prometheus.log").open("wb") as log:
        place = urllib.parse.urlsplit(url)
        config = tmp_path / "prometheus.yml"
        job = {"job_name": "capture", "static_configs": [{"targets": [place.netloc]}]}
        config.write_text(
            yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}), encoding="utf-8"
        )
        running = subprocess.Popen(
            [
                str(need("prometheus")), f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_until(lambda: value("up") == 1, timeout=30, what="a scrape of the capture")
            assert value('sum(iam_sign_ins_total{outcome="failed"}) / sum(iam_sign_ins_total)') == 0.75
            assert quantile(0.5) <= 0.05
            assert quantile(0.95) > 2.5
            catalogue.SIGN_INS.inc(4, outcome="succeeded")
            wait_until(lambda: value("sum(iam_sign_ins_total)") == 8, what="the next scrape")
        finally:
            running.terminate()
            running.wait(timeout=30)
