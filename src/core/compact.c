/*
 * compact.c: GroveModel -> GroveCompact.
 *
 * What a feature is cut at, thresholds or the beginnings of its sets' windows,
 * is gathered by insertion into a sorted array for each feature: models trained
 * here have few hundred distinct ones, and a search is most of the work.
 * Features with more than MAX_CUTS distinct ones, possible in models from
 * elsewhere, would make insertion slow; such a model keeps only its plain form,
 * and so does one whose windows need more slots than a row has.
 */
#include <math.h>
#include <string.h>

#include "arena.h"
#include "compact.h"
#include "sort.h"

#define MAX_CUTS	4096

/* What is carved out of the caller's memory. */
typedef struct Parts
{
	GroveCompact *compact;
	GroveCompactFeature *features;
	uint32_t   *splits;			/* [n_features] splits on that feature */
	uint16_t   *used;			/* [n_features] index into features when there are splits on it */
	double	   *cuts;
	GroveCompactNode *nodes;
	double	   *leaves;
	uint32_t	(*sets)[GROVE_BINS / 32];
} Parts;

static bool
lay_out(const GroveModel *model, uint8_t *memory, Parts *parts, size_t *size)
{
	size_t		n_leaves = ((size_t) model->n_nodes + model->n_trees) / 2;
	size_t		n_splits = model->n_nodes > n_leaves ? model->n_nodes - n_leaves : 0;
	GroveArena	arena = {memory, 0, true};

	parts->compact = grove_arena_carve(&arena, 1, sizeof(GroveCompact));
	parts->features = grove_arena_carve(&arena, model->n_features, sizeof(GroveCompactFeature));
	parts->splits = grove_arena_carve(&arena, model->n_features, sizeof(uint32_t));
	parts->used = grove_arena_carve(&arena, model->n_features, sizeof(uint16_t));
	parts->cuts = grove_arena_carve(&arena, n_splits, 2 * sizeof(double));
	parts->nodes = grove_arena_carve(&arena, model->n_nodes, sizeof(GroveCompactNode));
	parts->leaves = grove_arena_carve(&arena, n_leaves, sizeof(double));
	parts->sets = grove_arena_carve(&arena, model->n_sets, sizeof(*parts->sets));
	*size = arena.used;
	return arena.fits;
}

bool
grove_compact_size(const GroveModel *model, size_t *size)
{
	Parts		parts;

	*size = 0;
	return model->n_trees < GROVE_COMPACT_TREES || lay_out(model, NULL, &parts, size);
}

/* Numbers the used features and gives each room for its cuts. */
static uint32_t
number_features(const GroveModel *model, Parts *parts)
{
	uint32_t	n_used = 0;
	size_t		room = 0;

	memset(parts->splits, 0, model->n_features * sizeof(uint32_t));
	for (uint32_t i = 0; i < model->n_nodes; i++)
	{
		if (model->nodes[i].left != 0)
			parts->splits[model->nodes[i].feature]++;
	}
	for (uint32_t feature = 0; feature < model->n_features; feature++)
	{
		GroveCompactFeature *used = &parts->features[n_used];

		if (parts->splits[feature] == 0)
			continue;
		parts->used[feature] = (uint16_t) n_used++;
		used->feature = (uint16_t) feature;
		used->categorical = model->features[feature].kind == GROVE_FEATURE_CATEGORICAL;
		used->n_cuts = 0;
		used->cuts = parts->cuts + room;
		room += (size_t) 2 * parts->splits[feature];	/* also for the infinities */
	}
	return n_used;
}

static double
cut_of(const GroveModel *model, const GroveNode *node)
{
	return (node->flags & GROVE_NODE_CATEGORICAL) ? model->set_first[node->set] : node->value;
}

/* Number of cuts below x: the bin of x, and the place of an equal cut. */
static uint32_t
find_cut(const GroveCompactFeature *feature, double x)
{
	uint32_t	low = 0;
	uint32_t	high = feature->n_cuts;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (feature->cuts[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds a cut unless it is there; false when the feature has too many. */
static bool
insert_cut(GroveCompactFeature *feature, double *cuts, double x)
{
	uint32_t	at = find_cut(feature, x);

	if (at < feature->n_cuts && cuts[at] == x)
		return true;
	if (feature->n_cuts == MAX_CUTS)
		return false;
	memmove(cuts + at + 1, cuts + at, (feature->n_cuts - at) * sizeof(double));
	cuts[at] = x;
	feature->n_cuts++;
	return true;
}

static bool
gather_cuts(const GroveModel *model, Parts *parts)
{
	for (uint32_t i = 0; i < model->n_nodes; i++)
	{
		const GroveNode *node = &model->nodes[i];
		GroveCompactFeature *feature;

		if (node->left == 0)
			continue;
		feature = &parts->features[parts->used[node->feature]];
		if (!insert_cut(feature, parts->cuts + (feature->cuts - parts->cuts), cut_of(model, node)))
			return false;
	}
	return true;
}

/* Fills the cuts of numeric features up for grove_compact_bins(). */
static void
pad_cuts(Parts *parts, uint32_t n_used)
{
	for (uint32_t i = 0; i < n_used; i++)
	{
		GroveCompactFeature *feature = &parts->features[i];
		double	   *cuts = parts->cuts + (feature->cuts - parts->cuts);
		uint32_t	step = 1;

		feature->first_step = 0;
		if (feature->categorical)
			continue;
		while (2 * step - 1 < feature->n_cuts)
			step *= 2;
		feature->first_step = step;
		for (uint32_t cut = feature->n_cuts; cut < 2 * step - 1; cut++)
			cuts[cut] = INFINITY;
	}
}

static bool
has_more_steps(const void *a, const void *b)
{
	const GroveCompactFeature *left = a;
	const GroveCompactFeature *right = b;

	return left->first_step != right->first_step ? left->first_step > right->first_step : left->slot < right->slot;
}

/* False when a row has not so many slots. */
static bool
assign_slots(Parts *parts, uint32_t n_used)
{
	uint32_t	slot = 0;

	for (uint32_t i = 0; i < n_used; i++)
	{
		GroveCompactFeature *feature = &parts->features[i];
		uint32_t	n_slots = feature->categorical ? feature->n_cuts : 2;

		if (n_slots > GROVE_COMPACT_SLOTS - slot)
			return false;
		feature->slot = (uint16_t) slot;
		slot += n_slots;
	}
	return true;
}

static void
copy_set(const GroveModel *model, const GroveNode *node, uint32_t *set)
{
	const uint8_t *bits = model->sets[node->set];

	for (int word = 0; word < GROVE_BINS / 32; word++)
		set[word] = (uint32_t) bits[4 * word] | (uint32_t) bits[4 * word + 1] << 8 |
			(uint32_t) bits[4 * word + 2] << 16 | (uint32_t) bits[4 * word + 3] << 24;
	if (node->flags & GROVE_NODE_MISSING_LEFT)
		set[0] |= 1;
}

static void
copy_nodes(const GroveModel *model, Parts *parts)
{
	uint32_t	n_leaves = 0;
	uint32_t	n_sets = 0;

	for (uint32_t tree = 0; tree < model->n_trees; tree++)
	{
		uint32_t	root = model->tree_start[tree];

		for (uint32_t i = root; i < model->tree_start[tree + 1]; i++)
		{
			const GroveNode *node = &model->nodes[i];
			const GroveCompactFeature *feature;
			uint32_t	cut;
			GroveCompactNode *copy = &parts->nodes[i];

			if (node->left == 0)
			{
				copy->slot = 0;
				copy->offset = 0;
				copy->test = GROVE_COMPACT_LEAF + n_leaves;
				parts->leaves[n_leaves++] = node->value;
				continue;
			}
			feature = &parts->features[parts->used[node->feature]];
			cut = find_cut(feature, cut_of(model, node));
			copy->offset = (uint16_t) (node->left - (i - root));
			if (node->flags & GROVE_NODE_CATEGORICAL)
			{
				copy->slot = (uint16_t) ((feature->slot + cut) | GROVE_COMPACT_CATEGORICAL);
				copy->test = n_sets;
				copy_set(model, node, parts->sets[n_sets++]);
			}
			else
			{
				copy->slot = (uint16_t) (feature->slot + ((node->flags & GROVE_NODE_MISSING_LEFT) ? 0 : 1));
				copy->test = cut;
			}
		}
	}
}

const GroveCompact *
grove_compact_build(const GroveModel *model, void *memory)
{
	Parts		parts;
	size_t		size;
	uint32_t	n_used;

	if (model->n_trees < GROVE_COMPACT_TREES || !lay_out(model, memory, &parts, &size))
		return NULL;
	n_used = number_features(model, &parts);
	if (!gather_cuts(model, &parts) || !assign_slots(&parts, n_used))
		return NULL;
	copy_nodes(model, &parts);
	pad_cuts(&parts, n_used);
	grove_sort(parts.features, n_used, sizeof(GroveCompactFeature), has_more_steps);	/* ends parts.used */
	parts.compact->n_features = n_used;
	parts.compact->features = parts.features;
	parts.compact->nodes = parts.nodes;
	parts.compact->leaves = parts.leaves;
	parts.compact->sets = model->n_sets > 0 ? (const uint32_t (*)[GROVE_BINS / 32]) parts.sets : NULL;
	return parts.compact;
}
