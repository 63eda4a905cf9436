/*
 * lambdarank.h: the rows of one query: their order by score, NDCG, and the
 * gradients that push rows of higher relevance before others (LambdaMART:
 * C. Burges, "From RankNet to LambdaRank to LambdaMART", 2010).
 *
 * Definitions are LightGBM's: gain 2^y - 1, discount 1 / log2(1 + rank), pairs
 * with at least one row among the rank_truncation best, |change of NDCG| times
 * the logistic loss of the pair.  With rank_norm, pairs weigh less the further
 * their scores are apart, and a query's gradients are scaled by log2(1 + S) /
 * S, S their sum, so that long queries do not drown short ones.
 */
#ifndef GROVE_LAMBDARANK_H
#define GROVE_LAMBDARANK_H

#include "loss.h"

#define GROVE_RANK_LABEL_MAX	31		/* labels are integers from 0 to this */
#define GROVE_RANK_TRUNCATION	1000	/* largest truncation level */
#define GROVE_RANK_METRIC		10		/* rows that NDCG looks at */
#define GROVE_RANK_GROUP_MAX	100000	/* rows of a group */

typedef struct GroveRankGroup
{
	const uint32_t *rows;		/* [n] in an order that follows from their content: it breaks ties of scores */
	uint32_t	n;
	const float *label;			/* by row */
	const float *score;
	uint64_t   *order;			/* [n] after grove_lambdarank_sort(): lower half is a place in rows[], best score first */
} GroveRankGroup;

extern void grove_lambdarank_sort(GroveRankGroup *group);

/*
 * 1 - NDCG of the first GROVE_RANK_METRIC ranks of a sorted group, as
 * grove.ndcg() defines it: rows of equal score share their discounts, and a
 * group without gain has NDCG 0.
 */
extern double grove_lambdarank_loss(const GroveRankGroup *group);

/* Gradients and hessians by row, without weights, of a sorted group. */
extern void grove_lambdarank_gradients(const GroveLossShape *shape, const GroveRankGroup *group,
									   float *gradient, float *hessian);

#endif							/* GROVE_LAMBDARANK_H */
