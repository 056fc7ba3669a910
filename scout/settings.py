"""All settings: read from the environment (or `.env`) and checked in this one place."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scout import digits
from scout.errors import ScoutError

#: The checkout. `scout up` runs the Procfile from here, and the mapping file and prometheus/ lie here.
PROJECT = Path(__file__).resolve().parent.parent


#: Characters of a secret in a file. More is some other file, named by mistake.
_LONGEST_SECRET = 4096
_HIGHEST_PORT = 65535


class SettingError(ScoutError):
    """A setting has a value that cannot be used. The text names it and says what it takes."""


def _setting(variable: str, default: Any, meaning: str, *, secret: bool = False) -> Any:
    metadata = {"variable": variable, "meaning": meaning, "secret": secret}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata, repr=not secret, kw_only=True)
    return field(default=default, metadata=metadata, repr=not secret, kw_only=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says. Every field names its variable and its meaning in its metadata."""

    data_dir: Path = _setting(
        "SCOUT_DATA_DIR", PROJECT / "data", "Folder of the database, the queue and the secrets."
    )
    host: str = _setting("SCOUT_HOST", "127.0.0.1", "Address that the web server listens on.")
    port: int = _setting("SCOUT_PORT", 5000, "Port of the pages.")
    web_workers: int = _setting("SCOUT_WEB_WORKERS", 2, "Gunicorn worker processes.")
    scan_workers: int = _setting("SCOUT_SCAN_WORKERS", 2, "RQ worker processes that scan.")
    password: str = _setting(
        "SCOUT_PASSWORD",
        "",
        "The owner's password; unset, one is made at first start and printed once.",
        secret=True,
    )
    secret_key: str = _setting(
        "SECRET_KEY",
        "",
        "Key that signs cookies; unset, one is made and kept in the data directory.",
        secret=True,
    )
    starter_boards: bool = _setting(
        "SCOUT_STARTER_BOARDS",
        True,  # noqa: FBT003 - the default itself
        "Whether a new data directory starts with the list of known boards.",
    )
    database_url: str = _setting(
        "DATABASE_URL",
        "",
        "PostgreSQL (`postgresql://...`); unset, SQLite in the data directory.",
        secret=True,
    )
    redis_url: str = _setting(
        "REDIS_URL", "", "A Redis; unset, one is started on a Unix socket in the data directory.", secret=True
    )
    statsd_url: str = _setting(
        "STATSD_URL",
        "",
        "Where metrics go: `udp://host:port` or `unixgram:///path`; unset, the exporter of this stack.",
    )
    statsd_exporter_url: str = _setting(
        "STATSD_EXPORTER_URL", "", "Web address of the statsd_exporter that STATSD_URL feeds."
    )
    pushgateway_url: str = _setting(
        "PUSHGATEWAY_URL", "", "Web address of a Pushgateway; unset, one is started."
    )
    prometheus_url: str = _setting("PROMETHEUS_URL", "", "Web address of a Prometheus, for the status page.")
    grafana_url: str = _setting("GRAFANA_URL", "", "Web address of a Grafana, linked on the status page.")
    profile: str = _setting(
        "SCOUT_PROFILE", "", "Name of a profile of the program, or path of your own; unset, `iam`."
    )
    statsd_port: int = _setting("SCOUT_STATSD_PORT", 9125, "UDP port of the exporter that this stack starts.")
    exporter_port: int = _setting(
        "SCOUT_EXPORTER_PORT", 9102, "Web port of the exporter that this stack starts."
    )
    pushgateway_port: int = _setting(
        "SCOUT_PUSHGATEWAY_PORT", 9091, "Port of the gateway that this stack starts."
    )
    origin_overrides: Mapping[str, str] = _setting(
        "SCOUT_ORIGIN_OVERRIDES",
        {},
        "`https://a=http://b:1,...`: sends requests for one origin to another, path and query unchanged and "
        "the host in X-Forwarded-Host (caching proxies, the simulator, tests); `https://*.a=...` does so for "
        "every host below a.",
    )
    allow_private: frozenset[tuple[str, int]] = _setting(
        "SCOUT_ALLOW_PRIVATE", frozenset(), "`host:port,...` that the fetch door may reach although private."
    )
    contact: str = _setting(
        "SCOUT_CONTACT", "", "Page or mail address that boards may reach you at, sent with every request."
    )
    usajobs_email: str = _setting(
        "SCOUT_USAJOBS_EMAIL", "", "Mail address that a USAJobs API key was given to; boards there need both."
    )
    usajobs_key: str = _setting("SCOUT_USAJOBS_KEY", "", "That API key of USAJobs.", secret=True)
    adzuna_app_id: str = _setting(
        "SCOUT_ADZUNA_APP_ID",
        "",
        "Application id of the Adzuna API; boards there need it and the key.",
        secret=True,
    )
    adzuna_app_key: str = _setting("SCOUT_ADZUNA_APP_KEY", "", "That application's key.", secret=True)
    json_feeds: str = _setting(
        "SCOUT_JSON_FEEDS",
        "",
        "Path of a YAML file that describes JSON feeds, so that they can be added as boards.",
    )
    metrics_allow: tuple[str, ...] = _setting(
        "SCOUT_METRICS_ALLOW",
        ("127.0.0.0/8", "::1/128"),
        "Networks that may read /metrics without signing in.",
    )
    trusted_proxies: int = _setting(
        "SCOUT_TRUSTED_PROXIES",
        0,
        "How many proxies stand before the web server, each of which adds to X-Forwarded-For and "
        "X-Forwarded-Proto; at 0 nothing that these say is believed.",
    )
    scan_interval_minutes: float = _setting(
        "SCOUT_SCAN_INTERVAL_MINUTES",
        60.0,
        "Minutes between two scans of a board: half of it for one that often changes, up to four times it "
        "for one that seldom does, and never less than its kind allows. 0.5 is half a minute.",
    )
    quiet_hours: str = _setting(
        "SCOUT_QUIET_HOURS",
        "",
        "Hours of each day in which the schedule begins no scan, such as `22:00-07:00`; unset, none. A board "
        "may have its own (`scout sources set`).",
    )
    time_zone: str = _setting(
        "SCOUT_TIME_ZONE",
        "UTC",
        "Your time zone, such as `Europe/Berlin`: that of the quiet hours, of what is due, and of new"
        " appointments.",
    )
    reminders: str = _setting(
        "SCOUT_REMINDERS",
        "",
        "When and by which channels to be reminded of what is due that day, such as `07:00 phone,mail`;"
        " unset, never.",
    )
    log_level: str = _setting(
        "SCOUT_LOG_LEVEL", "info", "From where on things are worth a line: debug, info, warning or error."
    )
    log_format: str = _setting(
        "SCOUT_LOG_FORMAT",
        "",
        "`json`, one object a line, or `console`, for people; unset, `console` where stderr is a terminal and"
        " under `scout up`, else `json`.",
    )
    otlp_endpoint: str = _setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        "Web address of a collector that takes OTLP over HTTP (`http://127.0.0.1:4318`), for traces; unset,"
        " there are none.",
    )
    public_url: str = _setting(
        "SCOUT_PUBLIC_URL",
        "",
        "Address of the pages as messages and feeds name it; unset, `http://localhost` with the port.",
    )
    channels: str = _setting(
        "SCOUT_CHANNELS",
        "",
        "Path of the file that names the channels messages go to, for its owner alone (mode 0600); unset,"
        " `channels.conf` in the data directory.",
    )
    lease_seconds: int = _setting(
        "SCOUT_LEASE_SECONDS", 60, "Seconds after which a scan whose worker died may be taken over."
    )

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir / 'scout.sqlite3'}"
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", self.database_url)

    @property
    def redis_socket(self) -> Path:
        """Where the Redis of this stack listens, when REDIS_URL is unset."""
        path = self.data_dir / "redis.sock"
        # The kernel takes 107 bytes for a socket's path (unix(7)), redis-py reads no path with a space in it
        # (CLIENT INFO), and an address no path with a %: such data directories get a short, plain one.
        if len(os.fsencode(path)) > 100 or not re.fullmatch(r"[A-Za-z0-9/._+@~-]+", str(path)):  # noqa: PLR2004
            digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
            path = Path(tempfile.gettempdir()) / f"scout-{os.getuid()}-{digest}" / "redis.sock"
        return path

    @property
    def redis(self) -> str:
        """The address of the queue's Redis."""
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def statsd(self) -> str:
        """Where samples are sent."""
        return self.statsd_url or f"udp://127.0.0.1:{self.statsd_port}"

    @property
    def exporter(self) -> str:
        """The web address of the statsd_exporter that translates them."""
        return self.statsd_exporter_url or f"http://127.0.0.1:{self.exporter_port}"

    @property
    def pages(self) -> str:
        """The address of the pages, as messages and feeds name it."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def channels_file(self) -> Path:
        """The file that names the channels."""
        return Path(self.channels) if self.channels else self.data_dir / "channels.conf"

    @property
    def pushgateway(self) -> str:
        """The web address of the Pushgateway."""
        return self.pushgateway_url or f"http://127.0.0.1:{self.pushgateway_port}"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment, over those of `.env` in the working folder.

    Raises:
        SettingError: A value cannot be used; the text says which, why and what it takes.
    """
    if environ is None:
        environ = environment()
    values = {}
    for each in fields(Settings):
        variable = each.metadata["variable"]
        text = environ.get(variable, "").strip()
        if each.metadata["secret"]:
            text = _from_file(variable, text, environ)
        if text:
            values[each.name] = _parse(each.name, variable, text)
    return Settings(**values)


def environment() -> dict[str, str]:
    """The environment, over what `.env` in the working folder says."""
    return {**_dotenv(Path(".env")), **os.environ}


def in_file(variable: str) -> str:
    """The variable that names the file of a secret setting, as containers and systemd hand secrets over."""
    return f"{variable}_FILE"


def _from_file(variable: str, text: str, environ: Mapping[str, str]) -> str:
    """A secret setting: what its variable says, or what stands in the file that the other one names.

    An empty file leaves the setting unset, as an empty variable does.

    Raises:
        SettingError: Both are set, or the file cannot be read or used. Its content is not repeated.
    """
    other = in_file(variable)
    name = environ.get(other, "").strip()
    if not name:
        return text
    if text:
        raise SettingError(f"{variable} and {other} are both set: unset one of them.")
    try:
        with Path(name).expanduser().open(encoding="utf-8") as file:
            found = file.read(_LONGEST_SECRET + 1)
    except UnicodeDecodeError:
        raise SettingError(f"{other}={name!r}: the file is not UTF-8 text.") from None
    except OSError as error:
        raise SettingError(
            f"{other}={name!r} cannot be read: {error.strerror}. Name a file that uid {os.getuid()} may "
            f"read, or set {variable} itself."
        ) from None
    # Editors and `echo` end a file with a newline; whatever else stands there is part of the secret.
    found = found.removesuffix("\n").removesuffix("\r")
    if len(found) > _LONGEST_SECRET or re.search(r"[\x00\r\n]", found):
        raise SettingError(f"{other}={name!r}: write one line of at most {_LONGEST_SECRET} characters.")
    return found


def _dotenv(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith("#"):
                found[name.strip()] = value.strip().strip("'\"")
    return found


def _parse(name: str, variable: str, text: str) -> Any:  # noqa: C901, PLR0911, PLR0912 - one case per type
    match name:
        case "data_dir":
            return Path(text).expanduser().absolute()
        case "port" | "statsd_port" | "exporter_port" | "pushgateway_port":
            return _number(variable, text, 1, _HIGHEST_PORT)
        case "web_workers" | "scan_workers":
            return _number(variable, text, 1, 64)
        case "trusted_proxies":
            return _number(variable, text, 0, 10)
        case "scan_interval_minutes":
            return _decimal(variable, text, 0.1, 10080)
        case "quiet_hours":
            return quiet_hours(variable, text)
        case "time_zone":
            return time_zone(variable, text)
        case "reminders":
            return reminders(variable, text)
        case "log_level":
            if text.lower() not in {"debug", "info", "warning", "error"}:
                raise SettingError(f"{variable}={text!r}: write debug, info, warning or error.")
            return text.lower()
        case "log_format":
            if text.lower() not in {"json", "console"}:
                raise SettingError(f"{variable}={text!r}: write json or console.")
            return text.lower()
        case "lease_seconds":
            return _number(variable, text, 2, 3600)
        case "starter_boards":
            if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
                raise SettingError(f"{variable}={text!r}: write 1 or 0.")
            return text.lower() in {"1", "true", "yes"}
        case "origin_overrides":
            return _overrides(variable, text)
        case "allow_private":
            return frozenset(_host_port(variable, part) for part in _parts(text))
        case "metrics_allow":
            return _parts(text)
        case "usajobs_email" | "usajobs_key" | "adzuna_app_id" | "adzuna_app_key":
            return _header_value(variable, text)
        case "json_feeds" | "channels":
            return str(Path(text).expanduser().absolute())
        case (
            "statsd_exporter_url"
            | "pushgateway_url"
            | "prometheus_url"
            | "grafana_url"
            | "public_url"
            | "otlp_endpoint"
        ):
            return _origin(variable, text)
        case "redis_url":
            if urlsplit(text).scheme not in {"redis", "rediss", "unix"}:
                # The value may hold a password, and is not repeated.
                raise SettingError(f"{variable}: write redis://host:port/0, rediss://... or unix:///path.")
            return text
        case "statsd_url":
            found = re.fullmatch(r"udp://[^/]+:(.+)|unixgram:///.+", text)
            if not found or (found[1] and not digits.whole(found[1], _HIGHEST_PORT)):
                raise SettingError(f"{variable}={text!r}: write udp://host:port or unixgram:///path.")
            return text
        case _:
            return text


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _number(variable: str, text: str, least: int, most: int) -> int:
    number = digits.whole(text, most)
    if number is None or number < least:
        raise SettingError(f"{variable}={text!r}: write a whole number from {least} to {most}.")
    return number


def _decimal(variable: str, text: str, least: float, most: float) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or not least <= float(text) <= most:
        raise SettingError(f"{variable}={text!r}: write a number from {least:g} to {most:g}.")
    return float(text)


def _header_value(variable: str, text: str) -> str:
    # They are sent in headers and addresses. The value may be a secret, and is not repeated.
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", text):
        raise SettingError(f"{variable}: write it as it was given to you, without spaces.")
    return text


def _host_port(variable: str, text: str) -> tuple[str, int]:
    host, _, said = text.rpartition(":")
    port = digits.whole(said, _HIGHEST_PORT)
    if not host or port is None:
        raise SettingError(f"{variable}: {text!r} is not host:port.")
    return host.strip("[]").lower(), port


def _origin(variable: str, text: str) -> str:
    split = urlsplit(text)
    if split.scheme not in {"http", "https"} or not split.hostname:
        raise SettingError(f"{variable}={text!r}: write an address such as http://127.0.0.1:9091.")
    return text.rstrip("/")


def quiet_hours(variable: str, text: str) -> str:
    """Quiet hours in their one form, `22:00-07:00`; empty for `none`.

    Raises:
        SettingError: They are not written as hours. `variable` is what it calls them.
    """
    times = re.fullmatch(r"((?:[01]?\d|2[0-3]):[0-5]\d)\s*-\s*((?:[01]?\d|2[0-3]):[0-5]\d)", text, re.ASCII)
    if text.lower() == "none":
        return ""
    if times is None or times[1].zfill(5) == times[2].zfill(5):
        raise SettingError(f"{variable}={text!r}: write two different times, such as 22:00-07:00, or none.")
    return f"{times[1].zfill(5)}-{times[2].zfill(5)}"


def reminders(variable: str, text: str) -> str:
    """An hour and names of channels in their one form, `07:00 phone,mail`.

    Raises:
        SettingError: They are not written so. `variable` is what it calls them.
    """
    match = re.fullmatch(r"((?:[01]?\d|2[0-3]):[0-5]\d)\s+(\S.*)", text, re.ASCII)
    names = _parts(match[2]) if match else ()
    if (
        match is None
        or not names
        or not all(re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", name) for name in names)
    ):
        raise SettingError(
            f"{variable}={text!r}: write a time and names of channels, such as `07:00 phone,mail`."
        )
    return f"{match[1].zfill(5)} {','.join(dict.fromkeys(names))}"


def time_zone(variable: str, text: str) -> str:
    """A time zone by its name.

    Raises:
        SettingError: There is none of this name. `variable` is what it calls it.
    """
    try:
        return zoneinfo.ZoneInfo(text).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingError(
            f"{variable}={text!r}: there is no such time zone. Write a name such as Europe/Berlin, "
            "America/New_York or UTC."
        ) from None


def _overrides(variable: str, text: str) -> Mapping[str, str]:
    found = {}
    for part in _parts(text):
        origin, equals, target = part.partition("=")
        if not equals:
            raise SettingError(f"{variable}: {part!r} is not origin=target.")
        found[_origin(variable, origin)] = _origin(variable, target)
    return found
