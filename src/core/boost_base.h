/*
 * boost_base.h: where the scores of a training start, and what the leader's
 * files share.
 */
#ifndef GROVE_BOOST_BASE_H
#define GROVE_BOOST_BASE_H

#include "boost.h"

/* Weight of a row; 1 when there are no weights. */
static inline float
grove_boost_weight(const GroveTrainer *trainer, uint32_t row)
{
	return trainer->weight ? trainer->weight[row] : 1.0f;
}

static inline bool
grove_boost_is_training(const GroveTrainer *trainer, uint32_t row)
{
	return !trainer->validation || !trainer->validation[row];
}

/* An integer of 96 bits: chunks are far from overflow, their sum is not. */
typedef struct GroveBoostTotal
{
	int64_t		high;			/* steps of 2^32 */
	int64_t		low;			/* 0 to 2^32 - 1 */
} GroveBoostTotal;

/* value is not negative. */
static inline void
grove_boost_add(GroveBoostTotal *total, int64_t value)
{
	int64_t		low = total->low + (value & UINT32_MAX);

	total->high += (value >> 32) + (low >> 32);
	total->low = low & UINT32_MAX;
}

static inline double
grove_boost_total(const GroveBoostTotal *total)
{
	return (double) total->high * 4294967296.0 + (double) total->low;
}

/* What a sum of n terms of at most 1 can be scaled by without overflow of int64. */
extern double grove_boost_sum_scale(uint32_t n);

/*
 * The constant that minimises the loss of the training rows on top of their
 * margins, for each output; added to the scores and returned in base.  Without
 * from_average it is origin.
 */
extern void grove_boost_base(GroveBoost *boost, bool from_average, double origin, bool has_margin, double *base);

/* rules with the steps that args.rounding makes. */
extern void grove_boost_set_units(GroveTrainShared *shared);

/* Largest loss of any row, without weight. */
extern double grove_boost_largest_loss(const GroveBoost *boost);

#endif							/* GROVE_BOOST_BASE_H */
