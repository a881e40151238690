# Copyright 2026 The ptz_collab authors
# SPDX-License-Identifier: Apache-2.0
SHELL := /bin/bash
PYTHON ?= python3
IN_ENV := . ./env.sh &&
# rclpy's launch plugins for pytest, where a distribution has them, do not work with this pytest.
PYTEST := python -m pytest -p no:launch_testing -p no:launch_ros -p no:launch_testing_ros_pytest_entrypoint
DEMO_OUT ?= out/demo

.PHONY: env demo test bench lint format clean help

env: ## make or update the environment (.venv, build/, install/)
	@$(PYTHON) scripts/make_env.py

demo: env ## run three simulated cameras on three scenes for a minute
	@$(IN_ENV) ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ptz-collab up config/demo.yaml --duration 60 --out $(DEMO_OUT) --overwrite

test: env ## run the tests
	@$(IN_ENV) $(PYTEST) -n 2 --dist loadgroup -q $(ARGS)

bench: env ## measure
	@$(IN_ENV) python benchmarks/simulator.py

lint: env ## check style and types
	@$(IN_ENV) ruff check . && ruff format --check . && mypy

format: env ## put the code into the project's format
	@$(IN_ENV) ruff format . && ruff check --fix .

clean: ## remove everything that was made
	rm -rf .venv build install log out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests scripts -name __pycache__ -prune -exec rm -rf {} +
	find src -name '*.egg-info' -prune -exec rm -rf {} +

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/'
