"""What the kernel's table of sockets says of the StatsD port."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from metrics import catalogue, kernel
from metrics.testing import captured

HEAD = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref "
    "pointer drops\n"
)


def row(local: str, waiting: int, drops: int) -> str:
    return f" 100: {local} 00000000:0000 07 00000000:{waiting:08X} 00:00000000 00000000 0 0 1 2 0 {drops}\n"


def test_all_sockets_of_the_port_are_added_up(tmp_path: Path) -> None:
    tables = (tmp_path / "udp", tmp_path / "udp6")
    rows = [row("0100007F:23A5", 6912, 197), row("0200007F:23A5", 256, 3), row("0100007F:23A6", 0, 9)]
    tables[0].write_text(HEAD + "".join(rows) + "a row that is cut off\n", encoding="ascii")
    tables[1].write_text(HEAD + row(f"{'0' * 32}:23A5", 16, 1), encoding="ascii")
    assert kernel.receive_drops(0x23A5, tables) == (201, 6912 + 256 + 16)
    assert kernel.receive_drops(0x23A6, tables) == (9, 0)


def test_a_port_that_nobody_has_and_a_kernel_without_tables_say_nothing(tmp_path: Path) -> None:
    assert kernel.receive_drops(9125, (tmp_path / "absent",)) is None
    (tmp_path / "udp").write_text(HEAD, encoding="ascii")
    assert kernel.receive_drops(9125, (tmp_path / "udp",)) is None


@pytest.mark.skipif(not kernel.TABLES[0].exists(), reason="this kernel has no /proc/net/udp")
def test_what_a_full_socket_lost_is_seen_and_told() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as slow, socket.socket(type=socket.SOCK_DGRAM) as client:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.bind(("127.0.0.1", 0))
        port = slow.getsockname()[1]
        assert kernel.receive_drops(port) == (0, 0)
        for _ in range(200):
            client.sendto(b"x" * 1000, ("127.0.0.1", port))
        found = kernel.receive_drops(port)
        assert found is not None
        drops, waiting = found
        assert drops > 100
        assert waiting > 0
        with captured() as emitted:
            kernel.watching(port)("scheduler", "0")
        emitted.assert_gauge(catalogue.RECEIVE_DROPS, drops)
        emitted.assert_gauge(catalogue.RECEIVE_QUEUE, waiting)
    with captured() as emitted:
        kernel.watching(port)("scheduler", "0")
    emitted.assert_no_metrics()


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("udp://127.0.0.1:9125", 9125),
        ("udp://localhost:1", 1),
        ("udp://[::1]:9125", 9125),
        ("udp://statsd.example:9125", None),
        ("unixgram:///run/statsd.sock", None),
    ],
)
def test_only_a_port_of_this_host_is_looked_at(url: str, port: int | None) -> None:
    assert kernel.port_here(url) == port
