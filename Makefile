# Everything sets itself up: a machine needs Python 3.11 or newer, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check bench chaos backends clean help

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: $(VENV)/.run ## replay ChatGPT's sessions against an example and write a report
	@$(BIN)/python examples/demo.py

test: $(VENV)/.dev check ## check the code, run every test, show coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses 2 --dist loadfile
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check: $(VENV)/.dev ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

bench: $(VENV)/.dev ## measure against the plain SDK and FastMCP, side by side
	@$(BIN)/python -m tests.bench --fast --write
	@$(BIN)/python -m tests.bench --write
	@$(BIN)/python -m tests.bench.scale --write
	@$(BIN)/python -m tests.bench.guard --write
	@$(BIN)/python -m tests.bench.book --write

chaos: $(VENV)/.dev ## play broken streams, dying workers and retrying proxies against every store
	@$(BIN)/python -m tests.chaos --calls 10000 --seed 8

backends: $(VENV)/.dev ## send traces and metrics to real backends, and read them back
	@$(BIN)/python -m tests.backends

clean: ## remove what was made here
	rm -rf $(VENV) .ballast .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "mcp-ballast needs Python 3.11 or newer; name one with: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing mcp-ballast into $(VENV) ..."
	@$(INSTALL) --editable . && touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing mcp-ballast and its tests' tools into $(VENV) ..."
	@$(INSTALL) --editable '.[dev]' && touch $@ $(VENV)/.run

