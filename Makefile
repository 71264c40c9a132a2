# "make" prints what there is. Each recipe is what a person would type.

SHELL      := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN      := $(CURDIR)/.bin
LINT     := $(BIN)/golangci-lint
FUZZTIME ?= 10s

# The directories of the workspace's modules, and of the tools' module, which is outside.
MODULES = $(shell go list -m -f '{{.Dir}}')
TOOLS   = $(CURDIR)/tools

.PHONY: help
help: ## print this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## a running example with tenants in it, on a PostgreSQL of its own
	go run ./cmd/cotenant demo

.PHONY: test
test: ## all tests, as in the README
	go test work

.PHONY: race
race: ## all tests with the race detector, in random order
	go test -race -shuffle=on work

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	@grep -rHoE '^func Fuzz\w+' --include='*_test.go' . | while IFS=: read -r file func; do \
		echo "$${func#func } in $${file%/*}"; \
		go test -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$${file%/*}" </dev/null; \
	done

.PHONY: cover
cover: ## test coverage of the libraries: a line a function, and coverage.html
	go test -coverpkg=work -coverprofile=coverage.out work
	go tool cover -func=coverage.out
	go tool cover -html=coverage.out -o coverage.html

.PHONY: vet
vet: ## go vet for every platform
	@for os in linux darwin windows; do echo "go vet, $$os"; GOOS=$$os CGO_ENABLED=0 go vet work; done

.PHONY: lint
lint: $(LINT) ## golangci-lint, see .golangci.yml
	@for dir in $(MODULES); do (cd "$$dir" && $(LINT) run ./...); done

.PHONY: fmt
fmt: $(LINT) ## format the source
	$(LINT) fmt

.PHONY: fmtcheck
fmtcheck: $(LINT) ## show what make fmt would change
	$(LINT) fmt --diff

.PHONY: tidy
tidy: ## go mod tidy and go work sync
	go work sync
	@for dir in $(MODULES); do (cd "$$dir" && go mod tidy); done
	cd $(TOOLS) && GOWORK=off go mod tidy

.PHONY: vuln
vuln: $(LINT) ## govulncheck of every module
	@for dir in $(MODULES); do (cd "$$dir" && $(BIN)/govulncheck ./...); done

.PHONY: tools
tools: $(LINT) ## build golangci-lint, gofumpt and govulncheck into .bin

$(LINT): tools/go.mod tools/go.sum
	cd $(TOOLS) && GOWORK=off GOFLAGS= GOBIN=$(BIN) go install tool
	@touch $@

.PHONY: ci
ci: ## everything, as the build server does it
	bash .ci/run

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf $(BIN) coverage.out coverage.html
