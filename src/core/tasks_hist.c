/*
 * tasks_hist.c: histograms of leaves: who adds what, and where they are kept.
 */
#include <string.h>

#include "tasks.h"

/* Whether any feature of the block may be used by the tree. */
static bool
block_used(const GroveTrainer *t, const GroveBlock *b)
{
	uint32_t	i,
				f;

	for (i = 0; i < b->n_columns + b->n_wide; i++)
	{
		f = t->matrix.columns[grove_hist_column(b, i)].feature;
		for (; f != GROVE_NO_FEATURE; f = t->matrix.places[f].next)
		{
			if (t->used[f])
				return true;
		}
	}
	return false;
}

/* Adds entries to the accumulators of a block, in this worker's scratch. */
static void
accumulate(GroveTrainer *t, uint32_t worker, const GroveBlock *b, const GroveEntry *entries, uint32_t n)
{
	GroveHistMode mode = t->shared->dims.mode;
	const int32_t *hess = mode == GROVE_HIST_WIDE ? t->hess + (size_t) t->shared->args.output * t->matrix.n_rows : NULL;

	grove_hist_accumulate(&t->matrix, b, mode, entries, n, hess, t->workers[worker].accumulators);
}

/* Adds at most a chunk of entries to this worker's sums of a block. */
static void
add_block(GroveTrainer *t, uint32_t worker, uint32_t block, const GroveEntry *entries, uint32_t n)
{
	const GroveBlock *b = &t->matrix.blocks[block];
	GroveHistMode mode = t->shared->dims.mode;
	GroveWorker *w = &t->workers[worker];
	GroveBinSums *sums = t->worker_sums + (size_t) worker * t->matrix.n_features;
	bool		add = w->epoch[block] == t->shared->args.epoch;
	int64_t		scratch[2 * GROVE_BINS];
	uint32_t	i,
				f;

	grove_hist_clear(&t->matrix, b, mode, w->accumulators);
	accumulate(t, worker, b, entries, n);
	grove_hist_finish(&t->matrix, b, mode, w->accumulators);
	for (i = 0; i < b->n_columns + b->n_wide; i++)
	{
		const int64_t *column = grove_hist_at(b, mode, w->accumulators, i);

		f = t->matrix.columns[grove_hist_column(b, i)].feature;
		for (; f != GROVE_NO_FEATURE; f = t->matrix.places[f].next)
			grove_hist_unpack(mode, grove_hist_feature(&t->matrix, t->bins, f, mode, column, scratch),
							  t->bins[f].n_bins, add, &sums[f]);
	}
	w->epoch[block] = t->shared->args.epoch;
}

void
grove_tasks_add(GroveTrainer *t, uint32_t worker, const GroveEntry *entries, uint32_t n)
{
	uint32_t	done,
				b;

	/* a bootstrap sample may put more than a chunk's worth of entries into one */
	for (done = 0; done < n; done += GROVE_HIST_CHUNK)
	{
		if (t->pause)
			t->pause();
		for (b = 0; b < t->matrix.n_blocks; b++)
		{
			if (block_used(t, &t->matrix.blocks[b]))
				add_block(t, worker, b, entries + done, n - done < GROVE_HIST_CHUNK ? n - done : GROVE_HIST_CHUNK);
		}
	}
}

/* What this worker added to a packed histogram: the memory of its sums, which are not used at the same time. */
static int64_t *
packed_part(const GroveTrainer *t, uint32_t worker)
{
	return (int64_t *) (t->worker_sums + (size_t) worker * t->matrix.n_features);
}

/* A feature's histogram out of that of its column: set, or added to what is there. */
static void
take_feature(const GroveTrainer *t, uint32_t feature, const int64_t *column, int64_t *own)
{
	GroveHistMode mode = t->shared->dims.mode;
	const int64_t *from = grove_hist_feature(&t->matrix, t->bins, feature, mode, column, own);

	if (from != own)
		memcpy(own, from, (t->bins[feature].n_bins + 1) * (grove_hist_words(mode) / GROVE_BINS) * sizeof(int64_t));
}

static void
add_feature(const GroveTrainer *t, uint32_t feature, const int64_t *column, int64_t *own)
{
	GroveHistMode mode = t->shared->dims.mode;
	int64_t		scratch[2 * GROVE_BINS];
	const int64_t *from = grove_hist_feature(&t->matrix, t->bins, feature, mode, column, scratch);
	size_t		n = (t->bins[feature].n_bins + 1) * (grove_hist_words(mode) / GROVE_BINS);
	size_t		w;

	for (w = 0; w < n; w++)
		own[w] += from[w];
}

/* The histograms of a block's features out of the accumulators in this worker's scratch, to [n_features][words]. */
static void
take_packed(GroveTrainer *t, uint32_t worker, const GroveBlock *b, bool add, int64_t *to)
{
	GroveHistMode mode = t->shared->dims.mode;
	uint32_t	i,
				f;

	for (i = 0; i < b->n_columns + b->n_wide; i++)
	{
		const int64_t *column = grove_hist_at(b, mode, t->workers[worker].accumulators, i);

		f = t->matrix.columns[grove_hist_column(b, i)].feature;
		for (; f != GROVE_NO_FEATURE; f = t->matrix.places[f].next)
		{
			if (add)
				add_feature(t, f, column, to + f * grove_hist_words(mode));
			else
				take_feature(t, f, column, to + f * grove_hist_words(mode));
		}
	}
}

void
grove_tasks_add_part(GroveTrainer *t, uint32_t worker, uint32_t leaf, uint32_t part)
{
	const GroveSegment *rows = grove_trainer_segment(t, leaf, part);
	const GroveEntry *entries = t->bag[t->leaves[leaf].side] + rows->begin;
	GroveWorker *w = &t->workers[worker];
	uint32_t	b;

	if (t->shared->args.place == GROVE_HIST_IN_SUMS)
	{
		grove_tasks_add(t, worker, entries, rows->count);
		return;
	}
	for (b = 0; b < t->matrix.n_blocks; b++)
	{
		const GroveBlock *block = &t->matrix.blocks[b];

		if (rows->count == 0 || !block_used(t, block))
			continue;
		grove_hist_clear(&t->matrix, block, t->shared->dims.mode, w->accumulators);
		accumulate(t, worker, block, entries, rows->count);
		grove_hist_finish(&t->matrix, block, t->shared->dims.mode, w->accumulators);
		take_packed(t, worker, block, w->epoch[b] == t->shared->args.epoch, packed_part(t, worker));
		w->epoch[b] = t->shared->args.epoch;
	}
}

/* Where the packed histogram of a small leaf is. */
static int64_t *
small_slot(const GroveTrainer *t, int32_t slot)
{
	return t->small_slots + (size_t) slot * t->matrix.n_features * grove_hist_words(t->shared->dims.mode);
}

void
grove_tasks_build(GroveTrainer *t, uint32_t worker, uint32_t leaf, int32_t slot)
{
	const GroveEntry *bag = t->bag[t->leaves[leaf].side];
	GroveHistMode mode = t->shared->dims.mode;
	uint32_t	b,
				part;

	for (b = 0; b < t->matrix.n_blocks; b++)
	{
		const GroveBlock *block = &t->matrix.blocks[b];

		if (!block_used(t, block))
			continue;
		grove_hist_clear(&t->matrix, block, mode, t->workers[worker].accumulators);
		for (part = 0; part < t->shared->n_parts; part++)
		{
			const GroveSegment *rows = grove_trainer_segment(t, leaf, part);

			accumulate(t, worker, block, bag + rows->begin, rows->count);
		}
		grove_hist_finish(&t->matrix, block, mode, t->workers[worker].accumulators);
		take_packed(t, worker, block, false, small_slot(t, slot));
	}
}

int32_t
grove_tasks_slot(const GroveTrainer *t, uint32_t leaf, bool built)
{
	int32_t		slot = t->leaves[leaf].slot;

	return slot >= 0 ? slot : built ? 0 : 1;
}

void
grove_tasks_load(const GroveTrainer *t, int32_t slot, uint32_t feature, GroveBinSums *sums)
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

void
grove_tasks_store(const GroveTrainer *t, int32_t slot, uint32_t feature, const GroveBinSums *sums)
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

/* Packed parts of one feature; their sum is packed, too, as all rows together are no more than a chunk. */
static void
add_packed(const GroveTrainer *t, uint32_t worker, uint32_t feature, bool first, int64_t *sum)
{
	size_t		words = grove_hist_words(t->shared->dims.mode);
	const int64_t *from = packed_part(t, worker) + feature * words;
	size_t		n = (t->bins[feature].n_bins + 1) * (words / GROVE_BINS);
	size_t		w;

	for (w = 0; w < n; w++)
		sum[w] = (first ? 0 : sum[w]) + from[w];
}

static void
add_sums(const GroveTrainer *t, uint32_t worker, uint32_t feature, bool first, GroveBinSums *sums)
{
	const GroveBinSums *from = t->worker_sums + (size_t) worker * t->matrix.n_features + feature;
	uint32_t	b;

	for (b = 0; b <= t->bins[feature].n_bins; b++)
	{
		sums->g[b] = (first ? 0 : sums->g[b]) + from->g[b];
		sums->h[b] = (first ? 0 : sums->h[b]) + from->h[b];
		sums->c[b] = (first ? 0 : sums->c[b]) + from->c[b];
	}
}

void
grove_tasks_collect(const GroveTrainer *t, uint32_t feature, GroveBinSums *sums)
{
	uint32_t	block = t->matrix.columns[t->matrix.places[feature].column].block;
	bool		packed = t->shared->args.place == GROVE_HIST_IN_PARTS;
	int64_t		words[2 * GROVE_BINS];
	bool		first = true;
	uint32_t	w;

	for (w = 0; w < t->shared->dims.n_workers; w++)
	{
		if (t->workers[w].epoch[block] != t->shared->args.epoch)
			continue;
		if (packed)
			add_packed(t, w, feature, first, words);
		else
			add_sums(t, w, feature, first, sums);
		first = false;
	}
	if (first)
	{
		memset(sums->g, 0, sizeof(sums->g));
		memset(sums->h, 0, sizeof(sums->h));
		memset(sums->c, 0, sizeof(sums->c));
	}
	else if (packed)
		grove_hist_unpack(t->shared->dims.mode, words, t->bins[feature].n_bins, false, sums);
}
