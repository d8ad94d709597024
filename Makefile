# Commands for developers. The logic is in Python: src/fraudwatch/stack and src/fraudwatch/cli.
.DEFAULT_GOAL := help
RUNTIME ?= $(or $(FRAUDWATCH_RUNTIME),.runtime)
DEV := $(RUNTIME)/envs/dev/bin
COMPILE := $(RUNTIME)/bootstrap/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --excludes requirements/excludes.txt
# Tests share engines, so the order is fixed: a failure can be reproduced.
ORDER := --randomly-seed=8
REPORTS := .test-reports
PYTEST := $(DEV)/pytest --durations=40 --durations-min=0.5
PARALLEL := $(PYTEST) --numprocesses 2 --timeout 900
ENGINE_TESTS := tests/contract tests/integration tests/e2e
EXTRAS := control shop ingest detector persister console training lake airflow rest_api notifier shadow monitoring
# Superset leaves many of its dependencies open: newer ones than at its release break it.
SUPERSET_BEFORE := 2026-05-25

.PHONY: help demo install check test test-unit proof lock client compose clean

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Install, start everything, show live alerts
	./fraudwatch demo

install: ## Install everything, including test tools
	@./fraudwatch --version >/dev/null
	@$(RUNTIME)/envs/control/bin/python -m fraudwatch.stack.install --dev

check: install ## Check style, types and import rules
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy
	$(DEV)/lint-imports

test: check ## Run the checks, then every test, with real engines
	$(PARALLEL) $(ORDER) --junitxml=$(REPORTS)/parallel.xml -m "not engines" tests
	$(PYTEST) $(ORDER) --junitxml=$(REPORTS)/speed.xml -m "engines and not batch and not proof" $(ENGINE_TESTS)
	$(PYTEST) $(ORDER) --junitxml=$(REPORTS)/batch.xml -m batch $(ENGINE_TESTS)

test-unit: install ## Run the tests that need no engine, in random order
	$(PARALLEL) --junitxml=$(REPORTS)/unit.xml tests/unit tests/architecture

proof: install ## Three-hour tests: outages, crashes, cut logs, a full disk; training; a million verdicts
	$(PYTEST) --junitxml=$(REPORTS)/proof.xml -m proof tests/e2e

lock: ## Renew the locks in requirements/ (set UPGRADE=--upgrade for newer versions)
	@./fraudwatch --version >/dev/null
	$(COMPILE) $(UPGRADE) --extra dev pyproject.toml -o requirements/dev.txt
	for extra in $(EXTRAS); do $(COMPILE) $(UPGRADE) -c requirements/dev.txt --extra $$extra pyproject.toml -o requirements/$$extra.txt || exit 1; done
	$(COMPILE) $(UPGRADE) --exclude-newer $(SUPERSET_BEFORE) --extra superset pyproject.toml -o requirements/superset.txt
	for name in bootstrap java; do $(COMPILE) $(UPGRADE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

client: install ## Write the REST API's OpenAPI document and its Python client
	$(DEV)/python -m rest_api.openapi_files

compose: install ## Write docker-compose.yml from the catalogue
	$(RUNTIME)/envs/control/bin/python -m fraudwatch.stack.compose

clean: ## Remove installed environments and tool caches; settings and data are kept
	rm -rf $(RUNTIME) $(REPORTS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
