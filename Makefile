# What a developer does, one line each. `make dev` is run by whatever needs it; it needs Python >= 3.11 with pip.
PY    := .venv/bin/python
READY := .venv/.installed
SRC   := mlcore $(wildcard plugins/*/src)

.DEFAULT_GOAL := help
.PHONY: help dev demo test check test-plugin wheels bench docs hooks mutants soak peer engine torch clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

dev: $(READY) ## make .venv with everything, editable

$(READY): pyproject.toml $(wildcard plugins/*/pyproject.toml) tools/bootstrap.sh tools/bootstrap.py tools/venvs.py
	sh tools/bootstrap.sh

demo: $(READY) ## train, record, compare, save, load and serve real models
	$(PY) examples/demo.py

test: $(READY) ## run all tests (T=path for some of them)
	$(PY) -m pytest -n auto --dist worksteal $(T)

check: $(READY) ## format, lint, types, public types, architecture
	$(PY) tools/check.py

test-plugin: $(READY) ## run a plugin's tests beside the kernel alone: make test-plugin P=store_sql
	$(PY) tools/test_plugin.py $(P)

wheels: $(READY) ## build all wheels, install them into an empty environment, run the suites and the demo there
	$(PY) tools/wheels.py

bench: $(READY) peer ## measure side by side with MLflow (B=name for one, CHECK=1 to fail on a missed target)
	$(PY) bench/run.py $(B) $(if $(CHECK),--check)

docs: $(READY) hooks ## build the documentation into site/
	$(PY) tools/bootstrap.py --group docs && $(PY) -m mkdocs build --strict

hooks: $(READY) ## write docs/hooks.md, docs/endpoints.md and the generated pages of docs/plugins
	$(PY) tools/hook_reference.py && $(PY) tools/plugin_reference.py && $(PY) tools/endpoint_reference.py

mutants: $(READY) ## mutate the implementations in memory and see which faults the contract suites catch (N=40 for a sample)
	$(PY) tools/mutants.py $(if $(N),--sample $(N))

soak: $(READY) ## kill processes that record and processes that deliver, thousands of times, and compare (N=5000)
	$(PY) tools/soak.py $(N)

peer: $(READY) ## make .cache/peers: the MLflow that benchmarks and interchange tests use, and plugins for it
	$(PY) tools/peer.py

engine: $(READY) ## make .cache/docker, what the tests on a Docker Engine need (they do it themselves else)
	$(PY) tools/serving_image.py

torch: $(READY) ## install PyTorch and Lightning, pinned, for the tests of flavor_pytorch (`make dev` leaves them out)
	$(PY) tools/pytorch.py

clean: ## remove what was built, installed and cached
	rm -rf .venv .cache dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis bench/results
