"""The commands that find and add boards, as a shell runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scout import cli, clock, schedule, settings, watchlist
from scout.cli.sources import filled
from scout.courtesy import Courtesy
from scout.database import Database
from scout.settings import PROJECT
from scout.sources import KINDS
from tests.databases import make_tables
from tests.integration.test_cli_data import Run, empty_house, run
from tests.redis_server import RedisServer, redis_server
from tests.serving import Asked, reply, serving

__all__ = ["empty_house", "redis_server", "run"]

PAGE = (
    b"<a href='https://jobs.lever.co/acme/1'>IAM</a>"
    b"<link rel='alternate' type='application/rss+xml' href='/odd'>"
)


@pytest.fixture
def database() -> Database:
    chosen = settings.load()
    make_tables(chosen)
    return Database.open(chosen)


def watched(database: Database) -> dict[str, tuple[str, str]]:
    with database.reading() as session:
        return {source.slug: (source.kind, source.name) for source in watchlist.every(session)}


def page(asked: Asked) -> bytes:
    return reply(PAGE) if asked.path == "/careers" else reply(b"", 404)


def test_a_look_at_a_page_prints_what_would_be_added_and_adds_it_when_asked(
    run: Run,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(page) as server:
        monkeypatch.setenv("SCOUT_ORIGIN_OVERRIDES", f"https://acme.example={server.origin}")
        code, out, _ = run("sources", "discover", "https://acme.example/careers")
        assert code == cli.DONE
        assert "scout sources add https://jobs.lever.co/acme\n" in out
        assert "scout sources add https://acme.example/odd --kind feed\n" in out
        assert watched(database) == {}
        _, out, _ = run("sources", "discover", "acme.example/careers", "--json")
        assert [find["kind"] for find in json.loads(out)["finds"]] == ["lever", "feed"]
        code, out, _ = run("sources", "discover", "acme.example/careers", "--add")
        assert code == cli.DONE
        assert set(watched(database)) == {"acme", "acme-example"}
        code, out, _ = run("sources", "discover", "acme.example/careers", "--add")
        assert "watched already, as acme" in out
        code, _, err = run("sources", "discover", "acme.example/other")
        assert code == cli.FAILED
        assert "status 404" in err


def test_an_address_that_is_unknown_is_offered_a_look(run: Run, database: Database) -> None:
    code, _, err = run("sources", "add", "https://acme.example/careers")
    assert code == cli.FAILED
    assert "`scout sources discover https://acme.example/careers`" in err
    code, out, _ = run("sources", "add", "https://acme.example/careers", "--kind", "jobposting")
    assert code == cli.DONE
    assert "(jobposting)" in out
    code, _, err = run("sources", "add", "https://acme.example/careers", "--kind", "lever")
    assert code == 2


def test_a_kind_that_is_off_says_so_when_a_board_is_added(
    run: Run,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, _ = run("sources", "add", "https://www.adzuna.co.uk/search?q=iam")
    assert code == cli.DONE
    assert "is off until SCOUT_ADZUNA_APP_ID and SCOUT_ADZUNA_APP_KEY are set" in out
    assert watched(database) == {"adzuna-gb-iam": ("adzuna", "Adzuna GB: iam")}
    monkeypatch.setenv("SCOUT_USAJOBS_EMAIL", "me@example.com")
    monkeypatch.setenv("SCOUT_USAJOBS_KEY", "k")
    _, out, _ = run("sources", "add", "https://www.usajobs.gov/search/results/?k=iam")
    assert "is off" not in out


def test_a_file_of_boards_is_imported_line_by_line(
    run: Run,
    database: Database,
    tmp_path: Path,
) -> None:
    file = tmp_path / "boards.txt"
    file.write_text(
        "https://jobs.lever.co/a\nhttps://acme.example/careers\nhttps://jobs.lever.co/a\nremotive.com\n"
    )
    code, out, err = run("sources", "import", str(file))
    assert code == cli.PARTIAL
    assert "line 1: https://jobs.lever.co/a: added as a (lever)" in out
    assert "line 3: https://jobs.lever.co/a: watched already, as a" in out
    assert "line 4: remotive.com: added as remotive (remotive)" in out
    assert "3 of 4 are watched now." in out
    assert "line 2: https://acme.example/careers: acme.example is no job board" in err
    assert watched(database) == {"a": ("lever", "a"), "remotive": ("remotive", "Remotive")}


def test_tables_and_outlines_are_imported_with_their_names(
    run: Run,
    database: Database,
    tmp_path: Path,
) -> None:
    table = tmp_path / "boards.csv"
    table.write_text("name,url\nAcme AS,https://jobs.ashbyhq.com/acme\n")
    outline = tmp_path / "feeds.opml"
    outline.write_text(
        "<opml><body><outline text='Blog of jobs' xmlUrl='https://b.example/feed.rss'/></body></opml>"
    )
    assert run("sources", "import", str(table))[0] == cli.DONE
    code, out, _ = run("sources", "import", str(outline), "--json")
    assert code == cli.DONE
    assert json.loads(out)[0]["added"] is True
    assert {name for _, name in watched(database).values()} == {"Acme AS", "Blog of jobs"}


def test_a_file_without_a_board_fails(run: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "none.txt"
    file.write_text("hello\nworld\n")
    assert run("sources", "import", str(file))[0] == cli.FAILED
    file.write_text("")
    code, _, err = run("sources", "import", str(file))
    assert code == cli.FAILED
    assert "no address" in err
    file.write_bytes(b"\xff\xfe\x00")
    assert run("sources", "import", str(file))[0] == cli.FAILED


def test_the_kinds_are_listed_with_all_that_they_say(run: Run) -> None:
    code, out, _ = run("sources", "kinds")
    assert code == cli.DONE
    for words in (
        "remotive: Remotive",
        "at most every: 6 h",
        "shows: From Remotive (remotive.com)",
        "off until SCOUT_ADZUNA_APP_ID and SCOUT_ADZUNA_APP_KEY are set",
        "can be narrowed by",
        "fills: locations",
        "terms: ",
    ):
        assert words in out
    kinds = {kind["name"]: kind for kind in json.loads(run("sources", "kinds", "--json")[1])}
    assert kinds["usajobs"]["off"]
    assert kinds["lever"]["complete"] is True
    assert kinds["remotive"]["interval_seconds"] == 6 * 3600
    assert "salary" in kinds["himalayas"]["fills"]


def test_the_documented_table_of_fields_is_the_one_that_is_printed() -> None:
    documented = (PROJECT / "docs/SOURCES.md").read_text(encoding="utf-8")
    assert f"\n\n{filled(KINDS.values())}\n\n" in documented


def test_a_board_has_a_schedule_of_its_own_until_that_is_taken_back(run: Run, database: Database) -> None:
    run("sources", "add", "https://jobs.lever.co/acme")
    code, out, _ = run(
        "sources", "set", "acme", "--every", "6h", "--quiet", "22:00-7:00", "--zone", "Europe/Berlin"
    )
    assert (code, out) == (cli.DONE, "acme: next scan now (just added).\n")
    with database.session() as session:
        watchlist.get(session, "acme").last_scan_at = clock.now()
    code, out, _ = run("sources", "set", "acme", "--quiet", "none")
    assert (code, out) == (cli.DONE, "acme: next scan in 6 h (Every 6 hours, as you set it).\n")
    (shown,) = json.loads(run("sources", "list", "--json")[1])
    assert (shown["interval_minutes"], shown["quiet_hours"], shown["time_zone"]) == (360, "", "Europe/Berlin")
    assert shown["next_scan_why"] == "Every 6 hours, as you set it."
    assert "in 6 h" in run("sources", "list")[1]
    code, out, _ = run("sources", "set", "acme", "--every", "10m")
    assert out == "acme: next scan in 1 h (Every hour, as Lever boards are asked no more often).\n"
    run("sources", "set", "acme", "--every", "default", "--quiet", "default", "--zone", "default")
    (shown,) = json.loads(run("sources", "list", "--json")[1])
    assert (shown["interval_minutes"], shown["quiet_hours"], shown["time_zone"]) == (None, None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--every", "often"), "--every='often': write 30m, 6h or 2d"),
        (("--quiet", "night"), "--quiet='night': write two different times, such as 22:00-07:00"),
        (("--zone", "Berlin"), "--zone='Berlin': there is no such time zone"),
    ],
)
def test_a_schedule_that_cannot_be_understood_is_refused_by_its_option(
    run: Run, database: Database, words: tuple[str, str], said: str
) -> None:
    run("sources", "add", "https://jobs.lever.co/acme")
    code, _, err = run("sources", "set", "acme", *words)
    assert code == cli.FAILED
    assert said in err
    assert run("sources", "set", "acme")[0] == cli.USAGE
    code, _, err = run("sources", "set", "nobody", "--every", "6h")
    assert (code, "There is no source" in err) == (cli.FAILED, True)


def test_a_board_whose_host_is_left_alone_says_so(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch, redis_server: RedisServer
) -> None:
    run("sources", "add", "https://jobs.lever.co/acme")
    assert json.loads(run("sources", "list", "--json")[1])[0]["host"] is None, (
        "nothing is known without Redis"
    )
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    for _ in range(3):
        with Courtesy(settings.load(), kind="lever") as polite:
            polite.failed("https://api.lever.co")
    host = json.loads(run("sources", "list", "--json")[1])[0]["host"]
    assert (host["origin"], host["circuit"]) == ("https://api.lever.co", "open")
    assert 1500 < host["left_alone_seconds"] <= 1800
    assert "Scans of api.lever.co kept failing, so it is left alone for another" in run("sources", "list")[1]


def test_trying_a_board_counts_as_one_of_the_readings_that_its_site_allows(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "played_here", lambda *_, **__: False)
    with serving(lambda _: reply(b'{"jobs": []}')) as server:
        monkeypatch.setenv("SCOUT_ORIGIN_OVERRIDES", f"https://remotive.com={server.origin}")
        codes = [run("sources", "test", "https://remotive.com")[0] for _ in range(5)]
        assert codes == [cli.DONE] * 4 + [cli.FAILED]
        assert len(server.asked) == 4
