"""The owner's account: password, one-time codes, signed-in browsers, API tokens, and what was done."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup

from scout import account as owner
from scout import audit, clock, devices, digits, sessions, tokens, totp
from webapp.audit import about
from webapp.parts import parts
from webapp.sessions import browser_session
from webapp.sign_in import admit, admit_code, forgive, forgive_codes, password_is_right

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("account", __name__)

#: Events that the account's own page shows, and those of a page of the list.
_FEW, _PER_PAGE = 5, 50
_LONGEST_SEARCH = 100
#: Days after which a new token expires, as they are offered; 0 is never.
EXPIRIES = {"30": "in 30 days", "90": "in 90 days", "365": "in a year", "0": "never"}

_NOT_THE_PASSWORD = "That is not the password."  # noqa: S105 - a sentence


@pages.get("/account")
def index() -> ResponseReturnValue:
    """All of it on one page."""
    return _page()


def _page(problems: dict[str, str] | None = None, **shown: Any) -> str:
    """The page, with what went wrong by section (`password`, `codes`, `tokens`), and what is shown once."""
    token = browser_session().token
    with parts().database.reading() as db:
        return render_template(
            "account.html",
            problems=problems or {},
            by_setting=bool(parts().settings.password),
            changed_at=owner.password_changed_at(db),
            least=owner.LEAST,
            codes=totp.standing(db),
            sessions=sorted(sessions.living(db), key=lambda each: not sessions.is_of(each, token)),
            handle=sessions.handle,
            is_this=lambda each: sessions.is_of(each, token),
            device=devices.told,
            idle_days=sessions.LIFETIME.days,
            most_days=sessions.AT_MOST.days,
            tokens=tokens.every(db),
            token_state=tokens.state_of,
            scopes=tokens.MEANINGS,
            expiries=EXPIRIES,
            events=audit.find(db, audit.AuditQuery(per_page=_FEW)).events,
            **{"made": "", "wished": {}, **shown},
        )


def _reauthenticated(password: str) -> bool:
    """Whether the one at the keyboard knows the password; tries are limited as at the door."""
    admit()
    if not password_is_right(password):
        return False
    forgive()
    return True


# --- Password ---------------------------------------------------------------------------------------------


@pages.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Set a new password; all other browsers are signed out."""
    if parts().settings.password:
        return _page({"password": "SCOUT_PASSWORD is set and decides. Change it there."}), 409
    new = request.form.get("new", "")
    if not _reauthenticated(request.form.get("password", "")):
        return _page({"password": _NOT_THE_PASSWORD}), 403
    if new != request.form.get("again", ""):
        return _page({"password": "The two new passwords differ. Type the same twice."}), 400
    try:
        with parts().database.session() as db:
            owner.change_password(db, new, keep=browser_session().token)
    except owner.WeakPassword as error:
        return _page({"password": str(error)}), 400
    flash(f"The password is changed. It is {owner.strength(new)}. All other browsers must sign in anew.")
    return redirect(url_for(".index"), 303)


# --- One-time codes ---------------------------------------------------------------------------------------


@pages.post("/account/codes")
def begin_codes() -> ResponseReturnValue:
    """Begin to set codes up."""
    if not _reauthenticated(request.form.get("password", "")):
        return _page({"codes": _NOT_THE_PASSWORD}), 403
    try:
        with parts().database.session() as db:
            browser_session()["enrolment"] = totp.begin(db)
    except totp.CodeRefused as error:
        return _page({"codes": str(error)}), 409
    return redirect(url_for(".codes"), 303)


@pages.get("/account/codes")
def codes() -> ResponseReturnValue:
    """The secret, to scan or to type, until a code of it is given: for the browser that gave the password."""
    return _enrolment()


def _enrolment(problem: str = "") -> ResponseReturnValue:
    begun = browser_session().get("enrolment", "")
    with parts().database.reading() as db:
        found = totp.enrolment(db, owner.secret_key(parts().settings), begun)
    if found is None:
        return redirect(url_for(".index", _anchor="codes"), 303)
    return render_template(
        "account_codes.html", enrolment=found, picture=_picture(found.address), problem=problem
    )


def _picture(address: str) -> Markup:
    """A QR code as SVG: dark on light in either appearance, as not every reader takes it the other way."""
    drawn = segno.make(address, error="m").svg_inline(
        dark="#000", light="#fff", border=3, omitsize=True, svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn here, of rectangles alone


@pages.post("/account/codes/confirm")
def confirm_codes() -> ResponseReturnValue:
    """Switch codes on, and show the recovery codes: this once."""
    begun, code = browser_session().get("enrolment", ""), request.form.get("code", "")
    admit_code(code)
    try:
        with parts().database.session() as db:
            made = totp.confirm(db, owner.secret_key(parts().settings), begun, code)
    except totp.CodeRefused as error:
        page = _enrolment(str(error))
        return (page, 400) if isinstance(page, str) else page
    forgive_codes()
    browser_session().pop("enrolment", None)
    return render_template("account_recovery.html", codes=made, fresh=True)


@pages.post("/account/codes/recovery")
def renew_recovery_codes() -> ResponseReturnValue:
    """Make recovery codes in place of those before, and show them: this once."""
    if not _reauthenticated(request.form.get("password", "")):
        return _page({"codes": _NOT_THE_PASSWORD}), 403
    with parts().database.session() as db:
        if not totp.standing(db).is_on:
            return redirect(url_for(".index", _anchor="codes"), 303)
        made = totp.renew_recovery_codes(db)
    return render_template("account_recovery.html", codes=made, fresh=False)


@pages.post("/account/codes/off")
def switch_codes_off() -> ResponseReturnValue:
    """Ask for codes no longer: by password and a code, one-time or recovery."""
    if not _reauthenticated(request.form.get("password", "")):
        return _page({"codes": _NOT_THE_PASSWORD}), 403
    code = request.form.get("code", "")
    admit_code(code)
    with parts().database.session() as db:
        outcome = totp.check(db, owner.secret_key(parts().settings), code)
        if outcome.right:
            totp.off(db)
    if not outcome.right:
        return _page({"codes": totp.REFUSALS[outcome]}), 403
    if totp.is_one_time(code):
        forgive_codes()
    flash("One-time codes are off: the password alone opens.")
    return redirect(url_for(".index", _anchor="codes"), 303)


# --- Signed-in browsers -----------------------------------------------------------------------------------


@pages.post("/account/sessions/<handle>/end")
def end_session(handle: str) -> ResponseReturnValue:
    """Sign one browser out; this one too, if it is meant."""
    session = browser_session()
    with parts().database.session() as db:
        ended = sessions.end_one(db, handle)
    about(f"{devices.told(ended.browser)}, {ended.address}".rstrip(", "))
    if sessions.is_of(ended, session.token):
        session.end()
        flash("You are signed out.")
        return redirect(url_for("sign_in.form"), 303)
    flash(f"{devices.told(ended.browser)} is signed out.")
    return redirect(url_for(".index", _anchor="browsers"), 303)


@pages.post("/account/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """Sign all browsers out but this one."""
    with parts().database.session() as db:
        ended = sessions.end_all(db, keep=browser_session().token)
    flash(f"{ended} other browser{'s are' if ended != 1 else ' is'} signed out.")
    return redirect(url_for(".index", _anchor="browsers"), 303)


# --- API tokens -------------------------------------------------------------------------------------------


@pages.post("/account/tokens")
def create_token() -> ResponseReturnValue:
    """Make a token, and show it: this once."""
    name, scopes = request.form.get("name", ""), request.form.getlist("scope")
    days = request.form.get("expires", "90")
    wished = {"name": name, "scopes": scopes, "expires": days}
    if tokens.Scope.ACCOUNT in scopes and not _reauthenticated(request.form.get("password", "")):
        problem = f"{_NOT_THE_PASSWORD} A token for the account needs it."
        return _page({"tokens": problem}, wished=wished), 403
    try:
        with parts().database.session() as db:
            token, text = tokens.create(db, name, scopes, _expiry(days))
    except tokens.BadToken as error:
        return _page({"tokens": str(error)}, wished=wished), 400
    about(f"{token.name} ({', '.join(token.scopes)})")
    return _page(made=text)


def _expiry(days: str) -> dt.datetime | None:
    if days not in EXPIRIES:
        raise tokens.BadToken("Choose when the token expires from the list.")
    return clock.now() + dt.timedelta(days=int(days)) if int(days) else None


@pages.post("/account/tokens/<prefix>/revoke")
def revoke_token(prefix: str) -> ResponseReturnValue:
    """End a token at once."""
    with parts().database.session() as db:
        token = tokens.revoke(db, prefix)
    about(token.name)
    flash(f"{token.name} is revoked: what uses it is refused from now on.")
    return redirect(url_for(".index", _anchor="tokens"), 303)


# --- What was done ----------------------------------------------------------------------------------------


@pages.get("/account/log")
def log() -> ResponseReturnValue:
    """What was done and when. What the address says wrongly is left at its default."""
    text = request.args.get("q", "").strip()[:_LONGEST_SEARCH]
    who = request.args.get("who", "")
    query = audit.AuditQuery(
        text=text,
        who=who if who in audit.WHO else "",
        page=min(digits.whole(request.args.get("page", "")) or 1, audit.MOST),
        per_page=_PER_PAGE,
    )
    with parts().database.reading() as db:
        found = audit.find(db, query)
    return render_template(
        "account_log.html",
        found=found,
        query=query,
        whos=audit.WHO,
        pages=max(-(-found.total // _PER_PAGE), 1),
        most=audit.MOST,
        kept_days=audit.KEPT.days,
    )
