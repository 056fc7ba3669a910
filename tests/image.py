"""What the image would hold: the files that `.dockerignore` lets in, laid out as the Dockerfile does."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _pattern(line: str) -> tuple[bool, re.Pattern[str]]:
    """One line: whether it lets in, and what it matches, a path or one below it (".dockerignore files")."""
    lets_in, text = line.startswith("!"), line.removeprefix("!").strip("/")
    parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    made = re.sub(r"\*\*/|\*\*|\*|\?|[^*?]+", lambda found: parts.get(found[0]) or re.escape(found[0]), text)
    return lets_in, re.compile(f"{made}(?:/.*)?")


def patterns(text: str) -> list[tuple[bool, re.Pattern[str]]]:
    """The lines of a `.dockerignore`; of those that match a path the last one decides."""
    lines = (line.strip() for line in text.splitlines())
    return [_pattern(line) for line in lines if line and not line.startswith("#")]


def context(root: Path = ROOT) -> Iterator[Path]:
    """The files that a build is sent, relative to the root."""
    text = (root / ".dockerignore").read_text(encoding="utf-8")
    rules = patterns(text)
    opened = [line[1:].strip() for line in text.splitlines() if line.startswith("!")]
    yield from _below(root, Path(), rules, opened)


def _below(
    root: Path, folder: Path, rules: list[tuple[bool, re.Pattern[str]]], opened: list[str]
) -> Iterator[Path]:
    for each in sorted((root / folder).iterdir()):
        path = folder / each.name
        kept = [lets_in for lets_in, pattern in rules if pattern.fullmatch(path.as_posix())]
        inside = not kept or kept[-1]
        if each.is_dir() and not each.is_symlink():
            # Below what stays out something may be let in all the same.
            if inside or any(line.startswith(f"{path.as_posix()}/") for line in opened):
                yield from _below(root, path, rules, opened)
        elif inside:
            yield path


def lay_out(folder: Path) -> None:
    """Copy what a build is sent into a folder, which then is as /app in the image."""
    for path in context():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, folder / path)
