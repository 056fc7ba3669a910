"""Documents followed to the letter: their fenced blocks, and terminals in which those are typed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.waiting import wait_until

_FENCE = re.compile(r"^( *)```(\w*)(?: title=\"([^\"]*)\")?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
#: What a reader does that is no block: the words, and the terminal's number.
_CTRL_C = re.compile(r"Press Ctrl-C in terminal (\d)\b")
_TERMINAL = re.compile(r"Terminal (\d)\b")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_NUMBER = re.compile(r"\d[\d.]*(?:e[-+]\d+)?")
#: Seconds that a promised line may take: in a terminal, as Alertmanager keeps a change back for up to five
#: minutes, and of a command that is repeated.
_PATIENCE, _COMMANDS_PATIENCE = 420, 60


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        language: What its fence says.
        title: What it is headed by (`title="..."` behind the language); empty for nothing.
        text: What is in it.
        place: Where it begins in its page.
    """

    language: str
    title: str
    text: str
    place: int = 0


def blocks(page: str, language: str = "") -> list[Block]:
    """The fenced blocks of a page in order; those of one language where one is named."""
    found = [
        Block(match[2], match[3] or "", re.sub(rf"(?m)^{match[1]}", "", match[4]), match.start())
        for match in _FENCE.finditer(page)
    ]
    return [each for each in found if not language or each.language == language]


def promised(line: str) -> re.Pattern[str]:
    """What a line of printed text promises: `…` is anything, a number any other, and 0 is 0."""
    pieces = []
    for part in re.split(r"(…|\d[\d.]*(?:e[-+]\d+)?)", line.rstrip()):
        if part == "…":
            pieces.append(".*")
        elif _NUMBER.fullmatch(part):
            more = r"(?=[\d.]*[1-9])[\d.]+(?:e[-+]?\d+)?" if re.search("[1-9]", part) else re.escape(part)
            pieces.append(more)
        else:
            pieces.append(r"\s+".join(re.escape(word) for word in re.split(r"\s+", part)))
    return re.compile("".join(pieces))


def missing(text: str, said: str) -> list[str]:
    """The lines of a block of printed text that were not printed."""
    lines = [_STYLE.sub("", line).rstrip() for line in said.splitlines()]
    return [
        wanted
        for wanted in text.splitlines()
        if wanted.strip() and not any(promised(wanted).fullmatch(line) for line in lines)
    ]


@dataclass
class _Terminal:
    """A terminal in which a command runs until Ctrl-C."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def press_ctrl_c(self) -> None:
        """Ctrl-C, which reaches all that the terminal's command started."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(30)


@dataclass
class Reader:
    """Somebody who follows a page: types its blocks, and compares what is printed with what it promises.

    A block of `sh` is a command; one that is headed "Terminal 1" runs on in that terminal. A block of `text`
    is what the command before it printed, or what the terminal in its head shows. A command that has not
    printed it yet is repeated, as somebody would who waits.

    Attributes:
        folder: Where the commands are typed.
        environ: The environment.
        typed: What becomes of a text before it is typed or compared: other ports, say.
        tell: Who hears of each step with the seconds that it took.
    """

    folder: Path
    environ: Mapping[str, str]
    typed: Callable[[str], str]
    tell: Callable[[str], None] = print
    _terminals: dict[str, _Terminal] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    def follow(self, page: str) -> float:
        """Do what a page says, from its first block to its last.

        Returns:
            The seconds that it took.

        Raises:
            AssertionError: A command failed, or what was promised did not come.
        """
        last: Callable[[], str] = str
        patience = _COMMANDS_PATIENCE
        steps: list[Block | str] = [*blocks(page)]
        places = [each.place for each in blocks(page)]
        for match in _CTRL_C.finditer(page):
            steps.append(match[1])
            places.append(match.start())
        for _, step in sorted(zip(places, steps, strict=True), key=lambda each: each[0]):
            before = time.monotonic()
            if isinstance(step, str):
                self._terminals[step].press_ctrl_c()
                told = f"Ctrl-C in terminal {step}"
            elif step.language == "sh":
                last = self._type(step)
                patience = _PATIENCE if _TERMINAL.match(step.title) else _COMMANDS_PATIENCE
                told = step.text.strip().splitlines()[0]
            else:
                terminal = _TERMINAL.match(step.title)
                if terminal:
                    self._compare(step, partial(self._said_in, terminal[1]), _PATIENCE)
                else:
                    self._compare(step, last, patience)
                told = "  printed as promised"
            self.tell(f"{time.monotonic() - before:6.1f} s  {told}")
        return time.monotonic() - self._started

    def _type(self, block: Block) -> Callable[[], str]:
        """Type a command. Returns what says what it printed, again each time that it is asked."""
        command = ["bash", "-c", self.typed(block.text)]
        terminal = _TERMINAL.match(block.title)
        if terminal:
            log = self.folder / f"terminal-{terminal[1]}.log"
            with log.open("wb") as file:
                process = subprocess.Popen(
                    command, cwd=self.folder, env=self.environ, stdout=file, stderr=file,
                    stdin=subprocess.DEVNULL, start_new_session=True,
                )  # fmt: skip
            self._terminals[terminal[1]] = _Terminal(process, log)
            return partial(self._said_in, terminal[1])
        said = [self._printed(command)]
        # The first answer is what was printed; whoever asks again has typed it again.
        return lambda: said.pop() if said else self._printed(command)

    def _said_in(self, terminal: str) -> str:
        return self._terminals[terminal].said

    def _printed(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode in {0, 1}, f"{command[-1]}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def _compare(self, block: Block, said: Callable[[], str], patience: float) -> None:
        heard = ""

        def all_there() -> bool:
            nonlocal heard
            heard = said()
            return not missing(self.typed(block.text), heard)

        try:
            wait_until(all_there, timeout=patience, what="what the page promises")
        except AssertionError:
            lacking = "\n".join(missing(self.typed(block.text), heard))
            raise AssertionError(f"The page promises:\n{lacking}\nThere was:\n{heard[-6000:]}") from None

    def close(self) -> None:
        """Press Ctrl-C wherever something still runs, and end what does not listen."""
        for terminal in self._terminals.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(terminal.process.pid, signal.SIGINT)
        for terminal in self._terminals.values():
            try:
                terminal.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(terminal.process.pid, signal.SIGKILL)
                terminal.process.wait(10)


@contextlib.contextmanager
def reader(
    folder: Path, environ: Mapping[str, str], typed: Callable[[str], str], tell: Callable[[str], None] = print
) -> Iterator[Reader]:
    """Somebody who follows pages, and leaves nothing running."""
    found = Reader(folder, environ, typed, tell)
    try:
        yield found
    finally:
        found.close()
