# SPDX-License-Identifier: MIT
# jobfleet: one Makefile, not recursive. Files are found, never listed:
#   common/*/*.c          libcommon.a
#   sources/*.c           the providers of postings, linked into whatever knows them (USES_…)
#   workers/NAME/*.c      build/bin/jobfleet-NAME (workers/ctl is also build/bin/jobfleet)
#   tests/unit/test_X.c   build/bin/test_X; test_<program>_X links that program's nouns too,
#                         test_source_X the sources
#   tests/workers/NAME/   a worker program of the tests, built like one under workers/
# make SAN=address,undefined …   builds and tests in a folder of its own
# make FAULTS=1 …                compiles the named crash points in (common/base/fault.h)
# make COVERAGE=1 …              counts lines, also in a folder of its own
#
# make deps      installs what debian/control lists      make test [TESTS=NAME…]   all tests
# make up, down  services and fleet in .run/ (FLEET=no: services only; FRESH=yes: from nothing)
# make demo      the pipeline end to end, shown (DATA=DIR: other provider data)
# make lint      the house rules                         make coverage             lines per file
# make analyze   static analysis: gcc, clang-tidy, cppcheck
# make valgrind  a worker and a dispatcher under memcheck
# make install   programs, units, manual pages … below PREFIX (/usr/local); DESTDIR= for packagers
# make deb       the Debian package, in build/deb
# make fuzz      the decoders under random input, FUZZ_SECONDS=60 each (FUZZ=1 is its build)
# make drill     kills and cuts the fleet under load, counts every effect (QUICK=1, SEED=n,
#                MODE=recovery, DRILL_ARGS="--only …")
# make drill-proof   deliberate bugs, which quick drills must find
# make bench     the fleet's speed and size beside yardsticks, as a report in build/bench
#                (QUICK=1: in minutes; BENCH_ARGS="--only drain …")

comma := ,
B := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(COVERAGE),-coverage)$(if $(FAULTS),-faults)$(if $(FUZZ),-fuzz)$(if $(FUZZ_COVERAGE),-lines)
WERROR ?= $(if $(filter true,$(CI)),1)
CC ?= gcc
FUZZ_SECONDS ?= 60
CLANG := $(shell command -v clang-14 || command -v clang)
ifdef FUZZ
CC := $(CLANG)
endif
CFLAGS ?= $(if $(COVERAGE),-O0,-O2) -g
PKGS := librabbitmq libpq hiredis libcurl libcjson libuv openssl libsystemd libconfuse libzstd \
	libmicrohttpd libsodium libpcre2-8 uuid libdeflate zlib libxxhash
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog 2>/dev/null || echo 0)

FUZZ_SAN := address,undefined,float-cast-overflow
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN)$(FUZZ)$(COVERAGE),,-D_FORTIFY_SOURCE=2)
override CPPFLAGS += -I. -D_GNU_SOURCE -DJOBFLEET_VERSION='"$(or $(VERSION),0)"' \
	-include common/base/banned.h $(if $(FAULTS),-DFAULTS=1) \
	$(shell pkg-config --cflags-only-I $(PKGS) 2>/dev/null)
override CFLAGS += -std=gnu17 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wwrite-strings -Wformat=2 -Wno-format-truncation -Wundef -Wpointer-arith -Wno-missing-field-initializers -MMD -MP $(HARDEN) \
	$(if $(FUZZ),,$(if $(WERROR),-Werror)) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	$(if $(COVERAGE),--coverage -fprofile-update=atomic) \
	$(if $(FUZZ_COVERAGE),-fprofile-instr-generate -fcoverage-mapping) \
	$(if $(FUZZ),-Wno-unknown-warning-option -fsanitize=fuzzer-no-link$(comma)$(FUZZ_SAN) \
		-fno-sanitize-recover=all -fno-omit-frame-pointer)
override LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
# Lines are counted also where a process ends without exit() (tests/coverage/ends.c).
override LDFLAGS += $(if $(COVERAGE),$(addprefix -Wl$(comma)--wrap=,_exit abort kill raise) \
	-Wl$(comma)-u$(comma)__wrap_abort)
override LDLIBS += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lutf8proc -lm

COMMON := $(patsubst %.c,$B/%.o,$(wildcard common/*/*.c) $(if $(COVERAGE),tests/coverage/ends.c))
WORKERS := $(notdir $(patsubst %/,%,$(dir $(wildcard workers/*/main.c))))
TEST_WORKERS := $(notdir $(patsubst %/,%,$(dir $(wildcard tests/workers/*/main.c))))
PROGRAMS := $(WORKERS:%=$B/bin/jobfleet-%) $(if $(filter ctl,$(WORKERS)),$B/bin/jobfleet)
UNIT := $(patsubst tests/unit/%.c,$B/bin/%,$(wildcard tests/unit/test_*.c))
BENCH := $(patsubst tests/bench/%.c,$B/bin/%,$(wildcard tests/bench/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$B/bin/%,$(wildcard tests/fuzz/fuzz_*.c))
SOURCES := $(patsubst %.c,$B/%.o,$(wildcard sources/*.c))
own_nouns_of = $(filter-out %/main.o,$(patsubst %.c,$B/%.o,$(wildcard workers/$1/*.c)))
# Beside its own nouns a program links those of USES_<program>. `jobfleet parse` runs the rules of
# processing.
USES_collection := $(SOURCES)
USES_processing := $(SOURCES)
USES_salary := $(SOURCES)
USES_ctl := $(SOURCES) $(call own_nouns_of,processing)
nouns_of = $(call own_nouns_of,$1) $(USES_$1)

# make V=1 shows whole commands, otherwise a word and a name
run = $(if $(V),$2,@echo '$1' && $2)

all: $(PROGRAMS)
	@:

bench-programs: all $(BENCH) $B/bin/jobfleet-echo

test-programs: $(UNIT) $(BENCH) test-workers

test-workers: $(TEST_WORKERS:%=$B/bin/jobfleet-%)

$B/libcommon.a: $(COMMON)
	@rm -f $@ && $(AR) rcs $@ $^

$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call run,cc $<,$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<)

# The names of places, compiled from GeoNames data into what the noun gazetteer reads.
GAZETTEER := common/market/gazetteer.tsv common/market/metro.tsv
$B/gen/gazetteer.bin: tools/gazetteer-compile $(GAZETTEER)
	@mkdir -p $(@D)
	$(call run,gen $@,tools/gazetteer-compile $(GAZETTEER) $@)

# Tables of facts as rows of a C array, a column a member.
$B/gen/%.inc: common/market/%.tsv
	@mkdir -p $(@D)
	$(call run,gen $@,sed '/^#/d; s/"/\\"/g; s/\t/"$(comma) "/g; s/.*/{ "&" }$(comma)/' $< > $@)

$B/gen/metrics.inc: workers/dispatcher/metrics.tsv
	@mkdir -p $(@D)
	$(call run,gen $@,sed '/^#/d; s/"/\\"/g; s/\t/"$(comma) "/g; s/.*/{ "&" }$(comma)/' $< > $@)

$B/workers/dispatcher/metric.o: $B/gen/metrics.inc
$B/workers/dispatcher/metric.o: override CPPFLAGS += -I$B/gen
$B/common/market/area_table.o: $B/gen/metro.inc
$B/common/market/occupation_table.o: $B/gen/occupation.inc
$B/common/market/role_index.o: common/market/soc.tsv
$B/common/market/area_table.o $B/common/market/occupation_table.o: override CPPFLAGS += -I$B/gen

$B/common/market/gazetteer.o: $B/gen/gazetteer.bin
$B/common/market/gazetteer.o: override CPPFLAGS += -DGAZETTEER_FILE='"$B/gen/gazetteer.bin"'

# Objects first, then whatever a rule below adds (LINK_EXTRA), then the archive.
define link
	@mkdir -p $(@D)
	$(call run,ld $@,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $B/libcommon.a $(LDLIBS) \
		$(LINK_EXTRA))
endef

define worker_rule
$B/bin/jobfleet-$2: $(patsubst %.c,$B/%.o,$(wildcard $1/$2/*.c)) $(USES_$2) $B/libcommon.a
	$$(link)
endef
$(foreach w,$(WORKERS),$(eval $(call worker_rule,workers,$w)))
$(foreach w,$(TEST_WORKERS),$(eval $(call worker_rule,tests/workers,$w)))

$B/bin/jobfleet: $B/bin/jobfleet-ctl
	@ln -sf jobfleet-ctl $@

define unit_rule
$B/bin/$1: $B/tests/unit/$1.o $B/libcommon.a \
	$(if $(filter test_source_%,$1),$(SOURCES)) \
	$(foreach w,$(WORKERS),$(if $(filter test_$w_%,$1),$(call nouns_of,$w)))
	$$(link)
$B/bin/$1: LINK_EXTRA = -lcmocka
endef
$(foreach t,$(notdir $(UNIT)),$(eval $(call unit_rule,$t)))

# Calls that fail in turn (tests/hostile/inject.h).
INJECT_WRAP := write read pread send recv fsync mkdir rename renameat renameat2 link fstat connect socket
$B/bin/test_collection_hostile: LINK_EXTRA += \
	$(addprefix -Wl$(comma)--wrap=,$(INJECT_WRAP))
$B/bin/test_hostile_answers: $(SOURCES) $(call nouns_of,salary)

$(BENCH): $B/bin/%: $B/tests/bench/%.o $B/libcommon.a
	$(link)
$B/bin/transform $B/bin/lookup: $(call nouns_of,processing)
$B/bin/salary_dictionary $B/bin/salary_zipf: $(call nouns_of,salary)

fuzz-programs: $(FUZZERS)

$(FUZZERS): LINK_EXTRA = -fsanitize=fuzzer
$B/bin/fuzz_pay $B/bin/fuzz_text $B/bin/fuzz_dates: $(call nouns_of,processing)
$B/bin/fuzz_figures: $(call nouns_of,salary)
$B/bin/fuzz_sources: $(SOURCES)
$B/bin/fuzz_ctl: $(call nouns_of,ctl)
$B/bin/fuzz_urls: $B/workers/processing/weblink.o
$B/bin/fuzz_files: $B/workers/collection/rawfile.o $B/workers/collection/raw.o \
	$B/workers/salary/cacheentry.o
$B/bin/fuzz_link: LINK_EXTRA += $(addprefix -Wl$(comma)--wrap=,conn_start conn_step conn_read conn_write \
	conn_has_buffered conn_close)
$(FUZZERS): $B/bin/%: $B/tests/fuzz/%.o $B/libcommon.a
	$(link)

# What runs the programs. Libraries are looked up when a Makefile is read, so the build after
# the installation of packages is a make of its own.
BUILD = +@$(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

deps:
	@tests/deps

test: deps
	$(BUILD) all test-programs
	$(BUILD) FAULTS=1 all test-programs
	$(if $(CLANG),$(BUILD) SAN= COVERAGE= FUZZ=1 fuzz-programs)
	@tests/run $(if $(filter true,$(CI)),--again) --build $B $(TESTS)

up: deps
	$(if $(filter no,$(FLEET)),,$(BUILD) all)
	@tests/fleet up $(if $(filter no,$(FLEET)),--services-only) $(if $(filter yes,$(FRESH)),--fresh)

down:
	@tests/fleet down

demo: deps
	$(BUILD) all
	@tests/demo $(DATA)

bench: deps
	$(BUILD) bench-programs
	@tests/bench/run --build $B $(if $(QUICK),--quick) $(BENCH_ARGS)

# To the full one belong the long modes of the tests of due times, a cluster and a soak.
drill: deps
	$(BUILD) bench-programs $B/bin/test_dispatcher_timetable $B/bin/test_cron
	$(BUILD) FAULTS=1 all
	@JOBFLEET_BIN=$(CURDIR)/$B/bin JOBFLEET_FAULTS_BIN=$(CURDIR)/$B-faults/bin tests/drill/run \
		--out $B/drill.json $(if $(QUICK),--quick) $(SEED:%=--seed %) $(MODE:%=--mode %) \
		$(DRILL_ARGS)
	$(if $(QUICK)$(MODE),,@JOBFLEET_CRON_ZONES=all $B/bin/test_cron)
	$(if $(QUICK)$(MODE),,@JOBFLEET_STOPS_DAYS=365 tests/services/services run --fast -- \
		$B/bin/test_dispatcher_timetable)
	$(if $(QUICK)$(MODE),,@JOBFLEET_BIN=$(CURDIR)/$B/bin tests/drill/cluster.py)
	$(if $(QUICK)$(MODE),,@JOBFLEET_BIN=$(CURDIR)/$B/bin tests/services/services run --fast -- \
		tests/bench/soak.py)

drill-proof: deps
	$(BUILD) all
	$(BUILD) FAULTS=1 all
	@tests/drill/proof $(DRILL_ARGS)

fuzz: deps
	$(BUILD) SAN= COVERAGE= FUZZ=1 fuzz-programs
	@tests/fuzz/run --seconds $(FUZZ_SECONDS) build-fuzz

lint: deps
	@tests/lint

analyze: deps
	$(BUILD) all
	@tests/analyze

valgrind: deps
	$(BUILD) all $B/bin/jobfleet-echo
	@JOBFLEET_BIN=$(CURDIR)/$B/bin tests/services/services run --fast -- tests/valgrind

coverage: deps
	$(BUILD) SAN= FAULTS= COVERAGE=1 all test-programs
	$(BUILD) SAN= FAULTS=1 COVERAGE=1 all test-workers
	@tests/coverage/run $(TESTS)

PREFIX ?= /usr/local
install: all
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' tools/install $B

deb: deps
	$(BUILD) all
	@tools/deb $B

clean:
	rm -rf build build-*

.PHONY: all bench-programs test-programs test-workers fuzz-programs deps test up down demo bench drill drill-proof \
	fuzz lint analyze valgrind coverage install deb clean
.SECONDARY:
# A table or sample beside a noun is part of it.
$(foreach f,$(wildcard common/*/*.tsv workers/*/*.tsv workers/*/*.json workers/*/*.zdict sources/*.json),$(eval $B/$(basename $f).o: $f))
-include $(wildcard $B/common/*/*.d $B/sources/*.d $B/workers/*/*.d $B/tests/*/*.d $B/tests/workers/*/*.d)
