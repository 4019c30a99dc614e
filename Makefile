# Everything lives in .venv and var/; no target needs root, Docker or Node.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
SOURCES := accounts agents analytics campaigns compliance experiments integrations lib marketing personal sandbox social tests
FOUND := $(wildcard $(SOURCES)) manage.py

# Without compiled modules each of the six programs of `make run` starts seconds later.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run test test-whole lint manifests audit fmt bench prove screens contract test-rabbitmq test-pgbouncer clean
.DEFAULT_GOAL := help

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

setup: $(VENV)/dev.stamp ## Install everything into .venv

run: $(VENV)/run.stamp ## Start everything on this machine; Ctrl-C stops it
	@exec $(BIN)/python manage.py up

test: $(VENV)/dev.stamp ## Run the tests
	$(BIN)/python -m pytest -n auto -m "not whole"

test-whole: $(VENV)/dev.stamp ## Run those of engine, wires, Chromium, whole products, kills
	@deploy/install-chromium.sh
	$(BIN)/python -m pytest -n auto -m whole

lint: $(VENV)/dev.stamp ## Check style, types, floors and templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --check templates
	$(BIN)/python deploy/manifests.py
	$(BIN)/python manage.py check_migrations

test-rabbitmq: $(VENV)/dev.stamp ## Run the tests of real workers with RabbitMQ, where it is installed
	$(BIN)/python -m tests.operations.rabbit

test-pgbouncer: $(VENV)/dev.stamp ## Run the tests that a pooler could break through PgBouncer, where it is installed
	$(BIN)/python -m tests.operations.pooler

manifests: $(VENV)/dev.stamp ## Look at image, compose files, workflow and Kubernetes
	$(BIN)/python deploy/manifests.py

audit: $(VENV)/dev.stamp ## Ask the vulnerability database about the packages of the product
	$(BIN)/python deploy/audit.py

fmt: $(VENV)/dev.stamp ## Put code and templates into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --reformat --quiet templates

bench: $(VENV)/dev.stamp ## Measure, as ratios
	$(BIN)/python manage.py bench

prove: $(VENV)/dev.stamp ## Simulate what experiments promise, dispatch a million posts
	FULL_PROOFS=1 $(BIN)/python -m pytest tests/experiments/test_sandbox_audience.py tests/experiments/test_sandbox_posts.py
	$(BIN)/python manage.py prove

conformance: $(VENV)/dev.stamp ## Run the official MCP suite (fetches it, and Node where there is none)
	@deploy/mcp-conformance.sh

screens: $(VENV)/dev.stamp ## Photograph every page of the instance that `make run` started
	$(BIN)/python -m tests.screens --base http://127.0.0.1:$${PORT:-8000}

contract: $(VENV)/dev.stamp ## Hold the API of the instance that `make run` started against its document
	@$(BIN)/python -m tests.contract --base http://127.0.0.1:$${PORT:-8000}

clean: ## Remove caches; var/ and .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
	find $(FOUND) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# uv installs in seconds what takes pip half a minute; pip remains the way when uv cannot be had.
define install
	@$(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv==0.13.8 || true
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode -r $(1) \
		|| $(BIN)/python -m pip install --quiet -r $(1)
endef

$(VENV)/run.stamp: requirements.txt | $(BIN)/python
	@echo "Installing what it takes to run…"
	$(call install,requirements.txt)
	@touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what it takes to run and to test…"
	$(call install,requirements-dev.txt)
	@touch $(VENV)/run.stamp $@
