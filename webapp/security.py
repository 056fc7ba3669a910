"""The walls around every page: who may pass, where a request may come from, what every answer says."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Request, Response, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import HTTPException

from metrics import catalogue
from webapp import assets
from webapp.api import caller, problems
from webapp.parts import parts
from webapp.sessions import browser_session

if TYPE_CHECKING:
    from flask import Flask

#: The endpoints that answer without a session, by exact name. Everything else is for the owner alone.
PUBLIC = frozenset(
    {
        "sign_in.form",
        "sign_in.enter",
        "sign_in.code_form",
        "sign_in.enter_code",
        "static",
        "probes.healthz",
        "probes.readyz",
        "probes.metrics",
        # Browsers ask for these without the cookie, or keep them past its end.
        "installing.manifest",
        "installing.worker",
        "installing.offline",
        # Their addresses hold a secret each.
        "feeds.atom",
        "feeds.json",
        "calendars.whole",
    }
)

#: The safe methods of RFC 9110, section 9.2.1: they change nothing, so they need no token.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    # To other sites not a word. Not `no-referrer`: with it, browsers send our own forms as `Origin: null`
    # (Fetch standard, "append a request Origin header"), and the check of the origin would refuse them.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",  # for what does not know frame-ancestors
}


class ForeignOrigin(HTTPException):
    """An unsafe request that did not come from our own pages."""

    code = 403
    description = (
        "The request came from another site, so nothing was changed. Open the page here and try again."
        " Behind a proxy, let it pass the Host header on."
    )


def protect(app: Flask) -> None:
    """Put the walls up: the gate first, then where the request comes from, then its token."""
    app.config.update(
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
        WTF_CSRF_SSL_STRICT=False,  # our own check of Origin and Sec-Fetch-Site does this, and more
    )
    app.before_request(_gate)
    app.before_request(_own_origin)
    CSRFProtect(app)
    app.after_request(_say_headers)


def _gate() -> ResponseReturnValue | None:
    """Deny by default: only the exact public names pass without a session."""
    if request.endpoint in PUBLIC:
        return None
    if problems.wanted():
        caller.admit(own_origin=is_own_origin(request))
        return None
    session = browser_session()
    if session.unavailable:
        abort(503)
    if session.signed_in:
        return None
    if not wants_page(request):
        return Response("Sign in first.\n", 401, mimetype="text/plain")
    wanted = request.full_path.rstrip("?")
    if request.method not in SAFE_METHODS or wanted == "/":
        return redirect(url_for("sign_in.form"), 303)
    return redirect(url_for("sign_in.form", next=wanted), 303)


def wants_page(incoming: Request) -> bool:
    """Whether it is a person's browser that loads a page: programs and htmx do not ask for HTML by name."""
    return "text/html" in incoming.headers.get("Accept", "") and "HX-Request" not in incoming.headers


def _own_origin() -> None:
    # The API's own gate asks that of browsers, and not of programs with a token: they hold no cookie.
    if request.method in SAFE_METHODS or problems.wanted() or is_own_origin(request):
        return
    catalogue.CSRF_REJECTED.inc(reason="origin")
    raise ForeignOrigin


def is_own_origin(incoming: Request) -> bool:
    """Whether a request comes from our own pages, as far as its headers tell.

    Browsers send Sec-Fetch-Site to trustworthy origins (https and localhost) and scripts cannot forge it
    (W3C Fetch Metadata); elsewhere the Origin's host must be ours. Programs send neither: they hold no cookie
    that a stranger's page could borrow, and the token is asked of them all the same.
    """
    site = incoming.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = incoming.headers.get("Origin")
    if origin is None:
        return True
    # The host alone: behind a proxy that speaks TLS for us we may not know the scheme.
    return bool(origin) and urlsplit(origin).netloc.lower() == incoming.host.lower()


def may_read_metrics(incoming: Request) -> bool:
    """Whether /metrics may be read without signing in.

    By the address of the socket, never by a header that says so (miniflux's CVE-2023-27591 was that). A
    request that a proxy passed on comes from the proxy's address, which tells nothing: it is refused.
    """
    if any(name in incoming.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip")):
        return False
    try:
        address = ipaddress.ip_address(incoming.remote_addr or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    networks = (ipaddress.ip_network(each, strict=False) for each in parts().settings.metrics_allow)
    return any((mapped or address) in network for network in networks)


def _say_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    if request.endpoint == "static" and response.status_code in {200, 206, 304}:
        name = str((request.view_args or {}).get("filename", ""))
        response.headers["Cache-Control"] = assets.caching(name, request.args.get("v", ""))
    elif problems.wanted():
        # Kept by nobody but the program itself, which asks each time whether it still holds.
        response.headers["Cache-Control"] = "private, no-cache" if "ETag" in response.headers else "no-store"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
