# make demo: score the shipped sample articles with the shipped model.   make test: ruff, mypy and pytest.
# make model: train the released models anew, into runs/averaged and runs/fast; a killed one goes on. Needs ../shared/data and most of a day.
# make test-lowest: pytest with the lowest versions that pyproject.toml admits (needs Python 3.11).
PYTHON ?= python3
DEMO := .venv
TEST := .venv-test
LOWEST := .venv-lowest

# The pages are tested in Chromium. Where it is missing it is installed if that is ours to do; else those tests skip.
CHROMIUM := command -v chromium > /dev/null || test "$$(id -u)" != 0 || ! command -v apt-get > /dev/null \
	|| { echo "== installing chromium"; apt-get update -qq && apt-get install -y -qq chromium > /dev/null; } \
	|| echo "chromium could not be installed: the tests in a browser are skipped"

.PHONY: demo test test-lowest model clean
.DELETE_ON_ERROR:

demo: $(DEMO)/installed
	@echo "== scoring the sample articles in framing/samples with the shipped model"
	@$(DEMO)/bin/python -m framing score framing/samples --format text

test: $(TEST)/installed
	@echo "== ruff"
	@$(TEST)/bin/ruff check .
	@$(TEST)/bin/ruff format --check .
	@echo "== mypy"
	@$(TEST)/bin/mypy
	@echo "== pytest"
	@sh -c '$(CHROMIUM)'
	@$(TEST)/bin/python -m pytest

test-lowest: $(LOWEST)/installed
	@echo "== pytest with the lowest versions"
	@$(LOWEST)/bin/python -m pytest

$(DEMO)/installed: pyproject.toml constraints.txt
	@echo "== installing the base package into $(DEMO)"
	@$(PYTHON) -m venv $(DEMO)
	@$(DEMO)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(TEST)/installed: pyproject.toml constraints.txt
	@echo "== installing the package with the extras train, html, parquet, scale and dev into $(TEST) (torch is large)"
	@$(PYTHON) -m venv $(TEST)
	@$(TEST)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	@$(TEST)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,html,parquet,scale,dev]'
	@touch $@

$(LOWEST)/installed: pyproject.toml scripts/lowest_versions.py
	@echo "== installing the lowest versions of everything into $(LOWEST)"
	@$(PYTHON) -m venv $(LOWEST)
	@$(LOWEST)/bin/python scripts/lowest_versions.py > $(LOWEST)/constraints.txt
	@$(LOWEST)/bin/pip install --quiet --disable-pip-version-check -c $(LOWEST)/constraints.txt torch
	@$(LOWEST)/bin/pip install --quiet --disable-pip-version-check -c $(LOWEST)/constraints.txt -e '.[train,html,parquet,scale,dev]'
	@touch $@

# The recipe of the released models. A trained folder is complete when it holds history.json.
RUN := $(TEST)/bin/python scripts
DATA := ../shared/data

model: runs/averaged/framing.json runs/fast/history.json

runs/minilm/history.json runs/teacher/history.json: runs/%/history.json: | $(TEST)/installed
	$(RUN)/train.py configs/$*.yaml

runs/pool.jsonl: runs/teacher/history.json
	gzip -dc $(DATA)/unlabelled/articles.jsonl.gz | $(RUN)/teach.py runs/teacher - \
		--known $(DATA)/real/train.jsonl --known $(DATA)/real/dev.jsonl -o $@.part
	mv $@.part $@

runs/distilled/history.json: runs/minilm/history.json runs/pool.jsonl
	$(RUN)/train.py configs/distilled.yaml

runs/pool_labelled.jsonl: runs/pool.jsonl framing/corpus/real/pool.jsonl
	$(RUN)/prepare_data.py framing/corpus/real/pool.jsonl runs/pool.jsonl -o $@.part
	mv $@.part $@

runs/student/history.json runs/student14/history.json: runs/distilled/history.json runs/pool_labelled.jsonl
	$(RUN)/train.py configs/student.yaml $(if $(findstring 14,$@),seed=14 output=runs/student14)

runs/averaged/framing.json: runs/student/history.json runs/student14/history.json
	rm -rf runs/averaged
	$(RUN)/average.py runs/student runs/student14 -o runs/averaged

runs/fast/history.json: runs/averaged/framing.json
	$(RUN)/train.py configs/fast.yaml

clean:
	rm -rf $(DEMO) $(TEST) $(LOWEST) .pytest_cache .mypy_cache .ruff_cache
