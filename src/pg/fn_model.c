/*
 * fn_model.c: the SQL functions that tell what a model is: classes, describe,
 * export_json, metrics, importance, nodes.
 *
 * Text of a model passes grovepg_model_text() before it leaves, and its JSON
 * the parser of jsonb: bytes made by somebody else can at worst be an ERROR.
 */
#include "pg_grove.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "model_cache.h"
#include "number_text.h"
#include "registry.h"
#include "rowtype.h"

static const GroveModel *
get_model(FunctionCallInfo fcinfo)
{
	return grovepg_model_get(grovepg_registry_argument(fcinfo, 0), CurrentMemoryContext);
}

static Datum
text_datum(GroveText text)
{
	return PointerGetDatum(cstring_to_text(grovepg_model_text(text)));
}

static Datum
text_array(Datum *elements, uint32 n)
{
	return PointerGetDatum(construct_array(elements, (int) n, TEXTOID, -1, false, TYPALIGN_INT));
}

PG_FUNCTION_INFO_V1(grove_classes);

Datum
grove_classes(PG_FUNCTION_ARGS)
{
	const GroveModel *model = get_model(fcinfo);
	Datum	   *labels = palloc(sizeof(Datum) * Max(model->n_classes, 1));

	for (uint32 i = 0; i < model->n_classes; i++)
		labels[i] = text_datum(model->classes[i]);
	PG_RETURN_DATUM(text_array(labels, model->n_classes));
}

/* A JSON text of the model as jsonb; ERROR when it is no JSON object. */
static Jsonb *
parse_object(GroveText text)
{
	Jsonb	   *object = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(grovepg_model_text(text))));

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("model is damaged"),
				 errdetail("Its parameters or metrics are not a JSON object."),
				 errhint(GROVEPG_DAMAGED_HINT)));
	return object;
}

PG_FUNCTION_INFO_V1(grove_metrics);

Datum
grove_metrics(PG_FUNCTION_ARGS)
{
	PG_RETURN_JSONB_P(parse_object(get_model(fcinfo)->metrics));
}

static void
append_name(StringInfo json, const char *name)
{
	if (json->data[json->len - 1] != '{')
		appendStringInfoString(json, ", ");
	escape_json(json, name);
	appendStringInfoString(json, ": ");
}

static void
append_string(StringInfo json, const char *name, const char *value)
{
	append_name(json, name);
	escape_json(json, value);
}

static void
append_count(StringInfo json, const char *name, uint64 value)
{
	append_name(json, name);
	appendStringInfo(json, UINT64_FORMAT, value);
}

static void
append_object(StringInfo json, const char *name, GroveText text)
{
	Jsonb	   *object = parse_object(text);

	append_name(json, name);
	(void) JsonbToCString(json, &object->root, VARSIZE(object));
}

static void
append_labels(StringInfo json, const char *name, const GroveText *labels, uint32 n)
{
	append_name(json, name);
	appendStringInfoChar(json, '[');
	for (uint32 i = 0; i < n; i++)
	{
		appendStringInfoString(json, i > 0 ? ", " : "");
		escape_json(json, grovepg_model_text(labels[i]));
	}
	appendStringInfoChar(json, ']');
}

static void
append_features(StringInfo json, const GroveModel *model, bool levels)
{
	append_name(json, "features");
	appendStringInfoChar(json, '[');
	for (uint32 i = 0; i < model->n_features; i++)
	{
		const GroveFeature *feature = &model->features[i];

		appendStringInfoString(json, i > 0 ? ", {" : "{");
		append_string(json, "name", grovepg_model_text(feature->name));
		append_string(json, "type", grovepg_model_text(feature->type_name));
		append_string(json, "kind", feature->kind == GROVE_FEATURE_NUMERIC ? "numeric" : "categorical");
		if (feature->kind == GROVE_FEATURE_CATEGORICAL && levels)
			append_labels(json, "levels", feature->levels, feature->n_levels);
		else if (feature->kind == GROVE_FEATURE_CATEGORICAL)
			append_count(json, "levels", feature->n_levels);
		appendStringInfoChar(json, '}');
	}
	appendStringInfoChar(json, ']');
}

static void
append_digest(StringInfo json, Datum model)
{
	struct varlena *header = (struct varlena *) PG_DETOAST_DATUM_SLICE(model, 0, GROVE_MODEL_HEADER);
	uint8		digest[GROVE_DIGEST_BYTES];
	uint64		length;

	if (grove_model_peek((const uint8 *) VARDATA_ANY(header), VARSIZE_ANY_EXHDR(header), &length, digest) != GROVE_OK)
		return;
	append_count(json, "bytes", length);
	append_name(json, "digest");
	appendStringInfoChar(json, '"');
	for (int i = 0; i < GROVE_DIGEST_BYTES; i++)
		appendStringInfo(json, "%02x", digest[i]);
	appendStringInfoChar(json, '"');
}

/* What describe() and export_json() both tell. */
static void
append_description(StringInfo json, const GroveModel *model, bool levels)
{
	static const char *const tasks[] = {"regression", "binary", "multiclass", "ranking"};
	static const char *const algorithms[] = {"gbdt", "forest", "tree"};

	append_string(json, "task", tasks[model->task]);
	append_string(json, "algorithm", algorithms[model->algorithm]);
	append_string(json, "objective", grovepg_model_text(model->objective));
	append_string(json, "target", grovepg_model_text(model->target));
	append_string(json, "target_type", grovepg_model_text(model->target_type));
	append_features(json, model, levels);
	if (model->n_classes > 0)
		append_labels(json, "classes", model->classes, model->n_classes);
	append_count(json, "rows", model->rows);
	append_count(json, "format_version", GROVE_MODEL_VERSION);
	append_object(json, "params", model->params);
	append_object(json, "metrics", model->metrics);
}

PG_FUNCTION_INFO_V1(grove_describe);

Datum
grove_describe(PG_FUNCTION_ARGS)
{
	Datum		bytes = grovepg_registry_argument(fcinfo, 0);
	const GroveModel *model = grovepg_model_get(bytes, CurrentMemoryContext);
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_description(&json, model, false);
	append_count(&json, "trees", model->n_trees);
	append_count(&json, "leaves", (model->n_nodes + (uint64) model->n_trees) / 2);
	append_digest(&json, bytes);
	appendStringInfoChar(&json, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

static void
append_number(StringInfo json, const char *name, double value)
{
	append_name(json, name);
	grovepg_number_append(json, value);
}

/* Levels, by their place from 0, that a split sends left. */
static void
append_left_levels(StringInfo json, const GroveModel *model, const GroveNode *node)
{
	uint32		first = model->set_first[node->set];
	uint32		last = Min(model->features[node->feature].n_levels, first + GROVE_BINS - 1);
	const char *separator = "";

	append_name(json, "left_levels");
	appendStringInfoChar(json, '[');
	for (uint32 ordinal = first + 1; ordinal <= last; ordinal++)
	{
		if (!grove_model_set_has(model, node->set, ordinal))
			continue;
		appendStringInfo(json, "%s%u", separator, ordinal - 1);
		separator = ", ";
	}
	appendStringInfoChar(json, ']');
}

static void
append_node(StringInfo json, const GroveModel *model, const GroveNode *node)
{
	appendStringInfoChar(json, '{');
	append_count(json, "count", node->count);
	append_number(json, "cover", node->cover);
	if (node->left == 0)
		append_number(json, "value", node->value);
	else
	{
		append_count(json, "feature", node->feature);
		if (node->flags & GROVE_NODE_CATEGORICAL)
			append_left_levels(json, model, node);
		else
			append_number(json, "threshold", node->value);
		append_name(json, "missing_left");
		appendStringInfoString(json, node->flags & GROVE_NODE_MISSING_LEFT ? "true" : "false");
		append_count(json, "left", node->left);
		append_count(json, "right", node->left + 1);
		append_number(json, "gain", node->gain);
	}
	appendStringInfoChar(json, '}');
}

PG_FUNCTION_INFO_V1(grove_export_json);

Datum
grove_export_json(PG_FUNCTION_ARGS)
{
	static const char *const links[] = {"identity", "logistic", "softmax", "exp", "clamp", "normalize"};
	const GroveModel *model = get_model(fcinfo);
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_description(&json, model, true);
	append_string(&json, "link", links[model->link]);
	append_name(&json, "base");
	for (uint32 i = 0; i < model->n_outputs; i++)
	{
		appendStringInfoString(&json, i > 0 ? ", " : "[");
		grovepg_number_append(&json, model->base[i]);
	}
	appendStringInfoChar(&json, ']');
	append_name(&json, "trees");
	appendStringInfoChar(&json, '[');
	for (uint32 tree = 0; tree < model->n_trees; tree++)
	{
		for (uint32 i = model->tree_start[tree]; i < model->tree_start[tree + 1]; i++)
		{
			CHECK_FOR_INTERRUPTS();
			appendStringInfoString(&json, i > model->tree_start[tree] ? ", " : tree > 0 ? ", [" : "[");
			append_node(&json, model, &model->nodes[i]);
		}
		appendStringInfoChar(&json, ']');
	}
	appendStringInfoString(&json, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data)));
}

/* What the splits on one feature did, over all trees. */
typedef struct Importance
{
	uint32		feature;
	int64		splits;
	double		gain;
	double		cover;
} Importance;

/* More gain first, then in the order of training. */
static int
compare_importance(const void *left, const void *right)
{
	const Importance *a = left;
	const Importance *b = right;

	if (a->gain != b->gain)
		return a->gain > b->gain ? -1 : 1;
	return a->feature < b->feature ? -1 : 1;
}

static Importance *
sum_importance(const GroveModel *model)
{
	Importance *sums = palloc0(sizeof(Importance) * model->n_features);

	for (uint32 i = 0; i < model->n_features; i++)
		sums[i].feature = i;
	for (uint32 i = 0; i < model->n_nodes; i++)
	{
		const GroveNode *node = &model->nodes[i];

		if (i % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
		if (node->left == 0)
			continue;
		sums[node->feature].splits++;
		sums[node->feature].gain += node->gain;
		sums[node->feature].cover += node->cover;
	}
	qsort(sums, model->n_features, sizeof(Importance), compare_importance);
	return sums;
}

PG_FUNCTION_INFO_V1(grove_importance);

Datum
grove_importance(PG_FUNCTION_ARGS)
{
	const GroveModel *model = get_model(fcinfo);
	Importance *sums = sum_importance(model);
	TupleDesc	desc;
	Tuplestorestate *store = grovepg_rowtype_store(fcinfo, &desc);

	for (uint32 i = 0; i < model->n_features; i++)
	{
		Datum		values[4];
		bool		nulls[4] = {false, false, false, false};

		values[0] = text_datum(model->features[sums[i].feature].name);
		values[1] = Float8GetDatum(sums[i].gain);
		values[2] = Int64GetDatum(sums[i].splits);
		values[3] = Float8GetDatum(sums[i].cover);
		tuplestore_putvalues(store, desc, values, nulls);
	}
	return (Datum) 0;
}

/* Columns of grove.nodes(), in their order. */
enum
{
	NODES_TREE, NODES_NODE, NODES_PARENT, NODES_DEPTH, NODES_FEATURE, NODES_THRESHOLD, NODES_CATEGORIES,
	NODES_MISSING_LEFT, NODES_LEFT, NODES_RIGHT, NODES_GAIN, NODES_COVER, NODES_COUNT, NODES_VALUE, NODES_CLASS,
	NODES_COLUMNS
};

/* Labels that a categorical split sends left. */
static Datum
categories_of(const GroveModel *model, const GroveNode *node)
{
	const GroveFeature *feature = &model->features[node->feature];
	Datum		labels[GROVE_BINS];
	uint32		first = model->set_first[node->set];
	uint32		last = Min(feature->n_levels, first + GROVE_BINS - 1);
	uint32		n = 0;

	for (uint32 ordinal = first + 1; ordinal <= last; ordinal++)
	{
		if (grove_model_set_has(model, node->set, ordinal))
			labels[n++] = text_datum(feature->levels[ordinal - 1]);
	}
	return text_array(labels, n);
}

/* The columns that differ between splits and leaves. */
static void
fill_node(const GroveModel *model, const GroveNode *node, Datum *values, bool *nulls)
{
	nulls[NODES_FEATURE] = nulls[NODES_MISSING_LEFT] = nulls[NODES_LEFT] = nulls[NODES_RIGHT] =
		nulls[NODES_GAIN] = node->left == 0;
	nulls[NODES_VALUE] = node->left != 0;
	nulls[NODES_THRESHOLD] = node->left == 0 || (node->flags & GROVE_NODE_CATEGORICAL);
	nulls[NODES_CATEGORIES] = node->left == 0 || !(node->flags & GROVE_NODE_CATEGORICAL);
	values[NODES_COVER] = Float8GetDatum(node->cover);
	values[NODES_COUNT] = Int64GetDatum((int64) node->count);
	values[NODES_VALUE] = Float8GetDatum(node->value);
	values[NODES_THRESHOLD] = Float8GetDatum(node->value);
	if (node->left == 0)
		return;
	values[NODES_FEATURE] = text_datum(model->features[node->feature].name);
	values[NODES_MISSING_LEFT] = BoolGetDatum((node->flags & GROVE_NODE_MISSING_LEFT) != 0);
	values[NODES_LEFT] = Int32GetDatum((int32) node->left);
	values[NODES_RIGHT] = Int32GetDatum((int32) node->left + 1);
	values[NODES_GAIN] = Float8GetDatum(node->gain);
	if (!nulls[NODES_CATEGORIES])
		values[NODES_CATEGORIES] = categories_of(model, node);
}

/* Rows of one tree; parents and depths are room for its nodes. */
static void
put_tree(const GroveModel *model, uint32 tree, Tuplestorestate *store, TupleDesc desc, int32 *parents, int32 *depths)
{
	const GroveNode *nodes = model->nodes + model->tree_start[tree];
	uint32		n_nodes = model->tree_start[tree + 1] - model->tree_start[tree];
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "pg_grove nodes", ALLOCSET_DEFAULT_SIZES);

	parents[0] = -1;
	depths[0] = 0;
	for (uint32 i = 0; i < n_nodes; i++)
	{
		MemoryContext previous = MemoryContextSwitchTo(row_context);
		Datum		values[NODES_COLUMNS];
		bool		nulls[NODES_COLUMNS] = {false};

		CHECK_FOR_INTERRUPTS();
		if (nodes[i].left != 0)
		{
			parents[nodes[i].left] = parents[nodes[i].left + 1] = (int32) i;
			depths[nodes[i].left] = depths[nodes[i].left + 1] = depths[i] + 1;
		}
		fill_node(model, &nodes[i], values, nulls);
		values[NODES_TREE] = Int32GetDatum((int32) tree);
		values[NODES_NODE] = Int32GetDatum((int32) i);
		values[NODES_PARENT] = Int32GetDatum(parents[i]);
		nulls[NODES_PARENT] = i == 0;
		values[NODES_DEPTH] = Int32GetDatum(depths[i]);
		nulls[NODES_CLASS] = model->n_outputs == 1;
		if (!nulls[NODES_CLASS])
			values[NODES_CLASS] = text_datum(model->classes[tree % model->n_outputs]);
		tuplestore_putvalues(store, desc, values, nulls);
		MemoryContextSwitchTo(previous);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
}

PG_FUNCTION_INFO_V1(grove_nodes);

Datum
grove_nodes(PG_FUNCTION_ARGS)
{
	const GroveModel *model = get_model(fcinfo);
	int32	   *parents = palloc(sizeof(int32) * 2 * GROVE_MAX_LEAVES);
	int32	   *depths = palloc(sizeof(int32) * 2 * GROVE_MAX_LEAVES);
	TupleDesc	desc;
	Tuplestorestate *store = grovepg_rowtype_store(fcinfo, &desc);

	for (uint32 tree = 0; tree < model->n_trees; tree++)
		put_tree(model, tree, store, desc, parents, depths);
	return (Datum) 0;
}
