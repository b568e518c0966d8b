# The project's named commands, the same on a laptop and in CI. They need Python 3.11, pip and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-quick chaos soak elastic evaluate notebooks clients load lint format bench docs clean

help: ## Show these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Make .venv with the command in .venv/bin/guardray.

# Done again only when the requirements change; an environment made by hand is completed, not replaced.
$(READY): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,notebooks,postgres,ocsf]'
	@touch $@

demo: setup ## Write a small simulated account, scan it, show the findings.
	$(BIN)/guardray demo

test: setup ## Run every test, in two processes.
	$(BIN)/python -m pytest -n 2 --dist loadgroup

test-quick: setup ## Run the tests that need neither Ray nor much time.
	$(BIN)/python -m pytest -m "not ray and not slow" -n 2 --dist loadgroup

chaos: setup ## Kill the processes of real services, and compare with scans. Takes half an hour.
	$(BIN)/python -m pytest tests/chaos

soak: setup ## Feed a real service for MINUTES (30), draw docs/soak.svg; fail when memory or queues grow.
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),30) --plot docs/soak.svg

clients: setup ## Drive the AWS CLI, Prowler and Cloud Custodian against a real service. They are installed first.
	$(BIN)/python -m pytest tests/clients

load: setup ## Requests a second of a real service's API, with one replica and with two; writes load.json.
	$(BIN)/python -m tests.load

elastic: setup ## Put a load step on a cluster with an autoscaler, draw docs/elastic.svg; fail when it does not follow.
	$(BIN)/python -m tests.elastic --plot docs/elastic.svg

evaluate: setup ## Measure detectors of behaviour on simulated accounts; writes guardray-evaluation/. RECORDED=folder of attacks.
	$(BIN)/python -m guardray.evaluation $(if $(RECORDED),--recorded $(RECORDED))

notebooks: setup ## Run the notebooks on simulated accounts, and store them with what they show.
	$(BIN)/python -m tests.notebooks

lint: setup ## Check style, formatting and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## Put the code into the project's format.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## Measure decoding and scanning, for each kind of log.
	$(BIN)/guardray bench

docs: setup ## Write the generated parts of docs/ anew.
	PYTHONPATH=docs $(BIN)/python -m guardray_docs

clean: ## Remove the environment, caches and state folders. The demo's own folders are temporary ones.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache dist guardray-data guardray-demo
	find guardray tests docs -name __pycache__ -prune -exec rm -rf {} +
