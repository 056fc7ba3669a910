"""Asking for the details of postings: how many, and when to stop.

Boards whose listing has no texts give them one by one. Each costs the board a request and us its time, so
one scan asks for a bounded number, and for none from a board that does not answer: the rest is for the next.
"""

from __future__ import annotations

import logging
import time

from metrics.instruments import count_error
from scout.fetch import NOT_ASKED, Door, FetchError, Reason
from scout.postings import Posting
from scout.sources.board import Board, Detailed, Kind

logger = logging.getLogger(__name__)

#: Details in a row that could not be had, after which the board is left alone until the next scan.
PATIENCE = 3

#: Why a fetch failed, where that says that there is no such thing (404 and 410).
GONE = frozenset({Reason.NOT_FOUND, Reason.GONE})
_UNWELCOME = frozenset({Reason.RATE_LIMITED, Reason.DENIED, Reason.BOT_CHALLENGE, *NOT_ASKED})


class Details:
    """The details of one board's postings, for one scan.

    Attributes:
        left: How many may still be asked for.
        retry_after: Seconds that the board asked us to wait, or None.
        gone: The board's ids of postings that it lists, and whose details it says are not there any more.
    """

    def __init__(self, kind: Kind, board: Board, door: Door, *, until: float) -> None:
        """For a kind of board that has them; of any other there are none to ask for.

        Args:
            kind: The kind.
            board: The board.
            door: The way out.
            until: The time by `time.monotonic` after which none is asked for.
        """
        self._kind = kind if isinstance(kind, Detailed) else None
        self._board = board
        self._door = door
        self._until = until
        self._failures = 0
        self._failure = ""
        self.left = self._kind.details if self._kind is not None else 0
        self.retry_after: float | None = None
        self.gone: set[str] = set()
        self._asked = 0

    def of(self, posting: Posting) -> Posting | None:
        """The posting with its details; None if they are left for another time."""
        if self._kind is None or self.left <= 0 or time.monotonic() > self._until:
            return None
        self.left -= 1
        self._asked += 1
        try:
            found = self._kind.detailed(posting, self._board, self._door)
        except FetchError as error:
            if error.reason in GONE:  # closed since it was listed: no failure of the board
                self.gone.add(posting.source_job_id)
            else:
                self._failed(error)
            return None
        except Exception as error:
            # One posting must not keep the others of its board away.
            logger.exception("The details of posting %s could not be read", posting.source_job_id)
            count_error(error, "scan")
            kind = type(error).__name__
            self._failed(FetchError(Reason.INTERNAL, f"An error of this program stopped it ({kind})."))
            return None
        self._failures = 0
        return found

    @property
    def gone_believed(self) -> bool:
        """Whether those that are gone are. When most of what was asked for is, the board has a fault."""
        return len(self.gone) < PATIENCE or len(self.gone) * 2 <= self._asked

    def _failed(self, error: FetchError) -> None:
        self._failures += 1
        if self._failures >= PATIENCE or error.reason in _UNWELCOME:
            self.left = 0
            self._failure = error.text
            self.retry_after = error.retry_after

    def note(self, missing: int) -> str:
        """What to tell the owner of `missing` postings whose details are still to be had."""
        many = f"{missing} postings" if missing != 1 else "one posting"
        told = f"The text of {many} is still to be fetched: this board gives each with a request of its own. "
        if self._failure:
            return f"{told}The last one failed: {self._failure}"
        return f"{told}The next scans bring them, the best matches first."
