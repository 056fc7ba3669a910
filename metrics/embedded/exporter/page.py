"""The exporter's page: its series, and what it counts about itself, as Prometheus text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metrics.embedded import process, text
from metrics.embedded.exporter import counts as own
from metrics.embedded.floats import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metrics.embedded.exporter.counts import Counts
    from metrics.embedded.exporter.mapper import Mapper
    from metrics.embedded.exporter.registry import Registry

_BUILD = "statsd_exporter_build_info"
_CACHE = (
    ("statsd_metric_mapper_cache_gets_total", "counter", "Looks into the mapping cache."),
    (
        "statsd_metric_mapper_cache_hits_total",
        "counter",
        "Looks into the mapping cache that found something.",
    ),
    ("statsd_metric_mapper_cache_length", "gauge", "Names in the mapping cache."),
)

#: Names that no series may have.
RESERVED = own.names() | process.names() | {_BUILD, *(name for name, _, _ in _CACHE)}


def page(registry: Registry, counts: Counts, mapper: Mapper) -> Iterator[bytes]:
    """The page in pieces, families by name. Samples may come in between two pieces."""
    families = process.families() | counts.families() | _about(mapper)
    return text.pieces(_texts(registry, families))


def _texts(registry: Registry, families: dict[str, str]) -> Iterator[str]:
    for name in sorted([*registry.families(), *families]):
        if name in families:
            yield families[name]
        else:
            yield from registry.family_text(name)


def _about(mapper: Mapper) -> dict[str, str]:
    build = text.head(_BUILD, "gauge", "What this is: always 1.")
    families = {_BUILD: f'{build}{_BUILD}{{version="embedded"}} 1\n'}
    if mapper.cache_size > 0:
        for (name, kind, help_text), figure in zip(
            _CACHE, (mapper.gets, mapper.hits, len(mapper)), strict=True
        ):
            families[name] = f"{text.head(name, kind, help_text)}{name} {render(float(figure))}\n"
    return families
