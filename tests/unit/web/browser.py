"""A browser without a screen: asks for pages by name, keeps cookies, and fills in the forms' tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import IO, Any

from flask import Flask
from werkzeug.test import TestResponse

PASSWORD = "correct horse battery staple"
#: What a browser asks for when it loads a page.
PAGE = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


#: What a form may hold: text, a number, several texts, a file with its name.
Field = str | int | Sequence[str] | tuple[IO[bytes], str]


class Browser:
    """One browser, from one address."""

    def __init__(self, app: Flask, address: str = "127.0.0.1") -> None:
        self.client = app.test_client()
        self.address = address
        self.token = ""

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.ask("GET", url, **options)

    def ask(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        answer = self.client.open(
            url,
            method=method,
            headers={"Accept": PAGE, "User-Agent": FIREFOX, **(headers or {})},
            environ_base={"REMOTE_ADDR": self.address},
            buffered=True,
            **options,
        )
        if answer.mimetype == "text/html" and (token := _TOKEN.search(answer.text)):
            self.token = token[1]
        return answer

    def post(self, url: str, headers: dict[str, str] | None = None, /, **fields: Field) -> TestResponse:
        return self.ask("POST", url, headers=headers, data={"csrf_token": self.token, **fields})

    def sign_in(self, password: str = PASSWORD, **fields: Field) -> TestResponse:
        self.get("/sign-in")
        answer = self.post("/sign-in", password=password, **fields)
        if answer.status_code == 303:
            self.get("/sources")
        return answer

    @property
    def cookie(self) -> str | None:
        """The session's token."""
        found = self.client.get_cookie("scout_session")
        return found.value if found else None
