"""What was pushed, by group; kept consistent, and kept over a restart.

Rules of the real program's `storage/diskmetricstore.go`: PUT replaces a group's families, POST those of the
same name, the two push times stay; a push that would make the whole page inconsistent changes nothing but the
group's `push_failure_time_seconds`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import time
from typing import TYPE_CHECKING

from metrics.embedded import floats
from metrics.embedded.errors import StartError
from metrics.embedded.gateway.families import Family, Metric, ParseError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PUSHED = "push_time_seconds"
FAILED = "push_failure_time_seconds"
_HELP = {
    PUSHED: "When this group was last pushed to, in seconds since 1970; 0 for never.",
    FAILED: "When a push to this group last failed, in seconds since 1970; 0 for never.",
}
_SUFFIXES = ("_bucket", "_count", "_sum")
_FORMAT = 1
#: How many groups are kept; a job that makes up a new group at each run would fill the memory otherwise.
MOST_GROUPS = 2000

Key = tuple[tuple[str, str], ...]


class Inconsistent(Exception):  # noqa: N818  # an answer to a push
    """A push does not go together with itself or with what is kept; says why."""


class Full(Exception):  # noqa: N818  # an answer to a push
    """There is no room for another group."""


class _Group:
    __slots__ = ("families", "labels")

    def __init__(self, labels: dict[str, str], now: float) -> None:
        self.labels = labels
        self.families: dict[str, Family] = {name: _moment(name, labels, 0.0) for name in (PUSHED, FAILED)}
        for family in self.families.values():
            family.pushed = now


class Store:
    """All groups.

    Args:
        own: Families of the program itself, which pushed ones must agree with in type and not repeat.
        path: The file that keeps the groups, or None.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        own: Callable[[], dict[str, Family]] = dict,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._own = own
        self._path = path
        self._clock = clock
        self._groups: dict[Key, _Group] = {}
        self._changed = False
        #: What went wrong when the file was read, for the log.
        self.trouble = ""
        if path is not None:
            self._restore(path)

    def push(self, labels: dict[str, str], families: dict[str, Family], *, replace: bool) -> None:
        """Take a push into its group.

        Raises:
            Inconsistent: The push was refused; the group's failure time was set.
            Full: The push would begin one group too many.
        """
        key = tuple(sorted(labels.items()))
        group = self._groups.get(key)
        if group is None and len(self._groups) >= MOST_GROUPS:
            raise Full
        pushed = {name: family for name, family in families.items() if name not in _HELP}
        now = self._clock()
        for family in pushed.values():
            family.pushed = now
            for metric in family.metrics:
                metric.under(labels)
        kept = group.families if group is not None else {}
        staying = {} if replace else {name: family for name, family in kept.items() if name not in pushed}
        self._changed = True
        if group is None:
            group = self._groups[key] = _Group(labels, now)
        try:
            self._check(key, staying, pushed)
        except Inconsistent:
            group.families[FAILED] = _moment(FAILED, labels, now)
            raise
        moments = {PUSHED: _moment(PUSHED, labels, now), FAILED: group.families[FAILED]}
        group.families = staying | pushed | moments

    def delete(self, labels: dict[str, str]) -> None:
        """Forget exactly this group; an unknown one is none."""
        if self._groups.pop(tuple(sorted(labels.items())), None) is not None:
            self._changed = True

    def wipe(self) -> None:
        """Forget all groups."""
        if self._groups:
            self._groups.clear()
            self._changed = True

    def groups(self) -> Iterator[dict[str, object]]:
        """Each group as the real program's `/api/v1/metrics` tells it, sorted by its labels."""
        for _, group in sorted(self._groups.items()):
            pushed, failed = (group.families[name].metrics[0].value for name in (PUSHED, FAILED))
            told: dict[str, object] = {name: _told(family) for name, family in group.families.items()}
            yield told | {"labels": group.labels, "last_push_successful": pushed > failed}

    def families(self) -> Iterator[str]:
        """All that is kept and the program's own families, as text, one family after the other."""
        own = self._own()
        names = sorted({*own, *(name for group in self._groups.values() for name in group.families)})
        for name in names:
            members = [group.families[name] for group in self._groups.values() if name in group.families]
            if name in own:
                members.insert(0, own[name])
            if not members:
                continue  # Its group was deleted while the page was written.
            yield next((member for member in members if member.help), members[0]).head()
            rows = [(metric, member) for member in members for metric in member.metrics]
            rows.sort(key=_row_order)
            for metric, member in rows:
                yield member.lines(metric)

    def _check(self, key: Key, staying: dict[str, Family], pushed: dict[str, Family]) -> None:
        own = self._own()
        others = [own, staying, *(group.families for other, group in self._groups.items() if other != key)]
        kinds: dict[str, str] = {}
        for families in others:
            kinds.update({name: family.kind for name, family in families.items()})
        for name, family in pushed.items():
            if family.stamped:
                raise Inconsistent(f"{name} has a timestamp; pushed metrics must not have one")
            if kinds.get(name, family.kind) != family.kind:
                raise Inconsistent(f"{name} is a {family.kind} here and a {kinds[name]} elsewhere")
        kinds.update({name: family.kind for name, family in pushed.items()})
        for name, family in pushed.items():
            _check_names(name, family.kind, kinds)
            taken = {
                metric.labels for families in others if name in families for metric in families[name].metrics
            }
            for metric in family.metrics:
                if metric.labels in taken:
                    raise Inconsistent(f"{name} is there twice with the labels {dict(metric.labels)}")
                taken.add(metric.labels)
                _check_labels(family, metric)

    # --- The file --------------------------------------------------------------------------------------

    def persist(self) -> None:
        """Write the groups to the file, if there is one and something changed: all of them, or nothing.

        Raises:
            OSError: The file cannot be written; the next call tries again.
        """
        if self._path is None or not self._changed:
            return
        document = {
            "format": _FORMAT,
            "groups": [
                {
                    "labels": group.labels,
                    "families": "".join(line for family in group.families.values() for line in family.text()),
                }
                for group in self._groups.values()
            ],
        }
        being_written = self._path.with_name(self._path.name + ".new")
        with being_written.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        being_written.replace(self._path)
        self._changed = False

    def _restore(self, path: Path) -> None:
        folder = path.parent
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise StartError(
                f"The folder {folder} of the persistence file is not there or cannot be written to."
            )
        try:
            groups = list(_read_groups(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except OSError as error:
            raise StartError(f"The persistence file {path} cannot be read: {error.strerror}.") from None
        except (ValueError, KeyError, TypeError, AttributeError, ParseError) as error:
            aside = path.with_name(path.name + ".damaged")
            with contextlib.suppress(OSError):
                path.replace(aside)
            self.trouble = (
                f"The persistence file was damaged ({error}); it is now {aside}, and we begin anew."
            )
            return
        for group in groups:
            self._groups[tuple(sorted(group.labels.items()))] = group


def _read_groups(document: str) -> Iterator[_Group]:
    for entry in json.loads(document)["groups"]:
        labels = {str(name): str(value) for name, value in entry["labels"].items()}
        group = _Group(labels, 0.0)
        group.families.update(parse(entry["families"]))
        # When each of them was pushed is not written down; the last push is as near as it gets.
        for family in group.families.values():
            family.pushed = group.families[PUSHED].metrics[0].value
        yield group


def _moment(name: str, labels: dict[str, str], seconds: float) -> Family:
    family = Family(name, "gauge", _HELP[name])
    family.pushed = seconds
    metric = Metric((), seconds)
    metric.under(labels)
    family.metrics.append(metric)
    return family


def _told(family: Family) -> dict[str, object]:
    moment = dt.datetime.fromtimestamp(family.pushed, dt.UTC).isoformat().replace("+00:00", "Z")
    told: dict[str, object] = {"time_stamp": moment, "type": family.kind.upper()}
    if family.help:
        told["help"] = family.help
    told["metrics"] = [_told_metric(family.kind, metric) for metric in family.metrics]
    return told


def _told_metric(kind: str, metric: Metric) -> dict[str, object]:
    labels = dict(metric.labels)
    points = {"histogram": "buckets", "summary": "quantiles"}.get(kind)
    if points is None:
        return {"labels": labels, "value": floats.render(metric.value)}
    spread = {floats.render(bound): floats.render(value) for bound, value in metric.points}
    figures = {"count": floats.render(metric.count), "sum": floats.render(metric.total)}
    return {"labels": labels, points: spread, **figures}


def _row_order(row: tuple[Metric, Family]) -> tuple[int | str, ...]:
    labels = row[0].labels
    return (len(labels), *(value for _, value in labels))


def _check_names(name: str, kind: str, kinds: dict[str, str]) -> None:
    """No family may be called like a line of a histogram or summary."""
    for suffix in _SUFFIXES:
        base_kind = kinds.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
        if base_kind == "histogram" or (base_kind == "summary" and suffix != "_bucket"):
            raise Inconsistent(f"{name} is the name of a line of the {base_kind} {name.removesuffix(suffix)}")
        if (kind == "histogram" or (kind == "summary" and suffix != "_bucket")) and name + suffix in kinds:
            raise Inconsistent(f"the {kind} {name} has a line called like the metric {name + suffix}")


def _check_labels(family: Family, metric: Metric) -> None:
    own = {"histogram": "le", "summary": "quantile"}.get(family.kind)
    for label, value in metric.labels:
        if label == own:
            raise Inconsistent(f"the {family.kind} {family.name} cannot have the label {label}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Inconsistent(f"the label {label} of {family.name} is not UTF-8") from None
