"""Which faults are drilled on which stack, and which at the same time.

A fault may hide what another raises (`inhibit_rules`), or take from another what it needs. So there are a few
stacks beside each other, each with rounds one after another; in a round is only what leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from metrics.watch.rules import read_yaml
from scout.settings import PROJECT

DRILLS = PROJECT / "prometheus" / "drills.yml"


@dataclass(frozen=True, slots=True)
class Course:
    """What happens to one stack.

    Attributes:
        name: What to call the stack.
        rounds: The faults, those of a round at the same time.
        postgres: Whether its database is PostgreSQL.
        small_disk: Whether its data directory is to lie on a small disk.
    """

    name: str
    rounds: tuple[tuple[str, ...], ...]
    postgres: bool = False
    small_disk: bool = False

    def only(self, faults: Collection[str]) -> Course:
        """The same with these faults alone."""
        kept = tuple(tuple(fault for fault in each if fault in faults) for each in self.rounds)
        return Course(self.name, tuple(filter(None, kept)), self.postgres, self.small_disk)


#: All of them.
FULL = (
    Course(
        "first",
        (
            (
                "board_returns_500",
                "disk_nearly_full",
                "no_backup",
                "intruder",
                "emitted_wrongly",
                "channel_refuses",
                "web_worker_killed",
            ),
            ("scheduler_stopped",),
            ("redis_killed",),
        ),
        small_disk=True,
    ),
    Course(
        "second",
        (
            ("worker_hung", "gateway_stopped", "burst_of_5xx"),
            ("exporter_stopped",),
            ("exporter_deaf",),
            ("mapping_miss",),
            ("database_locked",),
            ("gateway_clash",),
        ),
    ),
    Course(
        "third",
        (
            ("slow_pages",),
            ("database_stopped",),
            ("web_stopped",),
            ("log_unread",),
            ("stale_scan",),
            ("prometheus_silent",),
        ),
        postgres=True,
    ),
)

#: The few of each day's work: nine kinds, and the alarm's own silence; of each the alerts that come soon.
SHORT = (
    Course(
        "first",
        (("worker_hung", "board_returns_500", "disk_nearly_full", "burst_of_5xx"),),
        small_disk=True,
    ),
    Course(
        "second",
        (
            ("mapping_miss",),
            ("exporter_stopped",),
            ("database_locked",),
            ("redis_killed",),
            ("stale_scan",),
            ("prometheus_silent",),
        ),
    ),
)
SOON: Mapping[str, tuple[str, ...]] = {
    "exporter_stopped": ("ScoutExporterDown",),
    "redis_killed": ("ScoutRedisDown",),
    "database_locked": ("ScoutDatabaseLocked",),
    "board_returns_500": ("ScoutBoardsFailing",),
    "worker_hung": ("ScoutWorkerHung",),
    "disk_nearly_full": ("ScoutDiskNearlyFull",),
    "mapping_miss": ("ScoutMappingMiss",),
    "burst_of_5xx": ("ScoutServerErrorBurst",),
    "stale_scan": ("ScoutNoSuccessfulScan",),
    "prometheus_silent": ("ScoutWatchdog",),
}


def raised(path: Path = DRILLS) -> dict[str, tuple[str, ...]]:
    """What each fault raises, as `prometheus/drills.yml` says."""
    return {fault: tuple(told["raises"]) for fault, told in read_yaml(path).items()}
