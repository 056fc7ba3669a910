"""The quickstart of the monitoring, followed to the letter."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from tests import quickstart
from tests.documents import missing


@pytest.mark.xdist_group("whole-stack")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_quickstart_holds_from_its_first_block_to_its_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    steps: list[str] = []
    took = quickstart.follow(tmp_path, hurried=True, tell=steps.append)
    with capsys.disabled():
        print(f"\nThe quickstart took {took:.0f} s, its waits shortened and nothing installed:")
        print("\n".join(steps))
    assert {each.pid for each in psutil.Process().children(recursive=True)} <= before


def test_what_is_not_printed_as_promised_is_named() -> None:
    promised = "jobs 459\n… seen, 3 new in 0.2 s\nlost 0"
    assert missing(promised, "jobs 7\nbramble: 33 seen, 12 new in 1.5 s\nlost 0") == []
    assert missing(promised, "jobs 0\nbramble: 33 seen, 0 new in 1.5 s\nlost 2") == promised.splitlines()
