"""The janitor: has the Pushgateway forget sources that are watched no longer.

The pages and the command line do so when a source is removed. What they could not, with the gateway or the
process gone at that moment, is done here.
"""

from __future__ import annotations

import logging

from sqlalchemy import select

from metrics import push
from scout.database import Database
from scout.models import Source

logger = logging.getLogger(__name__)

#: Seconds between two rounds, and from the scheduler's start to the first: the gateway may be starting too.
INTERVAL = 600.0
FIRST_AFTER = 60.0


def forget_unwatched(db: Database, gateway: str) -> int:
    """Delete the groups of sources that are not on the watchlist; how many there were.

    All groups of our job count as ours: two installations need a gateway each.

    Raises:
        OSError: The gateway does not answer.
    """
    # Before the watchlist is read: whoever has a group by now was on it by then.
    pushed = push.pushed_sources(gateway)
    with db.reading() as session:
        watched = set(session.scalars(select(Source.slug)))
    count = 0
    for slug in sorted(pushed - watched):
        if not push.forget_source(gateway, slug):
            break  # it has gone away meanwhile; the next round goes on
        logger.info("%s is watched no longer: the gateway forgets it", slug)
        count += 1
    return count
