from __future__ import annotations

from collections.abc import Callable

import pytest

from scout.models import Source
from tests.unit.web.api.program import Program

LEVER = "https://jobs.lever.co/veeva"


def test_a_board_is_watched_and_scanned(program: Program) -> None:
    made = program.post("/sources", {"url": LEVER})
    assert made.status_code == 201
    assert made.headers["Location"] == "/api/v1/sources/veeva"
    told = made.get_json()
    assert (told["source"]["kind"], told["source"]["health"]) == ("lever", "new")
    scan = program.get(f"/scans/{told['run_id']}").get_json()
    assert (scan["status"], scan["boards"], scan["trigger"]) == ("queued", 1, "owner")
    again = program.post("/sources", {"url": LEVER})
    assert again.status_code == 409
    assert "watched already, as veeva" in again.get_json()["detail"]


def test_one_may_be_added_without_a_scan(program: Program) -> None:
    made = program.post("/sources", {"url": LEVER, "name": "My Veeva", "scan": False}).get_json()
    assert made["run_id"] is None
    assert made["source"]["name"] == "My Veeva"


@pytest.mark.parametrize(
    "url",
    ["https://example.com/", "ftp://jobs.lever.co/veeva", "javascript:alert(1)", "file:///etc/passwd", "x",
     "https://user:pass@jobs.lever.co/veeva", "https://jobs.lever.co\\@evil.example/veeva"],
)  # fmt: skip
def test_what_is_no_board_is_refused_in_words(program: Program, url: str) -> None:
    answer = program.post("/sources", {"url": url})
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "/api/docs#problem-unusable"
    assert program.get("/sources").get_json()["items"] == []


def test_boards_are_read_page_by_page(program: Program) -> None:
    for name in ("one", "two", "three"):
        program.post("/sources", {"url": f"https://jobs.lever.co/{name}", "scan": False})
    slugs, path = [], "/sources?limit=2"
    while path:
        answer = program.get(path)
        slugs.append([each["slug"] for each in answer.get_json()["items"]])
        path = answer.get_json()["next"]
        assert answer.headers.get("Link") == (f'<{path}>; rel="next"' if path else None)
    assert slugs == [["one", "three"], ["two"]]
    assert program.get("/sources", q="jobs.lever.co two").get_json()["total"] == 1
    assert program.get("/sources", sort="size").status_code == 422
    assert program.get("/scans", after="x").status_code == 422


def test_a_board_is_paused_and_resumed(program: Program, source: Source) -> None:
    assert program.put("/sources/acme/paused").get_json()["paused"] is True
    assert program.put("/sources/acme/paused").get_json()["health"] == "paused"
    assert program.delete("/sources/acme/paused").get_json()["paused"] is False
    assert program.put("/sources/nobody/paused").status_code == 404


def test_a_board_gets_a_schedule_of_its_own(program: Program, source: Source) -> None:
    own = {"interval_minutes": 360, "quiet_hours": "22:00-07:00", "time_zone": "Europe/Zurich"}
    told = program.send("PATCH", "/sources/acme", own).get_json()
    assert {name: told[name] for name in own} == own
    told = program.send("PATCH", "/sources/acme", {"quiet_hours": ""}).get_json()
    assert (told["quiet_hours"], told["interval_minutes"]) == ("", 360)
    told = program.send("PATCH", "/sources/acme", {"interval_minutes": None}).get_json()
    assert told["interval_minutes"] is None
    for wrong in ({"quiet_hours": "late"}, {"time_zone": "Mars/Base"}, {"interval_minutes": 0}):
        assert program.send("PATCH", "/sources/acme", wrong).status_code == 422


def test_a_board_is_removed(program: Program, source: Source, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    assert program.delete("/sources/acme").status_code == 204
    assert program.delete("/sources/acme").status_code == 404
    assert program.get(f"/jobs/{job_id}").status_code == 404


def test_kinds_of_boards_are_told(program: Program) -> None:
    kinds = {each["name"]: each for each in program.get("/source-kinds").get_json()["items"]}
    assert kinds["lever"]["at"] == "its address"
    assert kinds["feed"]["at"] == "any address"


def test_the_starter_list_is_watched(program: Program) -> None:
    added = program.post("/sources/starters").get_json()["added"]
    assert added > 10
    assert program.post("/sources/starters").get_json() == {"added": 0}


def test_a_scan_is_started_looked_at_and_called_off(program: Program, source: Source) -> None:
    answer = program.post("/scans", {"sources": ["acme"]})
    assert answer.status_code == 202
    run = answer.get_json()
    assert answer.headers["Location"] == f"/api/v1/scans/{run['run_id']}"
    assert program.post("/scans", {}).get_json()["run_id"] == run["run_id"]
    boards = program.get(f"/scans/{run['run_id']}/boards").get_json()["items"]
    assert [(each["source"], each["status"]) for each in boards] == [("acme", "queued")]
    over = program.post(f"/scans/{run['run_id']}/cancel").get_json()
    assert over["status"] == "cancelled"
    assert program.post(f"/scans/{run['run_id']}/cancel").status_code == 409
    assert [each["run_id"] for each in program.get("/scans").get_json()["items"]] == [run["run_id"]]
    assert program.get("/scans/99").status_code == 404
    assert program.get("/scans/99/boards").status_code == 404
    assert program.post("/scans", {"sources": ["nobody"]}).status_code == 404


def test_without_boards_there_is_nothing_to_scan(program: Program) -> None:
    assert program.post("/scans", {}).status_code == 409
    assert program.post("/scans", {"sources": []}).status_code == 422


def test_scans_are_read_page_by_page(program: Program, source: Source) -> None:
    for _ in range(3):
        run = program.post("/scans", {}).get_json()["run_id"]
        program.post(f"/scans/{run}/cancel")
    first = program.get("/scans", limit="2").get_json()
    second = program.get(first["next"]).get_json()
    assert [each["run_id"] for page in (first, second) for each in page["items"]] == [3, 2, 1]
    assert second["next"] is None


def test_many_boards_are_paused_resumed_and_removed(program: Program) -> None:
    for name in ("one", "two"):
        program.post("/sources", {"url": f"https://jobs.lever.co/{name}", "scan": False})
    asked = {"sources": ["one", "two", "nobody"]}
    for what in ("pause", "resume", "remove"):
        assert program.post("/sources/bulk", {**asked, "what": what}).get_json() == {
            "changed": ["one", "two"]
        }
    assert program.post("/sources/bulk", {**asked, "what": "remove"}).get_json() == {"changed": []}


def test_a_look_at_a_board_keeps_nothing(program: Program) -> None:
    seen = program.post("/sources/test", {"url": "https://jobs.lever.co/veeva"}).get_json()
    assert (seen["kind"], seen["postings"]) == ("lever", 0)
    assert seen["error"]
    assert program.get("/sources").get_json()["total"] == 0
