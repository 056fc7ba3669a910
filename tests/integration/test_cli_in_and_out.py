"""`scout export`, `import`, `backup` and `restore`, as a shell runs them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scout import cli, export, settings
from scout.database import Database
from scout.models import Status
from tests import kept
from tests.databases import make_tables

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def empty_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new data directory, and nothing in the environment but that."""
    for name in list(os.environ):
        if name.startswith("SCOUT_") or name in {"DATABASE_URL", "PUSHGATEWAY_URL", "STATSD_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SCOUT_STATSD_PORT", "9")  # nothing listens there


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command: its exit code, and what it printed and complained."""

    def scout(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["scout", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        code = end.value.code
        return code if isinstance(code, int) else 0, printed.out, printed.err

    return scout


@pytest.fixture
def database() -> Iterator[Database]:
    """The database of the commands, with a source and two jobs."""
    chosen = settings.load()
    make_tables(chosen)
    opened = Database.open(chosen)
    with opened.session() as session:
        kept.job(session, "IAM Engineer", at=kept.source(session), url="https://acme.com/1", score=80)
        kept.job(session, "Okta Admin", url="https://acme.com/2", status=Status.SAVED)
    yield opened
    opened.dispose()


def test_jobs_are_written_to_stdout_as_a_table(run: Run, database: Database) -> None:
    code, out, err = run("export", "--sort", "score")
    assert (code, err) == (cli.DONE, "")
    assert [row["title"] for row in csv.DictReader(io.StringIO(out))] == ["IAM Engineer", "Okta Admin"]


def test_a_files_name_tells_its_format_and_the_lists_filters_what_is_in_it(
    run: Run, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "jobs.jsonl"
    code, out, _ = run("export", "-o", str(path), "--status", "saved", "--search", "okta")
    assert (code, out) == (cli.DONE, "")
    assert json.loads(path.read_text(encoding="utf-8"))["title"] == "Okta Admin"
    run("export", "--output", str(path), "--format", "csv", "--bom", "--min-score", "50")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfid,title")
    assert b"Okta" not in path.read_bytes()
    assert [each.name for each in tmp_path.iterdir() if each.name != "data"] == ["jobs.jsonl"]


def test_what_cannot_be_exported_is_told(run: Run, database: Database, tmp_path: Path) -> None:
    code, out, err = run("export", "--source", "nobody")
    assert (code, out) == (cli.FAILED, "")
    assert "no source 'nobody'" in err
    code, _, err = run("export", "-o", str(tmp_path / "nowhere" / "jobs.csv"))
    assert code == cli.FAILED
    assert "cannot be written" in err


def tracker(tmp_path: Path, *rows: str) -> str:
    path = tmp_path / "tracker.csv"
    path.write_text("\n".join(("Employer,Was,Stage,Link,Applied,Mood", *rows)), encoding="utf-8")
    return str(path)


def test_a_dry_run_shows_what_would_be_made_of_a_file_and_writes_nothing(
    run: Run, database: Database, tmp_path: Path
) -> None:
    path = tracker(tmp_path, "Beta,SailPoint Dev,Limbo,https://beta.com/1,03/04/2026,good", "Gamma,,,,,")
    code, out, err = run("import", path, "--map", "Was=title", "--dry-run")
    assert code == cli.PARTIAL
    assert "SailPoint Dev" in out
    assert "2026-03-04" in out
    assert "Row 3 is left out: it has no title." in err
    assert "Nothing is read from: Mood." in err
    assert "month first" in err
    assert "'Limbo' (1) is kept as saved" in err
    assert "SailPoint" not in run("jobs", "list")[1]


def test_a_file_is_imported_and_its_bad_rows_are_named(run: Run, database: Database, tmp_path: Path) -> None:
    path = tracker(
        tmp_path,
        "Beta,SailPoint Dev,Offer,https://beta.com/1,,",
        "Gamma,,,,,",
        "Acme,X,Applied,https://acme.com/1,,",
    )
    code, out, err = run("import", path, "--map", "Was = title")
    assert (code, out) == (cli.PARTIAL, "1 added, 1 updated, 0 known, 1 refused.\n")
    assert "Row 3" in err
    assert "offer" in run("jobs", "list", "--search", "sailpoint")[1]
    code, out, _ = run("import", path, "--map", "Was=title", "--strict")
    assert code == cli.FAILED


def test_wrong_uses_of_import_are_told(run: Run, database: Database, tmp_path: Path) -> None:
    path = tracker(tmp_path, "Beta,SailPoint Dev,Offer,,,")
    assert run("import", path, "--map", "Was")[0] == cli.USAGE
    assert "--map" in run("import", path)[2]
    assert run("import", str(tmp_path / "nothing.csv"))[0] == cli.FAILED


def test_an_export_is_imported_and_adds_nothing(run: Run, database: Database, tmp_path: Path) -> None:
    path = str(tmp_path / "jobs.csv")
    run("export", "-o", path)
    assert run("import", path) == (cli.DONE, "0 added, 0 updated, 2 known, 0 refused.\n", "")
    assert "An export of this program." in run("import", path, "--dry-run")[1]


def test_a_backup_is_made_checked_and_restored(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "b.zip")
    code, out, _ = run("backup", path)
    assert code == cli.DONE
    assert "2 jobs, 1 sources" in out
    assert "is whole: 2 jobs" in run("restore", path, "--check")[1]
    code, _, err = run("restore", path)
    assert code == cli.FAILED
    assert "--replace" in err
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "new"))
    code, out, err = run("restore", path)
    assert code == cli.DONE
    assert "Restored" in out
    assert "the password" in err
    assert "Okta Admin" in run("jobs", "list")[1]


def test_backups_without_a_name_are_kept_in_the_data_directory(
    run: Run, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "backups"
    folder.mkdir()
    (folder / "scout-20200101T000000Z.zip").touch()
    code, out, _ = run("backup", "--keep", "1")
    assert code == cli.DONE
    assert "Removed" in out
    (path,) = folder.iterdir()
    assert path.stat().st_size
    assert run("backup", "x.zip", "--keep", "1")[0] == cli.USAGE


@pytest.mark.parametrize("command", ["export", "import", "backup", "restore"])
def test_help_gives_an_example_and_the_exit_codes(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == cli.DONE
    assert f"Example: scout {command}" in out
    assert "Exit codes: 0 done, 1 failed" in " ".join(out.split())


def test_every_column_of_an_export_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "DATA.md").read_text(encoding="utf-8")
    told = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `")]
    assert [each for each in told if each in export.COLUMNS] == list(export.COLUMNS)
