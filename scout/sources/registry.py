"""Which kinds of board there are: those of this package, and those of other packages that are installed.

A kind is one module. In this package, each class that has all that `Kind` asks for is one. Another package
offers its own by an entry point of the group `iam_job_scout.sources` that names such a class, or an object of
one:

    [project.entry-points."iam_job_scout.sources"]
    acme = "acme_boards:Acme"

What cannot be loaded, or lacks something, is named in a warning and by `scout doctor`, and left out.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.metadata
import inspect
import logging
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from scout.normalise import line
from scout.postings import Posting
from scout.settings import Settings
from scout.sources.about import About, about
from scout.sources.board import Kind

logger = logging.getLogger(__name__)

#: The group of entry points by which other packages offer kinds.
GROUP = "iam_job_scout.sources"
#: Kinds that could take many an address: they are asked after all the others, in this order.
_LAST = ("mapped", "sitemap", "feed", "jobposting")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: Where each board has a host of its own, a pattern: `https://*.example.com`.
_ORIGIN = re.compile(r"https?://(?:\*\.)?[a-z0-9.:\[\]-]+")
_TEXTS = ("name", "title", "attribution", "terms")
_METHODS = {"recognise": 1, "read": 3, "parse": 2}
_ALL = {*_TEXTS, *_METHODS, "origins", "interval", "complete"}
_FIELDS = frozenset(each.name for each in fields(Posting))


@dataclass(frozen=True, slots=True)
class Broken:
    """A kind of another package that is left out.

    Attributes:
        where: The entry point, as its package writes it, and the package.
        why: What is wrong with it: the end of the sentence "It ...".
    """

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """The kinds by name, in the order in which they are asked about an address; and those left out."""

    kinds: Mapping[str, Kind]
    broken: tuple[Broken, ...] = ()


def find() -> Found:
    """Look for all of them. A kind of this package keeps its name against any other's."""
    kinds = {kind.name: kind for kind in _own()}
    broken: list[Broken] = []
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name):
        where = f"{point.name} = {point.value}" + (f" of {point.dist.name}" if point.dist else "")
        try:
            kind = _loaded(point, kinds)
        except _Unusable as unusable:
            broken.append(Broken(where, str(unusable)))
            logger.warning("A kind of board is left out. %s: it %s", where, unusable)
        else:
            kinds[kind.name] = kind
    return Found({kind.name: kind for kind in _ordered(kinds.values())}, tuple(broken))


class _Unusable(Exception):  # noqa: N818 - a finding, told to the owner
    """An entry point offers no kind. Its text is the end of the sentence "It ..."."""


def _own() -> Iterator[Kind]:
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for made in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(made) and made.__module__ == module.name and set(dir(made)) >= _ALL:
                yield cast("Kind", made())


def _ordered(kinds: Iterable[Kind]) -> list[Kind]:
    def order(kind: Kind) -> tuple[int, bool, str]:
        last = _LAST.index(kind.name) + 1 if kind.name in _LAST else 0
        return last, not kind.origins, kind.name

    return sorted(kinds, key=order)


def _loaded(point: importlib.metadata.EntryPoint, taken: Mapping[str, Kind]) -> Kind:
    """The kind that an entry point offers.

    Raises:
        _Unusable: It offers none.
    """
    try:
        offered = point.load()
        kind: Any = offered() if inspect.isclass(offered) else offered
        wrong = fault(kind)
    except (Exception, SystemExit) as error:
        raise _Unusable(f"cannot be loaded: {type(error).__name__}: {line(str(error), 200)}") from error
    if wrong:
        raise _Unusable(wrong)
    if kind.name in taken:
        raise _Unusable(f"has the name {kind.name!r}, which another kind has already")
    return cast("Kind", kind)


def fault(kind: Any) -> str:
    """What keeps an object from being a kind, as the end of the sentence "It ..."; empty if nothing does."""
    for name in sorted(_ALL):
        if not hasattr(kind, name):
            return f"has no {name!r}"
    checks: tuple[tuple[bool, str], ...] = (
        (
            all(isinstance(getattr(kind, name), str) for name in _TEXTS),
            "has a name, title or terms that are no text",
        ),
        (
            _NAME.fullmatch(str(kind.name)) is not None,
            f"has the name {line(str(kind.name), 60)!r}: at most 40 lower-case letters, digits and _",
        ),
        (bool(kind.title and kind.terms), "says nothing of its title or its terms"),
        (
            isinstance(kind.origins, tuple)
            and all(_ORIGIN.fullmatch(str(origin)) for origin in kind.origins),
            "has 'origins' that are no tuple of origins such as 'https://api.example.com'",
        ),
        (
            isinstance(kind.interval, dt.timedelta) and kind.interval > dt.timedelta(0),
            "has an 'interval' that is no length of time",
        ),
        (isinstance(kind.complete, bool), "has a 'complete' that is neither True nor False"),
    )
    wrong = next((text for right, text in checks if not right), "")
    return wrong or _odd_methods(kind) or _odd_about(getattr(kind, "about", About()))


def _odd_methods(kind: Any) -> str:
    for name, count in _METHODS.items():
        try:
            inspect.signature(getattr(kind, name)).bind(*range(count))
        except TypeError:
            return f"has a {name!r} that does not take {count} argument{'s' if count > 1 else ''}"
    return ""


def _odd_about(told: Any) -> str:
    if not isinstance(told, About):
        return "has an 'about' that is no About"
    if not set(told.fills) <= _FIELDS:
        return f"fills fields that no posting has: {', '.join(sorted(set(told.fills) - _FIELDS))}"
    if not set(told.settings) <= {each.metadata["variable"] for each in fields(Settings)}:
        return "needs settings that there are not"
    return ""


def capabilities(kind: Kind) -> tuple[str, ...]:
    """What can be done with a kind, in a few words each."""
    told = about(kind)
    found = ["many companies' jobs"] if told.gathers else []
    found += ["closes jobs that are no longer listed" if kind.complete else "does not tell which jobs closed"]
    details = getattr(kind, "details", None)
    if isinstance(details, int):
        found.append(f"asks for the texts of at most {details} postings a scan")
    if told.searches:
        found.append(f"can be narrowed by {', '.join(told.searches)}")
    if told.settings:
        found.append(f"off until {' and '.join(told.settings)} are set")
    if not kind.origins:
        found.append("on any site")
    return tuple(found)
