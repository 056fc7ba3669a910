"""The server of recorded boards keeps to what the files say."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sample_boards import SampleBoards
from tests.samples import SAMPLES, needs_samples

pytestmark = needs_samples


@pytest.fixture
def recorded() -> Iterator[SampleBoards]:
    with SampleBoards() as playing:
        yield playing


def fetch(recorded: SampleBoards, path: str) -> bytes:
    with urllib.request.urlopen(recorded.url + path) as answer:
        return bytes(answer.read())


def read(recorded: SampleBoards, path: str) -> Any:
    return json.loads(fetch(recorded, path))


def test_every_board_answers_with_its_file(recorded: SampleBoards) -> None:
    for board in recorded.boards:
        body = fetch(recorded, board.path)
        if board.kind == "weworkremotely":
            assert body == (SAMPLES / "weworkremotely" / "all.xml").read_bytes()
        else:
            file = SAMPLES / board.kind / f"{board.token}.json"
            assert json.loads(body) == json.loads(file.read_bytes())
        assert recorded.requests[board.path] == 1
    assert {board.kind for board in recorded.boards} == {"greenhouse", "lever", "ashby", "weworkremotely"}


def test_what_is_not_published_is_not_expected(recorded: SampleBoards) -> None:
    board = recorded.board("ashby", "wealth")
    jobs = read(recorded, board.path)["jobs"]
    assert board.expected_count == len(jobs) - 1
    assert set(board.expected_ids) == {job["id"] for job in jobs if job["isListed"]}
    assert recorded.expected_count == sum(len(each.expected_ids) for each in recorded.boards)


def test_pages_of_lever_add_up(recorded: SampleBoards) -> None:
    board = recorded.board("lever", "outreach")
    pages = [read(recorded, f"{board.path}?mode=json&skip={skip}&limit=3") for skip in (0, 3, 6)]
    assert [len(page) for page in pages] == [3, 1, 0]
    assert tuple(job["id"] for page in pages for job in page) == board.expected_ids


def test_one_job_of_greenhouse_is_there_and_strangers_are_not(recorded: SampleBoards) -> None:
    detail = json.loads((SAMPLES / "greenhouse" / "gong-detail.json").read_bytes())
    assert read(recorded, f"/v1/boards/gong/jobs/{detail['id']}") == detail
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(recorded, "/v1/boards/nobody/jobs")
    with caught.value as refused:
        assert refused.code == 404


def test_tags_are_honoured_where_they_are_asked_for() -> None:
    with SampleBoards(etags=True) as recorded:
        path = recorded.board("lever", "veeva").path
        with urllib.request.urlopen(recorded.url + path) as answer:
            tag = answer.headers["ETag"]
        again = urllib.request.Request(recorded.url + path, headers={"If-None-Match": tag})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(again)
        with caught.value as unchanged:
            assert unchanged.code == 304


def test_a_slow_answer_is_the_same_answer(recorded: SampleBoards) -> None:
    path = recorded.board("lever", "outreach").path
    quick = fetch(recorded, path)
    recorded.chunk_delay = 0.005
    assert fetch(recorded, path) == quick


def test_overrides_name_every_origin(recorded: SampleBoards) -> None:
    assert recorded.overrides.count(f"={recorded.url}") == 4
