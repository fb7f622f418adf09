# `make` alone lists the targets. Needed: Go 1.26, make, git; a C compiler for the race detector.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)
TEMPL     = $(GO) tool -modfile=.ci/templ/go.mod templ
LINT      = $(GO) tool -modfile=.ci/tools/go.mod golangci-lint
RELEASE   = $(GO) tool -modfile=.ci/release/go.mod
PLATFORMS = linux/amd64 linux/arm64 darwin/arm64 windows/amd64
ARCH     ?= $(shell $(GO) env GOARCH)
DIST     ?= dist
FUZZTIME ?= 60s
BIN      ?= bin/roster
TAGS      = validator_novalidatefn
# Packages tested at once under the race detector, beside one without it. With more, the servers that the tests start
# answer too late on two CPUs.
ATONCE   ?= 2
# Under the race detector these packages take many times as long: C turned into Go, and hashing. It leaves them out.
# Of a package with generic code it must not: the linker keeps one copy of such code for all packages.
UNWATCHED = modernc.org/sqlite/lib crypto/internal/fips140/sha256 $(addprefix golang.org/x/crypto/,argon2 blake2b blowfish bcrypt scrypt)
RACE      = -race $(foreach package,$(UNWATCHED),-gcflags=$(package)=-race=false)

.DEFAULT_GOAL := help
.PHONY: help run build build-cheap build-defects build-race deb release test test-race test-plain test-faults test-attacks test-sqlite test-postgres test-mongodb quick cover generate check bench fuzz soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, and serve on http://127.0.0.1:8000 with the database in ./data
	@exec bin/roster serve

# Without -s -w and without the tag, which drops a rule of the validator that is not used here but keeps the linker
# from removing unused methods, the binary is half as large again.
build: ## build bin/roster, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags '-s -w -X main.version=$(VERSION)' -o $(BIN) ./cmd/roster

# Binaries for tests in which the cost of a password's hash is not the point.
build-cheap: TAGS := $(TAGS),cheaphash
build-cheap: build

# A binary with a choice of planted defects, which test/faults must find.
build-defects: TAGS := $(TAGS),cheaphash,defects
build-defects: build

build-race:
	CGO_ENABLED=1 $(GO) build $(RACE) -tags cheaphash -o $(BIN) ./cmd/roster

# A version of Debian begins with a digit; 0~ sorts before every release. The times in the package are that of the commit.
deb: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null)
deb: ## build dist/roster_VERSION_ARCH.deb (ARCH=arm64 for another processor)
	@mkdir -p $(DIST)
	GOOS=linux GOARCH=$(ARCH) GOFLAGS=-buildvcs=auto $(MAKE) --no-print-directory build BIN=$(DIST)/roster-linux-$(ARCH)
	BINARY=$(DIST)/roster-linux-$(ARCH) ARCH=$(ARCH) VERSION=$(if $(filter v%,$(VERSION)),$(VERSION:v%=%),0~$(VERSION)) \
		$(RELEASE) nfpm package --config deploy/debian/nfpm.yaml --packager deb --target $(DIST)/

# Two builds of one commit have the same bytes, in any folder: -trimpath, no C, and the time of the commit. An SBOM has that
# too, in place of the time of its making.
release: ## build binaries with SBOMs, Debian packages and their SHA-256 in dist/
	rm -rf $(DIST)
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*} arch=$${platform#*/}; \
		if [ $$os = linux ]; then $(MAKE) --no-print-directory deb ARCH=$$arch; \
		else GOOS=$$os GOARCH=$$arch GOFLAGS=-buildvcs=auto $(MAKE) --no-print-directory build BIN=$(DIST)/roster-$$os-$$arch$$([ $$os = windows ] && echo .exe); \
		fi; \
	done
	@set -e; for binary in $(DIST)/roster-*-*; do \
		$(RELEASE) cyclonedx-gomod bin -json -std -licenses -noserial -version $(VERSION) -output $$binary.cdx.json $$binary; \
		made=$$(date -u -d @$$(git log -1 --format=%ct) +%Y-%m-%dT%H:%M:%SZ); \
		sed -i 's/^    "timestamp": ".*"/    "timestamp": "'$$made'"/' $$binary.cdx.json; \
		grep -q '^    "timestamp": "'$$made'"' $$binary.cdx.json; \
	done
	cd $(DIST) && sha256sum * > SHA256SUMS

# The binaries that the tests start are built once, not by each package. The garbage collector runs less often, except
# where memory is judged: it takes a third of the processor time of the servers.
test: export GOGC = 400
test: export TEST_BINARY = $(CURDIR)/bin/test/roster
test: export TEST_BINARY_RELEASE = $(CURDIR)/bin/test/roster-release
test: export TEST_BINARY_RACE = $(CURDIR)/bin/test/roster-race
test: export TEST_BINARY_DEFECTS = $(CURDIR)/bin/test/roster-defects
test: ## run every test on every backend, under the race detector once; SHUFFLE=on in random order, and none from the cache
	$(MAKE) --no-print-directory build BIN=$(TEST_BINARY_RELEASE)
	$(MAKE) --no-print-directory build-cheap BIN=$(TEST_BINARY)
	$(MAKE) --no-print-directory build-race BIN=$(TEST_BINARY_RACE)
	$(MAKE) --no-print-directory build-defects BIN=$(TEST_BINARY_DEFECTS)
	$(MAKE) --no-print-directory -j3 test-race test-faults test-attacks test-plain test-mongodb test-postgres test-sqlite

# Under the race detector: every package that holds concurrency of its own, the service itself where requests come at
# once, and the recorded contract on one backend. A new package is tested here. Left to test-plain: packages whose code
# starts no goroutine, and test/conformance, whose concurrent calls the race detector sees in the packages of the backends
# (SEQUENTIAL); other packages without goroutines, whose tests start programs or read the repository (PROGRAMS); the commands
# but those that serve, are interrupted or log (SERVING); and of the packages COSTLY the tests that call one thing at a time at
# much cost (ALONE): hashes of full cost, plans of queries.
SEQUENTIAL = /domain/|/bootstrap/config$$|/adapters/(auditlog|breached|httpapi/openapi|idna|ndjson|privatefile|sqlitefile)$$|/userlist$$|/test/conformance$$
PROGRAMS   = /test/(arch|attacks|bench|clients|cluster|console|deploy|django|djoser|docs|e2e|faults|requirements|transfer)$$|/adapters/(backup|django)$$
COSTLY     = /bootstrap$$|/adapters/(password|storage/(sqlite|postgres|mongodb))$$
COMMANDS   = /cmd/roster$$
ALONE      = Plans$$|TestSearchIsBounded|TestOutdated$$|TestDjangoUsersKeepTheirPasswords|HostileHashes|PHCString|TestKeysOfVersion19|AreNotBlocked|TestNULs
SERVING    = LogReader|Hangup|ShutdownDelay|Signal|Serve|Interrupted|InUse
# go test reports the cached result of a test if its code, the files of the repository that it opens and its environment are
# unchanged, unless the order is random: SHUFFLE=on, as in .ci/run. The cache does not depend on the programs that a test
# starts, such as the service or a database server, so packages with such tests always run (ANEW). Those that start their own
# test binary alone may be cached.
SHUFFLE   ?= off
CACHED     = $(if $(filter on,$(SHUFFLE)),-shuffle=on) -timeout 30m
ANEW       = -shuffle=on -timeout 30m
test-race: TESTED = CGO_ENABLED=1 $(GO) test $(RACE)
test-race:
	$(TESTED) $(ANEW) -p $(ATONCE) -skip '$(ALONE)' $$($(GO) list ./... | grep -E '$(COSTLY)')
	$(TESTED) $(CACHED) -p $(ATONCE) $$($(GO) list ./... | grep -vE '$(SEQUENTIAL)|$(PROGRAMS)|$(COSTLY)|$(COMMANDS)')
	$(TESTED) $(CACHED) -run '$(SERVING)' ./cmd/roster
	$(TESTED) $(ANEW) -run 'TestExportRestores' ./test/transfer
	$(TESTED) $(ANEW) -run 'Race$$|AllCount|OneChangePerVersion|DeletedUsersStay|TestKeysRotateUnderLoad' ./test/e2e
	TEST_BACKEND=memory $(TESTED) $(ANEW) ./test/django
	TEST_BACKEND=memory $(TESTED) $(ANEW) -run 'TestRegistrationRace|TestRefreshRace' ./test/e2e

# Beside it, a package at a time: what the race detector leaves out.
test-plain:
	$(GO) test $(CACHED) -p 1 -run TestThrottleSurvivesAddressFlood ./adapters/httpapi
	$(GO) test $(CACHED) -p 1 -run TestAllocations ./bootstrap
	$(GO) test $(ANEW) -p 1 -run '$(ALONE)' $$($(GO) list ./... | grep -E '$(COSTLY)')
	$(GO) test $(CACHED) -p 1 -skip '$(SERVING)' ./cmd/roster
	$(GO) test $(CACHED) -p 1 $$($(GO) list ./... | grep -E '$(SEQUENTIAL)')
	$(GO) test $(ANEW) -p 1 ./adapters/backup ./adapters/django ./test/arch ./test/bench ./test/clients ./test/cluster ./test/console ./test/deploy ./test/djoser ./test/docs ./test/requirements

# Beside both, since they wait most of the time.
test-faults:
	$(GO) test $(ANEW) -p 1 ./test/faults ./test/transfer
test-attacks:
	$(GO) test $(ANEW) -parallel 6 ./test/attacks

# The service on a database.
test-sqlite test-postgres test-mongodb: test-%:
	TEST_BACKEND=$* $(GO) test $(ANEW) -p 1 ./test/e2e ./test/django

quick: ## run the tests that need neither a server nor the built binary, without the race detector
	$(GO) test ./domain/... ./ports/... ./application/... ./bootstrap/... ./cmd/... ./test/arch ./test/requirements \
		$$($(GO) list ./adapters/... | grep -v 'storage/\(postgres\|mongodb\)\|adapters/password')

cover: ## write coverage.out of what make quick runs
	$(MAKE) --no-print-directory quick GO='$(GO)' GOFLAGS='-coverprofile=coverage.out -coverpkg=./...'
	$(GO) tool cover -func=coverage.out | tail -1

generate: ## write the generated pages of the console, and the tables and answers of the documents
	$(TEMPL) generate -path adapters/console -log-level error
	$(GO) test ./bootstrap/config -update
	$(GO) test ./bootstrap -run TestOpenAPIFile -update
	$(GO) test ./test/docs -run TestWalk -update

check: ## format, vet, linters, the dependency rule, generated pages, documents, the OpenAPI description, modules
	@bad=$$(gofmt -l .) && if [ -n "$$bad" ]; then echo "gofmt -w is needed on:"; echo "$$bad"; exit 1; fi
	$(TEMPL) generate -path adapters/console -check -log-level error
	$(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) build -o /dev/null ./cmd/roster
	$(LINT) config verify
	$(LINT) run ./...
	$(GO) test ./test/arch ./bootstrap/config ./adapters/httpapi/openapi
	$(GO) test -run TestOpenAPIFile ./bootstrap
	$(GO) test -skip 'TestWalk|TestCommands' ./test/docs
	$(GO) mod verify
	$(GO) mod tidy -diff

bench: ## what a request costs, beside the plainest server (USERS=10000 DATABASE= ROUNDS=5 SECONDS=2 ONLY= REPORT=)
	$(GO) run ./test/bench

fuzz: ## every fuzz target for a minute each (FUZZTIME=60s)
	@grep -rn --include='*_test.go' '^func Fuzz' . | sed -E 's/^(.*)\/[^/]+:[0-9]+:func (Fuzz[A-Za-z0-9_]*).*/\1 \2/' | sort | \
	while read -r package target; do \
		echo "$$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$package" </dev/null || exit 1; \
	done

soak: ## 500 kills under load; a million users imported into SQLite and PostgreSQL, killed half way and resumed
	FAULTS_LONGER=10 $(GO) test -v -count=1 -timeout 6h -run TestKilledService ./test/faults
	TRANSFER_USERS=1000000 $(GO) test -v -count=1 -timeout 6h -run Large ./test/transfer

clean: ## remove what was built; the database in ./data stays
	rm -rf bin $(DIST) coverage.out
