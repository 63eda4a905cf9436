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

# The core's sums are exact integers and its doubles are compared across builds: no fused multiply-add.  That nobody looks at
# floating-point exceptions changes no value, but lets loops with conditions become vector code.
PG_CFLAGS = -std=gnu11
CORE_CFLAGS = -O3 -ffp-contract=off -fno-trapping-math
EXTRA_CLEAN = sql/install/pg_grove--$(EXTVERSION).sql

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(filter src/core/%,$(OBJS)): CFLAGS += $(CORE_CFLAGS)
$(OBJS): $(wildcard src/core/*.h src/core/*.def src/pg/*.h)

sql/install/pg_grove--$(EXTVERSION).sql: $(SQL_SOURCES)
	{ printf '%s\n' '\echo Use "CREATE EXTENSION pg_grove" to load this file. \quit'; cat $^; } > $@

-include test/dev.mk
