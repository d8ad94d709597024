# Everything a person types. The logic is in Python: src/fraudwatch/stack and src/fraudwatch/cli.
.DEFAULT_GOAL := help
RUNTIME ?= $(or $(FRAUDWATCH_RUNTIME),.runtime)
DEV := $(RUNTIME)/envs/dev/bin
COMPILE := $(RUNTIME)/bootstrap/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --excludes requirements/excludes.txt
# Engines are shared by the tests that follow each other: the same order shows the same failure.
ORDER := --randomly-seed=8
REPORTS := .test-reports
PYTEST := $(DEV)/pytest --durations=40 --durations-min=0.5
PARALLEL := $(PYTEST) --numprocesses 2 --timeout 900
ENGINE_TESTS := tests/contract tests/integration tests/e2e
EXTRAS := control shop ingest detector persister console training lake airflow

.PHONY: help demo install check test test-unit proof lock clean

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Install, start everything, show live alerts
	./fraudwatch demo

install: ## Install everything, the tests' tools included
	@./fraudwatch --version >/dev/null
	@$(RUNTIME)/envs/control/bin/python -m fraudwatch.stack.install --dev

check: install ## Style, types, import rules
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy
	$(DEV)/lint-imports

test: check ## The checks, then every test, real engines included
	$(PARALLEL) $(ORDER) --junitxml=$(REPORTS)/parallel.xml -m "not engines" tests
	$(PYTEST) $(ORDER) --junitxml=$(REPORTS)/speed.xml -m "engines and not batch and not proof" $(ENGINE_TESTS)
	$(PYTEST) $(ORDER) --junitxml=$(REPORTS)/batch.xml -m batch $(ENGINE_TESTS)

test-unit: install ## The tests that need no engine, in another order each time
	$(PARALLEL) --junitxml=$(REPORTS)/unit.xml tests/unit tests/architecture

proof: install ## What takes two hours: bad days of the lake; a model up to a tampered verdict; a million verdicts
	$(PYTEST) --junitxml=$(REPORTS)/proof.xml -m proof tests/e2e

lock: ## Renew the locks in requirements/ (set UPGRADE=--upgrade for newer versions)
	@./fraudwatch --version >/dev/null
	$(COMPILE) $(UPGRADE) --extra dev pyproject.toml -o requirements/dev.txt
	for extra in $(EXTRAS); do $(COMPILE) $(UPGRADE) -c requirements/dev.txt --extra $$extra pyproject.toml -o requirements/$$extra.txt || exit 1; done
	for name in bootstrap java; do $(COMPILE) $(UPGRADE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean: ## Remove what was installed and what tools cached; settings and data stay
	rm -rf $(RUNTIME) $(REPORTS) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
