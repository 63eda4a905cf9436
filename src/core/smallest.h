/*
 * smallest.h: the k smallest of distinct words, in the order in which they
 * came.  The caller's array holds those that may be among them; when it is
 * full grove_smallest_cut() leaves k, and the largest of these is from then
 * on the limit of what is of interest.  With words at random of a stream of
 * N, and room for 2k, k * (2 + log2(N / 2k)) are stored in all.
 */
#ifndef GROVE_SMALLEST_H
#define GROVE_SMALLEST_H

#include "grove_core.h"

typedef struct GroveSmallest
{
	uint64_t   *words;			/* the caller's memory */
	size_t		n;
	size_t		k;				/* wanted, at least 1 */
	uint64_t	last;			/* larger words do not matter any more */
} GroveSmallest;

static inline void
grove_smallest_init(GroveSmallest *smallest, size_t k)
{
	*smallest = (GroveSmallest) {NULL, 0, k, UINT64_MAX};
}

/* Drops all but the k smallest words; the others keep their order. */
extern void grove_smallest_cut(GroveSmallest *smallest);

#endif							/* GROVE_SMALLEST_H */
