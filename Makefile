# A fresh machine needs Python and make: `make demo` and `make test` do all the set-up.

PYTHON ?= python3
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= fusionsolar-exporter:$(VERSION)
ENGINE ?= $(firstword $(shell command -v buildah docker podman))

VENV ?= .venv
BIN = $(VENV)/bin
# Requirement files are complete. Without --no-deps pip searches the index for what they need, finds
# newer releases than those pinned, and stops at their missing hashes; `pip check` misses nothing.
PIP = $(BIN)/pip install --quiet --no-deps
PINNED = $(PIP) --require-hashes
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --annotation-style line --custom-compile-command 'make requirements'

# File by file, as the tests of one may share what is costly, in the order of tests/conftest.py; and one
# more at a time than there are processors, as many wait for a process of theirs. The fast ones wait
# for nothing.
#
# Whatever the environment says, bytecode is kept: without it each process compiles everything anew, and
# each start of the exporter takes thrice as long.
unexport PYTHONDONTWRITEBYTECODE
CPUS = $(shell $(PYTHON) -c 'import os; print(os.cpu_count())')
PARALLEL = -n $$(($(CPUS) + 1)) --dist loadfile --no-loadscope-reorder

# The environment is as new as these stamps; its second half is for developers.
DEMO = $(VENV)/installed
DEV = $(VENV)/installed-dev

.PHONY: help demo test test-fast test-clocks test-pythons stack-test lint coverage docs dashboards typescript oldest-pip release-tools requirements upgrade audit licences image release bench pace soak replicas year clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(DEMO) ## run the exporter on a simulated management system; it says where to look
	@$(BIN)/fusionsolar-exporter demo

test: $(DEV) ## run the suite; whatever needs more than Python, or minutes, skips with its reason
	@$(BIN)/pytest -rs $(PARALLEL)

test-fast: $(DEV) ## run in half a minute what simulates no days, starts no process and opens no socket
	@$(BIN)/pytest -q -m "not slow" -n $(CPUS) --dist loadfile --hypothesis-profile=quick

test-clocks: $(DEV) ## run it at six moments that are apt to break it, such as a leap day (needs a C compiler)
	@$(BIN)/python tests/clocks/run.py $(CLOCKS) -- -rs $(PARALLEL)

test-pythons: ## run it with each supported Python there is, and name those missing
	@.ci/pythons

stack-test: $(DEV) ## run what takes minutes, or real servers: Prometheus, PostgreSQL … (Debian's)
	@$(BIN)/pytest -rs tests/stack

lint: $(DEV) ## check style, types and the Dockerfile
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/hadolint Dockerfile

coverage: $(DEV) ## run the whole suite; list the lines and branches that it misses
	@$(BIN)/pytest -rs $(PARALLEL) --cov

dashboards: $(DEV) ## write grafana/dashboards from their sources
	@$(BIN)/python -m grafana.source

typescript: build/grafana/node_modules ## install what checks the dashboards' types (needs npm)

oldest-pip: build/pip ## get the oldest pip that a supported Python brings: a test sets up with it

release-tools: $(VENV)/installed-release ## install what packs and checks the Helm chart, and lists what a release is made of

docs: $(DEMO) ## write docs/metrics.md and the graph in docs/architecture.md
	@$(BIN)/fusionsolar-exporter metrics > docs/metrics.md
	@$(BIN)/python docs/import_graph.py --write

requirements: $(DEV) ## pin, with hashes, what pyproject.toml asks for
	@$(COMPILE) $(FLAGS) pyproject.toml --all-extras --group dev -o requirements-dev.txt
	@$(COMPILE) $(FLAGS) pyproject.toml --all-extras -c requirements-dev.txt -o requirements.txt
	@$(COMPILE) $(FLAGS) --group build -c requirements-dev.txt -o requirements-build.txt
	@$(COMPILE) $(FLAGS) --group release -c requirements-dev.txt -o requirements-release.txt

upgrade: FLAGS = --upgrade
upgrade: requirements ## pin the newest versions that pyproject.toml allows

audit: $(DEV) ## look for known vulnerabilities of what is pinned
	@$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.txt

licences: $(DEMO) $(DEV) ## list the licences of what the exporter runs with
	@$(BIN)/pip-licenses --packages $$(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/\1/p' requirements.txt)

image: ## build the container image
	BUILDAH_FORMAT=docker $(ENGINE) build --build-arg VERSION=$(VERSION) --tag $(IMAGE) .

release: $(VENV)/installed-release ## build what a release is made of into dist/, twice, and try it
	@VENV=$(VENV) .ci/release

bench: $(DEMO) ## measure what the README of benchmarks/ shows (PARTS="growth small", SIZES="2000")
	@$(BIN)/python benchmarks $(PARTS) $(if $(SIZES),--sizes $(SIZES))

pace: $(DEMO) ## measure how much of the allowed pace the daemon uses
	@$(BIN)/python benchmarks/pace.py --minute 6

soak: $(DEMO) ## run the daemon for an hour under faults, fleet changes, reloads and kills
	@$(BIN)/python benchmarks/soak.py

replicas: $(DEV) ## run three replicas for twenty minutes while they and their database die, stop and are cut off (needs postgresql)
	@$(BIN)/python benchmarks/replicas.py $(FLAGS)

year: $(DEV) ## see what the alerts make of simulated years, for CLIMATE, KIND, SEED, DAYS=from:to or all (needs prometheus)
	@PYTHONPATH=tests $(BIN)/python -m year $(if $(CLIMATE),--climate $(CLIMATE)) $(if $(KIND),--kind $(KIND)) \
		$(if $(SEED),--seed $(SEED)) $(if $(DAYS),--days $(DAYS)) $(FLAGS)

clean: ## remove whatever the other targets made here
	rm -rf .venv .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -r {} +

build/grafana/node_modules: tests/grafana/package.json
	@mkdir -p build/grafana && cp $< build/grafana/
	@npm install --prefix build/grafana --ignore-scripts --no-audit --no-fund --no-package-lock --silent
	@touch $@

build/pip: | $(DEV)
	@echo 'pip==22.3 --hash=sha256:1daab4b8d3b97d1d763caeb01a4640a2250a0ea899e257b1e44b9eded91e15ab' | \
		$(BIN)/pip download --quiet --no-deps --require-hashes --dest $@ -r /dev/stdin

$(DEMO): requirements.txt requirements-build.txt pyproject.toml
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "needs Python 3.11 or newer: make PYTHON=...")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PINNED) -r requirements.txt -r requirements-build.txt
	@$(PIP) --no-build-isolation --editable .
	@$(BIN)/pip check --quiet
	@touch $@

$(DEV): $(DEMO) requirements-dev.txt
	@echo "Adding the developers' tools ..."
	@$(PINNED) -r requirements-dev.txt
	@$(BIN)/pip check --quiet
	@touch $@

# What it shares with the developers' tools is pinned the same there.
$(VENV)/installed-release: $(DEV) requirements-release.txt
	@$(PINNED) -r requirements-release.txt
	@$(BIN)/pip check --quiet
	@touch $@
