# Everything a person or a machine needs: make demo, make test. See CONTRIBUTING.md for the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/lock.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK)
BOARD ?= nucleo-l4r5zi

# Real recordings and models to test with, where they are at hand; tests that need them say so.
ifneq ($(wildcard ../shared/data),)
export SMIDGEN_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help demo test test-all check lint fuzz record bench bench-diff bench-record tune format lock clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.demo  ## Install, then run the main job: recordings to proved C
	$(BIN)/smidgen demo --board $(BOARD) -o out/demo

test: lint $(VENV)/.dev  ## Run every check and test
	$(BIN)/python -m pytest -n auto -m "not slow"

test-all: lint $(VENV)/.dev  ## The same, with the slow suites
	$(BIN)/python -m pytest -n auto

check: lint $(VENV)/.dev  ## What must pass before a commit: checks and fast tests
	$(BIN)/python -m pytest -n auto -m "not slow" tests/unit tests/golden

lint: $(VENV)/.dev  ## Style, types, floors, C format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	find src -name '*.[ch]' | xargs $(BIN)/clang-format --dry-run --Werror

record: $(VENV)/.dev  ## Write the golden files and recorded sizes anew
	SMIDGEN_RECORD=1 $(BIN)/python -m pytest tests/golden tests/size tests/unit/graph

bench: $(VENV)/.dev  ## Measure every sample model on every core (half an hour on two cores)
	$(BIN)/python benchmarks/bench.py --out out/bench.json

bench-diff: $(VENV)/.dev  ## What moved since the recorded benchmark
	$(BIN)/python benchmarks/bench.py --diff benchmarks/recorded.json out/bench.json

bench-record: $(VENV)/.dev  ## Make the last benchmark the recorded one, and write docs/benchmark.md
	$(BIN)/python benchmarks/bench.py --record out/bench.json

tune: $(VENV)/.dev  ## Measure the layers of common models anew (minutes; then: make record)
	$(BIN)/python benchmarks/tune.py

fuzz: $(VENV)/.dev  ## Attack the readers for longer than the tests do
	$(BIN)/python tests/fuzz/fuzz_readers.py --seconds 60 --seed 1
	$(BIN)/python tests/fuzz/fuzz_tflite.py --runs 200000 --seed 1

format: $(VENV)/.dev  ## Put Python and C into the house format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	find src -name '*.[ch]' | xargs $(BIN)/clang-format -i

lock:  ## Renew the pinned versions (needs uv)
	uv pip compile --universal --python-version 3.10 pyproject.toml --extra dev \
	  --constraint requirements/pins.txt --no-header --no-annotate -o $(LOCK)

clean:  ## Remove what the targets made
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml $(LOCK) | $(BIN)/python
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml $(LOCK) | $(BIN)/python
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.demo
