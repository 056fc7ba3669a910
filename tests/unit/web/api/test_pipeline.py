from __future__ import annotations

from collections.abc import Callable

from scout.models import Status
from tests.unit.web.api.program import Program

MEETING = {"what": "Interview with Dana", "begins": "2099-06-12T10:30", "timezone": "Europe/Zurich"}


def test_the_pipeline_is_told_by_stage(program: Program, add_job: Callable[..., int]) -> None:
    add_job()
    job_id = add_job()
    program.put(f"/jobs/{job_id}/status", {"to": "saved"})
    told = program.get("/pipeline").get_json()
    assert [(each["id"], each["stage"]) for each in told["items"]] == [(job_id, "saved")]
    assert told["items"][0]["moves"]["applied"] == "applied"
    assert told["counts"]["saved"] == 1
    assert program.get("/pipeline", sort="colour").status_code == 422


def test_what_is_due_is_told(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job(status=Status.APPLIED)
    program.put(f"/jobs/{job_id}/plan", {"on": "2001-01-01", "action": "Call Dana"})
    (due,) = program.get("/agenda").get_json()["overdue"]
    assert (due["job_id"], due["kind"], due["what"]) == (job_id, "action", "Call Dana")


def test_appointments_are_made_changed_and_taken_away(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job(status=Status.APPLIED)
    path = f"/jobs/{job_id}/appointments"
    made = program.post(path, MEETING)
    assert made.status_code == 201
    told = made.get_json()
    assert (told["starts_at"], told["minutes"]) == ("2099-06-12T08:30:00Z", 60)
    assert made.headers["Location"] == f"/api/v1{path}/{told['id']}"
    assert program.get(path).get_json() == program.get("/appointments").get_json() == {"items": [told]}
    changed = program.put(f"{path}/{told['id']}", {**MEETING, "minutes": 30, "sequence": 0}).get_json()
    assert (changed["minutes"], changed["sequence"]) == (30, 1)
    late = program.put(f"{path}/{told['id']}", {**MEETING, "minutes": 45, "sequence": 0})
    assert late.status_code == 412
    assert program.delete(f"{path}/{told['id']}").status_code == 204
    assert program.delete(f"{path}/{told['id']}").status_code == 204
    assert program.put(f"{path}/{told['id']}", MEETING).status_code == 404
    for wrong in ({**MEETING, "timezone": "Mars/Base"}, {**MEETING, "begins": "0001-01-01T00:00"}):
        assert program.post(path, wrong).status_code == 422


def test_how_it_goes_is_told(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    for to in ("saved", "applied", "interviewing"):
        program.put(f"/jobs/{job_id}/status", {"to": to})
    told = program.get("/insights", days="30").get_json()
    assert told["reached"] == {"saved": 1, "applied": 1, "interviewing": 1, "offer": 0}
    assert told["answered"]["share"] == 1.0


def test_the_calendars_address_is_told_and_renewed(program: Program) -> None:
    before = program.get("/calendar").get_json()["url"]
    after = program.post("/calendar").get_json()["url"]
    assert before != after
    assert program.get("/calendar").get_json()["url"] == after
