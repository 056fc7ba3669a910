"""Matching: how well a posting fits a profile, and why.

A profile is data (`scout/profiles/*.yaml`; docs/PROFILES.md): words of a trade, what each is worth in the
title, the department or the description, what must or must not stand beside it; and wishes of place, remote
work, pay, level, company, language and age, each with points and a reason of its own.
"""

from __future__ import annotations

from scout.matching.profile import Profile, ProfileUnusable, Term
from scout.matching.profile_file import DEFAULT, load_profile, names, parse_profile, text_of
from scout.matching.scoring import VERSION, Match, band, fingerprint, score
from scout.matching.stored import posting_of

__all__ = [
    "DEFAULT",
    "VERSION",
    "Match",
    "Profile",
    "ProfileUnusable",
    "Term",
    "band",
    "fingerprint",
    "load_profile",
    "names",
    "parse_profile",
    "posting_of",
    "score",
    "text_of",
]
