"""Starts everything on one machine, and stays until somebody stops it or a part ends."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from honcho.environ import parse_procfile

from scout.settings import PROJECT, Settings, in_file
from scout.stack import answers, datadir, parts, ports, redis
from scout.stack.parts import Part
from scout.stack.ports import Port
from scout.stack.problems import CannotStart, PartEnded
from scout.stack.supervisor import Stop, Supervisor

#: The application's own processes in the Procfile, beside `web`.
_BEHIND_THE_PAGES = ("workers", "scheduler")
#: Seconds for the parts beneath the application to answer; a Redis with a long log reads it first.
_FOUNDATION_PATIENCE = 30.0
#: Seconds for the pages to be ready before the rest is started without them.
_PAGES_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started.

    Attributes:
        settings: The settings, as the parts will read them.
        environ: Their environment, in which the settings stand.
        beneath: Further processes of the Procfile that start first and stop last.
        beside: Further processes of the Procfile that run beside the application.
        ports: Further ports that those take.
        boards: Public addresses of boards to watch from the start.
        notes: Further rows to show below the address: a name and a text.
        files: Further files to write into the data directory (mode 0600), by name.
    """

    settings: Settings
    environ: Mapping[str, str]
    beneath: Sequence[str] = ()
    beside: Sequence[str] = ()
    ports: Sequence[Port] = ()
    boards: Sequence[str] = ()
    notes: Sequence[tuple[str, str]] = ()
    files: Mapping[str, str] = field(default_factory=dict)


def environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the parts: ours, with every setting in it, so that no other `.env` is heard."""
    variables = [each.metadata["variable"] for each in fields(Settings)]
    # The parts run in the checkout: what was named from here is named in full.
    files = [in_file(each.metadata["variable"]) for each in fields(Settings) if each.metadata["secret"]]
    named = {name: environ.get(name, "").strip() for name in files}
    return {
        **environ,
        **{name: environ.get(name, "") for name in variables},
        **{name: path and str(Path(path).expanduser().absolute()) for name, path in named.items()},
        "SCOUT_DATA_DIR": str(settings.data_dir),
        "SCOUT_STATSD_PORT": str(settings.statsd_port),
        "SCOUT_EXPORTER_PORT": str(settings.exporter_port),
        "SCOUT_PUSHGATEWAY_PORT": str(settings.pushgateway_port),
        # Lines are shown to people here, with the time and the part that said them before each.
        "SCOUT_LOG_FORMAT": settings.log_format or "console",
        "SCOUT_PYTHON": sys.executable,
        "PYTHONUNBUFFERED": "1",
    }


def run(plan: Plan) -> None:
    """Start everything, and return when somebody asked to stop and nothing runs any more.

    Raises:
        CannotStart: Something that must be there is not; nothing was left running.
        PartEnded: A part ended by itself; the others were stopped.
    """
    began = time.monotonic()
    settings = plan.settings
    # The database, the log of the queue and the secrets are the owner's alone.
    before = os.umask(0o077)
    try:
        with datadir.held(settings.data_dir):
            beneath = parts.decide(settings)
            ports.check(
                [parts.web_port(settings), *plan.ports, *(port for part in beneath for port in part.ports)]
            )
            if any(part.process == "redis" for part in beneath):
                redis.write_config(settings)
            for name, text in plan.files.items():
                (settings.data_dir / name).write_text(text, encoding="utf-8")
            _show(
                f"IAM Job Scout is starting, with its data in {settings.data_dir}\n", parts.table(beneath), ""
            )
            _supervise(plan, beneath, began)
    finally:
        os.umask(before)


def _supervise(plan: Plan, beneath: tuple[Part, ...], began: float) -> None:
    lines = procfile()
    foundation = [*(part.process for part in beneath if part.process), *plan.beneath]
    environ = dict(plan.environ)
    for part in beneath:
        environ.update(part.environ)
    with Supervisor(
        foundation=foundation, width=max(map(len, lines)), as_json=plan.settings.log_format == "json"
    ) as supervisor:
        try:
            for name in foundation:
                supervisor.start(name, lines[name], environ, PROJECT)
            _announce(plan, _prepare(supervisor, plan, environ))
            _await_foundation(supervisor, plan, beneath)
            # The pages come first, as somebody waits for them; a scan can wait a second.
            supervisor.start("web", lines["web"], environ, PROJECT)
            ready = supervisor.wait(_ready(plan.settings), timeout=_PAGES_PATIENCE)
            took = time.monotonic() - began
            for name in (*_BEHIND_THE_PAGES, *plan.beside):
                supervisor.start(name, lines[name], environ, PROJECT)
            supervisor.say(
                f"ready at {address(plan.settings)} after {took:.1f} s; Ctrl-C stops everything"
                if ready
                else f"the pages are not ready after {took:.0f} s; ask `scout doctor` in another terminal"
            )
            supervisor.run()
        except Stop:
            supervisor.say("stopping")
        except PartEnded as error:
            if error.part == "redis":
                raise PartEnded(error.part, error.how, f"see {redis.log(plan.settings)}") from None
            raise


def procfile() -> dict[str, str]:
    """The commands of the Procfile, by name."""
    return dict(parse_procfile((PROJECT / "Procfile").read_text(encoding="utf-8")).processes)


def address(settings: Settings) -> str:
    """Where a person finds the pages."""
    host, port = _reachable(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _reachable(settings: Settings) -> tuple[str, int]:
    # The addresses that mean "all of this machine's" are no addresses to go to.
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104 - compared, not opened
    return "::1" if host == "::" else host, settings.port


def _prepare(supervisor: Supervisor, plan: Plan, environ: Mapping[str, str]) -> dict[str, object]:
    command = [sys.executable, "-m", "scout.stack.prepare", *plan.boards]
    code, out, error = supervisor.step(command, environ, PROJECT)
    if code != 0:
        told = error.strip().splitlines()
        raise CannotStart(told[-1] if told else f"Preparing the database ended with exit code {code}.")
    done = json.loads(out.splitlines()[-1])
    if not isinstance(done, dict):
        raise TypeError(f"the preparation told {done!r}")
    return done


def _announce(plan: Plan, done: Mapping[str, object]) -> None:
    rows = [("Address", address(plan.settings))]
    if done["password"]:
        rows.append(
            (
                "Password",
                f"{done['password']}   (made now and not shown again; `scout account password` sets another)",
            )
        )
    if done["boards"]:
        rows.append(("Boards", f"{done['boards']} added; the first scan begins by itself"))
    _show("", *(f"  {name:<9} {text}" for name, text in (*rows, *plan.notes)), "")


def _show(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _await_foundation(supervisor: Supervisor, plan: Plan, beneath: tuple[Part, ...]) -> None:
    questions: dict[str, Callable[[], bool]] = {}
    for part in beneath:
        if part.process == "redis":
            questions["redis"] = lambda: answers.redis(plan.settings.redis_socket)
        for port in part.ports:
            if port.protocol == "tcp":
                questions[part.process] = functools.partial(answers.port, port.host, port.number)
    for port, name in zip(plan.ports, plan.beneath, strict=False):
        questions[name] = functools.partial(answers.port, port.host, port.number)
    for name, question in questions.items():
        if not supervisor.wait(question, timeout=_FOUNDATION_PATIENCE):
            raise CannotStart(
                f"{name} does not answer after {_FOUNDATION_PATIENCE:.0f} s; see its lines above."
            )


def _ready(settings: Settings) -> Callable[[], bool]:
    host, port = _reachable(settings)
    return lambda: answers.page(host, port, "/readyz")
