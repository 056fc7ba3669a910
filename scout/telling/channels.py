"""Channels: the owner's names for the addresses that messages go to.

Their addresses hold passwords and keys. So they are in a file of the owner's alone, are read when something
is to be sent, and are in no database, log, page or error: an error names the channel.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from scout.errors import ScoutError
from scout.settings import Settings
from scout.telling import mail
from scout.telling.mail import Mailbox, Refused
from scout.telling.words import Story

#: Seconds after which a channel that goes on and on is left alone, its message not sent.
SEND_LIMIT = 45.0

_LINE = re.compile(r"([a-z0-9][a-z0-9_-]{0,39})\s*=\s*(\S+)")
_SERVICE_FORM = "an address that Apprise takes, such as ntfys://topic"
_STATUS = re.compile(r"error=(\d{3})\b")


class ChannelsUnusable(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The file of channels, or one in it, cannot be used. The text names the line, never its address."""


class _Way(Protocol):
    """What carries a message."""

    def check(self) -> None: ...

    def send(self, story: Story, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel.

    Attributes:
        name: The owner's name for it.
        kind: The scheme of its address, such as `smtp` or `ntfy`; it is the label of metrics.
        way: What carries its messages.
    """

    name: str
    kind: str
    way: _Way = field(repr=False)

    def check(self) -> None:
        """See that the channel's address can be used, without sending anything.

        Raises:
            Refused: It cannot.
        """
        self.way.check()

    def send(self, story: Story, key: str, limit: float | None = None) -> None:
        """Send a message, in bounded time.

        Args:
            story: What it says.
            key: Names the message, so that who gets it twice can tell.
            limit: Seconds after which it is given up; None for `SEND_LIMIT`.

        Raises:
            Refused: It was not taken, as far as we know; the text says why.
        """
        limit = SEND_LIMIT if limit is None else limit
        failed: list[Exception] = []

        def carry() -> None:
            try:
                self.way.send(story, key)
            except Exception as error:  # noqa: BLE001 - told below, in the thread that waits
                failed.append(error)

        # Some services' clients bound each step, not all steps together. Nothing can end one from outside.
        thread = threading.Thread(target=carry, name=f"channel {self.name}", daemon=True)
        thread.start()
        thread.join(limit)
        if thread.is_alive():
            raise Refused(f"It was not done within {limit:g} seconds.")
        if failed:
            if isinstance(failed[0], Refused):
                raise failed[0]
            # Its text may repeat the address.
            raise Refused(f"It failed by an error of this program ({type(failed[0]).__name__}).")


def load(settings: Settings) -> Mapping[str, Channel]:
    """The channels by name; none where there is no file.

    The file has a line for each, `name = address`; lines that begin with # say nothing.

    Raises:
        ChannelsUnusable: The file can be read by others or not by us, or a line cannot be used.
    """
    path = settings.channels_file
    try:
        about = path.stat()
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ChannelsUnusable(f"The channels in {path} cannot be read: {why}.") from None
    # Secrets of Kubernetes and systemd belong to root, and are handed to us by a group that we alone are in.
    others = 0o077 if about.st_uid == os.getuid() else 0o007
    if stat.S_IMODE(about.st_mode) & others:
        raise ChannelsUnusable(
            f"Others on this machine can read {path}, and it holds secrets: chmod 600 {path}"
        )
    found: dict[str, Channel] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            channel = _channel(path, number, line.strip())
            if channel.name in found:
                raise ChannelsUnusable(f"Line {number} of {path} names {channel.name} a second time.")
            found[channel.name] = channel
    return found


def _channel(path: Path, number: int, line: str) -> Channel:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ChannelsUnusable(
            f"Line {number} of {path} is not `name = address`. A name is of the letters a to z, digits, - and"
            " _; an address has no spaces in it."
        )
    name, address = match[1], match[2]
    scheme = address.partition(":")[0].lower()
    try:
        if scheme in mail.SCHEMES:
            return Channel(name, scheme, Mailbox.of(urlsplit(address)))
        return Channel(name, scheme, _Service(address))
    except ValueError:
        form = mail.FORM if scheme in mail.SCHEMES else _SERVICE_FORM
        raise ChannelsUnusable(
            f"The address of channel {name} (line {number} of {path}) cannot be used: write {form}."
        ) from None


class _Service:
    """A service that Apprise knows. What the address means is looked up when something is to be sent."""

    def __init__(self, address: str) -> None:
        if "://" not in address:
            raise ValueError(_SERVICE_FORM)
        self._address = address
        self._made: Any = None

    def check(self) -> None:
        """See that Apprise takes the address.

        Raises:
            Refused: It does not.
        """
        if self._made is not None:
            return
        # Nothing of Apprise's log goes anywhere: it repeats parts of addresses.
        log = logging.getLogger("apprise")
        log.propagate = False
        if not log.handlers:
            log.addHandler(logging.NullHandler())
        # Apprise and its HTTP client are as large as the rest; only who sends needs them.
        from apprise import Apprise  # noqa: PLC0415 - see above

        self._made = Apprise.instantiate(self._address, suppress_exceptions=True)
        if self._made is None:
            raise Refused(f"The channel's address cannot be used: write {_SERVICE_FORM}.")

    def send(self, story: Story, key: str) -> None:
        self.check()
        from apprise import NotifyFormat  # noqa: PLC0415 - see check()

        service = self._made
        formats = service.notify_format
        wanted = formats[0] if isinstance(formats, tuple) else formats
        html = wanted == NotifyFormat.HTML
        # Services that take headers of ours are told the key, by a usual name that no standard has.
        headers = getattr(service, "headers", None)
        if isinstance(headers, dict):
            headers["Idempotency-Key"] = key
        listener = _Listener()
        log = logging.getLogger("apprise")
        log.addHandler(listener)
        try:
            taken = service.notify(
                title=story.subject[: service.title_maxlen] if service.title_maxlen else "",
                body=self._body(story, html=html),
                body_format=NotifyFormat.HTML if html else NotifyFormat.TEXT,
            )
        finally:
            log.removeHandler(listener)
        if not taken:
            raise Refused(listener.why())

    def _body(self, story: Story, *, html: bool) -> str:
        room = self._made.body_maxlen
        if self._made.title_maxlen:
            return story.fitting(room, html=html)
        # Without titles the subject is the first line.
        return f"{story.subject}\n\n{story.fitting(max(room - len(story.subject) - 2, 1))}"[:room]


class _Listener(logging.Handler):
    """Hears why Apprise failed, and keeps nothing of it but the number that a server answered."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self._status = ""
        self._connected = True

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one line; other threads' lines are not ours."""
        if record.thread != self._thread:
            return
        said = record.getMessage()
        match = _STATUS.search(said)
        if match:
            self._status = match[1]
        elif "onnection error" in said:
            self._connected = False

    def why(self) -> str:
        """What is known of the failure, in words for the owner."""
        if self._status:
            return f"The service did not take the message: it answered {self._status}."
        if not self._connected:
            return "The service cannot be reached, or did not answer in time."
        return "The service did not take the message, and did not say why."
