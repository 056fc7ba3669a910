"""A small polite visitor: signs in, reads the list, searches, opens jobs and saves a few.

It reads the pages as a browser without scripts would: links, forms, their hidden fields and their buttons.
"""

from __future__ import annotations

import http.client
import random
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

_SEARCHES = (
    "okta",
    "sailpoint",
    "identity engineer",
    "passkeys",
    "berlin",
    "pam",
    "remote",
    "architect",
    "nurse",
)
#: Pages that a person looks at between two jobs.
_PLACES = ("/", "/", "/", "/sources", "/scans", "/?status=saved", "/?sort=posted")
#: What the visitor may ask of a job, and how often it wants each; nothing else is ever pressed.
_WISHES = ("saved", "saved", "saved", "dismissed", "dismissed", "applied")
_STATUS_BUTTONS = frozenset({"to", "status"})
_JOB = re.compile(r"/jobs/\d+$")
_PAUSE = (0.5, 1.1)
_PATIENCE = 120.0


class _Stopped(Exception):  # noqa: N818 - the visitor was asked to stop, which is no error
    """The visitor is to end now."""


@dataclass(slots=True)
class Form:
    """A form as it stands in a page: where it goes, its fields with their values, and its named buttons."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def named(self, kind: str) -> str:
        """The name of its first input of a kind, such as `password` or `search`; empty when it has none."""
        return next((name for name, its in self.kinds.items() if its == kind), "")


class Page(HTMLParser):
    """What the visitor sees of a page.

    Attributes:
        url: Its address, after redirects.
        links: Where its links lead.
        forms: Its forms.
    """

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep links, forms, inputs and buttons; anything else is scenery."""
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.append(urljoin(self.url, given["href"]))
        elif tag == "form":
            target = urljoin(self.url, given.get("action") or self.url)
            self._form = Form(target, given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and given.get("name"):
            name, value = given["name"], given.get("value", "")
            if tag == "button" or given.get("type") == "submit":
                self._form.buttons.append((name, value))
            elif tag == "input" and (given.get("type") not in {"checkbox", "radio"} or "checked" in given):
                self._form.fields[name] = value
                self._form.kinds[name] = given.get("type", "text")

    def handle_endtag(self, tag: str) -> None:
        """A form ends."""
        if tag == "form":
            self._form = None

    def jobs(self) -> list[str]:
        """Its links to jobs, other than the one that it shows."""
        here = urlsplit(self.url).path
        paths = {link: urlsplit(link).path for link in self.links}
        return [link for link, path in paths.items() if _JOB.search(path) and path != here]

    def door(self) -> Form | None:
        """Its sign-in form, if that is what it shows."""
        return next((form for form in self.forms if form.named("password")), None)


class Visitor:
    """One visitor with its own cookies.

    Args:
        url: Where the pages are, such as `http://127.0.0.1:5000`.
        password_file: A file whose first line is the password. It is waited for, as the pages are.
        seed: Decides where it goes.
        stop: Ends the visit when set.
        pause: Least and most seconds between two requests.
    """

    def __init__(
        self,
        url: str,
        password_file: Path,
        *,
        seed: int = 7,
        stop: threading.Event | None = None,
        pause: tuple[float, float] = _PAUSE,
    ) -> None:
        self._base = url.rstrip("/")
        self._password_file = password_file
        self._chance = random.Random(seed)
        self._stop = stop or threading.Event()
        self._pause = pause
        self._deadline: float | None = None
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.addheaders = [("User-Agent", "demo-visitor"), ("Accept", "text/html")]
        self.requests = 0

    def run(self, seconds: float | None = None, *, patience: float = _PATIENCE) -> int:
        """Visit until stopped, or for `seconds` after the pages first answered.

        Args:
            seconds: How long; None for as long as nobody says stop.
            patience: How many seconds to wait for the password file and for the pages.

        Returns:
            0 when the visit ended as asked, 1 when nobody answered or the password was refused.
        """
        try:
            if not self._arrive(time.monotonic() + patience):
                sys.stderr.write(
                    f"No pages at {self._base}, or no password in {self._password_file}, "
                    f"within {patience:g} s. Start `scout up` first.\n"
                )
                return 1
            self._deadline = None if seconds is None else time.monotonic() + seconds
            page = self._enter()
            while page is not None:
                page = self._wander(page)
        except _Stopped:
            return 0
        sys.stderr.write(f"{self._base} refused the password in {self._password_file}.\n")
        return 1

    def _arrive(self, until: float) -> bool:
        """Wait until the pages answer and the password is there."""
        while time.monotonic() < until:
            try:
                with self._opener.open(f"{self._base}/healthz", timeout=5):
                    answered = True
            except urllib.error.HTTPError as error:
                error.close()
                answered = True
            except (OSError, http.client.HTTPException):
                answered = False
            if answered and self._password_file.is_file() and self._password():
                return True
            self._rest(0.3)
        return False

    def _password(self) -> str:
        return (self._password_file.read_text(encoding="utf-8").splitlines() or [""])[0].strip()

    def _enter(self) -> Page | None:
        """Sign in; None when the password is refused."""
        page = self._get("/")
        door = page.door()
        if door is None:
            return page
        page = self._submit(door, {door.named("password"): self._password()})
        return None if page.door() is not None else page

    def _wander(self, page: Page) -> Page | None:
        """Do one of the things that people do, and return the page where that leads."""
        if page.door() is not None:  # the session has ended
            return self._enter()
        roll = self._chance.random()
        jobs = page.jobs()
        search = next((form for form in page.forms if form.named("search") and form.method == "get"), None)
        wishes = [wish for wish in self._wishes(page) if roll < 0.3]  # noqa: PLR2004 - most jobs are only read
        if wishes:
            form, button = self._chance.choice(wishes)
            return self._submit(form, dict([button]))
        if jobs and roll < 0.75:  # noqa: PLR2004
            return self._get(self._chance.choice(jobs))
        if search is not None and roll < 0.9:  # noqa: PLR2004
            return self._submit(search, {search.named("search"): self._chance.choice(_SEARCHES)})
        if roll > 0.97:  # noqa: PLR2004
            return self._get(f"/a-page-that-is-not-here-{self._chance.randrange(100)}")
        return self._get(self._chance.choice(_PLACES))

    def _wishes(self, page: Page) -> list[tuple[Form, tuple[str, str]]]:
        """The buttons of a page that the visitor might press: only a job's status, and only mild ones."""
        wish = self._chance.choice(_WISHES)
        return [
            (form, button)
            for form in page.forms
            if form.method == "post"
            for button in form.buttons
            if button[0] in _STATUS_BUTTONS and button[1] == wish
        ]

    def _get(self, address: str) -> Page:
        return self._open(urllib.request.Request(urljoin(f"{self._base}/", address)))  # noqa: S310 - see _open

    def _submit(self, form: Form, filled: dict[str, str]) -> Page:
        data = urlencode(form.fields | filled)
        if form.method == "get":
            return self._get(f"{form.action.partition('?')[0]}?{data}")
        request = urllib.request.Request(form.action, data.encode())  # noqa: S310 - see _open
        request.add_header("Referer", f"{self._base}/")
        request.add_header("Origin", self._base)
        return self._open(request)

    def _open(self, request: urllib.request.Request) -> Page:
        """Ask for a page, politely: after a pause, of this server alone, and through its errors."""
        while True:
            self._rest(self._chance.uniform(*self._pause))
            if not request.full_url.startswith(f"{self._base}/"):
                request = urllib.request.Request(f"{self._base}/")  # noqa: S310 - an address of the server
            self.requests += 1
            try:
                with self._opener.open(request, timeout=15) as answer:
                    return Page(answer.url, answer.read().decode("utf-8", "replace"))
            except urllib.error.HTTPError as error:
                with error:
                    page = Page(request.full_url, error.read().decode("utf-8", "replace"))
                if error.code == 429:  # noqa: PLR2004 - RFC 6585, section 4
                    self._rest(5)
                return page
            except (OSError, http.client.HTTPException):
                # It is restarting, or gone: look again a little later, at the front page.
                request = urllib.request.Request(f"{self._base}/")  # noqa: S310
                self._rest(1)

    def _rest(self, seconds: float) -> None:
        """Wait.

        Raises:
            _Stopped: The visit is over.
        """
        if self._deadline is not None:
            seconds = min(seconds, max(0.0, self._deadline - time.monotonic()))
        if self._stop.wait(seconds) or (self._deadline is not None and time.monotonic() >= self._deadline):
            raise _Stopped
