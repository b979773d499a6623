# Every target sets up what it needs. `make demo` and `make test` are the two commands of README.md.
PYTHON ?= python3
BIN := .venv/bin
# Two workers on two cores: threads of the matrix library would only get in one another's way.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: env demo test check bench calibrate soak generated test-needs

env: .venv/ready

# Bytecode is compiled on both cores after the install: without it every start pays for it again.
.venv/ready: requirements.lock pyproject.toml
	@echo "Building the environment from requirements.lock (about a minute) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-compile --editable .
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 0 .venv/lib || true
	@touch .venv/ready

demo: env
	@$(BIN)/rapport demo --careers

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.support.generated --check
	$(BIN)/pytest -m "not browser and not postgresql and not slow" -n 2

# The whole suite. Browser and PostgreSQL tests skip by name where these cannot be installed.
test: env test-needs
	$(BIN)/pytest -n 2 --dist loadgroup --durations=10

test-needs:
	@sh tests/support/needs.sh

generated: env
	$(BIN)/python -m tests.support.generated

# Long: how often each interval holds the truth, over a thousand made-up programmes a size.
calibrate: env
	$(BIN)/python -m tests.calibration.table --write
	$(BIN)/python -m tests.calibration.business_case --seeds 500

bench: env
	$(BIN)/python -m tests.bench.scoring
	$(BIN)/python -m tests.bench.random_intercept
	$(BIN)/python -m tests.bench.answering
	$(BIN)/python -m tests.bench.disclosure
	$(BIN)/python -m tests.bench.dashboard

# Hours: the long forms of the fault tests, the longest last.
soak: env test-needs
	$(BIN)/python -m tests.faults.zones
	$(BIN)/python -m tests.faults.mail_servers --messages 80000
	$(BIN)/python -m tests.faults.schedulers --seconds 1800 --workers 16
	$(BIN)/python -m tests.faults.schedulers --seconds 1800 --workers 16 --postgresql
	$(BIN)/python -m tests.dashboard.every_page
	$(BIN)/python -m tests.attacks.simulator --programmes 2000 --baseline 200
	$(BIN)/python -m tests.attacks.likelihood --programmes 600
	$(BIN)/python -m tests.attacks.whole_flips
	$(BIN)/python -m tests.attacks.non_interference --flips 10000
	$(BIN)/python -m tests.attacks.configuration --houses 500 --steps 400
	$(BIN)/python -m tests.faults.model --steps 1000000
	$(BIN)/python -m tests.faults.power_cuts --cuts 1000000
	$(BIN)/python -m tests.faults.kills --kills 5000
	$(BIN)/python -m tests.faults.kills --kills 5000 --postgresql
