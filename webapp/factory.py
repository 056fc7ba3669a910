"""Putting the application together."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import metrics.http
from scout import account
from scout import settings as scout_settings
from scout.jobs import next_statuses, undo_to
from scout.settings import Settings
from webapp import account as account_pages
from webapp import (
    adding,
    api,
    api_docs,
    appearance,
    appointments,
    assets,
    audit,
    calendars,
    errors,
    feeds,
    installing,
    jobs,
    pipeline,
    probes,
    profile,
    request_ids,
    runbooks,
    scans,
    searches,
    security,
    show,
    sign_in,
    status,
    traced,
    welcome,
)
from webapp.parts import Parts
from webapp.sessions import StoredSessions, browser_session

#: The most that a request may carry: a note, or a pasted address, with room to spare.
_LARGEST_REQUEST = 256 * 1024

#: What a supervisor asks every few seconds, day and night: it would drown what people do. /metrics is not
#: among them. It works for its answer, and how long that takes and whom it refuses is worth knowing.
_PROBES = frozenset({"/healthz", "/readyz"})
#: Streams last for as long as a page is open: how long that is says nothing of how fast answers are.
_STREAMS = frozenset({"/scans/<int:run_id>/events"})
#: How the routes begin that programs call.
_FOR_PROGRAMS = ("/api/v1/", "/metrics")


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. It connects to nothing until a request needs it.

    Args:
        settings: What to use in place of the environment's.

    Raises:
        SettingError: The environment says something that cannot be used.
        ScoutError: The key that signs cookies cannot be kept in the data directory.
    """
    settings = settings or scout_settings.load()
    app = api.document.new_app(__name__, static_folder="static", template_folder="templates")
    app.secret_key = account.secret_key(settings)
    app.config.update(
        MAX_CONTENT_LENGTH=_LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=_LARGEST_REQUEST,
        MAX_FORM_PARTS=50,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["scout"] = Parts(settings)
    app.extensions["scout_sign_in_limit"] = sign_in.SignInLimit(settings)
    app.session_interface = StoredSessions()

    if settings.trusted_proxies:
        # Not the host: proxies pass the Host header on, and many leave a forged X-Forwarded-Host as it came.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # Flask's way to put something around it
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    metrics.http.instrument(app, exclude=_PROBES | _STREAMS, api=_FOR_PROGRAMS)
    request_ids.give(app, trusted=settings.trusted_proxies > 0)
    if settings.otlp_endpoint:
        traced.instrument(app, trusted=settings.trusted_proxies > 0)
    security.protect(app)
    audit.keep(app, described=api.operation.done)
    errors.handle(app)
    for module in (
        jobs,
        adding,
        scans,
        welcome,
        profile,
        runbooks,
        sign_in,
        appearance,
        probes,
        feeds,
        account_pages,
        installing,
        searches,
        status,
        pipeline,
        appointments,
        calendars,
        api_docs,
    ):
        app.register_blueprint(module.pages)
    api.install(app, settings)

    show.add_filters(app)
    app.jinja_env.globals.update(
        asset=assets.address,
        htmx=assets.HTMX,
        theme=appearance.theme,
        themes=appearance.THEMES,
        request_id=request_ids.current,
        session_of_browser=browser_session,
        next_statuses=next_statuses,
        undo_to=undo_to,
        verbs=jobs.VERBS,
    )
    return app
