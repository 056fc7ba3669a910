"""Static files, addressed by the hash of their content so that browsers may keep them for good."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from flask import current_app, url_for

#: The vendored htmx, as `static/vendor/VENDORED.md` names it.
HTMX = "vendor/htmx-2.0.11.min.js"
#: A year: what RFC 9111 allows for, and browsers take, as "for good".
_FOR_GOOD = "public, max-age=31536000, immutable"


def address(name: str) -> str:
    """The address of a static file, with the hash of its content."""
    return url_for("static", filename=name, v=_hash(Path(current_app.static_folder or ""), name))


def caching(name: str, version: str) -> str:
    """The Cache-Control of a static file that was asked for under `version`."""
    if version and version == _hash(Path(current_app.static_folder or ""), name):
        return _FOR_GOOD
    return "no-cache"


@functools.cache
def _hash(folder: Path, name: str) -> str:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
