# Each target makes its environment if there is none; `make setup` alone prepares a machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
APP ?=
STAMP := $(VENV)/.installed
export HF_HUB_OFFLINE ?= 1
export GRADIO_ANALYTICS_ENABLED = False
export TOKENIZERS_PARALLELISM = false

.PHONY: setup demo test test-all lint format bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --upgrade pip
	$(BIN)/pip install -q -c constraints.txt torch torchvision
	$(BIN)/pip install -q -c constraints.txt -e '.[dev,explain,text,postgresql,baselines]'
	touch $@

demo: setup
	$(BIN)/python -m $(if $(APP),apps.$(APP).demo,apps serve)

test: setup
	OMP_NUM_THREADS=1 $(BIN)/pytest

test-all: setup
	OMP_NUM_THREADS=1 $(BIN)/pytest -m ''

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
