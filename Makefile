# CIFAR-10 Lab. `make run` opens the lab on http://127.0.0.1:8501, `make test` checks
# everything. Both set up what they need on their first call; later calls need no network.

PORT ?= 8501
VENV ?= .venv
BIN = $(VENV)/bin
# Processes that share the tests; the tests of one file stay together.
JOBS ?= 2
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes

.PHONY: run test torture mutants load lint lock chromium bench clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

run: $(VENV)/installed
	@$(BIN)/python tools/check_port.py $(PORT)
	$(BIN)/streamlit run app.py --server.address 127.0.0.1 --server.port $(PORT)

test: lint chromium
	$(BIN)/python -m cifar_core data
	$(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# Every promise of docs/reliability.md in full, about twenty minutes; ONLY=A1,A4 for some.
torture: $(VENV)/installed-dev
	$(if $(ONLY),,$(BIN)/pytest -m full)
	$(BIN)/python -m tests.torture $(ONLY)

# Plants one-line defects and prints those that no test sees: 150, about an hour; goes on where it
# was interrupted. SAMPLE=30 SEED=$$RANDOM for a share each night, ONLY=pages/results.py for one
# file, ONLY=named for the known ones.
mutants: $(VENV)/installed-dev
	$(BIN)/python -m cifar_core data
	$(BIN)/python -m tests.mutants --sample $(or $(SAMPLE),150) --seed $(or $(SEED),1) \
		$(if $(ONLY),--only $(ONLY))

# What the server carries: 50 people at once, 10,000 one after the other, 1,000 old runs; about
# 25 minutes. SESSIONS=500 sends fewer in a row, ONLY="C1 C4" tries some.
load: $(VENV)/installed-dev
	$(BIN)/python -m cifar_core data
	$(BIN)/python -m benchmarks.load $(ONLY) $(if $(SESSIONS),--in-a-row $(SESSIONS))

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# After a change of a requirements*.txt: the locks again, with what did not change as it was. Needs
# uv, which is not installed here. UPGRADE=1 takes the newest versions.
lock:
	for set in "" -dev -gpu; do \
		head -2 requirements$$set.lock > .lock-head && \
		uv pip compile requirements$${set:--login}.txt --universal --python-version 3.11 \
			--generate-hashes --no-annotate --no-header --quiet $(if $(UPGRADE),--upgrade) \
			-o requirements$$set.lock && \
		cat .lock-head requirements$$set.lock > .lock && mv .lock requirements$$set.lock && \
		rm .lock-head || exit 1; \
	done

chromium: $(VENV)/installed-dev
	@sh tools/chromium.sh $(BIN)/playwright

# QUICK=1 takes minutes; ONLY="train serve" measures parts (train serve overhead pages live
# accuracy); RUN="runs/…" judges finished runs by the tutorial's accuracy.
bench: $(VENV)/installed $(VENV)/bench/installed
	$(BIN)/python -m cifar_core data
	$(BIN)/python -m benchmarks --torch-python $(VENV)/bench/bin/python \
		$(if $(filter-out 0,$(QUICK)),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(RUN),--run $(RUN))
	$(BIN)/python -m benchmarks.report

clean:
	rm -rf $(VENV) .mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: requirements.lock
	@python=$$(PYTHON='$(PYTHON)' sh tools/find_python.sh) && "$$python" -m venv $(VENV)
	@echo "Installing the packages (about 800 MB, a few minutes, only this once) …"
	$(PIP) -r requirements.lock
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	@touch $@

$(VENV)/bench/installed: benchmarks/requirements.txt | $(VENV)/installed
	$(BIN)/python -m venv $(VENV)/bench
	@echo "Installing PyTorch for the comparison (about 1 GB, only this once) …"
	$(VENV)/bench/bin/python -m pip --disable-pip-version-check install --quiet -r $<
	@touch $@
