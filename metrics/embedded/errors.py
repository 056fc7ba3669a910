"""What can keep an embedded program from starting."""


class StartError(Exception):
    """A program cannot start, or cannot take its new mapping. Its text says what, why, and what to do."""
