"""How dashboards come about: forms, limits, layout, and the command that writes and checks them."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from metrics import catalogue, queries
from metrics.forms import Age, Asked, Asking, Foreign, Level, Quantile, Rate, Share
from metrics.model import Metric
from metrics.quantities import Quantity
from metrics.watch import rules
from metrics.watch.dashboards import DASHBOARDS
from metrics.watch.errors import WatchError
from metrics.watch.grafana import boards, drawing, layout, limits
from metrics.watch.grafana.asking import As, Buckets, Cardinality, Increase, Ratio, Rest, Top, narrowed
from metrics.watch.grafana.boards import web
from metrics.watch.grafana.panels import Board, Limit, Look, Panel, Row, level
from scout.cli import dashboards as command
from scout.cli import watch
from scout.cli.metrics import metrics
from tests.unit.watch import places

RULES = rules.load(places.RULES)
CHOSEN = {"job": "job", "instance": "instance", "kind": "kind", "source": "board"}
BOTH = 'job=~"$job", instance=~"$instance"'


def run(*words: str) -> Result:
    return CliRunner().invoke(metrics, list(words))


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Rate(metric=catalogue.SIGN_INS), f"sum(rate(iam_sign_ins_total{{{BOTH}}}[$__rate_interval]))"),
        (Level(metric=catalogue.JOBS, how="max"), f"max(iam_jobs_total{{{BOTH}}})"),
        (
            # What the question itself says of a label is not overruled.
            Rate(metric=catalogue.SCAN_ERRORS, where={"kind": "lever"}),
            f'sum(rate(iam_scan_errors_total{{{BOTH}, kind=~"lever"}}[$__rate_interval]))',
        ),
        (
            Quantile(rank=0.95, metric=catalogue.SCAN_DURATION, by=("status",)),
            (
                "histogram_quantile(0.95, sum by (status, le) (rate(iam_scan_duration_seconds_bucket"
                f'{{{BOTH}, kind=~"$kind"}}[$__rate_interval])))'
            ),
        ),
        (
            # What is pushed has no instance, and the job of who pushed.
            Age(metric=catalogue.SCAN_LAST_RUN, by=("source",)),
            'time() - max by (source) (iam_scan_last_run_timestamp_seconds{source=~"$board"})',
        ),
        (
            Increase(metric=catalogue.SCAN_DURATION, by=("kind",)),
            f'sum by (kind) (increase(iam_scan_duration_seconds_count{{{BOTH}, kind=~"$kind"}}[$__range]))',
        ),
        (
            Buckets(metric=catalogue.DB_POOL_WAIT),
            f"sum by (le) (increase(db_pool_wait_seconds_bucket{{{BOTH}}}[$__rate_interval]))",
        ),
        (
            Ratio(part=Level(metric=catalogue.JOBS), whole=Level(metric=catalogue.JOBS_NEW_TODAY)),
            f"(sum(iam_jobs_total{{{BOTH}}})) / (sum(iam_jobs_new_today{{{BOTH}}}) > 0)",
        ),
        (Rest(of=As(metric=Foreign("slo:x", "", rises=False))), "1 - (slo:x)"),
        (Top(most=3, of=Level(metric=catalogue.JOBS)), f"topk(3, sum(iam_jobs_total{{{BOTH}}}))"),
        (Cardinality(where={}), f"count by (__name__) ({{{BOTH}}})"),
        # Another program's target is not the exporter's; what the exporter tells of itself is.
        (As(metric=Foreign("node_load1", "", rises=False)), "node_load1"),
        (
            As(metric=Foreign("statsd_exporter_lines_total", "", rises=True)),
            f"statsd_exporter_lines_total{{{BOTH}}}",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_question_obeys_what_is_chosen(form: Asking, text: str) -> None:
    assert narrowed(form, CHOSEN).promql() == text


def test_both_sides_of_a_share_obey() -> None:
    share = Share(part=Rate(metric=catalogue.SIGN_INS), whole=Rate(metric=catalogue.SIGN_INS))
    assert narrowed(share, CHOSEN).promql().count(BOTH) == 3
    assert share.promql().count(BOTH) == 0


def test_what_a_panel_is_about_goes_through_every_form() -> None:
    jobs, today = Level(metric=catalogue.JOBS), Level(metric=catalogue.JOBS_NEW_TODAY)
    about: tuple[Asked, ...] = Top(most=1, of=Rest(of=Ratio(part=jobs, whole=today))).about()
    assert about == (catalogue.JOBS, catalogue.JOBS_NEW_TODAY)
    assert Cardinality(where={}).about() == ()


# --- Limits ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "value", "above"),
    [
        (Limit("ScoutQueueStuck"), 900, True),
        (Limit("ScoutDiskNearlyFull"), 500e6, False),
        (Limit("ScoutServerErrorBurst", 1), 0.2, True),
        (Limit("ScoutAvailabilityBudgetBurnsFast", 3), 6, True),
    ],
)
def test_a_limit_is_the_figure_of_its_alert(limit: Limit, value: float, above: bool) -> None:  # noqa: FBT001
    found = limits.threshold(limit, RULES)
    assert (found.value, found.above) == (value, above)


@pytest.mark.parametrize("limit", [Limit("ScoutNone"), Limit("ScoutQueueStuck", 1)])
def test_a_limit_of_no_alert_is_refused(limit: Limit) -> None:
    with pytest.raises(WatchError, match=limit.alert):
        limits.threshold(limit, RULES)


def test_a_changed_alert_changes_the_threshold(tmp_path: Path) -> None:
    shutil.copytree(places.RULES, tmp_path / "rules")
    file = tmp_path / "rules" / "queue.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("> 900", "> 1234"), encoding="utf-8")
    [board] = [each for each in boards.ALL if each.uid == "scout-queue"]
    changed = json.loads(drawing.render(board, rules.load(tmp_path / "rules")))
    [panel] = [each for each in changed["panels"] if each["title"] == "Longest wait in the queue"]
    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"] == [
        {"color": "green", "value": None},
        {"color": "red", "value": 1234},
    ]


# --- Layout ---------------------------------------------------------------------------------------------


def piece(title: str, wide: int, tall: int = 8) -> Panel:
    lines = (level(catalogue.JOBS),)
    return Panel(title=title, help="It is.", unit=Quantity.COUNT, lines=lines, wide=wide, tall=tall)


def test_panels_lie_line_by_line() -> None:
    row = Row(title="Row", panels=(piece("a", 16, 4), piece("b", 8, 4), piece("c", 24, 6)))
    placed = [(panel.title, x, y) for panel, x, y in layout.placed(row, 5)]
    assert placed == [("a", 0, 5), ("b", 16, 5), ("c", 0, 9)]
    assert layout.height(row) == 10


@pytest.mark.parametrize(
    ("panels", "told"),
    [
        ((piece("a", 16),), "the line of a leaves a gap"),
        ((piece("a", 16), piece("b", 12)), "b is too wide"),
        ((piece("a", 16), piece("b", 8, 6)), "b is not as tall"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(panels: tuple[Panel, ...], told: str) -> None:
    with pytest.raises(WatchError, match=told):
        list(layout.placed(Row(title="Row", panels=panels), 0))


# --- What is drawn --------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", boards.ALL, ids=lambda board: board.uid)
def test_drawing_the_same_gives_the_same(board: Board) -> None:
    assert drawing.render(board, RULES) == drawing.render(board, RULES)


def test_the_boards_are_those_that_alerts_know_in_their_order() -> None:
    assert [board.uid for board in boards.ALL] == list(DASHBOARDS)


def test_a_figure_is_told_in_the_unit_that_its_metric_has() -> None:
    wrong = [
        (board.uid, panel.title)
        for board in boards.ALL
        for panel in board.panels()
        for line in panel.lines
        if isinstance(line.form, Level)
        and isinstance(line.form.metric, Metric)
        and line.form.metric.unit != (line.unit or panel.unit).unit
    ]
    assert wrong == []


def test_each_kind_of_panel_says_what_its_metrics_mean() -> None:
    for board in boards.ALL:
        drawn = {each["title"]: each for each in json.loads(drawing.render(board, RULES))["panels"]}
        for panel in board.panels():
            for metric in panel.about():
                assert metric.help in drawn[panel.title]["description"], panel.title
            kind = "table" if panel.look is Look.ALERTS else panel.look.value
            assert drawn[panel.title]["type"] == kind


def test_no_panel_of_the_dashboards_alone_asks_what_the_status_page_asks() -> None:
    shared = {
        tuple(line.form.promql() for line in question.curves): question.name for question in queries.ALL
    }
    again = [
        (board.uid, panel.title, shared[asked])
        for board in boards.ALL
        for panel in board.panels()
        if (asked := tuple(line.form.promql() for line in panel.lines)) in shared and not panel.question
    ]
    assert again == []


def test_each_question_of_the_status_page_has_a_dashboard_that_looks_closer() -> None:
    assert boards.showing("queue_oldest") == "scout-queue"
    assert {boards.showing(question.name) for question in queries.ALL} <= set(DASHBOARDS)


def test_the_readme_shows_a_panel_that_there_is() -> None:
    readme = (places.PROMETHEUS / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    shown = eval(textwrap.dedent(block), vars(web))  # noqa: S307 - our own README
    assert shown in web.BOARD.panels()


# --- The command ----------------------------------------------------------------------------------------


def test_the_committed_dashboards_are_up_to_date() -> None:
    result = run("dashboards", "--check")
    assert result.exit_code == 0, result.exception


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, which may be broken."""
    shutil.copytree(places.DASHBOARDS, tmp_path / "dashboards")
    monkeypatch.setattr(command, "FOLDER", tmp_path / "dashboards")
    monkeypatch.setattr("scout.settings.PROJECT", tmp_path)
    return tmp_path / "dashboards"


def test_drift_is_told_until_it_is_written(copied: Path) -> None:
    (copied / "scout-web.json").unlink()
    (copied / "scout-other.json").write_text((copied / "scout-slo.json").read_text(encoding="utf-8"))
    result = run("dashboards", "--check")
    assert isinstance(result.exception, command.DashboardsError)
    for name in ("scout-web.json", "scout-other.json"):
        told = f"{name} is not what metrics and alerts say: run `scout metrics dashboards --write`."
        assert told in str(result.exception)
    assert "Wrote 8 dashboards" in run("dashboards", "--write").output
    assert not (copied / "scout-other.json").exists()
    assert run("dashboards", "--check").exit_code == 0


@contextlib.contextmanager
def renamed(metric: Metric) -> Iterator[None]:
    """The catalogue with another name for a metric."""
    name = metric.name
    object.__setattr__(metric, "name", name.replace("_", "_renamed_", 1))
    try:
        yield
    finally:
        object.__setattr__(metric, "name", name)


@pytest.mark.parametrize(
    "metric",
    [catalogue.HTTP_REQUESTS, catalogue.DB_QUERY_DURATION, catalogue.RQ_WORKERS, catalogue.SCAN_LAST_SUCCESS],
    ids=lambda metric: metric.name,
)
def test_a_metric_that_is_renamed_fails_until_everything_follows(metric: Metric) -> None:
    old = metric.name
    with renamed(metric):
        stale = {name: run(name, "--check") for name in ("mapping", "rules", "dashboards", "docs")}
    pushed = metric is catalogue.SCAN_LAST_SUCCESS  # it never goes through the mapping
    assert (stale["mapping"].exit_code == 0) is pushed
    assert isinstance(stale["rules"].exception, watch.RulesError)
    assert isinstance(stale["dashboards"].exception, command.DashboardsError)
    assert stale["docs"].exit_code != 0
    for each in ("rules", "dashboards"):
        assert f"there is no metric {old}" in str(stale[each].exception)
    assert "is not what metrics and alerts say" in str(stale["dashboards"].exception)


def test_without_the_sdk_the_command_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("grafana_foundation_sdk"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grafana_foundation_sdk", None)
    monkeypatch.delitem(sys.modules, "metrics.watch.grafana.drawing")
    monkeypatch.delitem(sys.modules, "metrics.watch.grafana.shapes")
    monkeypatch.delattr("metrics.watch.grafana.drawing")
    monkeypatch.delattr("metrics.watch.grafana.shapes")
    result = run("dashboards", "--check")
    assert isinstance(result.exception, command.DashboardsError)
    assert "`make setup-dev` installs it" in str(result.exception)
    # Listing and copying do without.
    assert run("dashboards").exit_code == 0


def test_copies_lead_to_ones_own_pages(tmp_path: Path) -> None:
    result = run("dashboards", "--copy", str(tmp_path / "mine"), "--app", "https://scout.example.org/")
    assert result.exit_code == 0, result.exception
    for uid in DASHBOARDS:
        text = (tmp_path / "mine" / f"{uid}.json").read_text(encoding="utf-8")
        assert "127.0.0.1" not in text
        assert '"https://scout.example.org/runbooks"' in text
        assert '"https://scout.example.org/status"' in text


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("dashboards", "--copy", str(tmp_path / "file" / "below"))
    assert isinstance(result.exception, command.DashboardsError)
    assert "cannot be written" in str(result.exception)


def test_a_metric_says_where_it_is_shown() -> None:
    told = run("show", catalogue.RQ_OLDEST_JOB_AGE.name).output
    assert "shown on   http://127.0.0.1:3000/d/scout-queue\n" in told
    assert "shown on   no dashboard: whoever sends" in run("show", catalogue.CLIENT_PROBES.name).output
    assert json.loads(run("show", catalogue.SCAN_LISTED.name, "--json").output)["dashboards"] == [
        "scout-scans"
    ]


def test_the_dashboards_are_listed() -> None:
    told = {each["uid"]: each for each in json.loads(run("dashboards", "--json").output)}
    assert set(told) == set(DASHBOARDS)
    assert all(each["panels"] > 5 for each in told.values())
    assert "/d/scout-queue" in run("dashboards").output
