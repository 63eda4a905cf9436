/*
 * grow.c: one tree, leaf by leaf: the leaf whose split gains most is split
 * next (leaf-wise growth, LightGBM, NIPS 2017).
 *
 * The leader's part: it decides between phases and touches no rows.  How many
 * rows each child will have is known from the histogram, so one phase moves
 * the rows and builds the histogram of the child with fewer; the other's is
 * the parent's minus it.  Histograms are kept in slots: small leaves of which
 * no slot was left are built anew when they are split, which changes the time
 * but, as sums are integers, not the tree.
 */
#include <float.h>
#include <string.h>

#include "ccp.h"
#include "rng.h"

#define SPLIT_CELLS_MIN		65536	/* additions to histograms, or as much other work, that are worth sharing */
#define MOVE_CELLS			4		/* additions that take as long as moving a row */
#define FIND_FEATURES_MIN	8		/* fewer: the search is not worth sharing, however many rows there are */

static void
set_phase(GroveTrainShared *s, GrovePhase phase, uint32_t n_tasks, bool small)
{
	s->phase = phase;
	s->by_part = phase == GROVE_PHASE_ROOT || phase == GROVE_PHASE_SPLIT;
	s->n_tasks = n_tasks;
	s->small = small;
}

/* The k-th smallest of n words, k from 0; reorders them (Hoare's quickselect). */
static uint64_t
kth_smallest(uint64_t *words, uint32_t n, uint32_t k)
{
	uint32_t	low = 0;
	uint32_t	high = n - 1;

	while (low < high)
	{
		uint64_t	pivot = words[low + (high - low) / 2];
		uint32_t	i = low;
		uint32_t	j = high;

		for (;;)
		{
			uint64_t	swap;

			while (words[i] < pivot)
				i++;
			while (words[j] > pivot)
				j--;
			if (i >= j)
				break;
			swap = words[i];
			words[i++] = words[j];
			words[j--] = swap;
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return words[k];
}

/*
 * Chooses max(1, round up(fraction * candidates)) features: those with the
 * smallest hashes of (seed, number of the choice, number of the feature).
 * Windows on one feature are chosen together.  candidates NULL: all.
 */
static void
choose_features(const GroveTrainer *t, const uint8_t *candidates, uint8_t *chosen, double fraction, uint64_t number)
{
	uint64_t	hashes[GROVE_MAX_FEATURES];
	uint32_t	n = t->shared->dims.n_features;
	uint64_t	key;
	uint64_t	last;
	uint32_t	total = 0;
	uint32_t	wanted;
	uint32_t	feature = 0;
	bool		picked = false;
	uint32_t	f;

	if (fraction >= 1.0)
	{
		for (f = 0; f < n; f++)
			chosen[f] = !candidates || candidates[f];
		return;
	}
	key = grove_rng_hash(grove_rng_key(t->shared->config.seed, GROVE_PURPOSE_FEATURE), number);
	for (f = 0; f < n; f++)
	{
		if (!grove_bins_first(&t->bins[f]))
			continue;
		if (!candidates || candidates[f])
			hashes[total++] = grove_rng_hash(key, feature);
		feature++;
	}
	if (total == 0)
	{
		memset(chosen, 0, n);
		return;
	}
	wanted = (uint32_t) (fraction * total);
	if ((double) wanted < fraction * total || wanted == 0)
		wanted++;
	last = kth_smallest(hashes, total, wanted - 1);
	feature = 0;
	for (f = 0; f < n; f++)
	{
		if (grove_bins_first(&t->bins[f]))
			picked = grove_rng_hash(key, feature++) <= last;
		chosen[f] = (!candidates || candidates[f]) && picked;
	}
}

static int32_t
take_slot(GroveTrainer *t, uint32_t count)
{
	GroveTrainShared *s = t->shared;

	if (count > GROVE_HIST_CHUNK)
		return t->free_big[--s->n_free_big];
	return s->n_free_small > 0 ? t->free_small[--s->n_free_small] : -1;
}

static void
free_slot(GroveTrainer *t, int32_t slot)
{
	GroveTrainShared *s = t->shared;

	if (slot >= GROVE_BIG_SLOT)
		t->free_big[s->n_free_big++] = slot;
	else if (slot >= 0)
		t->free_small[s->n_free_small++] = slot;
}

/* All slots free; small slots 0 and 1 are for children whose histogram is not kept. */
static void
reset_slots(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	uint32_t	i;

	s->n_free_small = 0;
	s->n_free_big = 0;
	for (i = t->n_small; i > 2; i--)
		t->free_small[s->n_free_small++] = (int32_t) (i - 1);
	for (i = t->n_big; i > 0; i--)
		t->free_big[s->n_free_big++] = GROVE_BIG_SLOT + (int32_t) (i - 1);
}

static void
reset_root(GroveLeaf *root)
{
	memset(root, 0, sizeof(*root));
	root->lower = -DBL_MAX;
	root->upper = DBL_MAX;
	root->groups = ~UINT64_C(0);
}

/*
 * Features that may split a leaf: those of the tree, as far as the leaf's path
 * lets them interact.  leaf NULL: the root, whose place in leaves[] still
 * belongs to the tree before until its rows are listed.
 */
static void
choose_for_leaf(GroveTrainer *t, int child, const GroveLeaf *leaf, uint64_t number)
{
	const GroveTrainConfig *config = &t->shared->config;
	uint8_t	   *allowed = t->allowed[child];
	uint32_t	f;

	t->shared->args.pick_key[child] =
		grove_rng_hash(grove_rng_key(config->seed, GROVE_PURPOSE_FEATURE), ~number);
	if (!config->interaction || leaf == NULL)
	{
		choose_features(t, t->used, allowed, config->feature_fraction_bynode, number);
		return;
	}
	for (f = 0; f < t->shared->dims.n_features; f++)
		allowed[f] = t->used[f] && ((t->groups[f] & leaf->groups) != 0 ||
									grove_matrix_same_feature(&t->matrix, t->bins, f, leaf->last_feature));
	choose_features(t, allowed, allowed, config->feature_fraction_bynode, number);
}

void
grove_grow_begin(GroveTrainer *t, uint32_t round, uint32_t output)
{
	GroveTrainShared *s = t->shared;
	uint64_t	tree = (uint64_t) round * s->dims.n_outputs + output;

	s->n_leaves = 1;
	s->n_nodes = 1;
	s->n_sets = 0;
	reset_slots(t);
	s->args.output = output;
	s->args.left = 0;
	s->args.has_right = false;
	s->args.build_left = true;
	s->args.build_both = false;
	s->args.epoch++;
	choose_features(t, NULL, t->used, s->config.feature_fraction, tree << 20);
	choose_for_leaf(t, 0, NULL, (tree << 20) + 1);
	s->args.place = GROVE_HIST_IN_SUMS;
	set_phase(s, GROVE_PHASE_ROOT, s->n_parts, s->dims.n_rows < 4096);
}

/* The root's place in the lists, known once it is clear which rows the tree sees. */
static void
place_root(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	GroveLeaf  *root = &t->leaves[0];

	reset_root(root);
	root->count = s->n_bag;
	root->out_count = s->n_out;
	memcpy(t->segments, s->root, s->n_parts * sizeof(GroveSegment));
	root->slot = take_slot(t, root->count);
	set_phase(s, GROVE_PHASE_FIND, s->dims.n_features, true);
}

/* The best of what FIND found for one child. */
static void
reduce_found(const GroveTrainer *t, int child, GroveSplit *best)
{
	uint32_t	f;

	best->gain = 0.0;
	for (f = 0; f < t->shared->dims.n_features; f++)
	{
		if (t->found[child][f].gain > best->gain)
			*best = t->found[child][f];
	}
}

/* As a float; sums beyond its range are cut. */
static float
to_float(double value)
{
	return value < FLT_MAX ? (float) value : FLT_MAX;
}

static void
set_leaf_node(GroveTrainer *t, uint32_t leaf)
{
	const GroveLeaf *l = &t->leaves[leaf];
	GroveNode  *node = &t->nodes[l->node];

	memset(node, 0, sizeof(*node));
	node->cover = to_float((double) l->sums.h * t->shared->rules.h_unit);
	node->count = (uint32_t) l->sums.c;
}

/* Sums of the root from any feature that the tree may use. */
static void
finish_root(GroveTrainer *t)
{
	GroveLeaf  *root = &t->leaves[0];
	uint32_t	f = 0;

	while (!t->used[f])
		f++;
	root->sums = t->found[1][f].left;
	root->output = grove_split_value(&t->shared->rules, &root->sums, NULL);
	reduce_found(t, 0, &root->best);
	set_leaf_node(t, 0);
}

/* Turns the leaf's node into a split; its children take the next two nodes. */
static void
set_split_node(GroveTrainer *t, const GroveLeaf *leaf)
{
	GroveTrainShared *s = t->shared;
	const GroveSplit *best = &leaf->best;
	GroveNode  *node = &t->nodes[leaf->node];

	if (s->dims.pruned)
	{
		t->node_gain[leaf->node] = best->gain;
		t->node_output[leaf->node] = leaf->output * s->config.learning_rate;
	}
	node->gain = to_float(best->gain);
	node->left = s->n_nodes;
	node->feature = (uint16_t) best->feature;
	node->flags = best->missing_left ? GROVE_NODE_MISSING_LEFT : 0;
	if (best->categorical)
	{
		node->flags |= GROVE_NODE_CATEGORICAL;
		node->set = s->n_sets;
		memcpy(t->sets[s->n_sets++], best->set, sizeof(best->set));
	}
	else
	{
		const GroveFeatureBins *bins = &t->bins[best->feature];

		/* all values against missing has no edge of its own */
		node->value = best->bin < bins->n_bins ? bins->edges[best->bin - 1] : GROVE_LAST_THRESHOLD;
	}
}

/* Outputs and bounds of the children of a split; parent is the leaf as it was. */
static void
limit_children(const GroveTrainer *t, const GroveLeaf *parent, GroveLeaf *left, GroveLeaf *right)
{
	const GroveTrainShared *s = t->shared;
	uint32_t	feature = parent->best.feature;
	int			monotone = t->monotone[feature];
	GroveLimits limits;
	double		middle;

	limits.lower = parent->lower;
	limits.upper = parent->upper;
	limits.output = parent->output;
	limits.monotone = monotone;
	limits.pick = 0;
	left->output = grove_split_value(&s->rules, &left->sums, s->config.limited ? &limits : NULL);
	right->output = grove_split_value(&s->rules, &right->sums, s->config.limited ? &limits : NULL);
	middle = 0.5 * left->output + 0.5 * right->output;
	if (monotone > 0)
		left->upper = right->lower = middle;
	else if (monotone < 0)
		left->lower = right->upper = middle;
	left->groups = right->groups = parent->groups & t->groups[feature];
	left->last_feature = right->last_feature = feature;
}

/* Whether a leaf of this depth and these sums could still be split. */
static bool
can_split(const GroveTrainShared *s, const GroveLeaf *leaf)
{
	return leaf->depth < s->config.max_depth && s->n_leaves < s->config.max_leaves &&
		leaf->sums.c >= 2 * s->rules.min_rows && leaf->sums.c >= 2;
}

/* The two children: the left one takes the place of the parent, whose best split tells where its rows go. */
static void
place_children(GroveTrainer *t, uint32_t leaf)
{
	GroveTrainShared *s = t->shared;
	GrovePhaseArgs *args = &s->args;
	GroveLeaf  *left = &t->leaves[leaf];
	GroveLeaf  *right = &t->leaves[s->n_leaves];
	GroveLeaf	parent = *left;

	args->left = leaf;
	args->right = s->n_leaves++;
	args->has_right = true;
	left->side = 1 - left->side;
	left->depth++;
	*right = *left;
	right->node = s->n_nodes + 1;
	right->sums.g = parent.sums.g - parent.best.left.g;
	right->sums.h = parent.sums.h - parent.best.left.h;
	right->sums.c = parent.sums.c - parent.best.left.c;
	right->count = (uint32_t) right->sums.c;
	right->out_count = (uint32_t) ((uint64_t) parent.out_count * right->count / parent.count);
	left->node = s->n_nodes;
	left->sums = parent.best.left;
	left->count = (uint32_t) left->sums.c;
	left->out_count = parent.out_count - right->out_count;
	s->n_nodes += 2;
	limit_children(t, &parent, left, right);
}

/* Which histograms are built, and where. */
static void
plan_hist(GroveTrainShared *s, const GroveLeaf *left, const GroveLeaf *right)
{
	GrovePhaseArgs *args = &s->args;
	const GroveLeaf *built;
	uint64_t	moved = (uint64_t) left->count + right->count + left->out_count + right->out_count;
	uint64_t	cells = moved * MOVE_CELLS;

	args->search = can_split(s, left) || can_split(s, right);
	args->build_left = left->count <= right->count;
	args->build_both = args->search && left->slot < 0;
	args->parent_slot = left->slot;
	args->epoch++;
	built = args->build_left ? left : right;
	if (args->search)
		cells += (uint64_t) built->count * s->dims.n_features;
	args->whole = s->n_parts == 1 || args->build_both || cells < SPLIT_CELLS_MIN;
	args->place = built->count > GROVE_HIST_CHUNK ? GROVE_HIST_IN_SUMS :
		args->whole ? GROVE_HIST_IN_SLOT : GROVE_HIST_IN_PARTS;
}

/* Slots of the children: the sibling inherits the parent's when the form fits. */
static void
assign_slots(GroveTrainer *t)
{
	GrovePhaseArgs *args = &t->shared->args;
	GroveLeaf  *built = &t->leaves[args->build_left ? args->left : args->right];
	GroveLeaf  *other = &t->leaves[args->build_left ? args->right : args->left];
	bool		parent_big = args->parent_slot >= GROVE_BIG_SLOT;

	if (args->parent_slot >= 0 && parent_big == (other->count > GROVE_HIST_CHUNK))
		other->slot = args->parent_slot;
	else
		other->slot = take_slot(t, other->count);
	built->slot = take_slot(t, built->count);
}

/* Sets up the split of a leaf: its children, and the phase that moves its rows and builds a histogram. */
static void
begin_split(GroveTrainer *t, uint32_t leaf)
{
	GroveTrainShared *s = t->shared;
	GrovePhaseArgs *args = &s->args;
	uint64_t	tree = ((uint64_t) args->round * s->dims.n_outputs + args->output) << 20;
	GroveLeaf  *left = &t->leaves[leaf];
	GroveLeaf  *right = &t->leaves[s->n_leaves];

	set_split_node(t, left);
	place_children(t, leaf);
	plan_hist(s, left, right);
	if (args->search)
	{
		assign_slots(t);
		choose_for_leaf(t, 0, left, tree + left->node + 1);
		choose_for_leaf(t, 1, right, tree + right->node + 1);
	}
	else
	{
		free_slot(t, args->parent_slot);
		left->slot = -1;
		right->slot = -1;
	}
	set_phase(s, GROVE_PHASE_SPLIT, args->whole ? 1 : s->n_parts, args->whole);
}

/* Both children are leaves; the slots of those that cannot be split are given back. */
static void
finish_children(GroveTrainer *t, bool searched)
{
	GrovePhaseArgs *args = &t->shared->args;
	int			child;

	for (child = 0; child < 2; child++)
	{
		uint32_t	l = child == 0 ? args->left : args->right;
		GroveLeaf  *leaf = &t->leaves[l];

		leaf->best.gain = 0.0;
		if (searched && can_split(t->shared, leaf))
			reduce_found(t, child, &leaf->best);
		set_leaf_node(t, l);
	}
	if (searched && args->parent_slot >= 0 &&
		t->leaves[args->left].slot != args->parent_slot && t->leaves[args->right].slot != args->parent_slot)
		free_slot(t, args->parent_slot);
	for (child = 0; child < 2; child++)
	{
		GroveLeaf  *leaf = &t->leaves[child == 0 ? args->left : args->right];

		if (leaf->best.gain <= 0.0 && searched)
		{
			free_slot(t, leaf->slot);
			leaf->slot = -1;
		}
	}
}

/* The next leaf to split, or UINT32_MAX. */
static uint32_t
best_leaf(const GroveTrainer *t)
{
	const GroveTrainShared *s = t->shared;
	double		gain = 0.0;
	uint32_t	best = UINT32_MAX;
	uint32_t	i;

	if (s->n_leaves >= s->config.max_leaves)
		return best;
	for (i = 0; i < s->n_leaves; i++)
	{
		if (t->leaves[i].best.gain > gain)
		{
			gain = t->leaves[i].best.gain;
			best = i;
		}
	}
	return best;
}

/* Leaf values of the grown tree, which is then pruned. */
static void
finish_tree(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;
	uint32_t	i;

	for (i = 0; i < s->n_leaves; i++)
	{
		GroveLeaf  *leaf = &t->leaves[i];
		GroveNode  *node = &t->nodes[leaf->node];

		node->value = leaf->output * s->config.learning_rate;
		leaf->value = (float) node->value;
	}
	if (s->dims.pruned && s->config.ccp_alpha > 0.0)
		grove_ccp_prune_grown(t);
}

/* Splits the next leaf, or ends the tree. */
static bool
continue_tree(GroveTrainer *t)
{
	uint32_t	leaf = best_leaf(t);

	if (leaf == UINT32_MAX)
	{
		finish_tree(t);
		return false;
	}
	begin_split(t, leaf);
	return true;
}

bool
grove_grow_next(GroveTrainer *t)
{
	GroveTrainShared *s = t->shared;

	switch (s->phase)
	{
		case GROVE_PHASE_ROOT:
			place_root(t);
			return true;
		case GROVE_PHASE_SPLIT:
			if (!s->args.search)
			{
				finish_children(t, false);
				return continue_tree(t);
			}
			set_phase(s, GROVE_PHASE_FIND, s->dims.n_features,
					  s->dims.n_features < FIND_FEATURES_MIN);
			return true;
		case GROVE_PHASE_FIND:
			if (s->args.has_right)
				finish_children(t, true);
			else
				finish_root(t);
			return continue_tree(t);
		default:
			return false;
	}
}
