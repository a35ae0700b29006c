# Two commands: `make demo` shows what it does, `make test` proves that it works.
# Both make .venv where it is missing, and need only Python 3.11+, make and the package registry.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TRAINERS := $(VENV)/.trainers
CLIENTS := $(VENV)/.clients
ENGINES := $(VENV)/.engines

.PHONY: demo test trainers clients engines prometheus fast check lint types contracts docs fix bench plans broken soak fuzz factors slurm clean help

help:            ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

demo: export WATTERMARK_LEDGER := $(VENV)/demo-runs
demo: $(READY)   ## train a real model under the meter and show what it took
	$(BIN)/wattermark run --name demo -- $(BIN)/python examples/train_digits.py
	@printf '\nAll of it, epoch by epoch, with the source of every number: wattermark show last\n\n'
	@$(BIN)/wattermark show last

test: $(READY)   ## all tests, the slow ones as well
	$(BIN)/python -m pytest -q -n 3

trainers: $(TRAINERS) ## PyTorch, Lightning, transformers and IPython, so that `make test` tries them, too

clients: $(CLIENTS) ## the SDKs of providers, so that `make test` calls through the proxy with them

engines: $(ENGINES) ## the server of llama.cpp, built here in five minutes, so that `make test` calls it through the proxy

fast: $(READY)   ## the tests that take no time
	$(BIN)/python -m pytest -q -n 3 -m "not slow"

check: lint types contracts docs  ## what must hold before a commit, besides the tests

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

docs: $(READY)
	$(BIN)/python tools/check_docs.py

fix: $(READY)    ## mend what a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## the benchmarks, the peers in the same run (two hours)
	for name in startup overhead accuracy peers_accuracy crash estimators published forecast peers_planner sharing hooks proxy_cost; do $(BIN)/python benchmarks/$$name.py || exit 1; done

plans: $(READY)  ## plans and forecasts on real traces, five minutes: make plans TRACES=folder
	for name in foresight mix planner schedules; do $(BIN)/python benchmarks/$$name.py --traces $(TRACES) || exit 1; done
	$(BIN)/python benchmarks/fleet.py --traces $(TRACES)

broken: $(READY) ## break what must hold in hundreds of ways, and see that the tests say so
	$(BIN)/python benchmarks/broken.py

soak: $(READY)   ## an hour at 20 Hz: memory, sums, file size (make soak MINUTES=5)
	$(BIN)/python benchmarks/soak.py --minutes $(or $(MINUTES),60)

fuzz: $(READY)   ## an hour of bytes that nobody meant (make fuzz MINUTES=5)
	$(BIN)/python benchmarks/fuzz.py --minutes $(or $(MINUTES),60)

factors: $(READY) ## build the factor tables: make factors RAW=folder-of-raw-files
	$(BIN)/python tools/build_factors.py --raw $(RAW)

slurm: $(READY)  ## SLURM's programs for the tests that run it, unpacked and not installed (Debian, Ubuntu)
	@command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo 'no apt-get here: tests with SLURM are skipped'; exit 0; }; \
	test -x $(VENV)/slurm/usr/sbin/slurmctld-wlm || { mkdir -p $(VENV)/debs && cd $(VENV)/debs && \
	apt-get download -q slurmctld slurmd slurm-client slurm-wlm-basic-plugins libmunge2 libhwloc15 && \
	for deb in *.deb; do dpkg -x $$deb ../slurm; done; } || echo 'SLURM cannot be had here: tests with it are skipped'

prometheus: $(READY) ## Prometheus for the tests that are scraped by it, unpacked and not installed (Debian, Ubuntu)
	@command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo 'no apt-get here: tests with Prometheus are skipped'; exit 0; }; \
	test -x $(VENV)/prometheus/usr/bin/prometheus || { mkdir -p $(VENV)/debs && cd $(VENV)/debs && \
	apt-get download -q prometheus && dpkg -x prometheus_*.deb ../prometheus; } || echo 'Prometheus cannot be had here: tests with it are skipped'

clean:           ## remove the environment
	rm -rf $(VENV)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wattermark needs Python 3.11 or later; name one with PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo,completion]' --group test --group check
	@touch $(READY)

$(TRAINERS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group trainers
	@touch $(TRAINERS)

$(CLIENTS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group clients
	@touch $(CLIENTS)

$(ENGINES): $(READY)
	@{ $(BIN)/python -m pip install --quiet --disable-pip-version-check --group engines && touch $(ENGINES); } || \
	echo 'llama.cpp cannot be built here (it needs a C++ compiler and some minutes): tests with it are skipped'
