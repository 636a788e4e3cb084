# Whybox: `make run` starts it, `make test` checks it. Both install what they need into .venv, once.
# POSIX sh and no GNU-only tools, so that it also works with the make that macOS ships.

HOST ?= 127.0.0.1
PORT ?= 8501
PYTHON ?=
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
MAKEFLAGS += --no-print-directory

.PHONY: run test check bench truth load fuzz soak browser clean help FORCE
.DEFAULT_GOAL := help

run: $(VENV)/.run ## start Whybox and print its address (HOST and PORT can be set)
	@HOST='$(HOST)' PORT='$(PORT)' exec $(PY) -m pages.ui.frame.server

# A worker more than cores, because browsers and servers are waited for; few heaps, because every thread of torch would keep its own.
test: $(VENV)/.dev browser ## everything: ruff, mypy and all tests, those in a browser too
	$(PY) -m ruff check .
	$(PY) -m mypy
	OMP_NUM_THREADS=1 MALLOC_ARENA_MAX=2 PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=10

check: $(VENV)/.dev ## the quick part: ruff, mypy and the fast tests
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest -q -m 'not slow and not browser'

bench: $(VENV)/.dev ## measure time, memory and agreement against other packages
	$(PY) -m benchmarks

truth: $(VENV)/.dev ## rank methods, layers and settings on scenes where removing each object tells the truth
	$(PY) -m benchmarks.truth --results

load: $(VENV)/.dev ## thirty visitors at once: throughput, waiting times, memory, and every map against the serial one
	$(PY) -m benchmarks.load.thirty_visitors

fuzz: $(VENV)/.dev ## two thousand damaged pictures, tables and zips: each refused in words or read correctly
	$(PY) -m benchmarks.fuzz.run

soak: $(VENV)/.dev ## twenty minutes of random visits: memory must not grow
	$(PY) -m benchmarks.load.soak

clean: ## remove .venv and all caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

# A stamp is written last, so an install that was cut off is done again. A .venv whose Python has gone is rebuilt.
VENV_GONE := $(if $(wildcard $(PY)),,FORCE)

$(VENV)/.run: requirements.txt $(VENV_GONE)
	@$(make_venv)
	@echo "Installing what Whybox needs into $(VENV) (once; PyTorch is large, so this can take some minutes) ..."
	@$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt $(VENV_GONE)
	@$(make_venv)
	@echo "Installing what Whybox and its tests need into $(VENV) (once; this can take some minutes) ..."
	@$(PIP) install -r requirements-dev.txt
	@touch $(VENV)/.run $@

# The Python a person has chosen as python3 comes first, then the newest of the others. --clear wipes a half-made .venv.
define make_venv
$(PY) -m pip --version >/dev/null 2>&1 && exit 0; \
for python in $(if $(PYTHON),'$(PYTHON)',python3 python3.14 python3.13 python3.12 python3.11 python3.10 python); do \
	if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then \
		echo "Making $(VENV) with $$("$$python" --version) ..."; \
		"$$python" -m venv --clear $(VENV); exit; \
	fi; \
done; \
echo "Whybox needs Python 3.10 or newer with its venv module (Debian, Ubuntu: apt install python3-venv)." >&2; \
echo "$(if $(PYTHON),$(PYTHON) is not one.,None was found.) Name one like this: make run PYTHON=/path/to/python3" >&2; \
exit 1
endef

# A Chromium for the browser tests: the machine's own, Debian's, or Playwright's download, in this order.
browser: $(VENV)/.dev
	@for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do \
		if command -v $$name >/dev/null 2>&1; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo "Installing Chromium for the browser tests ..."; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium >/dev/null \
			&& command -v chromium >/dev/null 2>&1 && exit 0; \
	fi; \
	$(PY) -m playwright install chromium && exit 0; \
	echo "No Chromium can be had here: the browser tests cannot run." >&2; \
	test -z "$$CI"
