"""Runs the benchmarks: all, or those named. `python -m benchmarks client`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main() -> None:
    """Run each module of this package that has a `run()`."""
    asked = sys.argv[1:]
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    unknown = set(asked) - set(names)
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(sorted(names))}.")
    for name in names:
        if name.startswith("_") or (asked and name not in asked):
            continue
        run = getattr(importlib.import_module(f"benchmarks.{name}"), "run", None)
        if run is not None:
            print(f"== {name}", flush=True)
            run()


if __name__ == "__main__":
    main()
