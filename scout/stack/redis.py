"""How the queue's own Redis is set up: on a Unix socket, keeping what it is told, in little memory."""

from __future__ import annotations

from pathlib import Path

from scout.settings import Settings
from scout.stack import datadir

#: Far above what the queue holds (job ids and heartbeats); at the limit Redis refuses, and forgets nothing.
_MEMORY = "128mb"


def write_config(settings: Settings) -> Path:
    """Write redis.conf into the data directory, and make the socket's folder.

    Raises:
        CannotStart: The socket's folder is not ours alone.
    """
    if settings.redis_socket.parent != settings.data_dir:
        datadir.private_folder(settings.redis_socket.parent)
    log(settings).unlink(missing_ok=True)
    path = settings.data_dir / "redis.conf"
    path.write_text(config(settings), encoding="utf-8")
    return path


def log(settings: Settings) -> Path:
    """Where Redis writes what it does. Not to the terminal: its greeting and advice would fill it."""
    return settings.data_dir / "redis.log"


def config(settings: Settings) -> str:
    """The text of redis.conf (redis.io/docs/latest/operate/oss_and_stack/management/config)."""
    directives = {
        "port": "0",
        "unixsocket": _quoted(str(settings.redis_socket)),
        "unixsocketperm": "700",
        "dir": _quoted(str(settings.data_dir)),
        "daemonize": "no",
        "databases": "1",
        # Every command goes to the log, synced each second: a crash of the machine loses one second of the
        # queue, and the scheduler's reaper makes up for that from the database.
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory": _MEMORY,
        "maxmemory-policy": "noeviction",
        "loglevel": "notice",
        "logfile": _quoted(str(log(settings))),
    }
    head = "# Written by `scout up` at every start.\n"
    return head + "".join(f"{name} {value}\n" for name, value in directives.items())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
