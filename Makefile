# The two commands: `make run` opens the app, `make test` runs all checks. Both set up what they need.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

VENV ?= .venv
PORT ?= 8501
N ?= 100
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
CODE := $(wildcard app.py pages sts_core sample_data validation benchmarks scripts tests)
export VENV
export HYPOTHESIS_PROFILE ?= ci

.NOTPARALLEL:
.PHONY: help run test setup setup-dev check format test-core test-pages test-browser \
	coverage validate bench test-fresh image-test hooks clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
		while IFS=$$'\t' read -r name what; do printf '  make %-14s %s\n' "$$name" "$$what"; done

run: setup ## Open the app at http://localhost:8501 (another port: PORT=8502)
	@scripts/run.sh $(PORT)

test: check test-core test-pages test-browser ## All checks: format, lint, types, core, pages, browser

setup: ## Make .venv and install what the app needs
	@scripts/setup.sh run

setup-dev: ## The same, with the tools of development
	@scripts/setup.sh dev

check: setup-dev ## Format, lint and types; no tests
	@echo "== Format, lint, files"
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/python scripts/check_files.py
	@echo "== Types"
	@$(BIN)/mypy

format: setup-dev ## Put the code into its format and mend what lint can mend
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

test-core: setup-dev ## Tests of the core, with the examples in its docstrings; no browser
	@echo "== Core"
	@$(PYTEST) -m "not pages and not browser" --doctest-modules tests sts_core

test-pages: setup-dev ## Tests of the pages, without a browser
	@echo "== Pages"
	@$(PYTEST) -m pages tests

test-browser: setup-dev ## Tests of the app in Chromium
	@echo "== Browser"
	@CHROMIUM=$$(scripts/find_browser.sh) && export CHROMIUM && $(PYTEST) -m browser tests

coverage: setup-dev ## Which lines of the core its tests run
	@$(PYTEST) -q -m "not pages and not browser" --cov --cov-report=term-missing tests

validate: setup-dev ## Compare with R on N random cohorts (N=100)
	@scripts/ensure_r.sh
	@$(BIN)/python -m validation.run --n $(N)

bench: setup-dev ## Measure the speed
	@$(BIN)/python -m benchmarks

test-fresh: ## Prove both commands as an ordinary user on a bare Debian (root, mmdebstrap)
	@scripts/test_fresh.sh

image-test: ## Build and run the container image without a Docker engine (root, buildah)
	@scripts/test_image.sh

hooks: setup-dev ## Run the checks before each commit (installs pre-commit into .venv)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet pre-commit
	@$(BIN)/pre-commit install

clean: ## Remove .venv and all caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
