r"""How well a profile tells wanted postings from others: against labelled rows, in files that people write.

A file is named for its profile (`iam.tsv`) and tab-separated. The first line names the columns: `wanted`
(`yes` or `no`, as a person who looks for that work would say), `title`, `company`, `department`, `text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scout.errors import ScoutError
from scout.matching.profile import Profile
from scout.matching.scoring import score
from scout.normalise import completed
from scout.postings import Posting

#: So many are looked at first: the best of the list.
FIRST = 20
#: From this score on a posting counts as found.
FOUND = 30

_COLUMNS = ["wanted", "title", "company", "department", "text"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A posting, what a person said of it, and what the profile did."""

    posting: Posting
    wanted: bool
    score: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How a profile did.

    Attributes:
        profile: Its name.
        rows: All postings, best first.
    """

    profile: str
    rows: tuple[Labelled, ...]

    @property
    def precision_of_first(self) -> float:
        """The share of wanted ones among the best `FIRST`."""
        return self._share_wanted(self.rows[:FIRST])

    @property
    def precision(self) -> float:
        """The share of wanted ones among those found."""
        return self._share_wanted(self.found)

    @property
    def recall(self) -> float:
        """The share of wanted ones that were found."""
        wanted = [each for each in self.rows if each.wanted]
        return sum(each.score >= FOUND for each in wanted) / len(wanted) if wanted else 1.0

    @property
    def found(self) -> tuple[Labelled, ...]:
        """Those that score `FOUND` or more."""
        return tuple(each for each in self.rows if each.score >= FOUND)

    @property
    def misses(self) -> tuple[Labelled, ...]:
        """Wanted ones that were not found, and others that were."""
        return tuple(each for each in self.rows if each.wanted is not (each.score >= FOUND))

    @staticmethod
    def _share_wanted(rows: tuple[Labelled, ...]) -> float:
        return sum(each.wanted for each in rows) / len(rows) if rows else 1.0


def measure(profile: Profile, file: Path) -> Figures:
    """The figures of a profile on the rows of a file.

    Raises:
        ScoutError: The file is not one of labelled postings.
    """
    rows = [Labelled(posting, wanted, score(posting, profile).score) for posting, wanted in labelled(file)]
    # Of equal scores the unwanted go first: chance must not make the figures better.
    rows.sort(key=lambda each: (-each.score, each.wanted))
    return Figures(profile.name, tuple(rows))


def labelled(file: Path) -> list[tuple[Posting, bool]]:
    """The postings of a file, each with whether it is wanted.

    Raises:
        ScoutError: The file is not one of labelled postings.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScoutError(f"The labelled postings {file} cannot be read: {error}.") from error
    if not lines or lines[0].split("\t") != _COLUMNS:
        raise ScoutError(
            f"{file}: the first line must name the columns {', '.join(_COLUMNS)}, tab-separated."
        )
    found = []
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        if len(cells) != len(_COLUMNS) or cells[0] not in {"yes", "no"}:
            raise ScoutError(f"{file}, line {number}: five cells are meant, and the first says yes or no.")
        found.append((_posting(number, cells), cells[0] == "yes"))
    return found


def _posting(number: int, cells: list[str]) -> Posting:
    _, title, company, department, text = cells
    return completed(
        Posting(
            source_job_id=str(number),
            title=title,
            company=company,
            url="",
            department=department,
            description_text=text.replace("\\n", "\n"),
        )
    )
