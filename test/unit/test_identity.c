/*
 * test_identity.c: identities depend on the set of rows only: any order gives
 * each hash the same set of identities; equal rows get different ones; hashes
 * that agree in their upper half are told apart.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../../src/core/identity.h"
#include "engine_kit.h"
#include "unit.h"

typedef struct Pair
{
	uint64_t	hash;
	uint32_t	identity;
} Pair;

static int
compare_pairs(const void *a, const void *b)
{
	const Pair *x = a;
	const Pair *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->identity < y->identity ? -1 : x->identity > y->identity;
}

/* The pairs of (hash, identity), sorted. */
static Pair *
assign(const uint64_t *hash, uint32_t n)
{
	GroveEntry *a = kit_alloc(n, sizeof(GroveEntry));
	GroveEntry *b = kit_alloc(n, sizeof(GroveEntry));
	uint32_t   *identity = kit_alloc(n, sizeof(uint32_t));
	Pair	   *pairs = kit_alloc(n, sizeof(Pair));

	grove_identity_assign(hash, n, a, b, identity);
	for (uint32_t i = 0; i < n; i++)
	{
		pairs[i].hash = hash[i];
		pairs[i].identity = identity[i];
	}
	qsort(pairs, n, sizeof(Pair), compare_pairs);
	free(a);
	free(b);
	free(identity);
	return pairs;
}

static bool
same_pairs(const Pair *a, const Pair *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
	{
		if (compare_pairs(&a[i], &b[i]) != 0)
			return false;
	}
	return true;
}

static uint64_t *
shuffled(const uint64_t *hash, uint32_t n, KitRandom *random)
{
	uint32_t   *order = kit_order(random, n);
	uint64_t   *result = kit_alloc(n, sizeof(uint64_t));

	for (uint32_t i = 0; i < n; i++)
		result[i] = hash[order[i]];
	free(order);
	return result;
}

/* Equal pairs next to each other: rows that bagging and rounding could not tell apart. */
static uint32_t
count_equal(const Pair *pairs, uint32_t n)
{
	uint32_t	equal = 0;

	for (uint32_t i = 1; i < n; i++)
		equal += compare_pairs(&pairs[i - 1], &pairs[i]) == 0;
	return equal;
}

/* n hashes of which distinct differ; in the lower half only, when narrow. */
static void
check_set(KitRandom *random, uint32_t n, uint32_t distinct, bool narrow)
{
	uint64_t   *hash = kit_alloc(n, sizeof(uint64_t));
	uint64_t   *other;
	uint64_t	top = kit_next(random) << 32;
	uint64_t	key = kit_next(random);
	Pair	   *a;
	Pair	   *b;

	for (uint32_t i = 0; i < n; i++)
	{
		KitRandom	one = {key, kit_below(random, distinct)};

		hash[i] = kit_next(&one);
		if (narrow)
			hash[i] = top | (hash[i] & UINT32_MAX);
	}
	a = assign(hash, n);
	other = shuffled(hash, n, random);
	b = assign(other, n);
	CHECK(same_pairs(a, b, n));
	/* of n rows of one hash, n^2 / 2^33 are expected to agree by chance */
	CHECK(count_equal(a, n) <= 3);
	free(hash);
	free(other);
	free(a);
	free(b);
}

/* Chains of numbers against one step after the other; which numbers are the same; which are infinite. */
static void
check_chain(KitRandom *random)
{
	static const double special[] = {0.0, -0.0, NAN, 1.0, -1.0, 5e-324, DBL_MAX, -DBL_MAX};
	enum {ROWS = 301, SPECIAL = sizeof(special) / sizeof(special[0])};
	double		numbers[ROWS];
	uint64_t	chains[ROWS];
	uint64_t	before[ROWS];

	for (uint32_t i = 0; i < ROWS; i++)
	{
		numbers[i] = kit_chance(random, 0.3) ? special[kit_below(random, SPECIAL)] : kit_normal(random);
		chains[i] = before[i] = kit_next(random);
	}
	grove_identity_numbers(numbers, chains, ROWS);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		uint64_t	bits;
		uint64_t	x;

		memcpy(&bits, &numbers[i], sizeof(bits));
		bits = isnan(numbers[i]) ? UINT64_C(0x7ff8) << 48 : numbers[i] == 0.0 ? 0 : bits;
		x = (before[i] ^ bits) * UINT64_C(0x9fb21c651e98df25);
		CHECK(chains[i] == (x ^ x >> 32));
	}
	CHECK(!grove_identity_infinite(numbers, ROWS));
	for (uint32_t i = 0; i < ROWS; i += 7)
	{
		double		number = numbers[i];

		numbers[i] = i % 2 ? INFINITY : -INFINITY;
		CHECK(grove_identity_infinite(numbers, ROWS) && !grove_identity_infinite(numbers, i));
		numbers[i] = number;
	}
}

/* Each of the 32 bits is set in about half of the identities, with equal and with different rows. */
static void
check_bits(bool equal)
{
	enum {ROWS = 20000};
	uint64_t   *hash = kit_alloc(ROWS, sizeof(uint64_t));
	KitRandom	random = kit_random(5);
	Pair	   *pairs;

	for (uint32_t i = 0; i < ROWS; i++)
		hash[i] = equal ? 42 : kit_next(&random);
	pairs = assign(hash, ROWS);
	for (int bit = 0; bit < 32; bit++)
	{
		int			set = 0;

		for (uint32_t i = 0; i < ROWS; i++)
			set += (pairs[i].identity >> bit) & 1;
		CHECK(abs(set - ROWS / 2) < 400);	/* 5.6 standard deviations */
	}
	free(hash);
	free(pairs);
}

int
main(void)
{
	KitRandom	random = kit_random(1);

	for (uint32_t round = 0; round < 300; round++)
	{
		uint32_t	n = round < 10 ? round : kit_below(&random, 3000);

		check_set(&random, n, 1 + kit_below(&random, n + 1), round % 3 == 0);
	}
	check_set(&random, 50000, 1, false);
	check_set(&random, 50000, 40000, false);
	check_set(&random, 200000, 150000, true);
	check_bits(true);
	check_bits(false);
	check_chain(&random);
	return unit_done();
}
