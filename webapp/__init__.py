"""What a browser or an API client sees."""

from __future__ import annotations

from webapp.factory import create_app

__all__ = ["create_app"]
