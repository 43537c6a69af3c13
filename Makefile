# Two commands matter: `make run` and `make test`. Each sets up whatever is missing first.
SHELL := /bin/bash
PORT ?= 8501
HOST ?= 127.0.0.1
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PYTHONPATH := .
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check bench setup lock format help

help:  ## show these lines
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: $(READY)  ## make .venv with everything in requirements.lock

$(READY): requirements.lock pyproject.toml
	@python=$$(command -v python3.11 || command -v python3); \
	"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || \
	  { echo "Holdpoint needs Python 3.11: install it so that 'python3.11' can be found." >&2; exit 1; }; \
	[ -x $(BIN)/python ] || "$$python" -m venv $(VENV) || \
	  { echo "Python cannot make a virtual environment: install python3.11-venv." >&2; exit 1; }
	@echo "Installing what requirements.lock names (about 7 GB the first time, a few minutes)."
	@$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)  ## open the app with its worker (PORT=8501)
	@$(BIN)/holdpoint run --host $(HOST) --port $(PORT)

test: $(READY)  ## run every test, the browser's too
	@HOLDPOINT_BROWSER="$$(bash tests/browser.sh)" && export HOLDPOINT_BROWSER && $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=25 --durations-min=10 $(ARGS)

check: $(READY)  ## format, lint, types and import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(READY)  ## put the code into the house's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY)  ## measure, side by side with peers, and print the tables
	@$(BIN)/python -m tests.benchmarks

lock: $(READY)  ## resolve requirements.lock anew
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --override overrides.txt --generate-hashes --no-header --quiet \
	  --python-version 3.11 --python-platform x86_64-manylinux_2_28 --output-file requirements.lock
