/*
 * select.h: rows of a tree chosen by what their gradients say.
 *
 * Each row has a score, and is kept with a probability that follows from it;
 * a kept row counts 1 / probability times, so that sums of gradients are
 * unbiased.  Two rules:
 *
 * goss   the top_rate of the rows with the largest scores stay, of the others
 *        a share is drawn, other_rate of all rows (Ke et al., NIPS 2017)
 * mvs    min(1, score / mu), with mu such that the expected number of rows is
 *        what was asked for: of all such samples the one with the least
 *        variance (Ibragimov and Gusev, NeurIPS 2019)
 *
 * A rule is made from a histogram of the scores' leading bits: exponent and
 * GROVE_SELECT_MANTISSA bits of the mantissa.  It has counts and integer sums
 * only, so that neither the order of rows nor who counts them can move it.
 * What the leading bits do not tell apart: under goss all rows in the bin of
 * the threshold get one probability between, so that the expected number is
 * exact and ties cannot make a sample larger; under mvs the expected number is
 * off by at most 2^-GROVE_SELECT_MANTISSA of the rows in the bin of mu.  A score in
 * the lowest bin, below 2^-134, counts as 0.
 */
#ifndef GROVE_SELECT_H
#define GROVE_SELECT_H

#include <string.h>

#include "grove_core.h"

#define GROVE_SELECT_MANTISSA	8
#define GROVE_SELECT_SHIFT		(23 - GROVE_SELECT_MANTISSA)
#define GROVE_SELECT_MAX		1.7014118346046923e38f	/* 2^127: larger scores count as this */
#define GROVE_SELECT_BINS		((UINT32_C(254) << GROVE_SELECT_MANTISSA) + 1)

/* Equal to the choices of the option data_sample_strategy. */
typedef enum GroveSelectKind
{
	GROVE_SELECT_BAGGING,		/* not by score */
	GROVE_SELECT_GOSS,
	GROVE_SELECT_MVS
} GroveSelectKind;

/* Histogram of scores. */
typedef struct GroveSelectBins
{
	uint64_t	low[GROVE_SELECT_BINS]; /* sum of the bits behind the leading ones */
	uint32_t	count[GROVE_SELECT_BINS];
} GroveSelectBins;

typedef struct GroveSelectRule
{
	GroveSelectKind kind;		/* GOSS or MVS */
	uint32_t	bin;			/* GOSS: of the threshold */
	double		below;			/* GOSS: probability of the rows below it */
	double		within;			/* GOSS: and of those in its bin */
	double		mu;				/* MVS */
	double		zero;			/* MVS: probability of rows with score 0 */
} GroveSelectRule;

/* score >= 0, not NaN. */
static inline uint32_t
grove_select_bits(float score)
{
	uint32_t	bits;

	score = score < GROVE_SELECT_MAX ? score : GROVE_SELECT_MAX;
	memcpy(&bits, &score, sizeof(bits));
	return bits & (UINT32_MAX >> 1);
}

static inline void
grove_select_add(GroveSelectBins *bins, float score)
{
	uint32_t	bits = grove_select_bits(score);

	bins->count[bits >> GROVE_SELECT_SHIFT]++;
	bins->low[bits >> GROVE_SELECT_SHIFT] += bits & ((1U << GROVE_SELECT_SHIFT) - 1);
}

extern void grove_select_merge(GroveSelectBins *into, const GroveSelectBins *from);

/* top_rate + other_rate is in (0,1]. */
extern void grove_select_goss(GroveSelectRule *rule, const GroveSelectBins *bins, double top_rate, double other_rate);

/* fraction is in (0,1). */
extern void grove_select_mvs(GroveSelectRule *rule, const GroveSelectBins *bins, double fraction);

/* The probability that a row with this score is kept; kind is the rule's. */
static inline double
grove_select_probability(GroveSelectKind kind, const GroveSelectRule *rule, float score)
{
	uint32_t	bits = grove_select_bits(score);
	uint32_t	bin = bits >> GROVE_SELECT_SHIFT;

	if (kind == GROVE_SELECT_GOSS)
		return bin > rule->bin ? 1.0 : bin == rule->bin ? rule->within : rule->below;
	memcpy(&score, &bits, sizeof(score));
	return bin == 0 ? rule->zero : (double) score < rule->mu ? (double) score / rule->mu : 1.0;
}

#endif							/* GROVE_SELECT_H */
