"""Runs one of our programs with its pauses shortened as the rules are: `-m tests.drills.quick workers`.

Divided by the same number are the pauses that decide how soon a fault shows: how often is sampled, how long a
lock is waited for, how long a host is left alone, when a message is tried again. The programs are the real
ones, and their code does not know of it.
"""

from __future__ import annotations

import runpy
import sys

from metrics import client, process
from scout import courtesy, database, fetch
from scout.telling import outbox
from tests.drills.shorter import shortened
from workers import sampler


def shorten() -> None:
    """Shorten the pauses of this process, and of those that it forks."""
    process.SAMPLE_EVERY = shortened(process.SAMPLE_EVERY)
    client.REPORT_EVERY = shortened(client.REPORT_EVERY)
    sampler.INTERVAL = shortened(sampler.INTERVAL)
    courtesy.FAILURE_WINDOW = shortened(courtesy.FAILURE_WINDOW, 120.0)  # three scans must fit into it
    courtesy.OPEN_SECONDS = shortened(courtesy.OPEN_SECONDS)
    courtesy.PROBE_SECONDS = shortened(courtesy.PROBE_SECONDS, 5.0)  # a scan takes its time
    database._PATIENCE = round(shortened(database._PATIENCE))
    outbox.LOOK_EVERY = shortened(outbox.LOOK_EVERY)
    first, second, third, fourth, last = map(shortened, outbox.PAUSES)
    outbox.PAUSES = (first, second, third, fourth, last)
    # Boards that are played on this machine are owed no courtesy otherwise, and no host would be left alone.
    fetch.is_here = _nowhere


def _nowhere(target: fetch.Target) -> bool:
    return False


def main() -> None:
    """Run the program that is named, with the arguments that follow."""
    shorten()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
