PYTHON ?= python3
VENV = .venv/bin/python

.PHONY: run test check bench redteam redteam-live format tools

run:
	@exec $(PYTHON) arena/start/bootstrap.py run

test:
	@$(PYTHON) arena/start/bootstrap.py test -q -n auto $(ARGS)

tools:
	@$(PYTHON) arena/start/bootstrap.py tools

check: tools
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy

format: tools
	@$(VENV) -m ruff format .
	@$(VENV) -m ruff check --fix .

bench: tools
	@$(VENV) tests/bench/web_bench.py $(ARGS)
	@$(VENV) tests/bench/ratings_bench.py $(ARGS)
	@$(VENV) tests/bench/growing_bench.py $(ARGS)
	@$(VENV) tests/bench/export_bench.py $(ARGS)
	@$(VENV) tests/bench/integrity_bench.py $(ARGS)

redteam: tools
	@$(VENV) -m tests.redteam.run --write docs/redteam.md $(ARGS)

redteam-live: tools
	@$(VENV) -m tests.redteam.live --write docs/redteam-live.md $(ARGS)
