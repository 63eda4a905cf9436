/*
 * shuffle.h: a keyed bijection of 0 to n - 1 and its inverse.
 */
#ifndef GROVE_SHUFFLE_H
#define GROVE_SHUFFLE_H

#include "rng.h"

#define GROVE_SHUFFLE_MAX	(UINT64_C(1) << 62)
#define GROVE_SHUFFLE_TABLE	4096	/* up to this n the bijection is a table */

/* Set up by grove_shuffle_init(); holds no pointers and may be copied. */
typedef struct GroveShuffle
{
	uint64_t	key;
	uint64_t	n;
	uint64_t	width[2];		/* n > GROVE_SHUFFLE_TABLE: the halves count to width[0] and width[1], whose product is n or little more */
	uint16_t	forward[GROVE_SHUFFLE_TABLE];
	uint16_t	backward[GROVE_SHUFFLE_TABLE];
} GroveShuffle;

/* GROVE_ERR_RANGE unless 1 <= n <= GROVE_SHUFFLE_MAX; key is one of grove_rng_key(). */
extern GroveStatus grove_shuffle_init(GroveShuffle *shuffle, uint64_t n, uint64_t key);

/* Place of i in the shuffled order; i < n. */
extern uint64_t grove_shuffle_forward(const GroveShuffle *shuffle, uint64_t i);

/* The i whose place this is; place < n. */
extern uint64_t grove_shuffle_backward(const GroveShuffle *shuffle, uint64_t place);

#endif							/* GROVE_SHUFFLE_H */
