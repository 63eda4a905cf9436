/*
 * fn_tree.c: one tree of a model as text: indented for people, and in the
 * language of Graphviz.
 *
 * Both walk the tree in preorder with a stack of their own, since a tree can
 * be as deep as it has splits.  Both sides of a split are written as conditions,
 * so that each line can be read alone.  The other side of a set of labels is
 * written out too, as long as the feature has at most 255 labels; with more
 * of them it is what is not in the set.
 */
#include "pg_grove.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "arguments.h"
#include "model_cache.h"
#include "number_text.h"
#include "registry.h"

/* A tree and the walk through it. */
typedef struct TreeWalk
{
	const GroveModel *model;
	const GroveNode *nodes;
	uint32		tree;
	uint32		n_nodes;
	StringInfoData text;
} TreeWalk;

/* Arguments (model, tree) of a strict function. */
static void
begin_walk(FunctionCallInfo fcinfo, TreeWalk *walk)
{
	const GroveModel *model = grovepg_model_get(grovepg_registry_argument(fcinfo, 0), CurrentMemoryContext);
	int32		tree = PG_GETARG_INT32(1);

	if (tree < 0 || (uint32) tree >= model->n_trees)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model has no tree %d", tree),
				 model->n_trees > 0 ? errhint("Its trees are 0 to %u.", model->n_trees - 1) :
				 errhint("It has no trees at all.")));
	walk->model = model;
	walk->tree = (uint32) tree;
	walk->nodes = model->nodes + model->tree_start[tree];
	walk->n_nodes = model->tree_start[tree + 1] - model->tree_start[tree];
	initStringInfo(&walk->text);
}

/* "city in ('berlin', 'rome')": labels of the set or of its complement, the latter as "not in" when it is long. */
static void
append_categories(TreeWalk *walk, const GroveNode *node, bool left)
{
	const GroveFeature *feature = &walk->model->features[node->feature];
	bool		all = feature->n_levels < GROVE_BINS;
	uint32		first = walk->model->set_first[node->set];
	uint32		last = Min(feature->n_levels, first + GROVE_BINS - 1);
	const char *separator = "";

	appendStringInfoString(&walk->text, left || all ? " in (" : " not in (");
	for (uint32 ordinal = first + 1; ordinal <= last; ordinal++)
	{
		char	   *label;
		char	   *quoted;

		if (grove_model_set_has(walk->model, node->set, ordinal) != (left || !all))
			continue;
		label = grovepg_model_text(feature->levels[ordinal - 1]);
		quoted = quote_literal_cstr(label);
		appendStringInfo(&walk->text, "%s%s", separator, quoted);
		pfree(quoted);
		pfree(label);
		separator = ", ";
	}
	appendStringInfoChar(&walk->text, ')');
}

/* What is true of a row that takes this side of a split. */
static void
append_condition(TreeWalk *walk, const GroveNode *node, bool left)
{
	char	   *name = grovepg_model_text(walk->model->features[node->feature].name);

	appendStringInfoString(&walk->text, quote_identifier(name));
	if (node->flags & GROVE_NODE_CATEGORICAL)
		append_categories(walk, node, left);
	else
	{
		appendStringInfoString(&walk->text, left ? " <= " : " > ");
		grovepg_number_append(&walk->text, node->value);
	}
	if (left == ((node->flags & GROVE_NODE_MISSING_LEFT) != 0))
		appendStringInfoString(&walk->text, " or missing");
}

static void
append_title(TreeWalk *walk)
{
	const GroveModel *model = walk->model;

	appendStringInfo(&walk->text, "tree %u", walk->tree);
	if (model->n_outputs > 1)
		appendStringInfo(&walk->text, " of class %s",
						 grovepg_model_text(model->classes[walk->tree % model->n_outputs]));
	appendStringInfo(&walk->text, ": %u rows, %u leaves", walk->nodes[0].count, (walk->n_nodes + 1) / 2);
}

/* A node still to be written, and on which side of its parent it is. */
typedef struct PendingNode
{
	uint32		node;
	uint32		parent;
	uint32		depth;
	bool		left;
} PendingNode;

static void
append_line(TreeWalk *walk, const PendingNode *pending)
{
	const GroveNode *node = &walk->nodes[pending->node];

	if (pending->depth > 0)
	{
		appendStringInfoChar(&walk->text, '\n');
		enlargeStringInfo(&walk->text, (int) (2 * pending->depth));
		appendStringInfoSpaces(&walk->text, (int) (2 * pending->depth));
		append_condition(walk, &walk->nodes[pending->parent], pending->left);
		appendStringInfo(&walk->text, ": %u rows", node->count);
	}
	if (node->left == 0)
	{
		appendStringInfoString(&walk->text, ", value ");
		grovepg_number_append(&walk->text, node->value);
	}
	else
		appendStringInfo(&walk->text, ", gain %g", node->gain);
}

PG_FUNCTION_INFO_V1(grove_tree_text);

Datum
grove_tree_text(PG_FUNCTION_ARGS)
{
	TreeWalk	walk;
	PendingNode *stack;
	int			n = 1;

	begin_walk(fcinfo, &walk);
	append_title(&walk);
	stack = palloc(sizeof(PendingNode) * (walk.n_nodes + 1));
	memset(&stack[0], 0, sizeof(PendingNode));
	while (n > 0)
	{
		PendingNode pending = stack[--n];
		uint32		left = walk.nodes[pending.node].left;

		CHECK_FOR_INTERRUPTS();
		append_line(&walk, &pending);
		if (left == 0)
			continue;
		for (int side = 1; side >= 0; side--)
		{
			stack[n].node = left + side;
			stack[n].parent = pending.node;
			stack[n].depth = pending.depth + 1;
			stack[n].left = side == 0;
			n++;
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(walk.text.data, walk.text.len));
}

/* Makes a string of Graphviz of what was appended from start on. */
static void
quote_label(StringInfo text, int start)
{
	char	   *plain = pnstrdup(text->data + start, text->len - start);

	text->len = start;
	text->data[start] = '\0';
	appendStringInfoChar(text, '"');
	for (char *c = plain; *c; c++)
	{
		if (*c == '"' || *c == '\\')
			appendStringInfoChar(text, '\\');
		if (*c == '\n')
			appendStringInfoString(text, "\\n");
		else
			appendStringInfoChar(text, *c);
	}
	appendStringInfoChar(text, '"');
	pfree(plain);
}

static void
append_dot_node(TreeWalk *walk, uint32 number)
{
	const GroveNode *node = &walk->nodes[number];
	int			start;

	appendStringInfo(&walk->text, "  n%u [label=", number);
	start = walk->text.len;
	if (node->left == 0)
		grovepg_number_append(&walk->text, node->value);
	else
		append_condition(walk, node, true);
	appendStringInfo(&walk->text, "\n%u rows", node->count);
	quote_label(&walk->text, start);
	appendStringInfoString(&walk->text, node->left == 0 ? ", shape=ellipse];\n" : "];\n");
	if (node->left == 0)
		return;
	appendStringInfo(&walk->text, "  n%u -> n%u [label=\"yes\"];\n", number, node->left);
	appendStringInfo(&walk->text, "  n%u -> n%u [label=\"no\"];\n", number, node->left + 1);
}

PG_FUNCTION_INFO_V1(grove_tree_dot);

Datum
grove_tree_dot(PG_FUNCTION_ARGS)
{
	TreeWalk	walk;

	begin_walk(fcinfo, &walk);
	appendStringInfo(&walk.text, "digraph tree%u {\n  node [shape=box];\n", walk.tree);
	for (uint32 i = 0; i < walk.n_nodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		append_dot_node(&walk, i);
	}
	appendStringInfoChar(&walk.text, '}');
	PG_RETURN_TEXT_P(cstring_to_text_with_len(walk.text.data, walk.text.len));
}
