# The two commands a newcomer needs: `make grade` and `make test`. Everything lands in .venv/.
PYTHON ?= python3
LESSON ?= lesson-05
JOBS ?= 2
BIN := .venv/bin

.PHONY: help grade test lint gate bench docs lock clean

help:
	@echo "make grade [LESSON=lesson-05]   grade your copy of a lesson (sets everything up)"
	@echo "make test                       run the kit's own tests"
	@echo "make lint                       ruff, mypy, import-linter"
	@echo "make gate                       prove every lesson: octo_lab dev check"
	@echo "make bench                      print the speed and memory ratios"

.venv/kit: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("octo_lab needs Python 3.11 or later; try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing octo_lab into .venv (once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/kit requirements-dev.txt
	@echo "Installing the tools of the tests into .venv (once) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# Exit codes 0 (passed) and 1 (failed) are both verdicts; only "could not grade" is an error of make's.
grade: .venv/kit
	@$(BIN)/octo_lab grade $(LESSON) || test $$? -eq 1
	@command -v octo_lab >/dev/null || echo "(octo_lab is in .venv/bin; to have it at hand: source .venv/bin/activate)"

test: .venv/dev
	@$(BIN)/python -m pytest -n logical --dist worksteal

lint: .venv/dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

gate: .venv/dev
	@$(BIN)/octo_lab dev check --jobs $(JOBS) $(HOW)

bench: .venv/dev
	@$(BIN)/python -m tests.benchmarks

docs: .venv/dev
	@$(BIN)/python -m tests.cli_reference > docs/cli.md
	@tmp=$$(mktemp -d) && $(BIN)/octo_lab grade $(LESSON) --submission labs/$(LESSON)/service --seed 1 --json > $$tmp/report.json; \
		$(BIN)/python -m graders.reports.svg < $$tmp/report.json > docs/failing-screen.svg; rm -r $$tmp

lock: # needs uv on the PATH
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml requirements.in -o requirements-dev.txt

clean:
	rm -rf .venv build *.egg-info
