from __future__ import annotations

from collections.abc import Callable

import pytest

from scout import clock
from scout.models import Status
from tests.unit.web.api.program import Program


def test_a_job_is_read_moved_and_taken_back(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    job = program.get(f"/jobs/{job_id}").get_json()
    assert (job["status"], job["version"]) == ("new", 1)
    moved = program.put(f"/jobs/{job_id}/status", {"to": "saved"})
    assert moved.get_json()["status"] == "saved"
    assert moved.get_json()["undo_to"] == "new"
    assert program.put(f"/jobs/{job_id}/status", {"to": "saved"}).get_json()["version"] == 2
    back = program.post(f"/jobs/{job_id}/undo").get_json()
    assert back["status"] == "new"
    assert [each["what"] for each in back["history"]] == ["found", "status", "status"]
    none_left = program.post(f"/jobs/{job_id}/undo")
    assert none_left.status_code == 409
    assert none_left.get_json()["type"] == "/api/docs#problem-conflict"


def test_where_it_cannot_go_is_told(program: Program, add_job: Callable[..., int]) -> None:
    answer = program.put(f"/jobs/{add_job()}/status", {"to": "offer"})
    assert answer.status_code == 409
    assert "it can become: saved" in answer.get_json()["detail"]


def test_of_two_programs_the_second_is_told_that_it_changed(
    program: Program, add_job: Callable[..., int]
) -> None:
    job_id = add_job()
    etag = program.get(f"/jobs/{job_id}").headers["ETag"]
    first = program.put(f"/jobs/{job_id}/status", {"to": "saved"}, If_Match=etag)
    assert first.status_code == 200
    second = program.put(f"/jobs/{job_id}/status", {"to": "dismissed"}, If_Match=etag)
    assert second.status_code == 412
    assert "is saved now" in second.get_json()["detail"]
    again = program.put(f"/jobs/{job_id}/status", {"to": "dismissed"}, If_Match=first.headers["ETag"])
    assert again.get_json()["status"] == "dismissed"
    for tag in ('"3"', '"3.0f"', "*"):
        assert program.put(f"/jobs/{job_id}/status", {"to": "dismissed"}, If_Match=tag).status_code == 200
    for tag in ('W/"x"', '"a"', '"1", "2"', '"99999999999"'):
        assert program.put(f"/jobs/{job_id}/status", {"to": "new"}, If_Match=tag).status_code == 412


def test_nothing_new_is_told_without_a_body(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    for path in (f"/jobs/{job_id}", "/jobs"):
        etag = program.get(path).headers["ETag"]
        same = program.get(path, headers={"If-None-Match": etag})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
        program.post(f"/jobs/{job_id}/notes", {"body": "A note."})
        program.put(f"/jobs/{job_id}/plan", {"action": path})
        assert program.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_a_plan_is_kept_and_taken_away(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    planned = program.put(f"/jobs/{job_id}/plan", {"on": "2026-12-24", "action": "Call them"}).get_json()
    assert (planned["next_action_on"], planned["next_action"]) == ("2026-12-24", "Call them")
    assert program.delete(f"/jobs/{job_id}/plan").status_code == 204
    assert program.get(f"/jobs/{job_id}").get_json()["next_action_on"] is None


def test_notes_are_written_anew_and_thrown_away(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    made = program.post(f"/jobs/{job_id}/notes", {"body": "They pay for moving."})
    note = made.get_json()
    assert made.headers["Location"] == f"/api/v1/jobs/{job_id}/notes/{note['id']}"
    assert program.get(f"/jobs/{job_id}/notes").get_json() == {"items": [note]}
    path = f"/jobs/{job_id}/notes/{note['id']}"
    new = program.put(path, {"body": "They do not.", "was": note["updated_at"]})
    assert new.get_json()["body"] == "They do not."
    late = program.put(path, {"body": "Who knows.", "was": note["updated_at"]})
    assert late.status_code == 412
    assert program.put(f"/jobs/{job_id}/notes/99", {"body": "x"}).status_code == 404
    assert program.delete(path).status_code == 204
    assert program.delete(path).status_code == 204


@pytest.mark.parametrize("which", ["jobs", "query"])
def test_many_jobs_move_at_once(program: Program, add_job: Callable[..., int], which: str) -> None:
    first, second, third = add_job(), add_job(), add_job(status=Status.DISMISSED)
    chosen = {"jobs": [{"id": each} for each in (first, second, third)], "query": {"min_score": 0}}[which]
    body = {"to": "dismissed", which: chosen}
    tried = program.post("/jobs/bulk", {**body, "dry_run": True}).get_json()
    done = program.post("/jobs/bulk", body).get_json()
    assert done.pop("batch")
    assert tried == {**done, "batch": ""}
    assert (done["changed"], done["unchanged"]) == (2, 1)
    refused = program.post("/jobs/bulk", {"to": "offer", which: chosen}).get_json()
    assert refused["illegal"] == 3
    assert refused["refused"][0] == {"id": first, "detail": "is dismissed and cannot become offer"}


def test_those_that_changed_meanwhile_stay(program: Program, add_job: Callable[..., int]) -> None:
    first, second = add_job(), add_job()
    program.put(f"/jobs/{second}/status", {"to": "saved"})
    done = program.post(
        "/jobs/bulk",
        {"to": "dismissed", "jobs": [{"id": first, "version": 1}, {"id": second, "version": 1}, {"id": 999}]},
    ).get_json()
    assert (done["changed"], done["conflicts"], done["missing"]) == (1, 1, 1)


def test_two_jobs_become_one_and_two_again(program: Program, add_job: Callable[..., int]) -> None:
    kept, other = add_job(), add_job()
    one = program.post(f"/jobs/{kept}/merge", {"job_id": other}).get_json()
    assert [each["id"] for each in one["listings"]] == [1, 2]
    gone = program.get(f"/jobs/{other}")
    assert gone.status_code == 404
    assert gone.get_json()["detail"] == f"Job {other} was merged into job {kept}."
    assert program.post(f"/jobs/{kept}/merge", {"job_id": kept}).status_code == 409
    two = program.post(f"/jobs/{kept}/listings/2/split").get_json()
    assert two["id"] == other
    assert program.post(f"/jobs/{kept}/listings/2/split").status_code == 409


def test_all_jobs_are_a_file(program: Program, add_job: Callable[..., int]) -> None:
    add_job(title="=1+1")
    assert "'=1+1" in program.get("/jobs/export", form="csv").text
    assert program.get("/jobs/export", form="json").get_json()[0]["title"] == "=1+1"
    assert program.get("/jobs/export").mimetype == "application/x-ndjson"


def test_what_is_looked_at_is_no_news(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job(edit_unseen=True)
    assert program.get(f"/jobs/{job_id}").get_json()["edit_unseen"] is True
    assert program.put(f"/jobs/{job_id}/looked").status_code == 204
    assert program.get(f"/jobs/{job_id}").get_json()["edit_unseen"] is False
    assert program.put("/jobs/99/looked").status_code == 404


def test_jobs_much_alike_are_named(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    assert program.get(f"/jobs/{job_id}/similar").get_json() == {"items": []}
    assert program.get(f"/jobs/{job_id}/history").get_json()["items"][0]["what"] == "found"


def test_a_change_of_many_is_taken_back(program: Program, add_job: Callable[..., int]) -> None:
    first, second = add_job(), add_job()
    batch = program.post("/jobs/bulk", {"to": "saved", "query": {}}).get_json()["batch"]
    program.put(f"/jobs/{second}/status", {"to": "applied"})
    back = program.post(f"/jobs/bulk/{batch}/undo").get_json()
    assert (back["changed"], back["conflicts"]) == (1, 1)
    assert program.get(f"/jobs/{first}").get_json()["status"] == "new"
    assert program.post("/jobs/bulk/nothing/undo").status_code == 404


def test_jobs_are_seen_and_unseen(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job()
    assert program.post("/jobs/seen", {"jobs": [job_id, 99]}).get_json() == {"jobs": [job_id]}
    assert program.get(f"/jobs/{job_id}").get_json()["looked_at"] is not None
    assert program.post("/jobs/seen", {"jobs": [job_id]}).get_json() == {"jobs": []}
    assert program.post("/jobs/unseen", {"jobs": [job_id]}).status_code == 204
    assert program.get(f"/jobs/{job_id}").get_json()["looked_at"] is None


def pages(program: Program, path: str) -> list[list[int]]:
    """The ids on each page of a list, from its beginning."""
    found, next_ = [], path
    while next_:
        page = program.get(next_).get_json()
        found.append([each["id"] for each in page["items"]])
        next_ = page["next"]
    return found


@pytest.mark.parametrize("sort", ["newest", "score", "posted", "salary", "relevance"])
def test_jobs_are_read_page_by_page_there_and_back(
    program: Program, add_job: Callable[..., int], sort: str
) -> None:
    made = {add_job(score=50 + number % 2) for number in range(5)}
    there = pages(program, f"/jobs?limit=2&sort={sort}&q=identity")
    assert [len(each) for each in there] == [2, 2, 1]
    assert {each for page in there for each in page} == made
    first = program.get("/jobs", limit="2", sort=sort, q="identity")
    second = program.get(first.get_json()["next"])
    assert first.get_json()["previous"] is None
    assert 'rel="prev"' in second.headers["Link"]
    assert program.get(second.get_json()["previous"]).get_json()["items"] == first.get_json()["items"]


def test_what_comes_while_a_list_is_read_neither_loses_nor_doubles_a_job(
    program: Program, add_job: Callable[..., int]
) -> None:
    made = [add_job() for _ in range(6)]
    page = program.get("/jobs", limit="2").get_json()
    read = [each["id"] for each in page["items"]]
    while page["next"]:
        add_job(first_seen_at=clock.now())
        program.put(f"/jobs/{read[-1]}/status", {"to": "dismissed"})
        page = program.get(page["next"]).get_json()
        read += [each["id"] for each in page["items"]]
    assert read == made


def test_a_place_of_another_list_is_refused(program: Program, add_job: Callable[..., int]) -> None:
    for _ in range(3):
        add_job()
    after = program.get("/jobs", limit="1").get_json()["next"].partition("after=")[2]
    assert program.get("/jobs", limit="1", after=after).status_code == 200
    for wrong in ({"after": after, "sort": "score"}, {"after": "x"}, {"before": "e30"}):
        assert program.get("/jobs", **wrong).status_code == 422
    assert program.get("/jobs", after=after, before=after).status_code == 422


def test_jobs_are_searched_and_told_apart(program: Program, add_job: Callable[..., int]) -> None:
    add_job(title="Okta Engineer", level="senior")
    add_job(title="Cook", status=Status.SAVED)
    found = program.get("/jobs", q="okta level:senior").get_json()
    assert (found["total"], found["more"], found["problems"]) == (1, False, [])
    assert program.get("/jobs", q="score:soon").get_json()["problems"]
    assert program.get("/jobs", status="saved").get_json()["total"] == 1
    assert program.get("/jobs?status=saved&status=new").get_json()["total"] == 2
    facets = {each["key"]: each["values"] for each in program.get("/jobs/facets").get_json()["items"]}
    assert {each["value"]: each["count"] for each in facets["status"]} == {"new": 1, "saved": 1}
