"""What the linter of mapping files warns of, happening on the real statsd_exporter, and on ours.

Each danger is a mapping file that the linter refuses, what is sent, and what becomes of it.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from metrics.mapping_lint import lint
from tests.components import need
from tests.integration.embedded_programs import (
    EXPORTER,
    ROOT,
    Program,
    exporter_flags,
    free_port,
    running,
    samples,
)
from tests.integration.test_embedded_exporter_against_the_real_one import both, send, settle
from tests.waiting import wait_until

LAST = "- {match: ., match_type: regex, action: drop, name: dropped}"
LABELS = tuple[tuple[str, str], ...]

#: By what goes wrong: the code, the rules, the lines, and samples of both pages that show it.
DANGERS: dict[str, tuple[str, str, list[bytes], dict[tuple[str, LABELS], str]]] = {
    "an open regex takes longer names": (
        "M5",
        "- {match: 'job', match_type: regex, name: jobs}",
        [b"job:1|c", b"jobless:1|c", b"a.job.too:1|c"],
        {("jobs", ()): "3"},
    ),
    "letters after a capture empty it": (
        "M6",
        "- {match: 'a.*', name: a, labels: {page: $1_x}}",
        [b"a.home:1|c"],
        {("a", (("page", ""),)): "1"},
    ),
    "a capture beyond the last is empty": (
        "M6",
        "- {match: 'a.*', name: a, labels: {page: $2}}",
        [b"a.home:1|c"],
        {("a", (("page", ""),)): "1"},
    ),
    "a shorter rule after a longer one is never found": (
        "M8",
        "- {match: a.b.c, name: long}\n- {match: a.b, name: short}",
        [b"a.b.c:1|c", b"a.b:1|c"],
        {("long", ()): "1", ("a_b", ()): "1", ("statsd_exporter_events_unmapped_total", ()): "1"},
    ),
    "the first rule wins, the narrower one is never used": (
        "M8",
        "- {match: 'a.*', name: wide}\n- {match: a.b, name: narrow}",
        [b"a.b:1|c"],
        {("wide", ()): "1"},
    ),
    "the second of two equal rules is never used, and moves the first": (
        "M9",
        "- {match: a.b, name: first}\n- {match: 'a.*', name: star}\n- {match: a.b, name: second}",
        [b"a.b:1|c"],
        {("star", ()): "1"},
    ),
    "seconds are divided twice": (
        "E4",
        "- {match: a, name: a_seconds, match_metric_type: observer, scale: 0.001}",
        [b"a:2000|ms"],
        {("a_seconds_sum", ()): "0.002"},
    ),
    "a metric called like a summary's line is lost": (
        "E8",
        "- {match: a, name: a, match_metric_type: observer}\n- {match: b, name: a_sum}",
        [b"a:1|ms", b"b:1|c"],
        {("statsd_exporter_events_conflict_total", (("metric_name", "a_sum"), ("type", "counter"))): "1"},
    ),
    "a metric called like a gauge's line that is none is lost": (
        "E8",
        "- {match: a, name: a, match_metric_type: gauge}\n- {match: b, name: a_count}",
        [b"a:1|g", b"b:1|c"],
        {("statsd_exporter_events_conflict_total", (("metric_name", "a_count"), ("type", "counter"))): "1"},
    ),
    "the second type of a name is lost": (
        "E8",
        "- {match: a, name: n, match_metric_type: counter}\n- {match: b, name: n, match_metric_type: gauge}",
        [b"a:1|c", b"b:5|g"],
        {
            ("n", ()): "1",
            ("statsd_exporter_events_conflict_total", (("metric_name", "n"), ("type", "gauge"))): "1",
        },
    ),
    "without a last rule every name is a series": (
        "drop",
        "- {match: a, name: a}",
        [f"stranger.{number}:1|c".encode() for number in range(100)],
        {("stranger_0", ()): "1", ("stranger_99", ()): "1"},
    ),
    "a regex after the last rule is never tried": (
        "drop",
        f"{LAST}\n- {{match: ^a$, match_type: regex, name: a}}",
        [b"a:1|c"],
        {("statsd_exporter_events_actions_total", (("action", "drop"),)): "1"},
    ),
}


@pytest.mark.parametrize("danger", DANGERS)
def test_a_danger_that_the_linter_names_is_one(danger: str, tmp_path: Path) -> None:
    code, rules, lines, shown = DANGERS[danger]
    text = f"mappings:\n{rules}\n- {{match: the.very.end.of.it, name: the_very_end_of_it}}\n"
    assert code in {finding.code for finding in lint(text)}
    with both(tmp_path, text) as programs:
        for program, where in programs:
            send(where, lines)
            page = samples(settle(program, where))
            assert {key: page.get(key) for key in shown} == shown


@pytest.mark.parametrize(
    ("code", "rules", "said"),
    [
        ("M3", "- {match: 'a.*', name: a, labels: {k: $1}}", "k"),
        (
            "M7",
            "- {match: a, name: a, observer_type: histogram, summary_options: {max_age: 1m}}",
            "summary",
        ),
        ("load", "- {match: a, action: drop}", "name"),
    ],
)
def test_a_file_that_the_linter_says_is_refused_is_refused(
    code: str, rules: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.yml"
    file.write_text(f"mappings:\n{rules}\n{LAST}\n")
    assert [finding.code for finding in lint(file.read_text())] == [code]
    for program in ([need("statsd_exporter")], EXPORTER):
        command = [*program, f"--statsd.mapping-config={file}", "--check-config"]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
        assert ended.returncode == 1
        assert said in ended.stdout + ended.stderr


def is_broken(program: Program) -> bool:
    """Whether a program has ended, or its page is an error."""
    with contextlib.suppress(OSError):
        return program.process.poll() is not None or program.ask()[0] == 500
    return False  # It is just ending.


def test_a_histogram_with_its_own_label_breaks_the_real_one(tmp_path: Path) -> None:
    file, port, where = tmp_path / "mapping.yml", free_port(), tmp_path / "statsd.sock"
    file.write_text(
        "mappings:\n"
        "- {match: 'a.*', name: a, match_metric_type: observer, observer_type: histogram, labels: {le: $1}}\n"
        f"{LAST}\n"
    )
    assert [finding.code for finding in lint(file.read_text())] == ["E8"]
    with running([need("statsd_exporter"), *exporter_flags(file, port, where)], port) as real:
        send(where, [b"a.x:1|ms"])
        wait_until(lambda: is_broken(real), what="the real exporter breaking")


def test_a_gauge_of_one_process_without_a_ttl_stays_and_with_one_goes(tmp_path: Path) -> None:
    text = (
        "mappings:\n"
        "- {match: 'stays.*', name: stays, match_metric_type: gauge, labels: {slot: $1}}\n"
        "- {match: 'goes.*', name: goes, match_metric_type: gauge, labels: {slot: $1}, ttl: 1s}\n"
    )
    assert [finding.line for finding in lint(text) if finding.code == "E11"] == [2]
    with both(tmp_path, text) as programs:
        for _, where in programs:
            send(where, [b"stays.1:5|g", b"goes.1:5|g"])
        for program, where in programs:
            settle(program, where)
            wait_until(lambda p: "goes{" not in p.page(), program, what="the gauge going")
            assert samples(program.page())["stays", (("slot", "1"),)] == "5"


#: What a stranger can send to an exporter that reads tags, to end it, break its page or fill it.
ATTACKS = [
    b"a]b[c:1|c",
    b"#k=v:1|c",
    b"scout.iam_scan_phase_duration_seconds.fetch:1|ms|#le:x",
    b"scout.iam_sessions_started_total:1|c|#__x:1",
    b"scout.iam_sessions_started_total:1|c|#stranger:1",
    b"scout.iam_sessions_started_total,stranger=1:1|c",
    b"statsd_exporter_lines_total:1|c",
]


def tag_flags() -> list[list[str]]:
    """The flags about tags with which the Procfile and docker-compose.yml start exporters."""
    lines = re.findall(r"(?m)^exporter.*$", (ROOT / "Procfile").read_text(encoding="utf-8"))
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    lines.append(" ".join(compose["services"]["statsd_exporter"]["command"]))
    return [re.findall(r"--no-statsd\.\S+", line) for line in lines]


def test_exporters_of_ours_read_no_tags_and_survive_what_a_stranger_sends(tmp_path: Path) -> None:
    first, *others = tag_flags()
    assert len(first) == 4
    assert others == [first, first]
    port, where = free_port(), tmp_path / "s"
    file = ROOT / "statsd-exporter-mapping.yml"
    for program in ([need("statsd_exporter")], EXPORTER):
        with running([*program, *exporter_flags(file, port, where), *first], port) as exporter:
            send(where, [*ATTACKS, b"scout.statsd_client_probes_total:1|c"])
            wait_until(lambda p: p.figure("statsd_client_probes_total") == 1, exporter, what="the last line")
            figures = samples(exporter.page())
            assert not [name for name, labels in figures if dict(labels).keys() & {"stranger", "__x", "k"}]
            assert exporter.process.poll() is None
        where.unlink(missing_ok=True)


@pytest.mark.parametrize("attack", [ATTACKS[0], ATTACKS[2], ATTACKS[3]])
def test_an_exporter_that_reads_tags_does_not(tmp_path: Path, attack: bytes) -> None:
    port, where = free_port(), tmp_path / "s"
    flags = exporter_flags(ROOT / "statsd-exporter-mapping.yml", port, where)
    with running([need("statsd_exporter"), *flags], port) as real:
        with contextlib.suppress(OSError):
            send(where, [attack])
        wait_until(lambda: is_broken(real), what="the real exporter breaking")
