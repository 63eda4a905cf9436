/*
 * test_quantile.c: the quantile of hashes against sorting them all: in any
 * order, in parts, with duplicates, for spread and for crowded hashes.
 */
#include <stdlib.h>

#include "../../src/core/quantile.h"
#include "../../src/core/rng.h"
#include "unit.h"

#define KEEP	200

static GroveQuantile *
new_quantile(uint64_t target, uint64_t keep)
{
	GroveQuantile *quantile = malloc(grove_quantile_size(2 * keep));

	grove_quantile_init(quantile, target, keep, 2 * keep);
	return quantile;
}

static void
add(GroveQuantile *quantile, uint64_t hash)
{
	if (!grove_quantile_add(quantile, hash))
	{
		grove_quantile_compact(quantile);
		CHECK(quantile->used <= quantile->keep);
		CHECK(grove_quantile_add(quantile, hash));
	}
}

static int
compare(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

static bool
same(const GroveQuantile *a, const GroveQuantile *b)
{
	return a->rows == b->rows && a->below == b->below && a->above == b->above &&
		a->lower_limit == b->lower_limit && a->upper_limit == b->upper_limit && a->used == b->used &&
		memcmp(a->entries, b->entries, a->used * sizeof(GroveQuantileEntry)) == 0;
}

/* Hashes of a row: spread; each ten times; crowded around the middle; few values; multiples that tie in distance. */
static uint64_t
hash_of(int kind, uint64_t i)
{
	switch (kind)
	{
		case 0:
			return grove_rng_hash(1, i);
		case 1:
			return grove_rng_hash(2, i / 10);
		case 2:
			return (UINT64_C(1) << 63) + (grove_rng_hash(3, i) >> 40) - (UINT64_C(1) << 23);
		case 3:
			return grove_rng_hash(4, i % 50);
		default:
			return (UINT64_C(1) << 63) + (grove_rng_range(grove_rng_hash(5, i), 5000) - 2500) * 1000;
	}
}

static void
against_sorting(int kind, uint64_t n, uint64_t target, uint64_t keep)
{
	uint64_t   *sorted = malloc(n * sizeof(uint64_t));
	GroveQuantile *straight = new_quantile(target, keep);
	GroveQuantile *jumbled = new_quantile(target, keep);
	GroveQuantile *parts[3];
	uint64_t	found = 0;
	uint64_t	wrong = 0;

	for (int part = 0; part < 3; part++)
		parts[part] = new_quantile(target, keep);
	for (uint64_t i = 0; i < n; i++)
	{
		sorted[i] = hash_of(kind, i);
		add(straight, sorted[i]);
		add(jumbled, hash_of(kind, (i * 7919 + 3) % n));
		add(parts[i % 5 < 3 ? i % 5 : 0], sorted[i]);
	}
	qsort(sorted, n, sizeof(uint64_t), compare);
	grove_quantile_compact(straight);
	grove_quantile_compact(jumbled);
	CHECK(same(straight, jumbled));
	grove_quantile_compact(parts[0]);
	for (int part = 1; part < 3; part++)
	{
		grove_quantile_compact(parts[part]);
		grove_quantile_merge(parts[0], parts[part]);
		grove_quantile_compact(parts[0]);
	}
	CHECK(same(straight, parts[0]));
	CHECK(straight->rows == n);

	/* what is known is right, and as much is known as was promised */
	for (uint64_t rank = 1; rank <= n; rank += n > 5000 ? 17 : 1)
	{
		uint64_t	hash;

		if (grove_quantile_rank(straight, rank, &hash))
		{
			wrong += hash != sorted[rank - 1];
			found++;
		}
		else
			wrong += rank > straight->below && rank <= n - straight->above;
	}
	CHECK(wrong == 0);
	if (n <= 5000)
		CHECK(found == n - straight->below - straight->above);
	CHECK(straight->used == keep || straight->below + straight->above == 0);
	free(sorted);
	free(straight);
	free(jumbled);
	for (int part = 0; part < 3; part++)
		free(parts[part]);
}

/* The rank of a fraction stays within the window for spread hashes: half of keep is 8 standard deviations here. */
static void
keeps_the_fraction(double fraction)
{
	enum
	{
		ROWS = 250000, SPREAD_KEEP = 8192
	};
	uint64_t	misses = 0;

	for (uint64_t seed = 0; seed < 5; seed++)
	{
		GroveQuantile *quantile = new_quantile((uint64_t) (fraction * 18446744073709551616.0), SPREAD_KEEP);
		uint64_t	rank = (uint64_t) (fraction * ROWS + 0.5);
		uint64_t	hash;
		uint64_t	n = 0;

		for (uint64_t i = 0; i < ROWS; i++)
			add(quantile, grove_rng_hash(seed, i));
		grove_quantile_compact(quantile);
		if (!grove_quantile_rank(quantile, rank, &hash))
		{
			misses++;
			free(quantile);
			continue;
		}
		for (uint64_t i = 0; i < ROWS; i++)
			n += grove_rng_hash(seed, i) <= hash;
		CHECK(n == rank);
		free(quantile);
	}
	CHECK(misses == 0);
}

int
main(void)
{
	static const uint64_t targets[] = {0, UINT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 500, UINT64_C(123456789) << 35};

	for (int kind = 0; kind < 5; kind++)
	{
		for (int target = 0; target < 5; target++)
		{
			against_sorting(kind, 1, targets[target], KEEP);
			against_sorting(kind, 150, targets[target], KEEP);
			against_sorting(kind, 5000, targets[target], KEEP);
			against_sorting(kind, 40000, targets[target], 7000);
		}
	}
	keeps_the_fraction(0.1);
	keeps_the_fraction(0.5);
	keeps_the_fraction(0.999);
	return unit_done();
}
