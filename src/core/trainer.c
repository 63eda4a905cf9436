/*
 * trainer.c: where each part of a training run stands in its buffer.
 */
#include "trainer.h"

#include "arena.h"

#include <math.h>
#include <string.h>

#define CHUNK_LEAST		1024
#define CHUNK_UNIT		64		/* a divisor of GROVE_HIST_CHUNK */

/*
 * Rows that the bag list can hold: a bootstrap sample can be larger than the
 * table, by twelve standard deviations here.
 */
static uint32_t
bag_capacity(const GroveTrainDims *dims)
{
	uint32_t	n = dims->n_rows - dims->n_validation;

	if (!dims->sampled)
		return n;
	return n + (uint32_t) (12.0 * sqrt((double) n)) + 128;
}

/* Rows that the list of the others can hold. */
static uint32_t
out_capacity(const GroveTrainDims *dims)
{
	return dims->sampled || dims->folded ? dims->n_rows : dims->n_validation;
}

/* Whether a tree may see a row other than once. */
static bool
sees_parts(const GroveTrainDims *dims)
{
	return dims->sampled || dims->folded || dims->n_validation > 0;
}

/*
 * Leaves of more than a chunk always find a slot; small ones are built anew
 * from their rows when no slot was left for their parent.
 */
static uint32_t
count_big(const GroveTrainDims *dims)
{
	uint32_t	most = bag_capacity(dims) / GROVE_HIST_CHUNK + 1;

	return (most < dims->max_leaves ? most : dims->max_leaves) + 1;
}

static uint32_t
count_small(const GroveTrainDims *dims)
{
	return (dims->max_leaves < 256 ? dims->max_leaves : 256) + 3;
}

/*
 * Rows of a chunk: no more than an accumulator takes, and such that every
 * process gets as many chunks when there are rows enough.
 */
static uint32_t
chunk_rows(const GroveTrainDims *dims)
{
	uint64_t	most = (uint64_t) GROVE_HIST_CHUNK * dims->n_workers;
	uint64_t	chunks = (dims->n_rows + most - 1) / most * dims->n_workers;
	uint64_t	rows = chunks > 0 ? (dims->n_rows + chunks - 1) / chunks : 0;

	rows = (rows + CHUNK_UNIT - 1) / CHUNK_UNIT * CHUNK_UNIT;
	return rows < CHUNK_LEAST ? CHUNK_LEAST : (uint32_t) rows;
}

static uint32_t
count_chunks(const GroveTrainDims *dims)
{
	uint32_t	rows = chunk_rows(dims);

	return dims->n_rows / rows + (dims->n_rows % rows != 0);
}

/*
 * Whether what rows are chosen by, gradients and histograms of scores, is where
 * the lists of rows will be: it is forgotten before these are made.
 */
static bool
chooses_in_lists(const GroveTrainDims *dims)
{
	return dims->by_gradient && !grove_trainer_keeps_gradients(dims) &&
		(size_t) dims->n_rows * sizeof(int32_t) <= (size_t) bag_capacity(dims) * sizeof(GroveEntry) &&
		dims->n_workers * sizeof(GroveSelectBins) <= (size_t) out_capacity(dims) * sizeof(uint32_t);
}

/* Gradients that are kept, or that rows are chosen by. */
static void
carve_gradients(GroveArena *arena, const GroveTrainDims *dims, GroveTrainer *t)
{
	size_t		width = dims->n_outputs * sizeof(int32_t);
	bool		chosen = dims->by_gradient && !chooses_in_lists(dims);

	t->words = NULL;
	t->hess = NULL;
	t->select_bins = NULL;
	if (grove_trainer_keeps_gradients(dims) || chosen)
		t->words = grove_arena_carve(arena, dims->n_rows, width);
	if (dims->mode == GROVE_HIST_WIDE || chosen)
		t->hess = grove_arena_carve(arena, dims->n_rows, width);
	if (chosen)
		t->select_bins = grove_arena_carve(arena, dims->n_workers, sizeof(GroveSelectBins));
}

/* Used to measure (an arena without memory) and to attach. */
static void
lay_out(GroveArena *arena, const GroveTrainDims *dims, GroveTrainer *t)
{
	size_t		n = dims->n_rows;
	size_t		f = dims->n_features;
	size_t		words = grove_hist_words(dims->mode);
	int			i;

	t->shared = grove_arena_carve(arena, 1, sizeof(GroveTrainShared));
	t->matrix.n_rows = dims->n_rows;
	t->matrix.n_features = dims->n_features;
	t->matrix.n_columns = dims->matrix.n_columns;
	t->matrix.n_blocks = dims->matrix.n_blocks;
	t->matrix.columns = grove_arena_carve(arena, dims->matrix.n_columns, sizeof(GroveColumn));
	t->matrix.places = grove_arena_carve(arena, f, sizeof(GrovePlace));
	t->matrix.blocks = grove_arena_carve(arena, dims->matrix.n_blocks, sizeof(GroveBlock));
	/* records should not lie across lines of the cache */
	arena->used = (arena->used + 63) & ~(size_t) 63;
	t->matrix.records = dims->own_records ? NULL : grove_arena_carve(arena, dims->matrix.record_bytes, 1);
	t->matrix.codes = grove_arena_carve(arena, dims->matrix.code_bytes, 1);
	t->bins = grove_arena_carve(arena, f, sizeof(GroveFeatureBins));
	t->label = grove_arena_carve(arena, n, sizeof(float));
	t->weight = dims->weighted ? grove_arena_carve(arena, n, sizeof(float)) : NULL;
	t->score = grove_arena_carve(arena, n, dims->n_outputs * sizeof(float));
	t->identity = grove_arena_carve(arena, n, sizeof(uint32_t));
	t->validation = dims->n_validation > 0 || dims->folded ? grove_arena_carve(arena, n, 1) : NULL;
	t->leaf_of = grove_arena_carve(arena, n, sizeof(uint16_t));
	t->copies = sees_parts(dims) ? grove_arena_carve(arena, n, 1) : NULL;
	t->out_sum = dims->out_scored ? grove_arena_carve(arena, n, dims->n_outputs * sizeof(float)) : NULL;
	t->out_trees = dims->out_scored ? grove_arena_carve(arena, n, sizeof(uint32_t)) : NULL;
	t->group_rows = dims->ranked ? grove_arena_carve(arena, n, sizeof(uint32_t)) : NULL;
	t->group_start = dims->ranked ? grove_arena_carve(arena, n + 1, sizeof(uint32_t)) : NULL;
	t->group_order = dims->ranked ? grove_arena_carve(arena, n, sizeof(uint64_t)) : NULL;
	t->gradient = dims->ranked ? grove_arena_carve(arena, n, sizeof(float)) : NULL;
	t->hessian = dims->ranked ? grove_arena_carve(arena, n, sizeof(float)) : NULL;
	t->factor = dims->by_gradient ? grove_arena_carve(arena, n, sizeof(float)) : NULL;
	carve_gradients(arena, dims, t);
	t->bag_capacity = bag_capacity(dims);
	t->out_capacity = out_capacity(dims);
	for (i = 0; i < 2; i++)
	{
		t->bag[i] = grove_arena_carve(arena, t->bag_capacity, sizeof(GroveEntry));
		t->out[i] = grove_arena_carve(arena, t->out_capacity, sizeof(uint32_t));
	}
	if (chooses_in_lists(dims))
	{
		t->words = (int32_t *) t->bag[0];
		t->hess = (int32_t *) t->bag[1];
		t->select_bins = (GroveSelectBins *) t->out[0];
	}
	t->chunks = grove_arena_carve(arena, count_chunks(dims), sizeof(GroveChunk));
	t->leaves = grove_arena_carve(arena, dims->max_leaves, sizeof(GroveLeaf));
	t->segments = grove_arena_carve(arena, (size_t) dims->max_leaves * dims->n_workers, sizeof(GroveSegment));
	t->nodes = grove_arena_carve(arena, (size_t) dims->max_leaves * 2, sizeof(GroveNode));
	t->sets = grove_arena_carve(arena, dims->max_leaves, GROVE_BINS / 8);
	t->node_gain = dims->pruned ? grove_arena_carve(arena, (size_t) dims->max_leaves * 2, sizeof(double)) : NULL;
	t->node_output = dims->pruned ? grove_arena_carve(arena, (size_t) dims->max_leaves * 2, sizeof(double)) : NULL;
	t->node_map = dims->pruned ? grove_arena_carve(arena, (size_t) dims->max_leaves * 2, sizeof(uint32_t)) : NULL;
	t->set_map = dims->pruned ? grove_arena_carve(arena, dims->max_leaves, sizeof(uint32_t)) : NULL;
	t->used = grove_arena_carve(arena, f, 1);
	for (i = 0; i < 2; i++)
	{
		t->allowed[i] = grove_arena_carve(arena, f, 1);
		t->found[i] = grove_arena_carve(arena, f, sizeof(GroveSplit));
	}
	t->monotone = grove_arena_carve(arena, f, 1);
	t->groups = grove_arena_carve(arena, f, sizeof(uint64_t));
	t->n_small = count_small(dims);
	t->n_big = count_big(dims);
	t->free_small = grove_arena_carve(arena, t->n_small, sizeof(int32_t));
	t->free_big = grove_arena_carve(arena, t->n_big, sizeof(int32_t));
	t->small_slots = grove_arena_carve(arena, (size_t) t->n_small * f, words * sizeof(int64_t));
	t->big_slots = grove_arena_carve(arena, (size_t) t->n_big * f, sizeof(GroveBinSums));
	t->worker_sums = grove_arena_carve(arena, (size_t) dims->n_workers * f, sizeof(GroveBinSums));
	t->workers = grove_arena_carve(arena, dims->n_workers, sizeof(GroveWorker));
}

GroveStatus
grove_trainer_size(const GroveTrainDims *dims, size_t *size)
{
	GroveArena	arena = {NULL, 0, true};
	GroveTrainer unused;

	if (dims->n_features < 1 || dims->n_features > GROVE_MAX_FEATURES ||
		dims->n_rows > GROVE_MAX_ROWS || dims->n_validation > dims->n_rows ||
		dims->max_leaves < 2 || dims->max_leaves > GROVE_MAX_LEAVES ||
		dims->n_outputs < 1 || dims->n_outputs > GROVE_MAX_CLASSES ||
		dims->n_workers < 1 || dims->n_workers > GROVE_MAX_PARTS ||
		dims->matrix.n_columns < 1 || dims->matrix.n_columns > dims->n_features || dims->matrix.n_blocks > dims->n_features)
		return GROVE_ERR_RANGE;
	lay_out(&arena, dims, &unused);
	if (!arena.fits)
		return GROVE_ERR_SIZE;
	*size = arena.used;
	return GROVE_OK;
}

void
grove_trainer_attach(GroveTrainer *trainer, void *buffer)
{
	GroveArena	arena = {buffer, 0, true};
	GroveTrainDims dims = ((GroveTrainShared *) buffer)->dims;

	trainer->pause = NULL;
	lay_out(&arena, &dims, trainer);
}

void
grove_trainer_set_bins(GroveTrainer *trainer, const GroveFeatureBins *bins)
{
	const GroveTrainDims *dims = &trainer->shared->dims;

	memcpy(trainer->bins, bins, dims->n_features * sizeof(GroveFeatureBins));
	grove_matrix_layout(&trainer->matrix, trainer->bins, dims->joined);
}

void
grove_trainer_init(void *buffer, const GroveTrainDims *dims, const GroveTrainConfig *config)
{
	GroveTrainShared *shared = buffer;
	GroveTrainer t;
	uint32_t	i;

	memset(shared, 0, sizeof(*shared));
	shared->dims = *dims;
	shared->config = *config;
	shared->rules = config->rules;
	shared->n_parts = 1;
	shared->chunk_rows = chunk_rows(dims);
	shared->n_chunks = count_chunks(dims);
	shared->max_weight = 1.0f;
	shared->max_factor = 1.0f;
	grove_trainer_attach(&t, buffer);
	memset(t.monotone, 0, dims->n_features);
	memset(t.groups, 0, dims->n_features * sizeof(uint64_t));
	if (dims->out_scored)
	{
		/* NOLINTNEXTLINE: not NULL where out_scored */
		memset(t.out_sum, 0, (size_t) dims->n_rows * dims->n_outputs * sizeof(float));
		memset(t.out_trees, 0, dims->n_rows * sizeof(uint32_t));
	}
	for (i = 0; i < dims->n_workers; i++)
		memset(t.workers[i].epoch, 0, sizeof(t.workers[i].epoch));
}
