"""What a browser calls itself (`User-Agent`), in a few words: `Firefox on Linux`.

For the owner to tell sessions apart, and for nothing else: anybody may call himself anything.
"""

from __future__ import annotations

import re

#: In this order: most browsers also name those that they descend from.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome without a screen"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
)
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,29}")


def told(agent: str) -> str:
    """The browser and the system in words; a program by its name; `an unknown browser` if it says nothing."""
    browser = next((name for sign, name in _BROWSERS if f"{sign}/" in agent or f"{sign}A/" in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if not browser:
        program = _PROGRAM.match(agent)
        browser = program[0] if program and program[0] != "Mozilla" else "an unknown browser"
    return f"{browser} on {system}" if system else browser
