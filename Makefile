# `make` alone lists the targets. Needed: Go 1.26, make, git; a C compiler for the race detector.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LINT      = $(GO) tool -modfile=.ci/tools/go.mod golangci-lint
FUZZTIME ?= 60s
BIN      ?= bin/roster
# Packages tested at once. With more, the servers that the tests start answer too late on two CPUs.
ATONCE   ?= 2

.DEFAULT_GOAL := help
.PHONY: help run build test test-postgres test-mongodb check bench fuzz soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, and serve on http://127.0.0.1:8000 with the database in ./data
	@exec bin/roster serve

# Without -s -w and without the tag, which drops a rule of the validator that is not used here but keeps the linker
# from removing unused methods, the binary is half as large again.
build: ## build bin/roster, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -tags validator_novalidatefn -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/roster

test: ## run every test, with the race detector, in random order, on every backend
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 30m -p $(ATONCE) ./...
	$(GO) test -run TestAFloodFreesNobody ./adapters/httpapi
	TEST_BACKEND=memory CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 30m ./test/django
	TEST_BACKEND=memory CGO_ENABLED=1 $(GO) test -race -timeout 30m -run 'TestRegistrationRace|TestRefreshRace' ./test/e2e
	$(MAKE) --no-print-directory -j2 test-postgres test-mongodb

test-postgres test-mongodb: test-%:
	TEST_BACKEND=$* CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 30m ./test/e2e ./test/django

check: ## format, vet, linters, the dependency rule, modules
	@bad=$$(gofmt -l .) && if [ -n "$$bad" ]; then echo "gofmt -w is needed on:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	$(LINT) config verify
	$(LINT) run ./...
	$(GO) test ./test/arch/...
	$(GO) mod verify
	$(GO) mod tidy -diff

bench: ## start-up time, memory, requests per second, refused sign-ins
	$(GO) run ./test/bench

fuzz: ## every fuzz target for a minute each (FUZZTIME=60s)
	@grep -rn --include='*_test.go' '^func Fuzz' . | sed -E 's/^(.*)\/[^/]+:[0-9]+:func (Fuzz[A-Za-z0-9_]*).*/\1 \2/' | sort | \
	while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$package" </dev/null || exit 1; \
	done

soak: ## a million users imported into SQLite and PostgreSQL, killed half way and resumed
	TRANSFER_USERS=1000000 $(GO) test -v -count=1 -timeout 6h -run Large ./test/transfer

clean: ## remove what was built; the database in ./data stays
	rm -rf bin coverage.out
