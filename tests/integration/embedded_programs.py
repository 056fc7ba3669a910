"""Starting the embedded programs and the real ones for the tests beside, and reading their pages."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
_SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})? (\S+)')
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], str]


def free_port() -> int:
    """A port that nobody has at this moment, for both TCP and UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Program:
    """A running program with a page."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self._log = log

    def ask(
        self,
        path: str = "/metrics",
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """The status and the text of an answer."""
        request = urllib.request.Request(
            self.url + path, data=body, method=method, headers=headers or {}
        )  # our own address
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # our own address
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def page(self) -> str:
        status, text = self.ask()
        assert status == 200, text
        return text

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def figure(self, name: str, **labels: str) -> float:
        """One sample's value; 0 where there is none."""
        return float(samples(self.page()).get((name, tuple(sorted(labels.items()))), "0"))


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    port: int,
    ready: str = "/-/ready",
    environ: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """A program that answers at a port, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                list(map(str, command)), stdout=file, stderr=file, cwd=ROOT, env=environ
            )
        program = Program(process, f"http://127.0.0.1:{port}", log)

        def answers() -> bool:
            if process.poll() is not None:
                raise AssertionError(f"{command[0]} ended with {process.returncode}: {program.log()}")
            try:
                return program.ask(ready)[0] == 200
            except OSError:
                return False

        try:
            wait_until(answers, timeout=20, what=f"{command[0]} answering")
            yield program
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def exporter_flags(mapping: Path | None, port: int, unix: Path | None = None, udp: int = 0) -> list[str]:
    """Flags that both exporters take."""
    flags = [f"--web.listen-address=127.0.0.1:{port}", "--statsd.listen-tcp="]
    flags.append(f"--statsd.listen-udp={f'127.0.0.1:{udp}' if udp else ''}")
    if mapping is not None:
        flags.append(f"--statsd.mapping-config={mapping}")
    if unix is not None:
        flags.append(f"--statsd.listen-unixgram={unix}")
    return flags


EXPORTER = (sys.executable, "-m", "metrics.embedded.exporter")
GATEWAY = (sys.executable, "-m", "metrics.embedded.gateway")


def samples(page: str) -> Samples:
    """A page's samples by name and labels."""
    found: Samples = {}
    for line in page.split("\n"):
        if line and not line.startswith("#"):
            match = _SAMPLE.fullmatch(line)
            assert match, f"not a sample: {line!r}"
            key = (match[1], tuple(sorted(_LABEL.findall(match[2] or ""))))
            assert key not in found, f"twice on the page: {line!r}"
            found[key] = match[3]
    return found


def heads(page: str) -> dict[str, tuple[str, str]]:
    """Type and help by family, in the page's order."""
    found: dict[str, tuple[str, str]] = {}
    help_text = ""
    for line in page.split("\n"):
        words = line.split(" ", 3)
        if line.startswith("# HELP"):
            help_text = words[3]
        elif line.startswith("# TYPE"):
            assert words[2] not in found, f"a second TYPE of {words[2]}"
            found[words[2]] = (words[3], help_text)
            help_text = ""
    return found
