from __future__ import annotations

import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from metrics import catalogue
from metrics.testing import Captured
from scout.logs import ids, lines, redacting, setup
from scout.logs.writing import Writer
from scout.settings import PROJECT, Settings, load

LINE = logging.getLogger("scout.scanning")


class Written:
    """A writer that keeps what it is given."""

    is_terminal = False

    def __init__(self) -> None:
        self.text = ""

    def write(self, line: bytes) -> bool:
        self.text += line.decode()
        return True

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def fail(error: Exception) -> None:
    raise error


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    """What is logged, in the form that the test asks for."""
    writer = Written()
    settings = load({"SCOUT_LOG_FORMAT": getattr(request, "param", "json"), "SCOUT_PASSWORD": "sesame opens"})
    handler = setup.Handler("worker", settings, writer)  # type: ignore[arg-type] # it writes likewise
    kept, level = logging.root.handlers[:], logging.root.level
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.INFO)
    yield writer
    logging.root.handlers[:] = kept
    logging.root.setLevel(level)


def test_a_line_is_one_object_with_the_fields_in_their_order(written: Written) -> None:
    with ids.binding(request_id="abcdefgh"):
        LINE.info("%s: %d seen", "acme", 3, extra={"source": "acme", "seconds": 0.25})
    (told,) = written.objects
    assert [*told] == [
        *(name for name in lines.ALWAYS if name != "slot"), "request_id", "source", "seconds",
    ]  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told["timestamp"])
    assert told | {"event": "acme: 3 seen", "level": "info", "role": "worker", "seconds": 0.25} == told
    assert told["pid"] == os.getpid()


def test_an_exception_is_told_in_parts_its_cause_too(written: Written) -> None:
    try:
        try:
            fail(KeyError("inner"))
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError:
        LINE.exception("It broke")
    first, second = written.objects[0]["exception"]
    assert (first["exc_type"], first["exc_value"]) == ("ValueError", "outer")
    assert second["exc_type"] == "KeyError"
    assert second["frames"][-1].endswith(" fail")


NASTY = "evil\nerror: forged \x1b[2J\x9b31m\u2028x\u202ey\r"


def test_what_a_board_says_begins_no_line_and_commands_no_terminal(written: Written) -> None:
    LINE.warning("%s", NASTY, extra={"source": NASTY})
    assert written.text.count("\n") == 1
    assert set(re.findall(r"[^\x20-\x7e]", written.text)) == {"\n"}
    assert written.objects[0]["event"] == written.objects[0]["source"] == NASTY


@pytest.mark.parametrize("written", ["console"], indirect=True)
def test_likewise_in_the_form_for_people(written: Written) -> None:
    try:
        fail(ValueError(NASTY))
    except ValueError:
        LINE.exception("%s", NASTY, extra={"source": NASTY})
    first, *others = written.text.splitlines()
    assert first.startswith(r"error: evil\nerror: forged \x1b[2J")
    assert others
    assert all(line.startswith("    ") for line in others)
    assert set(re.findall(r"[^\x20-\x7e]", written.text)) == {"\n"}


@pytest.mark.parametrize("written", ["console"], indirect=True)
def test_people_read_the_sentence_and_what_to_follow_and_of_trouble_all(written: Written) -> None:
    with ids.binding(request_id="abcdefgh", job_id="scan_1"):
        LINE.info("All well", extra={"seconds": 2})
        LINE.warning("Not well", extra={"reason": "too slow"})
    assert written.text == (
        "All well request_id=abcdefgh\n"
        'warning: Not well request_id=abcdefgh job_id=scan_1 reason="too slow"\n'
    )  # fmt: skip


def test_a_text_that_is_no_text_is_written_all_the_same(written: Written) -> None:
    # By its handler alone: what pytest keeps of a log cannot go from one process to another with that in it.
    texts = ("lone \ud800", "x" * 50_000)
    logging.root.handlers[0].handle(LINE.makeRecord(LINE.name, logging.INFO, "", 0, "%s %s", texts, None))
    (told,) = written.objects
    assert told["event"].startswith("lone \ud800 xxx")
    assert told["event"].endswith("xxx... (48007 more)")


def test_a_line_that_cannot_be_made_fails_nobody_and_is_counted(written: Written, emitted: Captured) -> None:
    record = LINE.makeRecord(LINE.name, logging.INFO, "", 0, "%d", ("no number",), None)
    logging.root.handlers[0].handle(record)
    assert written.text == "A line of scout.scanning could not be written: TypeError\n"
    emitted.assert_incremented(catalogue.LOG_LINES_LOST, reason="unwritable")


def test_lines_are_counted_from_a_warning_on(written: Written, emitted: Captured) -> None:
    LINE.info("fine")
    LINE.warning("not so fine")
    logging.getLogger("gunicorn.error").error("bad")
    logging.getLogger("py.warnings").warning("old")
    logging.getLogger("stranger").critical("worst")
    emitted.assert_incremented(catalogue.LOG_LINES, level="warning", logger="scout")
    emitted.assert_incremented(catalogue.LOG_LINES, level="error", logger="gunicorn")
    emitted.assert_incremented(catalogue.LOG_LINES, level="warning", logger="python")
    emitted.assert_incremented(catalogue.LOG_LINES, level="critical", logger="__other__")
    emitted.assert_incremented(catalogue.LOG_LINES, 4)
    assert len(written.objects) == 5


# --- Never waiting ----------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            continue  # the test closed it


def filled(writer: Writer) -> int:
    """Write until the pipe takes no more; how many lines it took."""
    for count in range(100_000):
        if not writer.write(b"x" * 99 + b"\n"):
            return count
    raise AssertionError("the pipe never filled up")


def test_a_full_pipe_is_not_waited_for_and_lines_are_whole_when_it_is_read_again(
    pipe: tuple[int, int],
) -> None:
    reading, writing = pipe
    writer = Writer(writing)
    taken = filled(writer)
    assert os.get_blocking(writing)  # others who write there still wait, if they want to
    os.set_blocking(reading, False)
    assert os.read(reading, 1_000_000) == (b"x" * 99 + b"\n") * taken
    assert writer.write(b"again\n")
    assert os.read(reading, 100) == b"again\n"


def test_a_long_line_that_was_cut_off_does_not_spoil_the_next(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    writer = Writer(writing)
    assert not writer.write(b"y" * 200_000 + b"\n")
    os.set_blocking(reading, False)
    assert set(os.read(reading, 1_000_000)) == {ord("y")}
    assert writer.write(b"next\n")
    assert writer.write(b"and next\n")
    assert os.read(reading, 100) == b"\nnext\nand next\n"


def test_where_nobody_reads_any_more_the_caller_goes_on(pipe: tuple[int, int], emitted: Captured) -> None:
    reading, writing = pipe
    handler = setup.Handler("web", Settings(log_format="json"), Writer(writing))
    os.close(reading)
    handler.handle(LINE.makeRecord(LINE.name, logging.INFO, "", 0, "into the void", (), None))
    emitted.assert_incremented(catalogue.LOG_LINES_LOST, reason="untaken")


# --- Who is meant -----------------------------------------------------------------------------------------


def test_ids_are_bound_in_layers_and_threads_begin_with_none() -> None:
    seen: list[dict[str, object]] = []
    with ids.binding(run_id=1):
        ids.bind(source="acme")
        thread = threading.Thread(target=lambda: seen.append(dict(ids.bound())))
        thread.start()
        thread.join()
        seen.append(dict(ids.bound()))
    seen.append(dict(ids.bound()))
    assert seen == [{}, {"run_id": 1, "source": "acme"}, {}]


@pytest.mark.parametrize(
    "text", ["", "short", "x" * 65, "with space", "new\nline", "ünicode1", "-leading", 12345678, None]
)
def test_not_everything_is_taken_for_a_requests_id(text: object) -> None:
    assert not ids.is_request_id(text)
    assert ids.of_queue({"request_id": text}) == {}


def test_a_job_on_the_queue_carries_the_request_on() -> None:
    with ids.binding(request_id=ids.new_request_id(), run_id=3):
        carried = ids.for_queue()
        assert ids.of_queue(carried) == carried == {"request_id": ids.bound()["request_id"]}
    assert ids.for_queue() == {}


# --- No secrets -------------------------------------------------------------------------------------------

TOKEN = "scout_abcd2345_" + "s" * 43


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://user:p%40ss@board.example/jobs?x=1", "https://[redacted]@board.example/jobs?x=1"),
        ("postgresql+psycopg://scout:hunter22@db/scout", "postgresql+psycopg://[redacted]@db/scout"),
        ("redis://:hunter22@redis:6379/0", "redis://[redacted]@redis:6379/0"),
        ("tgram://123456:ABC-def/987", "tgram://[redacted]"),
        ("mailto://me:secret@mail.example", "mailto://[redacted]"),
        ("Authorization: Bearer abc.def-123456", "Authorization: [redacted]"),
        ("sent {'Authorization': 'Basic dXNlcjpwYXNz'}", "sent {'Authorization': '[redacted]'}"),
        ("Cookie: scout_session=abc; a=b", "Cookie: [redacted]"),
        ("GET /feeds/0123456789abcdef.atom", "GET /feeds/[redacted]"),
        ("GET /feeds/calendar/AbC-123.ics?x=y", "GET /feeds/calendar/[redacted]?x=y"),
        ("https://api.adzuna.com/v1?app_id=12ab&app_key=34cd&page=1",
         "https://api.adzuna.com/v1?app_id=[redacted]&app_key=[redacted]&page=1"),
        ("https://hooks.slack.com/services/T000/B000/XXXX", "https://hooks.slack.com/services/[redacted]"),
        ("Max retries exceeded with url: /bot12:secret/send (Caused by x)",
         "Max retries exceeded with url: [redacted] (Caused by x)"),
        ('{"password": "hunter2", "name": "me"}', '{"password": "[redacted]", "name": "me"}'),
        (f"the token {TOKEN} is", "the token scout_abcd2345_[redacted] is"),
        ("a JWT eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl here", "a JWT [redacted] here"),
        ("opened by sesame opens.", "opened by [redacted]."),
        ("opened by ?p=sesame%20opens", "opened by ?p=[redacted]"),
        # What is no secret stays.
        ("acme: succeeded, 3 seen in 0.1 s (too slow)", "acme: succeeded, 3 seen in 0.1 s (too slow)"),
        ("https://jobs.lever.co/acme?gh_jid=4", "https://jobs.lever.co/acme?gh_jid=4"),
        ("GET /feeds/{token}.atom 200", "GET /feeds/{token}.atom 200"),
        ("Basic knowledge of security", "Basic knowledge of security"),
    ],
)  # fmt: skip
def test_secrets_are_taken_out_and_nothing_else(text: str, told: str) -> None:
    redactor = redacting.of_settings(load({"SCOUT_PASSWORD": "sesame opens"}))
    assert redactor.text(text) == told
    assert redactor.text(told) == told


def test_secrets_of_the_settings_are_known_by_their_values(written: Written) -> None:
    secrets = {
        "DATABASE_URL": "postgresql://scout:database%2Fpass@db/scout",
        "REDIS_URL": "redis://:redispass@redis/0",
        "SECRET_KEY": "keykeykeykey",
        "SCOUT_USAJOBS_KEY": "usajobskey",
    }
    redactor = redacting.of_settings(load(secrets))
    for secret in ("database%2Fpass", "database/pass", "redispass", "keykeykeykey", "usajobskey"):
        assert redactor.text(f"x {secret} y") == "x [redacted] y"


def test_fields_and_exceptions_are_redacted_too(written: Written) -> None:
    try:
        fail(ValueError("https://me:mysecret@board.example"))
    except ValueError as error:
        error.add_note("sent with Cookie: mysecret")
        LINE.exception(
            "It broke",
            extra={"api_token": "mysecret", "sent": {"password": "mysecret", "of": ["sesame opens"]}},
        )
    assert "mysecret" not in written.text
    assert "sesame" not in written.text
    assert written.objects[0]["api_token"] == "[redacted]"
    assert written.objects[0]["sent"] == {"password": "[redacted]", "of": ["[redacted]"]}


# --- Set up -----------------------------------------------------------------------------------------------


@pytest.fixture
def configured() -> Iterator[Callable[..., None]]:
    undo: list[Callable[[], None]] = []
    yield lambda role, **environ: undo.append(setup.configure(role, load(environ)))
    for each in reversed(undo):
        each()


@pytest.mark.parametrize(
    ("role", "level", "heard"),
    [
        ("worker", "info", {"scout": logging.INFO, "gunicorn.error": logging.WARNING}),
        ("worker", "debug", {"scout": logging.DEBUG, "gunicorn.error": logging.DEBUG}),
        ("worker", "error", {"scout": logging.ERROR, "gunicorn.error": logging.ERROR}),
        ("command", "info", {"scout": logging.WARNING, "gunicorn.error": logging.WARNING}),
        ("command", "debug", {"scout": logging.DEBUG}),
    ],
)
def test_libraries_are_heard_from_a_warning_on_and_commands_too(
    configured: Callable[..., None], role: str, level: str, heard: dict[str, int]
) -> None:
    before = logging.root.handlers[:]
    configured(role, SCOUT_LOG_LEVEL=level)
    assert logging.root.handlers != before
    assert {name: logging.getLogger(name).getEffectiveLevel() for name in heard} == heard
    for talks_of_secrets in ("urllib3.connectionpool", "sqlalchemy.engine"):
        assert logging.getLogger(talks_of_secrets).getEffectiveLevel() >= logging.WARNING


def test_an_error_that_ends_a_process_or_a_thread_is_a_line(written: Written) -> None:
    try:
        fail(RuntimeError("nobody expected it"))
    except RuntimeError as error:
        setup._uncaught(RuntimeError, error, error.__traceback__)
        arguments = threading.ExceptHookArgs(
            (RuntimeError, error, error.__traceback__, threading.current_thread())
        )
        setup._uncaught_in_thread(arguments)
    process, thread = written.objects
    assert process["level"] == thread["level"] == "critical"
    assert process["exception"][0]["exc_value"] == "nobody expected it"
    assert thread["event"].endswith(threading.current_thread().name)


def test_the_page_about_logs_has_each_field() -> None:
    text = (PROJECT / "docs" / "LOGS.md").read_text(encoding="utf-8")
    for fields in (lines.ALWAYS, lines.SOMETIMES):
        assert "".join(f"| `{name}` | {meaning} |\n" for name, meaning in fields.items()) in text
