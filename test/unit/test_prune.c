/*
 * test_prune.c: the pruning designs: sizes, bounds and probabilities against
 * their definitions, and over many random starts the rounded sizes against
 * the probabilities that the design claims.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/prune.h"
#include "../../src/core/rng.h"
#include "unit.h"

#define MAX_CELLS 64

static uint32_t order[MAX_CELLS];
static GrovePpsShare shares[MAX_CELLS];

static double
random_unit(uint64_t seed, uint64_t i)
{
	return grove_rng_u01(grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), i));
}

static void
make_cells(GrovePruneCell *cells, size_t n, const uint64_t *units)
{
	memset(cells, 0, n * sizeof(GrovePruneCell));
	for (size_t i = 0; i < n; i++)
	{
		cells[i].rows = cells[i].units = cells[i].frequency = units[i];
		order[i] = (uint32_t) ((i * 7) % n);
	}
}

static GrovePruneDesign
make_design(GrovePruneMethod method, double keep)
{
	GrovePruneDesign design;

	memset(&design, 0, sizeof(design));
	design.method = method;
	design.exact = true;
	design.keep = keep;
	design.gamma = 1;
	return design;
}

static GroveStatus
run(GrovePruneDesign *design, GrovePruneCell *cells, size_t n)
{
	return grove_prune_design(design, cells, n, order, shares);
}

static uint64_t
taken(const GrovePruneCell *cells, size_t n)
{
	uint64_t	sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += cells[i].take;
	return sum;
}

/* Random cells: every method has exactly its size, and expects exactly it. */
static void
test_sizes(void)
{
	for (uint64_t seed = 0; seed < 2000; seed++)
	{
		GrovePruneCell cells[13];
		uint64_t	units[13];
		uint64_t	all = 0;
		double		expected = 0;
		uint64_t	size;
		GrovePruneDesign design = make_design((GrovePruneMethod) (seed % 3), random_unit(seed, 100));
		double		readmit = seed % 2 ? random_unit(seed, 101) : 0;

		for (size_t i = 0; i < 13; i++)
		{
			units[i] = (uint64_t) pow(10, 4 * random_unit(seed, i));
			all += units[i];
		}
		make_cells(cells, 13, units);
		design.readmit = readmit;
		design.gamma = 2 * random_unit(seed, 102);
		design.start = grove_rng_hash(1, seed);
		CHECK(run(&design, cells, 13) == GROVE_OK);

		size = (uint64_t) floor(design.keep * (double) all + 0.5);
		if (design.method == GROVE_PRUNE_STRATIFIED)
		{
			double		sum = 0;

			for (size_t i = 0; i < 13; i++)
				sum += fmax(design.keep * (double) units[i], 1);
			size = (uint64_t) floor(sum + 0.5);
			for (size_t i = 0; i < 13; i++)
				CHECK(fabs(cells[i].keep * (double) units[i] - fmax(design.keep * (double) units[i], 1)) < 1.5);
		}
		size += (uint64_t) floor(readmit * (double) (all - size) + 0.5);
		CHECK(taken(cells, 13) == size);
		CHECK(design.kept == (double) size);
		for (size_t i = 0; i < 13; i++)
		{
			double		composed = cells[i].keep + (1 - cells[i].keep) * cells[i].readmit;

			expected += cells[i].pi * (double) cells[i].units;
			CHECK(cells[i].pi >= 0 && cells[i].pi <= 1);
			CHECK(fabs(cells[i].pi - composed) < 1e-9);
			CHECK(fabs((double) cells[i].take - cells[i].pi * (double) cells[i].units) < 1.000001);
			CHECK(cells[i].take <= cells[i].units);
		}
		CHECK(fabs(expected - (double) size) < 1e-6);
	}
}

/* Over random starts the mean of the rounded size is what pi says: |z| below 6 in every cell. */
static void
test_rounded_means(void)
{
	static const uint64_t units[] = {1, 1, 2, 3, 5, 8, 40, 1000};
	enum
	{
		CELLS = 8, SEEDS = 20000
	};
	double		sums[CELLS] = {0};
	GrovePruneCell cells[CELLS];

	for (uint64_t seed = 0; seed < SEEDS; seed++)
	{
		GrovePruneDesign design = make_design(GROVE_PRUNE_INVERSE, 0.02);

		make_cells(cells, CELLS, units);
		design.gamma = 0.5;
		design.readmit = 0.01;
		design.start = grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_PRUNE), 0);
		CHECK(run(&design, cells, CELLS) == GROVE_OK);
		for (size_t i = 0; i < CELLS; i++)
			sums[i] += (double) cells[i].take;
	}
	for (size_t i = 0; i < CELLS; i++)
	{
		double		amount = cells[i].pi * (double) cells[i].units;
		double		part = amount - floor(amount);
		double		sd = sqrt(part * (1 - part) * SEEDS);

		CHECK(fabs(sums[i] - amount * SEEDS) <= 6 * sd + 1e-6);
	}
}

static void
test_random(void)
{
	static const uint64_t units[] = {100};
	GrovePruneCell cells[1];
	GrovePruneDesign design = make_design(GROVE_PRUNE_RANDOM, 0.295);

	make_cells(cells, 1, units);
	CHECK(run(&design, cells, 1) == GROVE_OK);
	CHECK(cells[0].take == 30 && cells[0].pi == 0.3);	/* half goes up */

	design = make_design(GROVE_PRUNE_RANDOM, 0.295);
	design.exact = false;
	CHECK(run(&design, cells, 1) == GROVE_OK);
	CHECK(cells[0].pi == 0.295 && design.kept == 29.5);

	design.counted = true;
	design.n = 1000;
	CHECK(run(&design, cells, 1) == GROVE_OK && cells[0].pi == 1);
	design.exact = true;
	CHECK(run(&design, cells, 1) == GROVE_OK && cells[0].pi == 1 && cells[0].take == 100);

	design.n = 0;
	CHECK(run(&design, cells, 1) == GROVE_OK && cells[0].pi == 0 && cells[0].take == 0);

	/* everything that was removed comes back */
	design.n = 10;
	design.readmit = 1;
	CHECK(run(&design, cells, 1) == GROVE_OK && cells[0].pi == 1 && cells[0].take == 100);

	/* no cells at all */
	CHECK(run(&design, cells, 0) == GROVE_OK && design.kept == 0);
}

static void
test_inverse(void)
{
	static const uint64_t units[] = {1, 4, 10, 85};
	GrovePruneCell cells[4];
	GrovePruneDesign design = make_design(GROVE_PRUNE_INVERSE, 0.2);

	/* 1 is certain; of the others c each: 1 + 4 + 2c = 20 */
	make_cells(cells, 4, units);
	design.exact = false;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	CHECK(cells[0].pi == 1 && cells[1].pi == 1);
	CHECK(design.scale == 7.5);
	CHECK(fabs(cells[2].pi - 0.75) < 1e-15);
	CHECK(fabs(cells[3].pi - 7.5 / 85) < 1e-15);

	/* clipped from below: 1 + 4 + 85 * 0.1 + c = 20 */
	design.pi_min = 0.1;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	CHECK(cells[3].pi == 0.1);
	CHECK(fabs(cells[2].pi - 0.65) < 1e-14);
	design.pi_min = 0.3;
	CHECK(run(&design, cells, 4) == GROVE_ERR_RANGE);

	/* frequencies may be larger than the cells, as with two classes */
	design = make_design(GROVE_PRUNE_INVERSE, 0.2);
	design.exact = false;
	cells[0].frequency = cells[1].frequency = 100;
	cells[2].frequency = cells[3].frequency = 50;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	CHECK(fabs(cells[0].pi * 2 - cells[3].pi) < 1e-15);
}

/* Weights of 2 rows each: 0, 1, 2, 4, one that is certain, an infinite one; the same for any unit of the weights. */
static void
test_weighted(void)
{
	static const uint64_t units[] = {2, 2, 2, 2, 2, 2};
	static const double weights[] = {0, 1, 2, 4, 1000, HUGE_VAL};
	static const int powers[] = {0, 1, 900, -900};
	GrovePruneCell cells[6];
	GrovePruneDesign design;
	double		pi[6];

	for (int run_number = 0; run_number < 8; run_number++)
	{
		int			power = powers[run_number / 2];

		design = make_design(GROVE_PRUNE_WEIGHTED, 0);
		design.exact = run_number % 2 == 0;
		design.counted = true;
		design.n = 7;
		make_cells(cells, 6, units);
		for (int i = 0; i < 6; i++)
			cells[i].size = ldexp(weights[i], power);
		design.exponent = grove_prune_normalize(cells, 6);
		CHECK(design.exponent == 9 + power);
		CHECK(cells[0].size == 0 && cells[4].size == 1000 / 512.0 && isinf(cells[5].size));

		/* 4 are certain, 3 are left for weights that sum to 14 */
		CHECK(run(&design, cells, 6) == GROVE_OK);
		CHECK(fabs(ldexp(design.scale, power) - 3 / 14.0) < 1e-15);
		CHECK(cells[0].pi == 0 && cells[4].pi == 1 && cells[5].pi == 1);
		CHECK(fabs(cells[1].pi - 3 / 14.0) < 1e-15 && fabs(cells[3].pi - 12 / 14.0) < 1e-15);
		CHECK(!design.exact || (taken(cells, 6) == 7 && cells[0].take == 0 && cells[5].take == 2));
		for (int i = 0; i < 6; i++)
		{
			CHECK(run_number < 2 || design.exact || cells[i].pi == pi[i]);
			if (!design.exact)
				pi[i] = cells[i].pi;
		}

		/* more than there is with a weight; as many as are infinite; fewer */
		design.n = 11;
		CHECK(run(&design, cells, 6) == GROVE_OK && design.kept == 10 && isinf(design.scale));
		CHECK(cells[0].pi == 0 && cells[1].pi == 1);
		design.n = 2;
		CHECK(run(&design, cells, 6) == GROVE_OK && design.scale == 0);
		CHECK(cells[4].pi == 0 && cells[5].pi == 1);
		design.n = 1;
		CHECK(run(&design, cells, 6) == GROVE_ERR_RANGE);
	}

	/* too far apart: as far as it goes; nothing but infinities and zeros */
	cells[1].size = 1e-300;
	cells[4].size = 1e300;
	CHECK(grove_prune_normalize(cells, 6) == 996);
	CHECK(cells[1].size == ldexp(1, -GROVE_PRUNE_WEIGHT_BITS) && cells[4].size >= 1 && cells[4].size < 2);
	cells[0].size = HUGE_VAL;
	cells[1].size = 0;
	CHECK(grove_prune_normalize(cells, 2) == 0 && isinf(cells[0].size) && cells[1].size == 0);
}

static void
test_stratified(void)
{
	static const uint64_t units[] = {1, 2, 10, 87};
	static const uint64_t equal[] = {1, 2, 10, 12};
	static const uint64_t neyman[] = {1, 1, 10, 13};
	GrovePruneCell cells[4];
	GrovePruneDesign design = make_design(GROVE_PRUNE_STRATIFIED, 0.25);

	/* 0.25 and 0.5 become 1, the others keep their share: 1 + 1 + 2.5 + 21.75 = 26.25, so 26 in all */
	make_cells(cells, 4, units);
	CHECK(run(&design, cells, 4) == GROVE_OK);
	CHECK(cells[0].take == 1 && cells[1].take == 1 && cells[2].take == 2 && cells[3].take == 22);
	CHECK(cells[0].pi == 1 && cells[1].pi == 0.5 && cells[2].pi == 0.2 && cells[3].pi == 22.0 / 87);
	design.exact = false;
	CHECK(run(&design, cells, 4) == GROVE_OK && design.kept == 26.25);
	CHECK(cells[0].pi == 1 && cells[1].pi == 0.5 && cells[2].pi == 0.25 && cells[3].pi == 0.25);
	design.exact = true;

	/* a number instead of a share: the other 23 in proportion 10 : 87 */
	design.counted = true;
	design.n = 25;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	CHECK(cells[0].take == 1 && cells[1].take == 1 && cells[2].take == 2 && cells[3].take == 21);
	design.counted = false;

	/* 25 in 4 equal parts, 1 and 2 are too small, 10 as well */
	design.allocation = GROVE_ALLOCATE_EQUAL;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	for (size_t i = 0; i < 4; i++)
		CHECK(cells[i].take == equal[i]);
	design.allocation = GROVE_ALLOCATE_POWER;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	for (size_t i = 0; i < 4; i++)
		CHECK(cells[i].take == equal[i]);
	design.gamma = 0;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	CHECK(cells[2].take == 2 && cells[3].take == 21);

	/* only the third stratum varies: it is taken whole, what is left goes to the others by size */
	design.allocation = GROVE_ALLOCATE_NEYMAN;
	cells[2].spread = 3;
	CHECK(run(&design, cells, 4) == GROVE_OK);
	for (size_t i = 0; i < 4; i++)
		CHECK(cells[i].take == neyman[i]);

	/* one unit each even when keep asks for less; n may not */
	design = make_design(GROVE_PRUNE_STRATIFIED, 0.01);
	CHECK(run(&design, cells, 4) == GROVE_OK && taken(cells, 4) == 4);
	design.counted = true;
	design.n = 3;
	CHECK(run(&design, cells, 4) == GROVE_ERR_RANGE);
}

/* Neyman's sizes have the smallest variance of the total: no exchange of one unit between strata improves them. */
static void
test_neyman_is_optimal(void)
{
	static const uint64_t units[] = {50, 120, 300, 700, 30};
	GrovePruneCell cells[5];
	GrovePruneDesign design = make_design(GROVE_PRUNE_STRATIFIED, 0.2);

	make_cells(cells, 5, units);
	for (size_t i = 0; i < 5; i++)
		cells[i].spread = 1 + (double) (i * i);
	design.allocation = GROVE_ALLOCATE_NEYMAN;
	CHECK(run(&design, cells, 5) == GROVE_OK && taken(cells, 5) == 240);
	for (size_t from = 0; from < 5; from++)
	{
		for (size_t to = 0; to < 5; to++)
		{
			double		a = (double) units[from] * (double) units[from] * cells[from].spread * cells[from].spread;
			double		b = (double) units[to] * (double) units[to] * cells[to].spread * cells[to].spread;
			double		n = (double) cells[from].take;
			double		m = (double) cells[to].take;

			/* rounding to whole sizes may leave a gain of a unit's fraction, not of more than one unit */
			if (from != to && cells[from].take > 2 && cells[to].take + 2 <= cells[to].units)
				CHECK(a / (n - 2) + b / (m + 2) >= a / n + b / m);
		}
	}
}

static void
test_negatives(void)
{
	static const uint64_t units[] = {10, 30, 60};
	GrovePruneCell cells[3];
	GrovePruneDesign design = make_design(GROVE_PRUNE_NEGATIVES, 0.4);

	make_cells(cells, 3, units);
	cells[0].certain = true;
	CHECK(run(&design, cells, 3) == GROVE_OK);
	CHECK(cells[0].pi == 1 && cells[0].take == 10);
	CHECK(fabs(design.beta - 30.0 / 90) < 1e-15);
	CHECK(cells[1].take == 10 && cells[2].take == 20);

	/* no place for a negative, nothing but positives */
	design.keep = 0.1;
	CHECK(run(&design, cells, 3) == GROVE_ERR_RANGE);
	cells[1].certain = cells[2].certain = true;
	CHECK(run(&design, cells, 3) == GROVE_ERR_RANGE);
	design.keep = 1;
	CHECK(run(&design, cells, 3) == GROVE_OK && design.beta == 1 && taken(cells, 3) == 100);
}

static void
test_readmit(void)
{
	static const uint64_t units[] = {10, 90, 900};
	GrovePruneCell cells[3];
	GrovePruneDesign design = make_design(GROVE_PRUNE_RANDOM, 0.3);

	/* removed 7, 63, 630; 70 come back: all 7, and 31.5 of each of the others */
	make_cells(cells, 3, units);
	design.readmit = 0.1;
	design.exact = false;
	CHECK(run(&design, cells, 3) == GROVE_OK);
	CHECK(cells[0].readmit == 1 && cells[0].pi == 1);
	CHECK(fabs(cells[1].readmit - 0.5) < 1e-14);
	CHECK(fabs(cells[2].readmit - 0.05) < 1e-15);
	CHECK(fabs(cells[2].pi - (0.3 + 0.7 * 0.05)) < 1e-15);

	design.exact = true;
	CHECK(run(&design, cells, 3) == GROVE_OK && taken(cells, 3) == 370);
	CHECK(cells[0].take == 10);
	CHECK(cells[1].take == 58 || cells[1].take == 59);
}

static void
test_summary(void)
{
	static const uint64_t units[] = {10, 90};
	GrovePruneCell cells[2];
	GrovePruneSummary summary;

	make_cells(cells, 2, units);
	cells[0].pi = 1;
	cells[1].pi = 0.5;
	grove_prune_summarize(cells, 2, order, &summary);
	CHECK(summary.rows == 100 && summary.certainty_rows == 10 && summary.zero_rows == 0);
	CHECK(summary.kept_rows == 55 && summary.sum_weights == 100);
	CHECK(summary.effective_size == 100.0 * 100 / (10 + 180));
	CHECK(summary.pi_low == 0.5 && summary.pi_high == 1);
	cells[1].pi = 0;
	grove_prune_summarize(cells, 2, order, &summary);
	CHECK(summary.zero_rows == 90 && summary.sum_weights == 10 && summary.effective_size == 10);
	grove_prune_summarize(cells, 0, order, &summary);
	CHECK(summary.rows == 0 && summary.effective_size == 0 && isnan(summary.pi_low));
}

int
main(void)
{
	test_sizes();
	test_rounded_means();
	test_random();
	test_inverse();
	test_weighted();
	test_stratified();
	test_neyman_is_optimal();
	test_negatives();
	test_readmit();
	test_summary();
	return unit_done();
}
