/*
 * tasks_split.c: the tasks that split a leaf: send its rows to the children,
 * have the histogram of the smaller one built, subtract, and search both.
 */
#include <string.h>

#include "rng.h"
#include "tasks.h"

/* The rows of one part go to the children, by the code in the column of the feature. */
static void
move_part(GroveTrainer *t, uint32_t part, uint32_t feature, const uint8_t *by_code)
{
	const GrovePhaseArgs *args = &t->shared->args;
	const GroveColumn *column = &t->matrix.columns[t->matrix.places[feature].column];
	const uint8_t *codes = t->matrix.codes + column->at;
	const uint16_t *wide = (const uint16_t *) codes;
	uint32_t	side = t->leaves[args->left].side;	/* where they go */
	GroveSegment *left = grove_trainer_segment(t, args->left, part);
	GroveSegment *right = grove_trainer_segment(t, args->right, part);
	GroveSegment parent = *left;
	const GroveEntry *bag = t->bag[1 - side] + parent.begin;
	const uint32_t *out = t->out[1 - side] + parent.out_begin;

	if (column->width == 2)
	{
		left->count = grove_partition_entries_wide(wide, by_code, bag, t->bag[side] + parent.begin, parent.count);
		left->out_count = grove_partition_rows_wide(wide, by_code, out, t->out[side] + parent.out_begin, parent.out_count);
	}
	else
	{
		left->count = grove_partition_entries(codes, by_code, bag, t->bag[side] + parent.begin, parent.count);
		left->out_count = grove_partition_rows(codes, by_code, out, t->out[side] + parent.out_begin, parent.out_count);
	}
	right->begin = parent.begin + left->count;
	right->count = parent.count - left->count;
	right->out_begin = parent.out_begin + left->out_count;
	right->out_count = parent.out_count - left->out_count;
}

void
grove_tasks_split(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	const GrovePhaseArgs *args = &t->shared->args;
	const GroveSplit *split = &t->leaves[args->left].best;
	uint32_t	built = args->build_left ? args->left : args->right;
	uint32_t	other = args->build_left ? args->right : args->left;
	uint32_t	end = args->whole ? t->shared->n_parts : task + 1;
	uint8_t		by_bin[GROVE_BINS];
	uint8_t		by_code[GROVE_MAX_CODES];
	uint32_t	part;

	grove_split_table(split, by_bin);
	grove_matrix_by_code(&t->matrix, t->bins, split->feature, by_bin, by_code);
	for (part = task; part < end; part++)
	{
		move_part(t, part, split->feature, by_code);
		if (args->search && args->place != GROVE_HIST_IN_SLOT)
			grove_tasks_add_part(t, worker, built, part);
	}
	if (!args->search || args->place != GROVE_HIST_IN_SLOT)
		return;
	grove_tasks_build(t, worker, built, grove_tasks_slot(t, built, true));
	if (args->build_both)
		grove_tasks_build(t, worker, other, grove_tasks_slot(t, other, false));
}

static void
total_sums(const GroveBinSums *sums, uint32_t n_bins, GroveSums *total)
{
	uint32_t	b;

	memset(total, 0, sizeof(*total));
	for (b = 0; b <= n_bins; b++)
	{
		total->g += sums->g[b];
		total->h += sums->h[b];
		total->c += sums->c[b];
	}
}

/*
 * extra_trees: random bits that choose a candidate.  Of the windows on a
 * feature one is tried, the one with a level that is chosen at random; 0: not
 * this one.
 */
static uint64_t
pick_of(const GroveTrainer *t, int child, uint32_t feature)
{
	uint64_t	key = t->shared->args.pick_key[child];
	const GroveFeatureBins *bins = &t->bins[feature];
	uint32_t	first = t->matrix.columns[t->matrix.places[feature].column].feature;

	if (bins->window_levels > 0 &&
		(uint32_t) grove_rng_range(grove_rng_hash(key, GROVE_MAX_FEATURES + first), bins->window_levels) -
		bins->window_first >= bins->n_bins - 1)
		return 0;
	return grove_rng_hash(key, feature) | 1;
}

/* Best split of one child on one feature. */
static void
find_split(GroveTrainer *t, int child, uint32_t feature, const GroveBinSums *sums, const GroveSums *total)
{
	const GroveTrainConfig *config = &t->shared->config;
	GroveSplit *found = &t->found[child][feature];
	const GroveLeaf *leaf = &t->leaves[child == 0 ? t->shared->args.left : t->shared->args.right];
	GroveLimits limits;

	limits.pick = config->extra_trees ? pick_of(t, child, feature) : 0;
	if (!t->allowed[child][feature] || (config->extra_trees && limits.pick == 0))
	{
		found->gain = 0.0;
		return;
	}
	limits.lower = leaf->lower;
	limits.upper = leaf->upper;
	/* the root's sums are what this phase finds out */
	limits.output = t->shared->args.has_right ? leaf->output :
		grove_split_value(&t->shared->rules, total, NULL);
	limits.monotone = t->monotone[feature];
	grove_split_find(&t->shared->rules, &t->bins[feature], feature, sums, total,
					 config->limited ? &limits : NULL, found);
}

void
grove_tasks_find(GroveTrainer *t, uint32_t feature)
{
	const GrovePhaseArgs *args = &t->shared->args;
	uint32_t	n_bins = t->bins[feature].n_bins;
	uint32_t	built = args->build_left || !args->has_right ? args->left : args->right;
	uint32_t	other = args->build_left ? args->right : args->left;
	int			built_child = built == args->left ? 0 : 1;
	GroveBinSums a,
				p;
	uint32_t	b;

	if (!t->used[feature])
	{
		t->found[0][feature].gain = 0.0;
		t->found[1][feature].gain = 0.0;
		return;
	}
	if (args->has_right && args->place == GROVE_HIST_IN_SLOT)
		grove_tasks_load(t, grove_tasks_slot(t, built, true), feature, &a);
	else
		grove_tasks_collect(t, feature, &a);
	if (!args->has_right)
	{
		/* every feature's bins sum to the same totals; each task needs them for itself */
		GroveSums	total;

		total_sums(&a, n_bins, &total);
		grove_tasks_store(t, grove_tasks_slot(t, built, true), feature, &a);
		find_split(t, 0, feature, &a, &total);
		t->found[1][feature].gain = 0.0;
		t->found[1][feature].left = total;
		return;
	}
	if (args->build_both)
		grove_tasks_load(t, grove_tasks_slot(t, other, false), feature, &p);
	else
	{
		grove_tasks_load(t, args->parent_slot, feature, &p);
		for (b = 0; b <= n_bins; b++)
		{
			p.g[b] -= a.g[b];
			p.h[b] -= a.h[b];
			p.c[b] -= a.c[b];
		}
		grove_tasks_store(t, grove_tasks_slot(t, other, false), feature, &p);
	}
	if (args->place != GROVE_HIST_IN_SLOT && t->leaves[built].slot >= 0)
		grove_tasks_store(t, t->leaves[built].slot, feature, &a);
	find_split(t, built_child, feature, &a, &t->leaves[built].sums);
	find_split(t, 1 - built_child, feature, &p, &t->leaves[other].sums);
}

void
grove_tasks_leaves(GroveTrainer *t, uint32_t part)
{
	uint32_t	leaf,
				i;

	for (leaf = 0; leaf < t->shared->n_leaves; leaf++)
	{
		uint32_t	side = t->leaves[leaf].side;
		const GroveSegment *rows = grove_trainer_segment(t, leaf, part);
		const GroveEntry *bag = t->bag[side] + rows->begin;
		const uint32_t *out = t->out[side] + rows->out_begin;

		for (i = 0; i < rows->count; i++)
			t->leaf_of[bag[i].row] = (uint16_t) leaf;
		for (i = 0; i < rows->out_count; i++)
			t->leaf_of[out[i]] = (uint16_t) leaf;
	}
}

void
grove_tasks_out(GroveTrainer *t, uint32_t task)
{
	const GroveLeaf *leaf = &t->leaves[task];
	uint32_t	output = t->shared->args.output;
	float	   *sum = t->out_sum + (size_t) output * t->shared->dims.n_rows;
	uint32_t	part,
				i;

	for (part = 0; part < t->shared->n_parts; part++)
	{
		const GroveSegment *rows = grove_trainer_segment(t, task, part);
		const uint32_t *out = t->out[leaf->side] + rows->out_begin;

		for (i = 0; i < rows->out_count; i++)
		{
			sum[out[i]] += leaf->value;
			t->out_trees[out[i]] += output == 0;
		}
	}
}
