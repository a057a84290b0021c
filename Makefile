# The two commands a fresh machine needs are `make run` and `make test`; Go alone is enough.

GO ?= go
PORT ?= 8080

# "./..." leaves out every folder called testdata. The module testdata/fsck is built and run by a test of
# shared/evidence/verify.
PACKAGES = ./... ./testdata/bench/... ./testdata/policies/...

# Vet has run, all of it; and nobody debugs the test programs, a hundred large ones to link.
LEAN = -vet=off -ldflags=-s
# They write thousands of small files, and wait for each: in memory, where this machine has room for it, and lets programs
# start from there. What the compiler leaves for a moment is larger, and stays on the disk; GOTMPDIR, which says so, would
# also be where tests have their folders. PostgreSQL runs as somebody else, and has to get in.
IN_MEMORY = d=/dev/shm; if [ -w $$d ] && [ "$$(df -Pk $$d | awk 'NR == 2 {print $$4}')" -gt 8000000 ] && \
	[ "$$(awk '/^MemAvailable/ {print $$2}' /proc/meminfo)" -gt 12000000 ] && ! grep -q "^[^ ]* $$d .*noexec" /proc/mounts; \
	then export GOTMPDIR="$${TMPDIR:-/tmp}" TMPDIR="$$(mktemp -d $$d/o.XXXXXX)"; chmod 711 "$$TMPDIR"; trap 'rm -rf "$$TMPDIR"' EXIT INT TERM; \
	set -- -exec 'env -u GOTMPDIR'; fi;

.DEFAULT_GOAL := help
.PHONY: help run test race soak bench fuzz generate pictures check terraform

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

run: ## start everything on this machine with a sample company: http://127.0.0.1:8080
	OSTIARY_CLIENT_ADDRESS=header:X-Ostiary-Client $(GO) run ./functions/ostiary serve --port $(PORT) --data data --policy testdata/policies/sharedcontacts

test: ## all tests; uses the emulators, Chromium, nginx and Terraform where they are installed
	$(GO) vet $(PACKAGES)
	@$(IN_MEMORY) set -x; $(GO) test $(LEAN) "$$@" -shuffle=on -timeout 15m $(PACKAGES)

# What looks at pages through a browser, and packs archives, is left out: the same code runs in functions/ostiary. Before it
# ends, each test program waits for races of goroutines that are still at work: a second, unless told otherwise.
race: ## the same with the race detector, which needs a C compiler; without browsers and archives
	@$(IN_MEMORY) set -x; GORACE=atexit_sleep_ms=100 $(GO) test $(LEAN) "$$@" -race -shuffle=on -timeout 15m \
	  $$($(GO) list $(PACKAGES) | grep -vE '/functions/(internal/(people|pictures|[a-z]*walk)|pack)(/|$$)')

soak: ## the whole system under load, kills and faults for 20 minutes each on files and on the emulators; then the long runs of the tests
	$(GO) run ./functions/ostiary/internal/soak -for 20m -on bolt
	$(GO) run ./functions/ostiary/internal/soak -for 20m -on emulators
	OSTIARY_SOAK=1 $(GO) test -race -shuffle=on -timeout 120m $(PACKAGES)

bench: ## side-by-side figures against the baselines, as a table and a picture; ONLY=drift,breach measures those alone (ONLY=list names them)
	$(GO) run ./testdata/bench $(if $(filter list,$(ONLY)),-list,$(if $(ONLY),-only $(ONLY)))

fuzz: ## every fuzz target for 20 seconds each
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "== $$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime 20s $$package || exit 1; done; done

generate: ## write the generated files: the list of functions, the README's table
	$(GO) run ./functions/internal/generate

.PHONY: dist
dist: ## one source archive for each function, their list, and the list of their parts, in dist/
	$(GO) run ./functions/pack

# Tools in exact versions, fetched by the go command; they are no part of what is built.
.PHONY: lint vulnerabilities
lint: ## static analysis by staticcheck (needs a module proxy the first time)
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tests=false $(PACKAGES)

vulnerabilities: ## known vulnerabilities of what is linked (needs vuln.go.dev)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 $(PACKAGES)

pictures: ## screenshots of the pages, for the README (needs Chromium)
	$(GO) run ./functions/internal/pictures

terraform: ## check and plan Terraform without a cloud account, and hold the plans to the rules (needs a network the first time)
	d="$$(mktemp -d)" && trap 'rm -rf "$$d"' EXIT && .ci/plans "$$d" && OSTIARY_PLANS="$$d" $(GO) test ./terraform/...
