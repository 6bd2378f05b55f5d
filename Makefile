# What each target is for stands beside it; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Every process here compiles what it runs, or reads what another has compiled: half its start.
export PYTHONDONTWRITEBYTECODE :=

PORT ?= 8000
COMPANY ?= ca-manufacturer
MONTHS ?= 36
FAST ?=
ALL ?=
TESTS ?=
AT ?=
ONLY ?=
PART ?=
SCALE ?=
VENV := $(CURDIR)/.venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# The first Python of these that is 3.11 or newer and can make an environment makes it. The system's
# own comes first: a distribution tunes what it compiles, and it runs a seventh faster.
PYTHON ?= $(firstword $(foreach name,/usr/bin/python3.11 python3.11 python3.12 python3.13 python3,$(shell \
  command -v $(name) >/dev/null && $(name) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
# A run without ALL=1 leaves the slow part of the sweeps to CI (docs/decisions/0019).
PLAYED = $(if $(FAST),-m "not slow and not browser",$(if $(ALL)$(TESTS),,-m "not (slow and proof)"))

COMPILE = $(PY) -m uv pip compile -q --generate-hashes --no-emit-index-url --no-header \
  --python-version 3.11 --universal

.PHONY: help demo test prove bench check fix migrations lock trace permissions shots assets venv

help:  ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: venv assets  ## The product with a demo company: PORT=8000 COMPANY=ca-manufacturer MONTHS=36
	@exec $(PY) -m qms.local.launch --port "$(PORT)" --company "$(COMPANY)" --months "$(MONTHS)"

test: venv assets  ## Tests; ALL=1 as CI, FAST=1 without slow ones and browser, TESTS=path narrows
	@exec $(PY) -m pytest -n 2 --dist worksteal $(PLAYED) $(TESTS)

prove: venv assets  ## The proofs at full count, to docs/proofs.md: PART=moves
	@exec $(PY) -m tests.prove $(if $(PART),--part "$(PART)")

bench: venv assets  ## How long pages take, as multiples of a plain list: SCALE=small|default|large
	@exec $(PY) -m tests.bench $(if $(SCALE),--scale "$(SCALE)")

check: venv assets  ## What CI runs first: format, lint, types, borders, migrations, deployment
	@exec $(PY) -m qms.local.checks

fix: venv  ## Format, and repair what a machine can repair
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

migrations: venv  ## Write a named migration: APP=capa NAME=what_changed
	@test -n "$(APP)" -a -n "$(NAME)" || { echo 'Say which: make migrations APP=capa NAME=what_changed'; exit 1; }
	@exec $(PY) manage.py makemigrations "$(APP)" --name "$(NAME)"

trace: venv  ## Which test holds which clause, and which handler hears which event
	@exec $(PY) -m qms.local.trace

permissions: venv  ## Who may open what, written to docs/permissions.md
	@exec $(PY) -m qms.local.permissions

shots: venv assets  ## Pictures of the main pages to var/shots: AT=http://localhost:8000, ONLY=audit
	@exec $(PY) -m tests.shots $(if $(AT),--at "$(AT)") $(if $(ONLY),--only "$(ONLY)")

assets: venv  ## The front-end files, from pinned packages
	@exec $(PY) -m qms.local.assets

lock: venv  ## Lock files with hashes, no registry's address in them
	@$(COMPILE) --all-extras pyproject.toml -o requirements-dev.lock
	@$(COMPILE) -c requirements-dev.lock pyproject.toml -o requirements.lock

# The stamp is written last, so that an interrupted installation starts over.
venv: $(STAMP)
$(STAMP): requirements-dev.lock
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer that can make environments is needed, and none was found. Debian and Ubuntu keep that part in python3-venv.' >&2; exit 1; }
	@echo 'Installing the environment (a few minutes the first time) …'
	@test -x $(PY) && $(PY) -c '' 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $(STAMP)
