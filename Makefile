# What one does with this project. `make` alone lists it.

SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help

# The race detector needs a C compiler. Without one the tests run without it, and say so.
HAVE_C = $(shell [ "$$(go env CGO_ENABLED)" = 1 ] && command -v $$(go env CC) >/dev/null && echo yes)
RACE = $(if $(HAVE_C),-race,)
# Which packages test, race and bench look at.
PKG ?= ./...
TEST_TIMEOUT ?= 20m
FUZZ_TIME ?= 10s
DEMO_ARGS ?=
CHAOS_ARGS ?=
# How many sequences of steps the model of the ledger is tried with in make chaos.
CHAOS_CHECKS ?= 200
LINT = go tool -modfile=tools/go.mod golangci-lint

.PHONY: help build install demo test race chaos fuzz bench lint fmt verify

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

build: ## build bin/pukar
	go build -trimpath -o bin/pukar ./cmd/pukar

install: ## install PostgreSQL and Redis where they are missing (apt-get)
	@scripts/install

demo: install build ## run a whole campaign against a simulated network (DEMO_ARGS=--exit ends by itself)
	./bin/pukar demo $(DEMO_ARGS)

# What is held to the clock runs afterwards, by itself and without the race detector; so does the report's run of 100,000 people, which is
# smaller with it.
CLOCKED = RowByRow|HoldTheirRates|OnTheWireWithinTwoSeconds

test: install ## run every test against a real PostgreSQL and Redis (PKG=./web/... for some)
	@[ -n "$(RACE)" ] || echo "no C compiler: the tests run without the race detector" >&2
	go run ./internal/testenv/run -- go test $(RACE) -shuffle=on -count=1 -timeout $(TEST_TIMEOUT) $(PKG)
	$(if $(and $(RACE),$(filter ./...,$(PKG))),go run ./internal/testenv/run -- go test -count=1 -run '$(CLOCKED)' -timeout $(TEST_TIMEOUT) ./internal/app)

race: install ## run every test three times under the race detector
	go run ./internal/testenv/run -- go test -race -shuffle=on -count=3 -timeout 60m $(PKG)

# The program is built first, because its processes are started from its own file.
chaos: install ## the recovery suite: 100 accidents to a run of 1 million (CHAOS_ARGS='--people=50000 --moments=30 --seed=7')
	go build -o bin/chaos ./internal/chaos/run
	./bin/chaos $(CHAOS_ARGS)
	go run ./internal/testenv/run -- go test -count=1 -timeout 60m -run AgainstModel ./campaign -rapid.checks=$(CHAOS_CHECKS)

fuzz: ## run every fuzz target for FUZZ_TIME (10s)
	scripts/fuzz $(FUZZ_TIME)

bench: install ## measure a whole campaign (BENCH_ARGS=--sizes=1000000); with PKG=./audience that package's benchmarks
	$(if $(filter ./...,$(PKG)),go run ./bench $(BENCH_ARGS),go run ./internal/testenv/run -- go test -run '^$$' -bench . -benchmem -timeout 60m $(PKG))

lint: ## run the linter; its first build takes over a minute
	$(LINT) run --allow-parallel-runners

fmt: ## format the code
	gofmt -w $$(git ls-files -co --exclude-standard -- '*.go')

verify: ## check module files, formatting and the paths that documents name
	scripts/verify
