"""No secret is written to the log: this is the last net, under messages that should hold none.

It knows two ways: values that are secrets by the settings, and what secrets look like or stand after.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from urllib.parse import quote, unquote, urlsplit

from scout.settings import Settings

REDACTED = "[redacted]"
#: A shorter value of a setting is no secret worth the name, and would blank out ordinary words.
_SHORTEST = 6

#: Names of fields, of parameters and of headers whose values are secrets.
_NAMES = (
    r"[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|app[_-]?key|app[_-]?id|signature|cookie|csrf"
    r"|credential|scout_session)[\w-]*|pwd|authorization(?:-key)?|proxy-authorization"
)
_NAMED = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)

#: Schemes of addresses that are told, but for who signs in. Others carry messages: nothing of them is told.
_PLAIN = r"https?|rediss?|unix|unixgram|udp|tcp|postgres\w*(?:\+\w+)?|sqlite|file"

#: What is replaced, in this order; each begins with what is kept.
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), rf"\1{REDACTED}")
    for pattern in (
        # Headers: all that follows, to the end of the line or of the quotes.
        r"(\b(?:proxy-)?authorization(?:-key)?['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+",
        r"(\b(?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+",
        r"(\b(?:bearer|basic)\s+)(?=[\w.~+/-]*[\d=_.-])[\w.~+/-]{8,}=*",
        # Addresses: who signs in; the whole of what carries a message; paths that are secrets.
        r"(://)(?!\[redacted\]@)[^\s/?#'\"<>]*(?=@)",
        rf"((?<![\w+.-])(?!(?:{_PLAIN})://)[a-z][a-z0-9+.-]*://)[^\s'\"<>]+",
        r"(/feeds/(?:calendar/)?)(?!calendar/|\{|<)[^\s/'\"?#]+",
        r"(/(?:services|webhooks|hooks)/)[^\s'\"<>]+",
        r"(/bot)\d+:[\w-]+",
        r"(\bwith url: )\S+",
        # Names with their values, in addresses, dictionaries and texts.
        rf"((?<![\w-])(?:{_NAMES})['\"]?\s*[=:]\s*['\"]?)(?!\[redacted\])[^\s&'\",;)}}\]]+",
        r"([?&](?:key|sig|auth|code|otp|pass|pw)=)[^\s&'\"]+",
        # Our tokens, and those that say themselves what they are.
        r"(\bscout_[a-z0-9]{8}_)[\w-]{16,}",
        r"(\b)eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
    )
)
#: Without one of these in it, no rule can match: most lines are done with one look.
_SUSPICIOUS = re.compile(
    r"://|[=:]|\bbearer\b|\bbasic\b|/feeds/|/services/|/webhooks/|/hooks/|/bot\d|scout_|eyJ", re.IGNORECASE
)


class Redactor:
    """Takes secrets out of texts.

    Args:
        known: Values that are secrets, whatever stands around them.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        wanted = {form for each in known for form in (each, quote(each, safe="")) if len(each) >= _SHORTEST}
        longest_first = sorted(wanted, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if wanted else None

    def text(self, text: str) -> str:
        """The same text without secrets."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        if _SUSPICIOUS.search(text):
            for pattern, kept in _RULES:
                text = pattern.sub(kept, text)
        return text

    def value(self, name: str, value: object) -> object:
        """What a field of this name is written as."""
        if isinstance(value, bool | int | float) or value is None:
            return value
        if _is_secret(name):
            return REDACTED
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {str(key): self.value(str(key), each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(name, each) for each in value]
        return self.text(str(value))


@functools.lru_cache(256)
def _is_secret(name: str) -> bool:
    return _NAMED.fullmatch(name) is not None


def of_settings(settings: Settings) -> Redactor:
    """A redactor that knows the secrets of these settings, and the passwords in their addresses."""
    known = set()
    for each in fields(Settings):
        value = getattr(settings, each.name)
        if each.metadata["secret"] and isinstance(value, str) and value:
            known.add(value)
            try:
                password = urlsplit(value).password
            except ValueError:
                password = None
            known |= {password, unquote(password)} if password else set()
    return Redactor(known)
