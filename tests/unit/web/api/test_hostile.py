"""Hostile inputs: kept as they are where they are harmless, refused in words where they are not."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest

from metrics import catalogue
from metrics.testing import captured
from tests.unit.web.api.program import Program

#: Texts that somebody may send, and what is kept of each.
TEXTS = {
    "right to left": ("\u202eevil\u202c", "\u202eevil\u202c"),
    "nul": ("a\x00b", "a b"),
    "emoji": ("👩‍💻🏳️‍🌈", "👩‍💻🏳️‍🌈"),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "formula": ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    "template": ("{{ 7*7 }}${7*7}", "{{ 7*7 }}${7*7}"),
    "sql": ("'; DROP TABLE jobs; --", "'; DROP TABLE jobs; --"),
    "metric": ("a:1|c\nb:1|c#x", "a:1|c\nb:1|c#x"),
}

#: Addresses that must never be asked, nor watched.
ADDRESSES = (
    "file:///etc/passwd",
    "gopher://jobs.lever.co/veeva",
    "ftp://jobs.lever.co/veeva",
    "data:text/html,x",
    "javascript:alert(1)",
    "source:file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
    "http://127.0.0.1:6379/",
    "http://[::1]/",
    "http://0x7f000001/",
    "https://user:pass@jobs.lever.co/veeva",
    "https://jobs.lever.co\\@evil.example/veeva",
    "https://jobs.lever.co/veeva\nHost: evil.example",
    "https://jobs.lever.co%00.evil.example/veeva",
    "https://jobs.l\u0435ver.co/veeva",
)


@pytest.mark.parametrize("name", TEXTS)
def test_texts_come_back_as_they_are_kept(
    program: Program, add_job: Callable[..., int], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    text, kept = TEXTS[name]
    job_id = add_job()
    with captured() as emitted:
        assert program.post(f"/jobs/{job_id}/notes", {"body": text}).get_json()["body"] == kept
    emitted.assert_incremented(catalogue.HTTP_REQUESTS, 1)
    planned = program.put(f"/jobs/{job_id}/plan", {"action": text}).get_json()["next_action"]
    assert planned == " ".join(kept.split())
    exported = json.loads(program.get("/jobs/export", form="json").data)
    assert exported[0]["notes"][0]["body"] == kept
    assert program.get("/jobs", q=text).status_code == 200
    assert program.get("/sources", q=text).status_code == 200
    assert program.get("/audit", q=text[:100]).status_code == 200
    assert all("\n" not in each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING)


def test_half_a_letter_is_no_text(program: Program, add_job: Callable[..., int]) -> None:
    path = f"/jobs/{add_job()}/notes"
    for body in (b'{"body": "\\ud800"}', b'{"body": "\xff"}', '{"body": "ü"}'.encode("utf-16")):
        answer = program.ask("POST", path, data=body, content_type="application/json")
        assert answer.status_code == 400
    assert program.get(path).get_json()["items"] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_leads_where_it_must_not(program: Program, address: str) -> None:
    for path in ("/sources", "/sources/discover"):
        answer = program.post(path, {"url": address})
        assert answer.status_code == 422, path
        assert "root:" not in answer.text
    assert program.post("/sources/test", {"url": address}).status_code == 422
    assert program.get("/sources").get_json()["total"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs"),
        ("GET", "/jobs/99"),
        ("DELETE", "/jobs"),
        ("POST", "/jobs/seen"),
        ("GET", "/nothing"),
        ("OPTIONS", "/jobs"),
        ("HEAD", "/jobs"),
    ],
)
def test_every_answer_has_the_walls_around_it(program: Program, method: str, path: str) -> None:
    for token in (program.token, "", "wrong"):
        answer = Program(program.app, token).ask(method, path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "Set-Cookie" not in answer.headers
        assert "werkzeug" not in str(answer.headers).lower()
        assert token not in answer.text or not token
