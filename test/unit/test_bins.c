/*
 * test_bins.c: bins of values against the definition (1 + number of edges
 * below the value), for each number of bins, values on and beside the edges,
 * and those at the ends of the doubles.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../../src/core/bins.h"
#include "engine_kit.h"
#include "unit.h"

static const double specials[] = {
	0.0, -0.0, 4.9e-324, -4.9e-324, DBL_MIN, -DBL_MIN, DBL_MAX, -DBL_MAX, INFINITY, -INFINITY, NAN, 1.0, -1.0
};

#define N_SPECIALS	(sizeof(specials) / sizeof(specials[0]))

/* The definition, with nothing that searches. */
static uint8_t
bin_by_definition(const GroveFeatureBins *bins, double value)
{
	uint32_t	below = 0;

	if (isnan(value) || bins->n_bins == 0)
		return GROVE_MISSING_BIN;
	if (bins->categorical)
		return (uint8_t) value;
	for (uint32_t i = 0; i + 1 < bins->n_bins; i++)
		below += bins->edges[i] < value;
	return (uint8_t) (below + 1);
}

/* Ascending, distinct edges; some of them special. */
static void
draw_edges(KitRandom *random, GroveFeatureBins *bins, uint32_t n_bins)
{
	uint32_t	n = n_bins > 0 ? n_bins - 1 : 0;

	bins->categorical = false;
	bins->n_bins = n_bins;
	for (uint32_t i = 0; i < n; i++)
	{
		double		special = specials[kit_below(random, N_SPECIALS)];

		bins->edges[i] = isfinite(special) && kit_chance(random, 0.1) ? special : kit_normal(random);
	}
	qsort(bins->edges, n, sizeof(double), kit_compare_doubles);
	for (uint32_t i = 1; i < n; i++)
	{
		if (!(bins->edges[i] > bins->edges[i - 1]))
			bins->edges[i] = nextafter(bins->edges[i - 1], INFINITY);
	}
	grove_bins_finish(bins);
}

/* A value on an edge, next to one, special, or anywhere. */
static double
draw_value(KitRandom *random, const GroveFeatureBins *bins)
{
	double		edge;

	if (bins->categorical)
		return kit_chance(random, 0.1) ? NAN : (double) kit_below(random, bins->n_bins + 1);
	if (kit_chance(random, 0.1))
		return specials[kit_below(random, N_SPECIALS)];
	if (bins->n_bins < 2 || kit_chance(random, 0.3))
		return kit_normal(random);
	edge = bins->edges[kit_below(random, bins->n_bins - 1)];
	return kit_chance(random, 0.4) ? edge : nextafter(edge, kit_chance(random, 0.5) ? INFINITY : -INFINITY);
}

/* Each number of bins: all values on and beside all edges. */
static void
check_edges(KitRandom *random, uint32_t n_bins)
{
	GroveFeatureBins *bins = kit_alloc(1, sizeof(GroveFeatureBins));
	double	   *values = kit_alloc(1024, sizeof(double));
	uint8_t		found[1024];
	uint32_t	n = 0;
	uint32_t	wrong = 0;

	draw_edges(random, bins, n_bins);
	for (uint32_t i = 0; i + 1 < n_bins; i++)
	{
		values[n++] = bins->edges[i];
		values[n++] = nextafter(bins->edges[i], INFINITY);
		values[n++] = nextafter(bins->edges[i], -INFINITY);
	}
	memcpy(values + n, specials, sizeof(specials));
	n += N_SPECIALS;
	for (uint32_t i = 0; i < 100; i++)
		values[n++] = draw_value(random, bins);
	grove_bins_column(bins, values, found, n);
	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t		want = bin_by_definition(bins, values[i]);

		wrong += found[i] != want || grove_bins_of(bins, values[i]) != want || want > n_bins;
	}
	CHECK(wrong == 0);
	free(bins);
	free(values);
}

int
main(void)
{
	KitRandom	random = kit_random(1);

	for (uint32_t n_bins = 0; n_bins <= 255; n_bins++)
		check_edges(&random, n_bins);
	return unit_done();
}
