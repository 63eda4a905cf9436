/*
 * test_guide.c: sizes of rows, the grids that they are rounded to, designs
 * that follow from them, and the removal of contradicted rows, against plain
 * definitions.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/guide.h"
#include "../../src/core/rng.h"
#include "unit.h"

#define CELLS 200

static uint32_t order[CELLS];
static GrovePpsShare shares[CELLS];

static double
random_unit(uint64_t seed, uint64_t i)
{
	return grove_rng_u01(grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), i));
}

static double
logit(double p)
{
	return log(p / (1 - p));
}

/* A probability comes back to half a step of its log-odds; the grid is symmetric and ends where it says. */
static void
test_class_grid(void)
{
	uint32_t	last = grove_guide_class_code(1);

	CHECK(grove_guide_class_code(0) == 0);
	CHECK(last == 2 * GROVE_GUIDE_LOGIT_MAX * GROVE_GUIDE_LOGIT_STEPS);
	CHECK(grove_guide_class_code(NAN) == 0);
	CHECK(grove_guide_class_probability(last / 2) == 0.5);
	for (uint32_t code = 0; code <= last; code++)
	{
		double		p = grove_guide_class_probability(code);

		CHECK(grove_guide_class_code(p) == code);
		CHECK(fabs(p + grove_guide_class_probability(last - code) - 1) < 1e-15);
	}
	for (uint64_t i = 0; i < 2000; i++)
	{
		double		p = 1 / (1 + exp(30 * (random_unit(1, i) - 0.5)));
		double		back = grove_guide_class_probability(grove_guide_class_code(p));

		CHECK(fabs(logit(p) - logit(back)) < 0.5 / GROVE_GUIDE_LOGIT_STEPS + 1e-9);
	}
}

static void
test_size_grid(void)
{
	CHECK(grove_guide_size(grove_guide_size_code(0)) > 0);
	CHECK(isfinite(grove_guide_size(grove_guide_size_code(1.7e308))));
	for (uint64_t i = 0; i < 2000; i++)
	{
		double		size = exp(200 * (random_unit(2, i) - 0.5));
		double		back = grove_guide_size(grove_guide_size_code(size));

		CHECK(fabs(back / size - 1) <= 0.5 / (1 << GROVE_GUIDE_MANTISSA));
		CHECK(grove_guide_size_code(back) == grove_guide_size_code(size));
	}
}

static void
test_gradients(void)
{
	double		p[3] = {0.2, 0.3, 0.5};
	double		two[2] = {0.3, 0.7};
	double		sum = 0;

	CHECK(grove_guide_gradient(0.3, 0) == 0.3);
	CHECK(fabs(grove_guide_gradient(0.3, 2) - sqrt(0.09 + 2 * 0.21 * 0.21)) < 1e-15);
	for (int i = 0; i < 3; i++)
		sum += (p[i] - (i == 1)) * (p[i] - (i == 1)) + 0.5 * p[i] * (1 - p[i]) * p[i] * (1 - p[i]);
	CHECK(fabs(grove_guide_gradient_classes(p, 3, 1, 0.5) - sqrt(sum)) < 1e-15);
	/* two classes of a softmax are one of a logistic loss, twice */
	CHECK(fabs(grove_guide_gradient_classes(two, 2, 1, 1) - sqrt(2) * grove_guide_gradient(0.3, 1)) < 1e-15);
	/* a class that the model does not know */
	CHECK(fabs(grove_guide_gradient_classes(two, 2, 2, 0) - sqrt(1 + 0.09 + 0.49)) < 1e-15);
}

static void
make_cells(GrovePruneCell *cells, uint64_t seed)
{
	memset(cells, 0, CELLS * sizeof(GrovePruneCell));
	for (uint32_t i = 0; i < CELLS; i++)
	{
		order[i] = (i * 7) % CELLS;
		cells[i].rows = cells[i].units = 1 + (uint64_t) (100 * random_unit(seed, i));
		cells[i].size = pow(random_unit(seed, 1000 + i), 4) + 1e-9;
		cells[i].group = i % 3;
	}
}

/* Surprise: eps + c * size, never above 1, sums to n; gradient: the same without eps. */
static void
test_designs(void)
{
	static GrovePruneCell cells[CELLS];

	for (uint64_t seed = 0; seed < 400; seed++)
	{
		GrovePruneDesign design;
		double		units = 0;
		double		sum = 0;
		bool		even = seed % 2 == 0;

		make_cells(cells, seed);
		memset(&design, 0, sizeof(design));
		design.method = even ? GROVE_PRUNE_SURPRISE : GROVE_PRUNE_GRADIENT;
		design.keep = random_unit(seed, 5000);
		CHECK(grove_prune_design(&design, cells, CELLS, order, shares) == GROVE_OK);
		for (int i = 0; i < CELLS; i++)
			units += (double) cells[i].units;
		CHECK(fabs(design.even - (even ? 0.2 * design.keep : 0)) < 1e-15);
		for (int i = 0; i < CELLS; i++)
		{
			double		pi = fmin(1, design.even + design.scale * cells[i].size);

			CHECK(fabs(cells[i].pi - pi) < 1e-12);
			sum += (double) cells[i].units * cells[i].pi;
		}
		CHECK(fabs(sum / (design.keep * units) - 1) < 1e-12);

		/* an exact size takes a whole number of each cell, off by less than one, and has the size */
		design.exact = true;
		design.start = grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_HASH), 7);
		CHECK(grove_prune_design(&design, cells, CELLS, order, shares) == GROVE_OK);
		sum = 0;
		for (int i = 0; i < CELLS; i++)
		{
			CHECK(fabs((double) cells[i].take - cells[i].pi * (double) cells[i].units) < 1 + 1e-9);
			sum += (double) cells[i].take;
		}
		CHECK(sum == floor(design.keep * units + 0.5));
	}
}

/* ln(pi(x,1) / pi(x,0)) turns the odds of the kept rows back into those of all. */
static void
test_offset(void)
{
	double		p = 0.03;
	double		one = 0.9;
	double		zero = 0.2;
	double		kept = p * one / (p * one + (1 - p) * zero);

	CHECK(fabs(logit(kept) - grove_guide_offset(one, zero) - logit(p)) < 1e-12);
	CHECK(grove_guide_offset(1, 1) == 0);
	CHECK(grove_guide_offset(0, 0) == 0);
}

static void
test_contradiction(void)
{
	double		threshold[3] = {0.6, 0.7, 0.8};
	double		sure[3] = {0.9, 0.05, 0.05};
	double		unsure[3] = {0.55, 0.4, 0.05};

	CHECK(grove_guide_contradiction(sure, threshold, 3, 0) == 0);
	CHECK(fabs(grove_guide_contradiction(sure, threshold, 3, 1) - 1.85) < 1.0 / GROVE_GUIDE_CONTRADICTIONS);
	/* likelier than the own class, but not by enough for that class */
	CHECK(grove_guide_contradiction(unsure, threshold, 3, 1) == 0);
	/* a class that the model is sure of although the own one is likelier, but below its threshold */
	threshold[1] = 0.3;
	CHECK(fabs(grove_guide_contradiction(unsure, threshold, 3, 0) - 0.85) < 1.0 / GROVE_GUIDE_CONTRADICTIONS);
}

/* Against a slow one: again and again the worst cell that fits, until one does not. */
static void
test_noise(void)
{
	static GrovePruneCell cells[CELLS];

	for (uint64_t seed = 0; seed < 300; seed++)
	{
		GrovePruneDesign design;
		double		rows[3] = {0};
		double		gone[3] = {0};
		double		all = 0;
		double		removed = 0;
		double		least = HUGE_VAL;

		make_cells(cells, seed);
		memset(&design, 0, sizeof(design));
		design.method = GROVE_PRUNE_NOISE;
		design.keep = random_unit(seed, 5000);
		design.class_cap = random_unit(seed, 5001);
		for (int i = 0; i < CELLS; i++)
		{
			if (random_unit(seed, 6000 + (uint64_t) i) < 0.3)
				cells[i].size = 0;
		}
		CHECK(grove_guide_noise(&design, cells, CELLS, order, shares) == GROVE_OK);
		for (int i = 0; i < CELLS; i++)
		{
			rows[cells[i].group] += (double) cells[i].rows;
			all += (double) cells[i].rows;
			CHECK(cells[i].pi == 0 || cells[i].pi == 1);
			CHECK(cells[i].size > 0 || cells[i].pi == 1);
			if (cells[i].pi == 0)
			{
				gone[cells[i].group] += (double) cells[i].rows;
				removed += (double) cells[i].rows;
				least = fmin(least, cells[i].size);
			}
		}
		CHECK(removed <= (1 - design.keep) * all + 1e-6);
		CHECK(design.kept == all - removed);
		CHECK(isinf(least) ? isnan(design.scale) : design.scale == least);
		for (int g = 0; g < 3; g++)
		{
			double		worst_kept = 0;
			double		least_gone = HUGE_VAL;
			double		next = 0;

			CHECK(gone[g] <= design.class_cap * rows[g] + 1e-6);
			for (int i = 0; i < CELLS; i++)
			{
				if (cells[i].group != (uint32_t) g)
					continue;
				if (cells[i].pi == 0)
					least_gone = fmin(least_gone, cells[i].size);
				else if (cells[i].size > worst_kept)
				{
					worst_kept = cells[i].size;
					next = (double) cells[i].rows;
				}
			}
			/* within a class the worst go first, and the next would have been too much for it or for all, if not for others */
			CHECK(worst_kept <= least_gone);
			if (worst_kept > 0)
				CHECK(gone[g] + next > design.class_cap * rows[g] - 1e-6 ||
					  removed + 101 > (1 - design.keep) * all - 1e-6);
		}
	}
}

int
main(void)
{
	test_class_grid();
	test_size_grid();
	test_gradients();
	test_designs();
	test_offset();
	test_contradiction();
	test_noise();
	return unit_done();
}
