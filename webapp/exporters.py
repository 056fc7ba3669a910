"""What the exporters hold, as one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from metrics import exposition
from metrics.instruments import count_error
from scout.neighbours import Unreachable, fetch

if TYPE_CHECKING:
    from scout.settings import Settings


def merged_page(settings: Settings) -> Iterator[bytes]:
    """The pages of the exporter and of the gateway, merged, and for each whether it could be had."""
    pages: list[Iterable[bytes]] = []
    up: list[bytes] = [
        b"# HELP scout_exposition_up Whether a part of this page could be fetched.\n",
        b"# TYPE scout_exposition_up gauge\n",
    ]
    for part, origin in (("statsd_exporter", settings.exporter), ("pushgateway", settings.pushgateway)):
        try:
            pages.append([fetch(f"{origin}/metrics")])
            answered = 1
        except Unreachable as why:
            count_error(why, "web")
            yield f"# {part} could not be read: {why}\n".encode()
            answered = 0
        up.append(f'scout_exposition_up{{part="{part}"}} {answered}\n'.encode())
    yield from exposition.merged(pages)
    yield from up
