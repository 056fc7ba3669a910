"""The faults, a function for each kind in `prometheus/drills.yml`: it makes one, waits for alerts, mends it.

Each is the fault itself, not its picture: a process is ended, a lock held, a board answers 500. What an alert
holds back (`alertmanager.yml`) arrives when that one is over, so some are waited for after the repair.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus

import psutil
import yaml
from sqlalchemy import text, update

from metrics.push import JOB
from scout import backup, clock, searches, totp
from scout.models import Account, Message, Source, Tells
from scout.searches import Wish
from scout.settings import PROJECT
from scout.telling import channels, outbox
from tests import kept
from tests.drills import visiting
from tests.drills.drill import Drill, again_and_again
from tests.drills.stack import PASSWORD, Stack
from tests.drills.visiting import Visitor
from tests.serving import reply, serving
from tests.waiting import wait_until

# --- The pipeline -----------------------------------------------------------------------------------------


def exporter_stopped(drill: Drill) -> None:
    """End statsd_exporter, and keep it away."""
    with drill.stack.exporter.away():
        drill.fires("ScoutExporterDown")


def exporter_deaf(drill: Drill) -> None:
    """Have it listen at another port; then have it stop reading again and again while its port is flooded."""
    stack = drill.stack
    elsewhere = stack.exporter.line.replace("$SCOUT_STATSD_PORT", "0")
    with stack.exporter.otherwise(elsewhere):
        drill.fires("ScoutSamplesStopped")
    drill.repaired()
    drill.begins()
    here = ("127.0.0.1", stack.ports["statsd"])
    with socket.socket(type=socket.SOCK_DGRAM) as sender:

        def flood() -> None:
            stack.exporter.send(signal.SIGSTOP)
            try:
                for _ in range(4000):  # twice what the kernel keeps for a socket
                    sender.sendto(b"\n", here)
                time.sleep(0.25)
            finally:
                stack.exporter.send(signal.SIGCONT)

        with again_and_again(flood, 1.0):
            drill.fires("ScoutDatagramsDropped", "ScoutSamplesLost")


def gateway_stopped(drill: Drill) -> None:
    """End the Pushgateway, and scan."""
    stack = drill.stack
    with stack.gateway.away():
        stack.scanned()
        drill.fires("ScoutPushgatewayDown", "ScoutErrorsSwallowed")
    drill.repaired()
    drill.fires("ScoutPushesFail")


def gateway_clash(drill: Drill) -> None:
    """Let the gateway look at types, give it one of our families with another type, and scan."""
    stack = drill.stack
    group = f"{stack.url('gateway')}/metrics/job/stranger"
    looking = stack.gateway.line.replace("--push.disable-consistency-check", "")
    with stack.gateway.otherwise(looking):
        family = b"# TYPE iam_scan_last_new counter\niam_scan_last_new 1\n"
        stack.await_answer("gateway")
        # The groups of our own boards would refuse it: they go, and come back with the next scans.
        for slug in stack.slugs():
            _send("DELETE", f"{stack.url('gateway')}/metrics/job/{JOB}/source/{slug}")
        _send("PUT", group, family)
        stack.scanned()
        drill.fires("ScoutPushRefused")
        _send("DELETE", group)
        stack.scanned()


def _send(method: str, url: str, body: bytes | None = None) -> None:
    urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=10).close()


def mapping_miss(drill: Drill) -> None:
    """Start the exporter with an older file that lets old names through; send those, others, and nonsense."""
    stack = drill.stack
    document = yaml.safe_load(stack.mapping.read_text(encoding="utf-8"))
    older = {"match": r"^old\.(.*)$", "match_type": "regex", "name": "old_$1"}
    rules = [_of_before(rule) for rule in document["mappings"]]
    file = stack.folder / "older.yml"
    file.write_text(
        yaml.safe_dump({**document, "mappings": [*rules[:-1], older, rules[-1]]}), encoding="utf-8"
    )
    here = ("127.0.0.1", stack.ports["statsd"])
    with (
        stack.exporter.otherwise(stack.exporter.line.replace(str(stack.mapping), str(file))),
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):

        def send() -> None:
            for line in (b"stranger:1|c", b"nonsense", b"old.both:1|c", b"old.both:1|g"):
                sender.sendto(line, here)

        with again_and_again(send, 0.5):
            drill.fires("ScoutMappingMiss", "ScoutMappingOld", "ScoutSamplesMalformed", "ScoutMetricConflict")


def _of_before(rule: dict[str, object]) -> dict[str, object]:
    """A rule as a mapping file of another number has it."""
    scale = rule.get("scale")
    return (
        {**rule, "scale": float(str(scale)) + 1}
        if rule.get("name") == "statsd_loaded_mapping_version"
        else rule
    )


def emitted_wrongly(drill: Drill) -> None:
    """Emit what is no number, and values that a label may not have, from a process of ours."""
    with _process(drill, "emit"):
        drill.fires("ScoutClientDrops", "ScoutLabelsOverflow")


@contextlib.contextmanager
def _process(drill: Drill, doing: str) -> Iterator[None]:
    """A process of ours that does something wrong (`tests.drills.wrong`), until the block's end."""
    command = [sys.executable, "-m", "tests.drills.wrong", doing, drill.stack.settings.statsd]
    process = subprocess.Popen(command, cwd=PROJECT, env=drill.stack.environ)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def prometheus_silent(drill: Drill) -> None:
    """End Prometheus; take targets away; break its files; send what is told to where nobody takes it."""
    stack = drill.stack
    with stack.prometheus.away():
        drill.falls_silent()
    drill.repaired()
    if set(drill.wanted) == {"ScoutWatchdog"}:
        return
    drill.until(lambda: stack.ask("up"), "Prometheus' return")
    drill.begins()
    _break_files(drill)
    _take_away(drill)


def _break_files(drill: Drill) -> None:
    stack = drill.stack
    rules = stack.prometheus_folder / "rules" / "own.yml"
    config = stack.prometheus_folder / "prometheus.yml"
    before = config.read_text(encoding="utf-8")
    # Each target meets each: that matches many to many, which no evaluation can.
    rule = {"record": "own:up:sum", "expr": "up * on () group_left () up"}
    rules.write_text(yaml.safe_dump({"groups": [{"name": "own", "rules": [rule]}]}), encoding="utf-8")
    try:
        stack.prometheus.send(signal.SIGHUP)
        drill.until(lambda: "own" in str(stack.rule_groups()), "the rule's loading")
        config.write_text(f"{before}\nnothing that there is: 1\n", encoding="utf-8")
        stack.prometheus.send(signal.SIGHUP)
        stack.targets(node_exporter="127.0.0.1:1")
        drill.fires("ScoutRulesFail", "ScoutConfigNotLoaded", "ScoutTargetDown")
    finally:
        stack.targets()
        # A target that goes in the same moment as the configuration is read again would stay.
        drill.until(lambda: not stack.ask('up{job="node_exporter"}'), "the going of the target")
        rules.unlink()
        config.write_text(before, encoding="utf-8")
        stack.prometheus.send(signal.SIGHUP)
    drill.repaired()
    drill.until(lambda: not stack.told.firing("ScoutRulesFail"), "the end of failing rules")
    drill.begins()


def _take_away(drill: Drill) -> None:
    stack = drill.stack
    stack.targets(scout="", statsd_exporter="")
    try:
        drill.fires("ScoutNothingScraped")
    finally:
        stack.targets()
    drill.repaired()
    drill.begins()
    stack.targets(alertmanager="")
    try:
        drill.shows("ScoutAlertmanagerMissing")
    finally:
        stack.targets()
    drill.repaired()
    drill.begins()
    config = stack.prometheus_folder / "alertmanager.yml"
    before = config.read_text(encoding="utf-8")
    # There is a server, and it knows no such page.
    config.write_text(before.replace(stack.url("receiver"), stack.url("web")), encoding="utf-8")
    stack.alertmanager.send(signal.SIGHUP)
    try:
        drill.until(lambda: "ScoutNotificationsFail" in stack.shown(), "the failing of notifications")
    finally:
        config.write_text(before, encoding="utf-8")
        stack.alertmanager.send(signal.SIGHUP)
    drill.fires("ScoutNotificationsFail")


# --- The parts --------------------------------------------------------------------------------------------


def web_stopped(drill: Drill) -> None:
    """End the web server; then start it with an address for its samples at which nobody listens."""
    stack = drill.stack
    with stack.web.away():
        drill.fires("ScoutWebDown")
    drill.repaired()
    drill.begins()
    with stack.web.otherwise(STATSD_URL="udp://127.0.0.1:9"):
        drill.fires("ScoutWebSilent")


def log_unread(drill: Drill) -> None:
    """Stop whoever reads the web server's log, and ask for pages until its pipe is full."""
    stack = drill.stack
    # Each request has a line of objects; for people only those that failed have one.
    read = f"{{ {stack.web.line}; }} 2>&1 | cat"
    with stack.web.otherwise(read, SCOUT_LOG_FORMAT="json", SCOUT_LOG_LEVEL="info"):
        (reader,) = wait_until(
            lambda: [each for each in stack.web.workers() if each.name() == "cat"], what="who reads the log"
        )
        reader.suspend()
        try:
            with visiting.crowd(stack.visitor, "/sign-in", people=3, pause=0.01):
                drill.fires("ScoutLogLost")
        finally:
            reader.resume()


def scheduler_stopped(drill: Drill) -> None:
    """End the scheduler, and keep it away."""
    with drill.stack.scheduler.away():
        drill.fires("ScoutSchedulerSilent")


def redis_killed(drill: Drill) -> None:
    """Kill Redis, and keep it away."""
    with drill.stack.redis.away():
        drill.fires("ScoutRedisDown")


# --- The database and the disk ----------------------------------------------------------------------------


def database_locked(drill: Drill) -> None:
    """Hold SQLite's write lock while scans are due; then take away tables that scans and sampler need."""
    stack = drill.stack
    with stack.database.session() as session:
        session.execute(update(Source).values(next_scan_at=clock.now()))
    with contextlib.closing(sqlite3.connect(stack.sqlite, timeout=20, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        drill.fires("ScoutDatabaseLocked")
        holder.execute("ROLLBACK")
        drill.repaired()
        others = ("ScoutDatabaseErrors", "ScoutDatabaseNotSampled", "ScoutJobsFail")
        if not set(others) & set(drill.wanted):
            return
        drill.until(lambda: not stack.told.firing("ScoutDatabaseLocked"), "the lock's end")
        drill.begins()
        with _without_tables(holder, "messages", "listings"), again_and_again(stack.scan, 1.0):
            drill.fires(*others)


@contextlib.contextmanager
def _without_tables(connection: sqlite3.Connection, *tables: str) -> Iterator[None]:
    # So that what refers to them goes on to do so by their names.
    connection.execute("PRAGMA legacy_alter_table = ON")
    for table in tables:
        connection.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        for table in tables:
            connection.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


def disk_nearly_full(drill: Drill) -> None:
    """Fill the small disk of the data directory."""
    folder = drill.stack.settings.data_dir
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    try:
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - 400_000_000)
        drill.fires("ScoutDiskNearlyFull", "ScoutDiskFillsUp")
    finally:
        ballast.unlink(missing_ok=True)


def database_stopped(drill: Drill) -> None:
    """Let PostgreSQL stand still for seconds again and again; then end it."""
    stack = drill.stack
    postgres = stack.postgres
    # Longer pauses are met by more who want a connection; in shorter ones more calls are counted as they end.
    for seconds, alert in ((2.5, "ScoutDatabasePoolWait"), (1.4, "ScoutDatabaseSlow")):
        with visiting.crowd(stack.visitor, "/", people=24), _stalls(postgres.processes, seconds):
            drill.fires(alert)
        drill.repaired()
        drill.begins()
    with postgres.away():
        drill.fires("ScoutDatabaseUnreachable")


@contextlib.contextmanager
def _stalls(processes: Callable[[], list[int]], seconds: float) -> Iterator[None]:
    def stall() -> None:
        stopped = processes()
        try:
            _signalled(stopped, signal.SIGSTOP)
            time.sleep(seconds)
        finally:
            _signalled(stopped, signal.SIGCONT)

    # So little time between two that most callers meet one, however fast the machine.
    with again_and_again(stall, 0.1):
        yield


def _signalled(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def no_backup(drill: Drill) -> None:
    """Make a backup, and set back when that was."""
    stack = drill.stack
    backup.make(stack.database, stack.settings)
    record = stack.settings.data_dir / "last_backup.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    told["made_at"] = (clock.now() - dt.timedelta(days=9)).isoformat()
    record.write_text(json.dumps(told), encoding="utf-8")
    drill.fires("ScoutBackupOld")
    backup.make(stack.database, stack.settings)


# --- The workers and the boards ---------------------------------------------------------------------------


def worker_hung(drill: Drill) -> None:
    """Stop one worker; kill those that run jobs, while boards hang; stop all workers; end them."""
    stack = drill.stack
    with _stopped(stack.workers.workers()[:1]):
        drill.fires("ScoutWorkerHung")
    drill.repaired()
    drill.begins()
    others = set(drill.wanted) - {"ScoutWorkerHung"}
    if not others:
        return
    stack.misbehave("*", "hang", seconds=60)
    try:
        stack.scan()
        with again_and_again(lambda: _kill_horses(stack.workers.workers()), 1.0):
            drill.fires("ScoutJobsKilled", "ScoutScansParked")
    finally:
        stack.misbehave()
    drill.repaired()
    drill.begins()
    with _stopped(stack.workers.workers()):
        stack.scan()
        drill.fires("ScoutQueueStuck")
    drill.repaired()
    drill.begins()
    with stack.workers.away(signal.SIGTERM):
        drill.fires("ScoutWorkersGone")
    drill.repaired()


@contextlib.contextmanager
def _stopped(processes: list[psutil.Process]) -> Iterator[None]:
    for each in processes:
        each.suspend()
    try:
        yield
    finally:
        for each in processes:
            each.resume()


def _kill_horses(workers: list[psutil.Process]) -> None:
    for worker in workers:
        with contextlib.suppress(psutil.NoSuchProcess):
            for horse in worker.children():
                horse.kill()


def board_returns_500(drill: Drill) -> None:
    """Let boards lead to where we do not go, lose the titles of their postings, and answer 500."""
    stack = drill.stack
    kind = stack.slugs("greenhouse")
    if "ScoutFetchesBlocked" in drill.wanted:
        stack.misbehave("*", "redirect_inside")
        stack.scanned()
        drill.fires("ScoutFetchesBlocked")
        stack.misbehave()
        drill.repaired()
        drill.begins()
        with stack.boards.otherwise('exec "$SCOUT_PYTHON" -m tests.drills.unreadable $SCOUT_DEMO_PORT'):
            stack.await_answer("boards")
            # Until they are a fifth of what the drills before this one had read of such boards.
            with again_and_again(lambda: stack.scanned(*kind), 0.5):
                drill.fires("ScoutPostingsUnread")
        drill.repaired()
        stack.await_answer("boards")

        def scan_anew() -> None:
            stack.move_on()  # an answer that did not change is not read again
            stack.scanned()

        def is_forgotten() -> bool:
            return stack.well() and not stack.told.now() & {"ScoutPostingsUnread", "ScoutBoardsFailing"}

        # As many good ones as it takes for the others to be few.
        with again_and_again(scan_anew, 0.5):
            drill.until(is_forgotten, "the reading of postings again")
        drill.begins()
    stack.misbehave("*", "500")
    try:
        # Asked for again and again, not waited for: a scan at a host that is left alone is put off.
        with again_and_again(stack.scan, 2.0):
            drill.fires("ScoutBoardsFailing")
            drill.fires("ScoutHostsLeftAlone")
    finally:
        stack.misbehave()
    drill.repaired()
    with again_and_again(stack.scan, 5.0):
        drill.until(stack.well, "scans that succeed again")


def stale_scan(drill: Drill) -> None:
    """Let all boards fail, and set back when they last were read; then let all but one be read."""
    stack = drill.stack
    stack.misbehave("*", "500")
    try:
        with stack.database.session() as session:
            session.execute(update(Source).values(last_success_at=clock.now() - dt.timedelta(days=3)))
        stack.scanned()
        drill.fires("ScoutNoSuccessfulScan", "ScoutFreshnessBudgetBurnsFast")
        if "ScoutBoardStale" in drill.wanted:
            _, *others = stack.slugs()
            for slug in others:
                stack.misbehave(stack.board(slug))
            drill.repaired()
            drill.begins()
            stack.scanned(*others)
            drill.fires("ScoutBoardStale")
    finally:
        stack.misbehave()
    drill.repaired()
    stack.scanned()


def channel_refuses(drill: Drill) -> None:
    """Let a channel's server refuse messages, one of which has failed often already."""
    stack = drill.stack
    answers = [reply(b"no", 500)]
    with serving(lambda _: answers[-1]) as server:
        file = stack.settings.channels_file
        file.write_text(f"hook = json://127.0.0.1:{server.port}/?cto=1&rto=1\n", encoding="utf-8")
        file.chmod(0o600)
        with stack.database.session() as session:
            for name in ("One", "Another"):
                wish = Wish(name=name, query={}, tells=Tells.INSTANT, channels=("hook",), timezone="UTC")
                searches.add(session, wish, channels.load(stack.settings))
        with stack.database.session() as session:
            kept.job(session, "A drill's job", first_seen_at=clock.now(), score=70)
        drill.until(lambda: len(server.asked) >= 2, "the first tries")
        with stack.database.session() as session:
            one = session.query(Message).order_by(Message.id).first()
            assert one is not None
            soon = {"attempts": outbox.TRIES - 1, "next_try_at": clock.now()}
            session.execute(update(Message).where(Message.id == one.id).values(**soon))
        drill.fires("ScoutMessagesParked", "ScoutMessagesLate")
        answers.append(reply(b"yes"))
        with stack.database.session() as session:
            outbox.take_up_parked(session)
            session.execute(update(Message).values(next_try_at=clock.now()))
        drill.repaired()
        drill.until(lambda: not stack.waiting_messages(), "the messages' way out")


# --- The pages --------------------------------------------------------------------------------------------


def burst_of_5xx(drill: Drill) -> None:
    """Spoil a job that is stored, and ask for its page a hundred times."""
    stack = drill.stack
    with stack.database.session() as session:
        job = kept.job(session, "A spoilt job").id
    spoil = text("UPDATE jobs SET reasons = :written WHERE id = :job")
    with stack.database.session() as session:
        session.execute(spoil, {"written": "[", "job": job})
    try:
        with visiting.crowd(stack.visitor, f"/jobs/{job}", people=3, pause=0.2):
            drill.fires("ScoutServerErrorBurst", "ScoutAvailabilityBudgetBurnsFast")
    finally:
        with stack.database.session() as session:
            session.execute(spoil, {"written": "[]", "job": job})
    drill.repaired()
    drill.fires("ScoutRouteFailing", "ScoutUncaughtExceptions")


def slow_pages(drill: Drill) -> None:
    """Hold all threads; then let the database stand still for seconds under more people than threads."""
    stack = drill.stack
    with visiting.half_requests(("127.0.0.1", stack.ports["web"]), 60):
        drill.fires("ScoutThreadsExhausted")
    drill.repaired()
    drill.begins()
    with visiting.crowd(stack.visitor, "/", people=24), _stalls(stack.postgres.processes, seconds=2.5):
        drill.fires("ScoutPagesSlow", "ScoutLatencyBudgetBurnsFast")


def web_worker_killed(drill: Drill) -> None:
    """Kill gunicorn's workers again and again; let a process of ours hold memory and files."""
    stack = drill.stack

    def kill_one() -> None:
        stack.web.workers()[0].kill()

    with again_and_again(kill_one, 3.0):  # each has begun to send by then
        drill.fires("ScoutWebWorkersDying", "ScoutProcessesKilled")
    drill.repaired()
    drill.begins()
    with _process(drill, "hold_files"):
        drill.fires("ScoutFilesRunOut")
    drill.repaired()
    drill.begins()
    with _process(drill, "hold_memory"):
        drill.fires("ScoutMemoryHigh")


def intruder(drill: Drill) -> None:
    """Try codes after the right password, then passwords; send forms and tokens that are not ours."""
    stack = drill.stack
    knowing, guessing = Visitor(stack.url("web")), Visitor(stack.url("web"))
    with _codes_asked_for(stack):
        # The process that answers may be killed at that moment, by the drill beside this one.
        drill.until(lambda: knowing.sign_in(PASSWORD) == HTTPStatus.OK, "the right password")
        token = knowing.token("/sign-in/code")
        with again_and_again(lambda: knowing.post("/sign-in/code", code="000000", csrf_token=token), 0.3):
            drill.fires("ScoutCodesRefused")
    drill.repaired()
    drill.begins()
    form = guessing.token("/sign-in")

    def guess() -> None:
        guessing.post("/sign-in", password="a guess", csrf_token=form)
        guessing.post("/sign-in", password="forged")
        guessing.get("/api/v1/jobs", Authorization="Bearer scout_nobody")

    with again_and_again(guess, 0.2):
        drill.fires("ScoutSignInsRefused", "ScoutForgedRequests", "ScoutTokensRefused")


@contextlib.contextmanager
def _codes_asked_for(stack: Stack) -> Iterator[None]:
    with stack.database.session() as session:
        account = session.get_one(Account, 1)
        account.totp_on_at, account.totp_salt = clock.now(), "of a drill"
    try:
        yield
    finally:
        with stack.database.session() as session:
            totp.off(session)


FAULTS: dict[str, Callable[[Drill], None]] = {
    fault.__name__: fault
    for fault in (
        exporter_stopped, exporter_deaf, gateway_stopped, gateway_clash, prometheus_silent,
        mapping_miss, emitted_wrongly, log_unread, web_stopped, scheduler_stopped, redis_killed,
        database_locked, database_stopped, worker_hung, board_returns_500, stale_scan,
        burst_of_5xx, slow_pages, web_worker_killed, disk_nearly_full, channel_refuses, no_backup,
        intruder,
    )
}  # fmt: skip
"""Every kind of fault, by its name in `prometheus/drills.yml`."""
