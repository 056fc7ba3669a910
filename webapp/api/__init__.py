"""The API under /api/v1, for programs: the same actions as the pages, over the same services."""

from __future__ import annotations

from typing import cast

from flask_openapi.openapi import OpenAPI
from flask_wtf.csrf import CSRFProtect

from scout.settings import Settings
from webapp.api import (
    account,
    document,
    jobs,
    notes,
    operation,
    pace,
    pipeline,
    profile,
    scans,
    searches,
    sources,
    status,
)

__all__ = ["RESOURCES", "install", "operation"]

#: The resources, in the order of the documentation.
RESOURCES = (jobs, notes, pipeline, searches, sources, scans, profile, status, account, document)


def install(app: OpenAPI, settings: Settings) -> None:
    """Register all operations. The gate (`webapp.security`) lets nobody to them that it does not know."""
    pace.install(app, settings)
    csrf = cast("CSRFProtect", app.extensions["csrf"])
    for module in RESOURCES:
        # The gate asks for the token of a form where a browser's session is believed (`webapp.api.caller`).
        csrf.exempt(module.api)
        app.register_api(module.api)
