/*
 * ccp.h: minimal cost-complexity pruning of a grown tree (Breiman, Friedman,
 * Olshen, Stone, "Classification and regression trees", 1984, chapter 3).
 *
 * Of all subtrees with the same root the one is wanted that minimises loss +
 * cost * leaves, the smallest of them when several do.  The book cuts the
 * weakest link, the node whose splits gain least a leaf, until the next one
 * gains more than the cost.  As the cost is known here, one walk from the
 * leaves to the root finds the same subtree: a node stays split when its own
 * gain and what its children are worth exceed the cost of one leaf more.
 *
 * What is left is numbered as if the other splits had never been made: in the
 * order of growth, children behind their parent and side by side.  Memory is
 * the caller's, time is linear in the nodes.
 */
#ifndef GROVE_CCP_H
#define GROVE_CCP_H

#include "trainer.h"

typedef struct GroveCcpTree
{
	GroveNode  *nodes;			/* children behind their parent, the right one directly behind the left */
	uint32_t	n_nodes;
	uint8_t		(*sets)[GROVE_BINS / 8];	/* in the order of growth */
	uint32_t	n_sets;
	double	   *gain;			/* [n_nodes] of splits, >= 0; overwritten */
	const double *output;		/* [n_nodes] of splits: value of the node as a leaf */
	uint32_t   *map;			/* [n_nodes] gets for each old node the new one that its rows are in */
	uint32_t   *set_map;		/* [n_sets] scratch */
} GroveCcpTree;

/* What a split is worth beyond the cost of its leaf, with what its children are worth: 0 where it is better a leaf. */
static inline double
grove_ccp_worth(double gain, double left, double right, double cost)
{
	double		worth = gain + left + right - cost;

	return worth > 0.0 ? worth : 0.0;
}

/* Prunes; cost is in the unit of gain. */
extern void grove_ccp_prune(GroveCcpTree *tree, double cost);

/*
 * Prunes the tree that a trainer has just grown, at config.ccp_alpha > 0: what a
 * leaf must take off the loss a unit of weight.  With squared errors and
 * without regularisation a gain is a difference of squared errors, so alpha
 * is what it is for a mean squared error.
 */
extern void grove_ccp_prune_grown(GroveTrainer *trainer);

#endif							/* GROVE_CCP_H */
