"""Runs the processes of a Procfile as one: shows what they say, and ends them together.

The Procfile and the look of its output are honcho's. Its manager is not used: it keeps one more process for
each part, ends all parts at once although the queue must outlive those that use it, and leaves grandchildren
behind when it has to kill.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime as dt
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any, Self

from honcho.colour import get_colours
from honcho.printer import Message, Printer

from scout.stack.problems import PartEnded

#: Seconds that parts get to end by themselves before they are killed: first the application, then what it
#: stands on. Together they stay under the six seconds that a person is willing to wait after Ctrl-C.
APPLICATION_GRACE, FOUNDATION_GRACE = 4.0, 1.5
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: prctl(2): the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1
_LINE_LIMIT = 64 * 1024
#: Seconds within which signals count as one wish: a terminal and a `timeout` or `make` may both pass it on.
_ONE_WISH = 1.0


class Stop(BaseException):
    """Somebody asked us to stop, by Ctrl-C or a signal."""


@dataclass(slots=True)
class _Running:
    name: str
    process: subprocess.Popen[bytes]
    colour: str
    pending: bytearray = field(default_factory=bytearray)


class Supervisor:
    """Starts processes, shows their output line by line, and leaves none behind.

    Use it as a context: at the end of the block, however it ends, every process is stopped.

    Attributes:
        foundation: The names of those that stop last, as the others use them until their own end.
        as_json: Whether every line is shown as an object of JSON, for programs: what is one stays as it is.
    """

    def __init__(
        self,
        *,
        foundation: Collection[str] = (),
        width: int = 10,
        output: IO[str] | None = None,
        as_json: bool = False,
    ) -> None:
        self.foundation = frozenset(foundation)
        self.as_json = as_json
        self._output = output or sys.stdout
        self._printer = Printer(self._output, width=width)
        self._colours: Iterator[str] = get_colours()
        self._running: dict[str, _Running] = {}
        self._asked = False
        self._hurry = False
        self._first_asked = 0.0
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._signalled = socket.socketpair()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for end in (self._wakeup, self._signalled):
            end.settimeout(0)
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        for number in (*_STOP_SIGNALS, signal.SIGCHLD):
            self._before[number] = signal.signal(number, self._on_signal)
        # The end of a child ends the wait for output, too.
        signal.set_wakeup_fd(self._signalled.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stop()
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._selector.close()
            self._wakeup.close()
            self._signalled.close()

    def start(self, name: str, command: str, environ: Mapping[str, str], folder: Path) -> None:
        """Start a process by a shell command; it should begin with `exec`, so that no shell stays."""
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            env=environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A session of its own: Ctrl-C reaches us alone, and all of a part's processes can be told by it.
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe, as asked
        os.set_blocking(process.stdout.fileno(), False)
        running = _Running(name, process, next(self._colours))
        self._running[name] = running
        self._selector.register(process.stdout, selectors.EVENT_READ, running)

    def say(self, text: str) -> None:
        """Show a line of our own among those of the parts."""
        self._write("scout", text, None)

    def wait(self, until: Callable[[], bool], *, timeout: float | None = None) -> bool:
        """Show output until the condition is true; asked for every tenth of a second.

        Returns:
            Whether it became true before `timeout` seconds were over.

        Raises:
            Stop: Somebody asked us to stop.
            PartEnded: A part ended by itself.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not until():
            if deadline is not None and time.monotonic() > deadline:
                return False
            self._turn(0.1)
            self._check()
        return True

    def run(self) -> None:
        """Show output until somebody asks us to stop, or a part ends by itself.

        Raises:
            Stop: Somebody asked us to stop.
            PartEnded: A part ended by itself.
        """
        while True:
            self._turn(None)
            self._check()

    def step(self, command: list[str], environ: Mapping[str, str], folder: Path) -> tuple[int, str, str]:
        """Run a short process to its end, without showing its output.

        Returns:
            Its exit code, and what it wrote to stdout and stderr: at most what a pipe holds, 64 KiB each.

        Raises:
            Stop: Somebody asked us to stop.
            PartEnded: A part ended by itself.
        """
        with subprocess.Popen(
            command,
            env=environ,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                self.wait(lambda: process.poll() is not None)
            except BaseException:
                process.kill()
                raise
            out, error = process.communicate()
            return process.returncode, out.decode("utf-8", "replace"), error.decode("utf-8", "replace")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGCHLD:
            return
        now = time.monotonic()
        self._first_asked = self._first_asked or now
        self._asked = True
        self._hurry = self._hurry or now - self._first_asked > _ONE_WISH

    def _turn(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._wakeup:
                with contextlib.suppress(BlockingIOError):
                    self._wakeup.recv(4096)
            else:
                self._read(key.data)

    def _read(self, running: _Running) -> bool:
        """Show what a part has said. Gives whether there may be more."""
        pipe = running.process.stdout
        if pipe is None or pipe.closed:
            return False
        try:
            data = os.read(pipe.fileno(), 64 * 1024)
        except BlockingIOError:
            return False
        running.pending += data
        if not data:
            self._selector.unregister(pipe)
            pipe.close()
        *lines, rest = bytes(running.pending).split(b"\n")
        if not data or len(rest) > _LINE_LIMIT:
            lines, rest = [*lines, rest], b""
        running.pending = bytearray(rest)
        for line in lines:
            if line.strip():
                self._write(running.name, line, running.colour)
        return bool(data)

    def _write(self, name: str, line: str | bytes, colour: str | None) -> None:
        # A terminal that is gone must not keep us from stopping what we started.
        with contextlib.suppress(OSError, ValueError):
            if self.as_json:
                self._output.write(f"{_as_json(name, line)}\n")
                self._output.flush()
                return
            self._printer.write(Message("line", line, dt.datetime.now(), name, colour))  # noqa: DTZ005 - local, for people

    def _check(self) -> None:
        if self._asked:
            raise Stop
        for running in self._running.values():
            code = running.process.poll()
            if code is not None:
                while self._read(running):
                    pass
                raise PartEnded(running.name, _told(code))

    def _stop(self) -> None:
        application = [each for name, each in self._running.items() if name not in self.foundation]
        foundation = [each for name, each in self._running.items() if name in self.foundation]
        self._end(application, APPLICATION_GRACE)
        self._end(foundation, FOUNDATION_GRACE)

    def _end(self, parts: list[_Running], grace: float) -> None:
        for each in parts:
            if each.process.poll() is None:
                each.process.terminate()
        deadline = time.monotonic() + grace
        while any(each.process.poll() is None for each in parts):
            left = deadline - time.monotonic()
            if left <= 0 or self._hurry:
                break
            self._turn(min(left, 0.1))
        late = [each.name for each in parts if each.process.poll() is None]
        if late:
            self.say(f"killing what did not end in time: {', '.join(late)}")
        for each in parts:
            _kill_session(each.process.pid)
            each.process.wait()
            while self._read(each):
                pass
            if each.process.stdout is not None and not each.process.stdout.closed:
                # Somebody outside the part's session still holds the other end: what was said is shown.
                self._selector.unregister(each.process.stdout)
                each.process.stdout.close()
                if each.pending.strip():
                    self._write(each.name, bytes(each.pending), each.colour)


def _as_json(name: str, line: str | bytes) -> str:
    text = line.decode("utf-8", "replace") if isinstance(line, bytes) else line
    if text.startswith("{") and text.endswith("}"):
        return text
    at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"timestamp": at, "level": "info", "event": text, "logger": name})


def _told(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _kill_session(leader: int) -> None:
    """Kill every process of a part that is still there, grandchildren in groups of their own included."""
    for process in session(leader):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def session(leader: int) -> list[int]:
    """The living processes of a session, by /proc/PID/stat (proc(5)); empty where there is no /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # It ended meanwhile.
        # The name in parentheses may hold anything, spaces and parentheses included.
        state, _, _, of, *_ = text.rpartition(")")[2].split()
        if int(of) == leader and state != "Z":
            found.append(int(path.parent.name))
    return found


def _prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    except (OSError, AttributeError):
        return None
    return prctl


_PRCTL = _prctl()


def _die_with_parent() -> None:
    # Runs in the child, before the shell: where `scout up` itself is killed, its parts must end, too.
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)
