"""Outgoing requests under attack and fault: each case by its result, its metric, and what the owner reads."""

from __future__ import annotations

import gzip
import itertools
import resource
import time
import zlib
from collections.abc import Iterator

import pytest

from metrics import catalogue
from metrics.testing import ANY, Captured
from scout.addresses import refusal
from scout.fetch import Door, FetchError, Limits, Reason
from scout.settings import Settings
from tests.serving import Asked, reply, serving

PUBLIC = "93.184.215.14"
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::7f00:1", "::10.0.0.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:100.64.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::6440:1", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::1", "2002:6440:1::",
    "2001:0:7f00:1::", "2001:0:5ef5:79fd:0:0:80ff:fffe",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3fff::1", "5f00::1",
    "100::1", "100:0:0:1::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "febf::1",
    "fec0::1", "ff02::1", "ff0e::1", "4000::1", "e000::1",
]  # fmt: skip
REACHED = [
    "1.1.1.1",
    PUBLIC,
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
]


def door_to(*addresses: str) -> Door:
    """A door whose names all lead to `addresses`."""
    return Door(
        Settings(),
        kind="test",
        resolve=lambda _, port: [(10 if ":" in each else 2, (each, port)) for each in addresses],
        sleep=lambda _: None,
        limits=Limits(connect=0.2, total=1.0, tries=1),
    )


@pytest.mark.parametrize("address", PRIVATE)
def test_01_no_private_address_is_reached_by_name_or_by_itself(address: str, emitted: Captured) -> None:
    with door_to(address) as door:
        with pytest.raises(FetchError) as caught:
            door.get("https://board.example/")
        assert caught.value.reason is Reason.ADDRESS
        assert "board.example leads to" in caught.value.text
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(FetchError) as caught:
            door.get(f"http://{host}/")
        assert caught.value.reason in {Reason.ADDRESS, Reason.URL}
    emitted.assert_incremented(catalogue.OUTBOUND_BLOCKED, ANY, reason="address")


@pytest.mark.parametrize("address", REACHED)
def test_01_public_addresses_are_not_refused(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize(
    "host",
    [
        "0x7f000001", "0x7f.0.0.1", "2130706433", "017700000001", "0177.0.0.1", "127.1", "127.0.1",
        "127.0.0.1.",
        "0", "1", "00000177.0.0.1", "127.0.0.01", "localhost", "LOCALHOST", "localhost.", "LocalHost.",
        "256.1.1.1",
        "0x7F.1", "127.0.0.0x1", "1.2.3.4.5",
    ],
)  # fmt: skip
def test_02_no_spelling_of_this_machine_reaches_it(host: str, emitted: Captured) -> None:
    with (
        serving(lambda _: reply(b"inside")) as server,
        Door(Settings(), kind="test") as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(f"http://{host}:{server.port}/")
    assert caught.value.reason is Reason.ADDRESS
    emitted.assert_incremented(catalogue.OUTBOUND_BLOCKED, reason="address")
    assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["\uff11\uff12\uff17.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "ⓛocalhost", "[::1%25lo]", "[::1%lo]"]
)
def test_02_hosts_in_other_scripts_are_refused(host: str) -> None:
    with Door(Settings(), kind="test") as door, pytest.raises(FetchError) as caught:
        door.get(f"http://{host}/")
    assert caught.value.reason is Reason.URL


def test_03_a_name_that_changes_its_answer_is_looked_up_once_and_reached_where_checked() -> None:
    with serving(lambda _: reply(b"inside")) as server:
        answers = iter([PUBLIC, "127.0.0.1"])
        asked: list[str] = []

        def rebinding(host: str, port: int) -> list[tuple[int, tuple[str, int]]]:
            address = next(answers)
            asked.append(address)
            return [(2, (address, port))]

        with (
            Door(Settings(), kind="test", resolve=rebinding, limits=Limits(connect=0.2, tries=1)) as door,
            pytest.raises(FetchError) as caught,
        ):
            door.get(f"http://board.example:{server.port}/")
        assert caught.value.reason in {Reason.TIMEOUT, Reason.CONNECT}
        assert asked == [PUBLIC]
        assert server.connections == 0


@pytest.mark.parametrize(
    "addresses", [(PUBLIC, "127.0.0.1"), ("10.0.0.1", PUBLIC), (PUBLIC, "::1"), ("2606:4700::1", "fd00::1")]
)
def test_04_one_private_address_among_public_ones_refuses_them_all(addresses: tuple[str, ...]) -> None:
    with door_to(*addresses) as door, pytest.raises(FetchError) as caught:
        door.get("https://board.example/")
    assert caught.value.reason is Reason.ADDRESS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.2:{port}/inside", Reason.ADDRESS),
        ("//127.0.0.2:{port}/inside", Reason.ADDRESS),
        ("http://localhost:{port}/inside", Reason.ADDRESS),
        ("https://169.254.169.254/latest/meta-data", Reason.ADDRESS),
        ("http://[::1]:{port}/", Reason.ADDRESS),
        ("http://0x7f.1:{port}/", Reason.ADDRESS),
        ("file:///etc/passwd", Reason.SCHEME),
        ("gopher://127.0.0.1/", Reason.SCHEME),
        ("http://user@board.example/", Reason.URL),
        ("http://board.example\\@127.0.0.1/", Reason.URL),
        ("", Reason.REDIRECTS),
    ],
)
def test_05_every_hop_of_a_redirect_is_checked(
    status: int, location: str, reason: Reason, emitted: Captured
) -> None:
    with serving(lambda _: reply(b"", status, Location=location.format(port=server.port))) as server:
        with Door(server.settings, kind="test") as door, pytest.raises(FetchError) as caught:
            door.get(server.origin)
        assert caught.value.reason is reason
        assert len(server.asked) == 1
    emitted.assert_incremented(catalogue.OUTBOUND_ERRORS, kind="test", reason=reason)


def test_05_redirects_end() -> None:
    hops = itertools.count(1)
    with serving(lambda _: reply(b"", 302, Location=f"/hop/{next(hops)}")) as server:
        with Door(server.settings, kind="test") as door, pytest.raises(FetchError) as caught:
            door.get(server.origin)
        assert caught.value.reason is Reason.REDIRECTS
        assert "more than 5 times" in caught.value.text
        assert len(server.asked) == 6


def test_05_five_redirects_are_followed() -> None:
    def hop(asked: Asked) -> bytes:
        number = int(asked.path.strip("/") or 0)
        return reply(b"there") if number == 5 else reply(b"", 302, Location=str(number + 1))

    with serving(hop) as server, Door(server.settings, kind="test") as door:
        assert door.get(server.origin).body == b"there"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254:8888\\@example.org/x", "http://example.org\\x", "http:\\\\example.org/",
        "http://user@example.org/", "http://user:secret@example.org/", "http://@example.org/",
        "http://example.org@127.0.0.1/", "http://127.0.0.1#@example.org/\t", "http://exam\tple.org/",
        "http://example.org/\r\nHost: inside", "http://example.org/a b", " http://example.org/",
        "http://example.org/%00", "http://example.org\x00.evil/", "http://ex\u00adample.org/",
        "http://example.org\u202e/", "http://\u0435xample.org/", "http://example.org:99999/", "http://example.org:0/",
        "http://example.org:-1/", "http://example.org:80:80/", "http://", "http:///path", "http:example.org",
        "http://.example.org/", "http://a..b/", "http://-a.example/", "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/", "http://[::1", "http://::1/", "http://[1.2.3.4]/",
        "http://[::1]x/", "http://exa%6dple.org/", "http://example.org:8\u0660/", "https://" + "x" * 5000,
    ],
)  # fmt: skip
def test_06_urls_that_two_parsers_may_read_differently_are_refused(url: str, emitted: Captured) -> None:
    with door_to(PUBLIC) as door, pytest.raises(FetchError) as caught:
        door.get(url)
    assert caught.value.reason is Reason.URL
    assert all(c.isprintable() for c in caught.value.text)
    emitted.assert_incremented(catalogue.OUTBOUND_BLOCKED, reason="url")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "FILE:///etc/passwd", "gopher://example.org/", "ftp://example.org/",
        "data:text/html,x",
        "javascript:alert(1)", "source:file:///etc/passwd", "view-source:http://example.org", "ws://example.org/",
        "//example.org/", "example.org", "", "jar:http://example.org!/",
    ],
)  # fmt: skip
def test_07_other_schemes_are_refused(url: str, emitted: Captured) -> None:
    with door_to(PUBLIC) as door, pytest.raises(FetchError) as caught:
        door.get(url)
    assert caught.value.reason is Reason.SCHEME
    assert "only http: and https:" in caught.value.text
    emitted.assert_incremented(catalogue.OUTBOUND_BLOCKED, reason="scheme")


def test_08_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda _: reply(b"proxied")) as proxy, serving(lambda _: reply(b"direct")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        with Door(server.settings, kind="test") as door:
            assert door.get(server.origin).body == b"direct"
        assert proxy.connections == 0


def bomb(kind: str, megabytes: int) -> bytes:
    """Zeros that unpack to `megabytes`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if kind == "gzip" else 15)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(megabytes)]
    return b"".join(parts) + packer.flush()


@pytest.mark.parametrize("kind", ["gzip", "deflate"])
def test_09_a_decompression_bomb_stops_at_the_cap(kind: str, emitted: Captured) -> None:
    packed = bomb(kind, 160)
    with serving(lambda _: reply(packed, Content_Encoding=kind)) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with (
            Door(server.settings, kind="test", limits=Limits(size=4 << 20)) as door,
            pytest.raises(FetchError) as caught,
        ):
            door.get(server.origin)
        risen = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert caught.value.reason is Reason.TOO_LARGE
    assert "more than 4 MB" in caught.value.text
    assert risen < 32 * 1024, f"memory rose by {risen} KiB"
    assert emitted.count(catalogue.OUTBOUND_BYTES, kind="test") < 6 << 20


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "compress", "gzip, deflate, gzip"])
def test_09_encodings_that_were_not_asked_for_are_not_unpacked(encoding: str) -> None:
    packed = gzip.compress(gzip.compress(bytes(1 << 20)))
    with (
        serving(lambda _: reply(packed, Content_Encoding=encoding)) as server,
        Door(server.settings, kind="test") as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.NOT_A_LISTING


def test_09_a_bomb_on_a_redirect_is_not_even_read() -> None:
    packed = bomb("gzip", 64)

    def answer(asked: Asked) -> bytes:
        if asked.path == "/":
            return reply(packed, 302, Location="/there", Content_Encoding="gzip")
        return reply(b"there")

    with serving(answer) as server, Door(server.settings, kind="test", limits=Limits(size=100)) as door:
        assert door.get(server.origin).body == b"there"


def dripping(start: bytes, drop: bytes) -> Iterator[bytes]:
    """A server's answer that never ends and never pauses for long."""
    yield start
    while True:
        time.sleep(0.02)  # the slowness is the case, not a wait for something
        yield drop


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
        (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", b"x"),
    ],
)
def test_10_a_server_that_drips_is_left_when_the_time_is_over(
    start: bytes, drop: bytes, emitted: Captured
) -> None:
    with (
        serving(lambda _: dripping(start, drop)) as server,
        Door(server.settings, kind="test", limits=Limits(total=0.5)) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason in {Reason.TIMEOUT, Reason.CONNECT, Reason.HTTP_STATUS, Reason.DENIED}
    if b" 403 " not in start and not drop.startswith(b"X-More"):
        assert caught.value.reason is Reason.TIMEOUT
        assert "did not answer in time" in caught.value.text


def test_10_a_server_that_accepts_and_says_nothing_is_left(emitted: Captured) -> None:
    def silent(asked: Asked) -> Iterator[bytes]:
        server.stop.wait(20)
        yield b""

    with (
        serving(silent) as server,
        Door(server.settings, kind="test", limits=Limits(read=0.1, total=5), sleep=lambda _: None) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.TIMEOUT
    emitted.assert_incremented(catalogue.OUTBOUND_RETRIES, 2, kind="test")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 7\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6, 8\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nContent-Length: six\r\n\r\n[1, 2]",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[1, 2]\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n60\r\n[1, 2]\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[1, 2]\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n[1, 2]",
    ],
)
def test_11_an_answer_of_another_length_than_it_says_is_not_used(answer: bytes, emitted: Captured) -> None:
    with (
        serving(lambda _: [answer]) as server,
        Door(server.settings, kind="test", sleep=lambda _: None) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.TRUNCATED
    assert "Nothing of it was used" in caught.value.text
    emitted.assert_incremented(catalogue.OUTBOUND_ERRORS, kind="test", reason="truncated")


def test_11_what_follows_a_length_that_is_too_small_never_reaches_the_next_answer() -> None:
    answers = iter(
        [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil", reply(b"next")]
    )
    with serving(lambda _: next(answers)) as server, Door(server.settings, kind="test") as door:
        assert door.get(server.origin).body == b"ok"
        assert door.get(server.origin).body == b"next"


def test_12_a_connection_that_goes_silent_in_the_middle_is_left(emitted: Captured) -> None:
    def half(asked: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"
        server.stop.wait(20)

    with (
        serving(half) as server,
        Door(server.settings, kind="test", limits=Limits(read=0.1, total=0.5, tries=1)) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.TIMEOUT


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (429, "90", 90),
        (503, "90", 90),
        (429, "999999999", 6 * 3600),
        (429, "Mon, 01 Jun 2099 12:00:00 GMT", 6 * 3600),
    ],
)
def test_13_a_wait_longer_than_the_deadline_is_left_to_the_schedule(
    status: int, header: str, wait: float, emitted: Captured
) -> None:
    slept: list[float] = []
    with (
        serving(lambda _: reply(b"", status, Retry_After=header)) as server,
        Door(server.settings, kind="test", sleep=slept.append) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.retry_after == wait
    assert caught.value.reason is (Reason.RATE_LIMITED if status == 429 else Reason.SERVER_ERROR)
    assert "asks to be left alone" in caught.value.text
    assert slept == []
    assert len(server.asked) == 1


def test_13_a_short_wait_is_kept_to_before_the_next_try() -> None:
    slept: list[float] = []
    answers = iter([reply(b"", 429, Retry_After="3"), reply(b"now")])
    with (
        serving(lambda _: next(answers)) as server,
        Door(server.settings, kind="test", sleep=slept.append, chance=lambda: 0.0) as door,
    ):
        assert door.get(server.origin).body == b"now"
    assert slept == [3.0]


@pytest.mark.parametrize("header", ["-1", "tomorrow", "Mon, 01 Jun 2020 12:00:00 GMT"])
def test_13_a_wait_that_makes_no_sense_is_no_wait(header: str) -> None:
    slept: list[float] = []
    with (
        serving(lambda _: reply(b"", 429, Retry_After=header)) as server,
        Door(server.settings, kind="test", sleep=slept.append, chance=lambda: 0.5) as door,
        pytest.raises(FetchError),
    ):
        door.get(server.origin)
    assert slept == [0.5, 1.0]


CHALLENGE = (
    b"<!DOCTYPE html><title>Just a moment...</title><script src='/cdn-cgi/challenge-platform/x'></script>"
)


@pytest.mark.parametrize("status", [403, 429, 503])
@pytest.mark.parametrize(("body", "header"), [(CHALLENGE, ""), (b"", "challenge")])
def test_15_a_page_that_checks_for_humans_is_named_and_not_asked_again(
    status: int, body: bytes, header: str, emitted: Captured
) -> None:
    with (
        serving(lambda _: reply(body, status, CF_Mitigated=header)) as server,
        Door(server.settings, kind="test", sleep=lambda _: None) as door,
        pytest.raises(FetchError) as caught,
    ):
        door.get(server.origin)
    assert caught.value.reason is Reason.BOT_CHALLENGE
    assert "checks for humans" in caught.value.text
    assert len(server.asked) == 1
    emitted.assert_incremented(catalogue.OUTBOUND_ERRORS, kind="test", reason="bot_challenge")
