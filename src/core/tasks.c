/*
 * tasks.c: the bodies of the tasks; each can run in any process.
 *
 * A task reads what the leader set up and writes to places that no other task
 * of the phase writes to, or moves an atomic cursor.  Nothing here waits.
 */
#include <string.h>

#include "rng.h"
#include "trainer.h"

/* Rows of a chunk: first, and how many. */
static uint32_t
chunk_rows(const GroveTrainer *t, uint32_t chunk, uint32_t *first)
{
	uint32_t	n = t->shared->dims.n_rows;

	*first = chunk * GROVE_HIST_CHUNK;
	return n - *first < GROVE_HIST_CHUNK ? n - *first : GROVE_HIST_CHUNK;
}

/*
 * Poisson(mean) from 32 random bits, cut at 15: walks up the distribution
 * function in 2^-32 steps.
 */
static uint32_t
poisson(uint32_t bits, double mean)
{
	double		u = ((double) bits + 0.5) / 4294967296.0;
	double		term = 1.0;
	double		sum = 1.0;
	double		total = 0.0;
	uint32_t	k;

	/* exp(mean) by its own series, so that no libm is involved; mean <= 1 */
	for (k = 1; k < 24; k++)
	{
		total += term;
		term = term * mean / k;
	}
	u *= total;
	term = 1.0;
	for (k = 0; k < 15 && u >= sum; k++)
	{
		term = term * mean / (k + 1);
		sum += term;
	}
	return k;
}

uint32_t
grove_tasks_copies(const GroveTrainer *t, uint32_t row, uint32_t bag_key)
{
	const GroveTrainConfig *config = &t->shared->config;
	uint32_t	bits;

	if (t->validation && t->validation[row])
		return 0;
	if (!t->shared->dims.sampled)
		return 1;
	bits = (uint32_t) (grove_rng_mix(t->identity[row] ^ ((uint64_t) bag_key << 32)) >> 32);
	if (config->algorithm == GROVE_ALGORITHM_FOREST)
		return poisson(bits, config->bagging_fraction);
	return (double) bits < config->bagging_fraction * 4294967296.0;
}

static void
run_bag(GroveTrainer *t, uint32_t chunk)
{
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	key = t->shared->args.bag_key;
	uint32_t	first;
	uint32_t	n = chunk_rows(t, chunk, &first);
	uint32_t	i;

	c->bag = 0;
	c->out = 0;
	if (!t->validation && !t->shared->dims.sampled)
	{
		c->bag = n;
		return;
	}
	for (i = first; i < first + n; i++)
	{
		uint32_t	copies = grove_tasks_copies(t, i, key);

		c->bag += copies;
		c->out += copies == 0 && t->shared->dims.track_out;
	}
}

/* Adds the last tree's leaf values to the scores of n rows. */
static void
apply_leaves(GroveTrainer *t, uint32_t first, uint32_t n)
{
	float	   *score = t->score + (size_t) t->shared->args.apply_output * t->shared->dims.n_rows;
	uint32_t	i;

	for (i = first; i < first + n; i++)
		score[i] += t->leaves[t->leaf_of[i]].value;
}

static GroveLossRows
loss_rows(const GroveTrainer *t, uint32_t first, uint32_t n)
{
	GroveLossRows rows;

	rows.label = t->label + first;
	rows.weight = t->weight ? t->weight + first : NULL;
	rows.score = t->score + first;
	rows.identity = t->identity + first;
	rows.n = n;
	rows.stride = t->shared->dims.n_rows;
	rows.n_outputs = t->shared->dims.n_outputs;
	rows.loss_scale = t->shared->loss_scale;
	return rows;
}

/* End of the run of rows that, like begin, are training or are validation rows. */
static uint32_t
end_of_run(const GroveTrainer *t, uint32_t begin, uint32_t end)
{
	uint32_t	i = begin + 1;

	if (!t->validation)
		return end;
	while (i < end && t->validation[i] == t->validation[begin])
		i++;
	return i;
}

/* Losses of training and validation rows of a chunk, and the largest gradient of the training rows. */
static void
measure_chunk(GroveTrainer *t, GroveChunk *c, uint32_t first, uint32_t n)
{
	bool		squared = t->shared->config.loss == GROVE_LOSS_SQUARED;
	uint32_t	begin,
				end;

	c->train_loss = 0;
	c->validation_loss = 0;
	c->max_gradient = 0.0f;
	for (begin = first; begin < first + n; begin = end)
	{
		bool		validation = t->validation && t->validation[begin];
		GroveLossRows rows;

		end = end_of_run(t, begin, first + n);
		rows = loss_rows(t, begin, end - begin);
		if (t->shared->args.measure)
			*(validation ? &c->validation_loss : &c->train_loss) +=
				grove_loss_sum(t->shared->config.loss, &rows);
		if (squared && !validation)
		{
			float		top = grove_loss_max_gradient(&rows);

			c->max_gradient = top > c->max_gradient ? top : c->max_gradient;
		}
	}
}

static void
run_score(GroveTrainer *t, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = chunk_rows(t, chunk, &first);

	if (args->apply)
		apply_leaves(t, first, n);
	measure_chunk(t, c, first, n);
}

/* Gradients of all outputs of the round, kept for its trees. */
static void
run_gradient(GroveTrainer *t, uint32_t chunk)
{
	size_t		n_rows = t->shared->dims.n_rows;
	uint32_t	first;
	uint32_t	n = chunk_rows(t, chunk, &first);
	GroveLossRows rows = loss_rows(t, first, n);
	uint32_t	k;

	for (k = 0; k < t->shared->dims.n_outputs; k++)
	{
		GroveRounding rounding = t->shared->args.rounding;

		rounding.key += k;
		grove_loss_gradients(t->shared->config.loss, &rows, k, &rounding, t->words + k * n_rows + first,
							 t->hess ? t->hess + k * n_rows + first : NULL);
	}
}

/* The chunk's rows into the two lists; words are their gradients. */
static uint32_t
list_rows(GroveTrainer *t, const GroveChunk *c, const int32_t *words, uint32_t first, uint32_t n)
{
	GroveEntry *bag = t->bag[0] + c->bag_begin;
	GroveEntry *out = t->out[0] + c->out_begin;
	uint32_t	key = t->shared->args.bag_key;
	uint32_t	i;

	if (!t->validation && !t->shared->dims.sampled)
	{
		for (i = 0; i < n; i++)
		{
			bag[i].row = first + i;
			bag[i].g = words[i];
		}
		return n;
	}
	for (i = 0; i < n; i++)
	{
		uint32_t	copies = grove_tasks_copies(t, first + i, key);

		if (copies == 0 && t->shared->dims.track_out)
		{
			out->row = first + i;
			out->g = 0;
			out++;
		}
		for (; copies > 0; copies--)
		{
			bag->row = first + i;
			bag->g = words[i];
			bag++;
		}
	}
	return c->bag;
}

/*
 * Adds entries to this worker's sums of a block; the first addition of a
 * histogram (epoch) overwrites what is left of the one before.
 */
static void
add_to_worker(GroveTrainer *t, uint32_t worker, uint32_t block, const GroveEntry *entries, uint32_t n)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	GroveHistMode mode = t->shared->dims.mode;
	size_t		words = grove_hist_words(mode);
	GroveWorker *w = &t->workers[worker];
	GroveBinSums *sums = t->worker_sums + (size_t) worker * t->matrix.n_features;
	const int32_t *hess = t->hess ? t->hess + (size_t) t->shared->args.output * t->matrix.n_rows : NULL;
	bool		add = w->epoch[block] == t->shared->args.epoch;
	uint32_t	f;

	memset(w->accumulator, 0, b->width * words * sizeof(int64_t));
	grove_hist_accumulate(&t->matrix, block, mode, entries, n, hess, w->accumulator);
	for (f = 0; f < b->width && b->first + f < t->matrix.n_features; f++)
		grove_hist_unpack(mode, w->accumulator + f * words, t->bins[b->first + f].n_bins, add,
						  &sums[b->first + f]);
	w->epoch[block] = t->shared->args.epoch;
}

/* Whether any feature of the block may be used by the tree. */
static bool
block_used(const GroveTrainer *t, uint32_t block)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	uint32_t	f;

	for (f = 0; f < b->width; f++)
	{
		if (b->first + f < t->matrix.n_features && t->used[b->first + f])
			return true;
	}
	return false;
}

static void
run_root(GroveTrainer *t, uint32_t worker, uint32_t chunk)
{
	const GrovePhaseArgs *args = &t->shared->args;
	const GroveChunk *c = &t->chunks[chunk];
	uint32_t	first;
	uint32_t	n = chunk_rows(t, chunk, &first);
	const int32_t *words = t->workers[worker].words;
	uint32_t	n_bag;
	uint32_t	done;
	uint32_t	b;

	if (args->apply)
		apply_leaves(t, first, n);
	if (t->words)
		words = t->words + (size_t) args->output * t->matrix.n_rows + first;
	else
	{
		GroveLossRows rows = loss_rows(t, first, n);

		grove_loss_gradients(t->shared->config.loss, &rows, 0, &args->rounding, t->workers[worker].words,
							 t->hess ? t->hess + first : NULL);
	}
	n_bag = list_rows(t, c, words, first, n);
	/* a bootstrap sample may put more than a chunk's worth of entries into one */
	for (done = 0; done < n_bag; done += GROVE_HIST_CHUNK)
	{
		uint32_t	part = n_bag - done < GROVE_HIST_CHUNK ? n_bag - done : GROVE_HIST_CHUNK;

		for (b = 0; b < t->matrix.n_blocks; b++)
		{
			if (block_used(t, b))
				add_to_worker(t, worker, b, t->bag[0] + c->bag_begin + done, part);
		}
	}
}

/* One part of a list's rows of the leaf, through this worker's scratch, to places reserved by the cursors. */
static void
partition_part(const uint8_t *column, const uint8_t *table, const GroveEntry *in, uint32_t n,
			   GroveEntry *out, uint32_t total, GroveEntry *part,
			   _Atomic uint32_t *left_cursor, _Atomic uint32_t *right_cursor)
{
	uint32_t	left = grove_partition_rows(column, table, in, part, n);
	uint32_t	at_left = atomic_fetch_add(left_cursor, left);
	uint32_t	at_right = atomic_fetch_add(right_cursor, n - left);

	memcpy(out + at_left, part, left * sizeof(GroveEntry));
	memcpy(out + total - at_right - (n - left), part + left, (n - left) * sizeof(GroveEntry));
}

/* Which rows of a list of n the task takes when the list is cut into chunks; one chunk takes all. */
static uint32_t
part_of(uint32_t n, uint32_t chunks, uint32_t task, uint32_t *first)
{
	if (chunks == 1)
	{
		*first = 0;
		return n;
	}
	*first = task * GROVE_HIST_CHUNK;
	return n - *first < GROVE_HIST_CHUNK ? n - *first : GROVE_HIST_CHUNK;
}

static void
run_partition(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	GroveTrainShared *s = t->shared;
	const GroveLeaf *leaf = &t->leaves[s->args.leaf];
	const uint8_t *column = t->matrix.columns + (size_t) leaf->best.feature * t->matrix.n_rows;
	bool		in_bag = task < s->args.partition_chunks;
	GroveEntry **list = in_bag ? t->bag : t->out;
	uint32_t	begin = in_bag ? leaf->begin : leaf->out_begin;
	uint32_t	total = in_bag ? leaf->count : leaf->out_count;
	uint32_t	chunks = in_bag ? s->args.partition_chunks : s->n_tasks - s->args.partition_chunks;
	_Atomic uint32_t *left = in_bag ? &s->left_cursor : &s->out_left_cursor;
	_Atomic uint32_t *right = in_bag ? &s->right_cursor : &s->out_right_cursor;
	const GroveEntry *in = list[leaf->side] + begin;
	GroveEntry *out = list[1 - leaf->side] + begin;
	uint8_t		table[GROVE_BINS];
	uint32_t	first;
	uint32_t	n = part_of(total, chunks, in_bag ? task : task - s->args.partition_chunks, &first);

	grove_split_table(&leaf->best, table);
	if (chunks == 1)
	{
		uint32_t	n_left = grove_partition_rows(column, table, in, out, n);

		atomic_store(left, n_left);
		atomic_store(right, n - n_left);
		return;
	}
	partition_part(column, table, in + first, n, out, total, t->workers[worker].part, left, right);
}

/* Where the packed histogram of a small leaf is. */
static int64_t *
small_slot(const GroveTrainer *t, int32_t slot)
{
	return t->small_slots + (size_t) slot * t->matrix.n_padded * grove_hist_words(t->shared->dims.mode);
}

/* Histogram of one block of a leaf of at most a chunk of rows, straight into its slot. */
static void
build_small(GroveTrainer *t, const GroveLeaf *leaf, int32_t slot, uint32_t block)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	GroveHistMode mode = t->shared->dims.mode;
	size_t		words = grove_hist_words(mode);
	int64_t    *at = small_slot(t, slot) + b->first * words;
	const int32_t *hess = t->hess ? t->hess + (size_t) t->shared->args.output * t->matrix.n_rows : NULL;

	memset(at, 0, b->width * words * sizeof(int64_t));
	grove_hist_accumulate(&t->matrix, block, mode, t->bag[leaf->side] + leaf->begin, leaf->count, hess, at);
}

/* The slot in which FIND sees a child: its own, or one of the two that are not kept. */
static int32_t
find_slot(const GroveTrainer *t, uint32_t leaf, bool built)
{
	int32_t		slot = t->leaves[leaf].slot;

	return slot >= 0 ? slot : built ? 0 : 1;
}

static void
run_hist(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	const GrovePhaseArgs *args = &t->shared->args;
	uint32_t	built = args->build_left ? args->left : args->right;
	uint32_t	other = args->build_left ? args->right : args->left;
	const GroveLeaf *leaf = &t->leaves[built];
	uint32_t	block = task % t->matrix.n_blocks;
	uint32_t	chunk = task / t->matrix.n_blocks;

	if (!block_used(t, block))
		return;
	if (leaf->count <= GROVE_HIST_CHUNK)
	{
		build_small(t, leaf, find_slot(t, built, true), block);
		if (args->build_both)
			build_small(t, &t->leaves[other], find_slot(t, other, false), block);
	}
	else
	{
		uint32_t	first = chunk * GROVE_HIST_CHUNK;
		uint32_t	n = leaf->count - first < GROVE_HIST_CHUNK ? leaf->count - first : GROVE_HIST_CHUNK;

		add_to_worker(t, worker, block, t->bag[leaf->side] + leaf->begin + first, n);
	}
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
	uint32_t	block = 0;
	uint32_t	n_bins = t->bins[feature].n_bins;
	bool		first = true;
	uint32_t	w,
				b;

	if (t->leaves[leaf].count <= GROVE_HIST_CHUNK && t->shared->args.has_right)
	{
		load_slot(t, find_slot(t, leaf, true), feature, sums);
		return;
	}
	while (block + 1 < t->matrix.n_blocks && t->matrix.blocks[block + 1].first <= feature)
		block++;
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

/* Best split of one child on one feature. */
static void
find_split(GroveTrainer *t, int child, uint32_t feature, const GroveBinSums *sums, const GroveSums *total)
{
	GroveSplit *found = &t->found[child][feature];

	if (t->allowed[child][feature])
		grove_split_find(&t->shared->rules, &t->bins[feature], feature, sums, total, found);
	else
		found->gain = 0.0;
}

static void
run_find(GroveTrainer *t, uint32_t feature)
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
	if (t->leaves[built].count > GROVE_HIST_CHUNK)
		store_slot(t, t->leaves[built].slot, feature, &a);
	find_split(t, built_child, feature, &a, &t->leaves[built].sums);
	find_split(t, 1 - built_child, feature, &p, &t->leaves[other].sums);
}

/* The rows of one leaf learn its number. */
static void
run_leaves(GroveTrainer *t, uint32_t task)
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
grove_tasks_run(GroveTrainer *t, uint32_t worker, uint32_t task)
{
	switch (t->shared->phase)
	{
		case GROVE_PHASE_BAG:
			run_bag(t, task);
			break;
		case GROVE_PHASE_SCORE:
			run_score(t, task);
			break;
		case GROVE_PHASE_GRADIENT:
			run_gradient(t, task);
			break;
		case GROVE_PHASE_ROOT:
			run_root(t, worker, task);
			break;
		case GROVE_PHASE_PARTITION:
			run_partition(t, worker, task);
			break;
		case GROVE_PHASE_HIST:
			run_hist(t, worker, task);
			break;
		case GROVE_PHASE_FIND:
			run_find(t, task);
			break;
		case GROVE_PHASE_LEAVES:
			run_leaves(t, task);
			break;
	}
}
