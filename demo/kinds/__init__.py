"""The kinds of board that the simulator plays. To add one: a class in a module here, and its line below."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from demo.kinds.ashby import Ashby
from demo.kinds.at_once import Breezy, Comeet, Personio, Pinpoint, Recruitee, Teamtailor, Workable
from demo.kinds.feeds import Feed, WeWorkRemotely
from demo.kinds.gathering import (
    Adzuna,
    Arbeitnow,
    Himalayas,
    Jobicy,
    RemoteOk,
    Remotive,
    TheMuse,
    UsaJobs,
    WorkingNomads,
)
from demo.kinds.greenhouse import Greenhouse
from demo.kinds.in_detail import BambooHR, Rippling, SmartRecruiters, Workday
from demo.kinds.kind import Ask, Board, Kind
from demo.kinds.lever import Lever
from demo.kinds.own_sites import JobPostingPage, Mapped, Sitemap
from demo.kinds.threads import HackerNews

__all__ = ["EMPLOYERS", "KINDS", "Ask", "Board", "Kind"]

#: Every kind by its name. The first are those that many employers use.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Greenhouse(),
            Lever(),
            Ashby(),
            SmartRecruiters(),
            Workday(),
            Workable(),
            Recruitee(),
            Teamtailor(),
            Personio(),
            BambooHR(),
            Breezy(),
            Pinpoint(),
            Rippling(),
            Comeet(),
            Remotive(),
            RemoteOk(),
            Himalayas(),
            Jobicy(),
            Arbeitnow(),
            TheMuse(),
            WorkingNomads(),
            WeWorkRemotely(),
            UsaJobs(),
            Adzuna(),
            HackerNews(),
            Feed(),
            Sitemap(),
            JobPostingPage(),
            Mapped(),
        )
    }
)
#: Those whose boards are one employer's each.
EMPLOYERS = tuple(name for name, kind in KINDS.items() if not kind.tokens)
