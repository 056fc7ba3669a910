"""The number that a process has, and the totals that outlive it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from metrics import slots
from metrics.slots import MOST_SLOTS, Figure, Slot, claim

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(slots, "folder", lambda: tmp_path)
    return tmp_path


def test_a_process_gets_the_smallest_free_number_of_its_role() -> None:
    held = [claim("web") for _ in range(3)]
    assert [slot.number for slot in held] == ["0", "1", "2"]
    other = claim("worker")
    assert other.number == "0"
    held[1].release()
    again = claim("web")
    assert again.number == "1"
    for slot in (held[0], held[2], again, other):
        slot.release()


def test_without_a_free_number_one_is_shared_and_keeps_no_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MOST_SLOTS", 1)
    first, second = claim("web"), claim("web")
    assert first.kept
    assert not second.kept
    assert second.number == str(1)
    second.add(Figure.SENT, 5)
    assert second.total(Figure.SENT) == 5
    second.release()
    first.release()


def test_where_no_file_can_be_made_there_is_still_a_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "folder", lambda: folder / "missing" / "deeper")
    slot = claim("web")
    assert slot.number == str(MOST_SLOTS)
    assert not slot.kept
    slot.release()


def test_a_link_in_place_of_the_file_is_not_followed(folder: Path) -> None:
    other = folder / "somebody's"
    other.write_bytes(b"precious")
    (folder / "web-0.slot").symlink_to(other)
    assert not claim("web").kept
    assert other.read_bytes() == b"precious"


def test_totals_go_on_where_the_last_process_ended() -> None:
    first = claim("web")
    first.add(Figure.SENT, 40)
    first.add(Figure.SEND, 2)
    first.release()
    second = claim("web")
    second.add(Figure.SENT, 2)
    assert (second.total(Figure.SENT), second.total(Figure.SEND)) == (42, 2)
    assert second.total(Figure.UNCLEAN) == 0
    second.release()


@pytest.mark.parametrize("content", [b"", b"\0" * 128, b"x" * 128, b"short", b"y" * 4096])
def test_a_file_of_another_layout_begins_at_zero(folder: Path, content: bytes) -> None:
    (folder / "web-0.slot").write_bytes(content)
    slot = claim("web")
    assert slot.kept
    assert [slot.total(figure) for figure in Figure] == [1, *(0 for _ in list(Figure)[1:])]
    slot.release()


def killed(ending: str) -> None:
    """A process that holds the slot, sends something, and ends in this way."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        slot = claim("web")
        slot.add(Figure.SENT, 10)
        if ending == "settled":
            slot.settled(settled=True)
        elif ending == "unsettled again":
            slot.settled(settled=True)
            slot.settled(settled=False)
        elif ending == "released":
            slot.release()
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(ready)
    os.close(told)


@pytest.mark.parametrize(
    ("ending", "unclean"), [("killed", 1), ("unsettled again", 1), ("settled", 0), ("released", 0)]
)
def test_a_killed_process_leaves_its_totals_and_counts_as_an_unclean_end(ending: str, unclean: int) -> None:
    killed(ending)
    slot = claim("web")
    assert slot.number == "0"
    assert (slot.total(Figure.SENT), slot.total(Figure.UNCLEAN)) == (10, unclean)
    slot.release()


def test_a_forked_child_leaves_the_slot_to_its_parent() -> None:
    slot = claim("web")
    pid = os.fork()
    if pid == 0:
        slot.leave()
        own = claim("web")
        os._exit(0 if own.number == "1" else 1)
    assert os.waitpid(pid, 0)[1] == 0
    slot.add(Figure.SENT, 1)
    assert slot.total(Figure.SENT) == 1
    slot.release()
    again = claim("web")
    assert again.total(Figure.UNCLEAN) == 0
    again.release()


def test_the_file_is_this_users_alone(folder: Path) -> None:
    slot: Slot = claim("web")
    assert (folder / "web-0.slot").stat().st_mode & 0o777 == 0o600
    slot.release()
