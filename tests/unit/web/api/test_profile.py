from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.web.api.program import Program

OWN = """
name: cooks
groups:
  - name: work
    points: {title: 60}
    terms: [cook]
"""


def test_the_profile_in_use_is_told_and_another_chosen(program: Program) -> None:
    used = program.get("/profile").get_json()
    assert (used["origin"], used["name"], used["scoring"]) == ("default", "iam", None)
    assert "nursing" in used["names"]
    chosen = program.put("/profile", {"name": "nursing"}).get_json()
    assert (chosen["origin"], chosen["profile"]["name"]) == ("choice", "nursing")
    for wrong in ({}, {"name": "nursing", "text": "x"}):
        assert program.put("/profile", wrong).status_code == 422
    refused = program.put("/profile", {"name": "../secret_key"})
    assert refused.status_code == 422
    assert "choose one of" in refused.get_json()["detail"]


@pytest.mark.parametrize("wrong", ["{", "name: x", "[]", "name: &a [*a]"])
def test_a_profile_is_checked_in_words(program: Program, wrong: str) -> None:
    assert program.post("/profile/check", {"name": "iam"}).get_json()["terms"]
    answer = program.post("/profile/check", {"text": wrong})
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "/api/docs#problem-unusable"
    assert "profile" in answer.get_json()["detail"]


def test_a_posting_is_tried(program: Program) -> None:
    match = program.post("/profile/try", {"title": "Senior IAM Engineer"}).get_json()
    assert match["score"] > 0
    assert match["reasons"][0]["where"] == "title"
    assert program.post("/profile/try", {"title": "Senior IAM Engineer", "name": "nursing"}).get_json() == {
        "score": 0,
        "reasons": [],
    }


def test_what_another_profile_would_find_is_told(program: Program, add_job: Callable[..., int]) -> None:
    job_id = add_job(title="Registered Nurse", score=0)
    found = program.post("/profile/preview", {"name": "nursing"}).get_json()
    assert (found["total"], found["appear"]) == (1, 1)
    assert found["items"][0]["id"] == job_id
    gone = program.post("/profile/preview", {"name": "nursing", "only": "vanishes"}).get_json()
    assert gone["items"] == []
