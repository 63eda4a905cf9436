/*
 * bins.h: features cut into at most 255 bins, and the binned training rows.
 *
 * Bin 0 is missing.  A numeric value v has bin 1 + (number of edges < v), a
 * category the bin of its level.  The rows are kept twice, one byte a value:
 * row-major in blocks of 16 features (12, 8 or 4 at the end), which is what
 * histograms read, and column by column, which is what partitions read.  Rows
 * are numbered by arrival; nothing that training computes depends on it.
 */
#ifndef GROVE_BINS_H
#define GROVE_BINS_H

#include "grove_core.h"

/* How one feature is cut. */
typedef struct GroveFeatureBins
{
	bool		categorical;
	bool		has_rest;		/* categorical: the last bin holds levels that other columns tell apart; it never goes left */
	uint32_t	n_bins;			/* bins that hold values, 0 to 255; bin numbers 1 to n_bins */
	double		edges[GROVE_BINS];	/* numeric: n_bins - 1 ascending edges, then infinity */
} GroveFeatureBins;

/* One block: width features from first on; the last may have padding columns, whose bins are all 0. */
typedef struct GroveBlock
{
	uint32_t	first;
	uint32_t	width;			/* 16, 12, 8 or 4 */
	uint8_t    *rows;			/* [n_rows][width] */
} GroveBlock;

#define GROVE_MAX_BLOCKS	(GROVE_MAX_FEATURES / 16 + 2)

typedef struct GroveMatrix
{
	uint32_t	n_rows;
	uint32_t	n_features;
	uint32_t	n_blocks;
	uint32_t	n_padded;		/* features with the padding of the last block, a multiple of 4 */
	uint8_t    *columns;		/* [n_features][n_rows] */
	GroveBlock	blocks[GROVE_MAX_BLOCKS];
} GroveMatrix;

extern GroveStatus grove_bins_matrix_size(uint32_t n_rows, uint32_t n_features, size_t *size);
extern void grove_bins_matrix_attach(GroveMatrix *matrix, void *buffer, uint32_t n_rows, uint32_t n_features);

/* Fills the edges behind the last with infinity, as grove_bins_fill() needs it. */
extern void grove_bins_finish(GroveFeatureBins *bins);

/* Bin of one value of finished bins, as grove_bins_fill() finds it; a categorical value is its bin. */
extern uint8_t grove_bins_of(const GroveFeatureBins *bins, double value);

#define GROVE_TILE_ROWS	1024
#define GROVE_TILE_STRIDE	(GROVE_TILE_ROWS + 8)	/* columns a power of two apart would share few sets of the cache */

/*
 * Bins n <= GROVE_TILE_ROWS rows whose values stand column by column in tile
 * (feature f, row i at tile[f * GROVE_TILE_STRIDE + i]; a categorical value is
 * its bin) into rows first .. first + n - 1 of the matrix.
 */
extern void grove_bins_fill(GroveMatrix *matrix, const GroveFeatureBins *bins, const double *tile,
							uint32_t first, uint32_t n);

#endif							/* GROVE_BINS_H */
