"""What is checked before anything starts: the data directory and the ports."""

from __future__ import annotations

import os
import re
import socket
import stat
from pathlib import Path

import pytest

from scout.settings import SettingError, Settings, load
from scout.stack import datadir, ports, redis
from scout.stack.ports import Port
from scout.stack.problems import CannotStart


def test_the_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    with datadir.held(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert datadir.running(folder) == os.getpid()
    assert datadir.running(folder) is None


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with datadir.held(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_second_stack_on_one_data_directory_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with (
        datadir.held(tmp_path),
        pytest.raises(CannotStart, match=rf"pid {os.getpid()}.*SCOUT_DATA_DIR"),
        datadir.held(tmp_path),
    ):
        pass
    with datadir.held(tmp_path):
        pass  # and the first one's end frees it


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CannotStart, match=r"Cannot write to the data directory .*SCOUT_DATA_DIR"),
        datadir.held(tmp_path / "file" / "data"),
    ):
        pass


def test_a_lock_that_is_a_link_elsewhere_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / "scout.lock").symlink_to(victim)
    with pytest.raises(CannotStart), datadir.held(tmp_path):
        pass
    assert victim.read_text() == "kept"


def test_a_socket_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(CannotStart, match="not ours alone"):
        datadir.private_folder(tmp_path)


@pytest.mark.parametrize(("protocol", "kind"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_taken_port_names_its_holder_and_its_setting(protocol: str, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            holder.listen()
        number = holder.getsockname()[1]
        wanted = Port("the pages", "SCOUT_PORT", "127.0.0.1", number, protocol)  # type: ignore[arg-type]
        with pytest.raises(
            CannotStart, match=rf"Port {number} \(the pages\) is taken.*set SCOUT_PORT"
        ) as found:
            ports.check([wanted])
        if Path("/proc/net/tcp").exists():
            assert f"(pid {os.getpid()})" in str(found.value)


def test_a_free_port_passes_and_stays_free() -> None:
    number = ports.free()
    wanted = Port("the pages", "SCOUT_PORT", "127.0.0.1", number)
    ports.check([wanted])
    ports.check([wanted])


def test_a_wanted_port_is_given_when_it_is_free_and_another_when_it_is_not() -> None:
    number = ports.free()
    assert ports.free(first=number) == number
    with socket.create_server(("127.0.0.1", number)):
        assert ports.free(first=number) != number


def test_two_parts_on_one_port_are_told_apart_before_they_fight() -> None:
    number = ports.free()
    one = Port("the pages", "SCOUT_PORT", "127.0.0.1", number)
    two = Port("the Pushgateway", "SCOUT_PUSHGATEWAY_PORT", "127.0.0.1", number)
    with pytest.raises(CannotStart, match="both the pages and the Pushgateway"):
        ports.check([one, two])


def test_one_number_for_tcp_and_udp_is_no_conflict() -> None:
    number = ports.free()
    ports.check([Port("a", "A", "127.0.0.1", number), Port("b", "B", "127.0.0.1", number, "udp")])


def test_an_address_that_is_not_ours_is_one_sentence() -> None:
    with pytest.raises(CannotStart, match="SCOUT_HOST"):
        ports.check([Port("the pages", "SCOUT_PORT", "192.0.2.1", 5000)])


def test_the_redis_configuration_quotes_a_folder_with_spaces_and_opens_no_port(tmp_path: Path) -> None:
    folder = tmp_path / 'my "data"'
    folder.mkdir()
    text = redis.write_config(Settings(data_dir=folder)).read_text()
    assert "\nport 0\n" in text
    assert "\nunixsocketperm 700\n" in text
    assert "\nmaxmemory-policy noeviction\n" in text
    assert f'dir "{tmp_path}/my \\"data\\""' in text


@pytest.mark.parametrize("name", ["my data", "50%", "a?b", "d\u00e4ta", "long" * 30])
def test_the_queues_socket_has_a_plain_short_path_whatever_the_data_directory_is_called(
    tmp_path: Path, name: str
) -> None:
    path = Settings(data_dir=tmp_path / name).redis_socket
    assert re.fullmatch(r"[\w./-]{1,100}", str(path), re.ASCII)
    assert path != Settings(data_dir=tmp_path / "other data").redis_socket


@pytest.mark.parametrize("port", ["0", "65536", "9" * 5000, "²", "-1", "x"])
def test_a_port_that_is_none_is_refused_wherever_it_stands(port: str) -> None:
    for variable, text in (
        ("SCOUT_PORT", port),
        ("STATSD_URL", f"udp://metrics:{port}"),
        ("STATSD_URL", "udp://metrics"),
    ):
        with pytest.raises(SettingError, match=variable):
            load({variable: text})
    assert load({"STATSD_URL": "udp://metrics:65535"}).statsd_url == "udp://metrics:65535"


@pytest.mark.parametrize(("text", "minutes"), [("0.5", 0.5), ("60", 60.0), ("10080", 10080.0)])
def test_the_scan_interval_may_be_a_fraction_of_a_minute(text: str, minutes: float) -> None:
    assert load({"SCOUT_SCAN_INTERVAL_MINUTES": text}).scan_interval_minutes == minutes


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e3", "10081", "soon"])
def test_a_scan_interval_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="SCOUT_SCAN_INTERVAL_MINUTES"):
        load({"SCOUT_SCAN_INTERVAL_MINUTES": text})
