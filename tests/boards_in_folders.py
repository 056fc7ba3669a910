"""A kind of board for tests: each board is a folder, and a test says page by page what it does.

It works across processes: `python -m tests.boards_in_folders worker` (or `schedule`) is the real worker (or
scheduler) that knows this kind.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult

from scout.fetch import Door, FetchError, Reason
from scout.postings import Posting, Remote, Salary
from scout.sources.board import Board, NotModified, Page, Validators


def posting(number: int | str, **changes: Any) -> Posting:
    """A posting with everything in it."""
    given: dict[str, Any] = {
        "source_job_id": str(number),
        "title": f"Identity Engineer {number}",
        "company": "Example",
        "url": f"https://jobs.example/{number}",
        "locations": ("Basel", "Remote"),
        "remote": Remote.HYBRID,
        "remote_evidence": "workplaceType",
        "description_html": f"<p>Okta and SAML, number {number}.</p>",
        "description_text": f"Okta and SAML, number {number}.",
        "salary": Salary(minimum=100.0, maximum=120.0, currency="CHF", period="hour"),
        "posted_at": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    }
    return Posting(**{**given, **changes})


@dataclass(slots=True)
class Folder:
    """One board, from the test's side."""

    path: Path

    @property
    def board(self) -> Board:
        """What to put on the watchlist."""
        return Board(
            kind="folder", token=f"folder://{self.path}", company=self.path.name, url="https://jobs.example/"
        )

    def show(
        self, *pages: Sequence[Posting], unparsed: Sequence[str] = (), etag: str = "", then: str = ""
    ) -> None:
        """What the board answers from now on.

        Args:
            pages: Its pages.
            unparsed: Added to the last page.
            etag: The version it claims; equal validators are answered with "not modified".
            then: What follows the last page: nothing, the name of a `Reason`, `crash`, or `kill`.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        listing = {
            "pages": [[dataclasses.asdict(each) for each in page] for page in pages],
            "unparsed": list(unparsed),
            "etag": etag,
            "then": then,
        }
        new = self.path / "listing.new"
        new.write_text(json.dumps(listing, default=str))
        new.rename(self.path / "listing.json")

    def hold(self, page: int) -> None:
        """Do not answer with this page until `release`."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / f"hold-{page}").touch()

    def release(self, page: int) -> None:
        """Answer with this page."""
        (self.path / f"hold-{page}").unlink(missing_ok=True)

    def reached(self, page: int) -> int:
        """The process that asks for this page, or has asked for it; 0 if none did."""
        marker = self.path / f"reached-{page}"
        return int(marker.read_text() or 0) if marker.exists() else 0


class FolderKind:
    """Boards in folders."""

    name = "folder"
    title = "Folder"
    origins: tuple[str, ...] = ()
    interval = dt.timedelta(minutes=5)
    attribution = ""
    terms = "A test's own."
    complete = True

    def recognise(self, url: SplitResult) -> None:
        """None: folders have no public address."""
        del url

    def read(self, board: Board, door: Door, validators: Validators) -> Iterator[Page]:
        """Do what the test said."""
        del door
        folder = Path(board.token.removeprefix("folder://"))
        listing = json.loads((folder / "listing.json").read_text())
        if listing["etag"]:
            if validators.etags.get(board.url) == listing["etag"]:
                raise NotModified
            validators.etags[board.url] = listing["etag"]
        last = len(listing["pages"])
        for number, page in enumerate(listing["pages"]):
            _ask(folder, number)
            unparsed = tuple(listing["unparsed"]) if number == last - 1 else ()
            yield Page(postings=tuple(_posting(each) for each in page), unparsed=unparsed)
        _ask(folder, last)
        match listing["then"]:
            case "":
                return
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "crash":
                raise RuntimeError("the parser met something new")
            case reason:
                raise FetchError(Reason(reason), f"The board failed: {reason}.", retry_after=7200.0)


KINDS = {"folder": FolderKind()}


def _ask(folder: Path, page: int) -> None:
    marker = folder / f".reached-{page}"
    marker.write_text(str(os.getpid()))
    marker.rename(folder / f"reached-{page}")
    while (folder / f"hold-{page}").exists():
        time.sleep(0.005)


def _posting(stored: dict[str, Any]) -> Posting:
    salary = stored["salary"]
    return Posting(**{
        **stored,
        "locations": tuple(stored["locations"]),
        "tags": tuple(stored["tags"]),
        "remote": Remote(stored["remote"]),
        "salary": Salary(**salary) if salary else None,
        "posted_at": dt.datetime.fromisoformat(stored["posted_at"]) if stored["posted_at"] else None,
    })  # fmt: skip


def main() -> int:
    """Run the real worker or scheduler with this kind known."""
    import scout.sources  # noqa: PLC0415 - only the programs need it

    scout.sources.KINDS = KINDS  # type: ignore[assignment]
    if sys.argv[1] == "worker":
        from workers.__main__ import main as program  # noqa: PLC0415 - likewise
    else:
        from workers.schedule import main as program  # noqa: PLC0415 - likewise
    return program()


if __name__ == "__main__":
    sys.exit(main())
