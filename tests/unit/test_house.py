"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from scout.settings import Settings
from scout.stack import configuration

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("metrics", "scout", "webapp", "workers", "demo")

#: Who may open connections beside the fetch door, and why that lets nothing past it.
CONNECTS = {
    "scout/fetch.py": "the door itself",
    "scout/logs/writing.py": "writes the log where stderr is a socket (journald)",
    "scout/connections.py": "the door's own connections, to addresses that it checked",
    "scout/neighbours.py": "asks the exporters and Prometheus; addresses are settings",
    "scout/stack/answers.py": "asks parts of this stack whether they answer; addresses are settings",
    "scout/stack/examination.py": "`scout doctor` asks the exporters; addresses are settings",
    "scout/stack/ports.py": "listens for a moment, to see whether a port is free",
    "scout/stack/supervisor.py": "a pair of sockets inside the process, for signals",
    "scout/telling/channels.py": "asks services by Apprise; the owner wrote their addresses",
    "scout/telling/mail.py": "speaks to a mail server; the owner wrote its address",
    "scout/probe.py": "`scout metrics doctor` asks the exporters; addresses are settings",
    "workers/jobs.py": "the name of this host",
}
_CONNECTING = (
    "requests", "urllib.request", "http.client", "httpx", "aiohttp", "urllib3", "socket", "smtplib",
    "apprise",
)  # fmt: skip


def modules(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_no_module_is_called_utils_or_helpers() -> None:
    vague = {"util", "utils", "helper", "helpers", "misc", "common"}
    assert [name for name, _ in modules(*PACKAGES, "tests", "benchmarks") if Path(name).stem in vague] == []


def test_nothing_imports_pickle() -> None:
    pickles = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve")
    assert [
        (name, each) for name, tree in modules(*PACKAGES) for each in imported(tree) if within(each, pickles)
    ] == []


def test_only_the_fetch_door_and_known_exceptions_open_connections() -> None:
    opening = {
        name
        for name, tree in modules("scout", "webapp", "workers")
        if any(within(each, _CONNECTING) for each in imported(tree))
    }
    assert opening == set(CONNECTS)


def test_the_environment_is_read_in_one_place() -> None:
    allowed = {"scout/settings.py", "scout/stack/programs.py"}  # the second one reads PATH
    reading = {
        name
        for name, tree in modules("scout", "webapp", "workers", "metrics")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert reading <= allowed


@pytest.mark.parametrize("variable", [each.metadata["variable"] for each in fields(Settings)])
@pytest.mark.parametrize("file", [".env.example", "docs/CONFIGURATION.md"])
def test_every_setting_is_told(variable: str, file: str) -> None:
    assert variable in (ROOT / file).read_text(encoding="utf-8")


def test_the_configuration_page_and_the_example_are_those_of_the_settings() -> None:
    assert configuration.main(["--check"]) == 0


@pytest.mark.xdist_group("house")
def test_tests_of_one_group_are_run_by_one_process(request: pytest.FixtureRequest) -> None:
    # pytest-xdist says so by the test's id, and says nothing where pytest does not let it.
    grouped = bool(request.config.getoption("loadgroup", default=False))
    assert request.node.nodeid.endswith("@house") is grouped


def test_tests_of_pages_wait_for_what_they_expect() -> None:
    """What asks a page once asks it while it is on its way: `expect` asks until it is so."""
    once = {"count", "is_visible", "is_hidden", "is_checked", "is_enabled", "is_disabled", "is_editable"}
    asking = [
        f"{name}:{node.lineno}"
        for name, tree in modules("tests/e2e")
        for node in ast.walk(tree)
        if isinstance(node, ast.Assert)
        for each in ast.walk(node.test)
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute)
        if each.func.attr in once and not each.args and ast.unparse(each.func.value) != "func"  # SQL's
    ]
    assert asking == []
