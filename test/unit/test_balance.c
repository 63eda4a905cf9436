/*
 * test_balance.c: the one-walk numbers against their definitions, computed
 * slowly on the plain rows.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/balance.h"
#include "../../src/core/rng.h"
#include "engine_kit.h"
#include "unit.h"

#define ROWS 400

static double whole[ROWS];
static double part[ROWS];
static double weight[ROWS];

static double
random_unit(uint64_t seed, uint64_t i)
{
	return grove_rng_u01(grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), i));
}

/* Rows of the whole, of the part and weights of the part that equal a value, or lie at or below it. */
static GroveBalanceCounts
count(double value, size_t n, size_t m, int below)
{
	GroveBalanceCounts counts = {0, 0, 0};

	for (size_t i = 0; i < n; i++)
		counts.whole += whole[i] == value || (below && whole[i] < value);
	for (size_t i = 0; i < m; i++)
	{
		if (part[i] == value || (below && part[i] < value))
		{
			counts.part++;
			counts.weight += weight[i];
		}
	}
	return counts;
}

/* Feeds the distinct values in ascending order. */
static void
feed(GroveBalance *balance, size_t n, size_t m)
{
	double		values[2 * ROWS];
	size_t		k = 0;

	for (size_t i = 0; i < n; i++)
		values[k++] = whole[i];
	for (size_t i = 0; i < m; i++)
		values[k++] = part[i];
	qsort(values, k, sizeof(double), kit_compare_doubles);
	for (size_t i = 0; i < k; i++)
	{
		if (i == 0 || values[i] != values[i - 1])
			grove_balance_add(balance, values[i], count(values[i], n, m, 0));
	}
}

static GroveBalanceCounts
totals(size_t n, size_t m)
{
	return count(HUGE_VAL, n, m, 1);
}

static void
test_against_definitions(uint64_t seed)
{
	size_t		n = 100 + (size_t) (random_unit(seed, 0) * 300);
	size_t		m = 20 + (size_t) (random_unit(seed, 1) * 80);
	GroveBalanceCounts none = {0, 0, 0};
	GroveBalanceCounts all;
	GroveBalance balance;
	GroveBalanceResult result;
	double		mean = 0;
	double		variance = 0;
	double		part_mean = 0;
	double		weighted_mean = 0;
	double		ks[2] = {0, 0};

	for (size_t i = 0; i < n; i++)
	{
		whole[i] = floor(random_unit(seed, 10 + i) * (seed % 2 ? 30 : 1e9));
		mean += whole[i] / (double) n;
	}
	for (size_t i = 0; i < m; i++)
	{
		part[i] = seed % 3 ? whole[i] : whole[i] + 1;
		weight[i] = random_unit(seed, 1000 + i);
	}
	all = totals(n, m);
	for (size_t i = 0; i < n; i++)
		variance += (whole[i] - mean) * (whole[i] - mean) / (double) (n - 1);
	for (size_t i = 0; i < m; i++)
	{
		part_mean += part[i] / (double) m;
		weighted_mean += part[i] * weight[i] / all.weight;
	}
	for (size_t i = 0; i < n + m; i++)
	{
		GroveBalanceCounts below = count(i < n ? whole[i] : part[i - n], n, m, 1);

		ks[0] = fmax(ks[0], fabs(below.part / all.part - below.whole / all.whole));
		ks[1] = fmax(ks[1], fabs(below.weight / all.weight - below.whole / all.whole));
	}

	grove_balance_begin(&balance, false, all, none);
	feed(&balance, n, m);
	grove_balance_end(&balance, &result);
	CHECK(fabs(result.mean[0] / mean - 1) < 1e-12);
	CHECK(fabs(result.mean[1] / part_mean - 1) < 1e-12);
	CHECK(fabs(result.mean[2] / weighted_mean - 1) < 1e-12);
	CHECK(fabs(result.smd[0] - (part_mean - mean) / sqrt(variance)) < 1e-11);
	CHECK(fabs(result.smd[1] - (weighted_mean - mean) / sqrt(variance)) < 1e-11);
	CHECK(fabs(result.ks[0] - ks[0]) < 1e-14);
	CHECK(fabs(result.ks[1] - ks[1]) < 1e-13);
	CHECK(result.psi[0] >= 0 && result.psi[1] >= 0);
}

/* The whole against itself: nothing differs, whatever the ties. */
static void
test_identity(void)
{
	GroveBalanceCounts none = {0, 0, 0};

	for (int kind = 0; kind < 2; kind++)
	{
		GroveBalance balance;
		GroveBalanceResult result;

		for (size_t i = 0; i < 60; i++)
		{
			whole[i] = part[i] = (double) (i * i % 17);
			weight[i] = 3;
		}
		grove_balance_begin(&balance, kind == 1, totals(60, 60), none);
		feed(&balance, 60, 60);
		grove_balance_end(&balance, &result);
		for (int w = 0; w < 2; w++)
		{
			CHECK(fabs(result.psi[w]) < 1e-15);
			CHECK(fabs(result.smd[w]) < 1e-15);
			CHECK(kind == 1 ? isnan(result.ks[w]) : result.ks[w] < 1e-15);
		}
	}
}

/* Ten equal tenths, of which the part lacks one; missing rows are a bin of their own. */
static void
test_stability(void)
{
	GroveBalanceCounts present = {100, 90, 90};
	GroveBalanceCounts missing = {100, 10, 10};
	GroveBalance balance;
	GroveBalanceResult result;
	double		expected = (0.1 - 0.5) * log(0.1 / 0.5) + 9 * (0.1 - 0.05) * log(0.1 / 0.05) +
		(0.5 / 100 - 0.05) * log(0.5 / 100 / 0.05);

	grove_balance_begin(&balance, false, present, missing);
	for (int i = 0; i < 100; i++)
	{
		GroveBalanceCounts one = {1, i < 90 ? 1 : 0, i < 90 ? 1 : 0};

		grove_balance_add(&balance, i, one);
	}
	grove_balance_end(&balance, &result);
	CHECK(fabs(result.psi[0] - expected) < 1e-14);
	CHECK(fabs(result.psi[1] - expected) < 1e-14);
	CHECK(fabs(result.ks[0] - 0.1) < 1e-15);
}

/* Levels: the one that differs most, and rare ones pooled. */
static void
test_levels(void)
{
	GroveBalanceCounts present = {1000, 100, 1000};
	GroveBalanceCounts none = {0, 0, 0};
	GroveBalanceCounts first = {600, 80, 600};
	GroveBalanceCounts second = {396, 16, 396};
	GroveBalanceCounts rare = {1, 1, 1};
	GroveBalance balance;
	GroveBalanceResult result;
	double		psi = (0.8 - 0.6) * log(0.8 / 0.6) + (0.16 - 0.396) * log(0.16 / 0.396) + (0.04 - 0.004) * log(0.04 / 0.004);

	grove_balance_begin(&balance, true, present, none);
	grove_balance_add(&balance, 0, first);
	grove_balance_add(&balance, 0, second);
	for (int i = 0; i < 4; i++)
		grove_balance_add(&balance, 0, rare);
	grove_balance_end(&balance, &result);
	CHECK(fabs(result.psi[0] - psi) < 1e-14);
	CHECK(fabs(result.psi[1]) < 1e-15);
	CHECK(fabs(result.smd[0] - (0.16 - 0.396) / sqrt(0.396 * 0.604)) < 1e-14);
	CHECK(isnan(result.mean[0]) && isnan(result.ks[0]));
}

/* What does not exist is NaN. */
static void
test_nothing(void)
{
	GroveBalanceCounts none = {0, 0, 0};
	GroveBalanceCounts whole_only = {5, 0, 0};
	GroveBalanceCounts part_only = {0, 4, 0};
	GroveBalanceCounts constant = {5, 2, 0};
	GroveBalance balance;
	GroveBalanceResult result;

	grove_balance_begin(&balance, false, none, none);
	grove_balance_end(&balance, &result);
	CHECK(isnan(result.psi[0]) && isnan(result.ks[0]) && isnan(result.smd[0]) && isnan(result.mean[0]));

	grove_balance_begin(&balance, false, whole_only, none);
	grove_balance_add(&balance, 3, whole_only);
	grove_balance_end(&balance, &result);
	CHECK(isnan(result.psi[0]) && isnan(result.ks[0]) && isnan(result.smd[0]) && isnan(result.mean[1]));
	CHECK(result.mean[0] == 3);

	/* values in the part only */
	grove_balance_begin(&balance, false, part_only, none);
	grove_balance_add(&balance, 3, part_only);
	grove_balance_end(&balance, &result);
	CHECK(isnan(result.psi[0]) && isnan(result.ks[0]) && isnan(result.smd[0]) && isnan(result.mean[0]));
	CHECK(result.mean[1] == 3);

	/* a constant column: equal means differ by 0; without weights there are no weighted numbers */
	grove_balance_begin(&balance, false, constant, none);
	grove_balance_add(&balance, 3, constant);
	grove_balance_end(&balance, &result);
	CHECK(result.smd[0] == 0 && result.ks[0] == 0 && isnan(result.ks[1]) && isnan(result.psi[1]) && isnan(result.smd[1]));
}

int
main(void)
{
	for (uint64_t seed = 0; seed < 200; seed++)
		test_against_definitions(seed);
	test_identity();
	test_stability();
	test_levels();
	test_nothing();
	return unit_done();
}
