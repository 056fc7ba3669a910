"""Streams of a scan's progress are counted: those that were opened, refused, and those open now."""

from __future__ import annotations

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout.database import Database
from scout.models import Source
from tests.unit.web.browser import Browser
from tests.unit.web.test_boards import going
from tests.unit.web.test_errors import DATABASE_AWAY, raising
from webapp import scans, streams


def test_streams_are_counted_as_they_are_opened_refused_and_left(emitted: Captured) -> None:
    places = streams.Places(1)
    place = places.take()
    assert place is not None
    emitted.assert_incremented(catalogue.SCAN_STREAMS, outcome="opened")
    emitted.assert_gauge(catalogue.SCAN_STREAMS_OPEN, 1)
    assert places.take() is None
    emitted.assert_incremented(catalogue.SCAN_STREAMS, outcome="refused")
    place.leave()
    emitted.assert_gauge(catalogue.SCAN_STREAMS_OPEN, 0)


def test_a_look_that_fails_is_counted_and_the_stream_goes_on(
    owner: Browser, db: Database, source: Source, emitted: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = going(db, source)
    owner.post(f"/scans/{run_id}/cancel")
    known = scans._what_is_known
    looks = iter([raising(DATABASE_AWAY)])

    def look(number: int) -> object:
        return next(looks, known)(number)

    monkeypatch.setattr(scans, "_what_is_known", look)
    answer = owner.get(f"/scans/{run_id}/events")
    assert answer.text.endswith("event: end\ndata: \n\n")
    emitted.assert_incremented(catalogue.APP_ERRORS, type="OperationalError", place="web")
