"""Everything in one: the word on top, the checks, the alerts and the sums."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from scout import clock
from scout.overview import checks
from scout.overview.checks import Check, Sums
from scout.overview.prometheus import Alert
from scout.stack.examination import Verdict

if TYPE_CHECKING:
    from redis import Redis

    from scout.database import Database
    from scout.settings import Settings

_GRAVE = {Verdict.BAD: 0, Verdict.WARNING: 1, Verdict.OK: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How everything is.

    Attributes:
        at: The time of the look.
        checks: Every part.
        alerts: The alerts that fire, the gravest first.
        sums: What a job seeker wants to know; None while the database does not answer.
    """

    at: dt.datetime
    checks: list[Check]
    alerts: list[Alert]
    sums: Sums | None

    @property
    def troubles(self) -> list[Check]:
        """The parts that need a look, the broken ones first."""
        found = [check for check in self.checks if not check.well]
        return sorted(found, key=lambda check: _GRAVE[check.verdict])

    @property
    def verdict(self) -> Verdict:
        """That of the part that fares worst; an alert is at least a warning."""
        worst = min((check.verdict for check in self.checks), key=_GRAVE.__getitem__, default=Verdict.OK)
        if not self.alerts or worst is Verdict.BAD:
            return worst
        grave = any(alert.severity in {"critical", "page", "error"} for alert in self.alerts)
        return Verdict.BAD if grave else Verdict.WARNING

    @property
    def word(self) -> str:
        """All of it in a few words."""
        count = len(self.troubles) + len(self.alerts)
        if not count:
            return "All is well"
        return "1 thing needs a look" if count == 1 else f"{count} things need a look"


def make(db: Database, connection: Redis, settings: Settings, *, by_pages: bool) -> Report:
    """Look at everything, in two seconds or little more; `by_pages` as `checks.look` takes it."""
    found = checks.look(db, connection, settings, by_pages=by_pages)
    return Report(at=clock.now(), checks=found.checks, alerts=found.alerts, sums=found.sums)


def as_dict(report: Report) -> dict[str, Any]:
    """The report for programs: times in ISO 8601, verdicts `ok`, `warning` and `bad`."""
    return {
        "at": report.at.isoformat(timespec="seconds"),
        "verdict": report.verdict.value,
        "word": report.word,
        "checks": [_plain(asdict(check)) for check in report.checks],
        "alerts": [_plain(asdict(alert)) for alert in report.alerts],
        "sums": _plain(asdict(report.sums)) if report.sums else None,
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat(timespec="seconds") if isinstance(value, dt.datetime) else value
        for name, value in values.items()
    }
