# `make demo` and `make test` do everything on a machine that has Python 3.11 or 3.12, pip and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test faults bench growth gallery docs lint install clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

## demo: the quickstart sweep, from nothing to a figure
demo: install
	$(BIN)/autoreg sweep quickstart
	$(BIN)/autoreg report --figure B5

## test: all tests, in two processes; those on real images too if AUTOREG_DATA says where they are
test: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

## faults: what a sweep promises, with faults injected; takes over an hour and writes reports/faults.md
faults: install
	AUTOREG_FAULTS=reports/faults.md $(BIN)/python -m pytest tests/faults -m 'slow or not slow'

## bench: ours against the alternatives; takes a quarter of an hour on a quiet machine and writes reports/bench.md
bench: install
	$(BIN)/python -m benchmarks reports/bench.md

## growth: seconds and memory by width and by number of trials, in reports/growth/
growth: install
	$(BIN)/python -m benchmarks.growth reports/growth

## gallery: its pictures and tables again, from the results that lie beside them
gallery: install
	$(BIN)/python reports/gallery/make.py

## docs: the pages that are generated (schema, help, claims), then the site in build/site
docs: install
	$(BIN)/python docs/database_page.py
	$(BIN)/python docs/commands_page.py
	$(BIN)/python docs/claims_page.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

## lint: style, types, and who may import whom
lint: install
	$(BIN)/ruff check autoreg tests benchmarks docs reports
	$(BIN)/ruff format --check autoreg tests benchmarks docs/*.py reports
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist
