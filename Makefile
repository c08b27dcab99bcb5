# Needs only make and Python 3.11 or newer; everything else is installed into .venv.
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := $(wildcard dataflow stateschema tests benchmarks examples)
RECORDING := examples/session.jsonl

# A foreign virtual environment that happens to be active must not leak into ours.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER

.DEFAULT_GOAL := help
.PHONY: help demo test soak bench clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST))

demo: $(STAMP)  ## replay a recorded session in the terminal
	$(BIN)/python -m stateschema replay $(RECORDING)

test: $(STAMP)  ## format check, lint, types, import contracts, all tests and doctests
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy --strict $(CODE)
	$(BIN)/lint-imports --no-cache
	$(BIN)/pytest --durations=10

soak: $(STAMP)  ## the tests with full counts: long fuzz runs and histories
	$(BIN)/pytest --soak --durations=20

bench: $(STAMP)  ## the benchmarks; BENCH="names and options" narrows them
	$(BIN)/python -m benchmarks $(BENCH)

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .node_cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[all]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("$(PYTHON) is Python %d.%d; 3.11 or newer is needed: make PYTHON=..." % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
