/*
 * reference.h: what a model means, in the fewest words: the walk that the
 * library's prediction is compared with.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <math.h>

#include "../../src/core/model.h"

static inline bool
reference_goes_left(const GroveModel *model, const GroveNode *node, double value)
{
	int			ordinal;
	int			bit;

	if (!(node->flags & GROVE_NODE_CATEGORICAL))
		return isnan(value) ? (node->flags & GROVE_NODE_MISSING_LEFT) != 0 : value <= node->value;
	if (isnan(value) || value < 1 || value >= 65536)
		return (node->flags & GROVE_NODE_MISSING_LEFT) != 0;
	ordinal = (int) value;
	bit = ordinal - (int) model->set_first[node->set];
	return bit >= 1 && bit <= 255 && (model->sets[node->set][bit / 8] & 1 << bit % 8) != 0;
}

static inline uint32_t
reference_leaf(const GroveModel *model, uint32_t tree, const double *row)
{
	const GroveNode *nodes = model->nodes + model->tree_start[tree];
	uint32_t	at = 0;

	while (nodes[at].left != 0)
		at = nodes[at].left + (reference_goes_left(model, &nodes[at], row[nodes[at].feature]) ? 0 : 1);
	return at;
}

static inline void
reference_margins(const GroveModel *model, const double *row, double *margins)
{
	for (uint32_t i = 0; i < model->n_outputs; i++)
		margins[i] = model->base[i];
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
		margins[tree % model->n_outputs] +=
			model->nodes[model->tree_start[tree] + reference_leaf(model, tree, row)].value;
}

#endif							/* REFERENCE_H */
