# Every target does its own set-up on a machine with only Python >= 3.11; a second call skips what is done.
.DEFAULT_GOAL := help
.PHONY: help demo up dev check test bench bench-ledger bench-equivalence bench-limits bench-library bench-gpu bench-page bench-uploads library-versions studies faults mutants screenshots fuzz format clean install install-dev page

help:                          ## print this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

demo: page                     ## train the demo study, live in the browser (ARGS=--exit: stop at its end)
	.venv/bin/dropscope demo $(ARGS)

up: page                       ## start Dropscope and serve until Ctrl-C
	.venv/bin/dropscope up $(ARGS)

dev: install-dev page          ## the service, restarted when a file of it changes, and the page as Vite serves it, side by side
	scripts/dev

check: install-dev page        ## format, lint, types, import rules, fast tests: before each commit
	scripts/check

test: install-dev page         ## everything that CI runs
	scripts/browser
	scripts/test

bench-library: install-dev     ## step time of every method over plain LoRA
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.bench.library $(ARGS)

bench: install-dev             ## the engine against stock transformers + PEFT on this processor, 20 minutes
	.venv/bin/python -m tests.bench.engine $(ARGS)

bench-ledger: install-dev      ## what the ledger of rows and the kept adapter cost a short study, in A B A B
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.bench.ledger $(ARGS)

bench-equivalence: install-dev ## the engine in bf16 against stock PEFT in bf16, the same seeds and masks: two one-sided tests
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.bench.equivalence $(ARGS)

bench-limits: install-dev page ## memory, growth, cost in proportion, and the time to a study's first step
	.venv/bin/python -m tests.bench.limits $(ARGS)

bench-gpu: install-dev          ## the engine against transformers + PEFT on a GPU, with the kernels of one step
	.venv/bin/python -m tests.bench.gpu $(ARGS)

bench-page: install-dev page   ## speed of the page on a large study, each figure beside its bar
	scripts/browser
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.bench.page $(ARGS)

bench-uploads: install-dev     ## memory, pace and manners of uploads, each figure beside its bar
	.venv/bin/python -m tests.bench.uploads

library-versions:              ## the library's tests on the oldest and newest transformers, PEFT, torch and TRL that it promises
	scripts/library-versions $(ARGS)

fuzz: install-dev              ## 10,000 odd requests as everybody: no 5xx, no answer off the schema (ARGS=--requests N)
	.venv/bin/python -m tests.team.fuzz $(ARGS)

studies: install-dev           ## what dropout is worth beside stopping in time, on sst2, mrpc and trec6, an hour or more (ARGS=--page-only: the page alone)
	OMP_NUM_THREADS=1 .venv/bin/python -m tests.studies $(ARGS)

faults: install-dev page       ## every fault test at the real lease, with its figure: an hour and a half (ARGS="-k t14")
	DROPSCOPE_TEST_LEASE_S=30 DROPSCOPE_TEST_SEQUENCES=10000 OMP_NUM_THREADS=1 .venv/bin/pytest -s -m faults $(ARGS)

mutants: install-dev           ## plant faults one at a time in a copy; the fast tests have to notice 95 % (ARGS="--only optimizer")
	.venv/bin/python -m tests.mutants $(ARGS)

screenshots: install-dev page  ## pictures of every page in both themes, into docs/images
	scripts/browser
	.venv/bin/python -m tests.e2e.screenshots $(ARGS)

format: install-dev            ## rewrite the code in the house's format
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

install:
	scripts/setup run

install-dev:
	scripts/setup dev

page: install
	scripts/page

clean:                         ## remove what was built and installed here
	rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .hypothesis build backend/web frontend/node_modules *.egg-info worker/lib/*.egg-info
