# The two commands are `make demo` and `make test`; `make` alone lists all.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
PY := .venv/bin/python
SCALE ?= 2000
OFFSET ?= 0
TRAFFIC ?= 1
JOBS ?= 3
ARGS ?=
APPS := contact_center patients inbox scheduling complaints analytics
CHECKED := $(APPS) tests benchmarks requirements manage.py

# A suite starts some hundred programs; without kept bytecode each compiles two thousand modules first.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-test browser demo stop reset test lint faults bench messages lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

install:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	@$(PYTHON) requirements/install.py base

install-test:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found."; exit 1; }
	@$(PYTHON) requirements/install.py base test

browser: install-test
	@$(PY) requirements/browser.py

demo: install ## start everything with a seeded clinic (SCALE=patients, TRAFFIC=0, OFFSET=added to every port)
	@exec $(PY) -m contact_center.demo --scale $(SCALE) --offset $(OFFSET) $(if $(filter 0,$(TRAFFIC)),--no-traffic)

stop: install ## stop a demo that runs in another terminal
	@$(PY) -m contact_center.supervisor stop

reset: install ## erase the demo's data
	@$(PY) -m contact_center.embedded reset

lint: install-test ## style, types, import contracts, templates, migrations
	@$(PY) -m contact_center.embedded run --ephemeral -- sh requirements/lint.sh $(CHECKED)

export FAULT_ROUNDS ?= 2
faults: export FAULT_ROUNDS = 20

# While lint runs, the database is made and the tests are compiled, once for all workers.
test: browser ## everything that must be green (ARGS= go to pytest)
	@$(PY) -m contact_center.embedded run --ephemeral -- sh -c \
	  'run=$$($(PY) -c "import uuid; print(uuid.uuid4().hex)"); \
	  { $(PY) -W ignore -m tests.template $$run; $(PY) -m pytest --collect-only -qq >/dev/null 2>&1; } & \
	  sh requirements/lint.sh $(CHECKED) && exec $(PY) -m pytest -n $(JOBS) --testrunuid $$run -m "not slow" $(ARGS)'

faults: browser ## every fault test with its figure, the long ones too (ARGS= go to pytest)
	@$(PY) -m contact_center.embedded run --ephemeral -- $(PY) -m pytest -m "fault or slow" -s -p no:randomly $(ARGS)

bench: install-test ## the table of measured costs, each with its floor beside it
	@$(PY) -m contact_center.embedded run --ephemeral -- $(PY) -m benchmarks $(ARGS)

messages: install ## collect and compile the texts of all languages
	@PATH="$(CURDIR)/.venv/bin:$$PATH" DEBUG=1 $(PY) manage.py makemessages --all --no-location --ignore .venv --ignore node_modules
	@DEBUG=1 $(PY) manage.py compilemessages --ignore .venv

lock: install-test ## compile requirements/*.in to hash-pinned locks without addresses
	@for name in bootstrap base test; do .venv/bin/uv pip compile -q --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links requirements/$$name.in -o requirements/$$name.txt || exit 1; done
	@! grep -n '://' requirements/*.txt
