# Everything runs in .venv; the first target that needs it makes it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint unit accept bench docs clean

demo: $(VENV)/.installed
	@command -v node > /dev/null || echo "node is not installed: the demo leaves it out"
	$(BIN)/coldbench run --url lab:python $$(command -v node > /dev/null && echo "--url lab:node") \
	    --url lab:custom --profile burst --set size=20 --set idle.duration=8s

test: lint unit

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two at a time: most of them wait for a process or a silence. More would starve those that measure.
unit: $(VENV)/.installed-dev
	$(BIN)/pytest -m "not accept" --numprocesses 2 --dist worksteal

# The full form of what the tests measure in short: minutes to an hour.
accept: $(VENV)/.installed-dev
	$(BIN)/pytest -m accept --timeout 3600 -s

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/platforms.py
	$(BIN)/python docs/screenshots.py
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python docs/accuracy.py

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "coldbench needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist reports .mypy_cache .pytest_cache .ruff_cache .hypothesis
