"""The rest of the repository for the documents' site: pages beside what they tell of, and linked files.

On a code host a link leads anywhere in the repository. The site has `docs/` alone, so that what is linked
outside of it is brought in: Markdown as pages, other files as they are. A link to a folder leads to its
README, or is no link.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
#: Where what is from outside of `docs/` stands in the site; the project's front page is the site's.
_OUTSIDE, _HOME = "project", "README.md"
#: The front page, and pages that only the menu leads to.
_ALWAYS = (_HOME, "CHANGELOG.md", "CONTRIBUTING.md")
_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(
    r"(?P<text>!?\[[^\[\]]*\])\((?P<to>[^()\s]+)\)|(?P<name>\b(?:src|srcset|href))=\"(?P<at>[^\"]+)\""
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring in what is linked, and what is linked from there."""
    waiting = [*_ALWAYS, *(f"{DOCS}/{each.src_uri}" for each in files if each.is_documentation_page())]
    seen: set[str] = set()
    while waiting:
        place = waiting.pop()
        if place in seen or not (ROOT / place).is_file():
            continue
        seen.add(place)
        if _in_site(place) not in files.src_uris:
            # A code host shows a YAML file; a browser would ask where to save it.
            content = (ROOT / place).read_bytes()
            files.append(File.generated(config, _in_site(place), content=content))
        if place.endswith(".md"):
            text = _FENCED.sub("", (ROOT / place).read_text(encoding="utf-8"))
            waiting += [_place(place, to) for to in map(_to, _LINK.finditer(text)) if _is_ours(to)]
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let links lead to where the site has what they mean."""
    here = _in_repository(page.file.src_uri)
    pieces, at = [], 0
    for fence in _FENCED.finditer(markdown):
        pieces += [_relinked(markdown[at : fence.start()], here), fence[0]]
        at = fence.end()
    return "".join([*pieces, _relinked(markdown[at:], here)])


def _relinked(markdown: str, here: str) -> str:
    def link(match: re.Match[str]) -> str:
        to = _to(match)
        if not _is_ours(to):
            return match[0]
        place, anchor = _place(here, to), urlsplit(to).fragment
        if not (ROOT / place).is_file():
            # A folder without a README: on a code host it lists what is in it.
            return match["text"].strip("[]") if match["text"] and (ROOT / place).is_dir() else match[0]
        found = posixpath.relpath(_in_site(place), posixpath.dirname(_in_site(here)) or ".")
        found += f"#{anchor}" if anchor else ""
        return f"{match['text']}({found})" if match["text"] else f'{match["name"]}="{found}"'

    return _LINK.sub(link, markdown)


def _to(match: re.Match[str]) -> str:
    return match["to"] or match["at"]


def _is_ours(to: str) -> bool:
    """Whether a link leads into the repository."""
    split = urlsplit(to)
    return not split.scheme and not split.netloc and bool(split.path)


def _place(here: str, to: str) -> str:
    """Where a link leads, seen from the repository's root; a folder's README stands for the folder."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(here), urlsplit(to).path))
    readme = f"{place}/README.md"
    return readme if (ROOT / readme).is_file() else place


def _in_site(place: str) -> str:
    if place == _HOME:
        return "index.md"
    path = PurePosixPath(place)
    return str(path.relative_to(DOCS)) if path.parts[0] == DOCS else f"{_OUTSIDE}/{place}"


def _in_repository(uri: str) -> str:
    if uri == "index.md":
        return _HOME
    path = PurePosixPath(uri)
    return str(path.relative_to(_OUTSIDE)) if path.parts[0] == _OUTSIDE else f"{DOCS}/{uri}"
