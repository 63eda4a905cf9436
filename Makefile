# pg_grove: build with PGXS.  Developer targets are in test/dev.mk.
EXTENSION = pg_grove
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" pg_grove.control)
MODULE_big = pg_grove
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/core/*.c src/pg/*.c)))

# The install script is the concatenation of one part a chapter, in this order.
SQL_PARTS = keys shuffle rows sample train predict models judge explain interchange recommend registry loop
SQL_SOURCES = $(wildcard $(SQL_PARTS:%=sql/install/%.sql))
DATA_built = sql/install/pg_grove--$(EXTVERSION).sql
# Install scripts of released versions and the scripts that lead from one to the next.
DATA = $(wildcard sql/upgrade/pg_grove--*.sql)

REGRESS = $(sort $(patsubst sql/%.sql,%,$(wildcard sql/*.sql)))

# A model has the same bytes on every machine: no fused multiply-add.  That nobody looks at floating-point exceptions
# changes no value, but lets loops with conditions become vector code.
PG_CFLAGS = -std=gnu11 -ffp-contract=off
CORE_CFLAGS = -O3 -fno-trapping-math
EXTRA_CLEAN = sql/install/pg_grove--$(EXTVERSION).sql

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The JIT compiler inlines this form, which has flags of its own.
override BITCODE_CFLAGS += -ffp-contract=off

# A float computed in more than a float's precision has other last bits: by x87, or by gcc on s390x when asked for the standard.
override CFLAGS := $(CFLAGS:-fexcess-precision=standard=-fexcess-precision=fast)
ifneq ($(filter i%86,$(host_cpu)),)
override CFLAGS += -msse2 -mfpmath=sse
endif

$(filter src/core/%,$(OBJS)): CFLAGS += $(CORE_CFLAGS)
$(OBJS): $(wildcard src/core/*.h src/core/*.def src/pg/*.h)

sql/install/pg_grove--$(EXTVERSION).sql: $(SQL_SOURCES)
	{ printf '%s\n' '\echo Use "CREATE EXTENSION pg_grove" to load this file. \quit'; cat $^; } > $@

-include test/dev.mk
