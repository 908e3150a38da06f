# 医问: every command a person needs. `make` alone lists them.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install run index eval test lint check format doctor browser report benchmark chat-load screenshots clean

help:            ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1	/' | expand -t 20

install: .venv/.installed   ## make .venv and install the pinned dependencies
run: .venv/.installed       ## index corpus/ and open the chat on http://127.0.0.1:7860
	$(BIN)/rag serve --update-index
index: .venv/.installed     ## bring the index up to date
	$(BIN)/rag index
eval: .venv/.installed      ## ask our own question set and print the report's path
	$(BIN)/rag eval run benchmarks/sets/corpus --set answer.llm=extractive --report
doctor: .venv/.installed    ## check that everything is in place
	$(BIN)/rag doctor
test: .venv/.developed browser   ## run all tests
	$(BIN)/python -m pytest
lint: .venv/.developed      ## ruff, mypy strict, import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
check: lint test            ## lint and test
format: .venv/.developed    ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
report: .venv/.installed    ## print the retrieval and answer tables (needs ../shared)
	$(BIN)/python -m benchmarks.article
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.abstain
	$(BIN)/python -m benchmarks.perturbations --reader
	$(BIN)/python -m benchmarks.retrieval
benchmark: .venv/.developed ## print the speed table
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.reader_speed
	$(BIN)/python -m benchmarks.chat_load
chat-load: .venv/.developed browser ## measure the chat under load
	$(BIN)/python -m benchmarks.chat_load
screenshots: .venv/.developed browser ## take pictures of every state of the chat page
	$(BIN)/python scripts/screenshots.py
browser:
	@sh scripts/browser.sh
clean:           ## remove .venv and built indexes (documents stay)
	rm -rf .venv indexes/*/

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

.venv/.developed: .venv/.installed
	$(PIP) -e '.[dev]'
	@touch $@
