/*
 * ccp_folds.h: the cost of cost-complexity pruning, chosen by cross-validation
 * (Breiman et al. 1984, sections 3.4.2 and 11.5).
 *
 * The tree of all rows gives the costs at which it changes; the candidates lie
 * between them, at their geometric means.  Then a tree is grown without each
 * fold, pruned at each candidate, and the rows of the fold tell its loss.
 *
 * A fold's rows come down in the trainer's lists of rows that the tree does
 * not see.  Sums of a leaf are exact, those of nodes are added in the order of
 * the nodes, so that the order of rows cannot be seen in a loss.
 */
#ifndef GROVE_CCP_FOLDS_H
#define GROVE_CCP_FOLDS_H

#include "ccp.h"
#include "rng.h"

#define GROVE_CCP_COSTS	256		/* candidates at most */
#define GROVE_CCP_MAX_FOLDS	100

/* A grown tree while its weakest links are cut one by one. */
typedef struct GroveCcpPath
{
	const GroveNode *nodes;
	uint32_t	n_nodes;
	double	   *gain;			/* [n_nodes] of the splits left at and below a node */
	uint32_t   *splits;			/* [n_nodes] their number */
	uint32_t   *parent;			/* [n_nodes] */
	double		cost;			/* of the last cut */
} GroveCcpPath;

/* gains: [n_nodes] of the splits alone. */
extern void grove_ccp_path_init(GroveCcpPath *path, const double *gains);

/* Cuts the weakest link; path->cost is what a split there gains on average.  False when only the root is left. */
extern bool grove_ccp_path_cut(GroveCcpPath *path);

/*
 * Candidates from n costs in any order, which are sorted: 0, the means of
 * neighbours, and the largest; when there are too many, some that are spread
 * evenly.  Returns their number; ascending.
 */
extern uint32_t grove_ccp_candidates(double *costs, size_t n, double candidates[GROVE_CCP_COSTS]);

/* The fold of a row. */
static inline uint32_t
grove_ccp_fold(uint64_t key, uint32_t identity, uint32_t n_folds)
{
	return (uint32_t) grove_rng_range(grove_rng_hash(key, identity), n_folds);
}

/* Weight of the rows that a grown tree was made from: the unit of costs. */
extern double grove_ccp_weight(const GroveTrainer *trainer);

/* What the rows of a fold say of a tree that has not seen them. */
typedef struct GroveCcpJudge
{
	const uint8_t *fold_of;		/* [n_rows] */
	uint8_t		fold;
	double		base;			/* where the scores of this output start */
	double	   *weight;			/* [2 * max_leaves] sums of a node's rows: weights, */
	double	   *residual;		/* [2 * max_leaves] weighted distances to the base, */
	double	   *square;			/* [2 * max_leaves] and their squares */
	double	   *worth;			/* [2 * max_leaves] scratch */
	double	   *loss;			/* [2 * max_leaves] scratch */
} GroveCcpJudge;

/* Sums of one leaf's rows of the fold; for all leaves of the tree just grown, then finish. */
extern void grove_ccp_judge_leaf(const GroveCcpJudge *judge, const GroveTrainer *trainer, uint32_t leaf);
extern void grove_ccp_judge_finish(const GroveCcpJudge *judge, const GroveTrainer *trainer);

/* Squared error of the fold, summed, when the tree is pruned at this cost; the fold's weight is weight[0]. */
extern double grove_ccp_judge_cost(const GroveCcpJudge *judge, const GroveTrainer *trainer, double cost);

/*
 * Mean and standard error over folds of each candidate's loss, from
 * loss[n_folds][n_costs]; returns the candidate of the smallest mean, or with
 * one_se the largest whose mean is within one standard error of it.
 */
extern uint32_t grove_ccp_choose(const double *loss, uint32_t n_folds, uint32_t n_costs, bool one_se,
								 double *mean, double *error);

#endif							/* GROVE_CCP_FOLDS_H */
