/*
 * test_singles.c: rounding up against its definition, and bins of singles
 * against those of the doubles that they stand for, for all shapes of edges.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../../src/core/singles.h"
#include "engine_kit.h"
#include "unit.h"

static const double specials[] = {
	0.0, -0.0, 4.9e-324, -4.9e-324, 1e-46, -1e-46, 1.4e-45, -1.4e-45, -1.2e-45, FLT_MIN, -FLT_MIN, FLT_MAX, -FLT_MAX,
	3.5e38, -3.5e38, DBL_MAX, -DBL_MAX, INFINITY, -INFINITY, NAN, 1.0, 1.0 + DBL_EPSILON, 1.0 - DBL_EPSILON, -1.0
};

#define N_SPECIALS	(sizeof(specials) / sizeof(specials[0]))
#define N			1021		/* no multiple of anything */

/* The definition: no single below it is large enough. */
static bool
is_ceil(double value, float single)
{
	if (isnan(value))
		return isnan(single);
	return (double) single >= value && (single == -INFINITY || (double) nextafterf(single, -INFINITY) < value);
}

static double
draw_value(KitRandom *random)
{
	if (kit_chance(random, 0.1))
		return specials[kit_below(random, N_SPECIALS)];
	if (kit_chance(random, 0.1))
		return (double) (float) kit_normal(random);
	return kit_normal(random) * (kit_chance(random, 0.5) ? 1.0 : exp(20.0 * kit_normal(random)));
}

static void
test_ceil(void)
{
	KitRandom	random = kit_random(1);
	double		values[N];
	float		singles[N];

	for (int round = 0; round < 100; round++)
	{
		uint32_t	n = 1 + kit_below(&random, N);
		uint32_t	wrong = 0;

		for (uint32_t i = 0; i < n; i++)
			values[i] = draw_value(&random);
		grove_singles_make(values, singles, n);
		for (uint32_t i = 0; i < n; i++)
			wrong += !is_ceil(values[i], singles[i]) || !is_ceil(values[i], grove_singles_ceil(values[i]));
		CHECK(wrong == 0);
	}
}

/*
 * Ascending distinct singles: spread evenly, by orders of magnitude, close
 * together, or from one end of the singles to the other.
 */
static void
draw_edges(KitRandom *random, GroveFeatureBins *bins, uint32_t n_bins, int shape)
{
	uint32_t	n = n_bins > 0 ? n_bins - 1 : 0;

	memset(bins, 0, sizeof(*bins));
	bins->n_bins = n_bins;
	for (uint32_t i = 0; i < n; i++)
	{
		double		v = kit_normal(random);

		if (shape == 1)
			v = exp(v * 20.0);
		else if (shape == 2)
			v = i;
		else if (shape == 3)
			v = i == 0 ? -FLT_MAX : i == 1 ? FLT_MAX : v;
		else if (shape == 4)
			v = i * 1e-45;
		bins->edges[i] = (double) (float) v;
	}
	qsort(bins->edges, n, sizeof(double), kit_compare_doubles);
	for (uint32_t i = 1; i < n; i++)
	{
		if (!(bins->edges[i] > bins->edges[i - 1]))
			bins->edges[i] = nextafterf((float) bins->edges[i - 1], INFINITY);
	}
	grove_bins_finish(bins);
}

static void
check_bins(KitRandom *random, uint32_t n_bins, int shape)
{
	GroveFeatureBins *bins = kit_alloc(1, sizeof(GroveFeatureBins));
	GroveSingleBins *singles = kit_alloc(1, sizeof(GroveSingleBins));
	double		values[N];
	float		rounded[N];
	uint8_t		want[N];
	uint8_t		found[N];
	uint32_t	n = N - kit_below(random, 9);

	draw_edges(random, bins, n_bins, shape);
	CHECK(grove_singles_prepare(singles, bins));
	for (uint32_t i = 0; i < n; i++)
	{
		values[i] = draw_value(random);
		if (n_bins > 1 && kit_chance(random, 0.8))
		{
			double		edge = bins->edges[kit_below(random, n_bins - 1)];

			values[i] = kit_chance(random, 0.3) ? edge : nextafter(edge, kit_chance(random, 0.5) ? INFINITY : -INFINITY);
		}
	}
	grove_bins_column(bins, values, want, n);
	grove_singles_make(values, rounded, n);
	grove_singles_bins(singles, rounded, found, n);
	CHECK(memcmp(want, found, n) == 0);
	free(bins);
	free(singles);
}

/* An edge that is no single is refused. */
static void
test_refused(void)
{
	GroveFeatureBins *bins = kit_alloc(1, sizeof(GroveFeatureBins));
	GroveSingleBins *singles = kit_alloc(1, sizeof(GroveSingleBins));

	memset(bins, 0, sizeof(*bins));
	bins->n_bins = 3;
	bins->edges[0] = 0.5;
	bins->edges[1] = 1e9 + 0.5;
	grove_bins_finish(bins);
	CHECK(!grove_singles_prepare(singles, bins));
	bins->edges[1] = DBL_MAX;
	CHECK(!grove_singles_prepare(singles, bins));
	bins->edges[1] = 0.75;
	CHECK(grove_singles_prepare(singles, bins));
	free(bins);
	free(singles);
}

int
main(void)
{
	KitRandom	random = kit_random(2);

	test_ceil();
	for (uint32_t n_bins = 0; n_bins <= 255; n_bins++)
	{
		for (int shape = 0; shape < 5; shape++)
			check_bins(&random, n_bins, shape);
	}
	test_refused();
	return unit_done();
}
