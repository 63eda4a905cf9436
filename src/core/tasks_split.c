/*
 * tasks_split.c: the tasks that split a leaf: send its rows to the children,
 * build the histogram of the smaller one, subtract, and search both.
 */
#include <string.h>

#include "rng.h"
#include "tasks.h"

/* Sends rows left or right by the code in the feature's column; returns how many go left. */
static uint32_t
partition_rows(const GroveTrainer *t, uint32_t feature, const uint8_t *by_code, const GroveEntry *in, GroveEntry *out,
			   uint32_t n)
{
	const GroveColumn *column = &t->matrix.columns[t->matrix.places[feature].column];
	const uint8_t *codes = t->matrix.codes + column->at;

	if (column->width == 2)
		return grove_partition_wide((const uint16_t *) codes, by_code, in, out, n);
	return grove_partition_rows(codes, by_code, in, out, n);
}

/* One part of a list's rows of the leaf, through this worker's scratch, to places reserved by the cursors. */
static void
partition_part(const GroveTrainer *t, uint32_t feature, const uint8_t *by_code, const GroveEntry *in, uint32_t n,
			   GroveEntry *out, uint32_t total, GroveEntry *part,
			   _Atomic uint32_t *left_cursor, _Atomic uint32_t *right_cursor)
{
	uint32_t	left = partition_rows(t, feature, by_code, in, part, n);
	uint32_t	at_left = atomic_fetch_add(left_cursor, left);
	uint32_t	at_right = atomic_fetch_add(right_cursor, n - left);

	memcpy(out + at_left, part, left * sizeof(GroveEntry));
	memcpy(out + total - at_right - (n - left), part + left, (n - left) * sizeof(GroveEntry));
}

void
grove_tasks_partition(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	GroveTrainShared *s = t->shared;
	const GroveLeaf *leaf = &t->leaves[s->args.leaf];
	uint32_t	feature = leaf->best.feature;
	bool		in_bag = task < s->args.partition_chunks;
	GroveEntry **list = in_bag ? t->bag : t->out;
	uint32_t	begin = in_bag ? leaf->begin : leaf->out_begin;
	uint32_t	total = in_bag ? leaf->count : leaf->out_count;
	uint32_t	rows = in_bag ? s->args.partition_rows : s->args.partition_out_rows;
	uint32_t	first = (in_bag ? task : task - s->args.partition_chunks) * rows;
	uint32_t	n = total - first < rows ? total - first : rows;
	_Atomic uint32_t *left = in_bag ? &s->left_cursor : &s->out_left_cursor;
	_Atomic uint32_t *right = in_bag ? &s->right_cursor : &s->out_right_cursor;
	const GroveEntry *in = list[leaf->side] + begin;
	GroveEntry *out = list[1 - leaf->side] + begin;
	uint8_t		by_bin[GROVE_BINS];
	uint8_t		by_code[GROVE_MAX_CODES];

	grove_split_table(&leaf->best, by_bin);
	grove_matrix_by_code(&t->matrix, t->bins, feature, by_bin, by_code);
	if (n == total)
	{
		uint32_t	n_left = partition_rows(t, feature, by_code, in, out, n);

		atomic_store(left, n_left);
		atomic_store(right, n - n_left);
		return;
	}
	partition_part(t, feature, by_code, in + first, n, out, total, t->workers[worker].part, left, right);
}

/* Where the packed histogram of a small leaf is. */
static int64_t *
small_slot(const GroveTrainer *t, int32_t slot)
{
	return t->small_slots + (size_t) slot * t->matrix.n_features * grove_hist_words(t->shared->dims.mode);
}

/* Histograms of a block of a leaf of at most a chunk of rows, into its slot. */
static void
build_small(GroveTrainer *t, uint32_t worker, const GroveLeaf *leaf, int32_t slot, uint32_t block)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	GroveHistMode mode = t->shared->dims.mode;
	size_t		words = grove_hist_words(mode);
	uint32_t	i,
				f;

	grove_tasks_accumulate(t, worker, b, t->bag[leaf->side] + leaf->begin, leaf->count);
	for (i = 0; i < b->n_columns + b->n_wide; i++)
	{
		const int64_t *column = grove_hist_at(b, mode, t->workers[worker].accumulators, i);

		f = t->matrix.columns[grove_hist_column(b, i)].feature;
		for (; f != GROVE_NO_FEATURE; f = t->matrix.places[f].next)
		{
			int64_t    *to = small_slot(t, slot) + f * words;
			const int64_t *from = grove_hist_feature(&t->matrix, t->bins, f, mode, column, to);

			if (from != to)
				memcpy(to, from, (t->bins[f].n_bins + 1) * (words / GROVE_BINS) * sizeof(int64_t));
		}
	}
}

/* The slot in which FIND sees a child: its own, or one of the two that are not kept. */
static int32_t
find_slot(const GroveTrainer *t, uint32_t leaf, bool built)
{
	int32_t		slot = t->leaves[leaf].slot;

	return slot >= 0 ? slot : built ? 0 : 1;
}

void
grove_tasks_hist(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	const GrovePhaseArgs *args = &t->shared->args;
	uint32_t	built = args->build_left ? args->left : args->right;
	uint32_t	other = args->build_left ? args->right : args->left;
	const GroveLeaf *leaf = &t->leaves[built];
	uint32_t	block = task % t->matrix.n_blocks;
	uint32_t	first = task / t->matrix.n_blocks * args->hist_rows;

	if (!grove_tasks_block_used(t, block))
		return;
	if (args->hist_added)
	{
		uint32_t	n = leaf->count - first < args->hist_rows ? leaf->count - first : args->hist_rows;

		grove_tasks_add(t, worker, block, t->bag[leaf->side] + leaf->begin + first, n);
		return;
	}
	build_small(t, worker, leaf, find_slot(t, built, true), block);
	if (args->build_both)
		build_small(t, worker, &t->leaves[other], find_slot(t, other, false), block);
}

/* Reads the kept histogram of one feature. */
static void
load_slot(const GroveTrainer *t, int32_t slot, uint32_t feature, GroveBinSums *sums)
{
	GroveHistMode mode = t->shared->dims.mode;

	if (slot >= GROVE_BIG_SLOT)
	{
		const GroveBinSums *from = t->big_slots + (size_t) (slot - GROVE_BIG_SLOT) * t->matrix.n_features + feature;
		size_t		bytes = (t->bins[feature].n_bins + 1) * sizeof(int64_t);

		memcpy(sums->g, from->g, bytes);
		memcpy(sums->h, from->h, bytes);
		memcpy(sums->c, from->c, bytes);
	}
	else
		grove_hist_unpack(mode, small_slot(t, slot) + feature * grove_hist_words(mode),
						  t->bins[feature].n_bins, false, sums);
}

static void
store_slot(const GroveTrainer *t, int32_t slot, uint32_t feature, const GroveBinSums *sums)
{
	GroveHistMode mode = t->shared->dims.mode;

	if (slot >= GROVE_BIG_SLOT)
	{
		GroveBinSums *to = t->big_slots + (size_t) (slot - GROVE_BIG_SLOT) * t->matrix.n_features + feature;
		size_t		bytes = (t->bins[feature].n_bins + 1) * sizeof(int64_t);

		memcpy(to->g, sums->g, bytes);
		memcpy(to->h, sums->h, bytes);
		memcpy(to->c, sums->c, bytes);
	}
	else
		grove_hist_pack(mode, sums, t->bins[feature].n_bins,
						small_slot(t, slot) + feature * grove_hist_words(mode));
}

/* Sums of the built child: its slot when it is small, else what the workers added. */
static void
load_built(const GroveTrainer *t, uint32_t leaf, uint32_t feature, GroveBinSums *sums)
{
	uint32_t	block = t->matrix.columns[t->matrix.places[feature].column].block;
	uint32_t	n_bins = t->bins[feature].n_bins;
	bool		first = true;
	uint32_t	w,
				b;

	if (!t->shared->args.hist_added && t->shared->args.has_right)
	{
		load_slot(t, find_slot(t, leaf, true), feature, sums);
		return;
	}
	for (w = 0; w < t->shared->dims.n_workers; w++)
	{
		const GroveBinSums *part = t->worker_sums + (size_t) w * t->matrix.n_features + feature;

		if (t->workers[w].epoch[block] != t->shared->args.epoch)
			continue;
		for (b = 0; b <= n_bins; b++)
		{
			sums->g[b] = (first ? 0 : sums->g[b]) + part->g[b];
			sums->h[b] = (first ? 0 : sums->h[b]) + part->h[b];
			sums->c[b] = (first ? 0 : sums->c[b]) + part->c[b];
		}
		first = false;
	}
	if (first)
	{
		memset(sums->g, 0, sizeof(sums->g));
		memset(sums->h, 0, sizeof(sums->h));
		memset(sums->c, 0, sizeof(sums->c));
	}
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
	load_built(t, built, feature, &a);
	if (!args->has_right)
	{
		/* every feature's bins sum to the same totals; each task needs them for itself */
		GroveSums	total;

		total_sums(&a, n_bins, &total);
		store_slot(t, find_slot(t, built, true), feature, &a);
		find_split(t, 0, feature, &a, &total);
		t->found[1][feature].gain = 0.0;
		t->found[1][feature].left = total;
		return;
	}
	if (args->build_both)
		load_slot(t, find_slot(t, other, false), feature, &p);
	else
	{
		load_slot(t, args->parent_slot, feature, &p);
		for (b = 0; b <= n_bins; b++)
		{
			p.g[b] -= a.g[b];
			p.h[b] -= a.h[b];
			p.c[b] -= a.c[b];
		}
		store_slot(t, find_slot(t, other, false), feature, &p);
	}
	if (args->hist_added && t->leaves[built].slot >= 0)
		store_slot(t, t->leaves[built].slot, feature, &a);
	find_split(t, built_child, feature, &a, &t->leaves[built].sums);
	find_split(t, 1 - built_child, feature, &p, &t->leaves[other].sums);
}

void
grove_tasks_leaves(GroveTrainer *t, uint32_t task)
{
	const GroveLeaf *leaf = &t->leaves[task];
	const GroveEntry *bag = t->bag[leaf->side] + leaf->begin;
	const GroveEntry *out = t->out[leaf->side] + leaf->out_begin;
	uint32_t	i;

	for (i = 0; i < leaf->count; i++)
		t->leaf_of[bag[i].row] = (uint16_t) task;
	for (i = 0; i < leaf->out_count; i++)
		t->leaf_of[out[i].row] = (uint16_t) task;
}

void
grove_tasks_out(GroveTrainer *t, uint32_t task)
{
	const GroveLeaf *leaf = &t->leaves[task];
	const GroveEntry *out = t->out[leaf->side] + leaf->out_begin;
	uint32_t	output = t->shared->args.output;
	float	   *sum = t->out_sum + (size_t) output * t->shared->dims.n_rows;
	uint32_t	i;

	for (i = 0; i < leaf->out_count; i++)
	{
		sum[out[i].row] += leaf->value;
		t->out_trees[out[i].row] += output == 0;
	}
}
