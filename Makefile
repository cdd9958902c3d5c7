# SPDX-License-Identifier: Apache-2.0
# The front door: one line a command, forwarded to CMake (CMakePresets.json) and tools/.
BOARD ?= host
ARCH ?= arm64
DESTDIR ?=
# Debian's own python3 carries the test packages; another one found first in PATH does not.
PYTHON ?= /usr/bin/python3
PYTEST_PATHS := tests
BIN := $(CURDIR)/build/release/bin
SECONDS ?= 60

# Its chatter goes; warnings and errors come on stderr.
CONFIGURE := cmake >/dev/null --preset
BUILD := cmake --build
BUILD_FLAGS ?=
CTEST := ctest --output-on-failure --no-tests=error --timeout 900 -j $(shell nproc)
# Newer kernels randomise addresses more widely than the thread sanitizer of GCC 12 can map.
FIXED_ADDRESSES := $(shell setarch -R true 2>/dev/null && echo setarch -R)
ifneq ($(shell command -v ccache),)
export CMAKE_CXX_COMPILER_LAUNCHER ?= ccache
endif

.DEFAULT_GOAL := help
.PHONY: help run build build-tests test kafka-jars test-kafka test-unit test-asan test-tsan fuzz fuzz-build bench cross install clean \
  check check-layers check-style check-format check-tidy

help: ## this list
	@awk -F ':.* ## ' '/^[a-z-]+:.* ## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## install what is missing, build, start on ./var with a demo plugin
	@TOCSIN_BIN_DIR=$(BIN) tools/run

build: ## programs for BOARD (default host) in build/release/bin
	@tools/setup build
	@$(CONFIGURE) release -DBOARD=$(BOARD) $(if $(wildcard build/release/CMakeCache.txt),,-DTOCSIN_TESTS=OFF)
	@$(BUILD) build/release --target programs -- $(BUILD_FLAGS)

build-tests:
	@tools/setup test
	@$(CONFIGURE) release -DBOARD=$(BOARD) -DTOCSIN_TESTS=ON
	@$(BUILD) build/release -- $(BUILD_FLAGS)

test-unit: build-tests ## unit tests only
	@$(CTEST) --test-dir build/release

test: test-unit ## install what tests need, build, run all tests
	@TOCSIN_BIN_DIR=$(BIN) $(PYTHON) -m pytest -q -p no:cacheprovider $(PYTEST_PATHS)

kafka-jars:
	@cd tests/support && $(PYTHON) -c 'import kafka_broker; kafka_broker.fetch_jars()'

test-kafka: build-tests ## the tests with an Apache Kafka only (make test has them too)
	@TOCSIN_BIN_DIR=$(BIN) $(PYTHON) -m pytest -q -p no:cacheprovider tests/e2e/test_kafka_*.py

# Simulated worlds are shorter where a step costs ten times as much; `make test` runs them in full.
SHORTER_WORLDS := TOCSIN_SIM_STEPS=$${TOCSIN_SIM_STEPS:-100}
# What a sanitized daemon does with real devices, operators and a broker.
SANITIZED := $(PYTHON) -m pytest -q -p no:cacheprovider tests/e2e/test_sanitized.py
ASAN_SETTINGS := ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1 \
  UBSAN_OPTIONS=print_stacktrace=1
TSAN_SETTINGS := TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

test-asan: ## unit tests and a short load under the address and undefined behaviour sanitizers
	@tools/setup test
	@$(CONFIGURE) asan -DBOARD=$(BOARD) && $(BUILD) build/asan -- $(BUILD_FLAGS)
	@$(SHORTER_WORLDS) $(ASAN_SETTINGS) $(CTEST) --test-dir build/asan
	@$(ASAN_SETTINGS) TOCSIN_BIN_DIR=build/asan/bin $(SANITIZED)

test-tsan: ## what starts threads under the thread sanitizer: those unit tests, and a short load
	@tools/setup test
	@$(CONFIGURE) tsan -DBOARD=$(BOARD) && $(BUILD) build/tsan --target programs threaded-tests -- $(BUILD_FLAGS)
	@$(TSAN_SETTINGS) $(FIXED_ADDRESSES) $(CTEST) --test-dir build/tsan -L threads
	@$(TSAN_SETTINGS) TOCSIN_BIN_DIR=build/tsan/bin $(FIXED_ADDRESSES) $(SANITIZED)

fuzz-build:
	@tools/setup check
	@$(CONFIGURE) fuzz -DBOARD=$(BOARD) && $(BUILD) build/fuzz --target fuzzers -- $(BUILD_FLAGS)

fuzz: fuzz-build ## SECONDS=60: every fuzz target for so long, side by side
	@$(PYTHON) tests/fuzz/run build/fuzz $(SECONDS)

bench: build-tests ## figures against a floor program in the same run
	@TOCSIN_BIN_DIR=$(BIN) tests/bench/run

check: ## layers, style, format, clang-tidy
	@tools/setup check
	@$(MAKE) --no-print-directory -k check-layers check-style check-format check-tidy

check-layers:
	@$(PYTHON) tools/check_layers.py

check-style:
	@$(PYTHON) tools/check_style.py

check-format:
	@find src platform board tests -name '*.[ch]pp' -print0 | xargs -0 clang-format --dry-run -Werror

check-tidy:
	@$(CONFIGURE) tidy -DBOARD=$(BOARD)
	@tools/tidy build/tidy

cross: ## ARCH=arm64|armhf: build all for it, unit tests under qemu-user
	@tools/setup cross
	@tools/sysroot $(ARCH) >/dev/null
	@$(CONFIGURE) $(ARCH) && $(BUILD) build/$(ARCH) -- $(BUILD_FLAGS)
	@$(SHORTER_WORLDS) $(CTEST) --test-dir build/$(ARCH)

install: build ## DESTDIR=: programs, configuration, systemd units
	@DESTDIR=$(DESTDIR) cmake --install build/release --strip

clean: ## remove build/ except the unpacked libraries of cross builds
	@if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name sysroot -exec rm -rf {} +; fi
