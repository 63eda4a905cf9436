/*
 * test_prune_draws.c: whole draws, sizes and hashes together, over 100,000
 * seeds: how often each unit is taken against the design's probability.
 *
 * The judge is Chernoff's bound, m * KL(frequency, p), which needs no normal
 * approximation; a right sampler fails one look with probability below 1e-9.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../src/core/prune.h"
#include "../../src/core/rng.h"
#include "unit.h"

#define CELLS	5
#define UNITS	20
#define SEEDS	100000

static const uint64_t sizes[CELLS] = {1, 2, 4, 5, 8};

static double
chernoff(double count, double trials, double p)
{
	double		f = count / trials;

	if (p <= 0 || p >= 1)
		return f == p ? 0 : HUGE_VAL;
	return trials * ((f > 0 ? f * log(f / p) : 0) + (f < 1 ? (1 - f) * log((1 - f) / (1 - p)) : 0)) - log(2);
}

static void
set_cells(GrovePruneCell *cells)
{
	memset(cells, 0, CELLS * sizeof(GrovePruneCell));
	for (int c = 0; c < CELLS; c++)
		cells[c].rows = cells[c].units = cells[c].frequency = sizes[c];
}

/* Cells in the order of their hash under the seed, as the extension walks them. */
static void
order_cells(uint64_t seed, uint32_t *order)
{
	uint64_t	key = grove_rng_key(seed, GROVE_PURPOSE_READMIT);

	for (uint32_t c = 0; c < CELLS; c++)
	{
		uint32_t	place = c;

		for (; place > 0 && grove_rng_hash(key, order[place - 1] + 100) > grove_rng_hash(key, c + 100); place--)
			order[place] = order[place - 1];
		order[place] = c;
	}
}

/* Marks the units of one draw: of each cell the lowest hashes, or the hashes below the probabilities. */
static void
draw(uint64_t seed, const GrovePruneDesign *design, const GrovePruneCell *cells, int *taken)
{
	uint64_t	keep_key = grove_rng_key(seed, GROVE_PURPOSE_PRUNE);
	uint64_t	readmit_key = grove_rng_key(seed, GROVE_PURPOSE_READMIT);
	int			unit = 0;

	for (int c = 0; c < CELLS; c++)
	{
		int			first = unit;

		for (; unit < first + (int) sizes[c]; unit++)
		{
			uint64_t	hash = grove_rng_hash(keep_key, (uint64_t) unit);
			uint64_t	lower = 0;

			for (int other = first; other < first + (int) sizes[c]; other++)
				lower += grove_rng_hash(keep_key, (uint64_t) other) < hash;
			if (design->exact)
				taken[unit] = lower < cells[c].take;
			else
				taken[unit] = grove_rng_below(hash, cells[c].keep) ||
					grove_rng_below(grove_rng_hash(readmit_key, (uint64_t) unit), cells[c].readmit);
		}
	}
}

static void
test_design(GrovePruneDesign given)
{
	static int	taken[UNITS];
	long		counts[UNITS] = {0};
	long		pairs[UNITS][UNITS] = {{0}};
	double		pi[UNITS];
	GrovePruneCell cells[CELLS];
	GrovePpsShare shares[CELLS];

	for (uint64_t seed = 1; seed <= SEEDS; seed++)
	{
		GrovePruneDesign design = given;
		uint32_t	order[CELLS];
		int			size = 0;
		int			unit = 0;

		set_cells(cells);
		order_cells(seed, order);
		design.start = grove_rng_hash(grove_rng_key(seed, GROVE_PURPOSE_READMIT), 0);
		if (grove_prune_design(&design, cells, CELLS, order, shares) != GROVE_OK)
		{
			CHECK(!"the design failed");
			return;
		}
		draw(seed, &design, cells, taken);
		for (int c = 0; c < CELLS; c++)
		{
			for (int i = 0; i < (int) sizes[c]; i++)
				pi[unit++] = cells[c].pi;
		}
		for (int i = 0; i < UNITS; i++)
		{
			size += taken[i];
			counts[i] += taken[i];
			for (int j = 0; j < i; j++)
				pairs[i][j] += taken[i] & taken[j];
		}
		if (design.exact && size != (int) design.kept)
			CHECK(!"an exact size differs");
	}
	for (int i = 0; i < UNITS; i++)
	{
		CHECK(chernoff((double) counts[i], SEEDS, pi[i]) < log(1e9 * UNITS));
		for (int j = 0; j < i && !given.exact; j++)
			CHECK(chernoff((double) pairs[i][j], SEEDS, pi[i] * pi[j]) < log(1e9 * UNITS * UNITS / 2));
	}
}

int
main(void)
{
	GrovePruneDesign design;

	memset(&design, 0, sizeof(design));
	design.method = GROVE_PRUNE_INVERSE;
	design.gamma = 1;
	design.exact = true;
	design.counted = true;
	design.n = 7;
	test_design(design);

	design.method = GROVE_PRUNE_RANDOM;
	design.n = 5;
	design.readmit = 0.2;
	test_design(design);
	design.exact = false;
	test_design(design);
	return unit_done();
}
