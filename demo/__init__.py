"""A simulator of job boards, for the demo, the tests and the benchmarks.

`python -m demo` serves it, `python -m demo browse` is a small visitor of the pages. Both use the standard
library alone, and nothing of the rest of the project.
"""

from demo.boards import BOARDS, ORIGINS, Board, boards, overrides

__all__ = ["BOARDS", "ORIGINS", "Board", "boards", "overrides"]
