/*
 * naive_trees.c: growing a tree by the rules, and comparing it node by node.
 */
#include "naive_trees.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/rng.h"
#include "naive_rank.h"
#include "naive_split.h"

typedef struct NaiveTree
{
	const KitCase *kase;
	NaiveData	data;
	uint64_t	number;			/* of the tree among all of the training */
	bool		used[GROVE_MAX_FEATURES];
	NaiveNode  *nodes;
	uint32_t	n_nodes;
	uint32_t	n_leaves;
} NaiveTree;

/* ----------------------------------------------------------------- features */

/* The column that a feature begins with: windows on one feature follow each other. */
static uint32_t
first_of(const KitTable *table, uint32_t column)
{
	while (table->bins[column].window_levels > 0 && table->bins[column].window_first > 0)
		column--;
	return column;
}

/* How many features begin before a column. */
static uint32_t
number_of(const KitTable *table, uint32_t column)
{
	uint32_t	n = 0;

	for (uint32_t f = 0; f < column; f++)
		n += first_of(table, f) == f;
	return n;
}

/* The documented choice: of n candidates the max(1, ceil(fraction * n)) with the smallest hashes. */
static void
choose_features(const NaiveTree *tree, uint64_t number, double fraction, const bool *candidates, bool *chosen)
{
	uint64_t	key = grove_rng_hash(grove_rng_key(tree->kase->config.seed, GROVE_PURPOSE_FEATURE), number);
	const KitTable *table = &tree->kase->table;
	uint32_t	n = 0;

	for (uint32_t f = 0; f < table->n_features; f++)
		n += candidates[f] && first_of(table, f) == f;
	for (uint32_t f = 0; f < table->n_features; f++)
	{
		uint64_t	hash = grove_rng_hash(key, number_of(table, first_of(table, f)));
		uint32_t	before = 0;

		for (uint32_t other = 0; other < table->n_features; other++)
			before += candidates[other] && first_of(table, other) == other &&
				grove_rng_hash(key, number_of(table, other)) < hash;
		chosen[f] = candidates[f] && before < fmax(1.0, ceil(fraction * n));
	}
}

/* Whether interaction constraints let a feature follow those on the path to the node. */
static bool
may_interact(const NaiveTree *tree, const NaiveNode *node, uint32_t feature)
{
	const KitTable *table = &tree->kase->table;

	return !tree->kase->config.interaction || node->last_feature == UINT32_MAX ||
		first_of(table, feature) == first_of(table, node->last_feature) || (node->groups & table->groups[feature]) != 0;
}

/* extra_trees: whether a window has the level that is drawn from all of its feature. */
static bool
has_drawn_level(const KitTable *table, uint32_t f, uint64_t pick_key)
{
	const GroveFeatureBins *bins = &table->bins[f];
	uint64_t	level;

	if (bins->window_levels == 0)
		return true;
	level = grove_rng_range(grove_rng_hash(pick_key, GROVE_MAX_FEATURES + first_of(table, f)), bins->window_levels);
	return level >= bins->window_first && level < bins->window_first + bins->n_bins - 1;
}

/* --------------------------------------------------------------------- trees */

static void
search_node(NaiveTree *tree, uint32_t at)
{
	const GroveTrainConfig *config = &tree->kase->config;
	uint64_t	number = (tree->number << 20) + at + 1;
	uint64_t	pick_key = grove_rng_hash(grove_rng_key(config->seed, GROVE_PURPOSE_FEATURE), ~number);
	NaiveNode  *node = &tree->nodes[at];
	NaiveSplit	best;
	bool		candidates[GROVE_MAX_FEATURES];
	bool		allowed[GROVE_MAX_FEATURES];

	if (node->depth >= config->max_depth)
		return;
	for (uint32_t f = 0; f < tree->kase->table.n_features; f++)
		candidates[f] = tree->used[f] && may_interact(tree, node, f);
	choose_features(tree, number, config->feature_fraction_bynode, candidates, allowed);
	memset(&best, 0, sizeof(best));
	best.gain = naive_least_gain(&tree->data, node);
	for (uint32_t f = 0; f < tree->kase->table.n_features; f++)
	{
		if (allowed[f] && (!config->extra_trees || has_drawn_level(&tree->kase->table, f, pick_key)))
			naive_try_feature(&tree->data, node, f, config->extra_trees ? grove_rng_hash(pick_key, f) | 1 : 0, &best);
	}
	if (best.left.c > 0)
		node->split = best;
}

static void
add_row(NaiveTree *tree, NaiveNode *node, uint32_t row)
{
	node->rows[node->n_rows++] = row;
	node->sums.g += tree->data.g[row];
	node->sums.h += tree->data.h[row];
	node->sums.c++;
}

/* Outputs of the children, and the bounds of what will grow below them. */
static void
limit_children(NaiveTree *tree, const NaiveNode *parent, NaiveNode *left, NaiveNode *right)
{
	uint32_t	feature = parent->split.feature;
	int			monotone = tree->data.limited ? tree->kase->table.monotone[feature] : 0;
	double		middle;

	left->output = naive_output(&tree->data, parent, &left->sums);
	right->output = naive_output(&tree->data, parent, &right->sums);
	middle = 0.5 * left->output + 0.5 * right->output;
	left->lower = right->lower = parent->lower;
	left->upper = right->upper = parent->upper;
	if (monotone > 0)
		left->upper = right->lower = middle;
	if (monotone < 0)
		left->lower = right->upper = middle;
	left->groups = right->groups = parent->groups & tree->kase->table.groups[feature];
	left->last_feature = right->last_feature = feature;
}

static void
split_node(NaiveTree *tree, uint32_t number)
{
	NaiveNode  *parent = &tree->nodes[number];
	NaiveNode  *left = &tree->nodes[tree->n_nodes];
	NaiveNode  *right = left + 1;

	parent->left = tree->n_nodes;
	tree->n_nodes += 2;
	left->depth = right->depth = parent->depth + 1;
	left->leaf = parent->leaf;
	right->leaf = tree->n_leaves++;
	left->rows = kit_alloc(parent->n_rows, sizeof(uint32_t));
	right->rows = kit_alloc(parent->n_rows, sizeof(uint32_t));
	for (uint32_t i = 0; i < parent->n_rows; i++)
	{
		uint32_t	row = parent->rows[i];
		double		value = naive_value(tree->data.table, row, parent->split.feature);

		add_row(tree, naive_goes_left(&parent->split, value) ? left : right, row);
	}
	limit_children(tree, parent, left, right);
}

/* The leaf that gains most, the one of the lower number when equal; UINT32_MAX: none gains. */
static uint32_t
next_node(const NaiveTree *tree)
{
	uint32_t	best = UINT32_MAX;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		const NaiveNode *node = &tree->nodes[i];
		const NaiveNode *other = best == UINT32_MAX ? NULL : &tree->nodes[best];

		if (node->left != 0 || !(node->split.gain > 0.0))
			continue;
		if (!other || node->split.gain > other->split.gain ||
			(node->split.gain == other->split.gain && node->leaf < other->leaf))
			best = i;
	}
	return best;
}

/* Values of all nodes as if they were leaves: Newton steps, or quantiles of residuals. */
static void
set_values(NaiveTree *tree, const float *score, const float *factor)
{
	const GroveTrainConfig *config = &tree->kase->config;
	double		alpha = config->loss == GROVE_LOSS_QUANTILE ? config->shape.quantile_alpha : 0.5;
	double		limit = config->rules.max_delta_step;

	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		NaiveNode  *node = &tree->nodes[i];

		node->value = node->output;
		if (grove_loss_renewed(config->loss) && node->left == 0)
		{
			node->value = naive_quantile(tree->kase, score, factor, node->rows, node->n_rows, alpha);
			if (limit > 0.0)
				node->value = fmax(fmin(node->value, limit), -limit);
		}
		node->value *= config->learning_rate;
	}
}

static void
grow_tree(NaiveTree *tree, const GroveTrainer *trainer)
{
	const GroveTrainConfig *config = &tree->kase->config;
	uint32_t	n = tree->kase->table.n_rows;
	NaiveNode  *root = &tree->nodes[0];
	bool		all[GROVE_MAX_FEATURES];
	uint32_t	number;

	memset(all, 1, sizeof(all));
	choose_features(tree, tree->number << 20, config->feature_fraction, all, tree->used);
	root->rows = kit_alloc((size_t) n * 16, sizeof(uint32_t));
	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t copies = trainer->copies ? trainer->copies[i] : 1; copies > 0; copies--)
			add_row(tree, root, i);
	}
	root->output = naive_output(&tree->data, NULL, &root->sums);
	root->lower = -DBL_MAX;
	root->upper = DBL_MAX;
	root->groups = UINT64_MAX;
	root->last_feature = UINT32_MAX;
	tree->n_nodes = 1;
	tree->n_leaves = 1;
	search_node(tree, 0);
	while (tree->n_leaves < config->max_leaves && (number = next_node(tree)) != UINT32_MAX)
	{
		uint32_t	left = tree->n_nodes;

		split_node(tree, number);
		search_node(tree, left);
		search_node(tree, left + 1);
	}
}

/* -------------------------------------------------------------------- compare */

static bool
close_to(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b);
}

static float
as_float(double value)
{
	return (float) fmin(value, FLT_MAX);
}

static bool
same_sums(const GroveSums *a, const GroveSums *b)
{
	return a->g == b->g && a->h == b->h && a->c == b->c;
}

/* What is different in a split, or NULL. */
static const char *
compare_split(const NaiveNode *ours, const KitTree *tree, uint32_t i)
{
	const GroveNode *node = &tree->nodes[i];
	const NaiveSplit *split = &ours->split;

	if (node->feature != split->feature)
		return "feature";
	if (((node->flags & GROVE_NODE_CATEGORICAL) != 0) != split->categorical)
		return "kind";
	if (((node->flags & GROVE_NODE_MISSING_LEFT) != 0) != split->missing_left)
		return "side of missing";
	if (!split->categorical && node->value != split->threshold)
		return "threshold";
	for (uint32_t b = 0; split->categorical && b < GROVE_BINS; b++)
	{
		if (((tree->sets[node->set][b >> 3] >> (b & 7)) & 1) != split->set[b])
			return "set of categories";
	}
	if (!same_sums(&tree->left[i], &split->left))
		return "announced sums";
	if (!close_to(tree->gain[i], split->gain) || node->gain != as_float(tree->gain[i]))
		return "gain";
	return NULL;
}

static const char *
compare_node(const NaiveTree *ours, const KitTree *tree, uint32_t i)
{
	const GroveNode *node = &tree->nodes[i];
	const NaiveNode *n = &ours->nodes[i];

	if (node->left != n->left)
		return node->left == 0 ? "a leaf that should be split" : n->left == 0 ? "a split that should be a leaf" : "child";
	if (node->count != n->n_rows)
		return "count";
	if (node->cover != as_float((double) n->sums.h * ours->data.rules.h_unit))
		return "cover";
	if (n->left == 0)
		return node->value == n->value ? NULL : "leaf value";
	return compare_split(n, tree, i);
}

static void
compare_tree(NaiveLearner *learner, const NaiveTree *ours, const KitTree *tree)
{
	for (uint32_t i = 0; i < ours->n_nodes && i < tree->n_nodes; i++)
	{
		const char *what = compare_node(ours, tree, i);

		if (what && learner->message[0] == '\0')
			snprintf(learner->message, sizeof(learner->message),
					 "tree %u, node %u of %u (depth %u, %u rows): %s; feature %u, gain %.17g, should be %u, %.17g",
					 learner->n_trees, i, ours->n_nodes, ours->nodes[i].depth, ours->nodes[i].n_rows, what,
					 tree->nodes[i].feature, tree->gain[i], ours->nodes[i].split.feature, ours->nodes[i].split.gain);
	}
	if (ours->n_nodes != tree->n_nodes && learner->message[0] == '\0')
		snprintf(learner->message, sizeof(learner->message), "tree %u: %u nodes, should be %u",
				 learner->n_trees, tree->n_nodes, ours->n_nodes);
}

/* ------------------------------------------------------------------- learner */

void
naive_make(NaiveLearner *learner, const KitCase *kase)
{
	size_t		cells = (size_t) kase->table.n_rows * kase->table.n_outputs;

	memset(learner, 0, sizeof(*learner));
	learner->kase = kase;
	learner->score = kit_alloc(cells, sizeof(float));
	learner->g = kit_alloc(cells, sizeof(int64_t));
	learner->h = kit_alloc(cells, sizeof(int64_t));
}

void
naive_free(NaiveLearner *learner)
{
	free(learner->score);
	free(learner->g);
	free(learner->h);
}

/* The place of each row of a group by its score, best first, equal ones as they stand; by insertion. */
static void
order_group(GroveRankGroup *group)
{
	for (uint32_t i = 0; i < group->n; i++)
	{
		uint32_t	at = i;

		for (; at > 0 && group->score[group->rows[i]] > group->score[group->rows[group->order[at - 1]]]; at--)
			group->order[at] = group->order[at - 1];
		group->order[at] = i;
	}
}

/* Compares the gradients that the groups of training rows gave with those of all pairs at the learner's own scores. */
static void
check_rank_gradients(NaiveLearner *learner, const GroveTrainer *trainer)
{
	const KitTable *table = &learner->kase->table;
	double	   *g = kit_alloc(table->n_rows, sizeof(double));
	double	   *h = kit_alloc(table->n_rows, sizeof(double));
	uint64_t   *order = kit_alloc(table->n_rows, sizeof(uint64_t));

	for (uint32_t k = 0; k < trainer->shared->n_groups; k++)
	{
		const uint32_t *rows = trainer->group_rows + trainer->group_start[k];
		GroveRankGroup group = {rows, trainer->group_start[k + 1] - trainer->group_start[k], table->label, learner->score, order};
		double		size = 1e-6;

		if (table->validation && table->validation[rows[0]])
			continue;
		order_group(&group);
		naive_rank_gradients(&learner->kase->config.shape, &group, g, h);
		for (uint32_t i = 0; i < group.n; i++)
			size = fmax(size, fabs(g[rows[i]]));
		for (uint32_t i = 0; i < group.n && learner->message[0] == '\0'; i++)
		{
			uint32_t	row = rows[i];

			if (fabs((double) trainer->gradient[row] - g[row]) > 1e-5 * size ||
				fabs((double) trainer->hessian[row] - h[row]) > 1e-5 * size * (1.0 + learner->kase->config.shape.rank_sigma))
				snprintf(learner->message, sizeof(learner->message),
						 "tree %u, group %u, row %u: gradient %g and hessian %g, should be %g and %g", learner->n_trees, k,
						 row, (double) trainer->gradient[row], (double) trainer->hessian[row], g[row], h[row]);
		}
		learner->n_groups++;
	}
	free(g);
	free(h);
	free(order);
}

/* Integer gradients of output k from the learner's own scores; those of groups from the engine's, which are close to them. */
static void
take_gradients(NaiveLearner *learner, const GroveTrainer *trainer, uint32_t k)
{
	const KitTable *table = &learner->kase->table;
	GroveRounding rounding = trainer->shared->args.rounding;
	GroveLossRows rows = {table->label, table->weight, learner->score, trainer->identity,
	table->n_rows, table->n_rows, table->n_outputs, 1.0, &learner->kase->config.shape, trainer->gradient, trainer->hessian,
	trainer->shared->args.factored ? trainer->factor : NULL};
	int32_t    *g = kit_alloc(table->n_rows, sizeof(int32_t));
	int32_t    *h = kit_alloc(table->n_rows, sizeof(int32_t));
	size_t		first = (size_t) k * table->n_rows;

	rounding.key += k;
	grove_loss_gradients(learner->kase->config.loss, &rows, k, &rounding, g,
						 rounding.mode == GROVE_HIST_WIDE ? h : NULL);
	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		int32_t		low = g[i] & 0xffff;
		bool		packed = rounding.mode == GROVE_HIST_PACKED;

		learner->g[first + i] = packed ? (g[i] - low) / 65536 : g[i];
		learner->h[first + i] = packed ? low : rounding.mode == GROVE_HIST_WIDE ? h[i] : 1;
	}
	free(g);
	free(h);
}

/* Adds the tree to the scores by walking each raw row from the root. */
static void
add_to_scores(NaiveLearner *learner, const NaiveTree *tree, uint32_t k)
{
	const KitTable *table = &tree->kase->table;

	for (uint32_t i = 0; i < table->n_rows; i++)
	{
		const NaiveNode *node = &tree->nodes[0];

		while (node->left != 0)
			node = &tree->nodes[node->left +
								!naive_goes_left(&node->split, naive_value(table, i, node->split.feature))];
		learner->score[(size_t) k * table->n_rows + i] += (float) node->value;
	}
}

void
naive_check_tree(void *arg, const GroveTrainer *trainer, const KitTree *tree)
{
	NaiveLearner *learner = arg;
	const KitTable *table = &learner->kase->table;
	const GroveRounding *rounding = &trainer->shared->args.rounding;
	NaiveTree  *ours = kit_alloc(1, sizeof(NaiveTree));
	uint32_t	k = learner->n_trees % table->n_outputs;

	if (learner->n_trees == 0)
		memcpy(learner->score, trainer->score, (size_t) table->n_rows * table->n_outputs * sizeof(float));
	if (learner->kase->config.loss == GROVE_LOSS_LAMBDARANK)
		check_rank_gradients(learner, trainer);
	for (uint32_t other = 0; k == 0 && other < table->n_outputs; other++)
		take_gradients(learner, trainer, other);
	ours->kase = learner->kase;
	ours->number = learner->n_trees;
	ours->data.table = table;
	ours->data.limited = learner->kase->config.limited;
	ours->data.g = learner->g + (size_t) k * table->n_rows;
	ours->data.h = learner->h + (size_t) k * table->n_rows;
	ours->data.rules = learner->kase->config.rules;
	ours->data.rules.stochastic = rounding->mode == GROVE_HIST_PACKED;
	ours->data.rules.g_unit = 1.0 / ((double) rounding->g_scale * (double) rounding->weight_scale);
	ours->data.rules.h_unit = rounding->mode == GROVE_HIST_CONSTANT ? 1.0 :
		1.0 / ((double) rounding->h_scale * (double) rounding->weight_scale);
	ours->nodes = kit_alloc((size_t) learner->kase->config.max_leaves * 2, sizeof(NaiveNode));
	grow_tree(ours, trainer);
	set_values(ours, learner->score, trainer->shared->args.factored ? trainer->factor : NULL);
	compare_tree(learner, ours, tree);
	if (learner->kase->config.algorithm != GROVE_ALGORITHM_FOREST)
		add_to_scores(learner, ours, k);
	for (uint32_t i = 0; i < ours->n_nodes; i++)
	{
		learner->n_splits += ours->nodes[i].left != 0;
		learner->n_categorical += ours->nodes[i].left != 0 && ours->nodes[i].split.categorical;
		learner->n_missing += ours->nodes[i].left != 0 && ours->nodes[i].split.threshold == GROVE_LAST_THRESHOLD;
		free(ours->nodes[i].rows);
	}
	learner->n_trees++;
	free(ours->nodes);
	free(ours);
}
