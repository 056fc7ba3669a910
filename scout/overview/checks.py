"""Each part looked at: whether it is well, in words, what to do if not, its version, and since when it runs.

`scout doctor` looks from outside and sends probes; these looks are quick, send nothing and are all done at
once, so that a page can show them.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import redis
from rq import Worker
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from metrics import catalogue, forms, mapping
from metrics.instruments import count_error
from metrics.quantities import Quantity, said
from scout import backup, clock, queue, watchlist
from scout.database import Database, is_current, stored_bytes
from scout.database import version as database_version
from scout.errors import ScoutError
from scout.models import Message, MessageState, ScanRun, Source
from scout.neighbours import Unreachable
from scout.overview import asking, prometheus, recollection
from scout.overview.prometheus import About, Alert
from scout.stack import examination
from scout.stack.examination import Finding, Verdict
from scout.telling import outbox

if TYPE_CHECKING:
    from redis import Redis
    from sqlalchemy.orm import Session

    from scout.settings import Settings

#: Times of its usual pause after which the last scan is too long ago.
_LATE = 3
#: A backup older than this is worth a word.
_OLD_BACKUP = dt.timedelta(days=30)
#: Seconds after which the sampler, which comes every 30, is missed.
_SAMPLER_MISSED = 120
#: How many names a sentence takes.
_NAMED = 3
_BUILD = ("statsd_exporter_build_info", "pushgateway_build_info", "process_start_time_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How one part is.

    Attributes:
        part: Its name, for people.
        verdict: How it fares.
        text: What was found, as a short sentence.
        advice: What to do; empty when it is well.
        version: Of the part; empty where it has none or told none.
        since: When it began to run, where that is known; or another time that matters.
        when: What that time is.
    """

    part: str
    verdict: Verdict
    text: str
    advice: str = ""
    version: str = ""
    since: dt.datetime | None = None
    when: Literal["started", "last success", "made"] = "started"

    @property
    def well(self) -> bool:
        """Whether there is nothing to do."""
        return self.verdict is Verdict.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a job seeker wants to know, and no more.

    Attributes:
        last_scan: When the last scan ended.
        last_success: When a board's scan last succeeded.
        boards: How many are watched and not paused.
        boards_well: How many of them are well, or were not scanned yet.
        sent: Messages that went out in the last 24 hours.
        waiting: Messages that wait, to be tried again or for their hour.
        parked: Messages that failed too often.
    """

    last_scan: dt.datetime | None
    last_success: dt.datetime | None
    boards: int
    boards_well: int
    sent: int
    waiting: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that was found.

    Attributes:
        checks: Every part.
        alerts: The alerts that Prometheus says fire.
        sums: The sums; None while the database does not answer.
    """

    checks: list[Check]
    alerts: list[Alert]
    sums: Sums | None


def look(db: Database, connection: Redis, settings: Settings, *, by_pages: bool) -> Found:
    """Look at everything, in two seconds or little more, whatever hangs.

    Args:
        db: The database.
        connection: Redis.
        settings: Where the parts are.
        by_pages: Whether it is the web server that looks: it need not ask itself whether it answers.
    """
    questions: dict[str, Any] = {
        "redis": partial(_redis, connection),
        "exporter": lambda: asking.page("exporter", f"{settings.exporter}/metrics"),
        "gateway": lambda: asking.page("gateway", f"{settings.pushgateway}/metrics"),
    }
    if not by_pages:
        questions["pages"] = partial(examination.pages, settings, "Start everything with `scout up`.")
    if settings.prometheus_url:
        questions["prometheus"] = partial(prometheus.about, settings.prometheus_url)
        questions["alerts"] = partial(prometheus.alerts, settings.prometheus_url)
    answers: dict[str, Any] = asking.at_once(questions)
    for answer in answers.values():
        # What of a part is foreseen is told below; anything else is a fault of ours.
        if isinstance(answer, Exception) and not isinstance(answer, (Unreachable, redis.RedisError)):
            raise answer
    exporter = answers["exporter"]
    page = None if isinstance(exporter, Exception) else _page(exporter)
    checks = [_pages(page, answers.get("pages"))]
    checks += _of_redis(answers["redis"], _started(page, "scheduler"))
    of_database, sums = _of_database(db, connection, settings, redis_answers=not _failed(answers["redis"]))
    checks += of_database
    checks.append(_disk(settings))
    checks.append(_backup(settings))
    checks.append(_exporter(page, exporter))
    checks.append(_gateway(answers["gateway"]))
    alerts: list[Alert] = []
    if settings.prometheus_url:
        checks.append(_prometheus(answers["prometheus"], answers["alerts"]))
        if not _failed(answers["alerts"]):
            alerts = answers["alerts"]
    return Found(checks=checks, alerts=alerts, sums=sums)


def _failed(answer: object) -> bool:
    return isinstance(answer, Exception)


# --- The program's processes --------------------------------------------------------------------------------


def _page(text: str) -> forms.Page:
    wanted = (catalogue.PROCESS_START.name, catalogue.LOADED_MAPPING_VERSION.name, *_BUILD)
    return forms.read(text, wanted)


def _pages(page: forms.Page | None, asked: Finding | Exception | None) -> Check:
    """The web server, by what it told the exporter, and by asking it where somebody else looks."""
    version = importlib.metadata.version("iam-job-scout")
    if isinstance(asked, Exception):
        text = f"They cannot be asked: {asked}."
        return Check(part="Pages", verdict=Verdict.BAD, text=text, version=version)
    if asked is not None and asked.verdict is not Verdict.OK:
        text = f"They {asked.text}."
        return Check(part="Pages", verdict=asked.verdict, text=text, advice=asked.advice, version=version)
    started = _starts(page, "web")
    if page is None:
        text = "They answer. How many processes there are is not known."
        return Check(part="Pages", verdict=Verdict.OK, text=text, version=version)
    if not started:
        text = "They answer, but told nothing of themselves in the last half minute."
        advice = "Their metrics do not arrive: `scout metrics doctor` says where they are lost."
        return Check(part="Pages", verdict=Verdict.WARNING, text=text, advice=advice, version=version)
    count = len(started)
    text = f"{count} {'process is' if count == 1 else 'processes are'} at work."
    return Check(part="Pages", verdict=Verdict.OK, text=text, version=version, since=_moment(min(started)))


def _starts(page: forms.Page | None, role: str) -> list[float]:
    """When the processes of a role began, in Unix time."""
    told = (page or {}).get(catalogue.PROCESS_START.name, [])
    return [value for labels, value in told if labels.get("role") == role]


def _started(page: forms.Page | None, role: str) -> dt.datetime | None:
    return _moment(min(starts)) if (starts := _starts(page, role)) else None


@dataclass(frozen=True, slots=True)
class _OfRedis:
    """What Redis tells of itself and of who works by it."""

    info: dict[str, Any]
    workers: list[tuple[str, dt.datetime | None]]
    scheduler: bool
    sampled: dt.datetime | None


def _redis(connection: Redis) -> _OfRedis:
    info: Any = connection.info()
    workers = [(str(each.get_state()), each.birth_date) for each in Worker.all(connection=connection)]
    scheduler = bool(connection.exists(queue.SCHEDULER_LOCK))
    return _OfRedis(info, workers, scheduler, recollection.last_look(connection))


def _of_redis(answer: _OfRedis | Exception, scheduler_since: dt.datetime | None) -> Iterator[Check]:
    away = "It is not known while Redis does not answer."
    if isinstance(answer, Exception):
        count_error(answer, "queue")
        advice = "See the lines of `scout up`; if REDIS_URL is set, see that a Redis runs there."
        text = "It does not answer, so nothing can be scanned."
        yield Check(part="Scan workers", verdict=Verdict.WARNING, text=away)
        yield Check(part="Scheduler", verdict=Verdict.WARNING, text=away)
        yield Check(part="Redis", verdict=Verdict.BAD, text=text, advice=advice)
        return
    yield _workers(answer)
    yield _scheduler(answer, scheduler_since)
    memory = said(float(answer.info.get("used_memory", 0)), Quantity.BYTES)
    uptime = float(answer.info.get("uptime_in_seconds", 0))
    yield Check(
        part="Redis",
        verdict=Verdict.OK,
        text=f"It answers, and holds {memory}.",
        version=f"Redis {answer.info.get('redis_version', '')}".rstrip(),
        since=clock.now() - dt.timedelta(seconds=uptime),
    )


def _workers(answer: _OfRedis) -> Check:
    count = len(answer.workers)
    if not count:
        text, advice = "None is at work, so nothing is scanned.", "Start everything with `scout up`."
        return Check(part="Scan workers", verdict=Verdict.BAD, text=text, advice=advice)
    busy = sum(state == "busy" for state, _ in answer.workers)
    began = [each.replace(tzinfo=each.tzinfo or dt.UTC) for _, each in answer.workers if each]
    return Check(
        part="Scan workers",
        verdict=Verdict.OK,
        text=f"{count} {'is' if count == 1 else 'are'} at work, {busy or 'none'} busy.",
        since=min(began, default=None),
    )


def _scheduler(answer: _OfRedis, since: dt.datetime | None) -> Check:
    if not answer.scheduler:
        text, advice = "None is at work, so no scan begins by itself.", "Start everything with `scout up`."
        return Check(part="Scheduler", verdict=Verdict.BAD, text=text, advice=advice)
    if answer.sampled is None:
        return Check(part="Scheduler", verdict=Verdict.OK, text="It is at work, and began a moment ago.")
    silent = (clock.now() - answer.sampled).total_seconds()
    if silent > _SAMPLER_MISSED:
        text = f"It is at work, but kept no figures for {silent / 60:.0f} min."
        return Check(
            part="Scheduler", verdict=Verdict.WARNING, text=text, advice="See its lines in `scout up`."
        )
    return Check(part="Scheduler", verdict=Verdict.OK, text="It is at work, and keeps figures.", since=since)


# --- The database, and what it tells ------------------------------------------------------------------------


def _of_database(
    db: Database, connection: Redis, settings: Settings, *, redis_answers: bool
) -> tuple[list[Check], Sums | None]:
    try:
        if not is_current(db):
            text = "Its tables are not those of this version."
            check = Check(part="Database", verdict=Verdict.BAD, text=text, advice="Run `scout migrate`.")
            return [check], None
        with db.reading() as session:
            size = said(float(stored_bytes(session)), Quantity.BYTES)
            checks = [
                Check(
                    part="Database",
                    verdict=Verdict.OK,
                    text=f"It answers, holds {size}, and its tables are up to date.",
                    version=database_version(session),
                )
            ]
            every = watchlist.every(session)
            sums = _sums(session, every)
            checks += [_scans(every, sums, settings), _boards(every), _messages(session, sums)]
        if redis_answers:
            checks.append(_left_alone(connection, every))
    except (SQLAlchemyError, ScoutError) as error:
        count_error(error, "web")
        text = "It does not answer."
        advice = "Is there room on its disk, and may its file be read? `scout doctor` says more."
        return [Check(part="Database", verdict=Verdict.BAD, text=text, advice=advice)], None
    return checks, sums


def _sums(session: Session, every: Sequence[Source]) -> Sums:
    active = [source for source in every if not source.paused]
    health = Counter(watchlist.health(source) for source in active)
    day_ago = clock.now() - dt.timedelta(days=1)
    states = dict(
        session.execute(
            select(Message.state, func.count())
            .where(Message.state.in_((MessageState.WAITING, MessageState.PARKED)))
            .group_by(Message.state)
        ).all()
    )
    return Sums(
        last_scan=session.scalar(select(func.max(ScanRun.finished_at))),
        last_success=max((each.last_success_at for each in every if each.last_success_at), default=None),
        boards=len(active),
        boards_well=health["ok"] + health["new"],
        sent=session.scalar(
            select(func.count()).where(Message.state == MessageState.SENT, Message.sent_at >= day_ago)
        )
        or 0,
        waiting=states.get(MessageState.WAITING, 0),
        parked=states.get(MessageState.PARKED, 0),
    )


def _scans(every: Sequence[Source], sums: Sums, settings: Settings) -> Check:
    """Whether scans come as often as they should: by the boards' own pauses, as most of them are."""
    active = [source for source in every if not source.paused]
    if not active:
        text = "No board is watched." if not every else "All boards are paused."
        return Check(
            part="Scans", verdict=Verdict.OK, text=text, advice="Add or resume one on the page of boards."
        )
    if sums.last_success is None:
        return Check(part="Scans", verdict=Verdict.OK, text="None has succeeded yet.")
    usual = statistics.median(each.interval_minutes or settings.scan_interval_minutes for each in active)
    # A board that seldom changes is asked up to four times less often.
    patience = dt.timedelta(minutes=max(usual * 4 * _LATE, 60))
    if settings.quiet_hours or any(each.quiet_hours for each in active):
        patience += dt.timedelta(hours=24)
    if clock.now() - sums.last_success > patience:
        text = "No board's scan succeeded for a long time."
        advice = "See the page of boards for why, and that the scheduler and the scan workers are at work."
        return Check(
            part="Scans",
            verdict=Verdict.BAD,
            text=text,
            advice=advice,
            since=sums.last_success,
            when="last success",
        )
    text = "They go on as planned."
    return Check(part="Scans", verdict=Verdict.OK, text=text, since=sums.last_success, when="last success")


def _boards(every: Sequence[Source]) -> Check:
    health = Counter(watchlist.health(source) for source in every)
    failing = [source.name for source in every if watchlist.health(source) == "failing"]
    parts = [
        f"{count} {word}" for word in ("ok", "new", "partial", "failing", "paused") if (count := health[word])
    ]
    text = f"{len(every)} watched: {', '.join(parts)}." if every else "None is watched."
    if failing:
        advice = f"The page of boards says why: {_list(failing)}."
        return Check(part="Boards", verdict=Verdict.WARNING, text=text, advice=advice)
    return Check(part="Boards", verdict=Verdict.OK, text=text)


def _messages(session: Session, sums: Sums) -> Check:
    """The channels: those whose last tries failed are named."""
    failing = outbox.failing(session)
    text = f"{sums.sent} sent in the last 24 hours"
    text += f", {sums.waiting} waiting" if sums.waiting else ""
    text += f", {sums.parked} given up" if sums.parked else ""
    if failing:
        told = "; ".join(f"{channel}: {_sentence(reason)}" for channel, reason in failing[:_NAMED])
        verdict = Verdict.BAD if sums.parked else Verdict.WARNING
        advice = f"{told} Mend the channel; what was given up is sent by `scout searches tell --parked`."
        return Check(part="Messages", verdict=verdict, text=f"{text}.", advice=advice)
    return Check(part="Messages", verdict=Verdict.OK, text=f"{text}.")


def _left_alone(connection: Redis, every: Sequence[Source]) -> Check:
    part = "Boards left alone"
    try:
        standings = watchlist.left_alone(connection, every)
    except redis.RedisError as error:
        count_error(error, "queue")
        text = "It is not known while Redis does not answer."
        return Check(part=part, verdict=Verdict.WARNING, text=text)
    if not standings:
        return Check(part=part, verdict=Verdict.OK, text="None: all are asked as usual.")
    told = " ".join(watchlist.told(each) for each in list(standings.values())[:_NAMED])
    text = f"{len(standings)} for a while."
    return Check(
        part=part, verdict=Verdict.WARNING, text=text, advice=f"{told} They are asked again by themselves."
    )


# --- Disk and backup ----------------------------------------------------------------------------------------


def _disk(settings: Settings) -> Check:
    found = examination.disk(settings)
    return Check(part="Disk", verdict=found.verdict, text=f"{found.text}.", advice=found.advice)


def _backup(settings: Settings) -> Check:
    try:
        made = backup.last(settings)
    except ScoutError as error:
        count_error(error, "web")
        return Check(
            part="Backup", verdict=Verdict.WARNING, text="The last one is not known.", advice=str(error)
        )
    if made is None:
        text = "None was made yet: `scout backup` makes one."
        return Check(part="Backup", verdict=Verdict.OK, text=text)
    size = said(float(made.bytes), Quantity.BYTES)
    old = clock.now() - made.made_at > _OLD_BACKUP
    return Check(
        part="Backup",
        verdict=Verdict.WARNING if old else Verdict.OK,
        text=f"The last one holds {size}.",
        advice="It is old: `scout backup` makes a new one." if old else "",
        since=made.made_at,
        when="made",
    )


# --- Metrics ------------------------------------------------------------------------------------------------


def _exporter(page: forms.Page | None, answer: object) -> Check:
    part = "StatsD exporter"
    if page is None:
        advice = (
            "See the lines of `scout up`; if STATSD_EXPORTER_URL is set, see that an exporter runs there."
        )
        text = f"Its page cannot be read: {answer}. Figures of this time are lost."
        return Check(part=part, verdict=Verdict.BAD, text=text, advice=advice)
    version, since = _build(page)
    loaded = [value for _, value in page.get(catalogue.LOADED_MAPPING_VERSION.name, [])]
    if loaded and loaded[0] != mapping.version():
        text = "It answers, but has other rules than this program."
        advice = "Restart it, or reload it with SIGHUP, so that it reads statsd-exporter-mapping.yml again."
        return Check(
            part=part, verdict=Verdict.WARNING, text=text, advice=advice, version=version, since=since
        )
    if not loaded:
        text = "It answers, but no figure of ours arrived in the last half minute."
        advice = "`scout metrics doctor` says where they are lost."
        return Check(
            part=part, verdict=Verdict.WARNING, text=text, advice=advice, version=version, since=since
        )
    return Check(part=part, verdict=Verdict.OK, text="Figures arrive.", version=version, since=since)


def _gateway(answer: object) -> Check:
    part = "Pushgateway"
    if not isinstance(answer, str):
        advice = "See the lines of `scout up`; if PUSHGATEWAY_URL is set, see that a Pushgateway runs there."
        text = f"Its page cannot be read: {answer}. Results of scans are not shown in dashboards."
        return Check(part=part, verdict=Verdict.BAD, text=text, advice=advice)
    page = forms.read(answer, (*_BUILD, catalogue.SCAN_LAST_RUN.name))
    version, since = _build(page)
    groups = len(page.get(catalogue.SCAN_LAST_RUN.name, []))
    text = f"It answers, and holds results of {groups} {'board' if groups == 1 else 'boards'}."
    return Check(part=part, verdict=Verdict.OK, text=text, version=version, since=since)


def _prometheus(answer: About | Exception, alerts: object) -> Check:
    if isinstance(answer, Exception):
        text = f"It cannot be asked: {answer}."
        advice = "Start it, or correct PROMETHEUS_URL. Until then plots are drawn from what is kept here."
        return Check(part="Prometheus", verdict=Verdict.BAD, text=text, advice=advice)
    text = "It answers." if not _failed(alerts) else f"It answers, but does not tell its alerts: {alerts}."
    verdict = Verdict.WARNING if _failed(alerts) else Verdict.OK
    return Check(part="Prometheus", verdict=verdict, text=text, version=answer.version, since=answer.since)


def _build(page: forms.Page) -> tuple[str, dt.datetime | None]:
    builds = [labels for name in _BUILD[:2] for labels, _ in page.get(name, [])]
    version = builds[0].get("version", "") if builds else ""
    started = [value for _, value in page.get(_BUILD[2], [])]
    return re.sub(r"[^\w.+-]", "", version)[:40], _moment(started[0]) if started else None


def _moment(seconds: float) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _list(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _sentence(text: str) -> str:
    line = (text.strip().splitlines() or [""])[0][:200]
    return line if line.endswith(".") else f"{line}."
