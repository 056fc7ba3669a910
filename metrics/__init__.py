"""What we measure, and how it leaves the process."""

from metrics.client import flush, start, stop

__all__ = ["flush", "start", "stop"]
