from __future__ import annotations

from flask import Flask

from scout.database import Database
from tests.unit.web.api.program import Program, make_token
from tests.unit.web.browser import Browser


def test_who_asks_is_told(program: Program, app: Flask, db: Database) -> None:
    assert program.get("/me").get_json()["caller"].startswith("token ")
    small = Program(app, make_token(db, "searches:read"))
    assert small.get("/me").get_json()["scopes"] == ["searches:read"]


def test_browsers_are_listed_and_signed_out(program: Program, owner: Browser, app: Flask) -> None:
    other = Browser(app)
    other.sign_in()
    first, second = program.get("/sessions").get_json()["items"]
    assert first["this"] is False
    assert program.delete(f"/sessions/{first['handle']}").status_code == 204
    assert program.delete(f"/sessions/{first['handle']}").status_code == 404
    assert program.post("/sessions/end").get_json() == {"ended": 1}
    assert owner.get("/sources").status_code == 303
    assert second["handle"] != first["handle"]


def test_a_token_is_made_once_used_and_revoked(program: Program, app: Flask) -> None:
    wish = {"name": "backup", "scopes": ["jobs:read"], "expires_at": "2100-01-01T00:00:00Z"}
    made = program.post("/tokens", wish)
    assert made.status_code == 201
    told = made.get_json()
    it = Program(app, told["token"])
    assert it.get("/jobs").status_code == 200
    listed = program.get("/tokens").get_json()["items"]
    assert [each["name"] for each in listed] == ["backup", "test"]
    assert told["token"] not in program.get("/tokens").text
    assert program.delete(f"/tokens/{told['prefix']}").status_code == 204
    assert it.get("/jobs").status_code == 401
    assert program.delete(f"/tokens/{told['prefix']}").status_code == 404
    late = program.post("/tokens", {**wish, "expires_at": "2001-01-01T00:00:00Z"})
    assert late.status_code == 422
    assert "expired already" in late.get_json()["detail"]


def test_what_was_done_is_listed(program: Program) -> None:
    for name in ("one", "two", "three"):
        program.post("/sources", {"url": f"https://jobs.lever.co/{name}", "scan": False})
    program.put("/sources/two/paused")
    program.post("/profile/try", {"title": "Nurse"})
    first = program.get("/audit", limit="2").get_json()
    assert [(each["words"], each["subject"], each["by"]) for each in first["items"]] == [
        ("Paused a board", "two", "token: test"),
        ("Added a board", "", "token: test"),
    ]
    second = program.get(first["next"]).get_json()
    assert (len(second["items"]), second["next"], second["total"]) == (2, None, 4)
    assert program.get("/audit", who="browser").get_json()["total"] == 0
    assert program.get("/audit", q="paused").get_json()["total"] == 1
