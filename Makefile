# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
SHELL := bash
PYTHON ?= python3
IN_ENV := . ./env.sh &&
DEMO_OUT ?= out/demo
# More arguments for pytest, as in: make test ARGS='-k timetable -x'
ARGS ?=
# Tests that start graphs need the processor's time: more of them at once would disturb each other.
PYTEST := python -m pytest -n 2 --dist loadgroup -q

# Minutes of make bench-soak.
MINUTES ?= 60

.PHONY: env train-env demo test test-slow bench bench-quick bench-soak lint format clean help

env: ## make or update the environment (.venv, build/, install/)
	@$(PYTHON) scripts/make_env.py

train-env: ## the same, and what trainings of models use (PyTorch; TORCH_INDEX=URL: from there, for a build that fits the machine)
	@TORCH_INDEX=$(TORCH_INDEX) $(PYTHON) scripts/make_env.py train

demo: env ## run three simulated cameras on three scenes for a minute
	@$(IN_ENV) ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ptz-collab up config/demo.yaml --duration 60 --out $(DEMO_OUT) --overwrite

test: env ## run the tests, all but the slow ones
	@$(IN_ENV) $(PYTEST) -m 'not slow' $(ARGS)

test-slow: env ## run the slow tests
	@$(IN_ENV) $(PYTEST) -m slow $(ARGS) || { status=$$?; [ $$status = 5 ] && echo 'there are no slow tests'; }

bench: env ## measure, and make out/bench/report.html; with PTZ_COLLAB_TEST_DATA (a folder with MOT17, videos and a model) also on real data
	@$(IN_ENV) python benchmarks/run.py $(ARGS)

bench-quick: env ## the same in about a minute, with small inputs: shows that the benchmarks work
	@$(IN_ENV) python benchmarks/run.py --quick $(ARGS)

bench-soak: env ## run the demo's region for an hour (MINUTES=N), and see whether anything grows
	@$(IN_ENV) python benchmarks/soak.py --minutes $(MINUTES)

lint: env ## check style, types and package descriptions
	@$(IN_ENV) ruff check . && ruff format --check . && mypy && python scripts/check_packages.py

format: env ## put the code into the project's format
	@$(IN_ENV) ruff format . && ruff check --fix .

clean: ## remove everything that was made
	rm -rf .venv build install log out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests scripts -name __pycache__ -prune -exec rm -rf {} +
	find src -name '*.egg-info' -prune -exec rm -rf {} +

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 14
