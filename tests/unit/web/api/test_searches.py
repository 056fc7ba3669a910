from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scout.settings import Settings
from tests.unit.web.api.program import Program
from tests.unit.web.browser import Browser


@pytest.fixture
def channel(settings: Settings) -> Path:
    """A file of channels with one that nobody is at."""
    file = Path(settings.channels_file)
    file.write_text("phone = json://127.0.0.1:9/nobody\n")
    file.chmod(0o600)
    return file


def test_a_search_is_saved_changed_and_removed(program: Program, add_job: Callable[..., int]) -> None:
    add_job()
    made = program.post("/searches", {"name": "Remote IAM", "query": {"text": "identity", "min_score": 40}})
    assert made.headers["Location"] == "/api/v1/searches/remote-iam"
    told = made.get_json()
    assert told["query"] == {"text": "identity", "min_score": 40}
    assert (told["tells"], told["matching"], told["news"]) == ("feed", 1, 1)
    changed = program.send("PATCH", "/searches/remote-iam", {"hour": 7, "enabled": False}).get_json()
    assert (changed["hour"], changed["enabled"], changed["name"]) == (7, False, "Remote IAM")
    assert [each["slug"] for each in program.get("/searches").get_json()["items"]] == ["remote-iam"]
    assert program.delete("/searches/remote-iam").status_code == 204
    assert program.get("/searches/remote-iam").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "?"},
        {"name": "x", "tells": "instant"},
        {"name": "x", "channels": ["nobody"]},
        {"name": "x", "timezone": "Mars/Base"},
        {"name": "x", "quiet": "late"},
        {"name": "x", "hour": 24},
        {"name": "x", "query": {"colour": "red"}},
    ],
    ids=str,
)
def test_one_that_cannot_be_is_refused(program: Program, wrong: dict[str, object]) -> None:
    assert program.post("/searches", wrong).status_code == 422
    assert program.get("/searches").get_json()["items"] == []


def test_its_feeds_move_to_another_address(program: Program, visitor: Browser) -> None:
    before = program.post("/searches", {"name": "x"}).get_json()["feeds"]["atom"]
    after = program.post("/searches/x/feed").get_json()["feeds"]["atom"]
    paths = [each[each.index("/feeds/") :] for each in (before, after)]
    assert [visitor.get(path).status_code for path in paths] == [404, 200]


def test_channels_are_listed_and_tried_and_tell_no_address(
    program: Program, channel: Path, add_job: Callable[..., int]
) -> None:
    add_job()
    listed = program.get("/channels")
    assert listed.get_json() == {"items": [{"name": "phone", "kind": "json", "trouble": ""}]}
    program.post("/searches", {"name": "x", "tells": "instant", "channels": ["phone"]})
    (tried,) = program.post("/searches/x/test", {}).get_json()["items"]
    assert (tried["channel"], tried["sent"]) == ("phone", False)
    assert "127.0.0.1" not in tried["reason"]
    (unknown,) = program.post("/searches/x/test", {"channels": ["pager"]}).get_json()["items"]
    assert unknown["sent"] is False
    channel.write_text("what")
    assert program.get("/channels").status_code == 409
