"""What makes the pages an application of a phone or desktop: manifest, icons, and a page for no network.

The service worker keeps static files and the offline page, and never a page with data: signing out leaves
nothing behind. The icons' PNG files are drawn from `icon.svg` and `icon-maskable.svg`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, jsonify, render_template, url_for

from webapp import assets

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

pages = Blueprint("installing", __name__)

#: As `--sheet` and `--ground` of app.css in light.
_BAR, _GROUND = "#ffffff", "#f5f6f5"
#: What the offline page is made of.
_OFFLINE_ASSETS = ("app.css", "scripted.js", "app.js", "icon.svg")


@pages.get("/manifest.webmanifest")
def manifest() -> ResponseReturnValue:
    """The web application manifest (W3C). Browsers ask for it without the cookie; it holds no secret."""
    icons = [
        {"src": assets.address("icon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"},
        *(
            {"src": assets.address(f"icons/{name}-{size}.png"), "type": "image/png",
             "sizes": f"{size}x{size}", "purpose": purpose}
            for name, purpose in (("icon", "any"), ("maskable", "maskable"))
            for size in (192, 512)
        ),
    ]  # fmt: skip
    answer = jsonify(
        id="/",
        name="IAM Job Scout",
        short_name="Job Scout",
        description="Scans public job boards, keeps each job once, says why it matches and follows it.",
        start_url=url_for("jobs.index"),
        scope="/",
        display="standalone",
        theme_color=_BAR,
        background_color=_GROUND,
        icons=icons,
    )
    answer.mimetype = "application/manifest+json"
    return answer


@pages.get("/service-worker.js")
def worker() -> ResponseReturnValue:
    """The service worker, at the root: its scope is all pages. A change of the files it keeps changes it."""
    kept = [url_for(".offline"), *(assets.address(name) for name in _OFFLINE_ASSETS)]
    return Response(
        render_template("service-worker.js", kept=kept, static=current_app.static_url_path),
        mimetype="text/javascript",
    )


@pages.get("/offline")
def offline() -> ResponseReturnValue:
    """What is shown where the server cannot be reached. It is kept by browsers, so it is anybody's."""
    return render_template("offline.html", signed_in=False)
