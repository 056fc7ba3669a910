"""What proves an alert: a test in which it fires, one in which it stays silent, a runbook and a drill.

A drill makes the fault on a running stack (`make drill`). Where it cannot raise the alert there, it says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from metrics.watch import known, promql
from metrics.watch.errors import WatchError
from metrics.watch.known import Series
from metrics.watch.rules import Alert, Rules, read_yaml

#: The parts of a runbook, in this order.
SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```promql\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Drilled:
    """How an alert is drilled.

    Attributes:
        fault: The kind of fault that drills it.
        live: Whether it is raised on a running stack.
        why_not: Why not; empty where it is.
    """

    fault: str
    live: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """How far an alert is proven.

    Attributes:
        alert: The alert.
        fires: Whether a test shows it firing.
        silent: Whether a test shows it silent.
        runbook: Whether its page is there, with all parts.
        drill: How it is drilled; None for not at all.
    """

    alert: Alert
    fires: bool
    silent: bool
    runbook: bool
    drill: Drilled | None

    @property
    def lacking(self) -> list[str]:
        """What it lacks, in words."""
        has = {
            "a test in which it fires": self.fires,
            "a test in which it stays silent": self.silent,
            f"a runbook with the parts {', '.join(SECTIONS)}": self.runbook,
            "a kind of fault that drills it": self.drill is not None,
            "a reason why its drill does not raise it": self.drill is None
            or self.drill.live
            or self.drill.why_not,
        }
        return [what for what, there in has.items() if not there]


def proofs(rules: Rules, *, tests: Path, runbooks: Path, drills: Path) -> list[Proof]:
    """How far each alert is proven.

    Args:
        rules: The rules.
        tests: The folder of promtool's tests.
        runbooks: The folder of the runbooks.
        drills: The table of faults and what they raise.

    Raises:
        WatchError: A file cannot be read.
    """
    fire, silent = _tested(tests)
    drilled = drill_of_each(drills)
    return [
        Proof(
            alert=alert,
            fires=alert.name in fire,
            # One that always fires has no test of silence: its silence is what its receiver waits for.
            silent=alert.name in silent or alert.severity == "watchdog",
            runbook=complete(runbooks / f"{alert.name}.md"),
            drill=drilled.get(alert.name),
        )
        for alert in rules.alerts
    ]


def _tested(folder: Path) -> tuple[set[str], set[str]]:
    """The alerts that a test expects to fire, and those that one expects not to."""
    fire: set[str] = set()
    silent: set[str] = set()
    for path in sorted(folder.glob("*_test.yml")):
        for test in read_yaml(path)["tests"]:
            for asked in test.get("alert_rule_test", ()):
                (fire if asked.get("exp_alerts") else silent).add(asked["alertname"])
    return fire, silent


def drill_of_each(path: Path) -> Mapping[str, Drilled]:
    """How each alert is drilled, by its name.

    Raises:
        WatchError: An alert is there twice.
    """
    found: dict[str, Drilled] = {}
    for fault, told in read_yaml(path).items():
        drilled = {alert: Drilled(fault, live=True) for alert in told["raises"]}
        for alert, why in (told.get("tested") or {}).items():
            if alert in drilled:
                raise WatchError(f"{path.name}: {fault} raises {alert}, and says why it does not.")
            drilled[alert] = Drilled(fault, live=False, why_not=str(why or "").strip())
        for alert, how in drilled.items():
            if alert in found:
                raise WatchError(f"{path.name}: {alert} is under {found[alert].fault} and {fault}.")
            found[alert] = how
    return found


def complete(page: Path) -> bool:
    """Whether a runbook is there and has its parts in order."""
    if not page.is_file():
        return False
    return tuple(_SECTION.findall(page.read_text(encoding="utf-8"))) == SECTIONS


def mistakes(folder: Path, series: Mapping[str, Series]) -> Iterator[str]:
    """What is wrong with the queries of a folder's runbooks, one line each; nothing when all is well.

    Args:
        folder: The folder of the runbooks.
        series: Every series that there is (`Rules.known`).
    """
    for page in sorted(folder.glob("*.md")):
        for query in queries(page):
            yield from (f"{page.name}: {each}" for each in known.mistakes(promql.read(query), series))


def queries(page: Path) -> list[str]:
    """The PromQL of a runbook: what stands in its blocks of that language, one for each block."""
    return [block.strip() for block in _BLOCK.findall(page.read_text(encoding="utf-8"))]
