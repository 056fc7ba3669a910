"""Signing in and out, and the limit on how often it may be tried."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from limits import parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from metrics import catalogue
from metrics.instruments import count_error
from scout import account, sessions
from webapp.parts import parts
from webapp.sessions import browser_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from scout.settings import Settings

log = logging.getLogger(__name__)
pages = Blueprint("sign_in", __name__)

#: Tries from one address, and from everywhere together: the account is one, and a crowd may guess at it.
PER_ADDRESS = "10 per 10 minutes"
ALTOGETHER = "200 per 1 hour"

#: Where nobody is sent after signing in: these are not pages.
_NO_PAGES = frozenset(
    {
        "static", "sign_in.form", "probes.healthz", "probes.readyz", "probes.metrics",
        "calendars.whole", "calendars.one", "calendars.next_action",
    }
)  # fmt: skip


class SignInLimit:
    """How often signing in may be tried, counted in Redis for all processes.

    While Redis does not answer each process counts by itself: a fault there must not open the door to
    guessing, nor lock the owner out.
    """

    def __init__(self, settings: Settings) -> None:
        address = re.sub(r"^unix:", "redis+unix:", settings.redis)
        # Nothing connects before the first try, so this may be made before a fork.
        shared = RedisStorage(address, socket_timeout=1, socket_connect_timeout=1, key_prefix="scout-sign-in")
        self._shared = MovingWindowRateLimiter(shared)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._per_address = parse(PER_ADDRESS)
        self._altogether = parse(ALTOGETHER)

    def admits(self, address: str) -> bool:
        """Count a try from a socket's address, and say whether it may go on."""
        return self._ask(lambda limiter: self._hit(limiter, address))

    def forgive(self, address: str) -> None:
        """Forget the tries of an address that got in."""
        self._ask(lambda limiter: self._clear(limiter, address))

    def _clear(self, limiter: MovingWindowRateLimiter, address: str) -> bool:
        limiter.clear(self._per_address, address)
        return True

    def _hit(self, limiter: MovingWindowRateLimiter, address: str) -> bool:
        return limiter.hit(self._per_address, address) and limiter.hit(self._altogether, "everywhere")

    def _ask(self, question: Callable[[MovingWindowRateLimiter], bool]) -> bool:
        try:
            return question(self._shared)
        except RedisError as error:
            log.warning("Redis does not answer: tries to sign in are counted by this process alone.")
            count_error(error, "web")
            return question(self._own)


# A hash costs 19 MiB of memory while it is computed: one at a time in a process.
_one_at_a_time = threading.Lock()


@pages.get("/sign-in")
def form() -> ResponseReturnValue:
    """The form; somebody who is signed in goes on to the jobs."""
    if browser_session().signed_in:
        return redirect(safe_next(request.args.get("next", "")), 303)
    return render_template("sign_in.html", next=request.args.get("next", ""))


@pages.post("/sign-in")
def enter() -> ResponseReturnValue:
    """Check the password and begin a session, under a new token whatever cookie the browser had."""
    session = browser_session()
    if session.unavailable:
        abort(503)
    limit: SignInLimit = current_app.extensions["scout_sign_in_limit"]
    address = request.remote_addr or "unknown"
    if not limit.admits(address):
        catalogue.SIGN_INS.inc(outcome="limited")
        abort(429)
    wanted = request.form.get("next", "")
    database = parts().database
    with _one_at_a_time, database.reading() as db:
        right = account.verify(db, request.form.get("password", ""))
    if not right:
        catalogue.SIGN_INS.inc(outcome="failed")
        problem = "That is not the password. It was printed once, at the first start."
        return render_template("sign_in.html", next=wanted, problem=problem), 401
    limit.forgive(address)
    with database.session() as db:
        if session.token is not None:
            sessions.end(db, session.token)
        token = sessions.begin(db, request.headers.get("User-Agent", ""))
    session.begin(token)
    _new_form_token()
    catalogue.SIGN_INS.inc(outcome="succeeded")
    catalogue.SESSIONS_STARTED.inc()
    return redirect(safe_next(wanted), 303)


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session, here and in the database."""
    session = browser_session()
    if session.token is not None:
        with parts().database.session() as db:
            sessions.end(db, session.token)
    session.end()
    flash("You are signed out.")
    return redirect(url_for("sign_in.form"), 303)


def _new_form_token() -> None:
    # Flask-WTF keeps the request's token in `g`, and that one was the visitor's.
    g.pop("csrf_token", None)
    generate_csrf()


def safe_next(wanted: str) -> str:
    r"""`wanted` if it is the path of one of our pages, else that of the jobs.

    What a browser makes of `//host`, `/\host` or a tab in between is its own affair (WHATWG URL standard,
    "relative slash state"), so such addresses are refused by form, and what is left must match a route.
    """
    home = url_for("jobs.index")
    if not re.fullmatch(r"/(?![/\\])[^\\\x00-\x20\x7f]*", wanted):
        return home
    split = urlsplit(wanted)
    if split.scheme or split.netloc:
        return home
    try:
        endpoint, _ = current_app.url_map.bind("").match(split.path, method="GET")
    except (HTTPException, RequestRedirect):
        return home
    return home if endpoint in _NO_PAGES else wanted
