/*
 * test_shuffle.c: the keyed bijection: is it one, is the inverse its inverse,
 * and do its orders look drawn from all n! alike.
 *
 * Seeds are 0 to m - 1; each limit is passed by chance once in ten million.
 * The count of items by positions is judged by
 * T = (n - 1) / m * sum (C_ij - m / n)^2, chi-square with (n - 1)^2 degrees of
 * freedom; Pearson's sum has the wrong mean, since the rows and columns of a
 * permutation matrix are bound to each other.
 */
#include <math.h>
#include <stdlib.h>

#include "../../src/core/shuffle.h"
#include "unit.h"

#define Z_LIMIT	5.33			/* two-sided 1e-7 */

static double
chi_square_limit(double df)
{
	double		s = 2.0 / (9.0 * df);

	return df * pow(1 - s + 5.2 * sqrt(s), 3);
}

static void
start(GroveShuffle *shuffle, uint64_t n, uint64_t seed)
{
	CHECK(grove_shuffle_init(shuffle, n, grove_rng_key(seed, GROVE_PURPOSE_PERMUTE)) == GROVE_OK);
}

static void
bijection(uint64_t n)
{
	GroveShuffle shuffle;
	uint8_t    *seen = calloc(n, 1);
	uint64_t	wrong = 0;

	start(&shuffle, n, n);
	for (uint64_t i = 0; i < n; i++)
	{
		uint64_t	place = grove_shuffle_forward(&shuffle, i);

		if (place >= n || seen[place]++ || grove_shuffle_backward(&shuffle, place) != i)
			wrong++;
	}
	CHECK(wrong == 0);
	free(seen);
}

static void
large_ranges(void)
{
	static const uint64_t ranges[] = {UINT32_MAX, (UINT64_C(1) << 32) + 5, UINT64_C(999999999999),
		GROVE_SHUFFLE_MAX - 1, GROVE_SHUFFLE_MAX};
	GroveShuffle shuffle;

	for (int r = 0; r < 5; r++)
	{
		uint64_t	n = ranges[r];
		uint64_t	wrong = 0;

		start(&shuffle, n, (uint64_t) r);
		for (uint64_t i = 0; i < 3000; i++)
		{
			uint64_t	x = i < 1000 ? i : i < 2000 ? n - 1 - (i - 1000) : grove_rng_range(grove_rng_hash(9, i), n);
			uint64_t	place = grove_shuffle_forward(&shuffle, x);

			if (place >= n || grove_shuffle_backward(&shuffle, place) != x ||
				grove_shuffle_forward(&shuffle, grove_shuffle_backward(&shuffle, x)) != x)
				wrong++;
		}
		CHECK(wrong == 0);
	}
	CHECK(grove_shuffle_init(&shuffle, 0, 1) == GROVE_ERR_RANGE);
	CHECK(grove_shuffle_init(&shuffle, GROVE_SHUFFLE_MAX + 1, 1) == GROVE_ERR_RANGE);
}

/* Any change of these values breaks what users have stored. */
static void
golden_values(void)
{
	static const uint64_t small[] = {1, 4, 7, 6, 2, 3, 9, 8, 5, 0};
	static const uint64_t large[] = {UINT64_C(327695742529), UINT64_C(297519607175), UINT64_C(323678578536), UINT64_C(850127038540)};
	GroveShuffle shuffle;

	start(&shuffle, 10, 42);
	for (uint64_t i = 0; i < 10; i++)
		CHECK(grove_shuffle_forward(&shuffle, i) == small[i]);
	start(&shuffle, UINT64_C(1000000000000), 42);
	for (uint64_t i = 0; i < 4; i++)
		CHECK(grove_shuffle_forward(&shuffle, i) == large[i]);
}

/* Number of an order of n <= 8 items among all n!, by counting inversions. */
static int
order_number(const GroveShuffle *shuffle, int n)
{
	int			number = 0;

	for (int i = 0; i < n; i++)
	{
		int			smaller = 0;

		for (int j = i + 1; j < n; j++)
			smaller += grove_shuffle_forward(shuffle, (uint64_t) j) < grove_shuffle_forward(shuffle, (uint64_t) i);
		number = number * (n - i) + smaller;
	}
	return number;
}

static void
all_orders_of_five(void)
{
	enum
	{
		SEEDS = 240000
	};
	long		counts[120] = {0};
	double		sum = 0;
	GroveShuffle shuffle;

	for (uint64_t seed = 0; seed < SEEDS; seed++)
	{
		(void) grove_shuffle_init(&shuffle, 5, grove_rng_key(seed, GROVE_PURPOSE_PERMUTE));
		counts[order_number(&shuffle, 5)]++;
	}
	for (int i = 0; i < 120; i++)
		sum += (counts[i] - SEEDS / 120.0) * (counts[i] - SEEDS / 120.0) / (SEEDS / 120.0);
	CHECK(sum < chi_square_limit(119));
}

/* The first 8 items' orders within a long shuffle are as good as those of a short one. */
static void
orders_within(uint64_t n)
{
	enum
	{
		SEEDS = 60000
	};
	long		counts[24] = {0};
	double		sum = 0;
	GroveShuffle shuffle;

	for (uint64_t seed = 0; seed < SEEDS; seed++)
	{
		(void) grove_shuffle_init(&shuffle, n, grove_rng_key(seed, GROVE_PURPOSE_PERMUTE));
		counts[order_number(&shuffle, 4)]++;
	}
	for (int i = 0; i < 24; i++)
		sum += (counts[i] - SEEDS / 24.0) * (counts[i] - SEEDS / 24.0) / (SEEDS / 24.0);
	CHECK(sum < chi_square_limit(23));
}

static void
item_by_position(int n, int seeds)
{
	long	   *counts = calloc((size_t) (n * n), sizeof(long));
	double		sum = 0;
	double		mean = (double) seeds / n;
	GroveShuffle shuffle;

	for (int seed = 0; seed < seeds; seed++)
	{
		(void) grove_shuffle_init(&shuffle, (uint64_t) n, grove_rng_key((uint64_t) seed, GROVE_PURPOSE_PERMUTE));
		for (int i = 0; i < n; i++)
			counts[i * n + (int) grove_shuffle_forward(&shuffle, (uint64_t) i)]++;
	}
	for (int i = 0; i < n * n; i++)
		sum += (counts[i] - mean) * (counts[i] - mean);
	sum *= (n - 1.0) / seeds;
	CHECK(sum < chi_square_limit((n - 1.0) * (n - 1.0)));
	/* too even is not random either */
	CHECK(sum > 2 * (n - 1.0) * (n - 1.0) - chi_square_limit((n - 1.0) * (n - 1.0)));
	free(counts);
}

/* Pairs (i < j) whose order is turned round, by merging. */
static double
inversions(uint64_t *a, uint64_t *scratch, size_t n)
{
	size_t		half = n / 2;
	size_t		i = 0;
	size_t		j = half;
	double		count;

	if (n < 2)
		return 0;
	count = inversions(a, scratch, half) + inversions(a + half, scratch, n - half);
	for (size_t k = 0; k < n; k++)
	{
		if (j >= n || (i < half && a[i] <= a[j]))
			scratch[k] = a[i++];
		else
		{
			count += (double) (half - i);
			scratch[k] = a[j++];
		}
	}
	memcpy(a, scratch, n * sizeof(uint64_t));
	return count;
}

/* Long orders by four statistics whose distribution over all orders is known. */
static void
long_orders(uint64_t n, int seeds)
{
	uint64_t   *place = malloc(n * sizeof(uint64_t));
	uint64_t   *scratch = malloc(n * sizeof(uint64_t));
	double		dn = (double) n;
	double		inverted = 0;
	double		fixed = 0;
	double		neighbours = 0;
	double		cycles = 0;
	double		cycle_mean = 0;
	double		cycle_variance = 0;
	GroveShuffle shuffle;

	for (uint64_t i = 1; i <= n; i++)
	{
		cycle_mean += 1.0 / (double) i;
		cycle_variance += 1.0 / (double) i - 1.0 / ((double) i * (double) i);
	}
	for (int seed = 0; seed < seeds; seed++)
	{
		(void) grove_shuffle_init(&shuffle, n, grove_rng_key((uint64_t) seed, GROVE_PURPOSE_PERMUTE));
		for (uint64_t i = 0; i < n; i++)
			place[i] = grove_shuffle_forward(&shuffle, i);
		memset(scratch, 0, n * sizeof(uint64_t));
		for (uint64_t i = 0; i < n; i++)
		{
			fixed += place[i] == i;
			neighbours += i + 1 < n && place[i + 1] == place[i] + 1;
			if (scratch[i] == 0)
			{
				cycles++;
				for (uint64_t j = i; scratch[j] == 0; j = place[j])
					scratch[j] = 1;
			}
		}
		inverted += (inversions(place, scratch, n) - dn * (dn - 1) / 4) /
			sqrt(dn * (dn - 1) * (2 * dn + 5) / 72);
	}
	CHECK(fabs(inverted) / sqrt(seeds) < Z_LIMIT);
	CHECK(fabs(fixed - seeds) / sqrt(seeds) < Z_LIMIT);
	CHECK(fabs(neighbours - seeds * (1 - 1 / dn)) / sqrt(seeds) < Z_LIMIT);
	CHECK(fabs(cycles - seeds * cycle_mean) / sqrt(seeds * cycle_variance) < Z_LIMIT);
	free(place);
	free(scratch);
}

/* Where two fixed items go, as a table of coarse places: even, and even together. */
static void
two_items(uint64_t n, uint64_t first, uint64_t second)
{
	enum
	{
		SIDE = 16, SEEDS = 100000
	};
	static long cells[SIDE * SIDE];
	double		sum = 0;
	GroveShuffle shuffle;

	memset(cells, 0, sizeof(cells));
	for (uint64_t seed = 0; seed < SEEDS; seed++)
	{
		(void) grove_shuffle_init(&shuffle, n, grove_rng_key(seed, GROVE_PURPOSE_PERMUTE));
		cells[grove_shuffle_forward(&shuffle, first) * SIDE / n * SIDE +
			  grove_shuffle_forward(&shuffle, second) * SIDE / n]++;
	}
	for (int i = 0; i < SIDE; i++)
	{
		for (int j = 0; j < SIDE; j++)
		{
			/* places of cell i are those with place * SIDE / n = i */
			double		a = (double) ((n * (uint64_t) (i + 1) + SIDE - 1) / SIDE - (n * (uint64_t) i + SIDE - 1) / SIDE);
			double		b = (double) ((n * (uint64_t) (j + 1) + SIDE - 1) / SIDE - (n * (uint64_t) j + SIDE - 1) / SIDE);
			double		expected = SEEDS * a * (b - (i == j)) / ((double) n * ((double) n - 1));

			sum += (cells[i * SIDE + j] - expected) * (cells[i * SIDE + j] - expected) / expected;
		}
	}
	CHECK(sum < chi_square_limit(SIDE * SIDE - 1));
}

/* Two purposes under one seed: orders of four items, 24 by 24. */
static void
independent_purposes(void)
{
	enum
	{
		SEEDS = 200000
	};
	static long cells[24 * 24];
	double		expected = SEEDS / 576.0;
	double		sum = 0;
	GroveShuffle a;
	GroveShuffle b;

	for (uint64_t seed = 0; seed < SEEDS; seed++)
	{
		(void) grove_shuffle_init(&a, 4, grove_rng_key(seed, GROVE_PURPOSE_PERMUTE));
		(void) grove_shuffle_init(&b, 4, grove_rng_key(seed, GROVE_PURPOSE_BLOCK));
		cells[order_number(&a, 4) * 24 + order_number(&b, 4)]++;
	}
	for (int i = 0; i < 576; i++)
		sum += (cells[i] - expected) * (cells[i] - expected) / expected;
	CHECK(sum < chi_square_limit(575));
}

int
main(void)
{
	for (uint64_t n = 1; n <= 300; n++)
		bijection(n);
	for (uint64_t n = GROVE_SHUFFLE_TABLE - 1; n <= GROVE_SHUFFLE_TABLE + 200; n++)
		bijection(n);
	bijection(65536);
	bijection(99991);
	bijection(1000003);
	large_ranges();
	golden_values();
	all_orders_of_five();
	orders_within(400);
	orders_within(4097);
	orders_within(1000003);
	item_by_position(8, 100000);
	item_by_position(64, 40000);
	long_orders(1000, 2000);
	long_orders(4099, 1000);
	long_orders(70001, 60);
	two_items(5000, 0, 1);
	two_items(5000, 0, 64);
	two_items(5000, 70, 71);
	two_items(1000003, 0, 1);
	two_items(1000003, 0, 1001);
	two_items(UINT64_C(1) << 40, 5, UINT64_C(1) << 20);
	independent_purposes();
	return unit_done();
}
