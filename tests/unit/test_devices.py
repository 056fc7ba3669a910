from __future__ import annotations

import pytest

from scout import devices

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT} Chrome/150.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {_KIT} Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 17) {_KIT} Chrome/150.0 Mobile Safari/537.36 EdgA/150.0",
         "Edge on Android"),
        (f"Mozilla/5.0 (Linux; Android 17; K) {_KIT} Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/20 Safari/605", "Safari on a Mac"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) CriOS/150 Mobile Safari/604",
         "Chrome on an iPhone"),
        ("curl/8.9.1", "curl"),
        ("python-requests/2.34", "python-requests"),
        ("Mozilla/5.0", "an unknown browser"),
        ("", "an unknown browser"),
        ("<script>alert(1)</script>", "an unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert devices.told(agent) == words
