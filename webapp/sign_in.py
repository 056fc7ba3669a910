"""Signing in, in one step or two, signing out, and the limits on how often it may be tried."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import RedisError
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from metrics import catalogue
from metrics.instruments import count_error
from scout import account, audit, clock, devices, sessions, totp
from webapp import show, welcome
from webapp.parts import parts
from webapp.sessions import browser_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from scout.models import AuditEvent
    from scout.settings import Settings
    from webapp.sessions import BrowserSession

log = logging.getLogger(__name__)
pages = Blueprint("sign_in", __name__)

#: Tries from one address, and from everywhere together: the account is one, and a crowd may guess at it.
PER_ADDRESS = "10 per 10 minutes"
ALTOGETHER = "200 per 1 hour"
#: One-time codes, from everywhere: who gets to try them has the password. Three codes of a million are right
#: at a time, so that a year of trying opens with a chance of one in twenty at most. Recovery codes need no
#: limit of their own: they are beyond guessing, and the way in for an owner whom others keep out by trying.
CODES = ("10 per 10 minutes", "50 per 1 day")

#: Seconds that the second step may take.
SECOND_STEP_AGE = 300

#: Characters of a code that are read: those of a recovery code, with room for spaces.
_LONGEST_CODE = 60
_TOO_MANY_CODES = (
    "Codes were tried too often. Wait ten minutes and try again, or give a recovery code. If that goes on, "
    "somebody else has the password: change it with `scout account password`."
)

#: Where nobody is sent after signing in: these are not pages.
_NO_PAGES = frozenset(
    {
        "static", "sign_in.form", "sign_in.code_form", "probes.healthz", "probes.readyz", "probes.metrics",
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
        self._codes = [parse(each) for each in CODES]

    def admits(self, address: str) -> bool:
        """Count a try from a socket's address, and say whether it may go on."""
        return self._ask(lambda limiter: self._hit(limiter, address))

    def admits_code(self) -> bool:
        """Count a try of a one-time code, and say whether it may go on."""
        return self._ask(lambda limiter: all(limiter.hit(each, "codes") for each in self._codes))

    def forgive(self, address: str) -> None:
        """Forget the tries of an address that got in."""
        self._ask(lambda limiter: self._clear(limiter, [self._per_address], address))

    def forgive_codes(self) -> None:
        """Forget the tries of codes: one was right."""
        self._ask(lambda limiter: self._clear(limiter, self._codes, "codes"))

    def _clear(self, limiter: MovingWindowRateLimiter, limits: list[RateLimitItem], name: str) -> bool:
        for each in limits:
            limiter.clear(each, name)
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
    """Check the password; then begin a session, or ask for a code where the owner wants one asked for."""
    session = browser_session()
    if session.unavailable:
        abort(503)
    admit()
    wanted = request.form.get("next", "")
    if not password_is_right(request.form.get("password", "")):
        catalogue.SIGN_INS.inc(outcome="failed")
        with parts().database.session() as db:
            audit.failed_sign_in(db, address=address(), subject="wrong password")
        problem = "That is not the password. It was printed once, at the first start."
        return render_template("sign_in.html", next=wanted, problem=problem), 401
    with parts().database.reading() as db:
        codes_on = totp.standing(db).is_on
        stamp = _stamp(db)
    if codes_on:
        _sign_out(session)
        session["second_step"] = {"stamp": stamp, "until": _seconds() + SECOND_STEP_AGE, "next": wanted}
        _new_form_token()
        return redirect(url_for(".code_form"), 303)
    return _let_in(wanted, "")


@pages.get("/sign-in/code")
def code_form() -> ResponseReturnValue:
    """The form of the second step, for a browser that has just given the password."""
    if browser_session().signed_in:
        return redirect(url_for("jobs.index"), 303)
    if _second_step() is None:
        return redirect(url_for(".form"), 303)
    return render_template("sign_in_code.html")


@pages.post("/sign-in/code")
def enter_code() -> ResponseReturnValue:
    """Check a one-time or recovery code, and begin a session."""
    session = browser_session()
    if session.unavailable:
        abort(503)
    step = _second_step()
    if step is None:
        flash("That took too long. Give the password again.")
        return redirect(url_for(".form"), 303)
    code = request.form.get("code", "")[:_LONGEST_CODE]
    admit_code(code)
    with parts().database.session() as db:
        outcome = totp.check(db, account.secret_key(parts().settings), code)
        if not outcome.right:
            audit.failed_sign_in(db, address=address(), subject="right password, wrong code")
    if not outcome.right:
        catalogue.SIGN_INS.inc(outcome="failed")
        return render_template("sign_in_code.html", problem=totp.REFUSALS[outcome]), 401
    if totp.is_one_time(code):
        forgive_codes()
    recovered = outcome is totp.Outcome.RECOVERED
    return _let_in(step["next"], "with a recovery code" if recovered else "with a code")


def address() -> str:
    """Where the request comes from: the socket's address, or what trusted proxies say of it."""
    return request.remote_addr or "unknown"


def admit() -> None:
    """Count a try of the password, here or on the account's page; past the limit the request ends (429)."""
    if not _limit().admits(address()):
        catalogue.SIGN_INS.inc(outcome="limited")
        abort(429)


def admit_code(code: str) -> None:
    """Count a try of a code, likewise."""
    admitted = _limit().admits_code() if totp.is_one_time(code) else _limit().admits(address())
    if not admitted:
        catalogue.SECOND_STEPS.inc(outcome="limited")
        abort(429, _TOO_MANY_CODES)


def forgive() -> None:
    """Forget the tries from this address: its user has given the password."""
    _limit().forgive(address())


def forgive_codes() -> None:
    """Forget the tries of codes, as the owner has given a right one."""
    _limit().forgive_codes()


def password_is_right(password: str) -> bool:
    """Whether this is the owner's password."""
    with _one_at_a_time, parts().database.reading() as db:
        return account.verify(db, password)


def _limit() -> SignInLimit:
    return cast("SignInLimit", current_app.extensions["scout_sign_in_limit"])


def _let_in(wanted: str, how: str) -> ResponseReturnValue:
    """Begin a session, under a new token whatever cookie the browser had."""
    session = browser_session()
    forgive()
    agent = request.headers.get("User-Agent", "")
    with parts().database.session() as db:
        before = audit.last_sign_in(db)
        failed = audit.failed_since(db, before) if before else 0
        if session.token is not None:
            sessions.end(db, session.token)
        token = sessions.begin(db, agent, address())
        by = f"browser: {devices.told(agent)}"
        audit.record(db, audit.SIGNED_IN, "Signed in", by=by, subject=how, address=address())
        codes_left = totp.standing(db).codes_left
    session.begin(token)
    _new_form_token()
    catalogue.SIGN_INS.inc(outcome="succeeded")
    catalogue.SESSIONS_STARTED.inc()
    if before is not None:
        flash(_told(before, failed))
    if how == "with a recovery code":
        flash(f"That recovery code is spent; {codes_left} are left. More are made on the account's page.")
    return redirect(welcome.first_page(safe_next(wanted)), 303)


def _told(before: AuditEvent, failed: int) -> str:
    """The last sign-in in a sentence, for an owner who would know that it was somebody else."""
    told = (
        f"Last sign-in: {show.ago(before.at).striptags()}, {before.by.partition(': ')[2]}, {before.address}."
    )
    if failed:
        told += f" {failed} failed {'try' if failed == 1 else 'tries'} since."
    return told


def _second_step() -> dict[str, Any] | None:
    """What the first step noted in the visitor's signed cookie: while fresh, and the password the same."""
    found = browser_session().get("second_step")
    if not isinstance(found, dict) or found["until"] < _seconds():
        return None
    with parts().database.reading() as db:
        return found if found["stamp"] == _stamp(db) else None


def _stamp(db: Session) -> str:
    return account.password_changed_at(db).isoformat()


def _seconds() -> int:
    return int(clock.now().timestamp())


@pages.post("/sign-out")
def leave() -> ResponseReturnValue:
    """End the session, here and in the database."""
    _sign_out(browser_session())
    flash("You are signed out.")
    return redirect(url_for("sign_in.form"), 303)


def _sign_out(session: BrowserSession) -> None:
    if session.token is not None:
        with parts().database.session() as db:
            sessions.end(db, session.token)
    session.end()


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
