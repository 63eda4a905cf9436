/*
 * naive_trees.c: growing a tree by asking every row about every split.
 */
#include "naive_trees.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/rng.h"

/* A split by raw values, and what it gives. */
typedef struct NaiveSplit
{
	double		gain;
	uint32_t	feature;
	bool		categorical;
	bool		missing_left;
	double		threshold;
	bool		set[GROVE_BINS];
	GroveSums	left;
} NaiveSplit;

typedef struct NaiveNode
{
	NaiveSplit	split;
	uint32_t	left;			/* 0: leaf */
	uint32_t	depth;
	uint32_t	leaf;			/* number among the leaves */
	uint32_t   *rows;			/* one entry a copy */
	uint32_t	n_rows;
	GroveSums	sums;
	double		value;
} NaiveNode;

typedef struct NaiveTree
{
	const NaiveLearner *learner;
	const KitTable *table;
	GroveSplitRules rules;
	const int64_t *g;
	const int64_t *h;
	uint64_t	number;			/* of the tree among all of the training */
	bool		used[GROVE_MAX_FEATURES];
	bool		allowed[GROVE_MAX_FEATURES];	/* at the node at hand */
	NaiveNode  *nodes;
	uint32_t	n_nodes;
	uint32_t	n_leaves;
} NaiveTree;

static double
value_at(const KitTable *table, uint32_t row, uint32_t feature)
{
	return table->values[(size_t) row * table->n_features + feature];
}

/* -------------------------------------------------------------------- splits */

static bool
is_missing(bool categorical, double value)
{
	return isnan(value) || (categorical && value == 0.0);
}

static bool
goes_left(const NaiveSplit *split, double value)
{
	if (is_missing(split->categorical, value))
		return split->missing_left;
	return split->categorical ? split->set[(int) value] : value <= split->threshold;
}

static GroveSums
sums_of_left(const NaiveTree *tree, const NaiveNode *node, const NaiveSplit *split)
{
	GroveSums	sums = {0, 0, 0};

	for (uint32_t i = 0; i < node->n_rows; i++)
	{
		uint32_t	row = node->rows[i];

		if (!goes_left(split, value_at(tree->table, row, split->feature)))
			continue;
		sums.g += tree->g[row];
		sums.h += tree->h[row];
		sums.c++;
	}
	return sums;
}

static double
shrunk(double g, double l1)
{
	return g > l1 ? g - l1 : g < -l1 ? g + l1 : 0.0;
}

/* The step of a leaf, and in *gain twice the loss that it takes off. */
static double
leaf_of(const GroveSplitRules *rules, double l2, double g, double h, double *gain)
{
	double		s = shrunk(g, rules->lambda_l1);
	double		step = h + l2 > 0.0 ? -s / (h + l2) : 0.0;

	*gain = h + l2 > 0.0 ? s * s / (h + l2) : 0.0;
	if (rules->max_delta_step > 0.0)
	{
		step = fmax(fmin(step, rules->max_delta_step), -rules->max_delta_step);
		*gain = -(2.0 * s * step + (h + l2) * step * step);
	}
	return step;
}

static bool
is_allowed(const GroveSplitRules *rules, const GroveSums *total, const GroveSums *left)
{
	double		hl = (double) left->h * rules->h_unit;
	double		hr = (double) total->h * rules->h_unit - hl;
	int64_t		least = rules->min_rows > 1 ? rules->min_rows : 1;

	return left->c >= least && total->c - left->c >= least && hl >= rules->min_hessian && hr >= rules->min_hessian &&
		hl + rules->lambda_l2 > 0.0 && hr + rules->lambda_l2 > 0.0;
}

/* Gain of dividing total, with extra L2 on the two sides only. */
static double
gain_of(const GroveSplitRules *rules, const GroveSums *total, const GroveSums *left, double extra)
{
	double		g = (double) total->g * rules->g_unit;
	double		h = (double) total->h * rules->h_unit;
	double		gl = (double) left->g * rules->g_unit;
	double		hl = (double) left->h * rules->h_unit;
	double		a,
				b,
				whole;

	leaf_of(rules, rules->lambda_l2 + extra, gl, hl, &a);
	leaf_of(rules, rules->lambda_l2 + extra, g - gl, h - hl, &b);
	leaf_of(rules, rules->lambda_l2, g, h, &whole);
	return a + b - whole;
}

/* Takes the candidate, whose left sums are known, when it is better. */
static void
consider(const NaiveTree *tree, const NaiveNode *node, NaiveSplit *candidate, bool has_missing, double extra,
		 NaiveSplit *best)
{
	candidate->gain = gain_of(&tree->rules, &node->sums, &candidate->left, extra);
	if (!(candidate->gain > best->gain))
		return;
	*best = *candidate;
	if (!has_missing)
		best->missing_left = candidate->left.c * 2 >= node->sums.c;
}

static void
try_thresholds(const NaiveTree *tree, const NaiveNode *node, NaiveSplit *candidate, bool has_missing, NaiveSplit *best)
{
	const GroveFeatureBins *bins = &tree->table->bins[candidate->feature];

	for (int side = 0; side < (has_missing ? 2 : 1); side++)
	{
		int64_t		without_values;

		candidate->missing_left = side == 1;
		candidate->threshold = -INFINITY;
		without_values = sums_of_left(tree, node, candidate).c;
		for (uint32_t e = 0; e + 1 < bins->n_bins || (e + 1 == bins->n_bins && has_missing && side == 0); e++)
		{
			candidate->threshold = e + 1 < bins->n_bins ? bins->edges[e] : GROVE_LAST_THRESHOLD;
			candidate->left = sums_of_left(tree, node, candidate);
			/* missing against all values is a candidate once, with missing on the right */
			if (candidate->left.c > without_values && is_allowed(&tree->rules, &node->sums, &candidate->left))
				consider(tree, node, candidate, has_missing, 0.0, best);
		}
	}
}

/* Makes category b, or missing for b = 0, go left or right. */
static void
send(NaiveSplit *candidate, uint32_t b, bool left)
{
	if (b == 0)
		candidate->missing_left = left;
	else
		candidate->set[b] = left;
}

static void
try_one_against_rest(const NaiveTree *tree, const NaiveNode *node, NaiveSplit *candidate, bool has_missing,
					 NaiveSplit *best)
{
	for (uint32_t b = 0; b <= tree->table->bins[candidate->feature].n_bins; b++)
	{
		send(candidate, b, true);
		candidate->left = sums_of_left(tree, node, candidate);
		if (is_allowed(&tree->rules, &node->sums, &candidate->left))
			consider(tree, node, candidate, has_missing, 0.0, best);
		send(candidate, b, false);
	}
}

/* Categories with enough rows, by gradient over smoothed hessian, equal ones by number; returns how many. */
static uint32_t
sort_categories(const NaiveTree *tree, const NaiveNode *node, uint32_t feature, uint32_t *order, int64_t *rows)
{
	const GroveSplitRules *rules = &tree->rules;
	double		ratio[GROVE_BINS];
	uint32_t	n = 0;

	for (uint32_t b = 0; b <= tree->table->bins[feature].n_bins; b++)
	{
		NaiveSplit	alone = {.feature = feature,.categorical = true};
		GroveSums	sums;
		double		h;
		uint32_t	at;

		send(&alone, b, true);
		sums = sums_of_left(tree, node, &alone);
		rows[b] = sums.c;
		if (sums.c == 0 || (double) sums.c < rules->cat_smooth)
			continue;
		h = (double) sums.h * rules->h_unit + rules->cat_smooth;
		ratio[b] = h > 0.0 ? (double) sums.g * rules->g_unit / h : 0.0;
		for (at = n; at > 0 && ratio[order[at - 1]] > ratio[b]; at--)
			order[at] = order[at - 1];
		order[at] = b;
		n++;
	}
	return n;
}

static void
try_sorted(const NaiveTree *tree, const NaiveNode *node, const NaiveSplit *empty, bool has_missing, NaiveSplit *best)
{
	const GroveSplitRules *rules = &tree->rules;
	uint32_t	order[GROVE_BINS];
	int64_t		rows[GROVE_BINS];
	uint32_t	n = sort_categories(tree, node, empty->feature, order, rows);

	for (int end = 0; end < 2; end++)
	{
		NaiveSplit	candidate = *empty;
		int64_t		group = 0;

		for (uint32_t i = 0; i < (n + 1) / 2 && i < rules->max_cat_threshold; i++)
		{
			uint32_t	b = order[end == 0 ? i : n - 1 - i];

			send(&candidate, b, true);
			candidate.left = sums_of_left(tree, node, &candidate);
			group += rows[b];
			if (group < rules->min_data_per_group || node->sums.c - candidate.left.c < rules->min_data_per_group ||
				!is_allowed(rules, &node->sums, &candidate.left))
				continue;
			group = 0;
			consider(tree, node, &candidate, has_missing, rules->cat_l2, best);
		}
	}
}

static void
try_feature(const NaiveTree *tree, const NaiveNode *node, uint32_t feature, NaiveSplit *best)
{
	const GroveFeatureBins *bins = &tree->table->bins[feature];
	NaiveSplit	candidate = {.feature = feature,.categorical = bins->categorical};
	bool		has_missing = false;

	for (uint32_t i = 0; i < node->n_rows; i++)
		has_missing = has_missing || is_missing(bins->categorical, value_at(tree->table, node->rows[i], feature));
	if (!bins->categorical)
		try_thresholds(tree, node, &candidate, has_missing, best);
	else if (bins->n_bins <= tree->rules.max_cat_to_onehot)
		try_one_against_rest(tree, node, &candidate, has_missing, best);
	else
		try_sorted(tree, node, &candidate, has_missing, best);
}

/* --------------------------------------------------------------------- trees */

/* The documented choice: of n candidates the max(1, ceil(fraction * n)) with the smallest hashes. */
static void
choose_features(const NaiveTree *tree, uint64_t number, double fraction, const bool *candidates, bool *chosen)
{
	const KitCase *kase = tree->learner->kase;
	uint64_t	key = grove_rng_hash(grove_rng_key(kase->config.seed, GROVE_PURPOSE_FEATURE), number);
	uint32_t	n = 0;

	for (uint32_t f = 0; f < tree->table->n_features; f++)
		n += candidates[f];
	for (uint32_t f = 0; f < tree->table->n_features; f++)
	{
		uint32_t	before = 0;

		for (uint32_t other = 0; other < tree->table->n_features; other++)
			before += candidates[other] && grove_rng_hash(key, other) < grove_rng_hash(key, f);
		chosen[f] = candidates[f] && before < fmax(1.0, ceil(fraction * n));
	}
}

static void
search_node(NaiveTree *tree, uint32_t number)
{
	const GroveTrainConfig *config = &tree->learner->kase->config;
	NaiveNode  *node = &tree->nodes[number];
	NaiveSplit	best;
	double		whole;

	node->split.gain = 0.0;
	if (node->depth >= config->max_depth)
		return;
	choose_features(tree, (tree->number << 20) + number + 1, config->feature_fraction_bynode, tree->used,
					tree->allowed);
	leaf_of(&tree->rules, tree->rules.lambda_l2, (double) node->sums.g * tree->rules.g_unit,
			(double) node->sums.h * tree->rules.h_unit, &whole);
	memset(&best, 0, sizeof(best));
	best.gain = tree->rules.min_gain + 1e-10 * whole;
	for (uint32_t f = 0; f < tree->table->n_features; f++)
	{
		if (tree->allowed[f])
			try_feature(tree, node, f, &best);
	}
	if (best.left.c > 0)
		node->split = best;
}

static void
add_row(NaiveTree *tree, NaiveNode *node, uint32_t row)
{
	node->rows[node->n_rows++] = row;
	node->sums.g += tree->g[row];
	node->sums.h += tree->h[row];
	node->sums.c++;
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
		bool		goes = goes_left(&parent->split, value_at(tree->table, row, parent->split.feature));

		add_row(tree, goes ? left : right, row);
	}
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

static void
grow_tree(NaiveTree *tree, const GroveTrainer *trainer)
{
	const KitCase *kase = tree->learner->kase;
	uint32_t	n = tree->table->n_rows;
	bool		all[GROVE_MAX_FEATURES];
	uint32_t	number;

	memset(all, 1, sizeof(all));
	choose_features(tree, tree->number << 20, kase->config.feature_fraction, all, tree->used);
	tree->nodes[0].rows = kit_alloc((size_t) n * 16, sizeof(uint32_t));
	for (uint32_t i = 0; i < n; i++)
	{
		for (uint32_t copies = grove_tasks_copies(trainer, i, trainer->shared->args.bag_key); copies > 0; copies--)
			add_row(tree, &tree->nodes[0], i);
	}
	tree->n_nodes = 1;
	tree->n_leaves = 1;
	search_node(tree, 0);
	while (tree->n_leaves < kase->config.max_leaves && (number = next_node(tree)) != UINT32_MAX)
	{
		uint32_t	left = tree->n_nodes;

		split_node(tree, number);
		search_node(tree, left);
		search_node(tree, left + 1);
	}
	for (uint32_t i = 0; i < tree->n_nodes; i++)
	{
		NaiveNode  *node = &tree->nodes[i];
		double		unused;

		node->value = kase->config.learning_rate *
			leaf_of(&tree->rules, tree->rules.lambda_l2, (double) node->sums.g * tree->rules.g_unit,
					(double) node->sums.h * tree->rules.h_unit, &unused);
	}
}

/* -------------------------------------------------------------------- compare */

static bool
close_to(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b);
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
	if (!close_to(tree->gain[i], split->gain) || node->gain != (float) tree->gain[i])
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
	if (node->cover != (float) ((double) n->sums.h * ours->rules.h_unit))
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

/* Integer gradients of output k from the learner's own scores. */
static void
take_gradients(NaiveLearner *learner, const GroveTrainer *trainer, uint32_t k)
{
	const KitTable *table = &learner->kase->table;
	GroveRounding rounding = trainer->shared->args.rounding;
	GroveLossRows rows = {table->label, table->weight, learner->score, trainer->identity,
	table->n_rows, table->n_rows, table->n_outputs, 1.0};
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
	for (uint32_t i = 0; i < tree->table->n_rows; i++)
	{
		const NaiveNode *node = &tree->nodes[0];

		while (node->left != 0)
			node = &tree->nodes[node->left +
								!goes_left(&node->split, value_at(tree->table, i, node->split.feature))];
		learner->score[(size_t) k * tree->table->n_rows + i] += (float) node->value;
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
	for (uint32_t other = 0; k == 0 && other < table->n_outputs; other++)
		take_gradients(learner, trainer, other);
	ours->learner = learner;
	ours->table = table;
	ours->number = learner->n_trees;
	ours->g = learner->g + (size_t) k * table->n_rows;
	ours->h = learner->h + (size_t) k * table->n_rows;
	ours->rules = learner->kase->config.rules;
	ours->rules.g_unit = 1.0 / (double) rounding->g_scale;
	ours->rules.h_unit = rounding->mode == GROVE_HIST_CONSTANT ? 1.0 : 1.0 / (double) rounding->h_scale;
	ours->nodes = kit_alloc((size_t) learner->kase->config.max_leaves * 2, sizeof(NaiveNode));
	grow_tree(ours, trainer);
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
