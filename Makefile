# Two commands do everything: `make rehearse` and `make test`. Both build .venv from requirements.lock first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help rehearse test check unit real figures bench wheel lock clean

help: ## What can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 18

rehearse: $(READY) ## Open the cockpit on the embedded world (without a terminal: fly headless to the end)
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/cockpit rehearse $(ARGS) || [ $$? -eq 1 ]; else $(BIN)/cockpit rehearse --output text $(ARGS); fi

test: check unit ## Everything that needs only Python: linters, types, contracts, tests (slow ones too with COCKPIT_THOROUGH=1)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/pytest -n auto --dist worksteal -rs $(ARGS)

real: $(READY) ## The tests against a real control plane, built from source the first time (wants Go; ten minutes, then seconds)
	@$(BIN)/python -m tests.real.build
	COCKPIT_REAL=required $(BIN)/pytest -n 0 tests/real $(ARGS)

figures: $(READY) ## The promised figures in full, with the seed of COCKPIT_SEED (hours: every crash, rollback and story, 100,000 keys)
	COCKPIT_FIGURES=1 $(BIN)/pytest -n auto -s -rs tests/crash tests/rollback tests/unit/controls tests/fuzz tests/hostile tests/wrong \
	    tests/contract/test_alb_safety.py tests/contract/test_drift_of_rules.py tests/soak $(ARGS)

kind-up: ## A kind cluster with nodes of both architectures, traffic and Prometheus (wants docker, kind, kubectl)
	@playbooks/kind/up.sh

kind-down: ## Delete that cluster
	@playbooks/kind/down.sh

bench: $(READY) ## Figures beside their peers, as ratios (minutes; wants kubectl and the AWS CLI)
	$(BIN)/python -m tests.bench $(ARGS)

wheel: $(READY) ## Build dist/*.whl
	$(BIN)/python -m hatchling build -t wheel

lock: ## Renew requirements.lock (wants uv on the PATH)
	uv pip compile --universal --python-version 3.11 --group dev pyproject.toml --generate-hashes --no-header -o requirements.lock

clean: ## Remove what was built
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(READY): requirements.lock pyproject.toml .ci/bootstrap
	@.ci/bootstrap $(PYTHON) $(VENV)
	@touch $@
