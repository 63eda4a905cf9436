/*
 * matrix.h: the binned training rows.
 *
 * The rows are kept twice: row by row in records of up to 32 bytes, which is
 * what histograms read (half a line of the cache, so that a scattered row
 * costs one line), and column by column, which is what partitions read.  Rows
 * are numbered by arrival; nothing that training computes depends on it.
 *
 * A column holds codes, and what a code means depends on how many features
 * share the column:
 *
 * one     the code is the bin
 * joined  several features of few bins, whose bins are the digits of the code:
 *         one addition to a histogram serves all of them
 * windows features that are the parts of one with many levels (window_levels of
 *         bins.h): the code is 0 for missing and else 1 + the rank of the
 *         level; a wide column, of two bytes a code
 *
 * Every feature's bin follows from the code, so that joining changes no sum.
 */
#ifndef GROVE_MATRIX_H
#define GROVE_MATRIX_H

#include "bins.h"

#define GROVE_BLOCK_COLUMNS	32
#define GROVE_BLOCK_WIDE	4		/* wide columns of a block at most */
#define GROVE_MAX_CODES		16384	/* of the wide columns of a block, each with one more for their sum */
#define GROVE_MAX_BLOCKS	(GROVE_MAX_FEATURES / GROVE_BLOCK_WIDE + 1)
#define GROVE_NO_FEATURE	UINT16_MAX

typedef struct GroveColumn
{
	uint32_t	n_codes;
	uint32_t	width;			/* bytes of a code: 1, or 2 when it is wide */
	uint32_t	block;
	uint16_t	feature;		/* its first feature; GrovePlace.next leads to the others */
	size_t		at;				/* [n_rows] in GroveMatrix.codes */
} GroveColumn;

/* Where a feature is: bin = code / scale % (n_bins + 1), unless it is a window. */
typedef struct GrovePlace
{
	uint16_t	column;
	uint16_t	next;			/* feature of the same column, GROVE_NO_FEATURE: none */
	uint16_t	scale;
} GrovePlace;

/* Some columns as records: n_columns of one byte, then n_wide of two, each from a first one on. */
typedef struct GroveBlock
{
	uint32_t	first;
	uint32_t	n_columns;
	uint32_t	first_wide;
	uint32_t	n_wide;
	uint32_t	wide_at;		/* where in a record they are */
	uint32_t	codes_at[GROVE_BLOCK_WIDE]; /* where among the codes of all of them those of each are */
	uint32_t	stride;			/* bytes of a record */
	size_t		at;				/* [n_rows] records in GroveMatrix.records */
} GroveBlock;

typedef struct GroveMatrix
{
	uint32_t	n_rows;
	uint32_t	n_features;
	uint32_t	n_columns;
	uint32_t	n_blocks;
	GroveColumn *columns;		/* [n_columns] */
	GrovePlace *places;			/* [n_features] */
	GroveBlock *blocks;			/* [n_blocks] */
	uint8_t    *codes;
	uint8_t    *records;		/* may be this process's own, grove_matrix_records() */
} GroveMatrix;

/* Numbers of columns and blocks; both are at most n_features. */
typedef struct GroveMatrixSize
{
	uint32_t	n_columns;
	uint32_t	n_blocks;
	size_t		code_bytes;
	size_t		record_bytes;
} GroveMatrixSize;

/* What the matrix of these features takes; join: features of few bins share columns. */
extern GroveStatus grove_matrix_size(const GroveFeatureBins *bins, uint32_t n_rows, uint32_t n_features, bool join,
									 GroveMatrixSize *size);

/*
 * Fills columns, places and blocks, which the caller has set together with
 * n_rows and n_features; the sizes are those of grove_matrix_size().
 */
extern void grove_matrix_layout(GroveMatrix *matrix, const GroveFeatureBins *bins, bool join);

#define GROVE_TILE_ROWS	1024
#define GROVE_TILE_STRIDE	(GROVE_TILE_ROWS + 8)	/* of columns of doubles: a power of two apart they would share few sets of the cache */

/*
 * Puts n <= GROVE_TILE_ROWS rows, whose bins stand feature by feature in tile
 * (feature f, row i at tile[f * GROVE_TILE_ROWS + i]), into rows first ..
 * first + n - 1 of the matrix.
 */
extern void grove_matrix_fill(GroveMatrix *matrix, const GroveFeatureBins *bins, const uint8_t *tile,
							  uint32_t first, uint32_t n);

/* Fills the records of rows first .. first + n - 1, which are this process's own, from the columns. */
extern void grove_matrix_records(GroveMatrix *matrix, uint32_t first, uint32_t n);

/* Whether two columns of bins are the same feature, or windows on the same. */
static inline bool
grove_matrix_same_feature(const GroveMatrix *matrix, const GroveFeatureBins *bins, uint32_t a, uint32_t b)
{
	return a == b || (bins[a].window_levels > 0 && matrix->places[a].column == matrix->places[b].column);
}

/* by_bin[n_bins + 1] of a feature as by_code[n_codes of its column]. */
extern void grove_matrix_by_code(const GroveMatrix *matrix, const GroveFeatureBins *bins, uint32_t feature,
								 const uint8_t *by_bin, uint8_t *by_code);

#endif							/* GROVE_MATRIX_H */
