# Everything runs in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8000
export HOST PORT

.PHONY: help run test lint format openapi fuzz soak bench audit clean
.DEFAULT_GOAL := help

help:  ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: export LOG_FORMAT ?= console
run: $(VENV)/.runtime  ## Start web server, workers and events; Ctrl-C stops all
	@$(BIN)/python manage.py prepare
	@exec setpriv --pdeathsig TERM $(BIN)/python -m cloudjobs.foreground

test: $(VENV)/.dev  ## Run the whole test suite
	$(BIN)/python -m pytest

lint: $(VENV)/.dev  ## Check style, types, imports, templates and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --lint
	$(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/.dev  ## Put the code into the form that lint asks for
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat

openapi: $(VENV)/.dev  ## Write the OpenAPI document anew
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

fuzz: $(VENV)/.dev  ## Ask the API for what its OpenAPI document allows and forbids, for long
	$(BIN)/python -m tests.fuzz

soak: $(VENV)/.dev  ## Give a service the load and the faults of a day in twenty minutes, and look for damage
	$(BIN)/python -m tests.soak

bench: $(VENV)/.dev  ## Measure, print a table of ratios and keep the raw figures
	$(BIN)/python -m benchmarks

# A package that PyPI tells nothing about fails, too; with `STRICT=` it does not.
STRICT ?= --strict
audit: $(VENV)/.dev  ## Ask PyPI for known holes in what is installed; needs the network
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(BIN)/pip-audit --local --progress-spinner off $(STRICT)

clean:  ## Remove the virtual environment and caches; the state in var/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements.txt requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime
