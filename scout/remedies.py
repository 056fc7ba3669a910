"""What the owner can do about each reason for which a scan came to nothing or to less than all."""

from __future__ import annotations

from scout.fetch import Reason

#: A sentence or two for each reason that `scout.runs.REASON_TEXT` names.
REMEDY: dict[str, str] = {
    Reason.ADDRESS: (
        "Only public addresses are asked. If this host is yours, allow it by SCOUT_ALLOW_PRIVATE."
    ),
    Reason.SCHEME: "Remove the board, and add it by an address that begins with https.",
    Reason.URL: "Remove the board, and paste its address anew as the browser shows it.",
    Reason.DNS: (
        "See whether this machine is online. If other boards answer, the address may be out of "
        "date: open it in a browser."
    ),
    Reason.CONNECT: (
        "See whether this machine is online. If other boards answer, this one is away: it is "
        "tried again by itself."
    ),
    Reason.TLS: (
        "Its certificate may have run out, which its operator mends; or a proxy here stands in between."
    ),
    Reason.TIMEOUT: "It is tried again by itself. If that goes on, give the board quieter hours below.",
    Reason.TOO_LARGE: (
        "The board lists more than can be read at once. Where its address takes a search, add it "
        "by one that is narrower."
    ),
    Reason.TRUNCATED: "It is tried again by itself, and mostly succeeds then.",
    Reason.REDIRECTS: "Open its address in a browser, and add the board by the address where that ends.",
    Reason.DENIED: "This board refuses automated readers. Leave it, or ask its company for a feed.",
    Reason.NOT_FOUND: (
        "Open its address in a browser. If the board has moved, add its new address and remove this one."
    ),
    Reason.GONE: "The company has left this board. Find its new one, add that, and remove this one.",
    Reason.RATE_LIMITED: (
        "Nothing: it is left alone for as long as it asked. A longer interval helps if that comes again."
    ),
    Reason.SERVER_ERROR: "Nothing: the fault is on its side, and it is tried again by itself.",
    Reason.HTTP_STATUS: "Open its address in a browser. If it shows jobs there, report this, please.",
    Reason.BOT_CHALLENGE: "This board lets only browsers in. Leave it, or ask its company for a feed.",
    Reason.EMPTY: (
        "It is tried again by itself. Open its address in a browser to see whether it lists any jobs."
    ),
    Reason.NOT_A_LISTING: (
        "Open its address in a browser. If it shows jobs there, the board's form has changed: an "
        "update of this program may read it."
    ),
    Reason.UNPARSED: "The others were stored. If that stays so, report it, please, with what is said here.",
    Reason.VANISHED: "Nothing: if it stays so for a week, the board is believed. Its own page tells sooner.",
    Reason.NO_KEY: "Set your key (docs/CONFIGURATION.md says which), and start the program anew.",
    Reason.ROBOTS: "The site asks programs to stay away, and that is heeded. Leave it, or ask for a feed.",
    Reason.BUSY: "Nothing: many boards of this host are read one after another.",
    Reason.HELD: "Nothing: its host asked for a pause, and gets it.",
    Reason.CIRCUIT_OPEN: "Nothing: its host is tried again after half an hour.",
    Reason.DAILY_LIMIT: "Nothing: its terms allow so many scans a day, and it is due again after that.",
    Reason.WORKER_DIED: "See the workers' log; a lack of memory is the usual cause. “Scan now” tries again.",
    Reason.INTERNAL: (
        "Report it, please, with the lines of the workers' log. Other boards are not touched by it."
    ),
}
