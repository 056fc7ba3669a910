"""What the pages stand on: settings, database, queue. Opened on first use, in each process anew."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, cast

from flask import current_app

from scout.database import Database
from scout.queue import Scans, connect

if TYPE_CHECKING:
    from redis import Redis

    from scout.settings import Settings


class Parts:
    """The database and the queue of one application.

    Nothing is open before the first request asks for it, so that gunicorn may load the application before it
    forks: a connection shared by two processes would mix up their answers.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._redis: Redis | None = None
        self._scans: Scans | None = None
        # A thread of the parent may hold the lock while it forks; the child must not wait for it.
        os.register_at_fork(after_in_child=self._start_afresh)

    @property
    def database(self) -> Database:
        """This process's database.

        Raises:
            DatabaseUnusable: The settings name none that can be used.
        """
        with self._lock:
            if self._database is None:
                self._database = Database.open(self.settings)
            return self._database

    @property
    def redis(self) -> Redis:
        """This process's connection pool to the queue's Redis. Nothing is connected to yet."""
        with self._lock:
            if self._redis is None:
                self._redis = connect(self.settings)
            return self._redis

    @property
    def scans(self) -> Scans:
        """The queue of scans."""
        with self._lock:
            if self._scans is None:
                self._scans = Scans(self.settings)
            return self._scans

    def close(self) -> None:
        """Let go of what this process opened."""
        if self._database is not None:
            self._database.dispose()
        if self._redis is not None:
            self._redis.close()
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._database = None
        self._redis = None
        self._scans = None


def parts() -> Parts:
    """The parts of the application that answers this request."""
    return cast("Parts", current_app.extensions["scout"])
