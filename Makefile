# The front door. `make` alone says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# PYTHON=/path/to/python3.11 chooses one; otherwise the first that is new enough.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$each" && break; done)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --require-hashes --requirement
PACKAGE := $(PIP) install --no-deps --no-build-isolation --editable .
TESTS ?= tests
POSTGRESQL_TESTS ?= tests/actions tests/api
# One more than the cores of a small machine: tests wait a good deal for the processes they start. Those on PostgreSQL
# start none, and run beside the others.
PYTEST_WORKERS ?= 3
POSTGRESQL_WORKERS ?= 2
# Everything here starts Python many times; not to keep what it compiles would cost each of them a quarter of a second.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up test check bench lock reference clean venv venv-dev system pytest postgresql

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

up: venv ## Start Strongroom; Ctrl-C stops it, state is kept in ./var (STRONGROOM_HOME)
	@exec $(BIN)/python -m strongroom.runtime up --with-parent

test: venv-dev system ## Install what the tests need and run everything (TESTS=tests/core for a part)
	@MAKE="$(MAKE)" $(BIN)/python -m tests.everything

check: venv-dev ## Style, types, import contracts, generated pages, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m strongroom.runtime.reference --check
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django makemigrations --check --dry-run strongroom

pytest: venv-dev
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup $(TESTS)

# What reaches the database, once more on PostgreSQL, in a cluster that is thrown away.
postgresql: venv-dev
	@$(BIN)/python -m tests.postgres pytest -n $(POSTGRESQL_WORKERS) $(POSTGRESQL_TESTS)

bench: venv-dev ## Measure; results go to docs/reference/performance.md
	@sh tests/system-packages.sh bench
	@$(BIN)/python -m bench

reference: venv-dev ## Write the generated pages under docs/reference
	@$(BIN)/python -m strongroom.runtime.reference

# Locks hold versions and hashes and no index address. Needs `uv` (https://docs.astral.sh/uv/); UV=/path/to/uv.
UV ?= uv
COMPILE := $(UV) pip compile pyproject.toml --quiet --no-header --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links
lock: ## Resolve the requirements anew (UPGRADE=--upgrade takes newer versions)
	$(COMPILE) $(UPGRADE) --extra server --extra build --output-file requirements.lock
	$(COMPILE) $(UPGRADE) --extra server --extra build --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock

clean: ## Remove what was built; the state in ./var stays
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

system: ## Install the Debian packages that tests need and that are missing
	@sh tests/system-packages.sh

# A stamp beside each environment says which lock it was made from: it is made anew only when the lock changed.
venv: $(VENV)/.made-from-requirements
venv-dev: $(VENV)/.made-from-requirements-dev

$(VENV)/.made-from-requirements: requirements.lock pyproject.toml
	@$(if $(PYTHON),,$(error Strongroom needs Python 3.11 or newer; none was found. Install it, or say PYTHON=/path/to/python3.11))
	@echo "Installing the locked requirements (once; a minute or so)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) requirements.lock
	@$(PACKAGE)
	@touch $@

$(VENV)/.made-from-requirements-dev: requirements-dev.lock pyproject.toml | $(VENV)/.made-from-requirements
	@echo "Installing the locked requirements of the tests"
	@$(INSTALL) requirements-dev.lock
	@$(PACKAGE)
	@touch $@
