from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING

from tests.unit.web.browser import Browser

if TYPE_CHECKING:
    from flask import Flask


def test_the_manifest_names_icons_that_are_there_in_the_sizes_it_says(visitor: Browser) -> None:
    answer = visitor.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        found = visitor.get(icon["src"])
        assert found.status_code == 200
        if icon["type"] == "image/png":
            wide, high = struct.unpack(">II", found.data[16:24])
            assert f"{wide}x{high}" == icon["sizes"]


def test_the_worker_may_keep_static_files_and_the_offline_page_alone(visitor: Browser) -> None:
    script = visitor.get("/service-worker.js")
    assert script.mimetype == "text/javascript"
    assert script.headers["Cache-Control"] == "no-store"
    kept = re.search(r"const KEPT = (\[.*\]);", script.text)
    assert kept is not None
    for address in json.loads(kept[1]):
        assert address == "/offline" or address.startswith("/static/")
        assert visitor.get(address).status_code == 200


def test_the_offline_page_is_the_same_for_everybody(app: Flask, owner: Browser) -> None:
    assert "cannot be reached" in owner.get("/offline").text
    assert owner.get("/offline").text == Browser(app).get("/offline").text
