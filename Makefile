# Everything runs in .venv; the first target that needs it makes it.
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint unit audit pythons accept bench docs clean

# Bursts that are no larger than a small machine can start at once: more would measure its crowding.
demo: $(VENV)/.installed
	@command -v node > /dev/null || echo "node is not installed: the demo leaves it out"
	$(BIN)/coldbench run --url 'lab:python?idle=2s' $$(command -v node > /dev/null && echo "--url lab:node?idle=2s") \
	    --url 'lab:custom?idle=2s' --profile burst --set size=4 --set idle.duration=3s --set repeat=10

test: lint unit

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Three at a time: most of them wait for a process or a silence. More would starve those that measure.
unit: $(VENV)/.installed-dev
	$(BIN)/pytest -m "not accept" --numprocesses 3 --dist worksteal

# Known vulnerabilities of what is installed. Without a way to the advisories it says so, and passes.
audit: $(VENV)/.installed-dev
	$(BIN)/pip-audit --local --skip-editable --progress-spinner off --timeout 5 2>&1 | tee $(VENV)/audit.txt | tail -3; \
	    test $${PIPESTATUS[0]} -eq 0
	@! grep -q "could not be audited" $(VENV)/audit.txt || echo "NOT AUDITED: the advisories cannot be reached"

# The fast tests under every Python of ours that is here.
pythons:
	@for version in 3.11 3.12 3.13; do \
	    python$$version -c "" 2> /dev/null || { echo "NOT TESTED: python$$version is not here"; continue; }; \
	    test -x .venv-$$version/bin/pytest || { python$$version -m venv .venv-$$version \
	        && .venv-$$version/bin/pip install --quiet --constraint requirements-dev.lock --editable '.[dev]'; } || exit 1; \
	    echo "python$$version"; .venv-$$version/bin/pytest tests/unit --numprocesses 2 --quiet || exit 1; \
	done

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

$(VENV)/.installed-dev: pyproject.toml requirements-dev.lock $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint requirements-dev.lock --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .venv-3.* build dist reports .mypy_cache .pytest_cache .ruff_cache .hypothesis
