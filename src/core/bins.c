/*
 * bins.c: from tiles of doubles to the two copies of one byte a value.
 */
#include "bins.h"

#include <math.h>
#include <string.h>

#define LANES	8				/* values that are searched side by side */

/* Width of the block that starts with this many features left. */
static uint32_t
block_width(uint32_t left)
{
	return left > 12 ? 16 : (left + 3) / 4 * 4;
}

GroveStatus
grove_bins_matrix_size(uint32_t n_rows, uint32_t n_features, size_t *size)
{
	size_t		bytes = 0;
	uint32_t	first = 0;

	if (n_features < 1 || n_features > GROVE_MAX_FEATURES || n_rows > GROVE_MAX_ROWS)
		return GROVE_ERR_SIZE;
	while (first < n_features)
	{
		uint32_t	width = block_width(n_features - first);

		if (!grove_size_add(&bytes, n_rows, width))
			return GROVE_ERR_SIZE;
		first += width;
	}
	if (!grove_size_add(&bytes, n_rows, n_features))
		return GROVE_ERR_SIZE;
	*size = bytes;
	return GROVE_OK;
}

void
grove_bins_matrix_attach(GroveMatrix *matrix, void *buffer, uint32_t n_rows, uint32_t n_features)
{
	uint8_t    *at = buffer;
	uint32_t	first = 0;

	matrix->n_rows = n_rows;
	matrix->n_features = n_features;
	matrix->n_blocks = 0;
	while (first < n_features)
	{
		GroveBlock *block = &matrix->blocks[matrix->n_blocks++];

		block->first = first;
		block->width = block_width(n_features - first);
		block->rows = at;
		at += ((size_t) n_rows * block->width + 7) & ~(size_t) 7;
		first += block->width;
	}
	matrix->n_padded = first;
	matrix->columns = at;
}

void
grove_bins_finish(GroveFeatureBins *bins)
{
	uint32_t	i;

	for (i = bins->n_bins > 0 ? bins->n_bins - 1 : 0; i < GROVE_BINS; i++)
		bins->edges[i] = INFINITY;
}

/* Steps of the binary search over the edges of this many bins, rounded to a power of two. */
static uint32_t
first_step(uint32_t n_bins)
{
	uint32_t	step = 1;

	while (step < n_bins)
		step *= 2;
	return step / 2;
}

uint8_t
grove_bins_of(const GroveFeatureBins *bins, double value)
{
	uint32_t	bin = 0;
	uint32_t	step;

	if (value != value || bins->n_bins == 0)
		return GROVE_MISSING_BIN;
	if (bins->categorical)
		return (uint8_t) value;
	for (step = first_step(bins->n_bins); step > 0; step /= 2)
		bin += (uint32_t) (bins->edges[bin + step - 1] < value) * step;
	return (uint8_t) (bin + 1);
}

/*
 * One column of a tile.  The search is written as additions of comparisons:
 * the form with a branch costs fourteen times as much.  Each of them waits for
 * the one before, so several values are searched side by side.
 */
static void
fill_column(const GroveFeatureBins *bins, const double *values, uint8_t *out, uint32_t n)
{
	uint32_t	i;
	uint32_t	top = first_step(bins->n_bins);

	if (bins->n_bins == 0)
	{
		memset(out, GROVE_MISSING_BIN, n);
		return;
	}
	if (bins->categorical)
	{
		for (i = 0; i < n; i++)
			out[i] = values[i] != values[i] ? GROVE_MISSING_BIN : (uint8_t) values[i];
		return;
	}
	for (i = 0; i + LANES <= n; i += LANES)
	{
		uint32_t	bin[LANES] = {0};
		uint32_t	step;
		uint32_t	k;

		for (step = top; step > 0; step /= 2)
		{
			for (k = 0; k < LANES; k++)
				bin[k] += (uint32_t) (bins->edges[bin[k] + step - 1] < values[i + k]) * step;
		}
		for (k = 0; k < LANES; k++)
			out[i + k] = (uint8_t) ((bin[k] + 1) * (values[i + k] == values[i + k]));
	}
	for (; i < n; i++)
		out[i] = grove_bins_of(bins, values[i]);
}

/* Writes width columns of a tile side by side. */
static void
fill_block(const uint8_t *tile, uint32_t width, uint8_t *rows, uint32_t n)
{
	uint32_t	i,
				f;

	for (f = 0; f < width; f += 4)
	{
		const uint8_t *a = tile + (size_t) f * GROVE_TILE_ROWS;
		const uint8_t *b = a + GROVE_TILE_ROWS;
		const uint8_t *c = b + GROVE_TILE_ROWS;
		const uint8_t *d = c + GROVE_TILE_ROWS;
		uint8_t    *out = rows + f;

		for (i = 0; i < n; i++, out += width)
		{
			out[0] = a[i];
			out[1] = b[i];
			out[2] = c[i];
			out[3] = d[i];
		}
	}
}

void
grove_bins_fill(GroveMatrix *matrix, const GroveFeatureBins *bins, const double *tile,
				uint32_t first, uint32_t n)
{
	uint8_t		part[16 * GROVE_TILE_ROWS];
	uint32_t	b,
				f;

	for (b = 0; b < matrix->n_blocks; b++)
	{
		GroveBlock *block = &matrix->blocks[b];

		for (f = 0; f < block->width; f++)
		{
			uint32_t	feature = block->first + f;
			uint8_t    *out = part + (size_t) f * GROVE_TILE_ROWS;

			if (feature >= matrix->n_features)
			{
				memset(out, GROVE_MISSING_BIN, n);
				continue;
			}
			fill_column(&bins[feature], tile + (size_t) feature * GROVE_TILE_STRIDE, out, n);
			memcpy(matrix->columns + (size_t) feature * matrix->n_rows + first, out, n);
		}
		fill_block(part, block->width, block->rows + (size_t) first * block->width, n);
	}
}
