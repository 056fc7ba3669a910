"""Links in every Markdown file of the repository, as a code host follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Folders of other people's files, and of files that are made.
_LEFT_OUT = {".venv", ".components", "site", "data", "demo-data", "test-output", "node_modules"}
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part in _LEFT_OUT or part.endswith("_cache") for part in path.relative_to(ROOT).parts)
)
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(([^()\s]+)\)|<(https?://[^>\s]+)>|\b(?:src|srcset|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_HERE = {"127.0.0.1", "localhost"}


def prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    # What stands in code is no link, but a link's text may be code.
    text = re.sub(r"\[`([^`\n]+)`\]", "[code]", prose(page))
    return [next(filter(None, match.groups())) for match in _LINK.finditer(_CODE.sub("", text))]


def anchors(page: Path) -> set[str]:
    """What a link into a page may name: its headings as code hosts write them, and marks of its own."""
    found: dict[str, int] = {}
    for heading in _HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        found[f"{name}-{found[name]}" if name in found else name] = 1
    return {*found, *re.findall(r"<a id=\"([^\"]+)\">", page.read_text(encoding="utf-8"))}


def wrong(page: Path, root: Path = ROOT) -> Iterator[str]:
    for link in links(page):
        split = urlsplit(link)
        if split.scheme == "mailto":
            continue
        if split.scheme or split.netloc:
            here = split.hostname in _HERE
            if split.scheme != "https" and not here:
                yield f"{link}: others are linked by https"
            if not here and not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", split.hostname or ""):
                yield f"{link}: this is no host"
            continue
        to = page.parent / unquote(split.path) if split.path else page
        if not to.exists():
            yield f"{link}: there is no such file"
        elif not to.resolve().is_relative_to(root):
            yield f"{link}: this leads out of the repository"
        elif split.fragment and to.suffix == ".md" and split.fragment not in anchors(to):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(wrong(page)) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading: its `code`\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#a-heading-its-code) [b](other.md#none) [c](gone.md) [d](http://example.org/) <https://x>\n"
        "```sh\n[e](gone.md)\n```\n`[f](gone.md)` [`g`](gone.txt) [h](../other.md)\n",
        encoding="utf-8",
    )
    (tmp_path.parent / "other.md").touch()
    assert list(wrong(page, tmp_path)) == [
        "other.md#none: there is no such heading",
        "gone.md: there is no such file",
        "http://example.org/: others are linked by https",
        "https://x: this is no host",
        "gone.txt: there is no such file",
        "../other.md: this leads out of the repository",
    ]
