"""Runs the benchmarks: all, or those named. `python -m benchmarks client`."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

import benchmarks
from benchmarks import measure

#: The modules that are no benchmarks: the way here, and what they share.
_SHARED = {"__main__", "measure", "programs"}


def main() -> None:
    """Run them one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast, and beside whom?")
    parser.add_argument("names", nargs="*", help="which ones; all, if none is named")
    parser.add_argument(
        "--short", action="store_true", help="see that they run: sizes so small that the figures say nothing"
    )
    parser.add_argument("--results", type=Path, default=measure.RESULTS, help="where the JSON goes")
    asked = parser.parse_args()
    if asked.short and asked.results == measure.RESULTS:
        parser.error("--short needs --results: its figures are not to be kept among the real ones")
    measure.RESULTS = asked.results
    names = [each.name for each in pkgutil.iter_modules(benchmarks.__path__) if each.name not in _SHARED]
    unknown = set(asked.names) - set(names)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in asked.names or names:
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        module.run(**getattr(module, "SHORT", {}) if asked.short else {})


if __name__ == "__main__":
    main()
