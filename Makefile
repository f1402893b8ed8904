# Everything a person or CI does with this repository. Needs Python 3.11 or newer and make (3.81 will do), no root.
# Works in a checkout without anything set up: the first target that needs it makes .venv.

.DEFAULT_GOAL := help
.PHONY: help setup console console-check test check format lint types demo smoke month walk simulate bench bench-quick bench-report schema openapi lock clean chaos
.SUFFIXES:

BIN := .venv/bin
READY := .venv/.made-from-lock
CONSOLE := console/dist/index.html
CONSOLE_READY := console/node_modules/.made-from-lock
CONSOLE_SOURCES := $(shell find console/src console/public -type f ! -name schema.d.ts) openapi.json \
  $(wildcard console/*.json console/*.ts console/*.html)

help: ## this list
	@echo "Taizhang. make <target>:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make .venv with the locked dependencies

# Written last, so that an interrupted setup is done again; made anew whenever the lock changes.
$(READY): requirements.lock
	@python=; for each in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Taizhang needs Python 3.11 or newer, and found none as python3. If it has another name: make setup PYTHON=/path/to/python" >&2; \
	  exit 1; \
	fi; \
	echo "setting up .venv with $$("$$python" --version)" >&2; \
	"$$python" -m venv .venv || { \
	  echo "that Python cannot make a virtual environment; on Debian and Ubuntu the package python3-venv is missing" >&2; \
	  exit 1; \
	}
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

console: $(CONSOLE) ## build the console: what a browser shows (needs Node 20.19+, or fetches it)

$(CONSOLE_READY): console/package-lock.json console/package.json console/.npmrc | $(READY)
	@echo "fetching what the console is built with" >&2
	@console/with-node npm ci --no-audit --no-fund --silent
	@touch $@

$(CONSOLE): $(CONSOLE_READY) $(CONSOLE_SOURCES)
	@echo "building the console" >&2
	@console/with-node npm run --silent build
	@touch $@

# Tests of whole services mostly wait, two at a time; those marked `alone` run a clock at thirty times real time, or count
# what a service does in a second, and want the machine to themselves; a browser's driver has an event loop of its own,
# and a process for it. Where they lie is named, for collecting all costs each process seconds (docs/decisions/0013-ci.md).
test: $(READY) $(CONSOLE) ## all tests
	@$(BIN)/python -m pytest -n auto --dist worksteal -m "not system"
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "system and not alone" tests/system tests/bench
	@$(BIN)/python -m pytest -m browser tests/console
	@$(BIN)/python -m pytest -m "system and alone" tests/system

check: format lint types console-check test ## format, lint, types and all tests: what must pass before a commit

format: $(READY)
	@$(BIN)/ruff format --check

lint: $(READY)
	@$(BIN)/ruff check

types: $(READY)
	@$(BIN)/basedpyright

console-check: $(CONSOLE) ## the console's types, lint, unit tests and weight
	@console/with-node npm run --silent check

# make demo LAN=1, or LAN=192.168.1.20: phones in the same network reach it, over https.
# On make's command line only: what happens to be in the environment opens the demo to nobody.
demo: $(READY) $(CONSOLE) ## the whole service with a simulated estate; Ctrl-C ends it (LAN=1 for phones)
	@exec $(BIN)/python taizhang.py demo $(and $(findstring command line,$(origin LAN)),$(LAN),--lan $(LAN))

smoke: $(READY) ## the same, headless and bounded; the last line is a JSON account
	@exec $(BIN)/python taizhang.py smoke

# make month SEED=7, or with more of the command's options in ARGS: --days 3, --everybody
month: $(READY) ## a simulated month of ordinary life, held against the truth: minutes (SEED=n BAD=1 ARGS=...)
	@exec $(BIN)/python taizhang.py month $(if $(SEED),--seed $(SEED)) $(if $(BAD),--bad) $(ARGS)

# make walk SEED=7. At a running API, not one that people use: ARGS="--url http://host:port", its token in TAIZHANG_API_TOKEN.
walk: $(READY) ## guards on rounds over HTTP, honest and cheating, held against the ledger: half a minute (SEED=n ARGS=...)
	@exec $(BIN)/python taizhang.py walk $(if $(SEED),--seed $(SEED)) $(ARGS)

# make chaos SECONDS=600 SEED=7. Without root the disk is not filled; a broker or database of yours is never stopped.
chaos: $(READY) ## kill, cut, slow and fill what the service stands on, then hold it to its promises (SECONDS=n SEED=n)
	@exec $(BIN)/python taizhang.py chaos $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

# make simulate SEED=7, or with more of the command's options in ARGS
simulate: $(READY) ## simulated gateways against the broker in MQTT_URL (SEED=n ARGS=...)
	@exec $(BIN)/python taizhang.py simulate $(if $(SEED),--seed $(SEED)) $(ARGS)

# With some of its questions only: make bench ARGS="end_to_end broker_limit"; docs/bench.md says what each figure means.
bench: $(READY) ## how fast the line is, on a machine with nothing else to do: 25 minutes (ARGS=...)
	@exec $(BIN)/python -m bench.run $(ARGS)

bench-quick: $(READY) ## the same in five minutes: for looking, not for comparing
	@exec $(BIN)/python -m bench.run --quick $(ARGS)

bench-report: $(READY) ## bench/results.jsonl as a table and a picture, against earlier runs
	@exec $(BIN)/python -m bench.report

schema: $(READY) ## regenerate ledger/schema.sql from the migrations
	@$(BIN)/python taizhang.py schema

openapi: $(READY) ## regenerate openapi.json from the API
	@$(BIN)/python taizhang.py openapi

lock: ## regenerate both lock files from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on the path: python3 -m pip install uv" >&2; exit 1; }
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.lock
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --constraints requirements.lock \
	  --output-file requirements-runtime.lock

clean: ## remove .venv, caches and the demo's data
	rm -rf .venv .taizhang console/node_modules console/dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
