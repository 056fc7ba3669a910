"""The commands for jobs, sources, profiles, the account and migrations, as a shell runs them."""

from __future__ import annotations

import dataclasses
import http.server
import io
import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from metrics import catalogue
from scout import account, cli, rescoring, settings
from scout.cli import jobs as jobs_command
from scout.cli import table
from scout.database import Database
from scout.identity import keys
from scout.matching import load_profile
from scout.models import EventKind, Job, JobEvent, Status, StatusChange
from scout.normalise import completed
from tests import kept
from tests.boards_in_folders import posting
from tests.databases import make_tables
from tests.statsd_listener import Listener, statsd

__all__ = ["statsd"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def empty_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new data directory, and nothing in the environment but that."""
    for name in list(os.environ):
        if name.startswith("SCOUT_") or name in {"DATABASE_URL", "PUSHGATEWAY_URL", "STATSD_URL"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "data"))
    # Nothing listens there: metrics and pushes go nowhere.
    monkeypatch.setenv("SCOUT_STATSD_PORT", "9")
    monkeypatch.setenv("SCOUT_PUSHGATEWAY_PORT", "9")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command: its exit code, and what it printed and complained."""

    def scout(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["scout", *words])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        code = end.value.code
        return code if isinstance(code, int) else 0, printed.out, printed.err

    return scout


@pytest.fixture
def database() -> Iterator[Database]:
    """The database of the commands, with a source and three jobs."""
    chosen = settings.load()
    make_tables(chosen)
    opened = Database.open(chosen)
    with opened.session() as session:
        acme = kept.source(session)
        kept.job(
            session, "IAM Engineer", at=acme, locations=["Bern"], score=80, description_text="Run SailPoint."
        )
        kept.job(session, "Baker \x1b[31m of\nbread", at=acme, score=0, first_seen_at=kept.DAY)
        kept.job(
            session, "Data Engineer", score=10, status=Status.SAVED, description_text="Airflow, dbt, SQL"
        )
    yield opened
    opened.dispose()


def test_jobs_are_listed_in_columns(run: Run, database: Database) -> None:
    code, out, err = run("jobs", "list", "--sort", "score")
    lines = out.splitlines()
    assert code == cli.DONE
    assert lines[0].split() == ["ID", "SCORE", "STATUS", "TITLE", "COMPANY", "PLACE", "FOUND"]
    assert [line.split()[1] for line in lines[1:]] == ["80", "10", "0"]
    assert "\x1b" not in out
    assert err == ""


def test_jobs_are_listed_for_programs(run: Run, database: Database) -> None:
    code, out, _ = run(
        "jobs", "list", "--json", "--status", "new", "--source", "acme", "--search", "sailpoint bern"
    )
    (job,) = json.loads(out)
    assert code == cli.DONE
    needed = {
        "id",
        "title",
        "company",
        "locations",
        "remote",
        "url",
        "status",
        "score",
        "posted_at",
        "first_seen_at",
        "listings",
    }
    assert needed <= job.keys()
    assert job["listings"][0].keys() >= {"source", "source_job_id", "url"}


def test_a_limit_says_that_there_are_more(run: Run, database: Database) -> None:
    _, out, err = run("jobs", "list", "--limit", "1")
    assert len(out.splitlines()) == 2
    assert "1 of 3 jobs" in err


def test_a_long_list_is_read_page_by_page(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_command, "MOST_PER_PAGE", 1)
    _, out, _ = run("jobs", "list", "--json", "--limit", "2")
    assert len(json.loads(out)) == 2


def test_an_empty_list_says_what_to_do(run: Run) -> None:
    assert run("jobs", "list")[:2] == (cli.DONE, "No job fits. `scout scan` looks for new ones.\n")
    assert json.loads(run("jobs", "list", "--json")[1]) == []


def test_one_job_is_shown(run: Run, database: Database) -> None:
    code, out, _ = run("jobs", "show", "1")
    assert code == cli.DONE
    for words in ("IAM Engineer", "Company:   Acme", "Places:    Bern", "Listed by: acme", "Run SailPoint."):
        assert words in out
    assert json.loads(run("jobs", "show", "1", "--json")[1])["description_text"] == "Run SailPoint."


def test_a_status_is_set_and_undone(run: Run, database: Database) -> None:
    assert run("jobs", "set", "1", "applied")[:2] == (cli.DONE, "Job 1 is applied now: IAM Engineer\n")
    code, _, err = run("jobs", "set", "1", "saved")
    assert code == cli.FAILED
    assert err == (
        "scout: Job 1 is applied and cannot become saved. From applied it can become: interviewing, offer,"
        " rejected, dismissed, new.\n"
    )
    assert run("jobs", "set", "1", "interviewing")[0] == cli.DONE
    assert run("jobs", "undo", "1")[:2] == (cli.DONE, "Job 1 is applied again: IAM Engineer\n")
    assert run("jobs", "undo", "1")[:2] == (cli.DONE, "Job 1 is new again: IAM Engineer\n")
    code, out, err = run("jobs", "undo", "1")
    assert (code, out) == (cli.FAILED, "")
    assert "no decision of yours to take back" in err
    shown = json.loads(run("jobs", "show", "1", "--json")[1])
    assert [step["by"] for step in shown["history"]] == ["scan", *["command"] * 4]
    assert [step.get("undo") for step in shown["history"]] == [None, False, False, True, True]
    assert "applied -> new (undone)" in run("jobs", "show", "1")[1]


def test_many_jobs_are_set_and_those_that_cannot_be_are_named(run: Run, database: Database) -> None:
    assert run("jobs", "set", "1", "2", "saved")[:2] == (cli.DONE, "2 jobs became saved.\n")
    code, out, err = run("jobs", "set", "1", "3", "99", "offer")
    assert (code, out) == (cli.FAILED, "0 jobs became offer.\n")
    assert "Job 1 is saved and cannot become offer." in err
    assert "Job 99 is not there." in err
    code, out, err = run("jobs", "set", "1", "99", "applied")
    assert (code, out, err) == (cli.PARTIAL, "1 job became applied.\n", "Job 99 is not there.\n")
    told = json.loads(run("jobs", "set", "1", "2", "applied", "--json")[1])
    assert (told["changed"], told["unchanged"], told["named"]) == (1, 1, {})


def test_jobs_are_set_by_words_and_a_dry_run_changes_none(run: Run, database: Database) -> None:
    words = ("jobs", "set", "--matching", "iam", "--status", "new", "dismissed")
    code, out, _ = run(*words, "--dry-run")
    assert (code, out) == (cli.DONE, "1 job would become dismissed.\n")
    assert run(*words)[1] == "1 job became dismissed.\n"
    assert run(*words)[1] == "0 jobs became dismissed.\n"
    assert run("jobs", "undo", "1")[0] == cli.DONE


@pytest.mark.parametrize(
    "words",
    [
        ("saved",),
        ("1", "--matching", "x", "saved"),
        ("0", "saved"),
        ("x", "saved"),
        ("1", "2"),
        ("--source", "acme"),
    ],
    ids=" ".join,
)
def test_jobs_that_are_named_wrongly_are_not_set(run: Run, words: tuple[str, ...]) -> None:
    assert run("jobs", "set", *words)[0] == cli.USAGE


def test_notes_are_written_anew_and_deleted(run: Run, database: Database) -> None:
    assert run("jobs", "note", "add", "1", "Ask Ruth.")[:2] == (cli.DONE, "Job 1 has the note 1 now.\n")
    assert run("jobs", "note", "edit", "1", "1", "Ask Dana.")[0] == cli.DONE
    assert "note 1: Ask Dana." in run("jobs", "show", "1")[1]
    assert run("jobs", "note", "edit", "1", "7", "x")[0] == cli.FAILED
    assert run("jobs", "note", "edit", "2", "1", "x")[0] == cli.FAILED
    assert run("jobs", "note", "delete", "1", "1")[1] == "Note 1 is deleted.\n"
    assert run("jobs", "note", "delete", "1", "1")[:2] == (cli.DONE, "Job 1 has no note 1.\n")


def test_what_to_do_next_is_kept_and_taken_away(run: Run, database: Database) -> None:
    code, out, _ = run("jobs", "next", "1", "2026-06-12", "Call Dana")
    assert (code, out) == (cli.DONE, "Job 1: Call Dana on 2026-06-12.\n")
    assert "Next:      Call Dana on 2026-06-12" in run("jobs", "show", "1")[1]
    assert json.loads(run("jobs", "show", "1", "--json")[1])["next_action_on"] == "2026-06-12"
    assert run("jobs", "next", "1", "--clear")[1] == "Job 1: nothing is planned.\n"
    assert run("jobs", "next", "1")[0] == cli.USAGE
    assert run("jobs", "next", "1", "12 June")[0] == cli.USAGE


def test_an_edit_is_shown_and_is_no_news_afterwards(run: Run, database: Database) -> None:
    with database.session() as session:
        job = session.get_one(Job, 1)
        job.edit_unseen = True
        change = {"field": "level", "old": "", "new": "senior"}
        session.add(JobEvent(job=job, what=EventKind.EDITED, source="acme", changes=[change]))
    assert "new, changed" in run("jobs", "list")[1]
    run("jobs", "show", "1", "--json")
    assert "changed by acme: level senior was added" in run("jobs", "show", "1")[1]
    assert "new, changed" not in run("jobs", "list")[1]


@pytest.mark.parametrize(
    "words",
    [
        ("jobs", "show", "99"),
        ("jobs", "set", "99", "saved"),
        ("jobs", "list", "--source", "nobody"),
        ("sources", "pause", "nobody"),
        ("sources", "resume", "nobody"),
        ("sources", "remove", "nobody"),
        ("sources", "test", "nobody"),
        ("sources", "add", "https://example.com/careers"),
        ("profile", "show", "nowhere"),
        ("profile", "try", "nowhere.yaml"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_exit_code_1(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (cli.FAILED, "")
    assert err.startswith("scout: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [("jobs", "show", "x"), ("jobs", "set", "1", "lost"), ("jobs", "list", "--limit", "0"), ("nothing",)],
)
def test_wrong_usage_is_exit_code_2(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words)[0] == cli.USAGE


@pytest.mark.parametrize(
    "words",
    [
        ("jobs", "list"),
        ("jobs", "show"),
        ("jobs", "set"),
        ("jobs", "undo"),
        ("jobs", "next"),
        ("jobs", "note", "add"),
        ("jobs", "note", "edit"),
        ("jobs", "note", "delete"),
        ("sources", "add"),
        ("sources", "list"),
        ("sources", "pause"),
        ("sources", "resume"),
        ("sources", "remove"),
        ("sources", "set"),
        ("sources", "test"),
        ("profile", "show"),
        ("profile", "try"),
        ("profile", "check"),
        ("profile", "status"),
        ("profile", "measure"),
        ("account", "password"),
        ("migrate",),
    ],
)
def test_every_command_helps_with_an_example(run: Run, words: tuple[str, ...]) -> None:
    code, out, _ = run(*words, "--help")
    assert code == cli.DONE
    assert f"Example: scout {' '.join(words)}" in " ".join(out.split())


def test_a_board_is_watched_paused_and_removed(run: Run) -> None:
    assert "Added veeva (lever)" in run("sources", "add", "https://jobs.lever.co/veeva", "--name", "Veeva")[1]
    code, _, err = run("sources", "add", "https://jobs.lever.co/veeva")
    assert code == cli.FAILED
    assert "watched already, as veeva" in err
    assert run("sources", "pause", "veeva")[0] == cli.DONE
    (source,) = json.loads(run("sources", "list", "--json")[1])
    assert (source["slug"], source["kind"], source["health"]) == ("veeva", "lever", "paused")
    assert run("sources", "resume", "veeva")[0] == cli.DONE
    assert "veeva  lever  new" in run("sources", "list")[1]
    code, out, err = run("sources", "remove", "veeva")
    assert (code, out) == (cli.DONE, "Removed veeva.\n")
    assert "Pushgateway" in err
    assert "No board is watched" in run("sources", "list")[1]


@pytest.fixture
def lever(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """A Lever board that answers with the given postings."""
    answer: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv(
        "SCOUT_ORIGIN_OVERRIDES", f"https://api.lever.co=http://127.0.0.1:{server.server_port}"
    )
    yield answer
    server.shutdown()
    thread.join()
    server.server_close()


def a_posting(title: str) -> dict[str, Any]:
    return {
        "id": title.replace(" ", "-"),
        "text": title,
        "hostedUrl": "https://jobs.lever.co/veeva/1",
        "categories": {"location": "Bern"},
        "descriptionPlain": "Run SailPoint.",
        "description": "<p>Run SailPoint.</p>",
        "createdAt": 1767225600000,
    }


def test_a_board_is_tried_without_storing_anything(run: Run, lever: list[Any]) -> None:
    lever += [a_posting("Baker"), a_posting("IAM Engineer")]
    code, out, _ = run("sources", "test", "https://jobs.lever.co/veeva")
    assert code == cli.DONE
    assert "2 postings" in out
    assert out.index("IAM Engineer") < out.index("Baker")
    assert json.loads(run("jobs", "list", "--json")[1]) == []
    found = json.loads(run("sources", "test", "https://jobs.lever.co/veeva", "--json")[1])
    assert [posting["title"] for posting in found["postings"]] == ["IAM Engineer", "Baker"]


def test_a_board_with_unreadable_postings_is_exit_code_3(run: Run, lever: list[Any]) -> None:
    lever += [a_posting("Baker"), {"id": 7}]
    code, out, _ = run("sources", "test", "https://jobs.lever.co/veeva")
    assert code == cli.PARTIAL
    assert "Could not be read" in out


def test_a_watched_board_is_tried_by_its_slug_and_names_its_failure(
    run: Run, lever: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sources", "add", "https://jobs.lever.co/veeva")
    lever.append(a_posting("Baker"))
    assert "1 postings" in run("sources", "test", "veeva")[1]
    monkeypatch.setenv("SCOUT_ORIGIN_OVERRIDES", "https://api.lever.co=http://127.0.0.1:9")
    code, _, err = run("sources", "test", "veeva")
    assert code == cli.FAILED
    assert "(connect)" in err
    code, out, _ = run("sources", "test", "veeva", "--json")
    assert code == cli.FAILED
    assert json.loads(out)["reason"] == "connect"


def test_a_profile_is_shown(run: Run) -> None:
    out = run("profile", "show")[1]
    assert out.startswith("Identity and access management (iam)")
    assert "SailPoint" in out
    assert json.loads(run("profile", "show", "data-engineering", "--json")[1])["name"] == "data-engineering"


def test_a_profile_is_tried_over_the_stored_jobs(run: Run, database: Database) -> None:
    code, out, err = run("profile", "try", "data-engineering")
    assert code == cli.DONE
    assert "Data Engineer" in out.splitlines()[1]
    assert "1 of 3 jobs match" in err
    (found,) = json.loads(run("profile", "try", "--json")[1])
    assert (found["title"], found["score_now"]) == ("IAM Engineer", 80)
    assert found["score"] > 60
    assert json.loads(run("jobs", "show", "3", "--json")[1])["score"] == 10


def test_a_tried_profile_tells_what_would_become_of_each_job(
    run: Run, database: Database, tmp_path: Path
) -> None:
    profile = tmp_path / "mine.yaml"
    terms = "[baker, data engineer, {term: IAM engineer, title: 90}]"
    profile.write_text(f"{{name: m, groups: [{{name: g, title: 5, terms: {terms}}}], limits: {{title: 90}}}}")
    with database.session() as session:
        kept.job(session, "Gardener", score=40)
    out, err = run("profile", "try", str(profile))[1:]
    assert re.findall(r"(?m)^\d+ +(\d+) +(\d+) +(\w+)", out) == [
        ("90", "80", "rises"), ("5", "0", "appears"), ("5", "10", "falls"),
    ]  # fmt: skip
    assert err == "3 of 4 jobs match: 1 appear, 1 vanish, 1 rise, 1 fall, 0 stay.\n"
    (gone,) = json.loads(run("profile", "try", str(profile), "--only", "vanishes", "--json")[1])
    assert (gone["title"], gone["score"], gone["score_now"], gone["reasons"]) == ("Gardener", 0, 40, [])
    (best,) = json.loads(run("profile", "try", str(profile), "--limit", "1", "--json")[1])
    assert best["change"] == "rises"


def test_a_profile_is_checked(run: Run, tmp_path: Path) -> None:
    assert run("profile", "check", "nursing")[1].endswith("terms, no wishes.\n")
    file = tmp_path / "mine.yaml"
    file.write_text("{name: m, groups: [{name: g, title: 5, terms: [a]}], level: {wanted: [senior]}}")
    assert run("profile", "check", str(file))[1] == (
        "The profile m can be used: 1 terms, and wishes of level.\n"
    )
    assert json.loads(run("profile", "show", str(file), "--json")[1])["wishes"] == ["level"]
    assert "It has wishes of level." in run("profile", "show", str(file))[1]
    file.write_text("{name: m, groups: [{name: g, title: 5, terms: [a]}], level: {wanted: [boss]}}")
    code, _, err = run("profile", "check", str(file))
    assert code == cli.FAILED
    assert "level: wanted has 'boss'" in err


def test_the_status_of_the_profile_tells_how_far_scoring_has_come(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("{name: m, groups: [{name: g, title: 5, terms: [a]}]}")
    monkeypatch.setenv("SCOUT_PROFILE", str(file))
    assert "once the scheduler runs" in run("profile", "status")[1]
    assert json.loads(run("profile", "status", "--json")[1])["current"] is False
    rescoring.ask(database, load_profile())
    assert "Scoring again: 0 of 3." in run("profile", "status")[1]

    class Worker:
        def rescore(self, scoring_id: int, number: int) -> bool:
            rescoring.score_part(database, scoring_id, number, seconds=60)
            return True

    for _ in range(4):
        rescoring.drive(database, Worker())  # type: ignore[arg-type]
    told = json.loads(run("profile", "status", "--json")[1])
    assert (told["current"], told["done"], told["total"], told["changed"]) == (True, 3, 3, 2)
    assert "All 3 jobs kept were scored with it, 2 of them otherwise" in run("profile", "status")[1]
    file.write_text("name: m")
    assert "lacks 'groups'. The scores stay as they are." in run("profile", "status")[1]
    told = json.loads(run("profile", "status", "--json")[1])
    assert (told["current"], told["profile"], told["scored_with"]) == (False, None, "m")


def test_a_profile_is_measured_on_labelled_postings(run: Run, tmp_path: Path) -> None:
    assert re.search(r"(?m)^iam +2\d\d +\S+", run("profile", "measure", "--misses")[1])
    file = tmp_path / "rows.tsv"
    head = "wanted\ttitle\tcompany\tdepartment\ttext\n"
    file.write_text(f"{head}no\tIAM Engineer\tAcme\t\t\nyes\tBaker\tAcme\t\tBread\n")
    told = json.loads(run("profile", "measure", "iam", "--rows", str(file), "--json")[1])
    assert (told["precision_of_first"], told["precision"], told["recall"]) == (0.5, 0.0, 0.0)
    assert [each["title"] for each in told["misses"]] == ["IAM Engineer", "Baker"]
    assert "name a file with --rows" in run("profile", "measure", "data-engineering")[2]
    for wrong, why in (("title\n", "must name the columns"), (f"{head}maybe\ta\tb\tc\td\n", "line 2")):
        file.write_text(wrong)
        code, _, err = run("profile", "measure", "--rows", str(file))
        assert code == cli.FAILED
        assert why in err


def test_a_new_password_is_read_from_standard_input(run: Run) -> None:
    assert run("account", "password", stdin="correct horse battery\n")[0] == cli.DONE
    opened = Database.open(settings.load())
    with opened.reading() as session:
        assert account.verify(session, "correct horse battery")
    opened.dispose()
    code, _, err = run("account", "password", stdin="short\n")
    assert code == cli.FAILED
    assert "8 to 1024" in err


def test_a_password_in_the_settings_is_not_changed_behind_their_back(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCOUT_PASSWORD", "set in the environment")
    code, _, err = run("account", "password", stdin="correct horse battery\n")
    assert code == cli.FAILED
    assert "SCOUT_PASSWORD" in err


def test_migrations_are_run_and_checked(run: Run) -> None:
    assert run("migrate", "--check")[0] == cli.FAILED
    assert run("migrate")[:2] == (cli.DONE, "The database is up to date.\n")
    assert run("migrate", "--check")[:2] == (cli.DONE, "The tables are those of the models.\n")
    opened = Database.open(settings.load())
    with opened.engine.begin() as connection:
        connection.execute(text("ALTER TABLE jobs ADD COLUMN extra TEXT"))
    opened.dispose()
    code, out, _ = run("migrate", "--check")
    assert code == cli.FAILED
    assert "extra" in out


def test_a_data_directory_that_cannot_be_used_is_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SCOUT_DATA_DIR", str(tmp_path / "file" / "data"))
    code, out, err = run("jobs", "list")
    assert (code, out, err.count("\n")) == (cli.FAILED, "", 1)


def test_columns_fit_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    table.show(["ID", "TITLE"], [["1", "x" * 90], ["2", "日本" * 30]], shrink=[1])
    lines = capsys.readouterr().out.splitlines()
    assert all(table._width(line) <= 40 for line in lines[1:])
    assert lines[1].endswith("…")


# --- What is measured -------------------------------------------------------------------------------------


def test_what_a_command_emits_is_sent_up_to_its_end(
    run: Run, database: Database, statsd: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATSD_URL", statsd.url)
    assert run("jobs", "set", "1", "saved")[0] == cli.DONE
    assert statsd.count(catalogue.STATUS_UPDATES, "new", "saved") == 1
    assert run("jobs", "set", "999", "saved")[0] == cli.FAILED
    assert statsd.count(catalogue.APP_ERRORS, "JobNotFound", "cli") == 1
    assert run("sources", "remove", "nobody")[0] == cli.FAILED
    assert statsd.count(catalogue.APP_ERRORS, "UnknownSource", "cli") == 1


def test_removing_a_source_tells_what_becomes_of_its_jobs(
    run: Run, database: Database, statsd: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATSD_URL", statsd.url)
    with database.reading() as session:
        slug = session.scalar(text("SELECT slug FROM sources LIMIT 1"))
    code, _, complaint = run("sources", "remove", slug)
    assert (code, "stays at the Pushgateway" in complaint) == (cli.DONE, True)
    assert statsd.count(catalogue.APP_ERRORS, "URLError", "push") == 1
    assert statsd.durations(catalogue.DB_QUERY_DURATION, "delete", "sources") == 1


WORDS = " ".join(f"word{number}" for number in range(90))


@pytest.fixture
def alike(database: Database) -> list[int]:
    """Three jobs that look like one: of two boards, and of an agency; their ids."""
    with database.session() as session:
        boards = [kept.source(session, slug) for slug in ("one", "two", "three")]
        ids = []
        for board, company in zip(boards, ("Acme", "Acme GmbH", "Agency"), strict=True):
            given = completed(
                posting(
                    board.slug, title="Okta Engineer", company=company, locations=("Berlin",),
                    url=f"https://{board.slug}.example/jobs/1", description_text=WORDS,
                )
            )  # fmt: skip
            told = keys.of(given)
            job = kept.job(
                session, "Okta Engineer", company=company, score=50, description_text=WORDS,
                places=[dataclasses.asdict(each) for each in given.places], locations=["Berlin"],
                url=given.url,
            )  # fmt: skip
            kept.listed(session, job, board, address_key=told.address, role_key=told.role)
            ids.append(job.id)
        return ids


def test_jobs_that_look_like_one_are_listed_merged_and_split(
    run: Run, database: Database, alike: list[int]
) -> None:
    one, two, agency = (str(each) for each in alike)
    code, out, _ = run("jobs", "duplicates")
    assert code == 0
    assert "the same company, title, place (Berlin), and 100 % of the words" in out
    assert "another company, but 100 % of the words" in out
    pairs = json.loads(run("jobs", "duplicates", "--json")[1])
    assert [(pair["job_id"], pair["other_id"], pair["tier"]) for pair in pairs] == [
        (int(one), int(two), "role"), (int(one), int(agency), "text"), (int(two), int(agency), "text"),
    ]  # fmt: skip
    code, out, _ = run("jobs", "merge", one, two)
    assert (code, f"Job {two} is part of job {one} now" in out) == (0, True)
    shown = json.loads(run("jobs", "show", one, "--json")[1])
    (merge,) = shown["merges"]
    assert (merge["tier"], merge["by"], len(shown["listings"])) == ("owner", "command", 2)
    assert "you said so" in run("jobs", "show", one)[1]
    code, _, err = run("jobs", "show", two)
    assert (code, f"There is no job {two}" in err) == (1, True)
    code, out, _ = run("jobs", "split", one, str(merge["listing_id"]))
    assert (code, f"is job {two} now" in out) == (0, True)
    tiers = [pair["tier"] for pair in json.loads(run("jobs", "duplicates", "--json")[1])]
    assert tiers == ["text", "text"], "what was told apart is not shown again"


def test_where_no_jobs_look_like_one_that_is_said(run: Run, database: Database) -> None:
    assert run("jobs", "duplicates")[:2] == (0, "No two jobs look like one.\n")
    assert json.loads(run("jobs", "duplicates", "--json")[1]) == []


def test_what_cannot_be_merged_or_split_is_one_sentence(run: Run, alike: list[int]) -> None:
    code, _, err = run("jobs", "merge", str(alike[0]), str(alike[0]))
    assert (code, err) == (1, f"scout: Job {alike[0]} is one job already.\n")
    code, _, err = run("jobs", "split", str(alike[0]), "999")
    assert (code, "has no listing 999" in err) == (1, True)


def test_a_job_that_was_posted_anew_says_what_became_of_it(run: Run, database: Database) -> None:
    with database.session() as session:
        old = kept.job(session, "Vault Engineer", status=Status.DISMISSED)
        session.add(
            StatusChange(
                job_id=old.id, from_status=Status.NEW, to_status=Status.DISMISSED, at=kept.DAY, by="owner"
            )
        )
        new = kept.job(session, "Vault Engineer", repost_of_id=old.id)
        ids = (old.id, new.id)
    assert f"You dismissed this on 1 Mar 2026 (job {ids[0]})" in run("jobs", "show", str(ids[1]))[1]
    listed = json.loads(run("jobs", "list", "--search", "vault", "--json")[1])
    assert {job["id"]: job["earlier"] for job in listed} == {
        ids[0]: None,
        ids[1]: {"job_id": ids[0], "status": "dismissed", "at": "2026-03-01T12:00:00Z", "decided": True},
    }
