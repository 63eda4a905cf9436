/*
 * test_pps.c: the scale of probabilities proportional to size against a slow
 * solver that sorts, and systematic rounding against its definition.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/pps.h"
#include "../../src/core/rng.h"
#include "unit.h"

#define MAX_SHARES 200

static double
random_unit(uint64_t seed, uint64_t i)
{
	return grove_rng_u01(grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), i));
}

static int
by_weight_descending(const void *a, const void *b)
{
	double		x = ((const GrovePpsShare *) a)->weight;
	double		y = ((const GrovePpsShare *) b)->weight;

	return (x < y) - (x > y);
}

/* Textbook water filling without floors: the m largest are certain, the rest share what is left. */
static double
slow_scale(const GrovePpsShare *shares, size_t n, double target)
{
	GrovePpsShare sorted[MAX_SHARES];
	long double certain = 0;

	memcpy(sorted, shares, n * sizeof(GrovePpsShare));
	qsort(sorted, n, sizeof(GrovePpsShare), by_weight_descending);
	for (size_t m = 0; m < n; m++)
	{
		long double rest = 0;
		long double scale;

		for (size_t i = n; i-- > m;)
			rest += (long double) sorted[i].weight * sorted[i].units;
		scale = (target - certain) / rest;
		if (scale * sorted[m].weight <= 1)
			return (double) scale;
		certain += sorted[m].units;
	}
	return HUGE_VAL;
}

static double
total(const GrovePpsShare *shares, size_t n, double scale)
{
	long double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (long double) shares[i].units * grove_pps_probability(scale, shares[i].weight, shares[i].floor);
	return (double) sum;
}

static void
test_scale_against_sorting(void)
{
	for (uint64_t seed = 0; seed < 300; seed++)
	{
		GrovePpsShare shares[MAX_SHARES];
		size_t		n = 1 + (size_t) (random_unit(seed, 1) * (MAX_SHARES - 1));
		double		units = 0;
		double		target;
		double		scale;

		for (size_t i = 0; i < n; i++)
		{
			shares[i].weight = pow(random_unit(seed, 10 + 2 * i), -3);
			shares[i].units = floor(1 + 50 * random_unit(seed, 11 + 2 * i));
			shares[i].floor = 0;
			units += shares[i].units;
		}
		target = units * random_unit(seed, 2);
		CHECK(grove_pps_scale(shares, n, target, &scale) == GROVE_OK);
		CHECK(fabs(scale / slow_scale(shares, n, target) - 1) < 1e-13);
		CHECK(fabs(total(shares, n, scale) / target - 1) < 1e-14);
	}
}

static void
test_scale_with_floors(void)
{
	for (uint64_t seed = 0; seed < 300; seed++)
	{
		GrovePpsShare shares[50];
		double		lowest = 0;
		double		units = 0;
		double		target;
		double		scale;

		for (size_t i = 0; i < 50; i++)
		{
			shares[i].weight = pow(random_unit(seed, 3 * i), 4);
			shares[i].units = floor(1 + 9 * random_unit(seed, 3 * i + 1));
			shares[i].floor = 0.3 * random_unit(seed, 3 * i + 2);
			units += shares[i].units;
			lowest += shares[i].units * shares[i].floor;
		}
		target = lowest + (units - lowest) * random_unit(seed, 1000);
		CHECK(grove_pps_scale(shares, 50, target, &scale) == GROVE_OK);
		CHECK(fabs(total(shares, 50, scale) / target - 1) < 1e-14);
		CHECK(grove_pps_scale(shares, 50, lowest * 0.99, &scale) == GROVE_ERR_RANGE);
	}
}

/* A power of two moves nothing but the scale's exponent. */
static void
test_scale_invariance(void)
{
	static const int powers[] = {-900, -300, -1, 1, 300, 900};
	GrovePpsShare shares[60];
	double		scale;

	for (size_t i = 0; i < 60; i++)
	{
		shares[i].weight = pow(random_unit(7, i), -2);
		shares[i].units = 1;
		shares[i].floor = 0;
	}
	CHECK(grove_pps_scale(shares, 60, 21, &scale) == GROVE_OK);
	for (size_t p = 0; p < sizeof(powers) / sizeof(powers[0]); p++)
	{
		GrovePpsShare moved[60];
		double		moved_scale;

		memcpy(moved, shares, sizeof(shares));
		for (size_t i = 0; i < 60; i++)
			moved[i].weight = ldexp(moved[i].weight, powers[p]);
		CHECK(grove_pps_scale(moved, 60, 21, &moved_scale) == GROVE_OK);
		CHECK(moved_scale == ldexp(scale, -powers[p]));
		for (size_t i = 0; i < 60; i++)
			CHECK(grove_pps_probability(moved_scale, moved[i].weight, 0) ==
				  grove_pps_probability(scale, shares[i].weight, 0));
	}
}

static void
test_scale_edges(void)
{
	GrovePpsShare shares[3] = {{1, 10, 0}, {2, 10, 0}, {0, 10, 0}};
	double		scale;

	/* all of positive weight are certain, zero weight never */
	CHECK(grove_pps_scale(shares, 3, 20, &scale) == GROVE_OK && isinf(scale));
	CHECK(grove_pps_scale(shares, 3, 30, &scale) == GROVE_OK && isinf(scale));
	CHECK(grove_pps_probability(scale, 1, 0) == 1);
	CHECK(grove_pps_probability(scale, 0, 0) == 0);

	CHECK(grove_pps_scale(shares, 3, 0, &scale) == GROVE_OK);
	CHECK(total(shares, 3, scale) < 1e-300);
	CHECK(grove_pps_scale(shares, 0, 5, &scale) == GROVE_OK && isinf(scale));

	/* infinite weights are certain; more of them than asked for cannot be met */
	shares[1].weight = HUGE_VAL;
	CHECK(grove_pps_scale(shares, 3, 15, &scale) == GROVE_OK);
	CHECK(fabs(grove_pps_probability(scale, 1, 0) - 0.5) < 1e-15);
	CHECK(grove_pps_scale(shares, 3, 9, &scale) == GROVE_ERR_RANGE);
	/* as many as asked for leave nothing, not even next to nothing */
	CHECK(grove_pps_scale(shares, 3, 10, &scale) == GROVE_OK && scale == 0);

	shares[1].weight = -1;
	CHECK(grove_pps_scale(shares, 3, 5, &scale) == GROVE_ERR_DATA);
	shares[1].weight = NAN;
	CHECK(grove_pps_scale(shares, 3, 5, &scale) == GROVE_ERR_DATA);
	shares[1].weight = 1;
	shares[1].units = NAN;
	CHECK(grove_pps_scale(shares, 3, 5, &scale) == GROVE_ERR_DATA);

	/* the smallest and the largest weights together: the large ones are certain, the small ones share */
	{
		GrovePpsShare far[2] = {{0x1p900, 2, 0}, {0x1p-900, 4, 0}};

		CHECK(grove_pps_scale(far, 2, 3, &scale) == GROVE_OK);
		CHECK(grove_pps_probability(scale, far[0].weight, 0) == 1);
		CHECK(fabs(grove_pps_probability(scale, far[1].weight, 0) - 0.25) < 1e-15);
	}
}

static void
test_inverse(void)
{
	CHECK(grove_pps_inverse(10, 0) == 1);
	CHECK(grove_pps_inverse(10, 1) == 0.1);
	CHECK(grove_pps_inverse(16, 0.5) == 0.25);
	CHECK(grove_pps_inverse(4, 2) == 0.0625);
	CHECK(fabs(grove_pps_inverse(8, 1.0 / 3) - 0.5) < 1e-15);
}

/* With start s, an amount that begins at A rounds to floor(s + A + amount) - floor(s + A). */
static void
test_rounding(void)
{
	for (uint64_t seed = 0; seed < 200; seed++)
	{
		uint64_t	start = grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_PRUNE), 0) >> 1;
		uint64_t	position = start;
		uint64_t	fractions = start;
		uint64_t	whole = 0;
		uint64_t	sum = 0;

		for (uint64_t i = 0; i < 100; i++)
		{
			GrovePpsAmount amount = grove_pps_amount(5 * random_unit(seed, i));
			uint64_t	rounded = grove_pps_round(&position, amount);

			CHECK(rounded == amount.whole || (rounded == amount.whole + 1 && amount.fraction > 0));
			sum += rounded;
			whole += amount.whole;
			fractions += amount.fraction;
			if (fractions >= GROVE_PPS_ONE)
			{
				fractions -= GROVE_PPS_ONE;
				whole++;
			}
			CHECK(sum == whole);
		}
	}
}

static void
test_amounts(void)
{
	static const double values[] = {0, 0.5, 1, 1.25, 3.999999999, 1e15 + 0.5, 0x1p-63};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		CHECK(grove_pps_double(grove_pps_amount(values[i])) == values[i]);
	CHECK(grove_pps_amount(0x1p-64).fraction == 0);
}

static void
test_below(void)
{
	CHECK(!grove_rng_below(0, 0));
	CHECK(grove_rng_below(0, 0x1p-64));
	CHECK(!grove_rng_below(1, 0x1p-64));
	CHECK(grove_rng_below(UINT64_MAX, 1));
	CHECK(grove_rng_below((UINT64_C(1) << 63) - 1, 0.5));
	CHECK(!grove_rng_below(UINT64_C(1) << 63, 0.5));
	CHECK(!grove_rng_below(UINT64_MAX, nextafter(1, 0)));
}

int
main(void)
{
	test_scale_against_sorting();
	test_scale_with_floors();
	test_scale_invariance();
	test_scale_edges();
	test_inverse();
	test_rounding();
	test_amounts();
	test_below();
	return unit_done();
}
