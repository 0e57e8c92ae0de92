# The commands people need. `make help` lists them; each installs what it needs into .venv first.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# As many test files at a time as there are cores, four at most; the tests of a file share what they start.
# The longest files come first (tests/conftest.py), so the order is not to be changed.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help demo run test test-all check fix bench clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## start the whole desk on SQLite: web chat, agent inbox, sign-in link; Ctrl-C ends it
	@exec $(BIN)/python scripts/in-front $(BIN)/imconnect demo

run: $(VENV)/.run ## run the desk with imconnect.toml; Ctrl-C ends it
	@exec $(BIN)/python scripts/in-front $(BIN)/imconnect run

test: $(VENV)/.dev ## run the tests; what this machine lacks is skipped by name
	$(BIN)/pytest $(SIDE_BY_SIDE)

test-all: $(VENV)/.dev ## install what the tests need (apt, as root) and skip nothing
	@./scripts/install-worlds
	IMCONNECT_TEST_ALL=1 $(BIN)/pytest $(SIDE_BY_SIDE)

check: $(VENV)/.dev ## lint, types and floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pyright

fix: $(VENV)/.dev ## mend what the linter can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.run ## measure the desk on this machine
	$(BIN)/imconnect bench

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/.run: pyproject.toml uv.lock
	@./scripts/set-up $(PYTHON) $(VENV) --no-dev --extra encoder
	@touch $@

$(VENV)/.dev: pyproject.toml uv.lock
	@./scripts/set-up $(PYTHON) $(VENV) --all-groups
	@touch $(VENV)/.run $@
