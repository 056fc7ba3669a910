# One-liners over the `scout` command. `make run` and `make test` are all that a fresh machine needs: Python 3.11
# or newer, and nothing else. 3.12 and 3.11 are preferred, as the Redis that comes in a wheel stops there.
PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo "$$p" && break; done)
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet
# Three on two cores: a third of the time tests wait for other programs. Those that start the whole stack share a
# group, so that two of them do not starve each other.
PYTEST = .venv/bin/python -m pytest -n 3 --dist loadgroup
# A browser or a server fails for a busy machine's sake once in some thousand times: three tests in all have a second
# chance, and each that took it is told with what it failed of. More are no accident, and what fails in a unit is none.
SECOND_CHANCE = --reruns 1 --max-suite-reruns 3 --rerun-exclude-path tests/unit --rerun-show-tracebacks -raR

.PHONY: help setup setup-dev setup-bench run demo test mutants drill quickstart docs components lint format bench lock
help:                 ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

setup: .venv/.installed   ## make .venv and install
setup-dev: .venv/.dev-installed
setup-bench: .venv/.bench-installed

.venv/.installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed. Here is: $$(python3 --version 2>&1 || echo none)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing into .venv with $$("$(PYTHON)" --version); this takes about a minute, once ..."
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@.venv/bin/python -m compileall -q metrics scout webapp workers demo || true
	@touch $@

.venv/.dev-installed: .venv/.installed requirements-dev.txt
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

.venv/.bench-installed: .venv/.dev-installed requirements-bench.txt
	@$(PIP) install --require-hashes -r requirements-bench.txt
	@touch $@

run: setup            ## start everything, first scan included
	@.venv/bin/scout up

demo: setup           ## the same against the board simulator: no network needed
	@.venv/bin/scout demo

test: setup-bench     ## every test; prints what was skipped and why
	@.venv/bin/python -m tests.components
	@$(PYTEST) $(SECOND_CHANCE)

mutants: setup-dev    ## take out each emission of a metric in turn: a test must miss it
	@.venv/bin/python -m tests.components
	@.venv/bin/python -m tests.mutation

drill: setup-dev      ## live faults on the real stack: each alert must come and go
	@.venv/bin/python -m tests.components
	@.venv/bin/python -m tests.drills

quickstart: setup-dev ## follow docs/MONITORING_QUICKSTART.md with all its waits; takes ten minutes
	@.venv/bin/python -m tests.quickstart

docs: setup-dev       ## the documents as a site, in site/
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet && echo "Built site/index.html."

components: setup-dev ## every real component, on a Debian-like machine, as root
	@.venv/bin/python -m tests.components --system

lint: setup-dev       ## style, types, import rules, drift of everything generated
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/scout metrics mapping --check
	@.venv/bin/scout metrics docs --check
	@.venv/bin/scout metrics rules --check
	@.venv/bin/scout metrics dashboards --check
	@.venv/bin/python -m scout.stack.configuration --check

format: setup-dev     ## put everything into the one style
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: setup-bench    ## the benchmarks, beside peers
	@.venv/bin/python -m benchmarks

lock:                 ## pin the requirements with hashes; needs uv
	@uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" requirements.in -o requirements.txt
	@uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt
	@uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" requirements-bench.in -o requirements-bench.txt
