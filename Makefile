# One door for everything a developer does. The environment is made by itself from the pinned and
# hashed requirements, and made anew when they change.
SHELL := /bin/bash
.DEFAULT_GOAL := test

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
PATHS := activities cli roles workflows tests starter.py worker.py
ARGS ?=
# Three processes share the tests, file by file, the longest files first.
# ARGS="-n0 ..." for one process, which a debugger needs.
SHARED := -n 3 --dist loadfile --no-loadscope-reorder

# The first interpreter that runs and is 3.11 or later; a version manager's shim may exist and not
# run. PYTHON=... overrides.
PYTHON ?= $(shell for p in python3.11 $$HOME/.pyenv/versions/3.11.*/bin/python python3.12 \
	python3.13 python3; do "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: demo demo-model demo-claude test check format tools clean

demo: $(READY) tools ## migrate a real project, from fetch to report
	$(PY) starter.py demo

demo-model: $(READY) tools ## the same with planner and workers on a local Messages API
	$(PY) -m tests.fakes.demo_mind
demo-claude: $(READY) tools ## the same with Claude; ANTHROPIC_API_KEY=... make demo-claude
	@test -n "$$ANTHROPIC_API_KEY" || { echo "set ANTHROPIC_API_KEY" >&2; exit 2; }
	$(PY) starter.py demo --model

test: $(READY) tools ## all tests; ARGS="-k name" for some, ARGS="-n0 ..." in one process
	$(PY) -m pytest $(SHARED) $(ARGS)

check: $(READY) tools ## format, lint, types, tests
	$(PY) -m ruff format --check $(PATHS)
	$(PY) -m ruff check $(PATHS)
	$(PY) -m pyright
	$(PY) -m pytest $(SHARED) $(ARGS)

format: $(READY)
	$(PY) -m ruff format $(PATHS)
	$(PY) -m ruff check --fix $(PATHS)

ifneq ($(wildcard tests/replay),)
.PHONY: replay record
replay: $(READY) ## recorded histories against today's workflows
	$(PY) -m pytest tests/replay $(ARGS)
record: $(READY) tools ## record today's histories
	$(PY) tests/replay/record.py $(ARGS)
endif

ifneq ($(wildcard benchmarks/__main__.py),)
.PHONY: bench
bench: $(READY) tools ## paired measurements, printed and written as JSON
	$(PY) -m benchmarks $(ARGS)
endif

ifneq ($(wildcard tests/faults),)
.PHONY: chaos
chaos: $(READY) tools ## kill -9 of everything, on the demo too; the minutes that test leaves out
	$(PY) -m pytest tests/faults tests/test_corpus.py -m "" $(ARGS)
endif

ifneq ($(wildcard tests/corpus),)
.PHONY: corpus corpus-scale
corpus: $(READY) tools ## real code in six languages, held against known counts; NAMES="clap-edition" for some
	$(PY) -m tests.corpus $(NAMES)
corpus-scale: $(READY) tools ## the same on tens of thousands of files
	$(PY) -m tests.corpus --scale $(NAMES)
endif

# Written last: an installation that was killed is not taken for a finished one.
$(READY): requirements-dev.txt
	@test ! -L $(VENV) || { echo "$(VENV) is a link: what it leads to would be emptied; remove it" >&2; exit 1; }
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# The sandbox is a Debian package, not a Python one.
tools:
	@command -v bwrap >/dev/null && command -v git >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq bubblewrap git >/dev/null; \
	  else \
	    echo "bubblewrap and git are needed: sudo apt-get install bubblewrap git" >&2; exit 1; \
	  fi; }

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
