"""Why the stack could not start, or did not go on."""

from __future__ import annotations

from scout.errors import ScoutError


class CannotStart(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """Something that must be there is not. The text says what, why, and which setting or step helps."""


class PartEnded(ScoutError):  # noqa: N818 - reads as the sentence that it is
    """A part ended by itself, and the rest was stopped. The text names the part and how it ended.

    Attributes:
        part: Its name in the Procfile.
    """

    def __init__(self, part: str, how: str, hint: str = "its last lines are above") -> None:
        super().__init__(f"{part} ended by itself ({how}), so everything was stopped; {hint}.")
        self.part = part
        self.how = how
