/*
 * predict_batch.c: a tile of rows through the trees, a split at a time.
 *
 * Walking a tree jumps about in memory and cannot use vector instructions.
 * Here every row of a tile holds one byte for the tree at hand: the first leaf
 * of the subtree that it is known to be in, leaves being numbered from left to
 * right.  A split of the subtree that begins at leaf a, with its right child
 * beginning at leaf m, then is: where the byte is a and the row's bin is above
 * the threshold, it becomes m.  Splits are done parents first, so that only
 * rows of that very subtree hold a.  This is five operations on vectors of
 * bytes, without branches, for all splits instead of those on a path.
 *
 * Bins are those of compact.h; a numeric feature must have at most 255
 * thresholds to fit a byte.  Leaves are added tree by tree, as everywhere.
 *
 * Method: C. Lucchese et al., QuickScorer, SIGIR 2015, with intervals in the
 * place of bit sets.
 */
#include <string.h>

#include "arena.h"
#include "compact.h"
#include "predict.h"
#include "predict_batch.h"

#define MAX_LEAVES		256		/* a leaf's number is a byte */
#define SPLITS_A_TREE	400		/* with more on average, walking is faster */
#define CATEGORICAL_SPLIT	25	/* as many numeric splits take as long */
#define FEW_ROWS		32		/* with fewer in a tile, walking is faster */

#define SLOT_BYTES		(GROVE_BATCH_ROWS * sizeof(uint16_t))

/* Signed to be compared, because that is the comparison that every processor has; unsigned to be added to. */
typedef int8_t SignedBytes __attribute__((vector_size(16)));
typedef uint8_t Bytes __attribute__((vector_size(16)));

#define TILE_VECTORS	((int) (GROVE_BATCH_ROWS / sizeof(Bytes)))

typedef struct BatchSplit
{
	uint32_t	set;			/* categorical: index into GroveCompact.sets */
	uint16_t	slot;			/* of compact.h */
	uint8_t		first;			/* first leaf of the subtree */
	uint8_t		right;			/* first leaf of its right child */
	int8_t		test;			/* numeric: right when the bin less 128 is above it */
	bool		categorical;
} BatchSplit;

struct GroveBatch
{
	const GroveModel *model;
	bool		walking;		/* rows one by one; only row is used */
	double	   *row;			/* [n_features] */
	uint32_t	n_slots;
	uint8_t		(*slots)[SLOT_BYTES];	/* [n_slots] numeric: a bin less 128 a row; categorical: a uint16_t a row */
	BatchSplit *splits;			/* of all trees */
	uint32_t   *tree_end;		/* [n_trees] index behind the tree's last split */
	double	   *leaves;			/* of all trees, from left to right */
};

/* Slots of a row, or 0 when a numeric feature has too many thresholds for bytes. */
static uint32_t
count_slots(const GroveCompact *compact)
{
	uint32_t	n_slots = 1;	/* one at least, also without splits */

	for (uint32_t i = 0; i < compact->n_features; i++)
	{
		const GroveCompactFeature *feature = &compact->features[i];
		uint32_t	end;

		if (!feature->categorical && feature->n_cuts > UINT8_MAX)
			return 0;
		end = feature->slot + (feature->categorical ? feature->n_cuts : 2);
		if (n_slots < end)
			n_slots = end;
	}
	return n_slots;
}

/* Whether splitting all rows at all splits is possible, and faster than walking. */
static bool
is_worthwhile(const GroveModel *model)
{
	size_t		work = 0;

	if (!model->compact || count_slots(model->compact) == 0)
		return false;
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		if (model->tree_start[tree + 1] - model->tree_start[tree] > 2 * MAX_LEAVES - 1)
			return false;
	}
	for (uint32_t i = 0; i < model->n_nodes; i++)
	{
		if (model->nodes[i].left != 0)
			work += (model->nodes[i].flags & GROVE_NODE_CATEGORICAL) ? CATEGORICAL_SPLIT : 1;
	}
	return work <= (size_t) model->n_trees * SPLITS_A_TREE;
}

static bool
lay_out(const GroveModel *model, uint8_t *memory, GroveBatch *batch, size_t *size)
{
	GroveArena	arena = {memory, 0, true};
	size_t		n_leaves = ((size_t) model->n_nodes + model->n_trees) / 2;

	(void) grove_arena_carve(&arena, 1, sizeof(GroveBatch));
	batch->row = grove_arena_carve(&arena, model->n_features, sizeof(double));
	if (!batch->walking)
	{
		batch->slots = grove_arena_carve(&arena, batch->n_slots, sizeof(*batch->slots));
		batch->splits = grove_arena_carve(&arena, model->n_nodes - n_leaves, sizeof(BatchSplit));
		batch->tree_end = grove_arena_carve(&arena, model->n_trees, sizeof(uint32_t));
		batch->leaves = grove_arena_carve(&arena, n_leaves, sizeof(double));
	}
	*size = arena.used;
	return arena.fits;
}

static GroveBatch
describe(const GroveModel *model)
{
	GroveBatch	batch = {.model = model, .walking = !is_worthwhile(model)};

	batch.n_slots = batch.walking ? 0 : count_slots(model->compact);
	return batch;
}

bool
grove_predict_batch_size(const GroveModel *model, size_t *size)
{
	GroveBatch	batch = describe(model);

	return lay_out(model, NULL, &batch, size);
}

/* Numbers the leaves of a tree from left to right; returns its number of splits. */
static uint32_t
add_tree(const GroveBatch *batch, uint32_t tree, BatchSplit *splits, double *leaves)
{
	const GroveModel *model = batch->model;
	const GroveCompactNode *nodes = model->compact->nodes + model->tree_start[tree];
	uint32_t	n_nodes = model->tree_start[tree + 1] - model->tree_start[tree];
	uint32_t	n_splits = 0;
	uint16_t	n_leaves[2 * MAX_LEAVES];	/* below each node */
	uint16_t	first[2 * MAX_LEAVES];	/* leaf below each node */

	for (uint32_t i = n_nodes; i-- > 0;)
		n_leaves[i] = nodes[i].offset == 0 ? 1 :
			(uint16_t) (n_leaves[i + nodes[i].offset] + n_leaves[i + nodes[i].offset + 1]);
	first[0] = 0;
	for (uint32_t i = 0; i < n_nodes; i++)
	{
		const GroveCompactNode *node = &nodes[i];
		uint32_t	left = i + node->offset;
		BatchSplit *split = &splits[n_splits];

		if (node->offset == 0)
		{
			leaves[first[i]] = model->compact->leaves[node->test - GROVE_COMPACT_LEAF];
			continue;
		}
		first[left] = first[i];
		first[left + 1] = (uint16_t) (first[i] + n_leaves[left]);
		split->first = (uint8_t) first[i];
		split->right = (uint8_t) first[left + 1];
		split->categorical = (node->slot & GROVE_COMPACT_CATEGORICAL) != 0;
		split->slot = (uint16_t) (node->slot & ~GROVE_COMPACT_CATEGORICAL);
		split->test = (int8_t) (split->categorical ? 0 : (int) node->test - 128);
		split->set = split->categorical ? node->test : 0;
		n_splits++;
	}
	return n_splits;
}

GroveBatch *
grove_predict_batch_make(const GroveModel *model, void *memory)
{
	GroveBatch *batch = memory;
	uint32_t	n_splits = 0;
	uint32_t	n_leaves = 0;
	size_t		size;

	*batch = describe(model);
	(void) lay_out(model, memory, batch, &size);
	if (batch->walking)
		return batch;
	memset(batch->slots, 0, batch->n_slots * sizeof(*batch->slots));	/* rows that a tile does not have count as any */
	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		uint32_t	added = add_tree(batch, tree, batch->splits + n_splits, batch->leaves + n_leaves);

		n_splits += added;
		n_leaves += added + 1;
		batch->tree_end[tree] = n_splits;
	}
	return batch;
}

/* The bins of a numeric feature: 0 where missing goes left, 255 where it goes right. */
static void
fill_numeric(const GroveCompactFeature *feature, const double *values, uint32_t n, uint8_t *left, uint8_t *right)
{
	const double *const cuts[4] = {feature->cuts, feature->cuts, feature->cuts, feature->cuts};

	for (uint32_t i = 0; i < n; i += 4)
	{
		const double *x = values + i;	/* up to three rows behind n, whose bins nobody looks at */
		uint32_t	bins[4];

		grove_compact_bins(cuts, feature->first_step, x, bins);
		for (uint32_t k = 0; k < 4; k++)
		{
			left[i + k] = (uint8_t) (bins[k] ^ 128);
			right[i + k] = (uint8_t) ((x[k] != x[k] ? UINT8_MAX : bins[k]) ^ 128);
		}
	}
}

static void
fill_slots(GroveBatch *batch, const double *values, uint32_t n)
{
	const GroveCompact *compact = batch->model->compact;

	for (uint32_t i = 0; i < compact->n_features; i++)
	{
		const GroveCompactFeature *feature = &compact->features[i];
		const double *column = values + (size_t) feature->feature * GROVE_BATCH_STRIDE;

		if (!feature->categorical)
		{
			fill_numeric(feature, column, n, batch->slots[feature->slot], batch->slots[feature->slot + 1]);
			continue;
		}
		for (uint32_t window = 0; window < feature->n_cuts; window++)
		{
			uint16_t   *slots = (uint16_t *) (void *) batch->slots[feature->slot + window];

			for (uint32_t row = 0; row < n; row++)
				slots[row] = grove_compact_place(feature, window, grove_model_ordinal(column[row]));
		}
	}
}

/* A run of numeric splits; the tile stays in registers. */
static void
split_numeric(const BatchSplit *split, const BatchSplit *end, uint8_t (*slots)[SLOT_BYTES], uint8_t *tile)
{
	Bytes		at[TILE_VECTORS];

	memcpy(at, tile, sizeof(at));
	for (; split < end; split++)
	{
		const uint8_t *column = slots[split->slot];
		const Bytes first = (Bytes) {0} + split->first;
		const Bytes step = (Bytes) {0} + (uint8_t) (split->right - split->first);
		const SignedBytes test = (SignedBytes) {0} + split->test;

#pragma GCC unroll 8
		for (int i = 0; i < TILE_VECTORS; i++)
		{
			SignedBytes bins;

			memcpy(&bins, column + i * sizeof(Bytes), sizeof(bins));
			at[i] += (Bytes) ((at[i] == first) & (bins > test)) & step;
		}
	}
	memcpy(tile, at, sizeof(at));
}

static void
split_categorical(const BatchSplit *split, const uint32_t *set, const uint16_t *slots, uint8_t *restrict at)
{
	for (int row = 0; row < GROVE_BATCH_ROWS; row++)
	{
		uint32_t	right = grove_compact_goes_right(set, slots[row]);

		at[row] = (right & (at[row] == split->first)) != 0 ? split->right : at[row];
	}
}

static void
run_trees(GroveBatch *batch, uint32_t n, double *margins)
{
	const GroveModel *model = batch->model;
	const BatchSplit *split = batch->splits;
	const double *leaves = batch->leaves;
	uint32_t	output = 0;

	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		const BatchSplit *end = batch->splits + batch->tree_end[tree];
		uint32_t	n_leaves = (uint32_t) (end - split) + 1;
		uint8_t		at[GROVE_BATCH_ROWS] = {0};

		while (split < end)
		{
			const BatchSplit *run = split;

			while (run < end && !run->categorical)
				run++;
			split_numeric(split, run, batch->slots, at);
			for (split = run; split < end && split->categorical; split++)
				split_categorical(split, model->compact->sets[split->set],
								  (const uint16_t *) (const void *) batch->slots[split->slot], at);
		}
		for (uint32_t row = 0; row < n; row++)
			margins[row * model->n_outputs + output] += leaves[at[row]];
		leaves += n_leaves;
		if (++output == model->n_outputs)
			output = 0;
	}
}

void
grove_predict_batch_run(GroveBatch *batch, const double *values, uint32_t n, double *margins)
{
	const GroveModel *model = batch->model;

	if (batch->walking || n < FEW_ROWS)
	{
		for (uint32_t row = 0; row < n; row++)
		{
			for (uint32_t i = 0; i < model->n_features; i++)
				batch->row[i] = values[(size_t) i * GROVE_BATCH_STRIDE + row];
			grove_predict_margins(model, batch->row, margins + (size_t) row * model->n_outputs);
		}
		return;
	}
	for (uint32_t row = 0; row < n; row++)
		memcpy(margins + (size_t) row * model->n_outputs, model->base, model->n_outputs * sizeof(double));
	fill_slots(batch, values, n);
	run_trees(batch, n, margins);
}
