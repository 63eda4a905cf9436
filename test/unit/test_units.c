/*
 * test_units.c: the radix sort against the C library's, on uniform hashes and
 * on inputs that a radix sort likes least.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/rng.h"
#include "../../src/core/units.h"
#include "unit.h"

#define MAX_UNITS 20000

static GroveUnit units[MAX_UNITS];
static GroveUnit reference[MAX_UNITS];

static int
compare_units(const void *a, const void *b)
{
	const GroveUnit *x = a;
	const GroveUnit *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->cell > y->cell) - (x->cell < y->cell);
}

static int
same_order(size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (units[i].hash != reference[i].hash || units[i].cell != reference[i].cell)
			return 0;
	}
	return 1;
}

/* kind 0: uniform; 1: few hashes, many cells; 2: all equal; 3: hashes that differ in the last byte only; 4: descending */
static void
fill(size_t n, int kind, uint64_t seed)
{
	uint64_t	key = grove_rng_key(seed, GROVE_PURPOSE_HASH);

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	hash = grove_rng_hash(key, i);

		memset(&units[i], 0, sizeof(units[i]));
		units[i].cell = (uint32_t) (hash >> 20) % (kind == 1 ? 1000000 : 3);
		switch (kind)
		{
			case 0:
				units[i].hash = hash;
				break;
			case 1:
				units[i].hash = hash % 3;
				break;
			case 2:
				units[i].hash = 42;
				units[i].cell = 7;
				break;
			case 3:
				units[i].hash = UINT64_C(0xabcdef0000000000) + hash % 256;
				break;
			default:
				units[i].hash = UINT64_MAX - i * UINT64_C(0x10000000000000);
				break;
		}
	}
}

int
main(void)
{
	static const size_t sizes[] = {0, 1, 2, 24, 25, 300, MAX_UNITS};

	for (int kind = 0; kind < 5; kind++)
	{
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		{
			size_t		n = sizes[s];
			size_t		start[GROVE_UNITS_PARTS + 1];
			size_t		distinct = 0;

			fill(n, kind, s);
			memcpy(reference, units, sizeof(units));
			qsort(reference, n, sizeof(GroveUnit), compare_units);
			grove_units_sort(units, n, 0);
			CHECK(same_order(n));

			fill(n, kind, s);
			grove_units_split(units, n, start);
			CHECK(start[0] == 0 && start[GROVE_UNITS_PARTS] == n);
			for (int b = 0; b < GROVE_UNITS_PARTS; b++)
			{
				for (size_t i = start[b]; i < start[b + 1]; i++)
					CHECK(units[i].hash >> 56 == (uint64_t) b);
				grove_units_sort(units + start[b], start[b + 1] - start[b], 1);
			}
			CHECK(same_order(n));

			for (size_t i = 0; i < n; i++)
			{
				if (i == 0 || compare_units(&reference[i - 1], &reference[i]) != 0)
					reference[distinct++] = reference[i];
			}
			CHECK(grove_units_distinct(units, n) == distinct);
			CHECK(same_order(distinct));
		}
	}
	return unit_done();
}
