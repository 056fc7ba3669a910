"""The gateway's store and its text parser, with a clock that the test moves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.embedded.errors import StartError
from metrics.embedded.gateway import store as store_module
from metrics.embedded.gateway.families import ParseError, parse
from metrics.embedded.gateway.store import Full, Inconsistent, Store


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(store: Store) -> dict[str, str]:
    text = "".join(store.families())
    return dict(line.rpartition(" ")[::2] for line in text.splitlines() if not line.startswith("#"))


def test_put_replaces_the_group_and_post_the_names(tmp_path: Path) -> None:
    store = Store(clock=Clock())
    store.push({"job": "j"}, parse("a 1\nb 1\n"), replace=True)
    store.push({"job": "j"}, parse("b 2\n"), replace=False)
    assert lines(store)['a{instance="",job="j"}'] == "1"
    assert lines(store)['b{instance="",job="j"}'] == "2"
    store.push({"job": "j"}, parse("b 3\n"), replace=True)
    assert 'a{instance="",job="j"}' not in lines(store)


def test_each_group_says_when_it_was_pushed_to_and_when_that_failed() -> None:
    clock = Clock()
    store = Store(clock=clock)
    store.push({"job": "j"}, parse("a 1\n"), replace=True)
    clock.now = 200.0
    with pytest.raises(Inconsistent, match="a is there twice"):
        store.push({"job": "j"}, parse("a 1\na 2\n"), replace=True)
    assert lines(store) == {
        'a{instance="",job="j"}': "1",
        'push_time_seconds{instance="",job="j"}': "100",
        'push_failure_time_seconds{instance="",job="j"}': "200",
    }


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("# TYPE a counter\na 1\n", "a is a counter here and a gauge elsewhere"),
        ("a_sum 1\n# TYPE b gauge\nb 1\n", None),
        ("h_sum 1\n", "h_sum is the name of a line of the histogram h"),
        ("# TYPE k summary\nk_sum 1\nk_count 1\n", "the summary k has a line called like the metric k_count"),
        ("x 1 1600000000000\n", "x has a timestamp"),
        ("own 1\n", "own is a untyped here and a counter elsewhere"),
    ],
)
def test_a_push_must_go_with_everything_that_is_there(body: str, reason: str | None) -> None:
    own = parse("# TYPE own counter\nown 1\n")
    store = Store(lambda: own, clock=Clock())
    store.push(
        {"job": "j"},
        parse("# TYPE a gauge\na 1\n# TYPE h histogram\nh_sum 1\nh_count 1\nk_count 1\n"),
        replace=True,
    )
    if reason is None:
        store.push({"job": "other"}, parse(body), replace=True)
    else:
        with pytest.raises(Inconsistent, match=reason):
            store.push({"job": "other"}, parse(body), replace=True)


def test_groups_survive_a_restart_with_every_kind_and_every_value(tmp_path: Path) -> None:
    body = (
        '# HELP a Some \\\\ help\\nin two\n# TYPE a gauge\na{x="q\\"\\\\\\n"} 0.1\n'
        '# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 2\nh_count 3\n'
        '# TYPE s summary\ns{quantile="0.5"} NaN\ns_sum +Inf\ns_count 1\nu 1.7976931348623157e308\n'
    )
    path = tmp_path / "groups"
    before = Store(path=path, clock=Clock())
    before.push({"job": "j", "source": "ü/="}, parse(body), replace=True)
    before.push({"job": "k"}, {}, replace=True)
    before.persist()
    after = Store(path=path, clock=Clock())
    assert list(after.families()) == list(before.families())
    assert after.trouble == ""
    after.delete({"job": "k"})
    after.persist()
    assert 'job="k"' not in "".join(Store(path=path).families())


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    path = tmp_path / "groups"
    store = Store(path=path)
    store.delete({"job": "nobody"})
    store.persist()
    assert not path.exists()


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "groups"
    store = Store(path=path)
    store.push({"job": "old"}, parse("a 1\n"), replace=True)
    store.persist()
    store.push({"job": "new"}, parse("a 1\n"), replace=True)

    def crash(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(OSError, match="no space left"):
        store.persist()
    assert 'job="old"' in "".join(Store(path=path).families())
    monkeypatch.undo()
    store.persist()
    assert 'job="new"' in "".join(Store(path=path).families())


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"groups": [{}]}', '{"groups": [{"labels": {}, "families": "x"}]}']
)
def test_a_damaged_file_is_put_aside_and_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "groups"
    path.write_text(damage)
    store = Store(path=path)
    assert "damaged" in store.trouble
    assert (tmp_path / "groups.damaged").read_text() == damage
    store.push({"job": "j"}, parse("a 1\n"), replace=True)
    store.persist()
    assert json.loads(path.read_text())["groups"]


def test_a_folder_that_is_not_there_is_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="is not there or cannot be written to"):
        Store(path=tmp_path / "absent" / "groups")


def test_there_is_a_most_of_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MOST_GROUPS", 2)
    store = Store()
    store.push({"job": "a"}, {}, replace=True)
    store.push({"job": "b"}, {}, replace=True)
    with pytest.raises(Full):
        store.push({"job": "c"}, {}, replace=True)
    store.push({"job": "a"}, {}, replace=True)
    store.delete({"job": "b"})
    store.push({"job": "c"}, {}, replace=True)


def test_a_group_deleted_while_the_page_is_written_is_simply_gone() -> None:
    store = Store()
    store.push({"job": "a"}, parse("a 1\nz 1\n"), replace=True)
    families = store.families()
    next(families)
    store.delete({"job": "a"})
    assert "z" not in "".join(families)


def test_an_error_names_its_line() -> None:
    with pytest.raises(ParseError, match="line 3: 'one' is no number"):
        parse("# a comment\n\na one\n")


@given(st.text(max_size=200))
def test_random_text_is_parsed_or_refused(body: str) -> None:
    try:
        families = parse(body)
    except ParseError:
        return
    written = "".join(line for family in families.values() for line in family.text())
    again = parse(written)
    assert "".join(line for family in again.values() for line in family.text()) == written


@given(st.lists(st.text(alphabet='ab_{}",=\\ #\n10.eNTYPELH\t+', max_size=60), max_size=6).map("\n".join))
def test_random_lines_are_parsed_or_refused(body: str) -> None:
    test_random_text_is_parsed_or_refused.hypothesis.inner_test(body + "\n")  # type: ignore[attr-defined]
