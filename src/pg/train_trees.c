/*
 * train_trees.c: the trees of a training as they come.
 */
#include "pg_grove.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "train.h"

/* What nodes and category sets take at most as bytes of a model: half of the nodes are leaves, which are shorter. */
#define WRITTEN_NODE	22
#define WRITTEN_SET		40

void
grovepg_trees_init(GroveTrees *trees, Size room_growing, Size room_writing)
{
	memset(trees, 0, sizeof(*trees));
	trees->room_growing = room_growing;
	trees->room_writing = room_writing;
	trees->trees_capacity = 128;
	trees->nodes_capacity = 8192;
	trees->sets_capacity = 64;
	trees->start = palloc0((trees->trees_capacity + 1) * sizeof(uint32));
	trees->set_start = palloc0((trees->trees_capacity + 1) * sizeof(uint32));
	trees->nodes = palloc(trees->nodes_capacity * sizeof(GroveNode));
	trees->sets = palloc(trees->sets_capacity * (GROVE_BINS / 8));
	trees->set_first = palloc(trees->sets_capacity * sizeof(uint32));
}

/* Doubles an array until it holds needed elements. */
static void *
grow_array(void *array, uint32 *capacity, uint64 needed, Size width)
{
	uint64		wanted = *capacity;

	if (needed <= wanted)
		return array;
	while (wanted < needed)
		wanted *= 2;
	if (wanted > UINT32_MAX || wanted > MaxAllocHugeSize / width)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("model has too many nodes"),
				 errhint("Train with fewer trees or leaves.")));
	*capacity = (uint32) wanted;
	return repalloc_huge(array, wanted * width);
}

/* How many trees will come, and of which size, is not known before; so each asks for its own. */
static void
check_room(const GroveTrees *trees, uint64 n_nodes, uint64 n_sets)
{
	Size		bytes = n_nodes * sizeof(GroveNode) + n_sets * (GROVE_BINS / 8 + sizeof(uint32));
	Size		written = n_nodes * WRITTEN_NODE + n_sets * WRITTEN_SET;

	if (bytes <= trees->room_growing && bytes + written <= trees->room_writing)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("trees of the model need more memory than is allowed"),
			 errdetail("%u trees take %zu kB, the bytes of their model %zu kB.", trees->n_trees + 1, bytes / 1024, written / 1024),
			 errhint("Raise \"grove.max_memory\" or \"maintenance_work_mem\", or ask for fewer or smaller trees with \"num_iterations\" and \"num_leaves\".")));
}

void
grovepg_trees_add(GroveTrees *trees, const GroveTrainer *trainer, const GroveIntakeCut *cuts)
{
	const GroveTrainShared *s = trainer->shared;
	uint32		first = trees->start[trees->n_trees];
	uint32		first_set = trees->set_start[trees->n_trees];
	uint32		capacity = trees->trees_capacity + 1;
	uint32		set_capacity = capacity;
	uint32		first_capacity = trees->sets_capacity;
	uint32		i;

	check_room(trees, (uint64) first + s->n_nodes, (uint64) first_set + s->n_sets);
	trees->start = grow_array(trees->start, &capacity, trees->n_trees + 2, sizeof(uint32));
	trees->set_start = grow_array(trees->set_start, &set_capacity, trees->n_trees + 2, sizeof(uint32));
	trees->trees_capacity = capacity - 1;
	trees->nodes = grow_array(trees->nodes, &trees->nodes_capacity, (uint64) first + s->n_nodes, sizeof(GroveNode));
	trees->set_first = grow_array(trees->set_first, &first_capacity, (uint64) first_set + s->n_sets, sizeof(uint32));
	trees->sets = grow_array(trees->sets, &trees->sets_capacity, (uint64) first_set + s->n_sets, GROVE_BINS / 8);
	memcpy(trees->nodes + first, trainer->nodes, s->n_nodes * sizeof(GroveNode));
	memcpy(trees->sets + first_set, trainer->sets, s->n_sets * (GROVE_BINS / 8));
	for (i = 0; i < s->n_nodes; i++)
	{
		GroveNode  *node = &trees->nodes[first + i];

		if (node->left == 0)
			continue;
		if (node->flags & GROVE_NODE_CATEGORICAL)
		{
			node->set += first_set;
			trees->set_first[node->set] = cuts[node->feature].first;
		}
		node->feature = (uint16) cuts[node->feature].feature;
	}
	trees->n_trees++;
	trees->start[trees->n_trees] = first + s->n_nodes;
	trees->set_start[trees->n_trees] = first_set + s->n_sets;
}

void
grovepg_trees_cut(GroveTrees *trees, uint32 n)
{
	trees->n_trees = Min(n, trees->n_trees);
}

void
grovepg_trees_scale(GroveTrees *trees, double factor)
{
	uint32		n = trees->start[trees->n_trees];
	uint32		i;

	for (i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (trees->nodes[i].left == 0)
			trees->nodes[i].value *= factor;
	}
}

void
grovepg_trees_model(const GroveTrees *trees, GroveModel *model)
{
	model->n_trees = trees->n_trees;
	model->tree_start = trees->start;
	model->n_nodes = trees->start[trees->n_trees];
	model->n_sets = trees->set_start[trees->n_trees];
	model->nodes = trees->nodes;
	model->sets = (const uint8_t (*)[GROVE_BINS / 8]) trees->sets;
	model->set_first = trees->set_first;
}

void
grovepg_train_append_number(StringInfo out, double value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
	{
		appendStringInfoString(out, "null");
		return;
	}
	double_to_shortest_decimal_buf(value, text);
	appendStringInfoString(out, text);
}
