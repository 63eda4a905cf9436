# dev.mk: what a contributor types.  Included by the Makefile; a build of the
# extension needs nothing from here.
#
#   make check          every test, on a private server (test/run.sh)
#   make unit           the core alone, with sanitizers
#   make portable       the unit tests on 32 bits, big-endian, ARM and musl, under qemu
#   make majors         MAJORS='pg_config ...': the regression tests on other servers
#   make bare           BARE='demo test': on a machine made by debootstrap with nothing but git
#   make fuzz           T=target SECONDS=60: libFuzzer, needs clang
#   make asan           the regression tests with the address and undefined-behaviour sanitizers
#   make ubsan          ... with the latter alone
#   make asserts        ... on a server with assertions (test/scripts/checked_server.sh)
#   make valgrind       the unit tests under memcheck, then the regression tests
#                       named in TESTS (default: all; slow)
#   make lint           layers, sizes, lists, versions, labels, documentation, analyzers
#   make format         clang-format over src and test; format-check only tells
#   make docs           docs/parameters.md from src/core/params.def
#   make bench          training next to LightGBM, XGBoost, scikit-learn
#   make bench-rows     sampling next to plain SQL
#   make bench-predict  prediction next to libraries and CASE
#   make bench-prune    pruned training sets next to whole ones
#   make bench-quality  models next to those of the libraries, over many draws
#                       (docs/benchmarks.md; BENCH='--reps 5' passes options on)
#   make dist           the release archive of HEAD

SECONDS ?= 60
CLANG_FORMAT ?= clang-format
FORMATTED = $(shell find src test -name '*.[ch]')

.PHONY: check run-tests unit portable majors bare fuzz asan ubsan asserts valgrind lint format format-check docs bench bench-rows bench-predict bench-prune bench-quality dist

# PGXS has a recipe for "check" that says there is none; it must not be heard.
check: run-tests
check: private SHELL = /bin/true

run-tests:
	PG_CONFIG='$(PG_CONFIG)' test/run.sh

unit:
	test/scripts/run_unit.sh

portable:
	test/scripts/run_portable.sh

majors:
	test/scripts/run_majors.sh $(MAJORS)

bare:
	test/scripts/run_bare.sh $(BARE)

fuzz:
	test/scripts/run_fuzz.sh '$(T)' '$(SECONDS)'

asan ubsan asserts:
	PG_CONFIG='$(PG_CONFIG)' test/scripts/run_checked.sh $@ $(TESTS)

valgrind:
	UNIT_FLAGS= UNIT_RUN='valgrind -q --error-exitcode=9 --leak-check=full' test/scripts/run_unit.sh
	PG_CONFIG='$(PG_CONFIG)' test/scripts/run_checked.sh memcheck $(TESTS)

lint: all
	test/scripts/check_layers.sh
	test/scripts/check_sizes.sh
	test/scripts/check_lists.sh
	test/scripts/check_version.sh
	test/scripts/check_sql_labels.sh
	test/scripts/check_symbols.sh pg_grove.so
	test/scripts/check_docs.sh
	PG_CONFIG='$(PG_CONFIG)' test/scripts/check_static.sh --tidy

format:
	$(CLANG_FORMAT) -i $(FORMATTED)

format-check:
	$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

docs:
	test/scripts/gen_params_doc.sh

bench:
	PG_CONFIG='$(PG_CONFIG)' test/bench/run.sh $(BENCH)

bench-rows bench-predict bench-prune bench-quality:
	PG_CONFIG='$(PG_CONFIG)' test/bench/$(@:bench-%=%).sh $(BENCH)

dist:
	git archive --format=zip --prefix=pg_grove-$(EXTVERSION)/ -o pg_grove-$(EXTVERSION).zip HEAD
