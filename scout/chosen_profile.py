"""Which profile is in use: what the setting names, else what the owner chose, else the usual one.

The choice is kept in the database, so that every process on every machine hears of it: each asks anew when it
begins a scan or a batch of scoring, and the scheduler has what is stored scored again (`scout.rescoring`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sqlalchemy.orm import Session

from scout import clock, matching, settings
from scout.errors import ScoutError
from scout.matching import DEFAULT, Profile, ProfileUnusable
from scout.models import Setup

#: What stands for the owner's own profile where one is chosen by name.
MINE = "own"
#: What errors call it.
OWN = "of your own"
#: The most letters that a profile may have; the longest of the program's has a tenth of that.
LONGEST = 200_000


class Origin(enum.StrEnum):
    """What says which profile is in use."""

    SETTING = "setting"
    CHOICE = "choice"
    DEFAULT = "default"


class SettingWins(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """The profile is named by the setting SCOUT_PROFILE, so it cannot be chosen here."""


@dataclass(frozen=True, slots=True)
class InUse:
    """The profile in use.

    Attributes:
        origin: What says so.
        name: The name of a profile of the program, the path of a file, or empty for the owner's own text.
        text: The owner's own text, or empty.
        profile: It, ready for matching; None if it cannot be used.
        problem: Why it cannot be used, or empty.
    """

    origin: Origin
    name: str
    text: str
    profile: Profile | None
    problem: str = ""


def in_use(session: Session) -> Profile:
    """The profile in use, ready for matching.

    Raises:
        ProfileUnusable: It cannot be found or used.
    """
    if settings.load().profile:
        return matching.load_profile()
    chosen = session.get(Setup, 1)
    if chosen is not None and chosen.profile_text:
        return matching.parse_profile(chosen.profile_text, OWN)
    if chosen is not None and chosen.profile:
        return matching.load_profile(chosen.profile)
    return matching.load_profile()


def told(session: Session) -> InUse:
    """The profile in use, and what says so; one that cannot be used is told of, not raised."""
    setting = settings.load().profile
    chosen = session.get(Setup, 1)
    text = "" if setting or chosen is None else chosen.profile_text
    name = setting or ("" if text or chosen is None else chosen.profile)
    chosen_by = Origin.CHOICE if name or text else Origin.DEFAULT
    origin = Origin.SETTING if setting else chosen_by
    name = name or ("" if text else DEFAULT)
    try:
        return InUse(origin, name, text, in_use(session))
    except ProfileUnusable as error:
        return InUse(origin, name, text, None, str(error))


def checked(name: str, text: str) -> Profile:
    """The profile that a name, or else a text, means.

    Raises:
        ProfileUnusable: There is none of this name, or something in the text is wrong; it says where.
    """
    if text.strip():
        if len(text) > LONGEST:
            raise ProfileUnusable(f"A profile may have {LONGEST:,} letters; this one has {len(text):,}.")
        return matching.parse_profile(text, OWN)
    if name == MINE:
        raise ProfileUnusable("Write your own profile, or choose one of the others.")
    # By name alone: a path would let whoever is signed in read files of this machine.
    if name not in matching.names():
        raise ProfileUnusable(f"There is no profile {name!r}: choose one of {', '.join(matching.names())}.")
    return matching.load_profile(name)


def choose(session: Session, name: str = "", text: str = "") -> Profile:
    """Use another profile from now on. What is stored is scored again by itself.

    Args:
        session: A read-write session.
        name: The name of a profile of the program.
        text: One's own, as docs/PROFILES.md tells; where there is one, the name does not count.

    Raises:
        ProfileUnusable: It cannot be used; the text says why. Nothing is changed.
        SettingWins: The setting SCOUT_PROFILE names one.
    """
    if settings.load().profile:
        raise SettingWins(
            "SCOUT_PROFILE names the profile, and counts before what is chosen here. Unset it to choose."
        )
    profile = checked(name, text)
    chosen = session.get(Setup, 1) or Setup(id=1)
    own = text if text.strip() else ""
    chosen.profile, chosen.profile_text, chosen.profile_at = "" if own else name, own, clock.now()
    session.add(chosen)
    session.flush()
    return profile
