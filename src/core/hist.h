/*
 * hist.h: histograms of gradients in fixed point.
 *
 * Gradients and hessians are integers before they are summed, so a sum does
 * not depend on the order of rows, on the number of workers or on who adds.
 * Three accumulators differ in what one row adds to its bin:
 *
 * packed   one word: gradient 25 bits, hessian 24, count 15; for rows whose
 *          gradient has 11 bits and hessian 10 (log-loss without weights)
 * constant one word: gradient 48 bits, count 16; the hessian is 1 everywhere,
 *          gradients have 31 bits (squared error without weights)
 * wide     two words: gradient and count, hessian; both have 31 bits
 *          (weights, heavy tails)
 *
 * One word instead of two halves the stores, and stores are what bounds this
 * loop.  An accumulator takes GROVE_HIST_CHUNK rows at most and is then added
 * to a sum.  A leaf of no more rows than that keeps the packed word.
 */
#ifndef GROVE_HIST_H
#define GROVE_HIST_H

#include "matrix.h"

#define GROVE_HIST_CHUNK	16384

/* Words that the accumulators of any block fit into; those of the wide columns stand behind the others. */
#define GROVE_NARROW_COLUMNS_WORDS	(GROVE_BLOCK_COLUMNS * 2 * GROVE_BINS)
#define GROVE_HIST_SCRATCH	(GROVE_NARROW_COLUMNS_WORDS + 2 * GROVE_MAX_CODES)

typedef enum GroveHistMode
{
	GROVE_HIST_PACKED,
	GROVE_HIST_CONSTANT,
	GROVE_HIST_WIDE
} GroveHistMode;

/* Largest magnitudes of a row's gradient and hessian in each mode. */
#define GROVE_PACKED_G_MAX	1023
#define GROVE_PACKED_H_MAX	1023
#define GROVE_WIDE_MAX		((1 << 30) - 1)

/*
 * A row of a leaf.  g: wide and constant: the gradient; packed: gradient << 16 | hessian.
 */
typedef struct GroveEntry
{
	uint32_t	row;
	int32_t		g;
} GroveEntry;

/* Sums of one feature, bin by bin. */
typedef struct GroveBinSums
{
	int64_t		g[GROVE_BINS];
	int64_t		h[GROVE_BINS];	/* constant mode: equal to c */
	int64_t		c[GROVE_BINS];
} GroveBinSums;

/* Words of 8 bytes that the accumulator of one feature takes. */
static inline size_t
grove_hist_words(GroveHistMode mode)
{
	return mode == GROVE_HIST_WIDE ? 2 * GROVE_BINS : GROVE_BINS;
}

/* Number of the block's column number i, wide ones last; and where its accumulator is. */
static inline uint32_t
grove_hist_column(const GroveBlock *block, uint32_t i)
{
	return i < block->n_columns ? block->first + i : block->first_wide + i - block->n_columns;
}

static inline int64_t *
grove_hist_at(const GroveBlock *block, GroveHistMode mode, int64_t *accumulators, uint32_t i)
{
	return accumulators + (i < block->n_columns ? i * grove_hist_words(mode) :
						   GROVE_NARROW_COLUMNS_WORDS + 2 * (size_t) block->codes_at[i - block->n_columns]);
}

/*
 * The accumulators of a block for at most GROVE_HIST_CHUNK rows, in
 * accumulators[GROVE_HIST_SCRATCH]: cleared, then added to any number of times,
 * then finished, which sums the codes of each wide column: its accumulator has
 * an entry more than it has codes.  hess: [n_rows], wide mode only.
 */
extern void grove_hist_clear(const GroveMatrix *matrix, const GroveBlock *block, GroveHistMode mode,
							 int64_t *accumulators);
extern void grove_hist_accumulate(const GroveMatrix *matrix, const GroveBlock *block, GroveHistMode mode,
								  const GroveEntry *entries, uint32_t n, const int32_t *hess,
								  int64_t *accumulators);
extern void grove_hist_finish(const GroveMatrix *matrix, const GroveBlock *block, GroveHistMode mode,
							  int64_t *accumulators);

/*
 * The accumulator of a feature from that of its column: the same when the
 * column is its own, else made in scratch[grove_hist_words()].
 */
extern const int64_t *grove_hist_feature(const GroveMatrix *matrix, const GroveFeatureBins *bins, uint32_t feature,
										 GroveHistMode mode, const int64_t *accumulator, int64_t *scratch);

/* Unpacks the accumulator of one feature; adds to sums when add, else sets them. */
extern void grove_hist_unpack(GroveHistMode mode, const int64_t *accumulator, uint32_t n_bins,
							  bool add, GroveBinSums *sums);

/* Packs the sums of a leaf of at most GROVE_HIST_CHUNK rows; the reverse of unpack. */
extern void grove_hist_pack(GroveHistMode mode, const GroveBinSums *sums, uint32_t n_bins,
							int64_t *accumulator);

#endif							/* GROVE_HIST_H */
