/*
 * quantile.h: an exact quantile of hashes in one pass and bounded memory.
 *
 * The k-th smallest of N hashes lies close to k / N of their range.  So only
 * the `keep` distinct hashes nearest to that target are kept, with how often
 * each came; of all others it is known how many lie below and above.  The
 * answer is exact when its rank falls among those kept, otherwise there is
 * none.  For hashes that are spread evenly the rank misses by s = sqrt(f * (1 -
 * f) * N) on average, and keep / 2 = 131,072 is 8 s for f = 1/2 and a billion
 * distinct hashes.
 *
 * What is kept depends on the set of hashes only, not on their order or on
 * how they were divided: a hash that is not among the nearest of a part is not
 * among the nearest of the whole.
 */
#ifndef GROVE_QUANTILE_H
#define GROVE_QUANTILE_H

#include "grove_core.h"

#define GROVE_QUANTILE_KEEP	(UINT64_C(1) << 18)	/* what the text above speaks of */

typedef struct GroveQuantileEntry
{
	uint64_t	hash;
	uint64_t	count;
} GroveQuantileEntry;

/* Position-independent; set up by grove_quantile_init(). */
typedef struct GroveQuantile
{
	uint64_t	target;			/* hash that the answer is expected near to */
	uint64_t	keep;			/* distinct hashes to keep at most */
	uint64_t	rows;			/* hashes added */
	uint64_t	below;			/* hashes added that were dropped below the entries */
	uint64_t	above;			/* and above them */
	uint64_t	lower_limit;	/* largest hash dropped below; 0 while below is 0 */
	uint64_t	upper_limit;	/* smallest hash dropped above; UINT64_MAX while above is 0 */
	uint64_t	capacity;		/* of entries; twice keep is enough for whatever comes */
	uint64_t	used;
	GroveQuantileEntry entries[];	/* in order and distinct after grove_quantile_compact() only */
} GroveQuantile;

extern size_t grove_quantile_size(uint64_t capacity);

extern void grove_quantile_init(GroveQuantile *quantile, uint64_t target, uint64_t keep, uint64_t capacity);

/* Copies into a larger piece of memory. */
extern void grove_quantile_move(GroveQuantile *into, uint64_t capacity, const GroveQuantile *from);

/* Adds a hash; false: no room, compact or move first. */
extern bool grove_quantile_add(GroveQuantile *quantile, uint64_t hash);

/* Orders the entries, joins equal ones, drops those that are too far away. */
extern void grove_quantile_compact(GroveQuantile *quantile);

/* Adds all of another one, which is compact and has the same target; needs room for its entries. */
extern void grove_quantile_merge(GroveQuantile *into, const GroveQuantile *from);

/* The hash of this rank (from 1) of a compact one; false when it is not among the entries. */
extern bool grove_quantile_rank(const GroveQuantile *quantile, uint64_t rank, uint64_t *hash);

#endif							/* GROVE_QUANTILE_H */
