"""The stack that drills run on: the real programs, started by the lines and files that are used in earnest.

Beside the ports, two things differ from `make run` with the watchers beside it: durations are shorter
(`shorter`), and the boards are those of the simulator.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from demo.boards import BOARDS, overrides
from metrics.watch import rules
from metrics.watch.rules import read_yaml
from scout import runs, watchlist
from scout.database import Database
from scout.models import RunTrigger, ScanRun
from scout.queue import Scans
from scout.settings import PROJECT, load
from scout.stack import answers, redis, start
from scout.telling import outbox
from tests.components import find, need
from tests.drills import shorter
from tests.drills.parts import Part
from tests.drills.postgres import Postgres
from tests.drills.told import Told, receiving
from tests.drills.visiting import Visitor
from tests.ports import free_port
from tests.waiting import wait_until

PASSWORD = "drill"
#: The kinds of boards that are watched: two boards of the first, so that one of its origin can fail alone.
_KINDS = ("greenhouse", "lever", "ashby", "recruitee", "personio")
#: The port of the receiver in prometheus/alertmanager.yml.
_RECEIVER = "http://127.0.0.1:9099"
_PROGRAMS = {
    "SCOUT_REDIS_SERVER": "redis-server",
    "SCOUT_STATSD_EXPORTER": "statsd_exporter",
    "SCOUT_PUSHGATEWAY": "prometheus-pushgateway",
}
_SCOUT = [sys.executable, "-c", "from scout.cli import main; main()"]


class Stack:
    """A running stack and those who watch it.

    Args:
        folder: Where its files go.
        data: The data directory.
        postgres: Its database; SQLite in the data directory if there is none.
    """

    def __init__(self, folder: Path, data: Path, postgres: Postgres | None = None) -> None:
        self.folder = folder
        self._postgres = postgres
        names = ("web", "statsd", "exporter", "gateway", "prometheus", "alertmanager", "receiver", "boards")
        self.ports = {name: free_port() for name in names}
        temporary = folder / "tmp"
        temporary.mkdir()
        self.prometheus_folder = folder / "prometheus"
        given = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SCOUT_")},
            # The slots of processes are remembered there: others of this machine are none of ours.
            "TMPDIR": str(temporary),
            "SCOUT_DATA_DIR": str(data),
            "DATABASE_URL": postgres.url if postgres else "",
            "SCOUT_PASSWORD": PASSWORD,
            "SCOUT_STARTER_BOARDS": "0",
            "SCOUT_ORIGIN_OVERRIDES": overrides(self.url("boards")),
            "SCOUT_PORT": str(self.ports["web"]),
            "SCOUT_STATSD_PORT": str(self.ports["statsd"]),
            "SCOUT_EXPORTER_PORT": str(self.ports["exporter"]),
            "SCOUT_PUSHGATEWAY_PORT": str(self.ports["gateway"]),
            "PROMETHEUS_URL": self.url("prometheus"),
            # Drills ask for the scans that they need.
            "SCOUT_SCAN_INTERVAL_MINUTES": "10080",
            "SCOUT_LEASE_SECONDS": "2",
            "SCOUT_LOG_LEVEL": "error",
        }
        self.settings = load(given)
        self.environ = {
            **start.environment(self.settings, given),
            **{variable: str(find(program) or need(program)) for variable, program in _PROGRAMS.items()},
            "SCOUT_DEMO_PORT": str(self.ports["boards"]),
        }
        lines = {name: self._line(line) for name, line in start.procfile().items()}
        self.mapping = folder / "mapping.yml"
        shorter.write(shorter.mapping(read_yaml(PROJECT / "statsd-exporter-mapping.yml")), self.mapping)
        self._parts: list[Part] = []
        self.redis = self._part("redis", lines["redis"])
        self.exporter = self._part("exporter", lines["exporter"])
        self.gateway = self._part("gateway", lines["gateway"])
        self.boards = self._part("boards", lines["boards"] + " --tick 0 --no-validators")
        self.web = self._part("web", lines["web"])
        self.workers = self._part("workers", lines["workers"])
        self.scheduler = self._part("scheduler", lines["scheduler"])
        self.alertmanager = self._part("alertmanager", self._line_of_alertmanager())
        self.prometheus = self._part("prometheus", self._line_of_prometheus())
        self.told = Told()
        self.visitor = Visitor(self.url("web"))
        alerts = rules.load(PROJECT / "prometheus" / "rules").alerts
        #: Whose end nobody is told (`send_resolved: false`).
        self.never_told_over = {alert.name for alert in alerts if alert.severity == "info"}
        self._database: Database | None = None
        self._queue: Scans | None = None

    def _line(self, line: str) -> str:
        """A line of the Procfile, with the shorter mapping file and shorter pauses."""
        line = line.replace("statsd-exporter-mapping.yml", f'"{self.folder / "mapping.yml"}"')
        if any(f"-m {module}" in line for module in ("gunicorn", "workers")):
            line = line.replace(" -m ", " -m tests.drills.quick ")
        return line

    def _line_of_alertmanager(self) -> str:
        config = self.prometheus_folder / "alertmanager.yml"
        return (
            f"exec {need('prometheus-alertmanager')} --config.file={config}"
            f" --storage.path={self.folder / 'alertmanager'} --cluster.listen-address="
            f" --web.listen-address={self.address('alertmanager')}"
        )

    def _line_of_prometheus(self) -> str:
        return (
            f"exec {need('prometheus')} --config.file={self.prometheus_folder / 'prometheus.yml'}"
            f" --storage.tsdb.path={self.folder / 'tsdb'} --web.listen-address={self.address('prometheus')}"
            # Their own defaults, shortened: five minutes, and a minute.
            f" --query.lookback-delta={shorter.duration('5m')} --rules.alert.resend-delay=2s"
        )

    def _part(self, name: str, line: str) -> Part:
        part = Part(name, line, self.environ, self.folder / f"{name}.log")
        self._parts.append(part)
        return part

    def address(self, part: str) -> str:
        """Where a part listens, as `host:port`."""
        return f"127.0.0.1:{self.ports[part]}"

    def url(self, part: str) -> str:
        """The same as a web address."""
        return f"http://{self.address(part)}"

    # --- Its files ----------------------------------------------------------------------------------------

    def targets(self, **further: str) -> None:
        """Say what Prometheus scrapes: what runs here, and what a drill says besides."""
        here = {
            "statsd_exporter": self.address("exporter"),
            "pushgateway": self.address("gateway"),
            "scout": self.address("web"),
            "prometheus": self.address("prometheus"),
            "alertmanager": self.address("alertmanager"),
            **further,
        }
        for path in (self.prometheus_folder / "targets").glob("*.yml"):
            address = here.get(path.stem)
            # Written beside and put in its place: Prometheus may look at any moment.
            new = path.with_suffix(".new")
            new.write_text(json.dumps([{"targets": [address]}] if address else []), encoding="utf-8")
            new.replace(path)

    def write_watchers_files(self) -> None:
        """Write the files of `prometheus/`, shortened, with the addresses of this stack."""
        place = self.prometheus_folder
        shutil.copytree(PROJECT / "prometheus", place)
        for path in (place / "prometheus.yml", place / "alertmanager.yml", *(place / "rules").glob("*.yml")):
            shorter.rewrite(path)
        config = place / "alertmanager.yml"
        text = config.read_text(encoding="utf-8").replace(_RECEIVER, self.url("receiver"))
        config.write_text(text, encoding="utf-8")
        self.targets()

    # --- Its life -----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The stack, until the end of the block."""
        self.write_watchers_files()
        with contextlib.ExitStack() as ending:
            ending.callback(self._close)
            self.settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            redis.write_config(self.settings)
            for part in (self.redis, self.exporter, self.gateway, self.boards):
                part.start()
            boards = [board.url for board in BOARDS if board.kind in _KINDS]
            command = [sys.executable, "-m", "scout.stack.prepare", *boards]
            done = subprocess.run(
                command, cwd=PROJECT, env=self.environ, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            self._await("redis", lambda: answers.redis(self.settings.redis_socket))
            for name in ("exporter", "gateway", "boards"):
                self.await_answer(name)
            self.web.start()
            self._await("web", lambda: answers.page("127.0.0.1", self.ports["web"], "/readyz"))
            # Before anybody tries passwords, as nobody may sign in for a while then.
            assert self.visitor.sign_in(PASSWORD) == HTTPStatus.OK
            self.workers.start()
            self.scheduler.start()
            self.told = ending.enter_context(receiving([*_SCOUT, *self._receiver()], self.environ))
            self.alertmanager.start()
            self.prometheus.start()
            self._await("prometheus", lambda: answers.page(*self._there("prometheus"), "/-/ready"))
            self._await("watchdog", lambda: self.told.watchdog() is not None)
            self._await("first scans", lambda: bool(self.listed()))
            yield

    def await_answer(self, part: str) -> None:
        """Wait until a part, or what stands in its place, answers."""
        self._await(part, lambda: answers.port("127.0.0.1", self.ports[part]))

    def _there(self, part: str) -> tuple[str, int]:
        return "127.0.0.1", self.ports[part]

    def _receiver(self) -> list[str]:
        silent_after = shorter.shortened(600) / 60
        port = str(self.ports["receiver"])
        return ["metrics", "receive-alerts", "--json", "--port", port, "--expect", f"{silent_after:g}"]

    def _await(self, what: str, there: Any) -> None:
        wait_until(there, timeout=90, what=f"{what} (its words are in {self.folder})")

    def _close(self) -> None:
        for part in reversed(self._parts):
            part.end()
        if self._queue is not None:
            self._queue.connection.close()
        if self._database is not None:
            self._database.dispose()

    # --- Asking it ----------------------------------------------------------------------------------------

    @property
    def sqlite(self) -> Path:
        """The file of its database, where that is SQLite."""
        return self.settings.data_dir / "scout.sqlite3"

    @property
    def postgres(self) -> Postgres:
        """Its PostgreSQL."""
        assert self._postgres is not None, "this stack runs on SQLite"
        return self._postgres

    @property
    def database(self) -> Database:
        """Its database."""
        if self._database is None:
            self._database = Database.open(self.settings)
        return self._database

    @property
    def queue(self) -> Scans:
        """Its queue."""
        if self._queue is None:
            self._queue = Scans(self.settings)
        return self._queue

    def slugs(self, kind: str = "") -> list[str]:
        """The boards that are watched, of a kind if one is said."""
        with self.database.reading() as session:
            return [each.slug for each in watchlist.every(session) if kind in {"", each.kind}]

    def listed(self) -> bool:
        """Whether every board was scanned."""
        with self.database.reading() as session:
            return all(each.last_scan_at is not None for each in watchlist.every(session))

    def scan(self, *slugs: str) -> int:
        """Ask for a scan of these boards, or of all; the run's id."""
        return runs.request(self.database, self.queue, trigger=RunTrigger.OWNER, slugs=slugs or None)

    def ended(self, run_id: int) -> bool:
        """Whether a run has ended."""
        with self.database.reading() as session:
            return session.get_one(ScanRun, run_id).state.ended

    def scanned(self, *slugs: str) -> None:
        """Scan these boards, or all, and wait for the end."""
        run_id = self.scan(*slugs)
        wait_until(lambda: self.ended(run_id), timeout=60, what=f"the end of run {run_id}")

    def well(self) -> bool:
        """Whether the last scan of every board succeeded."""
        with self.database.reading() as session:
            return all(each.failures == 0 for each in watchlist.every(session))

    def board(self, slug: str) -> str:
        """What the simulator calls a board."""
        with self.database.reading() as session:
            source = watchlist.get(session, slug)
            return f"{source.kind}/{source.token}"

    def waiting_messages(self) -> int:
        """How many messages are not sent."""
        with self.database.reading() as session:
            found = outbox.figures(session)
            return found.waiting + found.parked

    def misbehave(self, board: str = "*", fault: str = "none", **how: Any) -> None:
        """Have a board of the simulator do something else; `none` lets it behave well again."""
        self._control("faults", {"board": board, "fault": fault, **how})

    def move_on(self) -> None:
        """Have the boards of the simulator change a little."""
        self._control("tick", {"ticks": 1})

    def _control(self, what: str, said: Mapping[str, Any]) -> None:
        body = json.dumps(said).encode()
        urllib.request.urlopen(f"{self.url('boards')}/demo/{what}", body, timeout=10).close()

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What Prometheus answers to a query."""
        told = self._api(f"query?{urllib.parse.urlencode({'query': query})}")
        found: list[dict[str, Any]] = told.get("result", [])
        return found

    def shown(self) -> set[str]:
        """The alerts that fire by Prometheus' own page."""
        alerts = self._api("alerts").get("alerts", [])
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def rule_groups(self) -> set[str]:
        """The groups of rules that Prometheus has loaded."""
        return {group["name"] for group in self._api("rules").get("groups", [])}

    def _api(self, path: str) -> Mapping[str, Any]:
        try:
            with urllib.request.urlopen(f"{self.url('prometheus')}/api/v1/{path}", timeout=10) as answer:
                found: Mapping[str, Any] = json.load(answer)["data"]
        except OSError:
            return {}
        return found
