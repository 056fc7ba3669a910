"""What can keep an embedded program from starting."""


class StartError(Exception):
    """A program cannot start, or cannot take its new mapping. The text says what failed, why, and what to do."""
