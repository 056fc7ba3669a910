"""What happens once before the application starts: migrations, the account, the first boards.

A process of its own (`python -m scout.stack.prepare`), so that the process which stays need not load the
database layer. It prints one line of JSON: the password if one was made, and how many boards were added.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from scout import account, queue, settings, sources, watchlist
from scout.database import Database, migrate
from scout.errors import ScoutError
from scout.logs import setup
from scout.models import Account
from scout.settings import Settings
from scout.sources.board import Board


def prepare(chosen: Settings, boards: Sequence[str] = ()) -> dict[str, Any]:
    """Bring the database up to date and see that there are an account and, in a new database, boards.

    Args:
        chosen: The settings.
        boards: Public addresses of boards that are to be watched, whether the database is new or not.

    Returns:
        `password`: the one that was made, or None; `boards`: how many were added.

    Raises:
        ScoutError: The database or an external Redis cannot be used, or an address is no board's.
    """
    if chosen.redis_url:
        _check_redis(chosen)
    migrate(chosen)
    database = Database.open(chosen)
    try:
        wanted = [sources.recognise(url) for url in boards]
        with database.session() as session:
            # One transaction: a start that is cut off here begins again as a new one.
            new = session.scalar(select(Account.id)) is None
            password = account.ensure(session, chosen.password)
            added = watchlist.add_starters(session) if new and chosen.starter_boards else 0
            added += sum(_add(session, board) for board in wanted)
    finally:
        database.dispose()
    return {"password": password, "boards": added}


def _add(session: Session, board: Board) -> bool:
    try:
        with session.begin_nested():
            watchlist.add(session, board)
    except watchlist.AlreadyWatched:
        return False
    return True


def _check_redis(chosen: Settings) -> None:
    try:
        queue.connect(chosen).ping()
    except redis.RedisError as error:
        raise ScoutError(
            f"The Redis of REDIS_URL does not answer: {error}. Start it, or correct REDIS_URL, or unset it "
            "to use a Redis of this stack."
        ) from None


def main() -> int:
    """Prepare, and print what was done; 1 with one line on stderr when it cannot be."""
    try:
        chosen = settings.load()
        setup.configure("prepare", chosen)
        done = prepare(chosen, sys.argv[1:])
    except ScoutError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(done) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
