# One-liners over the `scout` command. `make run` and `make test` are all that a fresh machine needs.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP = .venv/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: setup setup-dev run demo test components lint format bench lock

setup: .venv/.installed
setup-dev: .venv/.dev-installed

.venv/.installed: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none is on PATH."; exit 1; }
	@echo "Installing into .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev-installed: .venv/.installed requirements-dev.txt
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

run: setup            ## start everything, first scan included
	@.venv/bin/scout up

demo: setup           ## the same against the board simulator: no network needed
	@.venv/bin/scout demo

test: setup-dev       ## every test; prints what was skipped and why
	@.venv/bin/python -m tests.components
	@.venv/bin/python -m pytest

components: setup-dev ## every real component, on a Debian-like machine, as root
	@.venv/bin/python -m tests.components --system

lint: setup-dev       ## style, types, import rules, drift of everything generated
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/scout metrics mapping --check

format: setup-dev
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: setup-dev      ## the benchmarks, beside peers
	@.venv/bin/python -m benchmarks

lock:                 ## pins requirements with hashes; needs uv
	@uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" requirements.in -o requirements.txt
	@uv pip compile --quiet --no-emit-index-url --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt
