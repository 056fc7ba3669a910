"""Robots files (RFC 9309): what a site lets programs read, and how fast.

They are asked for where a kind of board reads pages that were not made for programs, once a day for all
workers.
"""

from __future__ import annotations

from protego import Protego

from scout.courtesy import LONGEST_SPACING
from scout.fetch import Door, FetchError, Limits, Reason, check

#: What sites may call us in their robots files.
ROBOT = "IAM-Job-Scout"
#: Seconds that a robots file is used for (RFC 9309, 2.4).
KEPT = 86_400
#: Bytes of it that are read; the RFC (2.5) asks for half a megabyte at least.
LARGEST = 512 * 1024
#: Lines of it that are read: each rule is looked at for each address of a sitemap.
_MOST_LINES = 5000
_LIMITS = Limits(size=4 * 1024 * 1024)
#: The file is not there, or is kept from us: then nothing is forbidden (2.3.1.3).
_UNAVAILABLE = frozenset({Reason.NOT_FOUND, Reason.GONE, Reason.DENIED, Reason.HTTP_STATUS, Reason.REDIRECTS})


class Robots:
    """The robots files of the sites that one door leads to, each asked for once."""

    def __init__(self) -> None:
        self._files: dict[str, Protego] = {}

    def check(self, door: Door, url: str) -> None:
        """See that a site lets programs read an address.

        Raises:
            FetchError: It does not (the reason `robots`), or could not be asked.
        """
        target = check(url)
        if target.path != "/robots.txt" and not self.allows(door, url):
            raise FetchError(
                Reason.ROBOTS,
                f"The robots file of {target.host} asks programs not to read {target.path[:200]}, so it is "
                "left. Look for a feed or another address of the site, or remove the board.",
            )

    def allows(self, door: Door, url: str) -> bool:
        """Whether a site lets programs read an address.

        Raises:
            FetchError: It could not be asked: then nothing may be read (2.3.1.4).
        """
        return bool(self._file(door, check(url).origin).can_fetch(url, ROBOT))

    def pause(self, door: Door, url: str) -> float:
        """Seconds that are kept between two requests as a site asks for it; 0 where it asks for none.

        Raises:
            FetchError: It could not be asked.
        """
        asked = float(self._file(door, check(url).origin).crawl_delay(ROBOT) or 0.0)
        return min(max(0.0, asked), LONGEST_SPACING)

    def _file(self, door: Door, origin: str) -> Protego:
        found = self._files.get(origin)
        if found is None:
            found = self._files[origin] = Protego.parse(_text(door, origin))
            delay = found.crawl_delay(ROBOT)
            if delay and door.courtesy is not None:
                door.courtesy.slow(origin, float(delay))
        return found


def of(door: Door) -> Robots:
    """The robots files that a door knows, or new ones where it asks for none."""
    return door.permit if isinstance(door.permit, Robots) else Robots()


def _text(door: Door, origin: str) -> str:
    name = f"robots:{origin}"
    kept = door.courtesy.kept(name) if door.courtesy is not None else None
    if kept is None:
        kept = _fetched(door, origin)
        if door.courtesy is not None:
            door.courtesy.keep(name, kept, KEPT)
    return kept.decode("utf-8", "replace")


def _fetched(door: Door, origin: str) -> bytes:
    try:
        answer = door.get(f"{origin}/robots.txt", headers={"accept": "text/plain"}, limits=_LIMITS)
    except FetchError as error:
        if error.reason not in _UNAVAILABLE:
            raise
        return b""
    return b"\n".join(answer.body[:LARGEST].splitlines()[:_MOST_LINES])
