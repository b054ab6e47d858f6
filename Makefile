# Every target is enough by itself: it first makes .venv from pyproject.toml and constraints.txt.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SITE := $(VENV)/.ready-docs
INSTALL = $(if $(shell command -v uv 2>/dev/null),uv pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet) \
	-c constraints.txt -e
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)

.PHONY: demo test test-thorough test-slow soak audit check format types bench-solvers perf docs linkcheck gallery results clean

demo: $(READY)
	$(BIN)/relaxbench run smoke --out demo
	$(BIN)/relaxbench report demo

test: $(READY)
	$(BIN)/pytest -n auto --dist worksteal

test-thorough: $(READY)
	$(BIN)/pytest -n auto --dist worksteal -m "thorough and not slow"

test-slow: $(SITE)
	$(BIN)/pytest -m slow --ignore tests/soak

# Faults and kills; it writes its tables into docs/reliability.md. Smaller: RELAXBENCH_SOAK_CELLS=300 make soak
soak: $(READY)
	$(BIN)/pytest -m slow tests/soak

# Known vulnerabilities of what constraints.txt pins. Without a way to their database it says so, loudly, and passes.
audit: $(READY)
	@$(BIN)/python tests/audit.py constraints.txt

check: $(READY) types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# mypy has to see the folders under the names they are imported by.
types: $(READY)
	@mkdir -p build/types/relaxbench
	@for path in relaxbench/* datasets solvers baselines bench reports; do \
		ln -sfn ../../../$$path build/types/relaxbench/$$(basename $$path); done
	MYPYPATH=build/types $(BIN)/mypy -p relaxbench

bench-solvers: $(READY)
	$(BIN)/relaxbench run solvers --out results/solvers
	$(BIN)/relaxbench report results/solvers
	$(BIN)/relaxbench run solver-scaling --out results/solver-scaling
	$(BIN)/relaxbench report results/solver-scaling

perf: $(READY)
	@mkdir -p build
	$(BIN)/pytest tests/perf --benchmark-only --benchmark-json=build/perf.json

# The site, build/site/index.html. First the reference of all columns, the pictures of the house and the leaderboard,
# out of the code and what is stored: they are kept, and tests say when they are out of date. Then the pages, all anew, since the code behind them may have
# changed: three notebooks run, warnings are errors.
docs: $(SITE)
	$(BIN)/python docs/columns.py
	$(BIN)/python docs/architecture.py
	$(BIN)/python docs/leaderboard.py
	$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going -d build/doctrees docs build/site

# Links that lead out of the site. It needs the network, and is for people: other sites come and go.
linkcheck: $(SITE)
	$(BIN)/sphinx-build --quiet -b linkcheck -D nb_execution_mode=off -d build/linkcheck/doctrees docs build/linkcheck

# The pictures of docs/gallery.md, from a run of their own (ten minutes).
gallery: $(READY)
	$(BIN)/relaxbench run docs/gallery.toml --out build/gallery
	$(BIN)/python docs/gallery.py build/gallery

# The pages and pictures of docs/results out of what is published there; `python docs/results.py RUN` publishes a run.
results: $(READY)
	$(BIN)/python docs/results.py

$(READY): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "relaxbench needs Python 3.11, 3.12 or 3.13 with venv. Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; fi
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV); else $(PYTHON) -m venv $(VENV); fi
	@$(INSTALL) '.[test,dask,data,networks]'
	@touch $(READY)

$(SITE): $(READY)
	@$(INSTALL) '.[docs]'
	@touch $(SITE)

clean:
	rm -rf $(VENV) build demo *.egg-info
