"""The supervisor: what runs under it is shown, ends together, and leaves nothing behind."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scout.stack import supervisor as under_test
from scout.stack.problems import PartEnded
from scout.stack.supervisor import Stop, Supervisor
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def output() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def start(tmp_path: Path, output: io.StringIO) -> Iterator[Callable[..., Supervisor]]:
    running: list[Supervisor] = []

    def make(foundation: tuple[str, ...] = (), **commands: str) -> Supervisor:
        supervisor = Supervisor(foundation=foundation, output=output).__enter__()
        running.append(supervisor)
        for name, command in commands.items():
            supervisor.start(name, command, os.environ, tmp_path)
        return supervisor

    yield make
    for each in running:
        end(each)


def end(supervisor: Supervisor) -> None:
    supervisor.__exit__(None, None, None)


def alive(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def pid_in(path: Path) -> int:
    return int(
        wait_until(lambda: path.read_text().strip() if path.exists() else "", what=f"{path.name} is written")
    )


def test_for_programs_every_line_is_an_object_and_what_is_one_stays_as_it_is(
    start: Callable[..., Supervisor], output: io.StringIO
) -> None:
    supervisor = start(web='exec echo \'{"event": "ours"}\'', redis="exec echo 'a line: \"of\" Redis'")
    supervisor.as_json = True

    def both() -> bool:
        supervisor._turn(0.1)
        return output.getvalue().count("\n") == 2

    wait_until(both, what="both lines")
    told = {line["event"]: line for line in map(json.loads, output.getvalue().splitlines())}
    assert told["ours"] == {"event": "ours"}
    assert told['a line: "of" Redis']["logger"] == "redis"
    assert told['a line: "of" Redis']["timestamp"].endswith("Z")


def test_every_line_is_shown_with_its_part(
    start: Callable[..., Supervisor], output: io.StringIO, tmp_path: Path
) -> None:
    supervisor = start(one="echo first; printf unfinished; : > written; exec sleep 60")
    supervisor.wait((tmp_path / "written").exists, timeout=30)
    end(supervisor)
    assert "one        | first" in output.getvalue()
    assert "one        | unfinished" in output.getvalue()
    assert "\033" not in output.getvalue()  # colours are for terminals


def test_bytes_that_are_no_text_do_no_harm(start: Callable[..., Supervisor], output: io.StringIO) -> None:
    supervisor = start(one=r"printf 'a\377b\n'; exec sleep 60")
    assert supervisor.wait(lambda: "a\ufffdb" in output.getvalue(), timeout=30)


def test_a_part_that_ends_by_itself_is_named_with_its_exit_code(start: Callable[..., Supervisor]) -> None:
    supervisor = start(steady="exec sleep 60", brittle="echo its reason; exit 7")
    with pytest.raises(PartEnded, match=r"brittle ended by itself \(exit code 7\)"):
        supervisor.run()


def test_a_part_that_is_killed_is_named_with_the_signal(
    start: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = start(one="echo $$ > pid; exec sleep 60")
    os.kill(pid_in(tmp_path / "pid"), signal.SIGKILL)
    with pytest.raises(PartEnded, match=r"one ended by itself \(killed by SIGKILL\)") as found:
        supervisor.run()
    assert found.value.part == "one"


def test_one_signal_is_enough(start: Callable[..., Supervisor], output: io.StringIO) -> None:
    supervisor = start(one="exec sleep 60")
    os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(Stop):
        supervisor.run()
    end(supervisor)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_foundation_ends_after_the_application(
    start: Callable[..., Supervisor], output: io.StringIO
) -> None:
    ending = "trap 'sleep 0.3; echo {0} ends; exit 0' TERM; echo {0} runs; while :; do sleep 0.05; done"
    supervisor = start(("beneath",), beneath=ending.format("beneath"), above=ending.format("above"))
    supervisor.wait(lambda: output.getvalue().count("runs") == 2, timeout=30)
    end(supervisor)
    text = output.getvalue()
    assert text.index("above ends") < text.index("beneath ends")


def test_what_does_not_end_is_killed_with_all_its_children(
    start: Callable[..., Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: io.StringIO
) -> None:
    monkeypatch.setattr(under_test, "APPLICATION_GRACE", 0.2)
    # A grandchild in a process group of its own, as RQ's work horses are.
    child = "import os, time; os.setpgrp(); open('child', 'w').write(str(os.getpid())); time.sleep(60)"
    (tmp_path / "child.py").write_text(child)
    supervisor = start(deaf=f"trap '' TERM; {sys.executable} child.py & echo up; while :; do sleep 0.1; done")
    grandchild = pid_in(tmp_path / "child")
    end(supervisor)
    assert "killing what did not end in time: deaf" in output.getvalue()
    wait_until(lambda: not alive(grandchild), what="the grandchild's end")


def test_children_of_a_part_that_was_killed_do_not_stay(
    start: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = start(one="sleep 60 & echo $! > child; echo $$ > pid; wait")
    child = pid_in(tmp_path / "child")
    os.kill(pid_in(tmp_path / "pid"), signal.SIGKILL)
    with pytest.raises(PartEnded):
        supervisor.run()
    end(supervisor)
    wait_until(lambda: not alive(child), what="the child's end")


def test_a_step_gives_its_exit_code_and_words(start: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = start()
    assert supervisor.step(["sh", "-c", "echo a; echo b >&2; exit 3"], os.environ, tmp_path) == (
        3,
        "a\n",
        "b\n",
    )


def test_waiting_ends_at_its_time_limit(start: Callable[..., Supervisor]) -> None:
    assert start(one="exec sleep 60").wait(lambda: False, timeout=0.2) is False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel tells children only on Linux")
def test_parts_end_when_the_supervisor_itself_is_killed(tmp_path: Path) -> None:
    code = f"""
        import os, pathlib
        from scout.stack.supervisor import Supervisor
        with Supervisor() as supervisor:
            folder = pathlib.Path({str(tmp_path)!r})
            supervisor.start("one", "echo $$ > pid; exec sleep 60", os.environ, folder)
            supervisor.run()
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT) as process:
        part = pid_in(tmp_path / "pid")
        process.kill()
    wait_until(lambda: not alive(part), what="the part's end")
