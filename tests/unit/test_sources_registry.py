"""Kinds that other packages offer: a distribution in a folder of its own, as an installer would leave it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import scout.sources
from scout import scanning, watchlist
from scout.models import ScanState
from scout.settings import PROJECT, Settings
from scout.sources import KINDS, registry
from scout.sources.about import About, about
from scout.stack import examination
from tests.scan_world import World, world

__all__ = ["world"]

PLUG_IN = """
    import datetime as dt
    from scout.postings import Posting
    from scout.sources.about import About
    from scout.sources.board import Board, Page


    class Acme:
        name = "acme_boards"
        title = "Acme's boards"
        origins = ("https://boards.acme.example",)
        interval = dt.timedelta(hours=2)
        attribution = "From Acme"
        terms = "A test's own."
        complete = True
        about = About(fills=("locations",))

        def recognise(self, url):
            if url.hostname != "boards.acme.example":
                return None
            return Board(kind=self.name, token=url.path.strip("/"), url=url.geturl())

        def read(self, board, door, validators):
            yield self.parse(b"", board)

        def parse(self, body, board):
            posting = Posting(
                source_job_id="1", title="IAM Engineer", company="Acme", locations=("Oslo",),
                url="https://boards.acme.example/x/1",
            )
            return Page(postings=(posting,))
"""


def install(folder: Path, points: dict[str, str], **modules: str) -> None:
    """A distribution with entry points, as an installer leaves it."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    info = folder / "acme_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-plugin\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {value}" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{lines}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose distributions are found."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(place)
    before = set(sys.modules)
    yield place
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(place) in str(sys.modules[name].__file__):
            del sys.modules[name]
    importlib.invalidate_caches()


def test_every_kind_of_this_package_is_found_and_is_one() -> None:
    found = registry.find()
    assert list(found.kinds) == list(KINDS)
    assert {"greenhouse", "lever", "ashby", "feed", "remotive", "hackernews", "adzuna"} <= set(KINDS)
    assert [name for name in KINDS if name in registry._LAST] == list(registry._LAST)
    for kind in KINDS.values():
        assert registry.fault(kind) == ""
        assert registry.capabilities(kind)


def test_a_kind_of_another_package_is_scanned_end_to_end(
    folder: Path,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(folder, {"acme": "acme_plugin:Acme"}, acme_plugin=PLUG_IN)
    found = registry.find()
    assert found.broken == ()
    monkeypatch.setattr(scout.sources, "KINDS", found.kinds)
    with world.db.session() as session:
        slug = watchlist.add(session, scout.sources.recognise("https://boards.acme.example/x")).slug
    _, (result_id,) = world.ask(slug)
    assert scanning.scan(world.db, world.settings, result_id, worker="test") is ScanState.SUCCEEDED
    assert [job.title for job in world.jobs().values()] == ["IAM Engineer"]


def test_a_command_knows_the_kind_of_another_package(folder: Path, tmp_path: Path) -> None:
    install(folder, {"acme": "acme_plugin:Acme", "gone": "no_such_module:Kind"}, acme_plugin=PLUG_IN)
    environment = {
        **os.environ, "PYTHONPATH": f"{PROJECT}{os.pathsep}{folder}", "SCOUT_STATSD_PORT": "9",
        "SCOUT_DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip

    def scout(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from scout.cli import main; main()", *words],
            env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    listed = scout("sources", "kinds", "--json")
    assert "acme_boards" in [kind["name"] for kind in json.loads(listed.stdout)]
    assert "no_such_module" in listed.stderr
    tried = scout("sources", "test", "https://boards.acme.example/x")
    assert "1 postings" in tried.stdout
    assert "IAM Engineer - Oslo" in tried.stdout
    told = scout("doctor")
    assert "no_such_module" in told.stdout
    assert "1 left out" in told.stdout


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("import datetime", "import no_such_thing\nimport datetime"), "ModuleNotFoundError"),
        (("class Acme:", "raise SystemExit(3)\nclass Acme:"), "SystemExit"),
        (("class Acme:", "class Other:"), "AttributeError"),
        (("class Acme:", "class Acme:\n    def __init__(self): raise ValueError('\\x1b')\n"), "ValueError"),
        (('name = "acme_boards"', 'name = "lever"'), "which another kind has already"),
        (('name = "acme_boards"', 'name = "Acme Boards"'), "lower-case letters"),
        (('name = "acme_boards"', "name = None"), "no text"),
        (('terms = "A test\'s own."', 'terms = ""'), "nothing of its title or its terms"),
        (('terms = "A test\'s own."', ""), "has no 'terms'"),
        (('("https://boards.acme.example",)', '["x"]'), "origins"),
        (("dt.timedelta(hours=2)", "7200"), "interval"),
        (("complete = True", "complete = 1"), "complete"),
        (("def read(self, board, door, validators)", "def read(self, board)"), "'read'"),
        (('About(fills=("locations",))', "3"), "no About"),
        (('("locations",)', '("shoe_size",)'), "shoe_size"),
        (('fills=("locations",)', 'settings=("SCOUT_NO_SUCH",)'), "settings that there are not"),
    ],
)  # fmt: skip
def test_a_broken_plug_in_is_named_and_harms_nobody(
    change: tuple[str, str], why: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = textwrap.dedent(PLUG_IN)
    broken = text.replace(*change)
    assert broken != text
    install(folder, {"acme": "broken_plugin:Acme"}, broken_plugin=broken)
    found = registry.find()
    assert set(found.kinds) == set(KINDS)
    (left,) = found.broken
    assert why in left.why
    assert "broken_plugin:Acme" in left.where
    assert "acme-plugin" in left.where
    assert "\x1b" not in left.why
    assert "broken_plugin:Acme" in caplog.text


def test_the_doctor_tells_of_broken_plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert examination._kinds().verdict is examination.Verdict.OK
    monkeypatch.setattr(
        examination, "BROKEN", (registry.Broken("acme = x:Y of acme-plugin", "has no 'read'"),)
    )
    finding = examination._kinds()
    assert finding.verdict is examination.Verdict.WARNING
    assert "acme-plugin" in finding.advice
    assert "has no 'read'" in finding.advice


def test_the_doctor_reads_the_file_of_json_feeds(tmp_path: Path) -> None:
    file = tmp_path / "feeds.yml"
    chosen = Settings(json_feeds=str(file))
    assert "cannot be read" in examination._json_feeds(chosen).advice
    file.write_text("feeds: {a: {url: https://a.example/x, fields: {title: t, url: u}}}")
    assert examination._json_feeds(chosen).text == "1 described"


def test_a_kind_that_fails_to_recognise_keeps_nobody_from_adding_boards(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(type(KINDS["ashby"])):  # type: ignore[misc]
        name = "failing"

        def recognise(self, url: object) -> None:
            raise ZeroDivisionError

    monkeypatch.setattr(scout.sources, "KINDS", {"failing": Failing(), **KINDS})
    assert scout.sources.recognise("https://jobs.lever.co/veeva").kind == "lever"
    assert "failing" in caplog.text


def test_what_a_kind_says_of_itself_is_optional() -> None:
    class Silent:
        pass

    assert about(Silent()) == About()  # type: ignore[arg-type]
