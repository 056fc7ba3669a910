"""How everything is: what is kept of the last days, what Prometheus is asked, what is said of each part."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError

from metrics import catalogue, forms, queries
from metrics.testing import Captured, captured
from scout import backup, clock, watchlist
from scout.courtesy import CircuitState, Standing
from scout.database import Database
from scout.models import Message, MessageState, RunTrigger, SavedSearch, ScanRun, ScanState
from scout.neighbours import Unreachable
from scout.overview import asking, checks, figures, prometheus, recollection, report
from scout.overview.checks import Check
from scout.overview.figures import Figures, Origin
from scout.overview.windows import DEFAULT, WINDOWS
from scout.queue import Scans
from scout.settings import Settings, load
from scout.sources.board import Board
from scout.stack.examination import Verdict
from tests import overview_world
from tests.databases import make_tables
from tests.redis_server import RedisServer, redis_server  # noqa: F401 - a fixture
from tests.serving import Asked, Reply, reply, serving
from workers import sampler

NOBODY = "http://127.0.0.1:1"
NOW = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def patiently() -> Iterator[None]:
    with overview_world.patiently():
        yield


@pytest.fixture
def connection(redis_server: RedisServer) -> Iterator[Redis]:  # noqa: F811 - the fixture
    with closing(redis_server.client()) as client:
        yield client


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load({"SCOUT_DATA_DIR": str(tmp_path), "STATSD_EXPORTER_URL": NOBODY, "PUSHGATEWAY_URL": NOBODY})
    make_tables(found)
    return found


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    database = Database.open(settings)
    yield database
    database.dispose()


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Redis]:
    with closing(Redis.from_url(f"unix://{tmp_path}/nobody.sock")) as client:
        yield client


def with_parts(settings: Settings, **urls: str) -> Settings:
    return load(
        {
            "SCOUT_DATA_DIR": str(settings.data_dir),
            "STATSD_EXPORTER_URL": NOBODY,
            "PUSHGATEWAY_URL": NOBODY,
            **urls,
        }
    )


def lines_of(found: Figures, question: str) -> dict[str, list[float | None]]:
    return {line.name: [value for _, value in line.points] for line in found.lines[question]}


# --- What is kept -------------------------------------------------------------------------------------------


def test_what_is_kept_is_what_happened_between_looks(connection: Redis, settings: Settings) -> None:
    overview_world.remember(connection, NOW, hours=0.2)
    found = figures.over(DEFAULT, settings, connection, NOW)
    assert found.origin is Origin.REMEMBERED
    requests = lines_of(found, "http_requests")
    assert set(requests) == {"2xx shown", "3xx sent on", "4xx refused", "5xx failed"}
    assert all(value is None or 0.5 < value < 1.5 for value in requests["2xx shown"])
    assert lines_of(found, "memory").keys() == {"web 0", "web 1", "worker 0", "scheduler 0"}
    assert lines_of(found, "sample_age") == {"database": ANY_FIGURES, "queue": ANY_FIGURES}
    assert lines_of(found, "exporters_up")["pushgateway"] == [1.0] * 24


class _AnyFigures:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, list) and any(value is not None for value in other)

    def __hash__(self) -> int:
        return 0


ANY_FIGURES = _AnyFigures()


def test_a_time_without_the_exporter_is_a_gap_in_all_but_whether_it_answers(
    connection: Redis, settings: Settings
) -> None:
    overview_world.remember(connection, NOW, hours=0.2)
    found = figures.over(DEFAULT, settings, connection, NOW)
    # Eight looks, and the first one after them, which has no neighbour.
    assert lines_of(found, "http_requests")["2xx shown"].count(None) == 9
    assert lines_of(found, "exporters_up")["statsd_exporter"].count(0.0) == 8


def test_every_window_holds_no_more_than_its_points(connection: Redis) -> None:
    overview_world.remember(connection, NOW, hours=3)
    for window in WINDOWS.values():
        assert connection.llen(f"scout:recent:{window.name}") <= window.points
        assert 0 < connection.ttl(f"scout:recent:{window.name}") <= 8 * 86_400 or window.step > 3600 - 1
    assert connection.llen("scout:recent:1h") == 120
    assert connection.llen("scout:recent:6h") == 90
    memory = [connection.memory_usage(key) for key in connection.keys("scout:recent:*")]
    assert None not in memory
    assert sum(filter(None, memory)) < 600_000
    assert sum(window.points for window in WINDOWS.values()) < 700


def test_a_look_after_a_long_time_has_no_neighbour(connection: Redis) -> None:
    read = forms.read(overview_world.page_at(100), queries.NEEDED)
    recollection.keep(connection, read, {}, NOW)
    recollection.keep(connection, read, {}, NOW + dt.timedelta(seconds=200))
    assert recollection.entries(connection, DEFAULT) == []
    recollection.keep(connection, read, {}, NOW + dt.timedelta(seconds=230))
    assert len(recollection.entries(connection, DEFAULT)) == 1
    assert recollection.last_look(connection) == NOW + dt.timedelta(seconds=230)


def test_a_clock_that_was_set_back_begins_anew(connection: Redis) -> None:
    read = forms.read(overview_world.page_at(100), queries.NEEDED)
    for seconds in (0, -5000, -4970):
        recollection.keep(connection, read, {}, NOW + dt.timedelta(seconds=seconds))
    assert [at for at, _ in recollection.entries(connection, DEFAULT)] == [NOW.timestamp() - 4970]


def test_a_strangers_page_cannot_fill_redis(connection: Redis) -> None:
    name = catalogue.PROCESS_MEMORY.name
    lines = [
        f'{name}{{role="r{number}",slot="{"x" * 300 if number < 5 else "0"}"}} {number}'
        for number in range(5000)
    ]
    read = forms.read("\n".join(lines), queries.NEEDED)
    for number in range(2):
        recollection.keep(connection, read, {}, NOW + dt.timedelta(seconds=30 * number))
    [(_, kept)] = recollection.entries(connection, DEFAULT)
    assert len(kept["memory.0"]) == 64


def test_nothing_kept_yet_is_said(connection: Redis, settings: Settings) -> None:
    found = figures.over(DEFAULT, settings, connection, NOW)
    assert found.words == "No figures are kept yet: the scheduler keeps some every 30 seconds."


def test_with_redis_away_that_is_said(away: Redis, settings: Settings, emitted: Captured) -> None:
    found = figures.over(DEFAULT, settings, away, NOW)
    assert found.origin is Origin.NOWHERE
    assert found.words == "Redis, which keeps figures for that case, does not answer."
    assert found.lines == {}
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionError", place="web")


# --- Prometheus ---------------------------------------------------------------------------------------------


def test_prometheus_is_asked_for_every_curve_at_once(
    connection: Redis, settings: Settings, emitted: Captured
) -> None:
    with serving(overview_world.prometheus()) as server:
        chosen = with_parts(settings, PROMETHEUS_URL=server.origin)
        found = figures.over(WINDOWS["6h"], chosen, connection, NOW)
    assert (found.origin, found.words) == (Origin.PROMETHEUS, "Drawn from Prometheus.")
    curves = sum(len(question.curves) for question in queries.ALL)
    assert len(server.asked) == curves
    emitted.assert_observed(catalogue.STATUS_ASKED, curves, part="prometheus", outcome="succeeded")
    [memory] = [line for line in found.lines["memory"] if line.name.strip()]
    assert memory.name == f"{overview_world.HOSTILE} {overview_world.HOSTILE}"


def test_a_step_without_a_figure_is_a_gap(connection: Redis, settings: Settings) -> None:
    with serving(overview_world.prometheus()) as server:
        chosen = with_parts(settings, PROMETHEUS_URL=server.origin)
        found = figures.over(DEFAULT, chosen, connection, NOW)
    [line] = [line for line in found.lines["messages"] if line.name]
    assert [value for _, value in line.points][1::2] == [None] * (len(line.points) // 2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: reply(b"{}", status=503), "it answered 503"),
        (lambda _: reply(b"<html>"), "it does not answer as Prometheus does"),
        (lambda _: reply(b"[" * 100_000), "it does not answer as Prometheus does"),
        (lambda _: reply(b'{"status": "error"}'), "it says that the question is wrong"),
        (lambda _: reply(b'{"status": "success", "data": []}'), "it does not answer as Prometheus does"),
        (
            lambda _: reply(b'{"status": "success", "data": {"result": [1]}}'),
            "it does not answer as Prometheus does",
        ),
        (lambda _: None, "RemoteDisconnected"),
    ],
)
def test_where_prometheus_fails_what_is_kept_is_shown(
    connection: Redis, settings: Settings, answer: Callable[[Asked], Reply], words: str, emitted: Captured
) -> None:
    overview_world.remember(connection, NOW, hours=0.1)
    with serving(answer) as server:
        found = figures.over(DEFAULT, with_parts(settings, PROMETHEUS_URL=server.origin), connection, NOW)
    assert found.origin is Origin.REMEMBERED
    assert found.words.startswith(f"Prometheus cannot be asked: {words}. Drawn from what this program keeps")
    assert lines_of(found, "memory")


def test_a_part_that_cannot_be_answered_is_told(connection: Redis, settings: Settings) -> None:
    good = overview_world.prometheus()

    def answer(asked: Asked) -> Reply:
        return reply(status=422) if "rq_workers" in asked.path else good(asked)

    with serving(answer) as server:
        found = figures.over(DEFAULT, with_parts(settings, PROMETHEUS_URL=server.origin), connection, NOW)
    assert found.words == "Drawn from Prometheus. Not all of it could be had: it answered 422."
    assert found.lines["workers"] == []


def test_failed_questions_are_measured(emitted: Captured) -> None:
    with pytest.raises(Unreachable):
        asking.page("gateway", f"{NOBODY}/metrics")
    emitted.assert_observed(catalogue.STATUS_ASKED, part="gateway", outcome="failed")


def test_whatever_hangs_is_not_waited_for(
    settings: Settings, db: Database, connection: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 2.0)
    with serving(overview_world.hanging) as server:
        urls = dict.fromkeys(("PROMETHEUS_URL", "STATSD_EXPORTER_URL", "PUSHGATEWAY_URL"), server.origin)
        chosen = with_parts(settings, **urls)
        began = time.monotonic()
        found = figures.over(DEFAULT, chosen, connection, NOW)
        made = report.make(db, connection, chosen, by_pages=True)
        assert time.monotonic() - began < overview_world.HANGS
    assert "did not answer in time" in found.words or "took too long" in found.words
    told = {check.part: check for check in made.checks}
    for part in ("StatsD exporter", "Pushgateway", "Prometheus"):
        assert told[part].verdict is Verdict.BAD


def test_alerts_that_fire_are_told_with_harmless_links() -> None:
    with serving(overview_world.prometheus(overview_world.ALERTS)) as server:
        [alert] = prometheus.alerts(server.origin)
    assert (alert.name, alert.severity) == ("ScansFail", "warning")
    assert alert.since == dt.datetime(2026, 11, 25, 8, 0, 0, 500_000, dt.UTC)
    assert alert.runbook == "https://runbooks.example/scans"
    assert alert.dashboard == ""


@pytest.mark.parametrize("data", [{}, {"alerts": [1]}, {"alerts": [{"state": "firing"}]}, []])
def test_alerts_that_are_none_are_a_failure(data: object) -> None:
    def answer(asked: Asked) -> Reply:
        return reply(json.dumps({"status": "success", "data": data}).encode())

    with serving(answer) as server, pytest.raises(Unreachable):
        prometheus.alerts(server.origin)


# --- The parts ----------------------------------------------------------------------------------------------


def checked(db: Database, connection: Redis, settings: Settings) -> dict[str, Check]:
    return {check.part: check for check in checks.look(db, connection, settings, by_pages=True).checks}


def add_board(db: Database, name: str = "acme", **fields: Any) -> int:
    with db.session() as session:
        board = Board(kind="lever", token=name, company=name.title(), url=f"https://x.example/{name}")
        source = watchlist.add(session, board)
        for field, value in fields.items():
            setattr(source, field, value)
        return source.id


def test_with_everything_away_each_part_says_so(
    db: Database, away: Redis, settings: Settings, emitted: Captured
) -> None:
    told = checked(db, away, settings)
    bad = {part for part, check in told.items() if check.verdict is Verdict.BAD}
    assert bad == {"Redis", "StatsD exporter", "Pushgateway"}
    assert all(told[part].advice for part in bad)
    assert "Prometheus" not in told
    assert told["Database"].version.startswith("SQLite 3")
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ConnectionError", place="queue")


def test_parts_that_are_well_say_their_version_and_since_when(
    db: Database, connection: Redis, settings: Settings
) -> None:
    connection.set("scout:scheduler", "x")
    with (
        serving(overview_world.exporter) as exporter,
        serving(overview_world.gateway) as gateway,
        serving(overview_world.prometheus()) as server,
    ):
        chosen = with_parts(
            settings,
            STATSD_EXPORTER_URL=exporter.origin,
            PUSHGATEWAY_URL=gateway.origin,
            PROMETHEUS_URL=server.origin,
        )
        told = checked(db, connection, chosen)
    assert [part for part, check in told.items() if not check.well] == ["Scan workers"]
    assert told["StatsD exporter"].version == "0.30.0"
    assert told["StatsD exporter"].since == dt.datetime.fromtimestamp(overview_world.STARTED, dt.UTC)
    assert told["Pushgateway"].text == "It answers, and holds results of 1 board."
    assert told["Prometheus"].version == "3.5.0"
    assert told["Pages"].text == "2 processes are at work."
    assert told["Redis"].version.startswith("Redis ")
    assert told["Scheduler"].well


def test_from_a_terminal_the_pages_are_asked(db: Database, connection: Redis, settings: Settings) -> None:
    def pages(chosen: Settings) -> Check:
        found = checks.look(db, connection, chosen, by_pages=False)
        return next(check for check in found.checks if check.part == "Pages")

    with serving(lambda _: reply()) as server:
        told = pages(with_parts(settings, SCOUT_PORT=str(server.port)))
        assert (told.verdict, told.text) == (
            Verdict.OK,
            "They answer. How many processes there are is not known.",
        )
    told = pages(with_parts(settings, SCOUT_PORT=str(server.port)))
    assert (told.verdict, told.text) == (Verdict.BAD, "They do not answer.")
    assert told.advice == "Start everything with `scout up`."


def test_pages_whose_metrics_do_not_arrive_are_worth_a_look(
    db: Database, connection: Redis, settings: Settings
) -> None:
    with serving(lambda _: reply(b"x 1\n")) as server:
        told = checked(db, connection, with_parts(settings, STATSD_EXPORTER_URL=server.origin))["Pages"]
    assert told.verdict is Verdict.WARNING


def test_an_exporter_with_other_rules_is_worth_a_look(
    db: Database, connection: Redis, settings: Settings
) -> None:
    name = catalogue.LOADED_MAPPING_VERSION.name
    for page, words in ((f"{name} 1\n", "has other rules"), ("x 1\n", "no figure of ours arrived")):
        with serving(lambda _, page=page: reply(page.encode())) as server:  # type: ignore[misc]
            told = checked(db, connection, with_parts(settings, STATSD_EXPORTER_URL=server.origin))
        assert told["StatsD exporter"].verdict is Verdict.WARNING
        assert words in told["StatsD exporter"].text


def test_a_scheduler_that_keeps_no_figures_is_worth_a_look(
    db: Database, connection: Redis, settings: Settings
) -> None:
    connection.set("scout:scheduler", "x")
    overview_world.remember(connection, clock.now() - dt.timedelta(minutes=5), hours=0.1)
    told = checked(db, connection, settings)["Scheduler"]
    assert told.verdict is Verdict.WARNING
    assert told.text == "It is at work, but kept no figures for 5 min."


def test_failing_boards_and_late_scans_need_a_look(
    db: Database, connection: Redis, settings: Settings
) -> None:
    add_board(db, "good", last_state=ScanState.SUCCEEDED, last_success_at=clock.now() - dt.timedelta(days=3))
    add_board(db, "bad", last_state=ScanState.FAILED)
    told = checked(db, connection, settings)
    assert told["Boards"].text == "2 watched: 1 ok, 1 failing."
    assert told["Boards"].advice == "The page of boards says why: Bad."
    assert told["Scans"].verdict is Verdict.BAD


def test_scans_that_are_paused_or_in_time_are_well(
    db: Database, connection: Redis, settings: Settings
) -> None:
    assert checked(db, connection, settings)["Scans"].text == "No board is watched."
    board = add_board(db, paused=True)
    assert checked(db, connection, settings)["Scans"].text == "All boards are paused."
    with db.session() as session:
        source = watchlist.get(session, "acme")
        assert source.id == board
        source.paused, source.last_success_at = False, clock.now() - dt.timedelta(hours=2)
    assert checked(db, connection, settings)["Scans"].text == "They go on as planned."


def test_channels_that_fail_are_named(db: Database, connection: Redis, settings: Settings) -> None:
    with db.session() as session:
        search = SavedSearch(name="IAM", slug="iam", uid="0" * 32)
        session.add(search)
        session.flush()
        for number, (state, attempts, reason) in enumerate(
            [
                (MessageState.SENT, 1, ""),
                (MessageState.WAITING, 0, ""),
                (MessageState.PARKED, 6, "It answered 401\nwith more"),
            ]
        ):
            session.add(
                Message(
                    search_id=search.id,
                    batch=str(number),
                    channel="phone",
                    state=state,
                    attempts=attempts,
                    reason=reason,
                    sent_at=clock.now() if state is MessageState.SENT else None,
                )
            )
    found = checks.look(db, connection, settings, by_pages=True)
    told = {check.part: check for check in found.checks}["Messages"]
    assert told.verdict is Verdict.BAD
    assert told.text == "1 sent in the last 24 hours, 1 waiting, 1 given up."
    assert told.advice.startswith("phone: It answered 401. Mend the channel")
    assert found.sums is not None
    assert (found.sums.sent, found.sums.waiting, found.sums.parked) == (1, 1, 1)


def test_sums_say_when_the_last_scan_was_and_how_boards_fare(
    db: Database, connection: Redis, settings: Settings
) -> None:
    ended = clock.now() - dt.timedelta(minutes=5)
    add_board(db, "good", last_state=ScanState.SUCCEEDED, last_success_at=ended)
    add_board(db, "bad", last_state=ScanState.FAILED)
    add_board(db, "still", paused=True)
    with db.session() as session:
        session.add(ScanRun(trigger=RunTrigger.OWNER, state=ScanState.SUCCEEDED, finished_at=ended))
    sums = checks.look(db, connection, settings, by_pages=True).sums
    assert sums is not None
    assert (sums.last_scan, sums.last_success, sums.boards, sums.boards_well) == (ended, ended, 2, 1)


def test_an_old_backup_is_worth_a_look(
    db: Database, connection: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert checked(db, connection, settings)["Backup"].well
    backup.make(db, settings)
    assert checked(db, connection, settings)["Backup"].well
    later = clock.now() + dt.timedelta(days=40)
    monkeypatch.setattr("scout.clock.now", lambda: later)
    assert checked(db, connection, settings)["Backup"].verdict is Verdict.WARNING
    (settings.data_dir / "last_backup.json").write_text("{", encoding="utf-8")
    with captured() as emitted:
        assert checked(db, connection, settings)["Backup"].verdict is Verdict.WARNING
    emitted.assert_incremented(catalogue.APP_ERRORS, type="ScoutError", place="web")


def test_a_database_of_an_older_version_says_what_to_do(tmp_path: Path, away: Redis) -> None:
    chosen = load(
        {"SCOUT_DATA_DIR": str(tmp_path / "new"), "STATSD_EXPORTER_URL": NOBODY, "PUSHGATEWAY_URL": NOBODY}
    )
    chosen.data_dir.mkdir()
    database = Database.open(chosen)
    try:
        found = checks.look(database, away, chosen, by_pages=True)
    finally:
        database.dispose()
    told = {check.part: check for check in found.checks}["Database"]
    assert (told.verdict, told.advice) == (Verdict.BAD, "Run `scout migrate`.")
    assert found.sums is None


def test_boards_left_alone_are_told(
    db: Database, connection: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = add_board(db)
    standing = Standing("https://x.example", CircuitState.OPEN, 600)
    monkeypatch.setattr(watchlist, "left_alone", lambda *_: {board: standing})
    told = checked(db, connection, settings)["Boards left alone"]
    assert told.verdict is Verdict.WARNING
    assert "x.example" in told.advice


def test_where_redis_fails_meanwhile_who_is_left_alone_is_not_known(
    db: Database,
    connection: Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    emitted: Captured,
) -> None:
    def fails(*_: object) -> None:
        raise RedisError

    monkeypatch.setattr(watchlist, "left_alone", fails)
    assert checked(db, connection, settings)["Boards left alone"].verdict is Verdict.WARNING
    emitted.assert_incremented(catalogue.APP_ERRORS, type="RedisError", place="queue")


def test_a_database_that_does_not_answer_is_told_and_the_rest_is_looked_at(
    db: Database,
    connection: Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    emitted: Captured,
) -> None:
    def fails(_: Database) -> None:
        raise SQLAlchemyError

    monkeypatch.setattr(checks, "is_current", fails)
    told = checked(db, connection, settings)
    assert (told["Database"].verdict, told["Database"].text) == (Verdict.BAD, "It does not answer.")
    assert told["Redis"].well
    emitted.assert_incremented(catalogue.APP_ERRORS, type="SQLAlchemyError", place="web")


# --- All of it ----------------------------------------------------------------------------------------------


def made(*verdicts: Verdict, alerts: int = 0, severity: str = "warning") -> report.Report:
    return report.Report(
        at=NOW,
        checks=[Check(part=str(number), verdict=each, text="x") for number, each in enumerate(verdicts)],
        alerts=[prometheus.Alert("A", severity, None, "", "", "")] * alerts,
        sums=None,
    )


@pytest.mark.parametrize(
    ("found", "word", "verdict"),
    [
        (made(Verdict.OK), "All is well", Verdict.OK),
        (made(Verdict.OK, Verdict.WARNING), "1 thing needs a look", Verdict.WARNING),
        (made(Verdict.WARNING, Verdict.BAD), "2 things need a look", Verdict.BAD),
        (made(Verdict.OK, alerts=2), "2 things need a look", Verdict.WARNING),
        (made(Verdict.OK, alerts=1, severity="critical"), "1 thing needs a look", Verdict.BAD),
    ],
)
def test_one_word_says_it_all(found: report.Report, word: str, verdict: Verdict) -> None:
    assert (found.word, found.verdict) == (word, verdict)


def test_what_is_broken_comes_first() -> None:
    found = made(Verdict.WARNING, Verdict.OK, Verdict.BAD)
    assert [check.part for check in found.troubles] == ["2", "0"]


def test_programs_get_the_same(db: Database, connection: Redis, settings: Settings) -> None:
    add_board(db)
    told = json.loads(json.dumps(report.as_dict(report.make(db, connection, settings, by_pages=True))))
    assert told["verdict"] == "bad"
    assert told["sums"]["boards"] == 1
    assert {"part", "verdict", "text", "advice", "version", "since", "when"} == set(told["checks"][0])


# --- The sampler's part -------------------------------------------------------------------------------------


def test_the_sampler_keeps_what_the_exporter_says(
    connection: Redis, settings: Settings, emitted: Captured
) -> None:
    with serving(overview_world.exporter) as exporter, serving(overview_world.gateway) as gateway:
        chosen = with_parts(settings, STATSD_EXPORTER_URL=exporter.origin, PUSHGATEWAY_URL=gateway.origin)
        sampler.remember(chosen, Scans(chosen, connection))
    now = clock.now().timestamp()
    emitted.assert_gauge(catalogue.SAMPLED, lambda at: now - 60 < at <= now, part="metrics")
    looks = json.loads(connection.hget("scout:recent:looks", "1h") or "")
    assert looks[1]["exporters_up.0"] == {"statsd_exporter": 1.0, "pushgateway": 1.0}
    assert looks[1]["memory.0"]


def test_the_sampler_keeps_that_the_exporters_are_away(
    connection: Redis, settings: Settings, emitted: Captured
) -> None:
    sampler.remember(settings, Scans(settings, connection))
    looks = json.loads(connection.hget("scout:recent:looks", "1h") or "")
    assert looks[1] == {"exporters_up.0": {"statsd_exporter": 0.0, "pushgateway": 0.0}}
    emitted.assert_incremented(catalogue.APP_ERRORS, 2, type="Unreachable", place="sampler")
    emitted.assert_no_metrics(catalogue.SAMPLED)
