from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from scout.models import Job
from scout.postings import Remote
from scout.settings import Settings
from scout.telling import channels
from scout.telling.channels import ChannelsUnusable
from scout.telling.mail import Refused
from scout.telling.words import SHOWN, Item, Story, item
from tests.serving import reply, serving
from tests.telling_world import Hook, Post, hook, post

__all__ = ["hook", "post"]

SECRET = "s3cr3t"
STORY = Story(
    "IAM",
    [Item("IAM Engineer, Acme", ("Bern", "Score 70"), "http://here/jobs/1", "https://acme/1")],
    "http://here",
)


def settings(tmp_path: Path, text: str, mode: int = 0o600) -> Settings:
    path = tmp_path / "channels.conf"
    path.write_text(text)
    path.chmod(mode)
    return Settings(data_dir=tmp_path)


def channel(tmp_path: Path, address: str) -> channels.Channel:
    return channels.load(settings(tmp_path, f"it = {address}\n"))["it"]


def test_channels_are_lines_of_a_file_and_addresses_may_hold_commas_and_equal_signs(tmp_path: Path) -> None:
    text = "# mine\n\nphone = ntfys://a,b@host/topic?x=1,2\n  mail=smtp://u:p@host/?to=a@b.ch,c@d.ch\n"
    found = channels.load(settings(tmp_path, text))
    assert [(each.name, each.kind) for each in found.values()] == [("phone", "ntfys"), ("mail", "smtp")]


def test_without_a_file_there_are_no_channels(tmp_path: Path) -> None:
    assert channels.load(Settings(data_dir=tmp_path)) == {}


def test_the_file_may_lie_elsewhere(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "phone = ntfys://topic\n")
    assert list(channels.load(Settings(data_dir=tmp_path / "x", channels=str(chosen.channels_file)))) == [
        "phone"
    ]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ChannelsUnusable, match="chmod 600"):
        channels.load(settings(tmp_path, "", mode))


def test_a_file_that_root_hands_over_by_our_group_is_taken_unless_others_can_read_it(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    chosen = settings(tmp_path, "phone = ntfys://topic\n", 0o440)
    os.chown(chosen.channels_file, 65534, 0)
    assert list(channels.load(chosen)) == ["phone"]
    chosen.channels_file.chmod(0o444)
    with pytest.raises(ChannelsUnusable, match="chmod 600"):
        channels.load(chosen)


@pytest.mark.parametrize(
    "line",
    [
        f"phone ntfys://{SECRET}",
        f"Phone! = ntfys://{SECRET}",
        f"a = ntfys://x\na = ntfys://{SECRET}",
        f"a = {SECRET}",
        f"a = smtp://me:{SECRET}@host:port/?to=a@b.ch",
        f"a = smtp://me:{SECRET}@host/",
        f"a = smtp://me:{SECRET}@host/?to=nobody",
        f"a = smtp://me:{SECRET}@host/?to=a@b.ch&from=x",
        f"a = smtp://me:{SECRET}@host/?to=a@b.ch&tls=maybe",
        f"a = smtp://me:{SECRET}@host/?to=a@b.ch%0d%0aBcc:x@y.ch",
        f"a = smtps://:{SECRET}@/?to=a@b.ch",
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_its_secret_is_not(tmp_path: Path, line: str) -> None:
    with pytest.raises(ChannelsUnusable, match=r"[Ll]ine \d") as refused:
        channels.load(settings(tmp_path, line))
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "channels.conf"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(ChannelsUnusable, match="UTF-8"):
        channels.load(Settings(data_dir=tmp_path))


def test_a_channel_shows_no_address(tmp_path: Path) -> None:
    for address in (f"ntfys://{SECRET}", f"smtp://me:{SECRET}@host/?to=a@b.ch"):
        assert SECRET not in repr(channel(tmp_path, address))


def test_a_service_that_nobody_knows_is_found_by_a_check(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Apprise") as refused:
        channel(tmp_path, f"carrierpigeon://{SECRET}").check()
    assert SECRET not in str(refused.value)


def test_a_web_hook_gets_the_text_and_the_key(tmp_path: Path, hook: Hook) -> None:
    channel(tmp_path, hook.address).send(STORY, "k1")
    (body,) = hook.bodies
    assert body["title"] == "IAM: IAM Engineer, Acme"
    assert "http://here/jobs/1" in body["message"]
    assert hook.asked[0].headers["idempotency-key"] == "k1"


@pytest.mark.parametrize("status", [500, 404, 429, 301])
def test_a_web_hook_that_refuses_is_told_by_its_number(tmp_path: Path, hook: Hook, status: int) -> None:
    hook.answer = reply(b"no", status)
    with pytest.raises(Refused, match=f"answered {status}"):
        channel(tmp_path, hook.address).send(STORY, "k")


def test_a_web_hook_that_says_nothing_is_given_up(tmp_path: Path, hook: Hook) -> None:
    silent = threading.Event()

    def never() -> bytes:
        silent.wait(20)
        return b""

    hook.answer = (never() for _ in range(1))
    try:
        with pytest.raises(Refused, match="cannot be reached, or did not answer in time"):
            channel(tmp_path, hook.address).send(STORY, "k")
    finally:
        silent.set()


def test_a_channel_that_goes_on_for_ever_is_left_alone(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "SEND_LIMIT", 0.2)
    silent = threading.Event()

    def slowly() -> bytes:
        silent.wait(0.1)
        return b"x"

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    hook.answer = (head if n == 0 else slowly() for n in range(200))
    try:
        with pytest.raises(Refused, match=r"not done within 0\.2 seconds"):
            channel(tmp_path, hook.address).send(STORY, "k")
    finally:
        silent.set()


def test_nothing_of_a_failure_s_address_is_said_or_logged(
    tmp_path: Path, hook: Hook, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    monkeypatch.setattr(logging.root, "handlers", [handler])
    monkeypatch.setattr(logging.root, "level", logging.INFO)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # that of the server beside us
    hook.answer = reply(b"no", 500)
    closed = hook.address.replace("127.0.0.1", f"me:{SECRET}@127.0.0.1")
    said = []
    for address in (
        closed,
        f"json://127.0.0.1:1/{SECRET}",
        post.address("nobody@example.com"),
        f"smtp://{SECRET}:{SECRET}@127.0.0.1:{post.port}/?to=a@b.ch&tls=off",
    ):
        with pytest.raises(Refused) as refused:
            channel(tmp_path, address).send(STORY, "k")
        said.append(str(refused.value))
        assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert SECRET not in "\n".join(said + logged)


def test_an_error_of_a_service_s_client_is_told_by_its_kind_alone(
    tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = channel(tmp_path, hook.address)

    def fail(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(type(it.way), "send", fail)
    with pytest.raises(Refused, match=r"error of this program \(KeyError\)") as refused:
        it.send(STORY, "k")
    assert SECRET not in str(refused.value)


# --- Mail -------------------------------------------------------------------------------------------------


def test_mail_comes_as_text_and_html_with_an_id_of_its_key(tmp_path: Path, post: Post) -> None:
    channel(tmp_path, post.address("a@example.com,b@example.com")).send(STORY, "k1")
    ((to, message),) = post.taken
    assert to == ["a@example.com", "b@example.com"]
    assert message["Subject"] == "IAM: IAM Engineer, Acme"
    assert message["From"] == "IAM Job Scout <scout@example.com>"
    assert message["Message-ID"] == "<k1@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "https://acme/1" in text.get_content()
    assert '<a href="https://acme/1">' in html.get_content()


def test_mail_that_nobody_takes_is_told_and_one_recipient_too_few_is_not_sent_again(
    tmp_path: Path, post: Post
) -> None:
    with pytest.raises(Refused, match=r"refused every recipient \(it answered 550\)"):
        channel(tmp_path, post.address("nobody@example.com")).send(STORY, "k")
    channel(tmp_path, post.address("nobody@example.com,a@example.com")).send(STORY, "k")
    assert [to for to, _ in post.taken] == [["a@example.com"]]


@pytest.mark.parametrize(
    ("answer", "said"), [("451 later", "answered 451.*later"), ("554 spam", r"answered 554\)\.$")]
)
def test_a_mail_server_that_refuses_is_told_by_its_number(
    tmp_path: Path, post: Post, answer: str, said: str
) -> None:
    post.answer = answer
    with pytest.raises(Refused, match=said):
        channel(tmp_path, post.address()).send(STORY, "k")


def test_a_mail_server_without_tls_or_sign_in_gets_no_password(tmp_path: Path, post: Post) -> None:
    for address in (
        post.address().replace("&tls=off", ""),
        post.address(user=f"me:{SECRET}@"),
    ):
        with pytest.raises(Refused, match="tls=off"):
            channel(tmp_path, address).send(STORY, "k")
    assert post.taken == []


def test_a_mail_server_that_is_away_or_silent_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="cannot be reached: Connection refused"):
        channel(tmp_path, "smtp://127.0.0.1:1/?to=a@b.ch").send(STORY, "k")
    monkeypatch.setattr("scout.telling.mail._PATIENCE", 0.2)
    # A web server waits for a request, where a mail server would greet.
    with (
        serving(lambda _: b"") as server,
        pytest.raises(Refused, match=r"did not answer in time"),
    ):
        channel(tmp_path, f"smtp://127.0.0.1:{server.port}/?to=a@b.ch").send(STORY, "k")


# --- Words ------------------------------------------------------------------------------------------------


def test_a_message_shows_so_many_and_counts_the_rest() -> None:
    story = Story("IAM", [*STORY.items] * (SHOWN + 7), "http://here")
    assert story.subject == f"IAM: {SHOWN + 7} new jobs"
    assert story.text().count("IAM Engineer") == story.html().count("IAM Engineer") == SHOWN
    assert "and 7 more: http://here/" in story.text()
    assert "7 more</a>" in story.html()


@pytest.mark.parametrize("html", [False, True])
def test_a_message_has_as_many_jobs_as_there_is_room_for(*, html: bool) -> None:
    story = Story("IAM", [*STORY.items] * 30, "http://here")
    for room in (160, 400, 1024, 32_768):
        body = story.fitting(room, html=html)
        assert len(body) <= room
    assert "more" in story.fitting(400)


def test_what_boards_write_does_no_harm() -> None:
    job = Job(
        id=7, title="<b>IAM</b>\r\nBcc: x@y.ch\x07\u202e", company="A & B", url="javascript:alert(1)",
        locations=["<Bern>"], remote=Remote.REMOTE, salary={"raw": '"1"'}, score=50,
        reasons=[{"term": "<iam>", "where": "title", "points": 9}],
    )  # fmt: skip
    told = item(job, "http://here")
    assert told.title == "<b>IAM</b> Bcc: x@y.ch, A & B"
    assert told.posting == ""
    story = Story("<x>", [told], "http://here", lead="<lead>")
    assert "\n" not in story.subject
    assert "<b>IAM" not in story.html()
    assert "<lead>" not in story.html()
    assert "<iam>" not in story.html()


def test_the_file_of_channels_is_read_anew_each_time(tmp_path: Path) -> None:
    chosen = settings(tmp_path, "a = ntfys://x\n")
    assert list(channels.load(chosen)) == ["a"]
    settings(tmp_path, "b = ntfys://x\n")
    os.utime(chosen.channels_file, (0, 0))
    assert list(channels.load(chosen)) == ["b"]
