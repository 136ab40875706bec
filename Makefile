# CIFAR-10 Lab. `make run` opens the lab on http://127.0.0.1:8501, `make test` checks
# everything. Both set up what they need on their first call; later calls need no network.

PORT ?= 8501
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet -c requirements.lock

.PHONY: run test lint chromium clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

run: $(VENV)/installed
	@$(BIN)/python tools/check_port.py $(PORT)
	$(BIN)/streamlit run app.py --server.address 127.0.0.1 --server.port $(PORT)

test: lint chromium
	$(BIN)/python -m cifar_core data
	$(BIN)/pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

chromium: $(VENV)/installed-dev
	@sh tools/chromium.sh $(BIN)/playwright

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: requirements.txt requirements.lock
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && "$$python" -m venv $(VENV)
	@echo "Installing the packages (about 800 MB, a few minutes, only this once) …"
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(PIP) -r requirements-dev.txt
	@touch $@
