"""Streams of a scan from a real gunicorn: few at once, pages answered beside them, ended when it stops."""

from __future__ import annotations

import http.client
import signal

from scout.database import Database
from scout.models import RunTrigger, ScanResult, ScanRun, ScanState
from scout.settings import load
from tests import kept
from tests.integration.test_web_server import Served, served
from tests.redis_server import redis_server
from tests.waiting import wait_until
from webapp import streams

__all__ = ["redis_server", "served"]

#: More than there are places in both processes.
TRIES = 2 * streams.MOST + 2


def a_run(served: Served) -> int:
    database = Database.open(load({"SCOUT_DATA_DIR": str(served.folder / "data")}))
    with database.session() as session:
        run = ScanRun(trigger=RunTrigger.OWNER, state=ScanState.RUNNING)
        session.add(run)
        session.flush()
        session.add(ScanResult(run_id=run.id, source_id=kept.source(session).id, state=ScanState.RUNNING))
        run_id = run.id
    database.dispose()
    return run_id


class Following:
    """A browser that follows a scan."""

    def __init__(self, served: Served, run_id: int, cookie: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
        self.connection.request("GET", f"/scans/{run_id}/events", headers={"Cookie": cookie})
        self.answer = self.connection.getresponse()

    def leave(self) -> None:
        self.answer.close()
        self.connection.close()


def test_streams_leave_room_for_pages_give_their_places_back_and_end_with_the_server(served: Served) -> None:
    _, cookie = served.sign_in()
    run_id = a_run(served)
    going = [Following(served, run_id, cookie) for _ in range(TRIES)]
    statuses = [each.answer.status for each in going]
    assert set(statuses) == {200, 204}
    assert statuses.count(200) <= 2 * streams.MOST
    for _ in range(10):
        assert served.ask(f"/scans/{run_id}", cookie=cookie)[0] == 200
    for each in going:
        if each.answer.status == 200:
            assert each.answer.readline() == b"retry: 1000\n"
        each.leave()

    def place() -> Following | None:
        found = Following(served, run_id, cookie)
        if found.answer.status == 200:
            return found
        found.leave()
        return None

    # Who is gone is noticed by the next line that is sent.
    again = wait_until(place, timeout=30, what="a place given back")
    served.process.send_signal(signal.SIGTERM)
    wait_until(lambda: served.process.poll() is not None, timeout=8, what="the end, before it is forced")
    assert b"event: end" not in again.answer.read()
    again.leave()
