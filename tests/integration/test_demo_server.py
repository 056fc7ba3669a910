from __future__ import annotations

import datetime as dt
import gzip
import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import demo.server
from demo.kinds import KINDS, Ask
from demo.server import Simulator
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
GREENHOUSE = "/v1/boards/latchway-demo/jobs?content=true"
LEVER = "/v0/postings/nordlicht-demo"
ASHBY = "/posting-api/job-board/tessellate-demo?includeCompensation=true"
FEED = "/remote-jobs.rss"


@pytest.fixture
def boards() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


class Client:
    """One kept connection, that shows answers as they are on the wire."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self.connection = http.client.HTTPConnection(str(split.hostname), split.port, timeout=30)

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        return answer, answer.read()


@pytest.fixture
def client(boards: Simulator) -> Iterator[Client]:
    made = Client(boards.url)
    yield made
    made.connection.close()


def state(boards: Simulator) -> dict[str, Any]:
    with urllib.request.urlopen(f"{boards.url}/demo/state") as answer:
        return dict(json.load(answer))


def post(boards: Simulator, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(boards.url + path, json.dumps(body).encode())
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def spoil(boards: Simulator, fault: str, **more: Any) -> None:
    post(boards, "/demo/faults", {"board": "greenhouse/latchway-demo", "fault": fault, **more})


def test_the_state_tells_what_each_board_lists(boards: Simulator, client: Client) -> None:
    for _ in range(3):
        told = state(boards)["boards"]
        jobs = json.loads(client.get(GREENHOUSE)[1])["jobs"]
        assert {str(job["id"]) for job in jobs} == set(told["greenhouse/latchway-demo"]["open"])
        postings = json.loads(client.get(LEVER)[1])
        assert {posting["id"] for posting in postings} == set(told["lever/nordlicht-demo"]["open"])
        listed = [job["id"] for job in json.loads(client.get(ASHBY)[1])["jobs"] if job["isListed"]]
        assert set(listed) == set(told["ashby/tessellate-demo"]["open"])
        feed = client.get(FEED)[1].decode()
        assert all(f"<guid>{guid}</guid>" in feed for guid in told["weworkremotely/remote-jobs"]["open"])
        assert feed.count("<guid>") == len(told["weworkremotely/remote-jobs"]["open"])
        post(boards, "/demo/tick", {"ticks": 20})
    assert state(boards)["tick"] == 60


def test_the_state_can_be_asked_for_one_board_and_for_counts(boards: Simulator) -> None:
    whole = state(boards)["boards"]["lever/nordlicht-demo"]
    with urllib.request.urlopen(f"{boards.url}/demo/state?board=lever/nordlicht-demo&brief=1") as answer:
        brief = json.load(answer)["boards"]
    assert list(brief) == ["lever/nordlicht-demo"]
    assert brief["lever/nordlicht-demo"]["open"] == len(whole["open"])


def test_the_world_moves_by_itself_when_a_tick_is_set() -> None:
    with Simulator(tick=0.02) as boards:
        wait_until(lambda: boards.tick > 3, what="four ticks")


def test_lever_is_read_page_by_page(client: Client) -> None:
    whole = json.loads(client.get(LEVER)[1])
    pages = []
    skip = 0
    while page := json.loads(client.get(f"{LEVER}?mode=json&skip={skip}&limit=7")[1]):
        assert len(page) <= 7
        pages += page
        skip += 7
    assert pages == whole


def test_greenhouse_leaves_out_the_text_unless_asked(client: Client) -> None:
    jobs = json.loads(client.get("/v1/boards/latchway-demo/jobs")[1])["jobs"]
    assert all("content" not in job and "departments" not in job for job in jobs)
    alone = json.loads(client.get(f"/v1/boards/latchway-demo/jobs/{jobs[0]['id']}")[1])
    assert alone["title"] == jobs[0]["title"]
    assert alone["content"]


def test_unknown_boards_and_jobs_are_not_found(client: Client) -> None:
    for path in ("/v1/boards/nobody/jobs", "/v0/postings/nordlicht-demo/nothing", "/elsewhere"):
        assert client.get(path)[0].status == 404


def test_what_has_not_changed_is_not_sent_again(boards: Simulator, client: Client) -> None:
    for path in (GREENHOUSE, LEVER, ASHBY, FEED):
        answer, body = client.get(path)
        tag = answer.headers["ETag"]
        again, nothing = client.get(path, **{"If-None-Match": tag})
        assert (again.status, nothing, again.headers["ETag"]) == (304, b"", tag)
        boards.advance(40)
        changed, other = client.get(path, **{"If-None-Match": tag})
        assert changed.status == 200
        assert changed.headers["ETag"] != tag
        assert other != body


def test_an_answer_is_gzipped_for_those_who_accept_it(client: Client) -> None:
    plain, body = client.get(ASHBY)
    packed, less = client.get(ASHBY, **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(less) < len(body) / 2
    assert gzip.decompress(less) == body


def test_a_large_board_is_streamed_in_chunks() -> None:
    with Simulator(boards=1, postings=2600) as boards:
        client = Client(boards.url)
        answer, body = client.get(GREENHOUSE)
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert len(json.loads(body)["jobs"]) == len(
            state(boards)["boards"]["greenhouse/latchway-demo"]["open"]
        )
        packed, less = client.get(GREENHOUSE, **{"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(less) == body
        client.connection.close()


@pytest.mark.parametrize("status", ["500", "403", "404", "503"])
def test_a_status_is_answered_as_often_as_told_and_then_no_more(
    boards: Simulator, client: Client, status: str
) -> None:
    spoil(boards, status, count=2)
    assert [client.get(GREENHOUSE)[0].status for _ in range(3)] == [int(status), int(status), 200]


def test_429_says_when_to_come_back(boards: Simulator, client: Client) -> None:
    spoil(boards, "429", count=1, retry_after=17)
    answer, _ = client.get(GREENHOUSE)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "17")
    spoil(boards, "429", retry_after="Fri, 31 Dec 2027 23:59:59 GMT")
    assert client.get(GREENHOUSE)[0].headers["Retry-After"] == "Fri, 31 Dec 2027 23:59:59 GMT"


def test_truncated_promises_more_than_it_sends(boards: Simulator, client: Client) -> None:
    whole = client.get(GREENHOUSE)[1]
    spoil(boards, "truncated", count=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.get(GREENHOUSE)
    assert whole.startswith(caught.value.partial)
    assert len(caught.value.partial) == len(whole) // 2


def test_slow_is_the_right_answer_in_pieces(boards: Simulator, client: Client) -> None:
    whole = client.get(GREENHOUSE)[1]
    spoil(boards, "slow", count=1, seconds=0.4)
    client.connection.request("GET", GREENHOUSE)
    answer = client.connection.getresponse()
    first = answer.read1(1 << 20)
    assert len(first) < len(whole)
    assert first + answer.read() == whole


def test_html_empty_blank_and_garbage_are_answers_of_200_that_are_no_listing(
    boards: Simulator, client: Client
) -> None:
    spoil(boards, "html")
    answer, body = client.get(GREENHOUSE)
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")
    assert body.startswith(b"<!doctype html>")
    spoil(boards, "empty")
    assert json.loads(client.get(GREENHOUSE)[1])["jobs"] == []
    spoil(boards, "blank")
    answer, body = client.get(GREENHOUSE)
    assert (answer.status, body) == (200, b"")
    spoil(boards, "garbage")
    answer, body = client.get(GREENHOUSE)
    assert answer.status == 200
    with pytest.raises(ValueError, match=r"codec|Expecting|Invalid"):
        json.loads(body)


def test_an_empty_feed_is_still_a_feed(boards: Simulator, client: Client) -> None:
    post(boards, "/demo/faults", {"board": "weworkremotely/remote-jobs", "fault": "empty"})
    body = client.get(FEED)[1]
    assert b"<rss" in body
    assert b"<item>" not in body


def test_hang_and_disconnect_end_without_an_answer(boards: Simulator) -> None:
    for fault in ("hang", "disconnect"):
        spoil(boards, fault, count=1, seconds=0.3)
        client = Client(boards.url)
        with pytest.raises(http.client.RemoteDisconnected):
            client.get(GREENHOUSE)
        client.connection.close()


def test_a_hanging_answer_lets_go_when_the_simulator_ends() -> None:
    with Simulator() as boards:
        spoil(boards, "hang", seconds=3600)
        client = Client(boards.url)
        client.connection.request("GET", GREENHOUSE)
        wait_until(lambda: boards.requests["greenhouse/latchway-demo"], what="the request")
    with pytest.raises(http.client.RemoteDisconnected):
        client.connection.getresponse()
    client.connection.close()


def test_redirects_point_inside_or_back_to_themselves(boards: Simulator, client: Client) -> None:
    spoil(boards, "redirect_inside")
    answer, _ = client.get(GREENHOUSE)
    assert (answer.status, answer.headers["Location"]) == (302, "http://169.254.169.254/latest/meta-data/")
    spoil(boards, "redirect_inside", location="http://10.0.0.1/")
    assert client.get(GREENHOUSE)[0].headers["Location"] == "http://10.0.0.1/"
    spoil(boards, "redirect_loop")
    assert client.get(GREENHOUSE)[0].headers["Location"] == GREENHOUSE


def test_endless_goes_on_for_as_long_as_one_listens(boards: Simulator, client: Client) -> None:
    spoil(boards, "endless", count=1)
    client.connection.request("GET", GREENHOUSE)
    answer = client.connection.getresponse()
    assert len(answer.read(5_000_000)) == 5_000_000


def test_a_fault_is_one_boards_own_until_it_is_taken_back(boards: Simulator, client: Client) -> None:
    spoil(boards, "500")
    assert client.get(LEVER)[0].status == 200
    assert state(boards)["faults"] == {"greenhouse/latchway-demo": {"fault": "500", "count": None}}
    spoil(boards, "none")
    assert client.get(GREENHOUSE)[0].status == 200
    post(boards, "/demo/faults", {"board": "*", "fault": "503"})
    assert {client.get(path)[0].status for path in (GREENHOUSE, LEVER, ASHBY, FEED)} == {503}


def test_what_is_no_fault_and_no_board_is_refused(boards: Simulator) -> None:
    for asked in (
        {"board": "greenhouse/latchway-demo", "fault": "earthquake"},
        {"board": "greenhouse/nobody", "fault": "500"},
        {"board": "greenhouse/latchway-demo", "fault": "4²2"},
        {"board": "greenhouse/latchway-demo", "fault": "500", "count": "many"},
        {},
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            post(boards, "/demo/faults", asked)
        with caught.value as refused:
            assert refused.code == 400
            assert json.load(refused)["error"]


def test_mild_misbehaviour_comes_and_goes_by_itself() -> None:
    with Simulator(mild=True) as boards:
        troubled = []
        for _ in range(60):
            troubled.append(bool(boards.faults.told(boards.tick)))
            boards.advance()
        assert any(troubled)
        assert not all(troubled)


def test_the_control_paths_answer_to_this_machine_only(
    boards: Simulator, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = demo.server._near
    assert [near(address) for address in ("127.0.0.1", "::1", "10.0.0.5", "fe80::1%eth0", "192.0.2.7")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    monkeypatch.setattr(demo.server, "_near", lambda _: False)
    assert client.get("/demo/state")[0].status == 403
    assert client.get(LEVER)[0].status == 200


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    command = [sys.executable, "-m", "demo", "--port", "0", "--tick", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.split()[3].rstrip(":")
        with urllib.request.urlopen(url + ASHBY) as answer:
            assert json.load(answer)["jobs"]
        process.terminate()
        assert process.wait(10) == 0
    assert "14 boards" in first


def test_a_taken_port_is_one_clear_sentence() -> None:
    with Simulator() as boards:
        port = str(urlsplit(boards.url).port)
        done = subprocess.run(
            [sys.executable, "-m", "demo", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"127.0.0.1:{port}" in done.stderr


@pytest.fixture
def warm() -> Iterator[Simulator]:
    kinds = ("greenhouse", "workday", "smartrecruiters", "recruitee")
    with Simulator(boards=8, postings=30, kinds=kinds, warm=True) as simulator:
        yield simulator


def of_recruitee(warm: Simulator, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    asking = Client(warm.url)
    number = next(at for at, board in enumerate(warm.boards) if board.kind == "recruitee")
    host = f"{warm.boards[number].token}.recruitee.com"
    answer = asking.get("/api/offers/", **{"X-Forwarded-Host": host}, **headers)
    asking.connection.close()
    return answer


def test_a_warm_simulator_makes_no_answer_while_it_is_asked(
    warm: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*_: Any, **__: Any) -> None:
        raise AssertionError("an answer was made")

    monkeypatch.setattr("demo.world.World.opening", made)
    assert len(json.loads(of_recruitee(warm)[1])["offers"]) > 20
    board = next(board for board in warm.boards if board.kind == "workday")
    host = f"{board.token}.wd5.myworkdayjobs.com"
    asked = {"limit": 20, "offset": 0}
    request = urllib.request.Request(
        f"{warm.url}/wday/cxs/{board.token}/Careers/jobs",
        json.dumps(asked).encode(),
        {"X-Forwarded-Host": host},
    )
    with urllib.request.urlopen(request) as answer:
        path = json.load(answer)["jobPostings"][3]["externalPath"]
    alone = Client(warm.url)
    told = alone.get(f"/wday/cxs/{board.token}/Careers{path}", **{"X-Forwarded-Host": host})
    assert json.loads(told[1])["jobPostingInfo"]["jobDescription"]
    alone.connection.close()


def test_what_is_warm_moves_with_the_world(warm: Simulator) -> None:
    before = of_recruitee(warm)
    tag = str(before[0].getheader("ETag"))
    assert of_recruitee(warm, **{"If-None-Match": tag})[0].status == 304
    post(warm, "/demo/edit", {})
    after = of_recruitee(warm, **{"If-None-Match": tag})
    assert after[0].status == 200
    was, now = (json.loads(each[1])["offers"] for each in (before, after))
    assert sum(one != other for one, other in zip(was, now, strict=True)) == 1
    assert post(warm, "/demo/tick", {"ticks": 30}) == {"tick": 30}
    assert of_recruitee(warm)[1] != after[1]


def test_etags_can_be_left_out_and_are_not_believed_then(boards: Simulator, client: Client) -> None:
    tag = str(client.get(GREENHOUSE)[0].getheader("ETag"))
    post(boards, "/demo/validators", {"on": False})
    answer, _ = client.get(GREENHOUSE, **{"If-None-Match": tag})
    assert (answer.status, answer.getheader("ETag")) == (200, None)
    post(boards, "/demo/validators", {"on": True})
    assert client.get(GREENHOUSE, **{"If-None-Match": tag})[0].status == 304


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/search?ResultsPerPage=250&Page=1", {"Authorization-Key": "k", "User-Agent": "a@example.com"}),
        ("/v1/api/jobs/us/search/1?app_id=i&app_key=k&results_per_page=50", {}),
    ],
)
def test_keyed_sites_want_a_key_and_take_any(path: str, headers: dict[str, str]) -> None:
    with Simulator(boards=3, postings=10, kinds=("greenhouse", "usajobs", "adzuna")) as simulator:
        asking = Client(simulator.url)
        assert asking.get(path.partition("app_key")[0])[0].status == 401
        assert asking.get(path, **headers)[0].status == 200
        asking.connection.close()


def test_what_is_warm_is_what_would_be_made_also_after_an_edit() -> None:
    epoch = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    with (
        Simulator(boards=40, postings=12, kinds=tuple(KINDS), epoch=epoch, warm=True) as warm,
        Simulator(boards=40, postings=12, kinds=tuple(KINDS), epoch=epoch) as cold,
    ):
        for times in (0, 2):
            if times:
                warm.edit(times)
                cold.edit(times)
            for number, board in enumerate(warm.boards):
                kind = KINDS[board.kind]
                entries = cold.entries(number, 0)
                asks = list(kind.reads(len(entries)))
                if kind.detailed:
                    asks += [Ask(job=kind.asked_by(board, each.key, each.number)) for each in entries]
                for ask in asks:
                    assert warm.ready.get((number, 0, ask)) is not None
                    assert warm.answer(number, 0, ask) == cold.answer(number, 0, ask), (board.key, ask)
