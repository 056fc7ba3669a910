from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import socket
import ssl
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from metrics import catalogue
from metrics.testing import Captured, captured
from scout import clock
from scout import settings as scout_settings
from scout.fetch import Door, FetchError, Limits, Reason, check, retry_after
from scout.settings import SettingError, Settings
from tests.components import need
from tests.serving import Asked, reply, serving


def to_us(_host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
    """Every name leads to this machine."""
    return [(2, ("127.0.0.1", port))]


def no_sleep(seconds: float) -> None:
    """Waits for nothing."""


def test_an_answer_comes_back_whole_with_its_headers(emitted: Captured) -> None:
    with (
        serving(lambda _: reply(b"hello", ETag='"v1"')) as server,
        Door(server.settings, kind="test") as door,
    ):
        answer = door.get(f"{server.origin}/a?b=c")
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"hello", '"v1"')
    assert answer.url == f"{server.origin}/a?b=c"
    assert server.asked[0].path == "/a?b=c"
    emitted.assert_incremented(catalogue.OUTBOUND_REQUESTS, kind="test", outcome="ok")
    emitted.assert_observed(catalogue.OUTBOUND_DURATION, kind="test", outcome="ok")
    emitted.assert_incremented(catalogue.OUTBOUND_BYTES, 5, kind="test")


def test_one_door_uses_one_connection_again() -> None:
    with serving(lambda _: reply(b"x")) as server, Door(server.settings, kind="test") as door:
        for _ in range(5):
            door.get(server.origin)
        assert len(server.asked) == 5
        assert server.connections == 1


def test_the_user_agent_names_the_program_and_whom_to_ask() -> None:
    with serving(lambda _: reply(b"x")) as server:
        settings = Settings(
            allow_private=server.settings.allow_private, contact="https://me.example/jobs\r\nX-Evil: 1"
        )
        with Door(settings, kind="test") as door:
            door.get(server.origin)
    agent = server.asked[0].headers["user-agent"]
    assert agent.startswith("IAM-Job-Scout/")
    assert "+https://me.example/jobs" in agent
    assert "x-evil" not in server.asked[0].headers


def test_compressed_answers_are_decoded() -> None:
    body = b"job " * 10_000
    with (
        serving(lambda _: reply(gzip.compress(body), Content_Encoding="gzip")) as server,
        Door(server.settings, kind="test") as door,
    ):
        assert door.get(server.origin).body == body
    assert "gzip" in server.asked[0].headers["accept-encoding"]


def test_an_override_sends_an_origin_elsewhere_and_keeps_path_and_query() -> None:
    with serving(lambda _: reply(b"played")) as server:
        settings = Settings(origin_overrides={"https://boards-api.greenhouse.io": server.origin})
        with Door(settings, kind="test") as door:
            answer = door.get("https://boards-api.greenhouse.io/v1/boards/okta/jobs?content=true")
    assert answer.body == b"played"
    assert answer.url.startswith("https://boards-api.greenhouse.io/v1/")
    assert server.asked[0].path == "/v1/boards/okta/jobs?content=true"


def test_an_override_holds_for_its_own_origin_only() -> None:
    with serving(lambda _: reply(b"played")) as server:
        settings = Settings(origin_overrides={"https://a.example": server.origin})
        door = Door(settings, kind="test", resolve=lambda _, port: [(2, ("10.0.0.1", port))])
        for url in ("http://a.example/", "https://a.example:8443/", "https://b.a.example/"):
            with pytest.raises(FetchError) as caught:
                door.get(url)
            assert caught.value.reason is Reason.ADDRESS
        door.close()
    assert server.asked == []


def test_a_pattern_sends_every_host_below_it_elsewhere_and_says_which_was_meant() -> None:
    with serving(lambda _: reply(b"played")) as many, serving(lambda _: reply(b"own")) as one:
        settings = Settings(
            origin_overrides={
                "https://*.board.example": many.origin,
                "https://*.na.board.example": one.origin,
                "https://whole.board.example": one.origin,
            }
        )
        with Door(settings, kind="test") as door:
            assert door.get("https://acme.board.example/jobs").body == b"played"
            assert door.get("https://acme.wd5.board.example/jobs?a=b").body == b"played"
            assert door.get("https://whole.board.example/jobs").body == b"own"
            assert door.get("https://acme.na.board.example/jobs").body == b"own"
    assert [asked.headers["x-forwarded-host"] for asked in many.asked] == [
        "acme.board.example", "acme.wd5.board.example",
    ]  # fmt: skip
    assert many.asked[1].path == "/jobs?a=b"


@pytest.mark.parametrize(
    "url",
    ["https://board.example/", "http://acme.board.example/", "https://acme.board.example:8443/",
     "https://acmeboard.example/", "https://acme.board.example.evil.example/"],
)  # fmt: skip
def test_a_pattern_holds_for_hosts_below_it_only(url: str) -> None:
    with serving(lambda _: reply(b"played")) as server:
        settings = Settings(origin_overrides={"https://*.board.example": server.origin})
        with (
            Door(settings, kind="test", resolve=lambda _, port: [(2, ("10.0.0.1", port))]) as door,
            pytest.raises(FetchError) as caught,
        ):
            door.get(url)
    assert caught.value.reason is Reason.ADDRESS
    assert server.asked == []


def test_a_question_is_posted_as_json_and_the_answer_comes_back(emitted: Captured) -> None:
    with serving(lambda _: reply(b'{"a": 1}')) as server, Door(server.settings, kind="test") as door:
        answer = door.post_json(
            f"{server.origin}/jobs", {"limit": 20, "text": "Zürich"}, headers={"Accept-Language": "en"}
        )
    assert answer.body == b'{"a": 1}'
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/jobs")
    assert json.loads(asked.body) == {"limit": 20, "text": "Zürich"}
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert asked.headers["accept-language"] == "en"
    emitted.assert_incremented(catalogue.OUTBOUND_REQUESTS, 1, kind="test", outcome="ok")
    emitted.assert_observed(catalogue.OUTBOUND_DURATION, 1, kind="test", outcome="ok")


@pytest.mark.parametrize(
    "passing",
    [reply(b"", 303, Location="/maintenance"), reply(b"", 307, Location="https://other.example/"),
     reply(b"<!doctype html><title>Maintenance</title>"), reply(b"", 503), reply(b"", 429), None],
)  # fmt: skip
def test_a_question_is_asked_again_after_what_may_pass(passing: bytes | None, emitted: Captured) -> None:
    answers = iter([passing, passing, reply(b"{}")])
    with (
        serving(lambda _: next(answers)) as server,
        Door(server.settings, kind="test", sleep=no_sleep) as door,
    ):
        assert door.post_json(f"{server.origin}/jobs", {}).body == b"{}"
    assert [(asked.method, asked.path, asked.body) for asked in server.asked] == [
        ("POST", "/jobs", b"{}")
    ] * 3
    emitted.assert_incremented(catalogue.OUTBOUND_RETRIES, 2, kind="test")


@pytest.mark.parametrize(
    ("answer", "reason", "tries"),
    [
        (reply(b"", 303, Location="/elsewhere"), Reason.REDIRECTS, 3),
        (reply(b" \n<html>maintenance</html>"), Reason.NOT_A_LISTING, 3),
        (reply(b"<title>Just a moment...</title>"), Reason.BOT_CHALLENGE, 1),
        (reply(b"", 404), Reason.NOT_FOUND, 1),
        (reply(b"", 400), Reason.HTTP_STATUS, 1),
        (reply(b"", 401), Reason.DENIED, 1),
        (reply(b"x" * 2_000_000), Reason.TOO_LARGE, 1),
    ],
)
def test_a_question_that_fails_has_its_reason_and_its_number_of_tries(
    answer: bytes, reason: Reason, tries: int, emitted: Captured
) -> None:
    with (
        serving(lambda _: answer) as server,
        Door(server.settings, kind="test", sleep=no_sleep) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.post_json(f"{server.origin}/jobs", {}, limits=Limits(size=1_000_000))
    assert caught.value.reason is reason
    assert {asked.path for asked in server.asked} == {"/jobs"}
    assert len(server.asked) == tries
    emitted.assert_incremented(catalogue.OUTBOUND_ERRORS, 1, kind="test", reason=reason.value)


def test_a_question_never_reaches_a_private_address() -> None:
    with serving(lambda _: reply(b"{}")) as server:
        for url in (f"{server.origin}/jobs", "file:///etc/passwd", "https://user@jobs.example/"):
            with Door(Settings(), kind="test") as door, pytest.raises(FetchError) as caught:
                door.post_json(url, {})
            assert caught.value.reason in {Reason.ADDRESS, Reason.SCHEME, Reason.URL}
    assert server.asked == []


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(status: int, emitted: Captured) -> None:
    answers = iter([reply(b"", status), reply(b"", status), reply(b"at last")])
    with (
        serving(lambda _: next(answers)) as server,
        Door(server.settings, kind="test", sleep=no_sleep) as door,
    ):
        assert door.get(server.origin).body == b"at last"
    emitted.assert_incremented(catalogue.OUTBOUND_RETRIES, 2, kind="test")
    emitted.assert_incremented(catalogue.OUTBOUND_REQUESTS, kind="test", outcome="ok")


@pytest.mark.parametrize(
    ("status", "reason", "tries"),
    [
        (400, Reason.HTTP_STATUS, 1),
        (401, Reason.DENIED, 1),
        (403, Reason.DENIED, 1),
        (404, Reason.NOT_FOUND, 1),
        (410, Reason.GONE, 1),
        (418, Reason.HTTP_STATUS, 1),
        (429, Reason.RATE_LIMITED, 3),
        (500, Reason.SERVER_ERROR, 3),
        (503, Reason.SERVER_ERROR, 3),
        (304, Reason.HTTP_STATUS, 1),
        (206, Reason.HTTP_STATUS, 1),
    ],
)
def test_each_status_has_its_reason_and_its_number_of_tries(
    status: int, reason: Reason, tries: int, emitted: Captured
) -> None:
    with (
        serving(lambda _: reply(b"", status)) as server,
        Door(server.settings, kind="test", sleep=no_sleep) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is reason
    assert str(status) in caught.value.text
    assert "127.0.0.1" in caught.value.text
    assert len(server.asked) == tries
    emitted.assert_incremented(catalogue.OUTBOUND_ERRORS, kind="test", reason=reason)
    emitted.assert_incremented(catalogue.OUTBOUND_REQUESTS, kind="test", outcome="error")


def test_pauses_between_tries_grow_and_are_jittered() -> None:
    pauses: list[float] = []
    with (
        serving(lambda _: reply(b"", 500)) as server,
        Door(server.settings, kind="test", sleep=pauses.append, chance=lambda: 1.0) as door,
        pytest.raises(FetchError),
    ):
        door.get(server.origin, limits=Limits(tries=6))
    assert pauses == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_a_server_that_hangs_up_is_tried_again_and_then_named(emitted: Captured) -> None:
    with (
        serving(lambda _: None) as server,
        Door(server.settings, kind="test", sleep=no_sleep) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.CONNECT
    assert len(server.asked) == 3


def test_a_closed_port_is_a_connection_that_failed(emitted: Captured) -> None:
    with serving(lambda _: None) as server:
        pass
    with (
        Door(server.settings, kind="test", sleep=no_sleep) as door,
        pytest.raises(FetchError, match="No connection to 127") as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.CONNECT
    emitted.assert_incremented(catalogue.OUTBOUND_RETRIES, 2, kind="test")


def test_a_name_that_does_not_exist_is_named_and_not_tried_again() -> None:
    asked: list[str] = []

    def nobody(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    with (
        Door(Settings(), kind="test", resolve=nobody, sleep=no_sleep) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get("https://no-such-board.example/")
    assert caught.value.reason is Reason.DNS
    assert "no-such-board.example" in caught.value.text
    assert asked == ["no-such-board.example"]


def test_a_resolver_that_never_answers_does_not_hold_the_fetch() -> None:
    released = threading.Event()

    def silent(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
        released.wait(30)
        return []

    with (
        Door(Settings(), kind="test", resolve=silent, limits=Limits(total=0.3, tries=1)) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get("https://slow.example/")
    released.set()
    assert caught.value.reason is Reason.TIMEOUT


def test_not_modified_comes_back_when_validators_were_sent() -> None:
    with (
        serving(
            lambda asked: reply(b"", 304 if asked.headers.get("if-none-match") == '"v1"' else 200)
        ) as server,
        Door(server.settings, kind="test") as door,
    ):
        assert door.get(server.origin, headers={"If-None-Match": '"v1"'}).status == 304


def test_headers_about_the_origin_stay_there_when_a_redirect_leaves_it() -> None:
    with serving(lambda _: reply(b"there")) as other:

        def away(asked: Asked) -> bytes:
            if asked.path == "/same":
                return reply(b"", 302, Location="/away")
            return reply(b"", 302, Location=f"{other.origin}/x")

        with serving(away) as server:
            settings = Settings(allow_private=server.settings.allow_private | other.settings.allow_private)
            with Door(settings, kind="test") as door:
                answer = door.get(
                    f"{server.origin}/same",
                    headers={
                        "Authorization": "secret",
                        "Cookie": "a=b",
                        "If-None-Match": "x",
                        "Accept": "text/x",
                    },
                )
    assert answer.body == b"there"
    assert answer.url == f"{other.origin}/x"
    assert server.asked[1].headers["authorization"] == "secret"
    sent = other.asked[0].headers
    assert sent["accept"] == "text/x"
    assert not {"authorization", "cookie", "if-none-match"} & set(sent)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("99999999999999999999999", 6 * 3600),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        (None, None),
        ("Mon, 01 Jun 2026 12:05:00 GMT", 300),
        ("Mon, 01 Jun 2026 11:00:00 GMT", 0),
        ("Mon, 01 Jun 2099 12:00:00 GMT", 6 * 3600),
        ("Mon, 99 Jun 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_and_clamped(
    value: str | None, seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC))
    assert retry_after(value) == seconds


def test_checked_urls_keep_their_meaning() -> None:
    target = check("HTTPS://Example.ORG.:443/a%20b/ü?q=1&r=[x]#part")
    assert target.url == "https://example.org/a%20b/%C3%BC?q=1&r=[x]"
    assert check("http://[2001:DB8::1]:8080").url == "http://[2001:db8::1]:8080/"
    assert check("http://example.org?x=1").url == "http://example.org/?x=1"


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    openssl = need("openssl")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return key, certificate


@pytest.mark.parametrize(("asked_for", "reason"), [("jobs.example", None), ("other.example", Reason.TLS)])
def test_certificates_are_checked_against_the_name_and_not_the_address(
    asked_for: str, reason: Reason | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = _certificate(tmp_path, "jobs.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(lambda _: reply(b"secret"), tls=context) as server:
        settings = Settings(allow_private=frozenset({(asked_for, server.port)}))
        with Door(
            settings, kind="test", resolve=lambda _, port: [(2, ("127.0.0.1", port))], sleep=no_sleep
        ) as door:
            if reason is None:
                assert door.get(f"https://{asked_for}:{server.port}/").body == b"secret"
                assert server.asked[0].headers["host"] == f"{asked_for}:{server.port}"
            else:
                with pytest.raises(FetchError) as caught:
                    door.get(f"https://{asked_for}:{server.port}/")
                assert caught.value.reason is reason
    assert names == [asked_for]


CONNECTION = catalogue.OUTBOUND_CONNECTION


def test_the_steps_of_a_new_connection_are_timed_and_one_that_is_kept_has_none() -> None:
    with serving(lambda _: reply(b"here")) as server:
        settings = Settings(allow_private=frozenset({("jobs.example", server.port)}))
        with captured() as found, Door(settings, kind="test", resolve=to_us) as door:
            for _ in range(3):
                door.get(f"http://jobs.example:{server.port}/")
    found.assert_observed(CONNECTION, server.connections, kind="test", step="look_up")
    found.assert_observed(CONNECTION, server.connections, kind="test", step="connect")
    found.assert_observed(CONNECTION, 2 * server.connections)
    assert server.connections < 3


@pytest.mark.parametrize("asked_for", ["jobs.example", "other.example"])
def test_the_handshake_is_timed_also_when_it_fails(
    asked_for: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = _certificate(tmp_path, "jobs.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(lambda _: reply(b"secret"), tls=context) as server:
        settings = Settings(allow_private=frozenset({(asked_for, server.port)}))
        with (
            captured() as found,
            Door(settings, kind="test", resolve=to_us, limits=Limits(tries=1)) as door,
            contextlib.suppress(FetchError),
        ):
            door.get(f"https://{asked_for}:{server.port}/")
    for step in ("look_up", "connect", "tls"):
        found.assert_observed(CONNECTION, kind="test", step=step)


def test_a_connection_that_cannot_be_made_has_its_time_and_no_handshake() -> None:
    with serving(lambda _: None) as server:
        port = server.port
    settings = Settings(allow_private=frozenset({("jobs.example", port)}))
    with (
        captured() as found,
        Door(settings, kind="test", resolve=to_us, limits=Limits(tries=1)) as door,
        pytest.raises(FetchError),
    ):
        door.get(f"https://jobs.example:{port}/")
    found.assert_observed(CONNECTION, kind="test", step="connect")
    assert not found.durations(CONNECTION, step="tls")


def test_a_name_that_is_not_found_has_the_time_of_its_look_up() -> None:
    def nobody(host: str, port: int) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "nobody")

    with (
        captured() as found,
        Door(Settings(), kind="test", resolve=nobody, limits=Limits(tries=1)) as door,
        pytest.raises(FetchError),
    ):
        door.get("https://nobody.example/")
    found.assert_observed(CONNECTION, kind="test", step="look_up")
    found.assert_observed(CONNECTION)


def test_an_unknown_certificate_is_refused(tmp_path: Path) -> None:
    key, certificate = _certificate(tmp_path, "jobs.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(lambda _: reply(b"secret"), tls=context) as server:
        settings = Settings(allow_private=frozenset({("jobs.example", server.port)}))
        with (
            Door(settings, kind="test", resolve=lambda _, port: [(2, ("127.0.0.1", port))]) as door,
            pytest.raises(FetchError) as caught,
        ):
            door.get(f"https://jobs.example:{server.port}/")
    assert caught.value.reason is Reason.TLS
    assert server.asked == []


@pytest.mark.parametrize("text", ["boards", ":8080", "boards:", "boards:http", "boards:8²", "boards:808080"])
def test_an_exception_that_is_no_host_and_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match=r"SCOUT_ALLOW_PRIVATE: .* is not host:port"):
        scout_settings.load({"SCOUT_ALLOW_PRIVATE": text})
