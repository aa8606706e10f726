# Set-up lives in .venv and repeats only when what it installs has changed.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
DATA ?= synthetic
ENCODER ?=
CODES ?=
CODE_SYSTEM ?=
EPOCHS ?=
TEXT ?=
LEVEL ?=
export ICD_RELEVANCY_CACHE ?= $(HOME)/.cache/icd_relevancy
export TF_CPP_MIN_LOG_LEVEL ?= 3
VECTORS := $(ICD_RELEVANCY_CACHE)/vectors/icd10cm/vectors.npy

EXPERIMENTS := table2 table3 table4 figure1 figure2
NNBSVR_ON_NOTES := table3 table4
NNBSVR_ON_CODES := figure1 figure2 table5 table7 held_out mapping
NNBSVR := $(NNBSVR_ON_NOTES:%=reproduce-nnbsvr-%) $(NNBSVR_ON_CODES:%=reproduce-nnbsvr-%)
HMHAN_ON_NOTES := figure1 table3 table4 ablation figure7
HMHAN := $(HMHAN_ON_NOTES:%=reproduce-hmhan-%) reproduce-hmhan-negation
JAMS_TABLES := table1 table2 figure2 figure3 ablation
JAMS := $(JAMS_TABLES:%=reproduce-jams-%) reproduce-jams-lexical
CAC := figure1 figure2 figure3 figure4 figure5 figure6 thresholds runtime wards
ON_EVERY_BACKEND := tests/relevance/test_matching.py tests/losses tests/metrics tests/test_hierarchy.py \
	tests/layers/test_label_attention.py tests/layers/test_hierarchical_attention.py tests/layers/test_masked.py \
	tests/layers/test_code_graph_attention.py tests/layers/test_joint_label_attention.py
BACKENDS ?= tensorflow jax
# A file of tests stays in one process, which trains what its tests share once; each process keeps to one thread.
TWO_PROCESSES := -n 2 --dist loadfile
IN_PARALLEL := TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1
.PHONY: help setup encoder test test-backends lint format bench clean $(EXPERIMENTS:%=reproduce-%) \
	reproduce-nnbsvr $(NNBSVR) reproduce-hmhan $(HMHAN) reproduce-cac $(CAC:%=reproduce-cac-%) tune-cac \
	reproduce-jams $(JAMS)

help:  ## this list
	@grep -hE '^[a-z0-9%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 24
	@printf '%s\n' 'reproduce-NAME          NAME one of $(EXPERIMENTS); DATA=synthetic|cmc2007|codiesp|PATH' \
	'reproduce-nnbsvr-NAME   NAME one of $(NNBSVR_ON_NOTES) (DATA as above)' \
	'                        or of $(NNBSVR_ON_CODES); CODES=10000 for a sample of the codes' \
	'reproduce-hmhan-NAME    NAME one of $(HMHAN_ON_NOTES) (DATA as above), or negation' \
	'reproduce-cac-NAME      NAME one of $(CAC); DATA=synthetic|eicu|mimic4|SOURCE:PATH|PATH' \
	'                        CODE_SYSTEM=icd9cm|icd10cm' \
	'reproduce-jams-NAME     NAME one of $(JAMS_TABLES), or lexical (TEXT=en|es, LEVEL=full|category);' \
	'                        DATA=synthetic|codiesp|codiesp+cmc2007|mimic4-notes:PATH|PATH'

setup: $(VENV)/.installed $(VECTORS)  ## install into .venv, and build the code vectors into the cache

$(VENV)/.installed: setup.cfg .ci/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt --editable '.[dev]'
	touch $@

$(VECTORS): | $(VENV)/.installed
	$(BIN)/python -c 'from icd_relevancy import CodeVectors; CodeVectors.load("icd9cm"); CodeVectors.load("icd10cm")'

encoder: setup  ## fetch the default encoder into the cache
	@$(BIN)/python -c 'from icd_relevancy.encoding.pretrained import default_encoder; default_encoder()' 2>/dev/null \
	|| $(BIN)/python -c 'from icd_relevancy.encoding.pretrained import default_encoder; default_encoder()'

test: setup encoder  ## all tests
	$(IN_PARALLEL) $(BIN)/python -m pytest $(TWO_PROCESSES)

test-backends: $(VENV)/.jax  ## losses, metrics, layers and matching on every backend (BACKENDS=jax for one)
	@for backend in $(BACKENDS); do \
		KERAS_BACKEND=$$backend $(IN_PARALLEL) $(BIN)/python -m pytest $(TWO_PROCESSES) $(ON_EVERY_BACKEND) || exit 1; \
	done

$(VENV)/.jax: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt --editable '.[dev,jax]'
	touch $@

lint: setup  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup  ## let ruff write the layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

RUN := $(BIN)/python -m experiments
ON_NOTES = --data '$(DATA)' $(if $(ENCODER),--encoder '$(ENCODER)')
ON_STAYS = --data '$(DATA)' --set $(if $(CODE_SYSTEM),code_system='$(CODE_SYSTEM)')

$(EXPERIMENTS:%=reproduce-%): reproduce-%: setup encoder
	$(RUN) $* $(ON_NOTES)

$(NNBSVR_ON_NOTES:%=reproduce-nnbsvr-%): reproduce-nnbsvr-%: setup encoder
	$(RUN) nnbsvr.$* $(ON_NOTES)

$(NNBSVR_ON_CODES:%=reproduce-nnbsvr-%): reproduce-nnbsvr-%: setup encoder
	$(RUN) nnbsvr.$* $(if $(ENCODER),--encoder '$(ENCODER)') $(if $(CODES),--set codes='$(CODES)')

$(HMHAN_ON_NOTES:%=reproduce-hmhan-%): reproduce-hmhan-%: setup encoder
	$(RUN) hmhan.$* $(ON_NOTES)

reproduce-hmhan-negation: setup
	$(RUN) hmhan.negation

reproduce-hmhan: $(HMHAN)  ## all tables and figures of HMHAN

$(CAC:%=reproduce-cac-%): reproduce-cac-%: setup
	$(RUN) cac.$* $(ON_STAYS)

reproduce-cac: $(CAC:%=reproduce-cac-%)  ## the figures of CAC, its thresholds, runtime and wards

$(JAMS_TABLES:%=reproduce-jams-%): reproduce-jams-%: setup encoder
	$(RUN) jams.$* $(ON_NOTES)

reproduce-jams-lexical: setup encoder
	$(RUN) jams.lexical $(ON_NOTES) --set $(if $(TEXT),language='$(TEXT)') $(if $(LEVEL),level='$(LEVEL)')

reproduce-jams: $(JAMS)  ## all tables and figures of JAMS, and the lexical channel

tune-cac: setup  ## search the settings of CAC's network (DATA, CODE_SYSTEM; EPOCHS=81 for a larger budget)
	$(RUN) cac.tune $(ON_STAYS) $(if $(EPOCHS),max_epochs='$(EPOCHS)')

reproduce-nnbsvr: $(NNBSVR)  ## all tables and figures of NNBSVR

bench: setup encoder  ## speed ratios, each within one run (BENCH=memory for an epoch over a million notes)
	$(BIN)/python -m experiments.benchmarks $(BENCH)

clean:  ## remove the environment and all results
	rm -rf $(VENV) results
