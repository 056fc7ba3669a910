"""What follows from a posting's own words: done once for all kinds of board, after a source's parser."""

from __future__ import annotations

import dataclasses

from scout.normalise.languages import language
from scout.normalise.levels import level
from scout.normalise.pay import salary_in_text
from scout.normalise.places import places
from scout.normalise.remoteness import remote_regions
from scout.postings import Posting, Remote


def completed(posting: Posting) -> Posting:
    """The posting with its places, remote regions, level, language and pay, where its source gave none.

    The source's own values stay. Regions are told of remote work only; pay out of the text says of itself
    that it is `parsed`.
    """
    found = posting.places or places(posting.locations)
    regions = posting.remote_regions
    if not regions and posting.remote is Remote.REMOTE:
        regions = remote_regions(places=found, title=posting.title, text=posting.description_text)
    return dataclasses.replace(
        posting,
        places=found,
        remote_regions=regions,
        level=posting.level or level(posting.title),
        language=posting.language or language(posting.description_text),
        salary=posting.salary or salary_in_text(posting.description_text),
    )
