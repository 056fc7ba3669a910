"""Messages by e-mail: one SMTP conversation, as text and HTML, with an id that is the same on every try."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import SplitResult, parse_qs, unquote

from scout import clock
from scout.telling.words import Story

SCHEMES = ("smtp", "smtps")
#: What is taken, for errors that must not repeat an address with a password in it.
FORM = "smtp://user:password@host:587/?from=you@example.com&to=you@example.com"

#: Seconds that each step of the conversation may take.
_PATIENCE = 15.0
_PERMANENT = 500
_SILENT = "The mail server did not answer in time."
_PORTS = {"smtp": 587, "smtps": 465}
_MAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_SIGN_IN_REFUSED = {530, 534, 535, 538}


class Refused(Exception):  # noqa: N818 - named for what happened
    """The message was not taken. The text is for the owner, and holds no part of an address."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where mail goes, and by whose server. `smtp` speaks TLS after STARTTLS, `smtps` from the start."""

    scheme: str
    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = True

    @classmethod
    def of(cls, split: SplitResult) -> Mailbox:
        """Read `smtp://user:password@host:port/?from=...&to=...,...`; `tls=off` for a server without TLS.

        Raises:
            ValueError: It is written otherwise.
        """
        said = {name: values[-1] for name, values in parse_qs(split.query).items()}
        recipients = tuple(part.strip() for part in said.get("to", "").split(",") if part.strip())
        sender = said.get("from", recipients[0] if recipients else "")
        if (
            not split.hostname
            or not recipients
            or not all(_MAIL.fullmatch(each) for each in (sender, *recipients))
            or set(said) - {"from", "to", "tls"}
            or said.get("tls", "on") not in {"on", "off"}
        ):
            raise ValueError(FORM)
        return cls(
            scheme=split.scheme,
            host=split.hostname,
            port=split.port or _PORTS[split.scheme],
            sender=sender,
            recipients=recipients,
            user=unquote(split.username or ""),
            password=unquote(split.password or ""),
            tls=said.get("tls", "on") == "on",
        )

    def check(self) -> None:
        """Nothing is left to check: an address that was read can be used."""

    def send(self, story: Story, key: str) -> None:
        """Send a message.

        Args:
            story: What it says.
            key: Names the message: a second copy has the same Message-ID, so that mailboxes can drop it.

        Raises:
            Refused: The server did not take it, for anybody.
        """
        try:
            with self._connected() as server:
                server.send_message(self._message(story, key), self.sender, self.recipients)
        except (smtplib.SMTPException, OSError) as error:
            # Both repeat what was said, perhaps with a user in it: only numbers and kinds are told.
            raise Refused(_why(error)) from None

    def _connected(self) -> smtplib.SMTP:
        server: smtplib.SMTP
        if self.scheme == "smtps":
            context = ssl.create_default_context()
            server = smtplib.SMTP_SSL(self.host, self.port, timeout=_PATIENCE, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=_PATIENCE)
        try:
            if self.scheme == "smtp" and self.tls:
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, story: Story, key: str) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = story.subject
        message["From"] = Address("IAM Job Scout", addr_spec=self.sender)
        message["To"] = ", ".join(self.recipients)
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{key}@{self.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in reply
        message.set_content(story.text())
        message.add_alternative(story.html(), subtype="html")
        return message


def _why(error: smtplib.SMTPException | OSError) -> str:  # noqa: PLR0911 - a sentence for each kind
    match error:
        case smtplib.SMTPRecipientsRefused():
            codes = ", ".join(sorted({str(code) for code, _ in error.recipients.values()}))
            return f"The mail server refused every recipient (it answered {codes})."
        case smtplib.SMTPResponseException(smtp_code=code) if code in _SIGN_IN_REFUSED:
            return f"The mail server refused the user or password (it answered {code})."
        case smtplib.SMTPResponseException(smtp_code=code):
            later = "" if code >= _PERMANENT else " It may take it later."
            return f"The mail server did not take the message (it answered {code}).{later}"
        case smtplib.SMTPNotSupportedError():
            return (
                "The mail server offers no TLS or sign-in. If it needs none, write tls=off, or leave the user"
                " out."
            )
        case smtplib.SMTPException():
            # smtplib says that the server went away also where it was silent.
            silent = isinstance(error.__context__, TimeoutError)
            broke = f"The conversation with the mail server broke ({type(error).__name__})."
            return _SILENT if silent else broke
        case TimeoutError():
            return _SILENT
        case ssl.SSLError():
            return f"No TLS with the mail server: {error.reason or type(error).__name__}."
        case _:
            return f"The mail server cannot be reached: {error.strerror or 'no such host'}."
