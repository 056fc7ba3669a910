"""Errors that are meant for people."""


class ScoutError(Exception):
    """Something that the user can understand and act on.

    Its text says what failed, why, and what to do. The command line prints it as one line and exits with 1,
    pages show it as a message; neither shows a traceback.
    """
