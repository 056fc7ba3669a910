"""From the many ways in which boards say one thing to the one way in which we keep it: a module a field."""

from __future__ import annotations

from scout.normalise.companies import company_key, company_of
from scout.normalise.completing import completed
from scout.normalise.dates import when
from scout.normalise.employment import employment_type
from scout.normalise.languages import language
from scout.normalise.levels import LEVELS, level
from scout.normalise.pay import amount, period, salary, salary_in_text
from scout.normalise.places import locations, place, places
from scout.normalise.remoteness import remote, remote_field, remote_regions
from scout.normalise.text import identifier, line, public_url
from scout.normalise.titles import plain_title, title_key

__all__ = [
    "LEVELS",
    "amount",
    "company_key",
    "company_of",
    "completed",
    "employment_type",
    "identifier",
    "language",
    "level",
    "line",
    "locations",
    "period",
    "place",
    "places",
    "plain_title",
    "public_url",
    "remote",
    "remote_field",
    "remote_regions",
    "salary",
    "salary_in_text",
    "title_key",
    "when",
]
