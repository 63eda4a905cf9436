/*
 * weights.h: the distribution of weights, as exact as its memory allows.
 *
 * Up to GROVE_WEIGHTS_LIMIT distinct weights each has a cell of its own.  With
 * more of them weights share a cell when their leading bits are equal: as
 * many bits of the mantissa as fit, the same for all cells.  A cell knows the
 * exact number and sum of its weights.  How many bits are left depends on the
 * set of weights only, not on their order.
 */
#ifndef GROVE_WEIGHTS_H
#define GROVE_WEIGHTS_H

#include "tally.h"

#define GROVE_WEIGHTS_LIMIT		32768	/* cells */
#define GROVE_WEIGHTS_EXACT		52		/* mantissa bits: a cell is one weight */

typedef struct GroveWeights
{
	uint32_t	bits;			/* of the mantissa in a cell's key, 0 to GROVE_WEIGHTS_EXACT */
	uint64_t	infinite;		/* weights that are infinity */
	GroveTally *tally;			/* of the positive, finite ones; the caller's memory */
} GroveWeights;

/* Without weights, into an empty tally. */
extern void grove_weights_init(GroveWeights *weights, uint32_t bits, GroveTally *tally);

/*
 * Adds a weight >= 0; 0 changes nothing.  The tally needs room for a cell.
 * Afterwards it may have more than GROVE_WEIGHTS_LIMIT cells: then it has to be
 * merged into one with one bit less.
 */
extern void grove_weights_add(GroveWeights *weights, double weight);

/* Adds all of another one to one that has as many mantissa bits or fewer, and room for its cells. */
extern void grove_weights_merge(GroveWeights *into, const GroveWeights *from);

/* Mean and smallest possible weight of a cell. */
extern double grove_weights_mean(const GroveWeights *weights, const GroveTallyCell *cell);
extern double grove_weights_floor(const GroveWeights *weights, const GroveTallyCell *cell);

#endif							/* GROVE_WEIGHTS_H */
