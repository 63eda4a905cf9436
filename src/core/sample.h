/*
 * sample.h: samples of a fixed size from rows that come in any order, in
 * parts that can be merged.
 *
 * A unit is a set of equal rows: same hash, same weight, same element.  The
 * caller hashes an element, asks grove_sample_offer() whether the row can
 * matter and only then stores it as a unit; when its array is full it calls
 * grove_sample_compact(), at the end grove_sample_draw().  Everything here is
 * a function of the set of rows alone, not of their order or their parts.
 */
#ifndef GROVE_SAMPLE_H
#define GROVE_SAMPLE_H

#include <math.h>
#include <string.h>

#include "exactsum.h"
#include "pps.h"
#include "rng.h"

#define GROVE_SAMPLE_CLASSES 4	/* weighted: units fall into classes by the two lowest bits of their hash */
#define GROVE_SAMPLE_NO_CUT	UINT64_MAX

typedef struct GroveSampleUnit
{
	uint64_t	priority;		/* smaller ones are kept; uniform: the hash, weighted: grove_sample_priority() */
	uint64_t	hash;			/* of the element; weighted: of element and weight */
	double		weight;			/* > 0, infinity: certain; uniform: 1 */
	uint64_t	rows;			/* equal rows, at least 1 */
	uint64_t	element;		/* the caller's */
	bool		null;			/* the element is NULL; the caller's too */
} GroveSampleUnit;

/* Rows of a class that were offered and are in no unit any more. */
typedef struct GroveSampleRest
{
	GroveExactSum weights;		/* of the rows with finite weight */
	uint64_t	rows;			/* with finite weight */
	uint64_t	certain_rows;	/* with infinite weight */
} GroveSampleRest;

typedef struct GroveSampleSet
{
	/* fixed */
	bool		weighted;
	uint64_t	k;				/* rows wanted */
	uint64_t	ranked;			/* weighted: units below the cut of a class */

	/* changing */
	uint64_t	rows;			/* offered, without those of weight 0 */
	uint64_t	certain_rows;	/* of infinite weight */
	uint64_t	cut[2];			/* weighted: priority below which classes 0 and 1 (2 and 3) are candidates */
	uint64_t	last[GROVE_SAMPLE_CLASSES]; /* largest priority that can matter; uniform: the first one */
	GroveSampleRest *rest;		/* weighted: GROVE_SAMPLE_CLASSES of them, the caller's memory */
} GroveSampleSet;

/* What compaction needs to know about elements. */
typedef struct GroveSampleCaller
{
	int			(*compare) (void *arg, const GroveSampleUnit *a, const GroveSampleUnit *b); /* of elements, a total order */
	void		(*drop) (void *arg, GroveSampleUnit *unit); /* the unit goes away, its element is no longer needed */
	void	   *arg;
} GroveSampleCaller;

typedef struct GroveSamplePair
{
	uint64_t	key;
	uint64_t	index;
} GroveSamplePair;

/* two pairs a unit are scratch for half of the units */
_Static_assert(sizeof(GroveSampleUnit) <= 4 * sizeof(GroveSamplePair), "units fit into the pairs of a compaction");

/* Memory of a draw and its result, n units each (pairs 2 * n, shares n + GROVE_SAMPLE_CLASSES); uniform: take and pairs. */
typedef struct GroveSampleDraw
{
	GrovePpsShare *shares;
	double	   *probability;
	GroveSamplePair *pairs;		/* result: pairs[i].index is the unit at place i of the sample */
	uint64_t   *take;			/* result: rows that the sample takes of each unit */
} GroveSampleDraw;

/*
 * spare is the number of distinct units that a weighted set remembers beyond
 * 5/4 k; the chance that a draw fails falls with it, see sample.c.  rest is
 * NULL for a uniform set.
 */
extern void grove_sample_init(GroveSampleSet *set, uint64_t k, uint64_t spare, GroveSampleRest *rest);

/* Counts a row whose unit is not kept. */
extern void grove_sample_leave(GroveSampleSet *set, uint64_t hash, double weight, uint64_t rows);

/*
 * Priority u / weight, where u in (0,1) is the upper part of the hash, as an
 * integer of the same order: 12 bits of exponent, 52 of mantissa.  All
 * positive doubles and infinity fit without overflow, and multiplying weights
 * by a power of two shifts the exponent and nothing else.
 */
static inline uint64_t
grove_sample_priority(uint64_t hash, double weight)
{
	double		u = grove_rng_u01(hash);
	uint64_t	bits;
	uint64_t	quotient;
	double		mantissa;
	int			exponent;

	memcpy(&bits, &weight, sizeof(bits));
	exponent = (int) (bits >> 52);
	if (exponent == 0)
	{
		/* below the normal range */
		mantissa = 2 * frexp(weight, &exponent);
		exponent += 1022;
	}
	else if (exponent == 0x7ff)
	{
		/* infinity: ranks above all finite weights */
		mantissa = 1;
		exponent = 1023 + 1200;
	}
	else
	{
		bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
		memcpy(&mantissa, &bits, sizeof(mantissa));
	}
	u /= mantissa;
	memcpy(&quotient, &u, sizeof(quotient));
	return quotient + ((uint64_t) (2048 - exponent) << 52);
}

/*
 * The hash of a unit from that of its element: units of one element that
 * differ in weight have random numbers of their own.  Only the mantissa goes
 * in, so that weights multiplied by a power of two choose the same rows.
 */
static inline uint64_t
grove_sample_hash(uint64_t hash, double weight)
{
	uint64_t	bits;

	memcpy(&bits, &weight, sizeof(bits));
	return grove_rng_mix(hash ^ grove_rng_mix(bits & ((UINT64_C(1) << 52) - 1)));
}

/*
 * Fills priority and hash of a unit of one row from the hash of its element
 * and its weight.  True when the row can matter: the caller stores the unit.
 * Else the row has been counted and is forgotten.  weight is positive; not
 * looked at for a uniform set.
 */
static inline bool
grove_sample_offer(GroveSampleSet *set, uint64_t hash, double weight, GroveSampleUnit *unit)
{
	set->rows++;
	*unit = (GroveSampleUnit) {hash, hash, weight, 1, 0, false};
	if (!set->weighted || set->k == 0)
		return hash <= set->last[0] && set->k > 0;

	unit->hash = grove_sample_hash(hash, weight);
	unit->priority = grove_sample_priority(unit->hash, weight);
	if (isinf(weight))
		set->certain_rows++;
	if (unit->priority <= set->last[unit->hash % GROVE_SAMPLE_CLASSES])
		return true;
	grove_sample_leave(set, unit->hash, weight, 1);
	return false;
}

/* Sorts n pairs by key, stable; pairs has 2 * n places. */
extern void grove_sample_sort_pairs(GroveSamplePair *pairs, size_t n);

/* Adds what another set has counted; the caller appends its units to those of set, then compacts. */
extern void grove_sample_merge(GroveSampleSet *set, const GroveSampleSet *other);

/*
 * Sorts n units, of which the first n_compacted are what an earlier compaction
 * left, unites equal ones and drops those that no longer matter; returns how
 * many are left.  pairs has 2 * n places.
 */
extern size_t grove_sample_compact(GroveSampleSet *set, GroveSampleUnit *units, size_t n_compacted, size_t n,
								   GroveSamplePair *pairs, const GroveSampleCaller *caller);

/*
 * Draws k rows, all when there are not more, from units that have just been
 * compacted.  key is one of grove_rng_key().  GROVE_ERR_DATA: elements repeat
 * so unevenly that no sample of this size has the right probabilities.
 */
extern GroveStatus grove_sample_draw(const GroveSampleSet *set, const GroveSampleUnit *units, size_t n,
									 uint64_t key, GroveSampleDraw *draw);

#endif							/* GROVE_SAMPLE_H */
