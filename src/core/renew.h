/*
 * renew.h: weighted quantiles of residuals, which are the leaf values and the
 * start of losses without curvature.
 */
#ifndef GROVE_RENEW_H
#define GROVE_RENEW_H

#include "trainer.h"

/* Some of the rows of a leaf; scratch has room for n entries, too. */
typedef struct GroveRenewRows
{
	const GroveEntry *entries;
	GroveEntry *scratch;
	uint32_t	n;
	uint32_t	kept;			/* entries in scratch; the search's own */
} GroveRenewRows;

/*
 * The alpha-quantile of label - score over all entries of n_parts, which count as
 * often as they are listed: the smallest residual up to which at least alpha of
 * the weight lies; when it is just alpha, the middle between it and the next
 * one.  0 when there is no weight.  Does not depend on the order of entries.
 */
extern double grove_renew_quantile(const GroveTrainer *trainer, GroveRenewRows *parts, uint32_t n_parts, double alpha);

/* The quantile that the loss at hand asks for. */
extern double grove_renew_alpha(const GroveTrainer *trainer);

/* Task of GROVE_PHASE_RENEW: the value of one leaf; the other side of its list is scratch. */
extern void grove_renew_leaf(GroveTrainer *trainer, uint32_t leaf);

#endif							/* GROVE_RENEW_H */
