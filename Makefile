# Every command a person needs. `make` alone lists them.
# A stamp file stands for each finished step, so that a second run is instant.

VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
STAMPS := $(VENV)/stamps
# The venv's Node, when it has one, comes before the system's.
WITH_NODE := PATH="$(abspath $(BIN)):$$PATH"
FRONTEND := $(shell find frontend -name node_modules -prune -o -name dist -prune -o -type f -print)
CATALOGUES := $(shell find platform/whetstone/locale -name '*.po' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install install-dev demo up test faults fuzz learn check format bench lock clean
.DELETE_ON_ERROR:

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMPS)/installed $(STAMPS)/frontend $(STAMPS)/messages ## Set everything up in .venv, and start nothing

install-dev: install $(STAMPS)/developers ## The same, with what tests and checks need

demo: install ## Watch a small model learn arithmetic (EXIT=1: end by itself; PORT=n)
	@$(RUN) manage.py demo $(if $(EXIT),--exit) $(if $(PORT),--port $(PORT))

up: install ## Start the platform on this machine (PORT=n); Ctrl-C stops it
	@$(RUN) manage.py up $(if $(PORT),--port $(PORT))

test: install-dev ## Run every test (ARGS="tests/graders -k multi" runs some)
	@$(RUN) -m scripts.test $(ARGS)

faults: install-dev ## Kill, cut and damage everything for half an hour, and put the table into the guide
	@rm -f .pytest_cache/faults.jsonl
	@WHETSTONE_TEST_FAULTS=full $(RUN) -m scripts.test -n 2 --dist loadfile tests/faults $(ARGS)
	@$(RUN) -m tests.faults.report

fuzz: install-dev ## Ask the API everything that its OpenAPI document allows, for ten minutes
	@WHETSTONE_TEST_FUZZ=full $(RUN) -m scripts.test tests/end_to_end/test_fuzz.py $(ARGS)

learn: install-dev ## Train the starter model with every method, and see that it learned
	@WHETSTONE_TEST_LEARN=full $(RUN) -m scripts.test tests/learn $(ARGS)

check: install-dev ## Lint, types, imports, frontend, translations, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	cd frontend && $(WITH_NODE) npm run --silent check
	$(RUN) manage.py messages --check
	$(RUN) manage.py makemigrations --check --dry-run

format: install-dev ## Lay out the code and sort its imports
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: install-dev ## Measure what the documentation says about speed
	@$(RUN) -m benchmarks $(ARGS)

lock: install-dev ## Write constraints.txt anew with the newest versions that fit
	$(RUN) -m scripts.lock

clean: ## Remove what was installed and built; data in .whetstone stays
	rm -rf $(VENV) frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find platform -name '*.mo' -delete

$(STAMPS)/venv:
	@scripts/venv.sh $(VENV)
	@mkdir -p $(@D) && touch $@

$(STAMPS)/installed: $(STAMPS)/venv pyproject.toml constraints.txt
	@echo "Installing into $(VENV): some minutes, the first time"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[web,worker,cli]'
	@touch $@

$(STAMPS)/developers: $(STAMPS)/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[web,worker,cli,dev]'
	@touch $@

# Vite wants Node 20.19 or newer. Where the machine has none, PyPI's goes into the venv.
$(STAMPS)/node: $(STAMPS)/installed
	@scripts/node.sh $(BIN)
	@touch $@

$(STAMPS)/node-modules: frontend/package.json frontend/package-lock.json $(STAMPS)/node
	cd frontend && $(WITH_NODE) npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/frontend: $(STAMPS)/node-modules $(FRONTEND)
	cd frontend && $(WITH_NODE) npm run --silent build
	@touch $@

$(STAMPS)/messages: $(STAMPS)/installed $(CATALOGUES)
	$(RUN) manage.py messages --compile
	@touch $@
