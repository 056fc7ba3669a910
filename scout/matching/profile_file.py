"""Profiles as people write them: which there are, and from a file's text to one that is ready for matching.

What a file may say is told in docs/PROFILES.md.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from scout import settings
from scout.matching.boilerplate import BOILERPLATE
from scout.matching.profile import Profile, ProfileUnusable, Where, tree_of
from scout.matching.reader import Reader
from scout.matching.wish_reader import WISHES, wishes

DEFAULT = "iam"

#: The most that all terms of one place give together, unless the profile says otherwise.
_LIMITS: dict[Where, int] = {"title": 75, "department": 20, "description": 45}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def names() -> list[str]:
    """The names of the profiles that come with the program."""
    folder = resources.files("scout") / "profiles"
    return sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml"))


def load_profile(path: Path | str | None = None) -> Profile:
    """The profile in a file, or one that comes with the program.

    The text is read each time, so that a changed file counts at once; compiling it is not done twice.

    Args:
        path: A file, or the name of a profile that comes with the program; None means the setting
            SCOUT_PROFILE, or else `iam`.

    Raises:
        ProfileUnusable: There is no such profile, or something in it is wrong.
    """
    chosen = str(path or settings.load().profile or DEFAULT)
    return parse_profile(text_of(chosen), chosen)


def text_of(chosen: str) -> str:
    """The text of a profile, by the name of one that comes with the program or by the path of a file.

    Raises:
        ProfileUnusable: There is no such profile, or it cannot be read.
    """
    if chosen in names():
        return (resources.files("scout") / "profiles" / f"{chosen}.yaml").read_text(encoding="utf-8")
    file = Path(chosen).expanduser()
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProfileUnusable(
            f"There is no profile {chosen!r}: give the path of a file, or one of {', '.join(names())}."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileUnusable(f"The profile {file} cannot be read: {error}.") from error


@functools.lru_cache(maxsize=4)
def parse_profile(text: str, source: str) -> Profile:
    """Read and compile a profile's text; `source` names it in errors.

    Raises:
        ProfileUnusable: Something in it is wrong; the text says where.
    """
    try:
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, in C where it is there
    except yaml.YAMLError as error:
        raise ProfileUnusable(f"The profile {source} is not YAML: {' '.join(str(error).split())}.") from error
    reader = Reader(source)
    reader.keys("the profile", data, {"name", "groups"}, {"title", "about", "limits", "ignore", *WISHES})
    limits = {**_LIMITS, **reader.points("limits", data.get("limits", {}), least=0)}
    groups = reader.entries("groups", data["groups"])
    terms = tuple(itertools.chain.from_iterable(reader.group(group) for group in groups))
    if not terms:
        raise ProfileUnusable(f"The profile {source} has no terms: there is nothing to look for.")
    ignored = (*BOILERPLATE, *reader.phrases("ignore", data.get("ignore", [])))
    return Profile(
        name=str(data["name"]),
        title=str(data.get("title") or data["name"]),
        about=" ".join(str(data.get("about", "")).split()),
        limits=limits,
        terms=terms,
        wishes=wishes(reader, data),
        content=hashlib.sha256(text.encode()).hexdigest(),
        heading_tree=tree_of([term for term in terms if {"title", "department"} & term.points.keys()], ()),
        tree=tree_of([term for term in terms if "description" in term.points], ignored),
    )
