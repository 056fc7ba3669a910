"""The grammar of StatsD lines, with the four tag dialects that the real exporter reads.

The rules L1 to L23 are those of prometheus/statsd_exporter 0.31 (`pkg/line`, and its README's section on
tagging extensions). A line never raises: what is wrong with it is counted, by the real program's reasons.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from metrics.embedded import floats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metrics.embedded.exporter.counts import Counts

_TIMED = ("ms", "h", "d")
_KINDS = {"c": "counter", "g": "gauge", "ms": "observer", "h": "observer", "d": "observer"}
_MOST_PARTS = 6
_DASHES = re.compile("--+")
_UNSAFE = re.compile("[^a-zA-Z0-9_]")
#: A rate so small that a sample would stand for more than this is junk: Go's conversion wraps around there.
_MOST_COPIES = 2**63


class Sample:
    """One or several values of one metric, as one line said them.

    Attributes:
        name: The StatsD name, without tags.
        kind: `counter`, `gauge` or `observer`.
        values: The values; timers are in seconds already.
        copies: How many times each value counts: the whole part of one over the sample rate.
        relative: Whether the value came with a sign, which makes a gauge move instead of jump.
        labels: The tags. One dictionary for all samples of a line, as in the real program.
    """

    __slots__ = ("copies", "kind", "labels", "name", "relative", "values")

    def __init__(
        self,
        name: str,
        kind: str,
        values: list[float],
        copies: int,
        *,
        relative: bool,
        labels: dict[str, str],
    ) -> None:
        self.name = name
        self.kind = kind
        self.values = values
        self.copies = copies
        self.relative = relative
        self.labels = labels


def safe_name(name: str) -> str:
    """The name with what Prometheus refuses turned into `_`; dashes in a row become one (rule L19)."""
    if name.isidentifier() and name.isascii():
        return name
    safe = _UNSAFE.sub("_", _DASHES.sub("-", name))
    return f"_{safe}" if safe[:1].isdigit() else safe


class _Suffix:
    """What stands after a sample's type: its rate, its tags, its container."""

    __slots__ = ("copies", "error", "rate_errors", "rates", "tag_errors", "tagged")

    def __init__(self) -> None:
        self.copies = 1
        self.rates: tuple[float, ...] = ()
        self.error = ""
        self.rate_errors = 0
        self.tag_errors = 0
        self.tagged = False


class Parser:
    """Reads lines, and counts what is wrong with them.

    Args:
        counts: Where lines, samples, tags and errors are counted.
        dogstatsd: Whether `|#key:value` tags are read.
        influxdb: Whether `name,key=value` tags are read.
        librato: Whether `name#key=value` tags are read.
        signalfx: Whether `name[key=value]` tags are read.
    """

    def __init__(
        self,
        counts: Counts,
        *,
        dogstatsd: bool = True,
        influxdb: bool = True,
        librato: bool = True,
        signalfx: bool = True,
    ) -> None:
        self._counts = counts
        self._dogstatsd = dogstatsd
        self._signalfx = signalfx
        marks = ("#" if librato else "") + ("," if influxdb else "")
        self._tag_marks = re.compile(f"[{marks}]") if marks else None

    def datagram(self, data: bytes) -> Iterator[Sample]:
        """The samples of one datagram: its lines, split at newlines and not trimmed (rules L1 and L2)."""
        try:
            lines = data.decode().split("\n")
        except UnicodeDecodeError:
            for raw in data.split(b"\n"):
                yield from self.raw(raw)
            return
        self._counts.lines += len(lines)
        for line in lines:
            if line:
                yield from self._line(line)

    def raw(self, line: bytes) -> list[Sample]:
        """The samples of one line of bytes."""
        self._counts.lines += 1
        if not line:
            return []
        try:
            text = line.decode()
        except UnicodeDecodeError:
            self._counts.sample_errors["malformed_line"] += 1
            return []
        return self._line(text)

    def _line(self, line: str) -> list[Sample]:
        errors = self._counts.sample_errors
        name, colon, rest = line.partition(":")
        if not colon or not name:
            errors["malformed_line"] += 1
            return []
        labels: dict[str, str] = {}
        if not name.isidentifier():
            name = self._name_tags(name, labels)
        tagged = "|#" in rest
        if tagged and labels:
            errors["mixed_tagging_styles"] += 1
            return []
        first, bar, suffix = rest.partition("|")
        if not bar:
            errors["not_enough_parts_after_colon"] += 1
            return []
        samples: list[Sample] = []
        if ":" in first:
            if suffix.partition("|")[0] not in _TIMED:
                errors["invalid_extended_aggregate_type"] += 1
                return []
            self._add_sample(samples, name, first.split(":"), suffix, labels)
        elif tagged or ":" not in suffix:
            self._add_sample(samples, name, [first], suffix, labels)
        else:
            for text in rest.split(":"):
                value, bar, suffix = text.partition("|")
                self._add_sample(samples, name, [value], suffix if bar else None, labels)
        return samples

    def _add_sample(  # noqa: C901  # a list of refusals, in the order of the real program
        self, samples: list[Sample], name: str, texts: list[str], suffix: str | None, labels: dict[str, str]
    ) -> None:
        """Values of one metric that share a type, a rate and tags. Rules L8 and L10 to L20."""
        counts = self._counts
        errors = counts.sample_errors
        counts.samples += len(texts)
        kind, *parts = (suffix or "").split("|")
        if suffix is None or len(parts) + 2 > _MOST_PARTS:
            errors["malformed_component"] += len(texts)
            return
        values = _plain_values(texts)
        if values is None:
            values = self._odd_values(texts)
            if not values:
                return
        heard = len(values)
        read = self._suffix(parts, kind, labels) if parts else None
        if read is not None:
            counts.tag_errors += read.tag_errors * heard
            if read.rate_errors:
                errors["invalid_sample_factor"] += read.rate_errors * heard
            if read.error:
                errors[read.error] += heard
                return
        if labels:
            counts.tags += heard
        prometheus_kind = _KINDS.get(kind)
        if prometheus_kind is None:
            errors["illegal_event"] += heard
            return
        copies = 1
        if read is not None:
            copies = read.copies
            for rate in read.rates:
                values = [value / rate for value in values]
        if kind == "ms":
            values = [value / 1000 for value in values]
        if copies > 0:
            relative = texts[0][:1] in ("+", "-")
            samples.append(Sample(name, prometheus_kind, values, copies, relative=relative, labels=labels))

    def _odd_values(self, texts: list[str]) -> list[float]:
        values = []
        for text in texts:
            try:
                values.append(floats.parse(text))
            except (ValueError, OverflowError):
                self._counts.sample_errors["malformed_value"] += 1
        return values

    def _suffix(self, parts: list[str], kind: str, labels: dict[str, str]) -> _Suffix:
        """Rates, tags, container and time of a sample. What stood before an error stays in force."""
        read = _Suffix()
        if "" in parts:
            read.error = "malformed_component"
            return read
        for part in parts:
            mark = part[0]
            if mark == "@":
                self._rate(part[1:], kind, read)
            elif mark == "#":
                if self._dogstatsd:
                    for tag in _tags(part[1:]):
                        read.tag_errors += not _add_tag(tag.removeprefix("#"), ":", labels)
            elif mark == "c":
                if not part.startswith("c:") or part == "c:":
                    read.error = "malformed_container_id"
                    return read
                labels["container_id"] = part[2:]
            elif mark != "T":  # the time that it is of is passed over: a scrape has no use for it
                read.error = "invalid_sample_factor"
                return read
        return read

    def _rate(self, text: str, kind: str, read: _Suffix) -> None:
        try:
            rate = floats.parse(text)
        except OverflowError:
            read.rate_errors += 1
            rate = -math.inf if text.startswith("-") else math.inf
        except ValueError:
            read.rate_errors += 1
            rate = 0.0
        rate = rate or 1.0
        if kind == "c":
            read.rates = (*read.rates, rate)
        elif kind in _TIMED:
            copies = 1 / rate
            read.copies = int(copies) if abs(copies) < _MOST_COPIES else 0

    def _name_tags(self, name: str, labels: dict[str, str]) -> str:
        """The name without its tags, which go into `labels`. Rule L5."""
        if self._signalfx:
            start, end = name.find("["), name.find("]")
            if (start < 0) != (end < 0):
                self._counts.tag_errors += 1
                return name
            if 0 <= end < start:
                # The real program slices backwards here and dies (rule L23). We refuse the tags instead.
                self._counts.tag_errors += 1
                return name
            if start >= 0:
                self._add_name_tags(name[start + 1 : end], labels)
                return name[:start] + name[end + 1 :]
        found = self._tag_marks.search(name) if self._tag_marks else None
        if found is None:
            return name
        self._add_name_tags(name[found.end() :], labels)
        return name[: found.start()]

    def _add_name_tags(self, text: str, labels: dict[str, str]) -> None:
        for tag in _tags(text):
            self._counts.tag_errors += not _add_tag(tag, "=", labels)


def _plain_values(texts: list[str]) -> list[float] | None:
    """The values, where all are written in the usual way; None where somebody must look more closely."""
    if ":".join(texts).strip(floats.PLAIN):
        return None
    try:
        values = list(map(float, texts))
    except ValueError:
        return None
    return None if math.inf in values or -math.inf in values else values


def _tags(text: str) -> list[str]:
    """The tags between commas; a comma at the very end closes the last tag and begins none."""
    tags = text.split(",")
    if not tags[-1]:
        tags.pop()
    return tags


def _add_tag(tag: str, separator: str, labels: dict[str, str]) -> bool:
    key, found, value = tag.partition(separator)
    if not found or not key or not value:
        return False
    labels[safe_name(key)] = value
    return True
