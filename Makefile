# Two commands are enough: `make study` and `make test`. Each makes the environment it needs (.venv).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export OMP_NUM_THREADS ?= 1
# processes for the tests: one a core, as far as memory allows (each loads torch)
TEST_WORKERS ?= auto --maxprocesses 4

.PHONY: study test test-slow lint bench docs clean

study: $(STAMP)
	$(BIN)/sodiophile run studies/na-vn

test: $(STAMP) $(VENV)/.dft
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist worksteal

test-slow: $(STAMP) $(VENV)/.dft
	HYPOTHESIS_PROFILE=explore $(BIN)/python -m pytest -m slow

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "sodiophile needs Python 3.11 or newer; name it: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "python3 has no venv module here: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	@touch $@

# GPAW is built here, with a C++ compiler; where that fails, DFT still comes from records and its tests are skipped
$(VENV)/.dft: $(STAMP)
	@CC=g++ $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dft]' >$(VENV)/dft.log 2>&1 \
	  || echo "GPAW cannot be built here (see $(VENV)/dft.log): its tests will be skipped"
	@touch $@

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

clean:
	rm -rf $(VENV) docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
