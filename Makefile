# The work is done in dev/; `make help` lists commands and variables.
PYTHON ?= python3
COMMANDS := setup demo simulator test lint smoke chaos bench fuzz readmes wheels transcript stop clean

help:
	@$(PYTHON) -m dev help

# Without shell characters, so that make starts Python itself and signals reach it
$(COMMANDS):
	@$(PYTHON) -m dev $@

.PHONY: help $(COMMANDS)
