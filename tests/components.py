"""The real programs that tests run against: where they are, and how they come here.

`python -m tests.components` uses what is on PATH and brings the rest into `.components/`, without root and
without touching anything else. With `--system` (`make components`) it installs by `apt-get`, as root. It
prints one line for each component, and with `CI=true` a missing one is a failure.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scout.stack.programs import version

TESTS = Path(__file__).resolve().parent
HOME = TESTS.parent / ".components"
FOLDER = HOME / "bin"
#: A Go module for each program that is built: its `tool`, pinned with the hashes of all that it is made of.
_BUILT = TESTS / "go"
#: Where Debian keeps programs that it does not put on PATH.
_OFF_PATH = "/usr/lib/postgresql"
_POLICY = Path("/usr/sbin/policy-rc.d")
#: Seconds that one download or build may take. Compiling the longest takes about two minutes on two cores.
_PATIENCE = 420


@dataclass(frozen=True, slots=True)
class Component:
    """A real program, or a family of programs that come together.

    Attributes:
        name: What people call it.
        programs: Its programs by the names that tests ask for.
        package: The Debian packages that hold it; the first one is its own.
        unpacks: Whether the package works from any folder, without being installed.
        built: Whether Go builds it, as `tests/go/<its program>` says.
        hasty: Whether Go does not optimise it: it is there in half of the time, and nobody waits for it.
    """

    name: str
    programs: tuple[str, ...]
    package: tuple[str, ...] = ()
    unpacks: bool = False
    built: bool = False
    hasty: bool = False


COMPONENTS = (
    Component("Redis", ("redis-server",), ("redis-server",)),
    Component("PostgreSQL", ("initdb", "postgres"), ("postgresql",)),
    Component("statsd_exporter", ("statsd_exporter",), built=True),
    Component("Pushgateway", ("prometheus-pushgateway",), ("prometheus-pushgateway",), unpacks=True),
    Component("Prometheus", ("prometheus", "promtool"), ("prometheus",), unpacks=True),
    Component(
        "Alertmanager", ("prometheus-alertmanager", "amtool"), ("prometheus-alertmanager",), unpacks=True
    ),
    Component("node_exporter", ("prometheus-node-exporter",), ("prometheus-node-exporter",), unpacks=True),
    Component("redis_exporter", ("prometheus-redis-exporter",), ("prometheus-redis-exporter",), unpacks=True),
    Component(
        "postgres_exporter",
        ("prometheus-postgres-exporter",),
        ("prometheus-postgres-exporter",),
        unpacks=True,
    ),
    # `kubectl` has it built in, and is taken where it is.
    Component("kustomize", ("kustomize",), built=True),
    Component("pint", ("pint",), built=True, hasty=True),
    Component("dashboard-linter", ("dashboard-linter",), built=True, hasty=True),
    # The browser without its own window, which costs a third: what it draws and runs is the same.
    Component("Chromium", ("chromium-headless-shell",), ("chromium-headless-shell", "fonts-dejavu-core")),
)

#: Other names under which a program may be on PATH: those of its own project, of other distributions.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "prometheus-pushgateway": ("pushgateway",),
    "prometheus-alertmanager": ("alertmanager",),
    "kustomize": ("kubectl",),
    "chromium-headless-shell": ("chromium", "chromium-browser", "google-chrome"),
}


def find(name: str) -> Path | None:
    """Where a program is: in `.components/bin`, on PATH, beside this Python, or where Debian hides it."""
    places = [str(FOLDER), os.environ.get("PATH", ""), str(Path(sys.executable).parent)]
    # Newest first: Debian keeps one folder for each major version.
    places += [str(place / "bin") for place in sorted(Path(_OFF_PATH).glob("[0-9]*"), reverse=True)]
    for each in (name, *_ALIASES.get(name, ())):
        found = shutil.which(each, path=os.pathsep.join(places))
        if found:
            return Path(found)
    return None


def need(name: str) -> Path:
    """Where a program is; without it the test is skipped, and with `CI=true` it fails."""
    import pytest  # noqa: PLC0415 - `python -m tests.components` needs no pytest

    found = find(name)
    if found is None:
        reason = f"{name} is not here: `make components` brings it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def missing() -> list[Component]:
    """The components of which a program is not here."""
    return [each for each in COMPONENTS if not all(find(program) for program in each.programs)]


# --- Bringing them, without root --------------------------------------------------------------------------


def bring(wanted: Sequence[Component]) -> dict[str, str]:
    """Bring components into `.components/`. Returns why, by name, for those that could not be brought."""
    problems: dict[str, str] = {}
    if wanted:
        FOLDER.mkdir(parents=True, exist_ok=True)
    for each in wanted:
        try:
            if each.built:
                _build(each)
            elif each.unpacks:
                _unpack(each)
            else:
                problems[each.name] = "installing it takes root"
        except subprocess.CalledProcessError as error:
            problems[each.name] = _last_line(error)
        except subprocess.TimeoutExpired as error:
            problems[each.name] = f"{error.cmd[0]} took more than {error.timeout:.0f} s"
        except OSError as error:
            problems[each.name] = f"{error.filename or ''}: {error.strerror}".lstrip(": ")
    return problems


def _last_line(error: subprocess.CalledProcessError) -> str:
    said = (error.stderr or error.output or "").strip().splitlines()
    return f"{Path(str(error.cmd[0])).name}: {said[-1] if said else f'exit code {error.returncode}'}"


def _run(*command: str | Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    return subprocess.run(
        [str(word) for word in command],
        check=True,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
    ).stdout


def _build(component: Component) -> None:
    if shutil.which("go") is None:
        raise FileNotFoundError(2, "Go is not on PATH, and builds it", "")
    (program,) = component.programs
    print(f"  building {component.name} ...", flush=True)
    flags = os.environ.get("GOFLAGS", "")
    environ = {
        "GOMODCACHE": str(HOME / "go-modules"),
        "GOCACHE": os.environ.get("GOCACHE") or str(HOME / "go-build"),
        # Writable, so that `rm -r .components` works: Go makes its module cache read-only otherwise.
        "GOFLAGS": f"{flags} -mod=readonly -modcacherw".strip(),
        "GOTELEMETRY": "off",
    }
    how = ("-gcflags=all=-N -l",) if component.hasty else ()
    _run("go", "build", "-C", _BUILT / program, *how, "-o", f"{FOLDER}/", "tool", environ=environ)


def _unpack(component: Component) -> None:
    package = component.package[0]
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise FileNotFoundError(2, "apt-get and dpkg-deb are not on PATH, and bring it", "")
    print(f"  fetching Debian's {package} ...", flush=True)
    archives = HOME / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    try:
        _run("apt-get", *_apt_options(own_lists=False), "download", package, cwd=archives)
    except subprocess.CalledProcessError:
        # The machine's lists are empty or stale: read the lists again, into our folder.
        _run("apt-get", *_apt_options(own_lists=True), "update")
        _run("apt-get", *_apt_options(own_lists=True), "download", package, cwd=archives)
    archive = max(archives.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
    _run("dpkg-deb", "-x", archive, HOME / "unpacked")
    for program in component.programs:
        link = FOLDER / program
        link.unlink(missing_ok=True)
        link.symlink_to(Path("..") / "unpacked" / "usr" / "bin" / program)


def _apt_options(*, own_lists: bool) -> list[str]:
    apt = HOME / "apt"
    (apt / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::Cache": f"{apt / 'cache'}/",
        "Debug::NoLocking": "1",
        # As root, apt-get would drop to a user who may not read this folder.
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "2",
    }
    if own_lists:
        (apt / "state" / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        options["Dir::State"] = f"{apt / 'state'}/"
        options["Dir::State::status"] = "/var/lib/dpkg/status"
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


# --- Installing them, as root -----------------------------------------------------------------------------


def not_of_the_system() -> list[Component]:
    """The components that are missing, or of which only the Python package's copy is here."""
    beside = Path(sys.executable).parent
    return [
        each
        for each in COMPONENTS
        if any((where := find(program)) is None or where.parent == beside for program in each.programs)
    ]


def install(wanted: Sequence[Component]) -> dict[str, str]:
    """Install by `apt-get` what Debian has, and bring the rest. Returns why, by name, where that failed."""
    packages = [name for each in wanted for name in each.package]
    if packages and os.geteuid() != 0:
        print("  not root: bringing only what works without")
    elif packages and shutil.which("apt-get") is None:
        print("  no apt-get here: bringing only what works without")
    elif packages:
        try:
            with _no_services():
                environ = {"DEBIAN_FRONTEND": "noninteractive"}
                print("  apt-get update ...", flush=True)
                _run("apt-get", "-q", "update", environ=environ)
                print(f"  apt-get install {' '.join(packages)} ...", flush=True)
                _run("apt-get", "-qy", "--no-install-recommends", "install", *packages, environ=environ)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            told = _last_line(error) if isinstance(error, subprocess.CalledProcessError) else str(error)
            print(f"  {told}")
    return bring([each for each in wanted if each in missing()])


@contextmanager
def _no_services() -> Iterator[None]:
    """Let installed packages start nothing: their services would take the very ports that the tests look at.

    Debian's `invoke-rc.d` asks that program, and 101 means "do not" (invoke-rc.d(8)).
    """
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink()


# --- Telling ----------------------------------------------------------------------------------------------


def asking(program: str) -> list[str]:
    """The test files that ask for a program by name, relative to `tests/`."""
    call = re.compile(rf"""\b(?:need|find)\(["']{re.escape(program)}["']\)""")
    files = (path for path in sorted(TESTS.rglob("*.py")) if path != Path(__file__).resolve())
    return [str(path.relative_to(TESTS)) for path in files if call.search(path.read_text(encoding="utf-8"))]


def _line(component: Component, problems: Mapping[str, str]) -> str:
    where = [find(program) for program in component.programs]
    if where[0] and all(where):
        return f"{component.name:<17} real     {version(where[0]):<18} {where[0]}"
    skipped = sorted({file for program in component.programs for file in asking(program)})
    why = problems.get(component.name, "not found")
    return f"{component.name:<17} MISSING  ({why}); skipped for it: {', '.join(skipped) or 'nothing yet'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring what is missing, print a line for each component; 1 with `CI=true` when one is still missing."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.components", description="The tests' real programs."
    )
    parser.add_argument("--system", action="store_true", help="install by apt-get, as root")
    system = parser.parse_args(arguments).system
    problems = install(not_of_the_system()) if system else bring(missing())
    with ThreadPoolExecutor() as pool:
        for line in pool.map(lambda each: _line(each, problems), COMPONENTS):
            print(line, flush=True)
    return 1 if missing() and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
