/*
 * predict.c: rows -> leaves -> margins -> predictions.
 *
 * Two ways lead to the same leaves: the plain walk over GroveModel.nodes, which
 * says what a model means, and the walk over the compact form, eight trees at
 * once so that their cache misses overlap.  Leaf values are added to the base
 * in tree order on both, so margins are equal to the bit
 * (test/unit/test_predict.c).  The rules of model.h, which the reader checks,
 * make every walk end and every index fit.
 *
 * Method: N. Asadi, J. Lin, A. P. de Vries, Runtime Optimizations for
 * Tree-Based Machine Learning Models, 2014 (interleaved walks).
 */
#include <math.h>
#include <string.h>

#include "compact.h"
#include "predict.h"

/* Leaf of one tree, as an index into nodes[]. */
static uint32_t
walk_tree(const GroveModel *model, uint32_t tree, const double *row)
{
	const GroveNode *nodes = model->nodes + model->tree_start[tree];
	const GroveNode *node = nodes;

	while (node->left != 0)
		node = nodes + node->left + !grove_model_goes_left(model, node, row[node->feature]);
	return (uint32_t) (node - model->nodes);
}

static inline void
set_slots(uint16_t *slots, double value, uint32_t bin)
{
	slots[0] = (uint16_t) bin;
	slots[1] = value != value ? UINT16_MAX : (uint16_t) bin;
}

/* Up to four numeric features with the same first step; returns how many they were. */
static inline uint32_t
fill_numeric(const GroveCompactFeature *features, uint32_t n, const double *row, uint16_t *slots)
{
	const double *cuts[4];
	double		x[4];
	uint32_t	bins[4];
	uint32_t	n_filled = 1;

	while (n_filled < 4 && n_filled < n && features[n_filled].first_step == features[0].first_step)
		n_filled++;
	for (uint32_t i = 0; i < 4; i++)
	{
		const GroveCompactFeature *feature = &features[i < n_filled ? i : 0];

		cuts[i] = feature->cuts;
		x[i] = row[feature->feature];
	}
	grove_compact_bins(cuts, features[0].first_step, x, bins);
	for (uint32_t i = 0; i < n_filled; i++)
		set_slots(slots + features[i].slot, x[i], bins[i]);
	return n_filled;
}

static void
fill_slots(const GroveCompact *compact, const double *row, uint16_t *slots)
{
	uint32_t	i = 0;

	while (i < compact->n_features && !compact->features[i].categorical)
		i += fill_numeric(&compact->features[i], compact->n_features - i, row, slots);
	for (; i < compact->n_features; i++)
	{
		const GroveCompactFeature *feature = &compact->features[i];
		uint32_t	ordinal = grove_model_ordinal(row[feature->feature]);

		for (uint32_t window = 0; window < feature->n_cuts; window++)
			slots[feature->slot + window] = grove_compact_place(feature, window, ordinal);
	}
}

/* One step of a walk over numeric splits: how far the next node is. */
static inline size_t
step_numeric(const GroveCompactNode *node, const uint16_t *slots)
{
	return (size_t) node->offset + (slots[node->slot] > node->test);
}

/* The same where some splits are sets; a set is looked at in every case, the first one when the split has none. */
static inline size_t
step_mixed(const GroveCompactNode *node, const uint16_t *slots, const uint32_t (*sets)[GROVE_BINS / 32])
{
	bool		categorical = (node->slot & GROVE_COMPACT_CATEGORICAL) != 0;
	uint32_t	slot = slots[node->slot & ~GROVE_COMPACT_CATEGORICAL];
	uint32_t	set = categorical ? node->test : 0;
	uint32_t	outside = grove_compact_goes_right(sets[set], slot);

	return (size_t) node->offset + (categorical ? outside : slot > node->test);
}

/* Takes eight walks, which start at the roots in nodes[], down to their leaves. */
static inline void
walk_compact(const GroveCompact *compact, const uint16_t *slots, const bool mixed, uint32_t nodes[GROVE_COMPACT_TREES])
{
	const GroveCompactNode *at[GROVE_COMPACT_TREES];
	size_t		moved;

	for (int i = 0; i < GROVE_COMPACT_TREES; i++)
		at[i] = compact->nodes + nodes[i];
	do
	{
		moved = 0;
#pragma GCC unroll 8
		for (int i = 0; i < GROVE_COMPACT_TREES; i++)
		{
			size_t		step = mixed ? step_mixed(at[i], slots, compact->sets) : step_numeric(at[i], slots);

			at[i] += step;
			moved |= step;
		}
	} while (moved != 0);
	for (int i = 0; i < GROVE_COMPACT_TREES; i++)
		nodes[i] = (uint32_t) (at[i] - compact->nodes);
}

/* Leaves of the trees from first on, up to eight; returns how many trees that were. */
static uint32_t
find_leaves(const GroveModel *model, const double *row, const uint16_t *slots, uint32_t first,
			uint32_t leaves[GROVE_COMPACT_TREES])
{
	uint32_t	n_trees = model->n_trees - first;

	if (n_trees > GROVE_COMPACT_TREES)
		n_trees = GROVE_COMPACT_TREES;
	if (!model->compact)
	{
		for (uint32_t i = 0; i < n_trees; i++)
			leaves[i] = walk_tree(model, first + i, row);
		return n_trees;
	}
	/* walks without a tree of their own repeat the last one */
	for (uint32_t i = 0; i < GROVE_COMPACT_TREES; i++)
		leaves[i] = model->tree_start[first + (i < n_trees ? i : n_trees - 1)];
	if (model->compact->sets)
		walk_compact(model->compact, slots, true, leaves);
	else
		walk_compact(model->compact, slots, false, leaves);
	return n_trees;
}

static double
leaf_value(const GroveModel *model, uint32_t node)
{
	if (!model->compact)
		return model->nodes[node].value;
	return model->compact->leaves[model->compact->nodes[node].test - GROVE_COMPACT_LEAF];
}

/* The margin of a model that has one, kept in a register: through memory each addition would wait for the one before. */
static double
sum_leaves(const GroveModel *model, const double *row, const uint16_t *slots)
{
	double		sum = model->base[0];

	for (uint32_t first = 0; first < model->n_trees; first += GROVE_COMPACT_TREES)
	{
		uint32_t	leaves[GROVE_COMPACT_TREES];
		uint32_t	n_trees = find_leaves(model, row, slots, first, leaves);

		for (uint32_t i = 0; i < n_trees; i++)
			sum += leaf_value(model, leaves[i]);
	}
	return sum;
}

void
grove_predict_margins(const GroveModel *model, const double *row, double *margins)
{
	uint16_t	slots[GROVE_COMPACT_SLOTS];
	uint32_t	output = 0;

	slots[0] = 0;				/* leaves look at it, also in a model without splits */
	if (model->compact)
		fill_slots(model->compact, row, slots);
	if (model->n_outputs == 1)
	{
		margins[0] = sum_leaves(model, row, slots);
		return;
	}
	for (uint32_t i = 0; i < model->n_outputs; i++)
		margins[i] = model->base[i];
	for (uint32_t first = 0; first < model->n_trees; first += GROVE_COMPACT_TREES)
	{
		uint32_t	leaves[GROVE_COMPACT_TREES];
		uint32_t	n_trees = find_leaves(model, row, slots, first, leaves);

		for (uint32_t i = 0; i < n_trees; i++)
		{
			margins[output] += leaf_value(model, leaves[i]);
			if (++output == model->n_outputs)
				output = 0;
		}
	}
}

void
grove_predict_leaves(const GroveModel *model, const double *row, uint32_t *leaves)
{
	uint16_t	slots[GROVE_COMPACT_SLOTS];

	slots[0] = 0;
	if (model->compact)
		fill_slots(model->compact, row, slots);
	for (uint32_t first = 0; first < model->n_trees; first += GROVE_COMPACT_TREES)
	{
		uint32_t	found[GROVE_COMPACT_TREES];
		uint32_t	n_trees = find_leaves(model, row, slots, first, found);

		for (uint32_t i = 0; i < n_trees; i++)
			leaves[first + i] = found[i] - model->tree_start[first + i];
	}
}

static double
logistic(double margin)
{
	double		e;

	if (margin >= 0)
		return 1 / (1 + exp(-margin));
	e = exp(margin);			/* does not overflow for large negative margins */
	return e / (1 + e);
}

static double
positive_probability(const GroveModel *model, double margin)
{
	if (model->link == GROVE_LINK_LOGISTIC)
		return logistic(margin);
	return margin > 0 ? (margin < 1 ? margin : 1) : 0;
}

static void
softmax(const double *margins, uint32_t n, double *probabilities)
{
	double		largest = margins[0];
	double		sum = 0;

	for (uint32_t i = 1; i < n; i++)
	{
		if (margins[i] > largest)
			largest = margins[i];
	}
	for (uint32_t i = 0; i < n; i++)
	{
		probabilities[i] = exp(margins[i] - largest);
		sum += probabilities[i];
	}
	for (uint32_t i = 0; i < n; i++)
		probabilities[i] /= sum;
}

static void
normalize(const double *margins, uint32_t n, double *probabilities)
{
	double		sum = 0;

	for (uint32_t i = 0; i < n; i++)
	{
		probabilities[i] = margins[i] > 0 ? margins[i] : 0;
		sum += probabilities[i];
	}
	for (uint32_t i = 0; i < n; i++)
		probabilities[i] = sum > 0 ? probabilities[i] / sum : 1.0 / n;
}

void
grove_predict_probabilities(const GroveModel *model, const double *margins, double *probabilities)
{
	if (model->task == GROVE_TASK_BINARY)
	{
		probabilities[1] = positive_probability(model, margins[0]);
		probabilities[0] = 1 - probabilities[1];
	}
	else if (model->task == GROVE_TASK_MULTICLASS && model->link == GROVE_LINK_SOFTMAX)
		softmax(margins, model->n_classes, probabilities);
	else if (model->task == GROVE_TASK_MULTICLASS)
		normalize(margins, model->n_classes, probabilities);
}

uint32_t
grove_predict_best(const GroveModel *model, const double *margins)
{
	uint32_t	best = 0;

	if (model->task == GROVE_TASK_BINARY)
		return positive_probability(model, margins[0]) >= 0.5;
	for (uint32_t i = 1; i < model->n_outputs; i++)
	{
		if (margins[i] > margins[best] && (margins[i] > 0 || model->link != GROVE_LINK_NORMALIZE))
			best = i;
	}
	return best;
}

double
grove_predict_value(const GroveModel *model, const double *margins)
{
	switch (model->task)
	{
		case GROVE_TASK_BINARY:
			return positive_probability(model, margins[0]);
		case GROVE_TASK_MULTICLASS:
			{
				double		probabilities[GROVE_MAX_CLASSES];

				grove_predict_probabilities(model, margins, probabilities);
				return probabilities[grove_predict_best(model, margins)];	/* NOLINT: n_outputs > 0 */
			}
		case GROVE_TASK_REGRESSION:
		case GROVE_TASK_RANKING:
			break;
	}
	return model->link == GROVE_LINK_EXP ? exp(margins[0]) : margins[0];
}
