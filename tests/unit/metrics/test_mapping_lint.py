"""The linter of mapping files: a wrong file per rule, and files that are right although they look odd."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from metrics.embedded.exporter import rules
from metrics.mapping_lint import Finding, lint

#: A counter's rule, by its name.
COUNTER = "- {{match: a, name: {}, match_metric_type: counter}}\n"
LAST = "- {match: ., match_type: regex, action: drop, name: dropped}\n"


def linted(rules: str, defaults: str = "{}") -> list[Finding]:
    return lint(f"defaults: {defaults}\nmappings:\n{rules}{'' if LAST in rules else LAST}")


#: A wrong file's rules and defaults, the code and the line of the only finding, and what it says.
WRONG: dict[str, tuple[str, str, str, int, str]] = {
    "a label of one letter": (
        "- match: a\n  name: b\n  labels:\n    k: v\n",
        "{}",
        "M3",
        6,
        "'k' has one letter: the exporter refuses the whole file",
    ),
    "a regex that is open at the end": (
        "- {match: '^a', match_type: regex, name: b}\n",
        "{}",
        "M5",
        3,
        "Write ^(?:a)$.",
    ),
    "a regex that a bar opens": (
        "- {match: '^a|b$', match_type: regex, name: b}\n",
        "{}",
        "M5",
        3,
        "Write ^(?:a|b)$.",
    ),
    "a regex by the defaults": ("- {match: a, name: b}\n", "{match_type: regex}", "M5", 3, "anywhere"),
    "a dollar sign that is a letter": (
        "- {match: '^a\\$', match_type: regex, name: b}\n",
        "{}",
        "M5",
        3,
        "not held at both ends",
    ),
    "letters after a capture": (
        "- {match: 'a.*', name: b, labels: {page: $1_x}}\n",
        "{}",
        "M6",
        3,
        "Write ${1}_x.",
    ),
    "letters after a capture in the name": (
        "- {match: 'a.*', name: b_$1_total}\n",
        "{}",
        "M6",
        3,
        "The name of 'a.*' says $1_total, which the exporter reads as a capture called '1_total'",
    ),
    "a capture beyond the last": (
        "- {match: 'a.*', name: b, labels: {page: '${2}'}}\n",
        "{}",
        "M6",
        3,
        "the match has 1 capture,",
    ),
    "the whole name, in a glob": ("- {match: 'a.*', name: b, labels: {page: $0}}\n", "{}", "M6", 3, "$0"),
    "a capture beyond a regex's last": (
        "- {match: '^a(b)$', match_type: regex, name: b, labels: {page: $2}}\n",
        "{}",
        "M6",
        3,
        "always empty",
    ),
    "a named capture that is not there": (
        "- {match: '^a(?P<part>b)$', match_type: regex, name: b, labels: {page: '${port}'}}\n",
        "{}",
        "M6",
        3,
        "no capture has that name",
    ),
    "a percent sign beside a capture": (
        "- {match: 'a.*', name: b, labels: {share: $1%}}\n",
        "{}",
        "M6",
        3,
        "percent sign",
    ),
    "a histogram with summary options": (
        "- match: a\n  name: b\n  observer_type: histogram\n  summary_options: {max_age: 1m}\n",
        "{}",
        "M7",
        6,
        "Write 'histogram_options'",
    ),
    "a summary with histogram options, by the defaults": (
        "- {match: a, name: b, histogram_options: {buckets: [1]}}\n",
        "{observer_type: summary}",
        "M7",
        3,
        "the one in 'defaults' counts too",
    ),
    "a shorter rule after a longer one": (
        "- {match: a.b.c, name: long}\n- {match: a.b, name: short}\n",
        "{}",
        "M8",
        4,
        "'a.b' comes after the longer 'a.b.c' of line 3",
    ),
    "a shorter rule with stars, where the most specific one wins": (
        "- {match: '*.b.*', name: long}\n- {match: '*.b', name: short}\n",
        "{glob_disable_ordering: true}",
        "M8",
        4,
        "never finds it",
    ),
    "a narrow rule after a wide one": (
        "- {match: 'a.*', name: wide}\n- {match: a.b, name: narrow}\n",
        "{}",
        "M8",
        4,
        "the first rule wins",
    ),
    "a rule said twice": (
        "- {match: a.b, name: one}\n- {match: a.b, name: two}\n",
        "{}",
        "M9",
        4,
        "stands in line 3 already",
    ),
    "a rule said twice, once for all kinds": (
        "- {match: a.b, name: one}\n- {match: a.b, name: two, match_metric_type: gauge}\n",
        "{}",
        "M9",
        4,
        "'match_metric_type'",
    ),
    "a regex said twice": (
        "- {match: ^a$, match_type: regex, name: one}\n- {match: ^a$, match_type: regex, name: two}\n",
        "{}",
        "M9",
        4,
        "only that rule is ever used",
    ),
    "seconds divided twice": (
        "- {match: a, name: a_seconds, match_metric_type: observer, scale: 0.001}\n",
        "{observer_type: histogram}",
        "E4",
        3,
        "a thousand times too short",
    ),
    "seconds divided twice, by the name": (
        "- {match: a, name: a_seconds, scale: 0.001}\n",
        "{}",
        "E4",
        3,
        "Leave 'scale' away",
    ),
    "one name with two types": (
        f"{COUNTER.format('n')}- {{match: b, name: n, match_metric_type: gauge}}\n",
        "{}",
        "E8",
        4,
        "is a gauge here and a counter in line 3",
    ),
    "a metric called like a histogram's line": (
        "- {match: b, name: n, match_metric_type: observer}\n" + COUNTER.format("n_sum"),
        "{observer_type: histogram}",
        "E8",
        4,
        "n_sum is called like a line of the histogram n of line 3",
    ),
    "a metric called like a summary's line": (
        "- {match: b, name: n_count}\n- {match: a, name: n, match_metric_type: observer}\n",
        "{}",
        "E8",
        3,
        "a line of the summary n of line 4",
    ),
    "a counter called like a gauge's line that is none": (
        "- {match: b, name: n, match_metric_type: gauge}\n" + COUNTER.format("n_count"),
        "{}",
        "E8",
        4,
        "the gauge n",
    ),
    "a histogram with its own label": (
        "- {match: 'a.*', name: n, match_metric_type: observer, labels: {le: $1}}\n",
        "{observer_type: histogram}",
        "E8",
        3,
        "own lines carry the label 'le'",
    ),
    "a gauge of one process that stays": (
        "- {match: 'a.*', name: n, match_metric_type: gauge, labels: {slot: $1}}\n",
        "{}",
        "E11",
        3,
        "Give the rule a 'ttl'",
    ),
    "a regex after the last rule": (
        f"{LAST}- {{match: ^a$, match_type: regex, name: b}}\n",
        "{}",
        "drop",
        4,
        "Put it above line 3",
    ),
    "an unknown key": (
        "- match: a\n  name: b\n  labls: {page: x}\n",
        "{}",
        "keys",
        5,
        "Did you mean 'labels'?",
    ),
    "a key that was taken away": (
        "- {match: a, name: b, timer_type: histogram}\n",
        "{}",
        "keys",
        3,
        "Write 'observer_type'.",
    ),
    "a default that was taken away": (
        "- {match: a, name: b}\n",
        "{buckets: [1]}",
        "keys",
        1,
        "Write 'buckets' below 'histogram_options'.",
    ),
    "a key of another program": ("- {match: a, name: b, colour: red}\n", "{}", "keys", 3, "Known are match"),
    "an unknown default": ("- {match: a, name: b}\n", "{observer: histogram}", "keys", 1, "observer_type"),
    "a key twice": ("- {match: a, name: b, name: c}\n", "{}", "keys", 3, "has the key 'name' twice"),
    "labels that are no mapping": ("- {match: a, name: b, labels: [c]}\n", "{}", "keys", 3, "a mapping"),
    "a rule that is no mapping": ("- a\n", "{}", "keys", 3, "must be a mapping"),
    "a time that is none": ("- {match: a, name: b, ttl: soon}\n", "{}", "keys", 3, "duration like 30s"),
    "no name": ("- {match: a, action: drop}\n", "{}", "load", 3, "needs a 'name', even to drop"),
    "half a star": ("- {match: a.b*, name: b}\n", "{}", "load", 3, "is no glob"),
    "falling buckets": (
        "- {match: a, name: b, observer_type: histogram, histogram_options: {buckets: [2, 1]}}\n",
        "{}",
        "load",
        3,
        "Buckets must rise",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_found_with_its_line_its_reason_and_its_mend(case: str) -> None:
    rules, defaults, code, line, sentence = WRONG[case]
    found = linted(rules, defaults)
    assert [(finding.code, finding.line) for finding in found] == [(code, line)], found
    assert sentence in found[0].text
    assert str(found[0]).startswith(f"line {line}: ")


def test_a_file_without_a_last_rule_is_found_at_its_last_rule() -> None:
    for mappings, line in (
        ("- {match: a, name: b}\n", 2),
        ("- {match: ., match_type: regex, action: drop, name: dropped, match_metric_type: gauge}\n", 2),
        ("- {match: ., match_type: regex, name: everything}\n", 2),
    ):
        found = lint(f"mappings:\n{mappings}")
        assert [(finding.code, finding.line) for finding in found] == [("drop", line)], mappings
    assert [finding.code for finding in lint("")] == ["drop"]
    assert [finding.code for finding in lint("mappings:\n")] == ["drop"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [("mappings: [", ["yaml"]), ("mappings: 5", ["keys"]), ("- a", ["drop", "keys"]), ("a: [", ["yaml"])],
)
def test_what_is_no_mapping_file_is_told_so(text: str, codes: list[str]) -> None:
    assert [finding.code for finding in lint(text)] == codes


def test_all_that_is_wrong_is_found_at_once_in_the_order_of_the_lines() -> None:
    found = lint(
        "mappings:\n"
        "- {match: a.b.c, name: long, labels: {k: v}}\n"
        "- {match: a.b, name: short_$1}\n"
        "- {match: c, match_type: regex, name: c, colour: red}\n"
    )
    assert [(finding.line, finding.code) for finding in found] == [
        (2, "M3"),
        (3, "M6"),
        (3, "M8"),
        (4, "M5"),
        (4, "drop"),
        (4, "keys"),
    ]


@pytest.mark.parametrize(
    "rules",
    [
        "- {match: a.b, name: short}\n- {match: a.b.c, name: long}\n",
        "- {match: a.b, name: narrow}\n- {match: 'a.*', name: wide}\n",
        "- {match: a.b, name: one, match_metric_type: gauge}\n" + COUNTER.format("two"),
        "- {match: a, name: n, match_metric_type: gauge}\n" + COUNTER.format("n_total"),
        "- {match: a, name: counted, match_metric_type: counter}\n- {match: a, name: rest}\n",
        "- {match: '^(a|b)[|]$', match_type: regex, name: n, labels: {all: $0, which: $1, paid: $$1}}\n",
        "- {match: '^a\\.(?P<part>.+)$', match_type: regex, name: n, labels: {part: '${part}'}}\n",
        "- {match: '(?i)^a$', match_type: regex, name: n}\n",
        "- {match: 'a.*', name: n, labels: {share: '50%', page: '${1}_x'}}\n",
        "- {match: a, name: bytes, match_metric_type: observer, scale: 1024}\n",
        "- {match: a, name: ratio, match_metric_type: gauge, scale: 0.001}\n",
        "- {match: 'a.*', name: n, match_metric_type: gauge, ttl: 30s, labels: {slot: $1}}\n",
        "- {match: 'a.*', name: n_total, match_metric_type: counter, labels: {slot: $1}}\n",
        "- {match: a, name: n, match_metric_type: counter}\n- {match: b, name: n_count}\n",
        "- {match: a, name: 'n_$1', action: drop}\n",
    ],
)
def test_what_only_looks_odd_is_left_alone(rules: str) -> None:
    assert linted(rules) == []


def test_a_default_ttl_is_one_for_gauges_of_processes_too() -> None:
    rule = "- {match: 'a.*', name: n, match_metric_type: gauge, labels: {slot: $1}}\n"
    assert linted(rule, "{ttl: 1m}") == []


@given(st.text(alphabet="ab$1{}[]:,- \n'\"*&.|^#%\\", max_size=120))
def test_any_text_is_linted(text: str) -> None:
    lint(text)


SOME: st.SearchStrategy[object] = st.sampled_from(
    [
        "a",
        "a.b",
        "a.*",
        "*",
        ".",
        "^a$",
        "a|b",
        "(",
        "$1",
        "${1}_x",
        "$$",
        "%",
        "5",
        "-1",
        "1s",
        "",
        None,
        True,
        [],
        {},
    ]
)
KEYS = st.sampled_from(
    [*rules.RULE_KEYS, "other"],
)
RULES = st.lists(
    st.dictionaries(KEYS, st.one_of(SOME, st.dictionaries(SOME.map(str), SOME, max_size=2)), max_size=6)
)


@given(RULES, st.dictionaries(st.sampled_from(rules.DEFAULT_KEYS), SOME, max_size=3))
def test_what_is_found_well_is_loaded(mappings: list[object], defaults: dict[str, object]) -> None:
    last = {"match": ".", "match_type": "regex", "action": "drop", "name": "dropped"}
    text = yaml.safe_dump({"defaults": defaults, "mappings": [*mappings, last]})
    if not lint(text):
        assert len(rules.parse(text)) == len(mappings) + 1
