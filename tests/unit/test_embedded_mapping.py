"""Mapping rules: what they match, what they make, and what a wrong file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics.embedded.errors import StartError
from metrics.embedded.exporter import rules
from tests.unit.embedded_exporter import Bench


def mapped(mapping: str, *lines: str) -> dict[str, float]:
    bench = Bench(f"mappings:\n{mapping}")
    bench.take(*lines)
    return {name: value for name, value in bench.series().items() if "quantile" not in name}


def test_stars_become_labels_and_parts_of_the_name() -> None:
    rule = '- {match: "web.*.*", name: "http_${2}_total", labels: {page: $1, both: "$1/$2"}}'
    assert mapped(rule, "web.jobs.get:1|c") == {'http_get_total{both="jobs/get",page="jobs"}': 1}


def test_an_empty_part_matches_a_star() -> None:
    assert mapped('- {match: "web.*", name: web, labels: {page: $1}}', "web.:1|c") == {'web{page=""}': 1}


def test_a_star_stands_for_one_part_only() -> None:
    assert mapped('- {match: "web.*", name: web}', "web.a.b:1|c") == {"web_a_b": 1}


def test_the_first_rule_of_the_file_wins() -> None:
    two = '- {match: "a.*", name: star}\n- {match: "a.b", name: exact}'
    assert mapped(two, "a.b:1|c") == {"star": 1}


def test_the_most_specific_rule_wins_where_ordering_is_switched_off() -> None:
    bench = Bench(
        "defaults: {glob_disable_ordering: true}\n"
        'mappings:\n- {match: "a.*", name: star}\n- {match: "a.b", name: exact}'
    )
    bench.take("a.b:1|c", "a.c:1|c")
    assert bench.series() == {"exact": 1, "star": 1}


def test_globs_go_before_regexes_whatever_the_file_says() -> None:
    two = '- {match: "^a", match_type: regex, name: regex}\n- {match: "a.*", name: glob}'
    assert mapped(two, "a.b:1|c", "ab:1|c") == {"glob": 1, "regex": 1}


def test_a_regex_is_searched_for_anywhere_unless_it_is_anchored() -> None:
    loose = '- {match: "b([0-9])", match_type: regex, name: "found_$1", labels: {all: $0}}'
    assert mapped(loose, "ab1c:1|c") == {'found_1{all="b1"}': 1}
    anchored = '- {match: "^b([0-9])$", match_type: regex, name: found}'
    assert mapped(anchored, "ab1c:1|c") == {"ab1c": 1}


@pytest.mark.parametrize("match", ['match: "a.*"', 'match: "^a.(.*)$", match_type: regex'])
def test_letters_after_a_capture_belong_to_its_number(match: str) -> None:
    # M6: `$1_x` names a capture that is not there.
    rule = f'- {{{match}, name: "n$1", labels: {{wrong: "$1_x", right: "${{1}}_x", beyond: "$7"}}}}'
    assert mapped(rule, "a.b:1|c") == {'nb{beyond="",right="b_x",wrong=""}': 1}


def test_a_shorter_rule_after_a_longer_one_is_never_found() -> None:
    # M8.
    two = "- {match: a.b.c, name: long}\n- {match: a.b, name: short}"
    assert mapped(two, "a.b:1|c", "a.b.c:1|c") == {"a_b": 1, "long": 1}
    other_way = "- {match: a.b, name: short}\n- {match: a.b.c, name: long}"
    assert mapped(other_way, "a.b:1|c", "a.b.c:1|c") == {"short": 1, "long": 1}


def test_a_rule_said_twice_keeps_its_first_name_and_takes_its_later_place() -> None:
    # M9.
    three = '- {match: a.b, name: first}\n- {match: "a.*", name: star}\n- {match: a.b, name: second}'
    assert mapped(three, "a.b:1|c") == {"star": 1}
    two = "- {match: a.b, name: first}\n- {match: a.b, name: second}"
    assert mapped(two, "a.b:1|c") == {"first": 1}


def test_a_rule_may_be_for_one_kind_of_metric() -> None:
    two = (
        "- {match: a, name: n_total, match_metric_type: counter}\n"
        "- {match: a, name: n, match_metric_type: gauge}"
    )
    assert mapped(two, "a:1|c", "a:2|g") == {"n_total": 1, "n": 2}


def test_zero_in_a_glob_rule_is_the_whole_name() -> None:
    rule = '- {match: "a.*", name: "n_$0", labels: {all: "$0", one: "$1", braced: "${0}_x", two: "$2"}}'
    assert mapped(rule, "a.b:1|c") == {'n_a_b{all="a.b",braced="a.b_x",one="b",two=""}': 1}


@pytest.mark.parametrize(
    "gone", ["match_metric_type: timer", "timer_type: histogram", "buckets: [1]", "quantiles: []"]
)
def test_what_the_exporter_takes_no_more_is_refused(gone: str) -> None:
    with pytest.raises(StartError, match=r"must be one of|has no key"):
        mapped(f"- {{match: a, name: n, {gone}}}", "a:2|h")


def test_drop_drops_and_is_counted() -> None:
    bench = Bench("mappings:\n- {match: ., match_type: regex, action: drop, name: dropped}")
    bench.take("a:1|c", "b:1:2|ms")
    assert bench.series() == {}
    assert bench.own() == {'events_actions_total{action="drop"}': 3}


def test_scale_comes_after_milliseconds_became_seconds() -> None:
    rule = "- {match: a, name: n, scale: 0.001}"
    assert mapped(rule, "a:2000|ms") == {"n_sum": pytest.approx(0.002), "n_count": 1}


def test_scale_moves_a_signed_gauge_by_the_scaled_step() -> None:
    rule = "- {match: a, name: n, scale: 0.5}"
    assert mapped(rule, "a:10|g", "a:-4|g", "a:+2|g") == {"n": 4}


def test_scale_goes_before_a_counter_is_looked_at() -> None:
    bench = Bench("mappings: [{match: a, name: n, scale: -1}]")
    bench.take("a:1|c", "a:-2|c")
    assert bench.series() == {"n": 2}
    assert bench.own()['events_error_total{reason="illegal_negative_counter"}'] == 1


def test_a_rules_label_wins_over_a_tag_unless_it_honors_labels() -> None:
    rule = "- {match: a, name: n, labels: {team: rule}}"
    assert mapped(rule, "a:1|c|#team:tag") == {'n{team="rule"}': 1}
    honors = "- {match: a, name: n, honor_labels: true, labels: {team: rule}}"
    assert mapped(honors, "a:1|c|#team:tag", "a:1|c") == {'n{team="tag"}': 1, 'n{team="rule"}': 1}


def test_a_name_that_comes_out_empty_is_an_error() -> None:
    bench = Bench('mappings:\n- {match: a, name: "$1"}')
    bench.take("a:1|c")
    assert bench.own() == {'events_error_total{reason="empty_metric_name"}': 1}


def test_a_histogram_takes_its_own_buckets_then_the_defaults() -> None:
    bench = Bench(
        "defaults: {observer_type: histogram, histogram_options: {buckets: [1, 2]}}\n"
        "mappings:\n- {match: a, name: own, histogram_options: {buckets: [5, .inf]}}\n"
        "- {match: b, name: other}"
    )
    bench.take("a:1|h", "b:1|h")
    bounds = [name for name in bench.series() if "bucket" in name]
    assert bounds == [
        'other_bucket{le="1"}',
        'other_bucket{le="2"}',
        'other_bucket{le="+Inf"}',
        'own_bucket{le="5"}',
        'own_bucket{le="+Inf"}',
    ]


def test_the_cache_forgets_the_name_that_was_not_asked_for_longest() -> None:
    bench = Bench("", cache_size=2)
    bench.take("a:1|c", "b:1|c", "a:1|c", "c:1|c", "a:1|c", "b:1|c")
    assert (bench.mapper.gets, bench.mapper.hits, len(bench.mapper)) == (6, 2, 2)


def test_a_cache_of_nothing_works_and_shows_no_figures() -> None:
    bench = Bench("mappings: [{match: a, name: n}]", cache_size=0)
    bench.take("a:1|c", "a:1|c")
    assert bench.series() == {"n": 2}
    assert "cache" not in bench.page()


def test_new_rules_are_for_what_comes_next() -> None:
    bench = Bench("mappings: [{match: a, name: old}]")
    bench.take("a:1|c")
    bench.mapper.use(rules.parse("mappings: [{match: a, name: new}]"))
    bench.take("a:1|c")
    assert bench.series() == {"new": 1, "old": 1}


WRONG = {
    "unknown key": (
        "mappings:\n- {match: a, name: b, colour: red}",
        "line 2: an item of 'mappings' has no key 'colour'",
    ),
    "unknown section": ("mapping: []", "line 1: the mapping file has no key 'mapping'"),
    "key twice": (
        "mappings:\n- match: a\n  name: b\n  name: c",
        "line 4: an item of 'mappings' has the key 'name' twice",
    ),
    "no name": ("mappings:\n- {match: a, action: drop}", "line 2: a mapping needs a 'name', even to drop"),
    "colon in name": ("mappings:\n- {match: a, name: 'a:b'}", "line 2: 'a:b' is no metric name"),
    "digit begins name": ("mappings:\n- {match: a, name: 9a}", "'9a' is no metric name"),
    "label of one letter": (
        "mappings:\n- {match: a, name: b, labels: {k: v}}",
        "'k' is no label name; two or more",
    ),
    "reserved label": ("mappings:\n- {match: a, name: b, labels: {__k: v}}", "'__k' is no label name"),
    "half a star": ("mappings:\n- {match: 'a.b*', name: b}", "'a.b*' is no glob"),
    "digit begins glob": ("mappings:\n- {match: 9.b, name: b}", "'9.b' is no glob"),
    "broken regex": ("mappings:\n- {match: 'a(', match_type: regex, name: b}", "is not valid"),
    "looking ahead": ("mappings:\n- {match: 'a(?=b)', match_type: regex, name: b}", "do not share"),
    "histogram with summary options": (
        "mappings:\n- {match: a, name: b, observer_type: histogram, summary_options: {max_age: 1m}}",
        "a histogram has no 'summary_options'",
    ),
    "summary with histogram options, by the defaults": (
        (
            "defaults: {observer_type: summary}\n"
            "mappings:\n- {match: a, name: b, histogram_options: {buckets: [1]}}"
        ),
        "a summary has no 'histogram_options'",
    ),
    "falling buckets": (
        "mappings:\n- {match: a, name: b, observer_type: histogram, histogram_options: {buckets: [2, 1]}}",
        "buckets must rise",
    ),
    "odd action": (
        "mappings:\n- {match: a, name: b, action: keep}",
        "'action' must be one of map, drop, not 'keep'",
    ),
    "odd kind": ("mappings:\n- {match: a, name: b, match_metric_type: set}", "must be one of counter, gauge"),
    "odd duration": ("mappings:\n- {match: a, name: b, ttl: 5 minutes}", "'ttl' must be a duration like 30s"),
    "odd number": ("mappings:\n- {match: a, name: b, scale: much}", "'scale' must be a number, not 'much'"),
    "odd truth": ("mappings:\n- {match: a, name: b, honor_labels: maybe}", "must be true or false"),
    "quantile beyond": ("defaults: {summary_options: {quantiles: [{quantile: 2}]}}", "lies between 0 and 1"),
    "percent beside a capture": (
        "mappings:\n- {match: 'a.*', name: b, labels: {share: '$1%'}}",
        "a percent sign beside a capture",
    ),
    "no list": ("mappings: 5", "'mappings' must be a list"),
    "no yaml": ("mappings: [", "this is not valid YAML"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_what_is_wrong(case: str) -> None:
    text, sentence = WRONG[case]
    with pytest.raises(StartError) as refused:
        rules.parse(text, "statsd.yml")
    assert sentence in str(refused.value)
    assert "statsd.yml" in str(refused.value) or "The mapping rule" in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"absent\.yml cannot be read: No such file"):
        rules.load(tmp_path / "absent.yml")


@pytest.mark.parametrize("text", ["", "# nothing\n", "mappings:\n", "mappings: []\n", "defaults: {}\n"])
def test_an_empty_file_has_no_rules(text: str) -> None:
    assert len(rules.parse(text)) == 0


@pytest.mark.parametrize(
    ("written", "seconds"), [("90s", 90), ("1m30s", 90), ("1.5h", 5400), ("500ms", 0.5), ("0", 0), ("0s", 0)]
)
def test_durations_are_written_as_in_go(written: str, seconds: float) -> None:
    assert rules.parse(f"defaults: {{ttl: {written}}}").defaults.ttl == pytest.approx(seconds)
