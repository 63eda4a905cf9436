/*
 * test_bins.c: binning a tile against the definition (1 + number of edges
 * below the value), for each number of bins, each width of a block, values on
 * and beside the edges, and those at the ends of the doubles.
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

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
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
	qsort(bins->edges, n, sizeof(double), compare_doubles);
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

/* A matrix filled tile by tile: both copies hold what the definition says, padding is missing. */
static void
check_matrix(KitRandom *random, uint32_t n_features, uint32_t n_rows)
{
	GroveFeatureBins *bins = kit_alloc(n_features, sizeof(GroveFeatureBins));
	double	   *tile = kit_alloc((size_t) n_features * GROVE_TILE_STRIDE, sizeof(double));
	uint8_t    *expected = kit_alloc((size_t) n_rows * n_features, 1);
	GroveMatrix matrix;
	size_t		size;
	void	   *memory;
	uint32_t	wrong = 0;

	CHECK(grove_bins_matrix_size(n_rows, n_features, &size) == GROVE_OK);
	memory = kit_alloc(size, 1);
	memset(memory, 0xee, size);
	grove_bins_matrix_attach(&matrix, memory, n_rows, n_features);
	for (uint32_t f = 0; f < n_features; f++)
	{
		draw_edges(random, &bins[f], kit_below(random, 256));
		if (kit_chance(random, 0.2))
			bins[f].categorical = true;
	}
	for (uint32_t first = 0, n; first < n_rows; first += n)
	{
		n = 1 + kit_below(random, GROVE_TILE_ROWS);
		n = n < n_rows - first ? n : n_rows - first;
		for (uint32_t i = 0; i < n * n_features; i++)
		{
			uint32_t	f = i % n_features;
			double		value = draw_value(random, &bins[f]);

			tile[(size_t) f * GROVE_TILE_STRIDE + i / n_features] = value;
			expected[(size_t) first * n_features + i] = bin_by_definition(&bins[f], value);
			wrong += grove_bins_of(&bins[f], value) != bin_by_definition(&bins[f], value);
		}
		grove_bins_fill(&matrix, bins, tile, first, n);
	}
	for (uint32_t i = 0; i < n_rows; i++)
	{
		for (uint32_t b = 0; b < matrix.n_blocks; b++)
		{
			const GroveBlock *block = &matrix.blocks[b];

			for (uint32_t f = block->first; f < block->first + block->width; f++)
			{
				uint8_t		want = f < n_features ? expected[(size_t) i * n_features + f] : GROVE_MISSING_BIN;

				wrong += block->rows[(size_t) i * block->width + f - block->first] != want;
				wrong += f < n_features && matrix.columns[(size_t) f * n_rows + i] != want;
			}
		}
	}
	CHECK(wrong == 0);
	free(bins);
	free(tile);
	free(expected);
	free(memory);
}

/* Blocks follow each other without gaps, each with a known width; padding is less than a block of 4. */
static void
check_blocks(uint32_t n_features)
{
	GroveMatrix matrix;
	size_t		size;
	uint32_t	at = 0;
	uint8_t    *memory;

	CHECK(grove_bins_matrix_size(3, n_features, &size) == GROVE_OK);
	memory = kit_alloc(size, 1);
	grove_bins_matrix_attach(&matrix, memory, 3, n_features);
	CHECK(matrix.n_blocks <= GROVE_MAX_BLOCKS);
	for (uint32_t b = 0; b < matrix.n_blocks; b++)
	{
		CHECK(matrix.blocks[b].first == at);
		CHECK(matrix.blocks[b].width == 16 || matrix.blocks[b].width == 12 || matrix.blocks[b].width == 8 || matrix.blocks[b].width == 4);
		CHECK(matrix.blocks[b].rows + 3 * (size_t) matrix.blocks[b].width <= memory + size);
		at += matrix.blocks[b].width;
	}
	CHECK(matrix.n_padded == at && at >= n_features && at < n_features + 4);
	CHECK(matrix.columns + 3 * (size_t) n_features <= memory + size);
	free(memory);
}

/* Each number of bins: all values on and beside all edges. */
static void
check_edges(KitRandom *random, uint32_t n_bins)
{
	GroveFeatureBins *bins = kit_alloc(1, sizeof(GroveFeatureBins));
	double	   *tile = kit_alloc(GROVE_TILE_ROWS, sizeof(double));
	uint8_t		memory[GROVE_TILE_ROWS * 5 + 16];
	GroveMatrix matrix;
	uint32_t	n = 0;
	uint32_t	wrong = 0;

	draw_edges(random, bins, n_bins);
	for (uint32_t i = 0; i + 1 < n_bins; i++)
	{
		tile[n++] = bins->edges[i];
		tile[n++] = nextafter(bins->edges[i], INFINITY);
		tile[n++] = nextafter(bins->edges[i], -INFINITY);
	}
	memcpy(tile + n, specials, sizeof(specials));
	n += N_SPECIALS;
	grove_bins_matrix_attach(&matrix, memory, GROVE_TILE_ROWS, 1);
	grove_bins_fill(&matrix, bins, tile, 0, n);
	for (uint32_t i = 0; i < n; i++)
	{
		uint8_t		want = bin_by_definition(bins, tile[i]);

		wrong += matrix.columns[i] != want || grove_bins_of(bins, tile[i]) != want || want > n_bins;
	}
	CHECK(wrong == 0);
	free(bins);
	free(tile);
}

static void
check_limits(void)
{
	size_t		size;

	CHECK(grove_bins_matrix_size(1, 0, &size) == GROVE_ERR_SIZE);
	CHECK(grove_bins_matrix_size(1, GROVE_MAX_FEATURES + 1, &size) == GROVE_ERR_SIZE);
	CHECK(grove_bins_matrix_size((uint32_t) GROVE_MAX_ROWS + 1, 1, &size) == GROVE_ERR_SIZE);
	CHECK(grove_bins_matrix_size((uint32_t) GROVE_MAX_ROWS, GROVE_MAX_FEATURES, &size) == GROVE_OK);
	CHECK(size == (size_t) GROVE_MAX_ROWS * GROVE_MAX_FEATURES * 2);
}

int
main(void)
{
	KitRandom	random = kit_random(1);

	for (uint32_t n_features = 1; n_features <= 40; n_features++)
	{
		check_blocks(n_features);
		check_matrix(&random, n_features, 1 + kit_below(&random, 2500));
	}
	check_blocks(GROVE_MAX_FEATURES);
	check_blocks(GROVE_MAX_FEATURES - 11);
	for (uint32_t n_bins = 0; n_bins <= 255; n_bins++)
		check_edges(&random, n_bins);
	check_limits();
	return unit_done();
}
