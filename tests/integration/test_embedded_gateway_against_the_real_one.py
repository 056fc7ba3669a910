"""The same requests to the real Pushgateway and to ours: the same answers, the same page."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.components import find, need
from tests.integration.embedded_programs import GATEWAY, Program, free_port, heads, running, samples
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENTS = ("push_time_seconds", "push_failure_time_seconds")
OWN = ("go_", "process_", "promhttp_", "pushgateway_")

HISTOGRAM = b"""# HELP h Some \\\\ help
# TYPE h histogram
h_bucket{le="0.5",x="1"} 2
h_bucket{le="2",x="1"} 3
h_sum{x="1"} 4.5
h_count{x="1"} 5
"""
SUMMARY = b"""# TYPE s summary
s{quantile="0.5"} 1.5
s{quantile="0.9"} 2
s_sum 12
s_count 7
"""
GAUGES = b"""# HELP done When it was done
# TYPE done gauge
done{of="a"} 1.5e9
done{of="b",instance="there"} -0.25
"""

#: (method, path, body, headers): in this order, so that each meets what the ones before left.
REQUESTS: list[tuple[str, str, bytes | None, dict[str, str]]] = [
    ("PUT", "/metrics/job/scan", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source/acme", GAUGES, {}),
    ("POST", "/metrics/job/scan/source/acme", b"# TYPE more counter\nmore 1\n", {}),
    ("POST", "/metrics/job/scan/source/acme", b"more 2\n", {}),  # another type within the group: it replaces
    ("PUT", "/metrics/job/other", b"more 3\n", {}),
    ("PUT", "/metrics/job/clash", b"# TYPE more gauge\nmore 3\n", {}),
    ("PUT", "/metrics/job/scan/source/empty", b"", {}),
    ("POST", "/metrics/job/scan/source/empty", b"x 1\n", {}),
    ("PUT", "/metrics/job/scan/source/empty", b"", {}),
    ("POST", "/metrics/job/scan/source/empty", b"", {}),
    ("PUT", "/metrics/job/scan/source@base64/YS9i", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source@base64/YS9iYw==", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source@base64/=", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source@base64/w7zDtg", GAUGES, {}),
    ("PUT", "/metrics/job@base64/c2Nhbi8y/source/x", GAUGES, {}),
    ("PUT", "/metrics/job@base64/=/source/x", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source@base64/!!", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source@base64/a+b/", GAUGES, {}),
    ("PUT", "/metrics/job/sc%20an/so_urce/%C3%BC", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source", GAUGES, {}),
    ("PUT", "/metrics/job/scan/", GAUGES, {}),
    ("PUT", "/metrics/job/scan/9x/y", GAUGES, {}),
    ("PUT", "/metrics/job/scan/a-b/y", GAUGES, {}),
    ("PUT", "/metrics/job/scan/__x/y", GAUGES, {}),
    ("PUT", "/metrics/job/scan/job/inner", GAUGES, {}),
    ("PUT", "/metrics/job/scan/instance/here", GAUGES, {}),
    ("PUT", "/metrics/job/scan/source/a/source/b", GAUGES, {}),
    ("GET", "/metrics/job/scan", None, {}),
    ("PATCH", "/metrics/job/scan", GAUGES, {}),
    ("PUT", "/metrics/job/hist", HISTOGRAM, {}),
    ("PUT", "/metrics/job/summ", SUMMARY, {}),
    ("PUT", "/metrics/job/line", b"h_count 1\n", {}),
    ("PUT", "/metrics/job/line", b"s_sum 1\n", {}),
    ("PUT", "/metrics/job/line", b"s_bucket 1\n", {}),
    ("PUT", "/metrics/job/over", b"# TYPE s_bucket_x summary\ns_bucket_x_sum 1\ns_bucket_x_count 1\n", {}),
    ("PUT", "/metrics/job/go", b"# TYPE process_open_fds counter\nprocess_open_fds 1\n", {}),
    ("PUT", "/metrics/job/twice", b"a 1\na 2\n", {}),
    ("PUT", "/metrics/job/twice", b'a{x="1"} 1\na{x="2"} 2\n', {}),
    ("PUT", "/metrics/job/scan/instance/there", b'# TYPE done gauge\ndone{of="b"} 1\n', {}),
    ("PUT", "/metrics/job/stamped", b"a 1 1600000000000\n", {}),
    ("PUT", "/metrics/job/unended", b"a 1", {}),
    ("PUT", "/metrics/job/broken", b"a\n", {}),
    ("PUT", "/metrics/job/broken", b"a{x=1} 1\n", {}),
    ("PUT", "/metrics/job/broken", b'a{x="1} 1\n', {}),
    ("PUT", "/metrics/job/broken", b'a{x="1"\n', {}),
    ("PUT", "/metrics/job/broken", b'a{x="\\q"} 1\n', {}),
    ("PUT", "/metrics/job/broken", b'a{__name__="b"} 1\n', {}),
    ("PUT", "/metrics/job/broken", b"9a 1\n", {}),
    ("PUT", "/metrics/job/broken", b"a one\n", {}),
    ("PUT", "/metrics/job/broken", b"a 1_0\n", {}),
    ("PUT", "/metrics/job/broken", b"a 0x1p3\n", {}),
    ("PUT", "/metrics/job/broken", b"a 1e999\n", {}),
    ("PUT", "/metrics/job/broken", b"# TYPE a bogus\na 1\n", {}),
    ("PUT", "/metrics/job/broken", b"# TYPE a gauge\n# TYPE a gauge\na 1\n", {}),
    ("PUT", "/metrics/job/broken", b"# HELP a x\n# HELP a x\na 1\n", {}),
    ("PUT", "/metrics/job/broken", b"a 1\n# TYPE a gauge\n", {}),
    ("PUT", "/metrics/job/broken", b'# TYPE b histogram\nb_bucket{le="x"} 1\n', {}),
    ("PUT", "/metrics/job/broken", b"a 1 \n", {}),
    ("PUT", "/metrics/job/broken", b"a 1 2 3\n", {}),
    ("PUT", "/metrics/job/broken", b"a 1 1.5\n", {}),
    ("PUT", "/metrics/job/broken", b"# TYPE a gauge \na 1\n", {}),
    ("PUT", "/metrics/job/broken", b"a\xff 1\n", {}),
    ("PUT", "/metrics/job/fine", b"# only a comment\n\n  a \t 1\n# EOF\n", {}),
    ("PUT", "/metrics/job/fine/part/2", b'b { x = "1" , y = "q\\"\\\\\\n" , } +Inf\nc:d NaN\n', {}),
    ("PUT", "/metrics/job/fine/part/3", b"# HELP e a \\\\ b \\n c\n# TYPE e gauge\n", {}),
    ("PUT", "/metrics/job/fine/part/4", b"# HELP b other help\nb 0.1\n", {}),
    ("PUT", "/metrics/job/times", b"push_time_seconds 5\nb 1\n", {}),
    ("PUT", "/metrics/job/zipped", gzip.compress(b"zipped 1\n"), {"Content-Encoding": "gzip"}),
    ("POST", "/metrics/job/hist", b"# TYPE h untyped\nh 1\n", {}),
    ("PUT", "/metrics/job/hist", b"h 1\n", {}),
    ("DELETE", "/metrics/job/nobody", None, {}),
    ("DELETE", "/metrics/job/scan/instance/here", None, {}),
    ("DELETE", "/metrics/job/scan/source@base64/YS9i", None, {}),
    ("DELETE", "/metrics/job/scan/source", None, {}),
    ("DELETE", "/metrics/job/scan/a-b/y", None, {}),
    ("DELETE", "/metrics/job/scan", None, {}),
    ("PUT", "/metrics", GAUGES, {}),
    ("GET", "/nothing", None, {}),
    ("GET", "/-/healthy", None, {}),
    ("GET", "/-/ready", None, {}),
    ("POST", "/-/ready", None, {}),
    ("PUT", "/-/healthy", None, {}),
    ("GET", "/api/v1/metrics", None, {}),
    ("POST", "/api/v1/metrics", None, {}),
    ("GET", "/api/v1/status", None, {}),
    ("PUT", "/api/v1/status", None, {}),
    ("GET", "/api/v1/nothing", None, {}),
    ("GET", "/", None, {}),
    ("PUT", "/api/v1/nothing", None, {}),
    # The admin interface is not there unless it is switched on, and the lifecycle one says that it is off.
    ("PUT", "/api/v1/admin/wipe", None, {}),
    ("GET", "/api/v1/admin/wipe", None, {}),
    ("PUT", "/-/quit", None, {}),
    ("POST", "/-/quit", None, {}),
    ("GET", "/-/quit", None, {}),
]

#: Requests that are meant to be answered otherwise: what the real one (1.5, 1.11) says, what ours, and why.
OTHERWISE: dict[tuple[str, str, bytes | None], tuple[tuple[int, ...], int, str]] = {
    ("PUT", "/metrics/job/go", b"# TYPE go_goroutines counter\ngo_goroutines 1\n"): (
        (400,),
        200,
        "Go's own figures are not on our page, so nothing can clash with them.",
    ),
    ("PUT", "/metrics/job/scan/source//", b"x 1\n"): (
        (301, 307),
        400,
        "Go's router redirects double slashes before the gateway sees them; ours names the missing value.",
    ),
    ("HEAD", "/metrics", None): ((405,), 200, "Who may read a page may ask how it is; HTTP wants it so."),
    ("OPTIONS", "/metrics", None): ((200,), 405, "Nobody asks us what may be asked; the answer says it."),
    ("PUT", "/metrics/job/odd", b"# TYPE q summary\nq 1\n"): (
        (200,),
        400,
        "A summary's line without a quantile is dropped there, and refused here.",
    ),
    ("PUT", "/metrics/job/odd", b'# TYPE q histogram\nq_bucket{x="1"} 1\n'): (
        (200,),
        400,
        "A histogram's bucket without a bound is dropped there, and refused here.",
    ),
    ("PUT", "/metrics/job/odd/quantile/1", b'# TYPE q summary\nq{quantile="1"} 1\n'): (
        (200, 400),
        400,
        "A group called like a summary's own label makes lines with that label twice.",
    ),
}


@contextlib.contextmanager
def both(folder: Path, *more: str) -> Iterator[tuple[Program, Program]]:
    real_program = find("pushgateway") or need("prometheus-pushgateway")
    ports = free_port(), free_port()
    flags = [
        [f"--web.listen-address=127.0.0.1:{port}", f"--persistence.file={folder / str(port)}", *more]
        for port in ports
    ]
    with (
        running([real_program, *flags[0]], ports[0]) as real,
        running([*GATEWAY, *flags[1]], ports[1]) as ours,
    ):
        yield real, ours


def comparable(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], str]:
    """The pushed samples; of the push times, only whether they are zero."""
    return {
        key: ("0" if value == "0" else "some time") if key[0] in MOMENTS else value
        for key, value in samples(page).items()
        if not key[0].startswith(OWN)
    }


def shown_heads(page: str) -> dict[str, tuple[str, str]]:
    return {
        name: (kind, "" if name in MOMENTS else help_text)
        for name, (kind, help_text) in heads(page).items()
        if not name.startswith(OWN)
    }


def wait_for_the_same_page(real: Program, ours: Program, after: str) -> None:
    """The real one says "accepted" before it has deleted."""
    wait_until(
        lambda page: comparable(real.page()) == page,
        comparable(ours.page()),
        what=f"the page of ours after {after}",
    )


def test_the_same_requests_give_the_same_answers_and_the_same_page(tmp_path: Path) -> None:
    with both(tmp_path) as (real, ours):
        for method, path, body, headers in REQUESTS:
            answers = [
                program.ask(path, method=method, body=body, headers=headers)[0] for program in (real, ours)
            ]
            assert answers[0] == answers[1], (method, path, body, answers)
            wait_for_the_same_page(real, ours, f"{method} {path} with {body!r}")
        pages = real.page(), ours.page()
        heads_there, heads_here = map(shown_heads, pages)
        assert list(heads_there) == list(heads_here)
        # The one difference: where two groups say different helps, the real one takes either.
        different = {name for name in heads_there if heads_there[name] != heads_here[name]}
        assert different <= {"b", "more"}
        assert [counted(pages[0]), counted(pages[1])] == [counted(pages[0])] * 2


def counted(page: str) -> dict[tuple[str, ...], str]:
    """The requests that the gateway counted, health and readiness aside: those are asked while it starts."""
    return {
        tuple(value for _, value in labels): figure
        for (name, labels), figure in samples(page).items()
        if name == "pushgateway_http_requests_total" and not {"ready", "healthy"} & {v for _, v in labels}
    }


def test_every_meant_difference_is_there(tmp_path: Path) -> None:
    with both(tmp_path) as (real, ours):
        for (method, path, body), (there, here, reason) in OTHERWISE.items():
            answers = [program.ask(path, method=method, body=body)[0] for program in (real, ours)]
            assert answers[0] in there, (path, body, answers, reason)
            assert answers[1] == here, (path, body, answers, reason)


def test_seeded_pushes_leave_the_same_page(tmp_path: Path) -> None:
    chance = random.Random(11)
    names = ("up_a", "up_b", "up_a_sum", "up_c_count", "up_c")
    with both(tmp_path) as (real, ours):
        for _ in range(400):
            method = chance.choice(("PUT", "PUT", "POST", "POST", "DELETE"))
            path = f"/metrics/job/{chance.choice('xy')}" + chance.choice(("", "/source/a", "/source/b"))
            lines = []
            for name in chance.sample(names, chance.randint(0, 3)):
                kind = chance.choice(
                    ("gauge", "gauge", "gauge", "counter", "histogram", "summary", "untyped")
                )
                lines.append(f"# TYPE {name} {kind}\n")
                if kind in ("histogram", "summary"):
                    lines.append(f"{name}_sum 2\n{name}_count 1\n")
                else:
                    label = chance.choice(("", '{k="1"}', '{source="a"}', '{instance="i"}'))
                    lines.append(f"{name}{label} {chance.randint(0, 9)}\n")
            body = "".join(lines).encode() if method != "DELETE" else None
            answers = [program.ask(path, method=method, body=body)[0] for program in (real, ours)]
            assert answers[0] == answers[1], (method, path, body, answers)
        wait_for_the_same_page(real, ours, "all of them")


def test_the_time_of_a_push_is_now(tmp_path: Path) -> None:
    with both(tmp_path) as programs:
        times = []
        for program in programs:
            program.ask("/metrics/job/now", method="PUT", body=b"a 1\n")
            times.append(program.figure("push_time_seconds", instance="", job="now"))
        assert abs(times[0] - times[1]) < 30
        assert re.search(r"push_time_seconds\{.*\} 1\.\d+e\+09", programs[1].page())


def test_a_body_that_is_no_gzip_is_refused_by_both_and_counted_by_ours(tmp_path: Path) -> None:
    # The real one unpacks before it knows which handler is asked, so nothing there counts what fails.
    with both(tmp_path) as programs:
        for program, count in zip(programs, ("", "1"), strict=True):
            headers = {"Content-Encoding": "gzip"}
            assert program.ask("/metrics/job/z", method="PUT", body=b"z 2\n", headers=headers)[0] == 400
            assert counted(program.page()).get(("400", "push", "put"), "") == count


def without_moments(told: object) -> object:
    """The groups of `/api/v1/metrics`, without what depends on when and in whose words."""
    groups = json.loads(json.dumps(told))["data"]
    for group in groups:
        for name, family in group.items():
            if name in ("labels", "last_push_successful"):
                continue
            assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:]{8}(\.\d+)?Z", family.pop("time_stamp"))
            if name in MOMENTS:
                family["help"] = ""
                for metric in family["metrics"]:
                    metric["value"] = "0" if metric["value"] == "0" else "some time"
    return sorted(groups, key=lambda group: sorted(group["labels"].items()))


def test_groups_are_told_in_json_alike_and_wiped_alike(tmp_path: Path) -> None:
    with both(tmp_path, "--web.enable-admin-api") as programs:
        told = []
        for program in programs:
            for method, path, body in (
                ("PUT", "/metrics/job/scan/source/a", GAUGES + HISTOGRAM + SUMMARY),
                ("POST", "/metrics/job/scan/source/a", b"u 7e10\n# TYPE c counter\nc NaN\n"),
                ("POST", "/metrics/job/scan/source/a", b"d 1\nd 2\n"),
                ("PUT", "/metrics/job/failed", b"d 1\nd 2\n"),
                ("PUT", "/metrics/job/empty", b""),
            ):
                program.ask(path, method=method, body=body)
            told.append(without_moments(json.loads(program.ask("/api/v1/metrics")[1])))
        assert told[0] == told[1]
        for method, status in (("GET", 405), ("POST", 405), ("PUT", 202)):
            assert [program.ask("/api/v1/admin/wipe", method=method)[0] for program in programs] == [
                status
            ] * 2
        for program in programs:
            wait_until(lambda p: not comparable(p.page()), program, what="the groups going")
            assert json.loads(program.ask("/api/v1/metrics")[1]) == {"status": "success", "data": []}
        assert counted(programs[0].page()) == counted(programs[1].page())


def test_both_end_when_the_lifecycle_interface_says_so_and_keep_what_was_pushed(tmp_path: Path) -> None:
    with both(tmp_path, "--web.enable-lifecycle") as programs:
        for program in programs:
            program.ask("/metrics/job/scan", method="PUT", body=b"kept 7\n")
            assert program.ask("/-/quit", method="GET")[0] == 405
            assert program.ask("/-/quit", method="PUT")[0] == 200
            assert program.process.wait(10) == 0
        ports = [program.url.rpartition(":")[2] for program in programs]
    real = find("pushgateway") or need("prometheus-pushgateway")
    commands: tuple[list[str | Path], ...] = ([real], [*GATEWAY])
    for command, port in zip(commands, ports, strict=True):
        flags = [f"--web.listen-address=127.0.0.1:{port}", f"--persistence.file={tmp_path / port}"]
        with running([*command, *flags], int(port)) as program:
            assert program.figure("kept", instance="", job="scan") == 7


def test_protocol_buffers_are_taken_there_and_refused_by_name_here(tmp_path: Path) -> None:
    # One family of one counter (prometheus/client_model, MetricFamily): name, type, metric with its value.
    kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    body = b"\x0a\x02pb\x18\x00\x22\x0b\x1a\x09\x09\x00\x00\x00\x00\x00\x00\xf0?"
    with both(tmp_path) as (real, ours):
        pushed, headers = bytes([len(body)]) + body, {"Content-Type": kind}
        assert real.ask("/metrics/job/pb", method="PUT", body=pushed, headers=headers)[0] == 200
        assert real.figure("pb", instance="", job="pb") == 1
        status, words = ours.ask("/metrics/job/pb", method="PUT", body=pushed, headers=headers)
        assert status == 415
        assert "Protocol buffers are not read here" in words


@pytest.mark.parametrize("header", ["snappy", "br"])
def test_an_encoding_that_we_do_not_read_is_refused_with_its_name(tmp_path: Path, header: str) -> None:
    # The real one reads snappy from 1.6 on, and takes others as they are.
    port = free_port()
    with running([*GATEWAY, f"--web.listen-address=127.0.0.1:{port}"], port) as ours:
        status, text = ours.ask(
            "/metrics/job/x", method="PUT", body=b"a 1\n", headers={"Content-Encoding": header}
        )
        assert status == 415
        assert header in text
