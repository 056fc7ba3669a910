"""What a kind of board may say of itself beside what every kind must, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from scout.courtesy import POLITE, Policy
from scout.fetch import FetchError, check
from scout.settings import Settings
from scout.sources.board import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a kind may say of itself, as its attribute `about`.

    Attributes:
        fills: The fields of a posting that its answers can fill, beside id, title, company and link.
        searches: The words of a search that a board of this kind may be narrowed by.
        settings: The settings that must be set before it is read: it is off without them.
        gathers: Whether it gathers many companies' jobs, rather than listing those of one.
        policy: How its origins are asked, where its terms say less than two requests a second, two at once.
        robots: Whether it reads pages that were not made for programs, and so asks the site's robots file.
        daily: How many scans in any 24 hours its terms allow; 0 where they say nothing of that.
    """

    fills: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    gathers: bool = False
    policy: Policy = POLITE
    robots: bool = False
    daily: int = 0


def about(kind: Kind) -> About:
    """What a kind says of itself beside what every kind must."""
    told = getattr(kind, "about", None)
    return told if isinstance(told, About) else About()


def unset(kind: Kind, settings: Settings) -> tuple[str, ...]:
    """The settings without which a kind is off, and which are not set."""
    values = {each.metadata["variable"]: getattr(settings, each.name) for each in fields(Settings)}
    return tuple(variable for variable in about(kind).settings if not values[variable])


def off(kind: Kind, settings: Settings) -> str:
    """Why a kind is not read now, in a sentence for the owner; empty when it is."""
    missing = unset(kind, settings)
    if not missing:
        return ""
    return (
        f"{kind.title} is read with keys of your own, and is off until {' and '.join(missing)} "
        f"{'are' if len(missing) > 1 else 'is'} set (docs/CONFIGURATION.md)."
    )


def origins(kind: Kind, *, url: str, token: str) -> tuple[str, ...]:
    """The origins that a board is asked at, whichever the kind: those that its kind shares, else its own.

    Args:
        kind: Its kind.
        url: The board's public page.
        token: How the kind names it.
    """
    # Where each board has a host of its own, or the token is the address, the board's own origin counts.
    shared = tuple(origin for origin in kind.origins if "*" not in origin)
    if shared:
        return shared
    try:
        return (check(url if kind.origins else token).origin,)
    except FetchError:
        return ()
