/*
 * export_lightgbm.c: a model as the text that LightGBM loads.
 *
 * LightGBM has no base margin: it is added to the leaves of the first tree of
 * each output, the sum that prediction begins with here too, so that margins are
 * equal to the bit.  LightGBM sends what is missing right at a categorical
 * split; where it goes left here, the sides are exchanged.  Categories are whole
 * numbers there: a label that prints one stands for it when all labels of the
 * feature do, else a label is its place, from 0, in the feature's list of
 * levels.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "model_cache.h"
#include "number_text.h"

#define DECISION_CATEGORICAL	1
#define DECISION_DEFAULT_LEFT	2
#define DECISION_MISSING_NAN	8

typedef struct Writer
{
	const GroveModel *model;
	StringInfoData out;
	int32	  **codes;			/* [n_features][n_levels] category of each level; NULL: numeric */
} Writer;

/* One tree: its nodes in LightGBM's numbers, splits and leaves apart. */
typedef struct TreeWriter
{
	const GroveNode *nodes;
	uint32		n_nodes;
	int32	   *number;			/* [n_nodes] of a split from 0, of a leaf -1, -2, ... */
	double		base;			/* added to leaves */
} TreeWriter;

/* The number that a label prints, or -1. */
static int32
label_number(GroveText label)
{
	int64		number = 0;

	if (label.length == 0 || label.length > 9 || (label.data[0] == '0' && label.length > 1))
		return -1;
	for (uint32 i = 0; i < label.length; i++)
	{
		if (label.data[i] < '0' || label.data[i] > '9')
			return -1;
		number = number * 10 + (label.data[i] - '0');
	}
	/* a set has a bit for each number up to the largest */
	return number <= GROVE_MAX_LEVELS ? (int32) number : -1;
}

static int32 *
make_codes(const GroveFeature *feature)
{
	int32	   *codes = palloc(sizeof(int32) * Max(feature->n_levels, 1));
	bool		numbers = true;

	for (uint32 i = 0; i < feature->n_levels && numbers; i++)
	{
		codes[i] = label_number(feature->levels[i]);
		numbers = codes[i] >= 0;
	}
	for (uint32 i = 0; i < feature->n_levels && !numbers; i++)
		codes[i] = (int32) i;
	return codes;
}

static const char *
objective_name(const GroveModel *model)
{
	static const char *const identity[] = {"regression", "regression_l1", "huber", "fair", "quantile", "mape"};
	static const char *const exponential[] = {"poisson", "gamma", "tweedie"};
	char	   *name = grovepg_model_text(model->objective);

	switch (model->link)
	{
		case GROVE_LINK_LOGISTIC:
			return "binary sigmoid:1";
		case GROVE_LINK_SOFTMAX:
			return psprintf("multiclass num_class:%u", model->n_classes);
		case GROVE_LINK_NORMALIZE:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("LightGBM has no counterpart of a forest or tree of several classes"),
					 errhint("Use grove.export_sql() or grove.export_json().")));
			break;
		case GROVE_LINK_EXP:
			for (size_t i = 0; i < lengthof(exponential); i++)
			{
				if (strcmp(exponential[i], name) == 0)
					return name;
			}
			return "poisson";
		case GROVE_LINK_IDENTITY:
		case GROVE_LINK_CLAMP:
			break;
	}
	if (model->task == GROVE_TASK_RANKING)
		return "lambdarank";
	for (size_t i = 0; i < lengthof(identity); i++)
	{
		if (strcmp(identity[i], name) == 0)
			return name;
	}
	return "regression";
}

/* Names may not have blanks there. */
static void
append_name(StringInfo out, GroveText name)
{
	char	   *string = grovepg_model_text(name);

	for (char *at = string; *at; at++)
		appendStringInfoChar(out, strchr(" \t\r\n\f\v", *at) ? '_' : *at);
}

static void
append_header(Writer *writer)
{
	const GroveModel *model = writer->model;
	StringInfo	out = &writer->out;

	appendStringInfo(out, "tree\nversion=v4\nnum_class=%u\nnum_tree_per_iteration=%u\nlabel_index=0\nmax_feature_idx=%u\n",
					 model->n_outputs, model->n_outputs, model->n_features - 1);
	appendStringInfo(out, "objective=%s\nfeature_names=", objective_name(model));
	for (uint32 i = 0; i < model->n_features; i++)
	{
		appendStringInfoString(out, i > 0 ? " " : "");
		append_name(out, model->features[i].name);
	}
	appendStringInfoString(out, "\nfeature_infos=");
	for (uint32 i = 0; i < model->n_features; i++)
	{
		const GroveFeature *feature = &model->features[i];

		appendStringInfoString(out, i > 0 ? " " : "");
		if (feature->kind == GROVE_FEATURE_NUMERIC)
			appendStringInfoString(out, "[-1e+308:1e+308]");
		else if (feature->n_levels == 0)
			appendStringInfoString(out, "none");
		for (uint32 k = 0; k < feature->n_levels; k++)
			appendStringInfo(out, "%s%d", k > 0 ? ":" : "", writer->codes[i][k]);
	}
	appendStringInfoString(out, "\n\n");
}

/* Whether a split's sides are exchanged. */
static bool
is_turned(const GroveNode *node)
{
	return (node->flags & GROVE_NODE_CATEGORICAL) && (node->flags & GROVE_NODE_MISSING_LEFT);
}

/* One line of numbers, of the splits or of the leaves. */
typedef enum LineOf
{
	OF_FEATURE, OF_GAIN, OF_THRESHOLD, OF_DECISION, OF_LEFT, OF_RIGHT, OF_VALUE, OF_COVER, OF_COUNT
} LineOf;

static void
append_line(Writer *writer, const TreeWriter *tree, const char *name, LineOf what, bool leaves)
{
	StringInfo	out = &writer->out;
	uint32		n_sets = 0;

	appendStringInfo(out, "%s=", name);
	for (uint32 i = 0; i < tree->n_nodes; i++)
	{
		const GroveNode *node = &tree->nodes[i];
		bool		categorical = (node->flags & GROVE_NODE_CATEGORICAL) != 0;

		if ((node->left == 0) != leaves)
			continue;
		if (out->data[out->len - 1] != '=')
			appendStringInfoChar(out, ' ');
		switch (what)
		{
			case OF_FEATURE:
				appendStringInfo(out, "%u", node->feature);
				break;
			case OF_GAIN:
				grovepg_number_append(out, node->gain);
				break;
			case OF_THRESHOLD:
				if (categorical)
					appendStringInfo(out, "%u", n_sets++);
				else
					grovepg_number_append(out, node->value);
				break;
			case OF_DECISION:
				appendStringInfo(out, "%d", categorical ? DECISION_CATEGORICAL : DECISION_MISSING_NAN |
								 (node->flags & GROVE_NODE_MISSING_LEFT ? DECISION_DEFAULT_LEFT : 0));
				break;
			case OF_LEFT:
			case OF_RIGHT:
				appendStringInfo(out, "%d", tree->number[node->left + ((what == OF_RIGHT) != is_turned(node))]);
				break;
			case OF_VALUE:
				grovepg_number_append(out, leaves ? tree->base + node->value : 0);
				break;
			case OF_COVER:
				grovepg_number_append(out, node->cover);
				break;
			case OF_COUNT:
				appendStringInfo(out, "%u", Min(node->count, (uint32) PG_INT32_MAX));
				break;
		}
	}
	appendStringInfoChar(out, '\n');
}

/* The bits of the categories that a split sends left. */
static uint32 *
make_bits(Writer *writer, const GroveNode *node, uint32 *n_words)
{
	const GroveModel *model = writer->model;
	const GroveFeature *feature = &model->features[node->feature];
	const int32 *codes = writer->codes[node->feature];
	uint32	   *bits = palloc0(sizeof(uint32) * (GROVE_MAX_LEVELS / 32 + 1));

	*n_words = 1;
	for (uint32 i = 0; i < feature->n_levels; i++)
	{
		if (grove_model_set_has(model, node->set, i + 1) == is_turned(node))
			continue;
		bits[codes[i] / 32] |= UINT32_C(1) << codes[i] % 32;
		*n_words = Max(*n_words, (uint32) codes[i] / 32 + 1);
	}
	return bits;
}

static void
append_sets(Writer *writer, const TreeWriter *tree)
{
	StringInfo	out = &writer->out;
	StringInfoData words;
	uint32		bound = 0;

	initStringInfo(&words);
	appendStringInfoString(out, "cat_boundaries=0");
	for (uint32 i = 0; i < tree->n_nodes; i++)
	{
		uint32		n_words;
		uint32	   *bits;

		CHECK_FOR_INTERRUPTS();
		if (!(tree->nodes[i].flags & GROVE_NODE_CATEGORICAL))
			continue;
		bits = make_bits(writer, &tree->nodes[i], &n_words);
		for (uint32 k = 0; k < n_words; k++)
			appendStringInfo(&words, "%s%u", words.len > 0 ? " " : "", bits[k]);
		pfree(bits);
		bound += n_words;
		appendStringInfo(out, " %u", bound);
	}
	appendStringInfo(out, "\ncat_threshold=%s\n", words.data);
	pfree(words.data);
}

static void
append_tree(Writer *writer, const TreeWriter *tree, uint32 index)
{
	StringInfo	out = &writer->out;
	int32		n_splits = 0;
	int32		n_leaves = 0;
	uint32		n_sets = 0;

	for (uint32 i = 0; i < tree->n_nodes; i++)
	{
		tree->number[i] = tree->nodes[i].left ? n_splits++ : ~n_leaves++;
		n_sets += (tree->nodes[i].flags & GROVE_NODE_CATEGORICAL) != 0;
	}
	appendStringInfo(out, "Tree=%u\nnum_leaves=%d\nnum_cat=%u\n", index, n_leaves, n_sets);
	append_line(writer, tree, "split_feature", OF_FEATURE, false);
	append_line(writer, tree, "split_gain", OF_GAIN, false);
	append_line(writer, tree, "threshold", OF_THRESHOLD, false);
	append_line(writer, tree, "decision_type", OF_DECISION, false);
	append_line(writer, tree, "left_child", OF_LEFT, false);
	append_line(writer, tree, "right_child", OF_RIGHT, false);
	append_line(writer, tree, "leaf_value", OF_VALUE, true);
	append_line(writer, tree, "leaf_weight", OF_COVER, true);
	append_line(writer, tree, "leaf_count", OF_COUNT, true);
	append_line(writer, tree, "internal_value", OF_VALUE, false);
	append_line(writer, tree, "internal_weight", OF_COVER, false);
	append_line(writer, tree, "internal_count", OF_COUNT, false);
	if (n_sets > 0)
		append_sets(writer, tree);
	appendStringInfoString(out, "is_linear=0\nshrinkage=1\n\n\n");
}

PG_FUNCTION_INFO_V1(grove_export_lightgbm);

/* export_lightgbm(model bytea) returns text */
Datum
grove_export_lightgbm(PG_FUNCTION_ARGS)
{
	static const GroveNode nothing = {0};
	const GroveModel *model = grovepg_model_get(PG_GETARG_DATUM(0), CurrentMemoryContext);
	Writer		writer = {.model = model};
	TreeWriter	tree;

	initStringInfo(&writer.out);
	writer.codes = palloc0(sizeof(int32 *) * model->n_features);
	for (uint32 i = 0; i < model->n_features; i++)
	{
		if (model->features[i].kind == GROVE_FEATURE_CATEGORICAL)
			writer.codes[i] = make_codes(&model->features[i]);
	}
	append_header(&writer);
	tree.number = palloc(sizeof(int32) * 2 * GROVE_MAX_LEAVES);
	for (uint32 i = 0; i < Max(model->n_trees, model->n_outputs); i++)
	{
		CHECK_FOR_INTERRUPTS();
		tree.base = i < model->n_outputs ? model->base[i] : 0;
		tree.nodes = model->n_trees > 0 ? model->nodes + model->tree_start[i] : &nothing;
		tree.n_nodes = model->n_trees > 0 ? model->tree_start[i + 1] - model->tree_start[i] : 1;
		append_tree(&writer, &tree, i);
	}
	appendStringInfoString(&writer.out, "end of trees\n\nparameters:\n\nend of parameters\n");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(writer.out.data, writer.out.len));
}
