"""The embedded programs as they run: sockets, signals, files, what they say when they cannot start."""

from __future__ import annotations

import gzip
import os
import random
import signal
import socket
import subprocess
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    delete_from_gateway,
    push_to_gateway,
    pushadd_to_gateway,
)

from metrics.kernel import receive_drops
from tests.integration.embedded_programs import (
    EXPORTER,
    GATEWAY,
    ROOT,
    Program,
    exporter_flags,
    free_port,
    running,
)
from tests.waiting import wait_until


def ended(command: list[str]) -> tuple[int, str]:
    """The exit code and the last words of a program that cannot start."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr.strip()


def connection(program: Program) -> HTTPConnection:
    return HTTPConnection(program.url.removeprefix("http://"), timeout=30)


def test_statsd_comes_in_by_udp_unix_datagrams_and_tcp(tmp_path: Path) -> None:
    udp, tcp, web = free_port(), free_port(), free_port()
    path = tmp_path / "statsd.sock"
    flags = [flag for flag in exporter_flags(None, web, path, udp) if "tcp" not in flag]
    with running([*EXPORTER, *flags, f"--statsd.listen-tcp=127.0.0.1:{tcp}"], web) as exporter:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"by.udp:1|c\nby.udp:2|c", ("127.0.0.1", udp))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.sendto(b"by.unix:3|c", str(path))
        with socket.create_connection(("127.0.0.1", tcp)) as client:
            client.sendall(b"by.tcp:4|c\r\nby.t")
            client.sendall(b"cp:5|c")
        wait_until(lambda: exporter.figure("by_udp") == 3, what="UDP")
        wait_until(lambda: exporter.figure("by_unix") == 3, what="the Unix socket")
        wait_until(lambda: exporter.figure("by_tcp") == 9, what="TCP")
        with socket.create_connection(("127.0.0.1", tcp)) as client:
            client.sendall(b"x" * 5000)
            assert client.recv(10) == b""
        assert exporter.figure("statsd_exporter_tcp_too_long_lines_total") == 1
        assert exporter.figure("statsd_exporter_udp_packets_total") == 1
        assert oct(path.stat().st_mode)[-3:] == "755"
    assert exporter.process.returncode == 0
    assert not path.exists()


def test_random_datagrams_of_any_size_do_not_end_the_exporter() -> None:
    chance = random.Random(4)
    udp, web = free_port(), free_port()
    with running([*EXPORTER, *exporter_flags(None, web, udp=udp)], web) as exporter:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            for size in (0, 1, 100, 1432, 65507):
                for _ in range(20):
                    client.sendto(chance.randbytes(size), ("127.0.0.1", udp))
                client.sendto((b"a" * size)[:65000] + b":1|c", ("127.0.0.1", udp))
            client.sendto(b"the.end:1|c", ("127.0.0.1", udp))
        wait_until(lambda: exporter.figure("the_end") == 1, what="the last datagram")


def test_what_the_kernel_dropped_is_on_the_page_and_what_the_doctor_reads_is_the_same() -> None:
    udp, web = free_port(), free_port()
    flags = [*exporter_flags(None, web, udp=udp), "--statsd.read-buffer=4096"]
    with running([*EXPORTER, *flags], web) as exporter:
        exporter.process.send_signal(signal.SIGSTOP)
        try:
            with socket.socket(type=socket.SOCK_DGRAM) as client:
                for _ in range(500):
                    client.sendto(b"many:1|c" + b"x" * 500, ("127.0.0.1", udp))
        finally:
            exporter.process.send_signal(signal.SIGCONT)
        names = [f"statsd_exporter_udp_{name}_total" for name in ("packet_drops", "packets")]
        wait_until(lambda: sum(map(exporter.figure, names)) == 500, what="all that was not dropped")
        drops = exporter.figure(names[0])
        assert drops > 400
        assert receive_drops(udp) == (drops, 0)


@pytest.mark.parametrize("command", [EXPORTER, GATEWAY])
def test_random_bytes_at_the_web_port_do_not_end_a_program(command: tuple[str, ...]) -> None:
    chance = random.Random(5)
    web = free_port()
    flags = (
        exporter_flags(None, web, udp=free_port())
        if command is EXPORTER
        else [f"--web.listen-address=127.0.0.1:{web}"]
    )
    chunked = b"PUT /metrics/job/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    openings = (b"", b"GET /metrics HTTP/1.1\r\n", chunked)
    with running([*command, *flags], web) as program:
        for number in range(150):
            with socket.create_connection(("127.0.0.1", web)) as client:
                client.sendall(openings[number % 3] + chance.randbytes(chance.randint(1, 3000)))
                if number % 2:
                    client.sendall(b"\r\n\r\n")
        assert program.ask("/-/ready")[0] == 200
        assert "Traceback" not in program.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [EXPORTER, GATEWAY])
def test_a_signal_ends_a_program_cleanly(command: tuple[str, ...], number: int) -> None:
    web = free_port()
    flags = (
        exporter_flags(None, web, udp=free_port())
        if command is EXPORTER
        else [f"--web.listen-address=127.0.0.1:{web}"]
    )
    with running([*command, *flags], web) as program:
        os.kill(program.process.pid, number)
        assert program.process.wait(10) == 0
        assert "Traceback" not in program.log()


def test_hangup_reads_the_mapping_again_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    mapping, udp, web = tmp_path / "mapping.yml", free_port(), free_port()
    mapping.write_text("mappings: [{match: a, name: first}]")

    def send_and_wait(name: str) -> None:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.sendto(b"a:1|c", ("127.0.0.1", udp))
        wait_until(lambda: exporter.figure(name) >= 1, what=name)

    with running([*EXPORTER, *exporter_flags(mapping, web, udp=udp)], web) as exporter:
        send_and_wait("first")
        mapping.write_text("mappings: [{match: a, name: second}]")
        exporter.process.send_signal(signal.SIGHUP)
        reloads = "statsd_exporter_config_reloads_total"
        wait_until(lambda: exporter.figure(reloads, outcome="success") == 1, what="the reload")
        send_and_wait("second")
        mapping.write_text("mappings: [{match: a}]")
        exporter.process.send_signal(signal.SIGHUP)
        wait_until(lambda: exporter.figure(reloads, outcome="failure") == 1, what="the failed reload")
        send_and_wait("second")
        assert "line 1: a mapping needs a 'name'" in exporter.log()


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken, socket.socket(type=socket.SOCK_DGRAM) as taken_udp:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        taken_udp.bind(("127.0.0.1", 0))
        web, udp = taken.getsockname()[1], taken_udp.getsockname()[1]
        for command in (
            [*EXPORTER, *exporter_flags(None, web, udp=free_port())],
            [*EXPORTER, *exporter_flags(None, free_port(), udp=udp)],
            [*GATEWAY, f"--web.listen-address=127.0.0.1:{web}"],
        ):
            code, words = ended(command)
            assert code == 1
            assert "Address already in use" in words
            assert len(words.splitlines()) == 1


def test_what_else_keeps_a_program_from_starting_is_one_sentence(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yml"
    mapping.write_text("mappings: [{match: a}]")
    (tmp_path / "file.sock").write_text("")
    for flags, sentence in (
        (exporter_flags(mapping, 0, udp=0), "a mapping needs a 'name'"),
        (exporter_flags(tmp_path / "absent.yml", 0), "cannot be read"),
        (exporter_flags(None, 0), "nothing to listen at"),
        (exporter_flags(None, 0, tmp_path / "file.sock"), "is there already"),
        (["--statsd.listen-udp=127.0.0.1:x"], "is no address"),
        (["--statsd.listen-udp=no.such.host.invalid:9"], "the host is not known"),
    ):
        code, words = ended([*EXPORTER, *flags])
        assert (code, len(words.splitlines())) == (1, 1), words
        assert sentence in words


def test_check_config_checks_and_ends(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yml"
    mapping.write_text("mappings: [{match: a, name: b}]")
    assert ended([*EXPORTER, f"--statsd.mapping-config={mapping}", "--check-config"]) == (
        0,
        "exporter: The mapping is fine: 1 rules.",
    )
    mapping.write_text("mappings: [{match: a, nome: b}]")
    assert ended([*EXPORTER, f"--statsd.mapping-config={mapping}", "--check-config"])[0] == 1


def test_a_unix_socket_left_by_a_killed_exporter_is_taken_over_and_a_used_one_is_not(tmp_path: Path) -> None:
    path, web = tmp_path / "statsd.sock", free_port()
    with running([*EXPORTER, *exporter_flags(None, web, path)], web) as first:
        code, words = ended([*EXPORTER, *exporter_flags(None, free_port(), path)])
        assert (code, "is there already" in words) == (1, True)
        first.process.kill()
        first.process.wait(10)
    assert path.exists()
    with running([*EXPORTER, *exporter_flags(None, web, path)], web):
        pass
    assert not path.exists()


#: Series on the page below, and by how many bytes writing it may raise the exporter's memory: far less than
#: the page, and mostly the list in which its series stand in order.
SERIES, MOST_GROWTH = 100_000, 4 * 1024 * 1024


def peak_memory(program: Program) -> int:
    """The most bytes that the program has had resident since its peak was forgotten."""
    status = Path(f"/proc/{program.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def test_a_page_of_a_hundred_thousand_series_is_streamed_and_not_held(tmp_path: Path) -> None:
    web, path = free_port(), tmp_path / "s"
    with running([*EXPORTER, *exporter_flags(None, web, path)], web) as exporter:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            client.connect(str(path))
            for start in range(0, SERIES, 100):
                lines = (f"many:1|c|#number:{'x' * 400}{number}" for number in range(start, start + 100))
                client.send("\n".join(lines).encode())
        wait_until(
            lambda: exporter.ask("/-/ready")[0] == 200, timeout=30, what="the exporter having read them"
        )
        asked = connection(exporter)
        try:
            # 5 forgets the peak (proc(5), clear_refs).
            Path(f"/proc/{exporter.process.pid}/clear_refs").write_text("5", encoding="ascii")
            before = peak_memory(exporter)
            asked.request("GET", "/metrics")
            answer = asked.getresponse()
            size = series = 0
            while line := answer.readline():
                size += len(line)
                series += line.startswith(b"many{")
        finally:
            asked.close()
        growth = peak_memory(exporter) - before
    assert series == SERIES
    assert size > 10_000_000 > 2 * MOST_GROWTH
    assert growth < MOST_GROWTH, f"{growth} bytes more for a page of {size}"


def test_what_is_not_built_in_is_refused_by_its_name() -> None:
    for command, flag in (
        (EXPORTER, "--statsd.relay.address=127.0.0.1:9"),
        (EXPORTER, "--debug.dump-fsm=x"),
        (GATEWAY, "--push.disable-consistency-check"),
        (GATEWAY, "--web.config.file=x"),
    ):
        code, words = ended([*command, flag])
        assert code == 2
        assert f"unrecognized arguments: {flag}" in words


def test_the_lifecycle_paths_are_there_when_switched_on_and_only_then(tmp_path: Path) -> None:
    mapping, web = tmp_path / "mapping.yml", free_port()
    mapping.write_text("mappings: [{match: a, name: first}]")
    flags = exporter_flags(mapping, web, udp=free_port())
    with running([*EXPORTER, *flags], web) as exporter:
        for path in ("/-/reload", "/-/quit"):
            assert exporter.ask(path, method="PUT")[0] == exporter.ask(path)[0] == 404
    with running([*EXPORTER, *flags, "--web.enable-lifecycle"], web) as exporter:
        assert exporter.ask("/-/reload")[0] == 405
        assert exporter.ask("/-/reload", method="POST")[0] == 200
        assert exporter.figure("statsd_exporter_config_reloads_total", outcome="success") == 1
        assert exporter.ask("/-/quit", method="PUT")[0] == 200
        assert exporter.process.wait(10) == 0


def arrived(exporter: Program, number: int) -> bool:
    return exporter.figure("statsd_exporter_udp_packets_total") > number


def test_a_client_that_reads_slowly_does_not_hold_up_others() -> None:
    udp, web = free_port(), free_port()
    with running([*EXPORTER, *exporter_flags(None, web, udp=udp)], web) as exporter:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            for number in range(2000):
                client.sendto(f"many:1|c|#number:{'x' * 1000}{number}".encode(), ("127.0.0.1", udp))
                if number % 100 == 99:
                    wait_until(partial(arrived, exporter, number), what="it")
        with socket.create_connection(("127.0.0.1", web)) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.recv(100)
            assert len(exporter.page()) > 2_000_000


def test_connections_are_kept_and_requests_may_come_in_a_row() -> None:
    web = free_port()
    with running([*GATEWAY, f"--web.listen-address=127.0.0.1:{web}"], web) as gateway:
        kept = connection(gateway)
        for _ in range(3):
            kept.request("GET", "/-/ready")
            assert kept.getresponse().read() == b"OK"
        kept.request("PUT", "/metrics/job/chunked", body=iter([b"a ", b"1\n"]), encode_chunked=True)
        assert kept.getresponse().read() == b""
        kept.close()
        assert gateway.figure("a", instance="", job="chunked") == 1
        with socket.create_connection(("127.0.0.1", web)) as row:
            row.sendall(b"GET /-/ready HTTP/1.1\r\n\r\n" * 2000 + b"GET /-/ready HTTP/1.0\r\n\r\n")
            answers = b""
            while piece := row.recv(65536):
                answers += piece
        assert answers.count(b"200 OK") == 2001


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b"413"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", b"400"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", b"400"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%b\r\n" % (b"f" * 5000), b"413"),
        (b"PUT /metrics/job/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70000, b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"400"),
    ],
)
def test_a_request_that_is_none_is_refused(request_text: bytes, status: bytes) -> None:
    web = free_port()
    with running([*GATEWAY, f"--web.listen-address=127.0.0.1:{web}"], web) as gateway:
        with socket.create_connection(("127.0.0.1", web)) as client:
            client.sendall(request_text)
            assert client.recv(100).split(b" ")[1] == status
        assert gateway.ask("/-/ready")[0] == 200


def test_a_body_beyond_the_cap_is_refused_plain_and_packed() -> None:
    web = free_port()
    with running([*GATEWAY, f"--web.listen-address=127.0.0.1:{web}"], web) as gateway:
        large = b"# " + b"x" * 5_000_000 + b"\n"
        assert (
            gateway.ask(
                "/metrics/job/x",
                method="PUT",
                body=gzip.compress(large),
                headers={"Content-Encoding": "gzip"},
            )[0]
            == 413
        )
        with socket.create_connection(("127.0.0.1", web)) as client:
            client.sendall(b"PUT /metrics/job/x HTTP/1.1\r\nContent-Length: 5000003\r\n\r\n")
            assert client.recv(100).split(b" ")[1] == b"413"


def test_pushed_groups_are_there_after_a_clean_end_and_after_a_kill(tmp_path: Path) -> None:
    web, path = free_port(), tmp_path / "groups.json"
    command = [*GATEWAY, f"--web.listen-address=127.0.0.1:{web}", f"--persistence.file={path}"]
    with running(command, web) as gateway:
        gateway.ask("/metrics/job/scan/source/a", method="PUT", body=b"a 1\n")
    assert gateway.process.returncode == 0
    with running(command, web) as gateway:
        assert gateway.figure("a", instance="", job="scan", source="a") == 1
        gateway.ask("/metrics/job/scan/source/b", method="PUT", body=b"a 2\n")
        wait_until(lambda: '"b"' in path.read_text(), what="the file")
        gateway.process.kill()
        gateway.process.wait(10)
    with running(command, web) as gateway:
        assert gateway.figure("a", instance="", job="scan", source="b") == 2


def test_the_python_client_pushes_adds_and_deletes() -> None:
    web = free_port()
    with running([*GATEWAY, f"--web.listen-address=127.0.0.1:{web}"], web) as gateway:
        registry = CollectorRegistry()
        Gauge("done", "When", ["of"], registry=registry).labels("ü").set(5)
        Histogram("took", "Long", registry=registry).observe(0.3)
        where = gateway.url.removeprefix("http://")
        key = {"source": "a/b"}
        push_to_gateway(where, job="scan", registry=registry, grouping_key=key)
        pushadd_to_gateway(where, job="scan", registry=registry, grouping_key=key)
        assert gateway.figure("done", instance="", job="scan", of="ü", source="a/b") == 5
        assert gateway.figure("took_count", instance="", job="scan", source="a/b") == 1
        delete_from_gateway(where, job="scan", grouping_key=key)
        assert "done" not in gateway.page()
        assert gateway.ask("/api/v1/status")[0] == 200
