/*
 * test_category_order.c: the order of categories against its definition, for
 * all numbers of them: far apart, close together, alike, of both signs.
 */
#include <math.h>
#include <string.h>

#include "../../src/core/category_order.h"
#include "engine_kit.h"
#include "unit.h"

enum
{
	SPREAD,						/* over many magnitudes */
	CLOSE,						/* beyond the bits that the passes see */
	ALIKE,						/* few different ones, both zeros among them */
	EXTREME,
	SHAPES
};

static double
draw_ratio(KitRandom *random, int shape)
{
	static const double extremes[] = {0.0, -0.0, 4.9e-324, -4.9e-324, 1e308, -1e308, INFINITY, -INFINITY};

	switch (shape)
	{
		case SPREAD:
			return kit_normal(random) * exp(10.0 * kit_normal(random));
		case CLOSE:
			return -1.0 - (double) kit_below(random, 1000) * 0x1p-52;
		case ALIKE:
			return kit_chance(random, 0.2) ? -0.0 : (double) kit_below(random, 5) - 2.0;
		default:
			return extremes[kit_below(random, sizeof(extremes) / sizeof(extremes[0]))];
	}
}

/* Some of the bins, ascending, and a ratio for each. */
static uint32_t
draw_bins(KitRandom *random, uint32_t n, int shape, uint8_t *bins, double *ratio)
{
	uint32_t	left = n;

	for (uint32_t b = 0; b < GROVE_BINS && left > 0; b++)
	{
		if (kit_below(random, GROVE_BINS - b) >= left)
			continue;
		bins[n - left] = (uint8_t) b;
		ratio[n - left] = draw_ratio(random, shape);
		left--;
	}
	return n - left;
}

static void
check_order(KitRandom *random, uint32_t n, int shape)
{
	uint8_t		bins[GROVE_BINS];
	uint8_t		order[GROVE_BINS];
	double		ratio[GROVE_BINS];
	double		of_bin[GROVE_BINS];
	bool		seen[GROVE_BINS] = {false};

	CHECK(draw_bins(random, n, shape, bins, ratio) == n);
	for (uint32_t i = 0; i < n; i++)
		of_bin[bins[i]] = ratio[i];
	memset(order, 0, sizeof(order));
	grove_category_order(bins, ratio, n, order);
	for (uint32_t i = 0; i < n; i++)
	{
		CHECK(!seen[order[i]] && memchr(bins, order[i], n) != NULL);
		seen[order[i]] = true;
		if (i > 0)
		{
			CHECK(of_bin[order[i - 1]] <= of_bin[order[i]]);
			CHECK(of_bin[order[i - 1]] < of_bin[order[i]] || order[i - 1] < order[i]);
		}
	}
}

/* What differs in the last bit alone. */
static void
test_last_bits(void)
{
	const uint8_t bins[] = {3, 7};
	const double ratio[] = {1.0 + 0x1p-52, 1.0};
	uint8_t		order[2];

	grove_category_order(bins, ratio, 2, order);
	CHECK(order[0] == 7 && order[1] == 3);
}

int
main(void)
{
	KitRandom	random = kit_random(1);

	for (uint32_t n = 0; n <= GROVE_BINS; n++)
	{
		for (int shape = 0; shape < SHAPES; shape++)
			check_order(&random, n, shape);
	}
	test_last_bits();
	return unit_done();
}
