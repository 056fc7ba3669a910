"""The exporter's datagram socket, on a bad day."""

from __future__ import annotations

import selectors
import socket

from metrics.embedded.exporter.listeners import Datagrams


class Troubled(socket.socket):
    """A UDP socket whose next read fails, as after an ICMP answer (udp(7), ECONNREFUSED)."""

    trouble = True

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        if self.trouble:
            self.trouble = False
            raise ConnectionRefusedError
        return super().recv(size, flags)


def test_a_failed_read_does_not_end_the_listening() -> None:
    # The real program stops reading UDP for good there, while it stays up and healthy (rule E17).
    taken: list[bytes] = []
    with (
        selectors.DefaultSelector() as selector,
        Troubled(type=socket.SOCK_DGRAM) as bound,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        bound.settimeout(0)
        bound.bind(("127.0.0.1", 0))
        Datagrams(selector, bound, taken.extend)
        client.sendto(b"a:1|c", bound.getsockname())
        for _ in range(2):
            for key, events in selector.select(5):
                key.data(events)
    assert taken == [b"a:1|c"]


def test_a_full_round_leaves_the_rest_for_the_next_one() -> None:
    rounds: list[int] = []
    with (
        selectors.DefaultSelector() as selector,
        socket.socket(type=socket.SOCK_DGRAM) as bound,
        socket.socket(type=socket.SOCK_DGRAM) as client,
    ):
        bound.settimeout(0)
        bound.bind(("127.0.0.1", 0))
        Datagrams(selector, bound, lambda packets: rounds.append(len(packets)))
        for _ in range(300):
            client.sendto(b"a:1|c", bound.getsockname())
        for _ in range(2):
            for key, events in selector.select(5):
                key.data(events)
    # A page that waits gets its turn in between.
    assert rounds == [256, 44]
