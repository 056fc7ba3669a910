"""The documents as a site: built strictly, whole, and without a request to anybody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.integration.embedded_programs import ROOT

#: What a browser asks for by itself when it meets it, by element and attribute.
_ASKED = {
    "script": ("src",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",),
    "video": ("src", "poster"), "audio": ("src",), "object": ("data",), "embed": ("src",), "link": ("href",),
}  # fmt: skip


class _Asked(HTMLParser):
    """What a page lets a browser ask for, and the anchors that it has."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asked += [value for name, value in attrs if name in _ASKED.get(tag, ()) and value]
        self.ids |= {value for name, value in attrs if name == "id" and value}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_document_is_a_page_and_the_front_page_is_the_readme(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        place = page.relative_to(ROOT / "docs").with_suffix(".html")
        # A README is its folder's first page.
        assert (site / place).is_file() or (site / place.with_name("index.html")).is_file(), place
    assert "IAM Job Scout" in (site / "index.html").read_text(encoding="utf-8")


def test_no_page_asks_anything_of_anybody_else(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 100
    for page in pages:
        read = _Asked()
        read.feed(page.read_text(encoding="utf-8"))
        outside = [each for each in read.asked if re.match(r"(?:https?:)?//", each)]
        assert outside == [], page
        missing = [
            each
            for each in read.asked
            if not each.startswith("data:") and not (page.parent / re.split("[?#]", each)[0]).exists()
        ]
        # The page of an unknown address is shown at any address: its links begin at the root.
        assert missing == [] or page.name == "404.html", page
    for sheet in site.rglob("*.css"):
        assert not re.search(
            r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")
        ), sheet


def test_links_out_of_the_documents_lead_to_what_they_mean(site: Path) -> None:
    monitoring = (site / "MONITORING.html").read_text(encoding="utf-8")
    assert 'href="project/prometheus/slos.yml"' in monitoring
    assert (site / "project" / "prometheus" / "slos.yml").is_file()
    assert 'id="http_requests_total"' in monitoring
    assert 'href="runbooks/ScoutExporterDown.html"' in monitoring
    assert 'href="MONITORING.html"' in (site / "index.html").read_text(encoding="utf-8")
