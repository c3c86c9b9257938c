# Carrete: `make run` is all a newcomer needs; `make help` lists the rest. Each verb installs what it misses.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test build dev check audit bench image image-check tools

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, then serve the channels of streams/ on http://localhost:8080
	@tools/install.sh run
	@exec target/release/carrete serve

test: ## every test: Rust, scripts, browser; the last line is the count
	@tools/install.sh build test
	@tools/test.sh

build: ## the release build alone: target/release/carrete
	@tools/install.sh build
	@tools/build.sh

dev: ## rebuild and reload on save
	@tools/install.sh build run dev
	@source tools/env.sh && LEPTOS_SITE_ROOT=target/dev-site exec cargo leptos watch

check: ## format, lints for server and page, documentation, licences, one list of tools
	@tools/install.sh build check
	@tools/check.sh

audit: ## the slow checks, by hand: view format, dependencies, unused crates, shell scripts, every view and count of the browser tests, many starts of WebKit and Firefox, Lighthouse, faults
	@tools/install.sh build test audit
	@tools/build.sh
	@tools/audit.sh

bench: ## the benchmarks, in one table
	@tools/install.sh build test bench
	@tools/build.sh
	@bench/run.sh

image: ## the container image `carrete`
	docker build --tag carrete .

image-check: ## build, run and probe the container with the program named by VERIFY
	@test -n "$(VERIFY)" || { echo "image-check: say which program checks it: VERIFY=path make image-check"; exit 2; }
	$(VERIFY) .

tools: ## install everything that build and tests need, and nothing else
	@tools/install.sh build check test
	@echo "tools: all there"
