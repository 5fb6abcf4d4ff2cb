# pg95: `make report` analyses the sample logs, `make test` checks everything. See README.md.
.DEFAULT_GOAL := help
.PHONY: help report test lint format docs clean fuzz sanitize bench-ingest bench-nplusone bench-nightly bench-plans bench-applications bench-history

bin := .venv/bin

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

report: ## analyse sample_logs/ and write pg95-report.html and pg95-report.json
	@tools/setup run
	@$(bin)/pg95 report sample_logs -o pg95-report.html -o pg95-report.json

test: ## install what the tests need, then lint, type-check, check the layers and run all tests
	@tools/setup test
	@$(MAKE) --no-print-directory checks
	$(bin)/pytest -n auto --maxprocesses 4 --dist loadfile

lint: ## lint, type-check and check the layers only
	@tools/setup dev
	@$(MAKE) --no-print-directory checks

.PHONY: checks
checks:
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

format: ## rewrite the sources as ruff wants them
	@tools/setup dev
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

docs: ## write docs/detectors/ from the detectors' docstrings
	@tools/setup run
	$(bin)/python tools/detector_pages.py

bench-ingest: ## measure reading speed beside pgBadger's, fail below the goals (BENCH="--mb 100 --to-mb 100" for less)
	@tools/setup run
	$(bin)/python benchmarks/ingest.py --to-mb 2000 --check $(BENCH)

bench-nplusone: ## measure what the search for loops costs beside reading a log
	@tools/setup run
	$(bin)/python benchmarks/nplusone.py $(BENCH)

bench-nightly: ## kill 300 nights at random instants and compare their history with one pass (BENCH="--kills 30" for less)
	@tools/setup run
	$(bin)/python benchmarks/nightly_kills.py $(BENCH)

bench-plans: ## measure how fast plans are read (BENCH="--plans 1000" for less)
	@tools/setup run
	$(bin)/python benchmarks/plans.py $(BENCH)

bench-applications: ## score what is found in the traffic of real applications (BED="--runs think" for less)
	@tools/setup run
	$(bin)/python benchmarks/applications/bench.py $(BED)

bench-history: ## measure how large a year of nights is, and what a trend costs (BENCH="--nights 60" for less)
	@tools/setup run
	$(bin)/python benchmarks/history.py $(BENCH)

.PHONY: bench-day
bench-day: ## read a day of 50 million executions, and tell the largest memory (BENCH="--copies 4" for less)
	@tools/setup run
	$(bin)/python benchmarks/day.py $(BENCH)

.PHONY: bench-indexes
bench-indexes: ## index advice beside other advisors' sets (JUDGE=evaluate.py SETS=folder BENCH="--dsn 'dbname=tpch …'")
	@tools/setup run
	$(bin)/python benchmarks/indexes.py --judge $(JUDGE) --sets $(SETS) $(BENCH)

.PHONY: bench-report screenshots
bench-report: ## measure the HTML report's size and load beside pgBadger's (BENCH="--mb 50" for more)
	@tools/setup test
	$(bin)/python benchmarks/report_page.py $(BENCH)

screenshots: ## write docs/screenshots/ from the sample, with Debian's Chromium
	@tools/setup test
	$(bin)/python tools/screenshots.py

fuzz: ## fuzz the native scanner and the Python readers for FUZZ_SECONDS (60) each
	@tools/setup test
	tools/fuzz

sanitize: ## run the native modules' tests with the address and undefined-behaviour sanitizers
	@tools/setup test
	tools/sanitize

clean: ## remove the environment, the caches and the reports that make wrote
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f pg95-report.html pg95-report.json analyzer/sources/logs/native/_scan.*.so analyzer/*/native/_*.so
	find analyzer tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
