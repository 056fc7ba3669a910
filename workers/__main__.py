"""Run the scan workers of this machine: `python -m workers`."""

from __future__ import annotations

import sys

import metrics
from scout import settings as scout_settings
from scout import traces
from scout.errors import ScoutError
from scout.logs import setup
from workers.worker import run


def main() -> int:
    """Run until told to stop; 0, or 1 when a setting cannot be used."""
    try:
        settings = scout_settings.load()
    except ScoutError as error:
        print(error, file=sys.stderr)  # noqa: T201 - nobody else would say it
        return 1
    setup.configure("worker", settings)
    traces.prepare(settings)
    metrics.start(settings.statsd, role="worker")
    run(settings)
    metrics.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
