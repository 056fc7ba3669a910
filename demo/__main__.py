"""The command line of the simulator: `python -m demo` serves, `python -m demo browse` visits the pages."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import signal
import sys
import threading
from pathlib import Path

from demo.boards import BOARDS, UnknownKindError, overrides
from demo.server import Simulator


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator or the visitor.

    Returns:
        0 when it ended as asked, 1 when it could not begin.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["browse"]:
        return _browse(given[1:])
    if given[:1] == ["describe"]:
        return _describe(given[1:])
    return _serve(given)


def _describe(given: list[str]) -> int:
    """Print, as JSON, how a scout is pointed at the simulator: `overrides`, and the `boards` to watch."""
    parser = argparse.ArgumentParser(
        prog="python -m demo describe", description="Prints what a scout needs to know, as JSON."
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:8800", help="where the simulator will be (default: %(default)s)"
    )
    options = parser.parse_args(given)
    told = {"overrides": overrides(options.url), "boards": [board.url for board in BOARDS]}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def _serve(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Plays job boards of every kind that the scout reads, on one port.",
        epilog="`python -m demo browse --help` is a small visitor of the pages.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8800, help="port; 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=7, help="another seed is another world (default: %(default)s)"
    )
    parser.add_argument(
        "--tick",
        type=float,
        default=15,
        help="seconds between changes; 0: only by hand (default: %(default)s)",
    )
    parser.add_argument("--boards", type=int, default=len(BOARDS), help="how many (default: %(default)s)")
    parser.add_argument(
        "--postings", type=int, default=40, help="postings per board, about (default: %(default)s)"
    )
    parser.add_argument(
        "--churn", type=int, default=120, help="average life of a posting, in ticks (default: %(default)s)"
    )
    parser.add_argument(
        "--faults", choices=("none", "mild"), default="none", help="mild: now and then a board misbehaves"
    )
    parser.add_argument(
        "--epoch", type=_moment, help="time of tick 0, ISO 8601 with offset (default: the last full hour)"
    )
    parser.add_argument(
        "--cache-mb", type=int, default=256, help="megabytes of ready answers to keep (default: %(default)s)"
    )
    parser.add_argument(
        "--warm", action="store_true", help="make every answer first, and serve it from a file"
    )
    parser.add_argument("--long", action="store_true", help="texts as long as those of real postings")
    parser.add_argument("--no-validators", action="store_true", help="answer without ETags")
    parser.add_argument(
        "--kinds",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="A,B",
        help="kinds of the boards, in turn, all of them invented; unset, those of the demo and more",
    )
    options = parser.parse_args(given)
    try:
        simulator = Simulator(
            host=options.host,
            port=options.port,
            seed=options.seed,
            tick=options.tick,
            boards=options.boards,
            postings=options.postings,
            churn=options.churn,
            mild=options.faults == "mild",
            epoch=options.epoch,
            cache_bytes=options.cache_mb * 1024 * 1024,
            warm=options.warm,
            validators=not options.no_validators,
            kinds=options.kinds,
            long=options.long,
        )
    except UnknownKindError as error:
        sys.stderr.write(f"--kinds: {error}\n")
        return 1
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.stderr.write(
            f"The board simulator cannot listen on {options.host}:{options.port}: {reason}. "
            "Choose another port with --port.\n"
        )
        return 1
    end = _until_stopped()
    with simulator:
        pace = f"a tick every {options.tick:g} s" if options.tick > 0 else "ticks by hand"
        sys.stdout.write(
            f"Board simulator on {simulator.url}: {len(simulator.boards)} boards of some {options.postings} "
            f"postings, seed {options.seed}, {pace}\n"
        )
        sys.stdout.flush()
        end.wait()
    return 0


def _browse(given: list[str]) -> int:
    from demo.browse import Visitor  # noqa: PLC0415 - the server does not need it

    parser = argparse.ArgumentParser(
        prog="python -m demo browse", description="Signs in and looks around, one or two pages a second."
    )
    parser.add_argument(
        "--url", default="http://127.0.0.1:5000", help="where the pages are (default: %(default)s)"
    )
    parser.add_argument(
        "--password-file", type=Path, required=True, help="file whose first line is the password"
    )
    parser.add_argument("--seconds", type=float, help="how long; by default until it is stopped")
    parser.add_argument(
        "--seed", type=int, default=7, help="another seed is another walk (default: %(default)s)"
    )
    options = parser.parse_args(given)
    visitor = Visitor(options.url, options.password_file, seed=options.seed, stop=_until_stopped())
    return visitor.run(options.seconds)


def _until_stopped() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    return end


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("needs an offset, such as 2026-01-01T00:00:00+00:00")
    return moment.astimezone(dt.UTC)


if __name__ == "__main__":
    sys.exit(main())
