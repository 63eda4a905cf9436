/*
 * import.c: see import.h.
 */
#include "pg_grove.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "import.h"
#include "model_cache.h"

/* Categories: of a split, or of a feature. */
typedef struct ImportSplit
{
	uint32		feature;
	uint32		first;
	uint32		n;
	bool		is_node;		/* false: categories of the feature that no split names */
} ImportSplit;

#define N_OF(buffer, type)	((uint32) ((buffer).len / (int) sizeof(type)))

void
grovepg_import_reject(const GroveImport *import, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("text is not a valid %s model", import->format),
			 errdetail("%s.", what),
			 errhint("Pass the whole text of the file that the library saved.")));
}

void
grovepg_import_unsupported(const GroveImport *import, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s model cannot be imported", import->format),
			 errdetail("%s.", what),
			 errhint("Train a model of another kind, or with grove.train().")));
}

GroveImport *
grovepg_import_begin(const char *format, int64 n_features)
{
	GroveImport *import = palloc0(sizeof(GroveImport));

	import->format = format;
	if (n_features < 1 || n_features > GROVE_MAX_FEATURES)
		grovepg_import_reject(import, "The number of its features is out of range");
	import->features = palloc0(sizeof(GroveFeature) * n_features);
	import->model.n_features = (uint32) n_features;
	import->model.features = import->features;
	import->model.n_outputs = 1;
	initStringInfo(&import->nodes);
	initStringInfo(&import->tree_start);
	initStringInfo(&import->splits);
	initStringInfo(&import->categories);
	return import;
}

void
grovepg_import_category(GroveImport *import, int32 category)
{
	appendBinaryStringInfo(&import->categories, (char *) &category, sizeof(category));
}

uint32
grovepg_import_categories(const GroveImport *import)
{
	return N_OF(import->categories, int32);
}

static void
add_split(GroveImport *import, uint32 feature, uint32 first, uint32 n, bool is_node)
{
	ImportSplit split = {feature, first, n, is_node};

	appendBinaryStringInfo(&import->splits, (char *) &split, sizeof(split));
}

void
grovepg_import_level(GroveImport *import, uint32 feature, int32 category)
{
	grovepg_import_category(import, category);
	add_split(import, feature, grovepg_import_categories(import) - 1, 1, false);
}

/* Checks what the reader of our format would refuse, so that the error names the cause. */
static void
check_node(const GroveImport *import, const GroveNode *node, bool leaf)
{
	if (!isfinite(node->value))
		grovepg_import_reject(import, "A threshold or leaf is not a finite number");
	if (!isfinite(node->cover) || node->cover < 0)
		grovepg_import_reject(import, "The weight of a node is not a number from 0 on");
	if (!leaf && node->feature >= import->model.n_features)
		grovepg_import_reject(import, "A split is on a feature that does not exist");
	if (!leaf && (import->features[node->feature].kind == GROVE_FEATURE_CATEGORICAL) !=
		((node->flags & GROVE_NODE_CATEGORICAL) != 0))
		grovepg_import_reject(import, "A feature is categorical in one place and numeric in another");
}

/* Breadth first, so that siblings are neighbours and follow their parent. */
void
grovepg_import_tree(GroveImport *import, const GroveImportNode *nodes, uint32 n)
{
	uint32	   *order = palloc(sizeof(uint32) * n);
	bool	   *seen = palloc0(n);
	uint32		start = N_OF(import->nodes, GroveNode);
	uint32		last = 1;

	CHECK_FOR_INTERRUPTS();
	if (n < 1 || n >= 2 * GROVE_MAX_LEAVES)
		grovepg_import_unsupported(import, "A tree has more than 32768 leaves");
	appendBinaryStringInfo(&import->tree_start, (char *) &start, sizeof(start));
	order[0] = 0;
	seen[0] = true;
	for (uint32 i = 0; i < last; i++)
	{
		const GroveImportNode *found = &nodes[order[i]];
		GroveNode	node = found->node;

		node.left = node.set = 0;
		node.gain = isfinite(node.gain) && node.gain > 0 ? node.gain : 0;
		check_node(import, &node, found->children[0] < 0);
		if (found->children[0] < 0)
		{
			node.feature = 0;
			node.flags = 0;
			node.gain = 0;
		}
		else
		{
			for (int side = 0; side < 2; side++)
			{
				int64		child = found->children[side];

				if (child < 0 || child >= n || seen[child])
					grovepg_import_reject(import, "The nodes of a tree do not form a tree");
				seen[child] = true;
				order[last + (uint32) side] = (uint32) child;
			}
			node.left = last;
			last += 2;
			if (node.flags & GROVE_NODE_CATEGORICAL)
			{
				node.set = import->model.n_sets++;
				node.value = 0;
				add_split(import, node.feature, found->first_category, found->n_categories, true);
			}
		}
		appendBinaryStringInfo(&import->nodes, (char *) &node, sizeof(node));
	}
	pfree(order);
	pfree(seen);
}

static GroveText
text_of_int(int32 number)
{
	GroveText	text;

	text.data = psprintf("%d", number);
	text.length = strlen(text.data);
	return text;
}

static void
set_classes(GroveImport *import, int n)
{
	GroveText  *classes = palloc(sizeof(GroveText) * n);

	for (int i = 0; i < n; i++)
		classes[i] = text_of_int(i);
	import->model.classes = classes;
	import->model.n_classes = (uint32) n;
}

void
grovepg_import_objective(GroveImport *import, GroveTask task, GroveLink link, const char *objective, int64 n_outputs)
{
	GroveModel *model = &import->model;
	bool		several = task == GROVE_TASK_MULTICLASS;

	if (several != (n_outputs > 1))
		grovepg_import_reject(import, "The number of its classes does not fit its objective");
	model->task = task;
	model->link = link;
	model->objective = grovepg_model_text_of(objective);
	model->target = grovepg_model_text_of("target");
	model->target_type = grovepg_model_text_of(several || task == GROVE_TASK_BINARY ? "integer" : "double precision");
	model->n_outputs = several ? (uint32) n_outputs : 1;
	if (several || task == GROVE_TASK_BINARY)
		set_classes(import, several ? (int) n_outputs : 2);
}

static int
compare_categories(const void *left, const void *right)
{
	int32		a = *(const int32 *) left;
	int32		b = *(const int32 *) right;

	return a < b ? -1 : a > b;
}

/* Categories of one feature, ascending, each once. */
static int32 *
collect_levels(const GroveImport *import, uint32 feature, uint32 *n)
{
	const ImportSplit *splits = (const ImportSplit *) import->splits.data;
	const int32 *categories = (const int32 *) import->categories.data;
	Size		room = 0;
	Size		count = 0;
	int32	   *levels;
	uint32		distinct = 0;

	for (uint32 i = 0; i < N_OF(import->splits, ImportSplit); i++)
		room += splits[i].feature == feature ? splits[i].n : 0;
	levels = MemoryContextAllocHuge(CurrentMemoryContext, Max(room, 1) * sizeof(int32));
	for (uint32 i = 0; i < N_OF(import->splits, ImportSplit); i++)
	{
		for (uint32 k = 0; k < splits[i].n && splits[i].feature == feature; k++)
			levels[count++] = categories[splits[i].first + k];
	}
	qsort(levels, count, sizeof(int32), compare_categories);
	for (Size i = 0; i < count; i++)
	{
		if (distinct == 0 || levels[distinct - 1] != levels[i])
			levels[distinct++] = levels[i];
	}
	if (distinct > GROVE_MAX_LEVELS)
		grovepg_import_unsupported(import, "A feature has more than 65535 categories");
	*n = distinct;
	return levels;
}

static uint32
ordinal_of(const int32 *levels, uint32 n, int32 category)
{
	const int32 *found = bsearch(&category, levels, n, sizeof(int32), compare_categories);

	return (uint32) (found - levels) + 1;
}

/* The sets of all splits on a feature, when they fit into windows. */
static void
fill_sets(GroveImport *import, uint32 feature, uint8 (*sets)[GROVE_BINS / 8], uint32 *set_first)
{
	const ImportSplit *splits = (const ImportSplit *) import->splits.data;
	const int32 *categories = (const int32 *) import->categories.data;
	uint32		n_levels;
	int32	   *levels = collect_levels(import, feature, &n_levels);
	GroveText  *labels = palloc(Max(n_levels, 1) * sizeof(GroveText));
	uint32		set = 0;

	for (uint32 i = 0; i < n_levels; i++)
		labels[i] = text_of_int(levels[i]);
	import->features[feature].levels = labels;
	import->features[feature].n_levels = n_levels;
	for (uint32 i = 0; i < N_OF(import->splits, ImportSplit); i++)
	{
		uint32		lowest = n_levels;

		set += i > 0 && splits[i - 1].is_node;
		if (!splits[i].is_node || splits[i].feature != feature)
			continue;
		for (uint32 k = 0; k < splits[i].n; k++)
			lowest = Min(lowest, ordinal_of(levels, n_levels, categories[splits[i].first + k]));
		set_first[set] = n_levels < GROVE_BINS || splits[i].n == 0 ? 0 : lowest - 1;
		for (uint32 k = 0; k < splits[i].n; k++)
		{
			uint32		bit = ordinal_of(levels, n_levels, categories[splits[i].first + k]) - set_first[set];

			if (bit >= GROVE_BINS)
				grovepg_import_unsupported(import, "A split sends categories left that are more than 255 apart in their order");
			sets[set][bit / 8] |= (uint8) (1 << bit % 8);
		}
	}
	pfree(levels);
}

static void
check_names(const GroveImport *import)
{
	const GroveText **order = palloc(sizeof(GroveText *) * import->model.n_features);
	const GroveText *twice;

	for (uint32 i = 0; i < import->model.n_features; i++)
		order[i] = &import->features[i].name;
	twice = grove_model_duplicate(order, import->model.n_features);
	if (twice)
		grovepg_import_reject(import, psprintf("Two features have the name \"%s\"", grovepg_model_text(*twice)));
}

bytea *
grovepg_import_finish(GroveImport *import)
{
	GroveModel *model = &import->model;
	uint32		end = N_OF(import->nodes, GroveNode);
	uint8		(*sets)[GROVE_BINS / 8] = palloc_extended(Max(model->n_sets, 1) * sizeof(*sets), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	uint32	   *set_first = palloc0(Max(model->n_sets, 1) * sizeof(uint32));
	bytea	   *result;

	check_names(import);
	model->n_trees = N_OF(import->tree_start, uint32);
	if (model->n_trees > GROVE_MAX_TREES || model->n_trees % model->n_outputs != 0)
		grovepg_import_reject(import, "The number of its trees does not fit that of its classes");
	appendBinaryStringInfo(&import->tree_start, (char *) &end, sizeof(end));
	for (uint32 i = 0; i < model->n_features; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (import->features[i].kind == GROVE_FEATURE_CATEGORICAL)
			fill_sets(import, i, sets, set_first);
	}
	model->n_nodes = end;
	model->nodes = (const GroveNode *) import->nodes.data;
	model->tree_start = (const uint32_t *) import->tree_start.data;
	model->sets = (const uint8_t (*)[GROVE_BINS / 8]) sets;
	model->set_first = set_first;
	model->rows = model->n_trees > 0 ? model->nodes[0].count : 0;
	result = grovepg_model_value(model);
	(void) grovepg_model_get(PointerGetDatum(result), CurrentMemoryContext);	/* checks every rule */
	return result;
}
