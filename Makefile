# Bailiwick. `make` alone says what there is.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PY := .venv/bin/python
COMPOSE := $(shell command -v docker-compose 2>/dev/null || echo docker compose)

ACCOUNTS ?= 5000
ROLE ?= admin
SCOPE ?= *
SUB ?= developer

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[36m%-17s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# -- Running -------------------------------------------------------------------------------------------------

.PHONY: run start stop status events token
run: .runtime ## Everything on this machine, the demo, the tour, then serve until Ctrl-C (ACCOUNTS=5000 ONCE=1)
	@exec $(PY) -m deploy.local run --with-parent --accounts $(ACCOUNTS) $(if $(filter 1,$(ONCE)),--once)

start: .runtime ## The same in the background, without the tour
	@$(PY) -m deploy.local start --accounts $(ACCOUNTS)

stop: .runtime ## End what `make run` or `make start` started
	@$(PY) -m deploy.local stop

status: .runtime ## What runs: processes, their health, their logs
	@$(PY) -m deploy.local status

events: .runtime ## Look after events of what runs, docs/operating.md (SERVICE=metrics ARGS="lag --max-age 60")
	@$(if $(SERVICE),,echo 'Say which: make events SERVICE=metrics ARGS="lag"'; exit 1;) \
	$(PY) -m deploy.local events '$(SERVICE)' $(ARGS)

token: .runtime ## Print a development token (ROLE=admin SCOPE=<territory id> SUB=<rep id>)
	@$(PY) -m deploy.local token --role '$(ROLE)' --scope '$(SCOPE)' --subject '$(SUB)'

.PHONY: up down
up: .runtime ## The same processes in containers, from stock Postgres and Kafka images
	@$(PY) -m deploy.local keys >/dev/null
	$(COMPOSE) up --build --detach --wait

down: ## End the containers, keep their data (VOLUMES=1 drops it)
	$(COMPOSE) down $(if $(filter 1,$(VOLUMES)),--volumes)

# -- Testing and checking ------------------------------------------------------------------------------------

.PHONY: test check fmt lint types imports compose-check snapshots-check contracts-check
test: .development ## All tests, on engines of their own
	@$(PY) -m pytest $(ARGS)

check: lint types imports compose-check snapshots-check contracts-check ## Style, types, import rules, compose file, contracts

fmt: .development ## Format the code
	@$(PY) -m ruff check --fix --quiet . || true
	@$(PY) -m ruff format .

lint: .development ## Style
	@$(PY) -m ruff format --check --quiet . || { echo "  -> make fmt"; exit 1; }
	@$(PY) -m ruff check .

types: .development ## Types
	@$(PY) -m mypy

imports: .development ## Who may import whom
	@.venv/bin/lint-imports --no-logo

compose-check: .development
	@.venv/bin/docker-compose -f docker-compose.yml config --quiet
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

snapshots-check: .development
	@$(PY) -m tests.contract.snapshots check

contracts-check: .development
	@$(PY) -m tests.contract.compatibility check
	@sh tools/asyncapi/validate.sh

.PHONY: bench faults faults-mutants soak
bench: .development ## Measure, each figure against a floor of the same run (ONLY=relay, growth: ten minutes, design/CASE)
	@$(PY) -m tests.bench $(if $(ONLY),--only $(ONLY))

faults: .development ## Kill, pause, cut, and check every event and effect (ONLY=smoke|F13,F5|network SEED=1)
	@$(PY) -m tests.faults $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

faults-mutants: .development ## Take one safeguard out of the product at a time: a fault has to turn red
	@$(PY) -m tests.faults.mutants $(if $(ONLY),--only $(ONLY))

soak: .development ## Mixed load on all processes for an hour; what has to stay flat is sampled and drawn (MINUTES=60)
	@$(PY) -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

# -- Changing ------------------------------------------------------------------------------------------------

.PHONY: migrate migration docs contracts-release lock
migrate: .runtime ## Bring the three schemas up to date (in the running Postgres, or in DATABASE_URL)
	@$(PY) -m deploy.local migrate

migration: .runtime ## A new, empty migration (SERVICE=assignment M="create quotas")
	@$(if $(and $(SERVICE),$(M)),,echo 'Say which: make migration SERVICE=assignment M="create quotas"'; exit 1;) \
	$(PY) -m deploy.local migration --service '$(SERVICE)' --message '$(M)'

docs: .development ## Regenerate docs/api from the code
	@$(PY) -m tests.contract.snapshots write

contracts-release: .development ## Make today's event contracts the ones that later changes must not break
	@$(PY) -m tests.contract.compatibility release

UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
COMPILE := $(UV) pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --universal --python-version 3.11
SERVICES := assignment metrics collab
SERVICE_EXTRAS := $(SERVICES:%=--extra %)

lock: .development ## Compile requirements/*.txt from pyproject.toml (UPGRADE=1 takes newer versions)
	$(COMPILE) $(if $(filter 1,$(UPGRADE)),--upgrade) pyproject.toml $(SERVICE_EXTRAS) --extra local --extra dev \
		-o requirements/dev.txt
	@# The others take their versions from dev.txt: what is tested is what runs.
	$(COMPILE) pyproject.toml $(SERVICE_EXTRAS) --extra local -c requirements/dev.txt -o requirements/local.txt
	set -e; for service in $(SERVICES); do \
		$(COMPILE) pyproject.toml --extra $$service -c requirements/dev.txt -o requirements/$$service.txt; done
	set -e; for group in topics java peers places; do \
		$(COMPILE) --group pyproject.toml:$$group -c requirements/dev.txt -o requirements/$$group.txt; done

.PHONY: clean
clean: ## Remove the data of `make run` and what the tools left (the virtual environment stays)
	@if [ -x $(PY) ] && [ -d .local ]; then $(PY) -m deploy.local stop; fi
	rm -rf .local .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# -- The virtual environment ---------------------------------------------------------------------------------

.PHONY: .runtime .development
.runtime:
	@sh deploy/bootstrap.sh local

.development:
	@sh deploy/bootstrap.sh dev
