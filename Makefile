# make            release binary build/nexus        make demo       builds, then runs the whole pipeline
# make test       unit, integration, conformance, fault tests     make lint       format, layers, static checks
# make test-asan  the tests under ASan + UBSan      make test-interop   dbt Core, delta-rs and others as peers
# make test-tsan  the unit tests under TSan         make fuzz           every fuzz target for a minute
# make bench      measurements into bench/results/  make clean
# make install    into PREFIX (/usr/local), below DESTDIR if set: program, engine, contracts, dbt, quality, completions
# Every target installs what it needs on first use (scripts/setup-*, lists in scripts/deps/).

V        ?= release
B_release = build
B_test    = build/test
B_asan    = build/asan
B_tsan    = build/tsan
B_fuzz    = build/fuzz
B        := $(B_$(V))

ifeq ($(origin CC),default)
CC        = gcc
endif
JOBS     ?= $(shell nproc)
DUCKDB   := build/duckdb
PKGS      = libcurl libmicrohttpd libpq libfyaml libcrypto libssl libzstd zlib
WARN      = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-nonliteral
CF_release = -O3 -DNDEBUG -g1 -D_FORTIFY_SOURCE=2
CF_test    = -O1 -g -DNX_FAULTS
CF_asan    = -O1 -g -DNX_FAULTS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_ALL = -std=c17 -D_GNU_SOURCE -pthread -fstack-protector-strong -fPIE -Isrc -isystem $(DUCKDB) $(WARN) $(CF_$(V)) $(shell pkg-config --cflags $(PKGS) 2>/dev/null) -MMD -MP $(CFLAGS)
CF_tsan    = -O1 -g -DNX_FAULTS -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan
CF_fuzz    = -O1 -g -DNX_FAULTS -fsanitize=fuzzer-no-link,address -Wno-unknown-warning-option -Wno-error
LD_tsan    = -fsanitize=thread
LD_fuzz    = -fsanitize=fuzzer,address
LD_asan    = -fsanitize=address,undefined
LDFLAGS_ALL = -pthread -pie -Wl,-z,relro,-z,now $(LD_$(V)) $(LDFLAGS)
# the engine's library is found beside the binary, wherever the tree is moved to
LIBS      = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -L$(DUCKDB) -lduckdb -Wl,-rpath,'$$ORIGIN/../lib/nexus:$$ORIGIN/duckdb:$$ORIGIN/../duckdb:$$ORIGIN/../../duckdb:$$ORIGIN/../../../duckdb:$$ORIGIN/../../../../duckdb' -lm

SRC  := $(filter-out src/app/main.c,$(wildcard src/*/*.c))
OBJ   = $(SRC:%.c=$(B)/obj/%.o)
TESTS := $(wildcard tests/unit/*/test_*.c tests/conformance/test_*.c)
TBIN  = $(TESTS:%.c=$(B)/%)
BENCH := $(wildcard bench/bench_*.c)
FUZZ  := $(wildcard tests/fuzz/fuzz_*.c)

.PHONY: all bin demo test lint test-asan test-tsan test-interop bench fuzz clean setup tests-bin install
all: setup
	@$(MAKE) --no-print-directory -s -j$(JOBS) bin

setup:
	@scripts/setup-apt build
	@scripts/setup-duckdb $(DUCKDB)

bin: $(B)/nexus
tests-bin: $(TBIN) $(if $(wildcard src/app/main.c),$(B)/nexus)

$(B)/nexus: $(B)/obj/src/app/main.o $(B)/libnexus.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(B)/libnexus.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $^
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c -o $@ $<
$(B)/tests/%: tests/%.c $(B)/libnexus.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Itests $(LDFLAGS_ALL) -o $@ $< $(B)/libnexus.a -lcmocka $(LIBS)
$(B)/tests/fuzz/%: tests/fuzz/%.c $(B)/libnexus.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -Itests $(LDFLAGS_ALL) -o $@ $< $(B)/libnexus.a $(LIBS)
$(B)/bench/%: bench/%.c $(B)/libnexus.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(B)/libnexus.a $(LIBS)
-include $(shell find $(B)/obj $(B)/tests $(B)/bench -name '*.d' 2>/dev/null)

demo: all
	build/nexus demo

test: all
	@$(MAKE) --no-print-directory -s -j$(JOBS) V=test tests-bin
	@scripts/run-tests test

test-asan: all
	@$(MAKE) --no-print-directory -s -j$(JOBS) V=asan tests-bin
	@scripts/run-tests asan

test-tsan: all
	@$(MAKE) --no-print-directory -s -j$(JOBS) V=tsan tests-bin
	@scripts/run-tests tsan unit/

# each target for FUZZ_SECONDS from its corpus; what it finds stays in build/fuzz
FUZZ_SECONDS ?= 60
fuzz: setup
	@scripts/setup-apt fuzz
	@$(MAKE) --no-print-directory -s -j$(JOBS) V=fuzz CC=clang $(FUZZ:%.c=build/fuzz/%)
	@scripts/run-fuzz $(FUZZ_SECONDS)

test-interop: all
	@scripts/setup-venv interop
	@scripts/run-interop

lint:
	@scripts/setup-apt lint
	@scripts/setup-venv lint
	@scripts/lint

bench: all $(BENCH:%.c=build/%)
	@scripts/run-bench

PREFIX ?= /usr/local
install: all
	@scripts/install "$(DESTDIR)$(PREFIX)"

clean:
	rm -rf build
