"""Runs the benchmarks, the modules with a `run`: all, or those named. `python -m benchmarks client`."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks import measure


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
    # Asked without importing: most of them load an application.
    files = sorted(Path(__file__).parent.glob("*.py"))
    names = [file.stem for file in files if "\ndef run(" in file.read_text(encoding="utf-8")]
    unknown = set(asked.names) - set(names)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in asked.names or names:
        print(f"== {name}", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        module.run(**getattr(module, "SHORT", {}) if asked.short else {})


if __name__ == "__main__":
    main()
